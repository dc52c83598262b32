/* SPDX-License-Identifier: GPL-3.0-or-later */

/* spf_record -- RFC 7208 12: what is a record, and what is wrong with one that is none. */

#include "../../../src/check/spf_record.h"

#include "unit.h"

START_TEST(versions)
{
	ck_assert(spf_record_is(STR("v=spf1")));
	ck_assert(spf_record_is(STR("V=sPf1 -all")));
	ck_assert(!spf_record_is(STR("v=spf10 -all")));
	ck_assert(!spf_record_is(STR(" v=spf1")));
	ck_assert(!spf_record_is(STR("v=spf")));
	ck_assert(!spf_record_is(STR("spf2.0/pra -all")));
	ck_assert(!spf_record_is(STR("v=spf1\t-all")));
}
END_TEST

START_TEST(terms)
{
	struct spf_record r;
	struct arena a;

	arena_init(&a, 1 << 20);
	ck_assert_ptr_null(spf_record_parse(STR("v=spf1  ~a/24//64 +MX:%{d}.x.test/0 ?ip4:192.0.2.0/28 "
		"ip6:2001:db8::/32 -Include:b.test exp=e.test x.y-z_0=%{l}/: REDIRECT=r.test. ptr "
		"exists:%{i} all"), &a, &r));
	ck_assert_uint_eq(r.n, 8);
	ck_assert_int_eq(r.v[0].mechanism, SPF_M_A);
	ck_assert_int_eq(r.v[0].code, SPF_SOFTFAIL);
	ck_assert_uint_eq(r.v[0].bits4, 24);
	ck_assert_uint_eq(r.v[0].bits6, 64);
	ck_str(r.v[0].text, STR("a/24//64"));
	ck_str(r.v[0].spec, STR(""));
	ck_assert_int_eq(r.v[1].mechanism, SPF_M_MX);
	ck_assert_int_eq(r.v[1].code, SPF_PASS);
	ck_str(r.v[1].spec, STR("%{d}.x.test"));
	ck_assert_uint_eq(r.v[1].bits4, 0);
	ck_assert_uint_eq(r.v[1].bits6, 128);
	ck_assert_int_eq(r.v[2].code, SPF_NEUTRAL);
	ck_assert_uint_eq(r.v[2].bits4, 28);
	ck_assert_int_eq(r.v[2].net[2], 2);
	ck_assert_uint_eq(r.v[3].bits6, 32);
	ck_assert_int_eq(r.v[3].net[1], 1);
	ck_assert_int_eq(r.v[4].mechanism, SPF_M_INCLUDE);
	ck_assert_int_eq(r.v[4].code, SPF_FAIL);
	ck_assert_int_eq(r.v[5].mechanism, SPF_M_PTR);
	ck_str(r.v[6].spec, STR("%{i}"));
	ck_str(r.exp, STR("e.test"));
	ck_str(r.redirect, STR("r.test."));
	ck_assert_ptr_null(spf_record_parse(STR("v=spf1"), &a, &r));
	ck_assert_uint_eq(r.n, 0);
	arena_free(&a);
}
END_TEST

