/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The meaning of encoded words. */

#include "mail/encoded.h"

#include "unit.h"

START_TEST(words)
{
	static const struct {
		const char *text, *want;	/* NULL: it cannot be read */
	} cases[] = {
		{ "", "" }, { "plain  text", "plain  text" },
		{ "=?utf-8?q?a_b=3Dc?=", "a b=c" },
		{ "=?UTF-8?B?w6Q=?=", "\xc3\xa4" },
		{ "=?iso-8859-1*de?Q?=E4?= x", "\xc3\xa4 x" },
		/* RFC 2047 6.2: nothing is between two of them. */
		{ "a =?utf-8?q?b?= \t=?utf-8?q?c?= d", "a bc d" },
		{ "=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "\xc3\xa4" },
		{ "=?utf-8?q?=0D=0AX:_y?=", "  X: y" },
		{ "=?utf-8?q?open", "=?utf-8?q?open" }, { "=?", "=?" },
		{ "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
		{ "a=?utf-8?q?b?=", "a=?utf-8?q?b?=" },
		{ "=?koi8-r?q?a?=", NULL }, { "=?utf-8?q?=E4?=", NULL },
		{ "=?utf-8?q?=4?=", NULL }, { "=?utf-8?b?%%%?=", NULL },
		{ "\xe4", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;
		bool ok;

		buf_init(&b, 1000);
		buf_adds(&b, "<");
		ok = encoded_decode(&b, str_c(cases[i].text));
		ck_assert_msg(ok == (cases[i].want != NULL), "%s", cases[i].text);
		ck_str(str_skip(buf_str(&b), 1), str_c(cases[i].want));
		buf_free(&b);
	}
}
END_TEST

START_TEST(too_long)
{
	struct buf b;

	buf_init(&b, 4);
	ck_assert(!encoded_decode(&b, STR("=?utf-8?q?abcdef?=")));
	buf_free(&b);
}
END_TEST

int
main(void)
{
	return unit_run("mail/encoded", UNIT_CASE("encoded", words, too_long));
}
