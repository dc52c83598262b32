/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rows of reports, there and back; and what is none. */

#include "mail/dmarc_row.h"

#include "unit.h"

START_TEST(both)
{
	struct dmarc_row r = { .domain = STR("Example.org"), .source = STR("2001:db8::1"),
		.disposition = DMARC_DONE_QUARANTINE, .reason = DMARC_TEST_MODE, .spf = true,
		.header_from = STR("a.example.org"), .envelope_from = STR("[192.0.2.1]"),
		.spf_domain = STR("x.test"), .spf_result = STR("softfail"),
		.signatures = { { STR("D.test"), STR("s/l"), STR("permerror") },
			{ STR(""), STR("a b\n<"), STR("pass") } }, .signature_n = 2 };
	struct dmarc_row got;
	struct buf b;

	buf_init(&b, DMARC_ROW_MAX);
	dmarc_row_add(&b, &r);
	ck_str(buf_str(&b), STR("example.org 2001:db8::1 quarantine policy_test_mode fail pass "
	    "a.example.org [192.0.2.1] x.test softfail d.test/s?l/permerror -/a?b?</pass"));
	ck_assert(dmarc_row_parse(buf_str(&b), &got));
	ck_str(got.domain, STR("example.org"));
	ck_str(got.source, r.source);
	ck_assert_int_eq(got.disposition, DMARC_DONE_QUARANTINE);
	ck_assert_int_eq(got.reason, DMARC_TEST_MODE);
	ck_assert(!got.dkim && got.spf && !got.rest);
	ck_str(got.header_from, r.header_from);
	ck_str(got.envelope_from, r.envelope_from);
	ck_str(got.spf_domain, r.spf_domain);
	ck_str(got.spf_result, r.spf_result);
	ck_assert_uint_eq(got.signature_n, 2);
	ck_str(got.signatures[0].domain, STR("d.test"));
	ck_str(got.signatures[0].selector, STR("s?l"));
	ck_str(got.signatures[1].domain, STR(""));
	ck_str(got.signatures[1].result, STR("pass"));
	buf_free(&b);
}
END_TEST

START_TEST(least)
{
	struct dmarc_row r = { .domain = STR("a.b"), .source = STR("192.0.2.1"),
		.header_from = STR("a.b") }, got;
	struct buf b;

	buf_init(&b, DMARC_ROW_MAX);
	dmarc_row_add(&b, &r);
	ck_str(buf_str(&b), STR("a.b 192.0.2.1 none - fail fail a.b - - -"));
	ck_assert(dmarc_row_parse(buf_str(&b), &got));
	ck_assert_uint_eq(got.spf_result.n + got.envelope_from.n + got.signature_n, 0);
	buf_reset(&b);
	r.disposition = DMARC_DONE_PASS;
	dmarc_row_add(&b, &r);
	ck_str(buf_str(&b), STR("a.b 192.0.2.1 pass - fail fail a.b - - -"));
	ck_assert(dmarc_row_parse(buf_str(&b), &got) && got.disposition == DMARC_DONE_PASS);
	buf_reset(&b);
	dmarc_row_add(&b, &(struct dmarc_row){ .domain = STR("a.b"), .rest = true });
	ck_str(buf_str(&b), STR("a.b *"));
	ck_assert(dmarc_row_parse(buf_str(&b), &got) && got.rest);
	ck_str(got.domain, STR("a.b"));
	buf_free(&b);
	ck_assert_str_eq(dmarc_reason_name(DMARC_AS_PUBLISHED), "");
	ck_assert_str_eq(dmarc_reason_name(DMARC_LOCAL_POLICY), "local_policy");
}
END_TEST

/* The longest of everything fits into a line. */
START_TEST(most)
{
	static char name[1000];
	struct str long_one = str_n(name, sizeof(name));
	struct dmarc_row r = { .domain = STR("a.b"), .source = STR("192.0.2.1"),
		.header_from = long_one, .envelope_from = long_one, .spf_domain = long_one,
		.spf_result = STR("permerror"), .signature_n = DMARC_SIGNATURES_MAX }, got;
	struct buf b;

	memset(name, 'x', sizeof(name));
	for (size_t i = 0; i < DMARC_SIGNATURES_MAX; i++)
		r.signatures[i] = (struct dmarc_signature){ long_one, long_one,
			STR("permerror") };
	buf_init(&b, DMARC_ROW_MAX);
	dmarc_row_add(&b, &r);
	ck_assert(buf_ok(&b));
	ck_assert(dmarc_row_parse(buf_str(&b), &got));
	ck_assert_uint_eq(got.signature_n, DMARC_SIGNATURES_MAX);
	buf_adds(&b, " a/b/pass");
	ck_assert(!dmarc_row_parse(buf_str(&b), &got));
	buf_free(&b);
}
END_TEST

START_TEST(none)
{
	static const char *const lines[] = { "", " ", "a.b", "a.b ", "a.b **", "a.b * ", "-",
		"- *", "a..b *", "a.b  *", "A b *",
		"a.b 192.0.2.1 none - fail fail a.b - -",
		"a.b 192.0.2.1 none - fail fail a.b - - - ",
		"a.b 192.0.2.1 none - fail fail a.b - -  -",
		"a.b 192.0.2.x none - fail fail a.b - - -", "a.b ::g none - fail fail a.b - - -",
		"a.b 192.0.2.1 fail - fail fail a.b - - -",
		"a.b 192.0.2.1 none what fail fail a.b - - -",
		"a.b 192.0.2.1 none - none fail a.b - - -",
		"a.b 192.0.2.1 none - fail - a.b - - -",
		"a.b 192.0.2.1 none - fail fail - - - -",
		"a.b 192.0.2.1 none - fail fail a.b - x -",
		"a.b 192.0.2.1 none - fail fail a.b - x policy",
		"a.b 192.0.2.1 none - fail fail a/b - - -",
		"a.b 192.0.2.1 none - fail fail a.b - - - x",
		"a.b 192.0.2.1 none - fail fail a.b - - - x/y",
		"a.b 192.0.2.1 none - fail fail a.b - - - x/y/softfail",
		"a.b 192.0.2.1 none - fail fail a.b - - - x/y/pass/z",
		"a.b 192.0.2.1 none - fail fail a.b - - - x//pass",
		"a.b 192.0.2.1 none - fail fail a\tb - - -",
		"a.b 192.0.2.1 none - fail fail \xc3\xbc.b - - -" };
	struct dmarc_row r;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		ck_assert_msg(!dmarc_row_parse(str_c(lines[i]), &r), "\"%s\"", lines[i]);
	ck_assert(!dmarc_row_parse(str_n("a.b 192.0.2.1 none - fail fail a\0b - - -", 40), &r));
}
END_TEST

UNIT_MAIN("mail/dmarc_row", both, least, most, none)
