/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dkim_form -- both forms of a field, and of a signature's own (RFC 6376 3.4, 3.7). */

#include "mail/dkim_form.h"

#include "unit.h"

static const struct {
	const char *field, *cut, *simple, *relaxed;
} cases[] = {
	{ "A: X\r\n", "", "A: X", "a:X" },
	/* RFC 6376 3.4.5. */
	{ "B : Y\t\r\n\tZ  \r\n", "", "B : Y\t\r\n\tZ  ", "b:Y Z" },
	{ "Sub-Ject:\r\n \t a\t\t b \t\r\n", "", "Sub-Ject:\r\n \t a\t\t b \t", "sub-ject:a b" },
	{ "X:\r\n", "", "X:", "x:" },
	{ "X: \t \r\n", "", "X: \t ", "x:" },
	{ "X: a", "", "X: a", "x:a" },
	{ "S: a=1; b=xyz; c=2\r\n", "xyz", "S: a=1; b=; c=2", "s:a=1; b=; c=2" },
	{ "S: a=1;\r\n\tb = x\r\n\ty \r\n", " x\r\n\ty ", "S: a=1;\r\n\tb =", "s:a=1; b =" },
	{ "S: b=x ; c\r\n", "x ", "S: b=; c", "s:b=; c" },
};

static void
check(const char *text, const char *cut, bool relaxed, const char *want)
{
	struct str rest = str_c(text), without = STR("");
	struct field f;
	struct buf b;

	buf_init(&b, 1024);
	ck_assert_int_eq(field_next(&rest, &f), 1);
	if (cut[0] != '\0')
		without = str_n(strstr(text, cut), strlen(cut));
	dkim_form_add_own(&b, &f, without, relaxed);
	ck_str(buf_str(&b), str_c(want));
	buf_reset(&b);
	if (without.n == 0) {
		dkim_form_add(&b, &f, relaxed);
		ck_assert(str_ends(buf_str(&b), STR("\r\n")));
		ck_str(str_head(buf_str(&b), b.n - 2), str_c(want));
	}
	buf_free(&b);
}

START_TEST(forms)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		check(cases[i].field, cases[i].cut, false, cases[i].simple);
		check(cases[i].field, cases[i].cut, true, cases[i].relaxed);
	}
}
END_TEST

UNIT_MAIN("mail/dkim_form", forms)
