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

/* What becomes of a text, long ones and those that are none included. */
START_TEST(nfc)
{
	static const struct {
		const char *text, *nfc;
	} t[] = {
		{ "", "" }, { "A b", "A b" }, { "ju\xcc\x88r", "j\xc3\xbcr" },
		{ "j\xc3\xbcr", "j\xc3\xbcr" }, { "\xff\xcc\x88", "\xff\xcc\x88" },
		{ "\xcc\x88", "\xcc\x88" },
		/* Marks in one order, and no letter that only looks like two. */
		{ "a\xcc\x8a\xcc\xa3", "\xe1\xba\xa1\xcc\x8a" }, { "\xef\xac\x81", "\xef\xac\x81" },
	};
	char text[9000];
	struct buf b;

	buf_init(&b, 10000);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		buf_reset(&b);
		idn_add_nfc(&b, str_c(t[i].text));
		ck_assert_msg(str_eq(buf_str(&b), str_c(t[i].nfc)), "%s", t[i].text);
	}
	for (size_t i = 0; i < sizeof(text); i += 3)
		memcpy(&text[i], "u\xcc\x88", 3);
	buf_reset(&b);
	idn_add_nfc(&b, str_n(text, sizeof(text)));
	ck_assert_uint_eq(b.n, 6000);
	buf_free(&b);
}
END_TEST

UNIT_MAIN("idn", names, too_long, nfc)
