/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sasl_test -- PLAIN messages, right and wrong. */

#include <errno.h>

#include "unit.h"

#include "mail/sasl.h"
#include "mail/text.h"

static int
parse(struct str plain, struct buf *bytes, struct sasl_plain *out)
{
	struct buf b64;

	buf_init(&b64, 8192);
	base64_add(&b64, plain);
	int r = sasl_plain_parse(buf_str(&b64), bytes, out);
	buf_free(&b64);
	return r;
}

START_TEST(good)
{
	struct buf b;
	struct sasl_plain p;

	buf_init(&b, 4096);
	ck_assert_int_eq(parse(STR("\0alice\0secret"), &b, &p), 0);
	ck_str(p.user, STR("alice"));
	ck_str(p.password, STR("secret"));
	ck_assert_int_eq(parse(STR("bob\0bob\0p w"), &b, &p), 0);
	ck_str(p.user, STR("bob"));
	ck_str(p.password, STR("p w"));
	buf_free(&b);
}
END_TEST

START_TEST(bad)
{
	static const struct {
		const char *p;
		size_t n;
		int error;
	} cases[] = {
		{ "", 0, EBADMSG }, { "alice", 5, EBADMSG }, { "\0alice", 6, EBADMSG },
		{ "\0a\0b\0c", 6, EBADMSG }, { "\0a\0b\0", 5, EBADMSG },
		{ "root\0alice\0x", 12, EPERM }, { "root\0alice\0x\0", 13, EBADMSG },
	};
	struct buf b;
	struct sasl_plain p;

	buf_init(&b, 4096);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		errno = 0;
		ck_assert_int_eq(parse(str_n(cases[i].p, cases[i].n), &b, &p), -1);
		ck_assert_int_eq(errno, cases[i].error);
	}
	ck_assert_int_eq(parse(STR("root\0alice\0x"), &b, &p), -1);
	ck_str(p.user, STR("alice"));
	static const char *const raw[] = { "=", "*", "A", "AA=A", "====", "AGE\tYg==" };
	for (size_t i = 0; i < ARRAY_LEN(raw); i++)
		ck_assert_int_eq(sasl_plain_parse(str_c(raw[i]), &b, &p), -1);
	buf_free(&b);
}
END_TEST

UNIT_MAIN("sasl", good, bad)
