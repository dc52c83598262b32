/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dkim_body -- both forms, however the body comes. */

#include "unit.h"

#include "lib/buf.h"
#include "mail/dkim_body.h"

static const struct {
	const char *text, *any, *exact;	/* EXACT NULL: the same */
} cases[] = {
	{ "", "", NULL },
	{ "\r\n", "", NULL },
	{ "\r\n\r\n\r\n", "", NULL },
	{ " \t\r\n \r\n", "", NULL },
	{ "a", "a\r\n", NULL },
	{ "a\r\n", "a\r\n", NULL },
	{ "a\r\n\r\n", "a\r\n", NULL },
	{ "a \t", "a\r\n", NULL },
	{ "a\r\n \t\r\n\r\n", "a\r\n", NULL },
	{ "\r\na\r\n", "\r\na\r\n", NULL },
	{ " a  b\tc \t d\t\r\n", " a b c d\r\n", NULL },
	{ "a\r\n\r\n\r\nb", "a\r\n\r\n\r\nb\r\n", NULL },
	{ "a\r\n \r\n\tb\r\n", "a\r\n\r\n b\r\n", NULL },
	/* RFC 6376 3.4.5. */
	{ " C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n", NULL },
	{ "a\nb\rc", "a\r\nb\r\nc\r\n", "a\nb\rc\r\n" },
	{ "a\r", "a\r\n", "a\r\r\n" },
	{ "a\n\n", "a\r\n", "a\n\n\r\n" },
	{ "a\r\r\nb", "a\r\n\r\nb\r\n", "a\r\r\nb\r\n" },
	{ "a \r\rb", "a\r\n\r\nb\r\n", "a \r\rb\r\n" },
	{ "\n", "", "\n\r\n" },
	{ "a\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nb",
	    "a\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nb\r\n", NULL },
};

static void
take(void *arg, struct str piece)
{
	ck_assert_uint_gt(piece.n, 0);
	buf_add(arg, piece);
}

static const struct {
	const char *text, *want;
} simple[] = {
	{ "", "\r\n" },
	{ "\r\n", "\r\n" },
	{ "\r\n\r\n", "\r\n" },
	{ "a", "a\r\n" },
	{ "a\r\n\r\n\r\n", "a\r\n" },
	{ " \t\r\n \r\n", " \t\r\n \r\n" },
	{ "\r\n\r\n a  b\t\r\n\r\nc\r\n\r\n", "\r\n\r\n a  b\t\r\n\r\nc\r\n" },
	/* RFC 6376 3.4.5. */
	{ " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n" },
	{ "a\rb\nc\r", "a\rb\nc\r\r\n" },
	{ "a\r\r\n\n", "a\r\r\n\n\r\n" },
};

/* The form of TEXT that comes in pieces of N octets. */
static void
check_form(bool is_simple, const char *text, size_t n, bool any, const char *want)
{
	struct str rest = str_c(text);
	struct dkim_body body;
	struct buf out;

	buf_init(&out, 4096);
	body = (struct dkim_body){ .out = take, .arg = &out, .any_end = any,
		.simple = is_simple };
	for (; rest.n > 0; rest = str_skip(rest, n))
		dkim_body_add(&body, str_head(rest, n));
	dkim_body_add(&body, STR(""));
	dkim_body_end(&body);
	ck_str(buf_str(&out), str_c(want));
	buf_free(&out);
}

START_TEST(forms)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *exact = cases[i].exact ? cases[i].exact :
						     cases[i].any;

		for (size_t n = 1; n < 32; n++) {
			check_form(false, cases[i].text, n, true, cases[i].any);
			check_form(false, cases[i].text, n, false, exact);
		}
	}
}
END_TEST

START_TEST(simple_forms)
{
	for (size_t i = 0; i < ARRAY_LEN(simple); i++)
		for (size_t n = 1; n < 32; n++)
			check_form(true, simple[i].text, n, false, simple[i].want);
	check_form(true, "a\rb\nc ", 2, true, "a\r\nb\r\nc \r\n");
}
END_TEST

UNIT_MAIN("mail/dkim_body", forms, simple_forms)
