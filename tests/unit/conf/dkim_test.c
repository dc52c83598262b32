/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dkim -- whose mail a key signs, and when. */

#include "conf_unit.h"

#define KEY " key = '/k' }\n"

/* The selectors of those that sign for ADDRESS at NOW, and how many more there are. */
static const char *
chosen(const struct conf *c, const char *address, int64_t now)
{
	static char text[200];
	struct str local, domain;
	struct conf_dkim_keys keys;
	struct buf b;

	str_cut(str_c(address), '@', &local, &domain);
	conf_dkim_choose(c, local, domain, now, &keys);
	buf_init_in(&b, text, sizeof(text));
	for (size_t i = 0; i < keys.n; i++)
		buf_addf(&b, " %s", c->dkim[keys.v[i]].selector);
	if (keys.more > 0)
		buf_addf(&b, " +%zu", keys.more);
	if (keys.off != NULL)
		buf_addf(&b, " (%s)", keys.off->selector);
	return buf_cstr(&b);
}

START_TEST(whose)
{
	struct conf *c = must_parse("dkim-sign Example.test { selector = a subdomains = true" KEY
				    "dkim-sign example.test { selector = b not-after = '2026-12-01'" KEY
				    "dkim-sign own.example.test { selector = o not-before = '2026-12-01 08:30'" KEY
				    "dkim-sign 'b\303\244.test' { selector = 's.2026' " KEY);
	/* Midnight, 1 December 2026. */
	const int64_t day = 1796083200;

	ck_assert_uint_eq(c->dkim_n, 4);
	ck_assert_str_eq(chosen(c, "x@EXAMPLE.test", day - 1), " a b");
	ck_assert_str_eq(chosen(c, "x@example.test", day), " a (b)");
	ck_assert_str_eq(chosen(c, "x@example.test", INT64_MAX - 1), " a (b)");
	ck_assert_str_eq(chosen(c, "x@a.b.example.test", day), " a (b)");
	ck_assert_str_eq(chosen(c, "x@own.example.test", day + 30599), " (o)");
	ck_assert_str_eq(chosen(c, "x@own.example.test", day + 30600), " o");
	/* Not for subdomains itself, but what stands above it is. */
	ck_assert_str_eq(chosen(c, "x@x.own.example.test", day), " a (b)");
	ck_assert_str_eq(chosen(c, "x@xn--b-0fa.test", day), " s.2026");
	ck_assert_str_eq(chosen(c, "x@test", day), "");
	ck_assert_str_eq(chosen(c, "x@", day), "");
	ck_assert_str_eq(chosen(c, "x@x.xn--b-0fa.test", day), "");
	ck_assert_str_eq(chosen(c, "x@anexample.test", day), "");
	conf_free(c);
}
END_TEST

/* FEATURES T6: exact, a part, fnmatch, a regular expression; all that fit sign, in their order. */
START_TEST(patterns)
{
	struct conf *c = must_parse("dkim-sign esp.test { selector = all from = {'*'}" KEY
				    "dkim-sign a.test { selector = a subdomains = true" KEY
				    "dkim-sign a.test { selector = boss from = {'boss@a.test', 'news*@*.a.test'}" KEY
				    "dkim-sign sub.a.test { selector = sub from = {'.sub.a.test', '/^x+@sub\\.a\\.test$/'}" KEY);

	ck_assert_str_eq(chosen(c, "BOSS@A.test", 0), " all a boss");
	ck_assert_str_eq(chosen(c, "bossy@a.test", 0), " all a");
	ck_assert_str_eq(chosen(c, "newsletter@eu.a.test", 0), " all a boss");
	/* A key with patterns takes no subdomain from the others. */
	ck_assert_str_eq(chosen(c, "u@sub.a.test", 0), " all a");
	ck_assert_str_eq(chosen(c, "xx@sub.a.test", 0), " all a sub");
	ck_assert_str_eq(chosen(c, "u@x.sub.a.test", 0), " all a sub");
	ck_assert_str_eq(chosen(c, "u@else.test", 0), " all");
	conf_free(c);
	c = must_parse("dkim-sign a.test { selector = a from = {'*'}" KEY "dkim-sign a.test { selector = b from = {'*'}" KEY
		       "dkim-sign a.test { selector = c from = {'*'}" KEY "dkim-sign a.test { selector = d from = {'*'}" KEY
		       "dkim-sign a.test { selector = e from = {'*'}" KEY "dkim-sign a.test { selector = f from = {'*'}" KEY
		       "dkim-sign a.test { selector = g from = {'*'}" KEY "dkim-sign a.test { selector = h from = {'*'}" KEY
		       "dkim-sign a.test { selector = i from = {'*'}" KEY "dkim-sign b.test { selector = j from = {'*'}" KEY);
	ck_assert_str_eq(chosen(c, "u@else.test", 0), " a b c d e f g h +2");
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
		{ "dkim-sign a.test { selector = a\nfrom = {'u@a.test', 'a b'}" KEY, "2: dkim-sign.a.test.from: \"a b\" is no pattern, expected" },
		{ "dkim-sign a.test { selector = a headers = {'Feedback-ID',\n'a b'}" KEY, "2: dkim-sign.a.test.headers: \"a b\" is no field" },
		{ "dkim-sign a.test { selector = a headers = {'dkim-signature'}" KEY, "1: dkim-sign.a.test.headers: \"dkim-sig" },
		{ "dkim-sign a.test { selector = a from = {'/(/'}" KEY, "1: dkim-sign.a.test.from: \"/(/\" is no pattern, expected a regular" },
		{ "dkim-sign a.test { selector = a from = {'u@a.test'}\nsubdomains = true" KEY, "2: dkim-sign.a.test.subdomains: " },
		{ "dkim-sign a.test { selector = a" KEY "dkim-sign A.test { selector = A" KEY,
		    "2: dkim-sign.A.test: selector \"A\" stands at test.conf:1 already" },
	};

	check_faults(cases, ARRAY_LEN(cases));
}
END_TEST

UNIT_MAIN("conf/dkim", whose, patterns, forms, mistakes)
