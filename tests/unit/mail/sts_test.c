/* SPDX-License-Identifier: GPL-3.0-or-later */

/* MTA-STS records and policies (T-07). */

#include "mail/sts.h"

#include "unit.h"

START_TEST(records)
{
	static const struct {
		const char *txt[3];
		const char *id;		/* "": no policy */
	} cases[] = {
		{ { "v=STSv1; id=20160831085700Z;" }, "20160831085700Z" },
		{ { "v=STSv1;id=1" }, "1" },
		{ { "v=STSv1 ;\tid=1 ; " }, "1" },
		{ { "v=STSv1; x=y; id=1; z.z-z_z=!" }, "1" },
		{ { "v=STSv1; id=1; id=2" }, "1" },
		{ { "v=spf1 -all", "v=STSv1; id=a", "v=STSv10; id=b" }, "a" },
		{ { "v=STSv1; id=0123456789abcdefghij0123456789AB" },
		    "0123456789abcdefghij0123456789AB" },
		{ { "v=STSv1; id=0123456789abcdefghij0123456789ABC" }, "" },
		/* Two are none (RFC 8461 3.1), also if they say the same. */
		{ { "v=STSv1; id=1", "v=STSv1; id=1" }, "" },
		{ { "v=STSv1; id=1", "v=STSv1; broken" }, "" },
		{ { "v=STSv1" }, "" }, { { "v=STSv1;" }, "" }, { { "v=STSv1; id=" }, "" },
		{ { "v=STSv1; id=a-b" }, "" }, { { "v=STSv1; id=1; ;" }, "" },
		{ { "v=STSv1; id=1; x" }, "" }, { { "v=STSv1; id=1; x=a b" }, "" },
		{ { "v=STSv1; ID=1" }, "" }, { { "V=STSv1; id=1" }, "" },
		{ { "v=stsv1; id=1" }, "" }, { { " v=STSv1; id=1" }, "" },
		{ { "v=STSv1 id=1" }, "" }, { { "id=1; v=STSv1" }, "" }, { { "" }, "" },
		{ { "v=STSv1; id=1\n" }, "" }, { { "v=STSv1; _x=1; id=1" }, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str txt[3];
		size_t n = 0;

		while (n < 3 && cases[i].txt[n]) {
			txt[n] = str_c(cases[i].txt[n]);
			n++;
		}
		ck_str(sts_record_id(txt, n), str_c(cases[i].id));
	}
	ck_str(sts_record_id(NULL, 0), STR(""));
}
END_TEST

#define HEAD "version: STSv1\nmode: enforce\nmax_age: 86400\n"

START_TEST(policies)
{
	static const struct {
		const char *text, *normal;	/* NULL: broken */
	} cases[] = {
		{ "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\n"
		  "mx: *.example.net\r\nmax_age: 604800\r\n",
		    "version: STSv1\nmode: enforce\nmax_age: 604800\n"
		    "mx: mx1.example.org\nmx: *.example.net\n" },
		{ HEAD "mx: a", HEAD "mx: a\n" },
		{ "mx:a\nmax_age:\t5 \n\n  mode: testing\nversion:STSv1\n",
		    "version: STSv1\nmode: testing\nmax_age: 5\nmx: a\n" },
		{ "version: STSv1\nmode: none\nmax_age: 0\nmx: a\n",
		    "version: STSv1\nmode: none\nmax_age: 0\n" },
		{ "version: STSv1\nmode: none\nmax_age: 9999999999\n",
		    "version: STSv1\nmode: none\nmax_age: 31557600\n" },
		/* The first counts; what is not known does not. */
		{ HEAD "mode: none\nversion: x\nmax_age: x\nMode: x\nfoo: bar: baz\nmx: a\n",
		    HEAD "mx: a\n" },
		{ HEAD, NULL }, { "", NULL }, { "<html>", NULL },
		{ HEAD "mx: a\nrubbish\n", NULL }, { HEAD "mx: a b\n", NULL },
		{ HEAD "mx: *\n", NULL }, { HEAD "mx: *.\n", NULL }, { HEAD "mx: .a\n", NULL },
		{ HEAD "mx: a.\n", NULL }, { HEAD "mx: a..b\n", NULL }, { HEAD "mx: *a.b\n", NULL },
		{ HEAD "mx: a.*.b\n", NULL }, { HEAD "mx: *.*.b\n", NULL }, { HEAD "mx:\n", NULL },
		{ HEAD "mx: a\x01" "b\n", NULL }, { HEAD "mx: \xc3\xa4.org\n", NULL },
		{ "mode: enforce\nmax_age: 1\nmx: a\n", NULL },
		{ "version: STSv1\nmax_age: 1\nmx: a\n", NULL },
		{ "version: STSv1\nmode: enforce\nmx: a\n", NULL },
		{ "version: STSv2\nmode: enforce\nmax_age: 1\nmx: a\n", NULL },
		{ "version: STSv1\nmode: Enforce\nmax_age: 1\nmx: a\n", NULL },
		{ "version: STSv1\nmode: enforce\nmax_age: -1\nmx: a\n", NULL },
		{ "version: STSv1\nmode: enforce\nmax_age: 1d\nmx: a\n", NULL },
		{ "version: STSv1\nmode: enforce\nmax_age: 00000000001\nmx: a\n", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sts_policy p;
		struct arena a;
		struct buf b;
		const char *why;

		arena_init(&a, 1 << 20);
		buf_init(&b, STS_NORMAL_MAX);
		why = sts_policy_parse(str_c(cases[i].text), &a, &p);
		ck_assert_msg((why == NULL) == (cases[i].normal != NULL), "case %zu: %s", i, why);
		if (!why) {
			sts_policy_add(&b, &p);
			ck_assert_str_eq(buf_cstr(&b), cases[i].normal);
			/* And that says the same. */
			ck_assert_ptr_null(sts_policy_parse(buf_str(&b), &a, &p));
		}
		buf_free(&b);
		arena_free(&a);
	}
}
END_TEST

START_TEST(limits)
{
	struct sts_policy p;
	struct arena a;
	struct buf b;

	arena_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	buf_adds(&b, HEAD);
	for (int i = 0; i < STS_MX_MAX; i++)
		buf_addf(&b, "mx: m%d\n", i);
	ck_assert_ptr_null(sts_policy_parse(buf_str(&b), &a, &p));
	ck_assert_uint_eq(p.mx_n, STS_MX_MAX);
	buf_adds(&b, "mx: one.more\n");
	ck_assert_ptr_nonnull(sts_policy_parse(buf_str(&b), &a, &p));
	buf_reset(&b);
	buf_adds(&b, HEAD "mx: a\n");
	while (b.n < STS_POLICY_MAX)
		buf_adds(&b, "\n");
	ck_assert_ptr_null(sts_policy_parse(buf_str(&b), &a, &p));
	buf_adds(&b, "\n");
	ck_assert_ptr_nonnull(sts_policy_parse(buf_str(&b), &a, &p));
	buf_free(&b);
	arena_free(&a);
}
END_TEST

/* RFC 8461 4.1: the wildcard is the whole left-most label, and one of them. */
START_TEST(hosts)
{
	static const struct {
		const char *host;
		bool in;
	} cases[] = {
		{ "mx.example.org", true }, { "MX.example.ORG.", true },
		{ "a.wild.net", true }, { "A.Wild.NET", true }, { "a.b.wild.net", false },
		{ "wild.net", false }, { ".wild.net", false }, { "", false },
		{ "xmx.example.org", false }, { "mx.example.org.evil", false },
		{ "example.org", false }, { "awild.net", false }, { "*.wild.net", true },
	};
	struct sts_policy p;
	struct arena a;

	arena_init(&a, 1 << 20);
	ck_assert_ptr_null(sts_policy_parse(STR(HEAD "mx: mx.example.org\nmx: *.wild.net\n"), &a, &p));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(sts_policy_has(&p, str_c(cases[i].host)) == cases[i].in, "%s",
		    cases[i].host);
	ck_assert_str_eq(sts_mode_name(p.mode), "enforce");
	arena_free(&a);
}
END_TEST

UNIT_MAIN("sts", records, policies, limits, hosts)
