/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Addresses that records of DMARC name. */

#include "mail/dmarc_rua.h"

#include "unit.h"

START_TEST(lists)
{
	static const struct {
		const char *list;
		const char *addresses;
	} cases[] = {
		{ "mailto:a@b.test", "a@b.test " },
		{ " MAILTO:a@b.test , mailto:c@d.test!10m ", "a@b.test c@d.test " },
		{ "mailto:a@b.test!5,mailto:a@b.test!1K,mailto:a@b.test!1g,mailto:a@b.test!1t",
		    "a@b.test a@b.test a@b.test a@b.test " },
		/* RFC 9989 4.8: sizes that are of no use any more. */
		{ "mailto:a@b.test!99999999999999999999", "a@b.test " },
		{ "mailto:%22a%2C%2Bb%21%22@b.test?subject=x@y", "\"a,+b!\"@b.test " },
		{ "mailto:a%2Bb@b.test", "a+b@b.test " }, { "mailto:a%2Cb@b.test", "" },
		{ "https://b.test/,a@b.test,mailto:,mailto:a,mailto:@b.test,mailto:a@[192.0.2.1]", "" },
		{ "mailto:a@b.test!,mailto:a@b.test!x,mailto:a@b.test!m,mailto:a@b.test!-1,"
		    "mailto:a@b.test!1mm", "" },
		{ "mailto:a%0d%0ab@b.test,mailto:a%2@b.test,mailto:a%zz@b.test,mailto:a%00@b.test", "" },
		{ "mailto:<a@b.test>,mailto:a@b.test x,mailto:a@b@c.test", "" },
		{ "", "" }, { ",,,", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct path v[DMARC_RUA_MAX];
		struct arena a;
		struct buf b;
		size_t n;

		arena_init(&a, 65536);
		buf_init(&b, 4096);
		n = dmarc_rua_parse(str_c(cases[i].list), &a, v);
		for (size_t k = 0; k < n; k++) {
			path_add(&b, &v[k]);
			buf_addc(&b, ' ');
		}
		ck_assert_str_eq(buf_cstr(&b), cases[i].addresses);
		buf_free(&b);
		arena_free(&a);
	}
}
END_TEST

START_TEST(many)
{
	struct path v[DMARC_RUA_MAX];
	struct arena a;
	struct buf b;

	arena_init(&a, 65536);
	buf_init(&b, 65536);
	for (size_t i = 0; i < 1000; i++)
		buf_addf(&b, "mailto:a%zu@b.test,", i);
	ck_assert_uint_eq(dmarc_rua_parse(buf_str(&b), &a, v), DMARC_RUA_MAX);
	ck_str(v[DMARC_RUA_MAX - 1].local, STR("a4"));
	/* One that is no address is not even that long. */
	buf_reset(&b);
	buf_adds(&b, "mailto:");
	for (size_t i = 0; i < 10000; i++)
		buf_addc(&b, 'x');
	buf_adds(&b, "@b.test,mailto:c@d.test");
	ck_assert_uint_eq(dmarc_rua_parse(buf_str(&b), &a, v), 1);
	ck_str(v[0].local, STR("c"));
	buf_free(&b);
	arena_free(&a);
}
END_TEST

UNIT_MAIN("mail/dmarc_rua", lists, many)