START_TEST(mistakes)
{
	static const struct { const char *text, *why; } cases[] = {
		{ "v=spf1 alll", "\"alll\" is no mechanism" },
		{ "v=spf1 -", "\"-\" is no mechanism" },
		{ "v=spf1 --all", "\"--all\" is no mechanism" },
		{ "v=spf1 all:", "\"all:\" takes nothing" },
		{ "v=spf1 all/8", "\"all/8\" is no mechanism" },
		{ "v=spf1 include", "\"include\" lacks what it is about" },
		{ "v=spf1 exists/24", "\"exists/24\" lacks what it is about" },
		{ "v=spf1 ptr/24", "\"ptr/24\" is no mechanism" },
		{ "v=spf1 a/33", "\"a/33\" has no such prefix length" },
		{ "v=spf1 a//129", "\"a//129\" has no such prefix length" },
		{ "v=spf1 a/024", "\"a/024\" has no such prefix length" },
		{ "v=spf1 a/24/24", "\"a/24/24\" is no mechanism" },
		{ "v=spf1 a/", "\"a/\" is no mechanism" },
		{ "v=spf1 a:", "\"a:\" has no domain" },
		{ "v=spf1 a:/24", "\"a:/24\" has no domain" },
		{ "v=spf1 a:b.test//", "\"a:b.test//\" has no domain" },
		{ "v=spf1 a:test", "\"a:test\" has no domain" },
		{ "v=spf1 a:192.0.2.1", "\"a:192.0.2.1\" has no domain" },
		{ "v=spf1 a:b.-test", "\"a:b.-test\" has no domain" },
		{ "v=spf1 a:b.test..", "\"a:b.test..\" has no domain" },
		{ "v=spf1 a:%{d}x", "\"a:%{d}x\" has no domain" },
		{ "v=spf1 a:%{c}", "\"a:%{c}\" has no domain" },
		{ "v=spf1 ip4:192.0.2.256", "\"ip4:192.0.2.256\" has no such address" },
		{ "v=spf1 ip4:192.0.2.1/33", "\"ip4:192.0.2.1/33\" has no such address" },
		{ "v=spf1 ip4:192.0.2", "\"ip4:192.0.2\" has no such address" },
		{ "v=spf1 ip4:2001:db8::1", "\"ip4:2001:db8::1\" has no such address" },
		{ "v=spf1 ip4:/8", "\"ip4:/8\" has no such address" },
		{ "v=spf1 ip6:192.0.2.1", "\"ip6:192.0.2.1\" has no such address" },
		{ "v=spf1 ip6:::1/99999999999999999999", "\"ip6:::1/99999999999999999999\" has no such address" },
		{ "v=spf1 exp=", "\"exp=\" has no domain" },
		{ "v=spf1 -exp=a.test", "\"-exp=a.test\" is no modifier" },
		{ "v=spf1 redirect=a.test redirect=a.test", "\"redirect=a.test\" stands twice" },
		{ "v=spf1 =a", "\"=a\" is no modifier" },
		{ "v=spf1 1a=b", "\"1a=b\" is no modifier" },
		{ "v=spf1 a_b=%", "\"a_b=%\" has a macro that is none" },
		{ "v=spf1 a\tmx", "the record is not ASCII" },
		{ "v=spf1 a:\303\244.test", "the record is not ASCII" },
	};
	struct spf_record r;
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *why = spf_record_parse(str_c(cases[i].text), &a, &r);

		ck_assert_msg(why != NULL, "%s", cases[i].text);
		ck_assert_str_eq(why, cases[i].why);
	}
	arena_free(&a);
}
END_TEST

/* CONFORMANCE S-57: literals and numbers near the sizes at which others have overrun. */
START_TEST(lengths)
{
	static const size_t sizes[] = { 62, 63, 64, 253, 255, 256, 510, 511, 512, 1023, 1024, 4000, 5000 };
	struct spf_record r;
	struct arena a;
	struct buf b;

	arena_init(&a, 4 << 20);
	buf_init(&b, 1 << 16);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		const char *why;

		buf_reset(&b);
		buf_adds(&b, "v=spf1 a:");
		for (size_t k = 0; k + 5 < sizes[i]; k++)
			buf_addc(&b, 'x');
		buf_adds(&b, ".test");
		why = spf_record_parse(buf_str(&b), &a, &r);
		ck_assert_msg((why == NULL) == (sizes[i] <= 512), "%zu: %s", sizes[i], why);
	}
	buf_reset(&b);
	buf_adds(&b, "v=spf1");
	for (size_t k = 0; k < SPF_TERMS_MAX; k++)
		buf_adds(&b, " ?all");
	ck_assert_ptr_null(spf_record_parse(buf_str(&b), &a, &r));
	ck_assert_uint_eq(r.n, SPF_TERMS_MAX);
	buf_adds(&b, " -all");
	ck_assert_str_eq(spf_record_parse(buf_str(&b), &a, &r), "the record has too many terms");
	buf_free(&b);
	arena_free(&a);
}
END_TEST

UNIT_MAIN("check/spf_record", versions, terms, mistakes, lengths)
