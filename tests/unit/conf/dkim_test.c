/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dkim -- whose mail a key signs, and when. */

#include "conf_unit.h"

#define KEY " key = '/k' }\n"

START_TEST(whose)
{
	struct conf *c = must_parse("dkim-sign Example.test { selector = a subdomains = true" KEY
				    "dkim-sign example.test { selector = b not-after = '2026-12-01'" KEY
				    "dkim-sign own.example.test { selector = a not-before = '2026-12-01 08:30'" KEY
				    "dkim-sign 'b\303\244.test' { selector = 's.2026' " KEY);
	const struct conf_dkim *d = c->dkim;
	/* Midnight, 1 December 2026. */
	const int64_t day = 1796083200;

	ck_assert_uint_eq(c->dkim_n, 4);
	ck_assert_str_eq(conf_dkim_domain(c, STR("EXAMPLE.test")), "Example.test");
	ck_assert_str_eq(conf_dkim_domain(c, STR("a.b.example.test")), "Example.test");
	ck_assert_str_eq(conf_dkim_domain(c, STR("own.example.test")), "own.example.test");
	/* Not for subdomains itself, but what stands above it is. */
	ck_assert_str_eq(conf_dkim_domain(c, STR("x.own.example.test")), "Example.test");
	ck_assert_str_eq(conf_dkim_domain(c, STR("xn--b-0fa.test")), "xn--b-0fa.test");
	ck_assert_ptr_null(conf_dkim_domain(c, STR("test")));
	ck_assert_ptr_null(conf_dkim_domain(c, STR("")));
	ck_assert_ptr_null(conf_dkim_domain(c, STR("x.xn--b-0fa.test")));
	ck_assert_ptr_null(conf_dkim_domain(c, STR("anexample.test")));
	ck_assert(conf_dkim_signs(&d[0], "example.test", INT64_MAX - 1));
	ck_assert(!conf_dkim_signs(&d[0], "own.example.test", 0));
	ck_assert(conf_dkim_signs(&d[1], "example.test", day - 1));
	ck_assert(!conf_dkim_signs(&d[1], "example.test", day));
	ck_assert(!conf_dkim_signs(&d[2], "own.example.test", day + 30599));
	ck_assert(conf_dkim_signs(&d[2], "own.example.test", day + 30600));
	conf_free(c);
}
END_TEST

START_TEST(forms)
{
	struct conf *c = must_parse("dkim-sign a.test { selector = a" KEY
				    "dkim-sign a.test { selector = b canonicalization = 'simple/relaxed'" KEY);

	ck_assert_int_eq(c->dkim[0].forms, 0);
	ck_assert_int_eq(c->dkim[1].forms, CONF_DKIM_SIMPLE_HEADER);
	ck_assert(!conf_dkim_any_simple(c));
	conf_free(c);
	c = must_parse("dkim-sign a.test { selector = a canonicalization = 'relaxed/simple' expire = 1d reports = true" KEY
		       "dkim-sign a.test { selector = b canonicalization = 'simple/simple'" KEY);
	ck_assert_int_eq(c->dkim[0].forms, CONF_DKIM_SIMPLE_BODY);
	ck_assert_int_eq(c->dkim[1].forms, CONF_DKIM_SIMPLE_HEADER | CONF_DKIM_SIMPLE_BODY);
	ck_assert_int_eq(c->dkim[0].expire, 86400000);
	ck_assert(c->dkim[0].reports && conf_dkim_any_simple(c));
	conf_free(c);
}
END_TEST

START_TEST(mistakes)
{
	static const struct fault cases[] = {
		{ "dkim-sign 'a b' { selector = a" KEY, "1: dkim-sign: \"a b\" is no domain, " },
		{ "dkim-sign a.test { \nselector = 'a b'" KEY, "2: dkim-sign.a.test.selector: \"a b\" is no selector" },
		{ "dkim-sign a.test { " KEY, "1: dkim-sign.a.test.selector: \"\" is no selector" },
		{ "dkim-sign a.test { selector = 'a..b'" KEY, "1: dkim-sign.a.test.selector: \"a..b\" is no selector" },
		{ "dkim-sign a.test { selector = '.a'" KEY, "1: dkim-sign.a.test.selector: \".a\" is no selector" },
		{ "dkim-sign a.test { selector = 'a.'" KEY, "1: dkim-sign.a.test.selector: \"a.\" is no selector" },
		{ "dkim-sign a.test { selector = a }", "1: dkim-sign.a.test.key: \"\" names no file" },
		{ "dkim-sign a.test { selector = a\nkey = 'k' }", "2: dkim-sign.a.test.key: \"k\" names no file" },
		{ "dkim-sign a.test { selector = a\nnot-before = '2026-02-30'" KEY,
		    "2: dkim-sign.a.test.not-before: \"2026-02-30\" is no time" },
		{ "dkim-sign a.test { selector = a\nnot-after = '2026-02-03 1'" KEY,
		    "2: dkim-sign.a.test.not-after: \"2026-02-03 1\" is no time" },
		{ "dkim-sign a.test { selector = a\nnot-after = '2026-02-03 10:00Z'" KEY, "2: dkim-sign.a.test.not-after: " },
		{ "dkim-sign a.test { selector = a not-before = '2026-02-03'\nnot-after = '2026-02-03'" KEY,
		    "2: dkim-sign.a.test.not-after: \"2026-02-03\" is not after \"2026-02-03\"" },
		{ "dkim-sign a.test { selector = a" KEY "dkim-sign A.test { selector = A" KEY,
		    "2: dkim-sign.A.test: selector \"A\" stands at test.conf:1 already" },
	};

	check_faults(cases, ARRAY_LEN(cases));
}
END_TEST

UNIT_MAIN("conf/dkim", whose, forms, mistakes)
