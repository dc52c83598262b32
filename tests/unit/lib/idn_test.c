/* SPDX-License-Identifier: GPL-3.0-or-later */

/* idn -- from names as people write them to names as DNS has them. */

#include "lib/idn.h"

#include "unit.h"

START_TEST(names)
{
	const struct {
		struct str name;
		const char *ascii;	/* NULL: there is none */
	} t[] = {
		{ STR("smtp.example.test"), "smtp.example.test" },
		{ STR(""), "" },
		/* What is ASCII is nobody's business here. */
		{ STR("A b_c"), "A b_c" },
		{ STR("b\xc3\xbc" "cher.example"), "xn--bcher-kva.example" },
		{ STR("B\xc3\x9c" "CHER.Example"), "xn--bcher-kva.example" },
		/* Decomposed, as some keyboards give it. */
		{ STR("bu\xcc\x88" "cher.example"), "xn--bcher-kva.example" },
		{ STR("stra\xc3\x9f" "e.example"), "xn--strae-oqa.example" },
		{ STR("\xd9\x85\xd8\xab\xd8\xa7\xd9\x84.\xd8\xa5\xd8\xae\xd8\xaa\xd8\xa8\xd8\xa7\xd8\xb1"),
		    "xn--mgbh0fb.xn--kgbechtv" },
		{ STR("\xff.example"), NULL },
		{ STR("\xc3\xbc\0.example"), NULL },
		{ STR("\xcc\x88.example"), NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct buf b;
		const char *why;

		buf_init(&b, 1000);
		buf_adds(&b, "x");
		why = idn_add(&b, t[i].name);
		if (t[i].ascii == NULL) {
			ck_assert_ptr_nonnull(why);
			ck_assert_str_eq(buf_cstr(&b), "x");
		} else {
			ck_assert_msg(why == NULL, "%s: %s", t[i].ascii, why);
			ck_assert_str_eq(buf_cstr(&b) + 1, t[i].ascii);
		}
		buf_free(&b);
	}
}
END_TEST

START_TEST(too_long)
{
	char text[3000];
	struct buf b;

	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(&text[i], "\xc3\xbc", 2);
	buf_init(&b, 10000);
	ck_assert_ptr_nonnull(idn_add(&b, str_n(text, sizeof(text))));
	/* A label of more than 63 octets. */
	ck_assert_ptr_nonnull(idn_add(&b, str_n(text, 400)));
	ck_assert_uint_eq(b.n, 0);
	buf_free(&b);
}
END_TEST

UNIT_MAIN("idn", names, too_long)
