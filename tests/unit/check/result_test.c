/* SPDX-License-Identifier: GPL-3.0-or-later */

/* result -- Authentication-Results and JSON, and fields that others claim (T3, T4). */

#include "check/result.h"
#include "unit.h"

static struct results
some(void)
{
	struct results r = { .n = 0 };
	struct check_result *one;

	one = results_add(&r, "spf", "pass");
	result_prop(one, "smtp.mailfrom", STR("a@b.example"));
	result_prop(one, "smtp.helo", STR(""));
	one = results_add(&r, "dkim", "fail");
	one->reason = STR("it was \"changed\"\r\nBcc: x");
	result_prop(one, "header.d", STR("b.example"));
	result_prop(one, "header.s", STR("sel"));
	result_prop(one, "header.b", STR("ab/c+d=="));
	return r;
}

START_TEST(field)
{
	struct results r = some();
	struct buf b;

	buf_init(&b, 10000);
	results_add_field(&b, "mx.example.org", &r);
	ck_str(buf_str(&b), STR("Authentication-Results: mx.example.org;\r\n"
	    "\tspf=pass smtp.mailfrom=a@b.example;\r\n"
	    "\tdkim=fail reason=\"it was \\\"changed\\\"??Bcc: x\"\r\n"
	    "\t header.d=b.example\r\n\t header.s=sel\r\n\t header.b=\"ab/c+d==\"\r\n"));
	buf_reset(&b);
	r.n = 0;
	results_add_field(&b, "mx.example.org", &r);
	ck_str(buf_str(&b), STR("Authentication-Results: mx.example.org; none\r\n"));
	buf_free(&b);
}
END_TEST

/* What RFC 8601 has no property for is a comment, and cannot end it. */
START_TEST(commented)
{
	struct results r = { .n = 0 };
	struct check_result *one = results_add(&r, "arc", "pass");
	struct buf b;

	result_prop(one, "domain", STR("b.example"));
	result_prop(one, "selector", STR("a)\\\r(b"));
	result_prop(one, "header.oldest-pass", STR("0"));
	one = results_add(&r, "arc", "fail");
	one->reason = STR("no key");
	result_prop(one, "domain", STR("b.example"));
	buf_init(&b, 10000);
	results_add_field(&b, "mx", &r);
	ck_str(buf_str(&b), STR("Authentication-Results: mx;\r\n"
	    "\tarc=pass (domain=b.example selector=a\\)\\\\?\\(b)\r\n"
	    "\t header.oldest-pass=0;\r\n"
	    "\tarc=fail (domain=b.example)\r\n\t reason=\"no key\"\r\n"));
	buf_reset(&b);
	results_add_json(&b, &r);
	ck_str(buf_str(&b), STR("[{\"arc\":\"pass\",\"domain\":\"b.example\","
	    "\"selector\":\"a)\\\\\\u000d(b\",\"header.oldest-pass\":\"0\"},"
	    "{\"arc\":\"fail\",\"reason\":\"no key\",\"domain\":\"b.example\"}]"));
	buf_free(&b);
}
END_TEST

START_TEST(json)
{
	struct results r = some();
	struct buf b;

	buf_init(&b, 10000);
	r.v[0].props[0].value = STR("\xc3\xa4\\\x7f@b");
	results_add_json(&b, &r);
	ck_str(buf_str(&b), STR("[{\"spf\":\"pass\",\"smtp.mailfrom\":\"\\u00c3\\u00a4\\\\\\u007f@b\"},"
	    "{\"dkim\":\"fail\",\"reason\":\"it was \\\"changed\\\"\\u000d\\u000aBcc: x\","
	    "\"domain\":\"b.example\",\"selector\":\"sel\",\"header.b\":\"ab/c+d==\"}]"));
	buf_reset(&b);
	r.n = 0;
	results_add_json(&b, &r);
	ck_str(buf_str(&b), STR("[]"));
	buf_free(&b);
}
END_TEST

/* More than there is room for, of everything. */
START_TEST(bounded)
{
	struct results r = { .n = 0 };
	char value[5000];
	struct buf b;

	memset(value, '(', sizeof(value));
	for (int i = 0; i < 100; i++) {
		struct check_result *one = results_add(&r, "dkim", "pass");

		for (int k = 0; k < 10; k++)
			result_prop(one, "header.i", str_n(value, sizeof(value)));
	}
	ck_assert_uint_eq(r.n, RESULTS_MAX - 1);
	ck_assert_uint_eq(r.v[0].prop_n, RESULT_PROPS_MAX);
	buf_init(&b, 100000);
	results_add_field(&b, "h", &r);
	ck_assert(buf_ok(&b));
	ck_assert_uint_lt(b.n, (RESULT_VALUE_MAX + 30) * RESULTS_MAX * RESULT_PROPS_MAX);
	buf_free(&b);
}
END_TEST

START_TEST(claimed)
{
	static const struct {
		const char *value;
		bool is;
	} rows[] = {
		{ " mx.example.org; spf=pass", true },
		{ "mx.example.org", true },
		{ " MX.EXAMPLE.ORG;none", true },
		{ " mx.example.org 1; spf=pass", true },
		{ "\r\n\tmx.example.org\r\n\t; spf=pass", true },
		{ " (it (is) \\) me) mx.example.org(x); spf=pass", true },
		{ " \"mx.example.org\"; spf=pass", true },
		{ " \"mx\\.example.org\"; spf=pass", true },
		{ " mx.example.org.; spf=pass", true },
		{ " (no end mx.other.example; spf=pass", true },
		{ " \"no end; spf=pass", true },
		{ "", true },
		{ " ; spf=pass", true },
		{ " mx.example.org.other.example; spf=pass", false },
		{ " other.example; spf=pass mx.example.org", false },
		{ " \"mx.example.org.x\"; spf=pass", false },
		{ " \"mx.example\"; spf=pass", false },
		{ " mx.example.orgx; spf=pass", false },
		{ " mx.example.org-x; spf=pass", false },
		/* What is no name around it, and somebody else's reader may overlook. */
		{ " mx.example.org\v; spf=pass", true },
		{ " \v(other.example) mx.example.org; spf=pass", true },
		{ " \xc2\xa0mx.example.org\xc2\xa0; spf=pass", true },
		{ " \" mx.example.org \"; spf=pass", true },
		{ " <mx.example.org>; spf=pass", true },
		{ " mx.example.org/1; spf=pass", true },
		{ " mx.example.org:, other.example; spf=pass", true },
		{ " \"(\"mx.example.org; spf=pass", true },
		{ " <other.example>; spf=mx.example.org", false },
		{ " \"\"other.example; spf=pass", false },
		{ " mx.example.orG\\.; spf=pass", true },
		{ " mx.example.org\\", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct field f = { .name = STR("authentication-RESULTS"),
			.value = str_c(rows[i].value) };

		ck_assert_msg(result_is_claimed(&f, STR("mx.example.org")) == rows[i].is,
		    "%s", rows[i].value);
		f.name = STR("ARC-Authentication-Results");
		ck_assert(!result_is_claimed(&f, STR("mx.example.org")));
	}
}
END_TEST

START_TEST(sealed)
{
	static const struct {
		const char *header;
		bool pass;
	} rows[] = {
		{ "ARC-Authentication-Results: i=1; a.example; dmarc=pass header.from=x\r\n", true },
		{ "arc-authentication-results: i = 1 ;a.example;spf=fail;\r\n\tDMARC=pass\r\n", true },
		{ "ARC-Authentication-Results: i=1; a.example; dmarc=pass(p=none)\r\n", true },
		{ "ARC-Authentication-Results: i=1; a.example; dmarc=fail\r\n", false },
		{ "ARC-Authentication-Results: i=1; a.example; dmarc=passed\r\n", false },
		{ "ARC-Authentication-Results: i=1; a; dmarc=pass\r\n\t(b); dmarc=fail header.from=x\r\n", false },
		{ "ARC-Authentication-Results: i=1; a; dmarc=fail (of a); dmarc=pass (@b)\r\n", false },
		{ "ARC-Authentication-Results: i=1; a; dmarc=pass (@b; dmarc=fail\r\n", false },
		{ "ARC-Authentication-Results: i=1; a; dmarc=pass \"@b; dmarc=fail\r\n", false },
		{ "ARC-Authentication-Results: i=1; a; dmarc=pass \\; dmarc=fail\r\n", false },
		{ "ARC-Authentication-Results: i=1; a; spf=pass (\\)); dmarc=pass \"\\\"\"\r\n", true },
		{ "ARC-Authentication-Results: i=1; a.example (; dmarc=pass)\r\n", false },
		{ "ARC-Authentication-Results: i=1; a.example; spf=pass reason=\"; dmarc=pass\"\r\n", false },
		{ "ARC-Authentication-Results: i=1; a; dmarc=pass\r\nARC-Authentication-Results: i=2; b; spf=pass\r\n", false },
		{ "ARC-Authentication-Results: i=10; a; dmarc=pass\r\nARC-Authentication-Results: i=9; b; spf=pass\r\n", true },
		{ "ARC-Authentication-Results: i=999999999999; a; dmarc=pass\r\n", false },
		{ "ARC-Authentication-Results: a; dmarc=pass\r\n", false },
		{ "ARC-Authentication-Results: dmarc=pass\r\n", false },
		{ "Authentication-Results: i=1; a; dmarc=pass\r\n", false },
		{ "ARC-Authentication-Results: i=1; a \\", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(result_sealed_pass(str_c(rows[i].header)) == rows[i].pass,
		    "%s", rows[i].header);
}
END_TEST

START_TEST(apart)
{
	struct results r = { .n = 0 };
	struct buf b;

	buf_init(&b, 4096);
	results_add(&r, "spam", "yes")->apart = true;
	ck_assert(!results_have_field(&r));
	results_add_field(&b, "mx.test", &r);
	ck_str(buf_str(&b), STR("Authentication-Results: mx.test; none\r\n"));
	(void)results_add(&r, "dkim", "none");
	ck_assert(results_have_field(&r));
	buf_reset(&b);
	results_add_field(&b, "mx.test", &r);
	ck_assert(strstr(buf_cstr(&b), "spam") == NULL && strstr(buf_cstr(&b), "dkim=none") != NULL);
	buf_reset(&b);
	results_add_json(&b, &r);
	ck_assert(strstr(buf_cstr(&b), "{\"spam\":\"yes\"}") != NULL);
	buf_free(&b);
}
END_TEST

UNIT_MAIN("check/result", apart, field, commented, json, bounded, claimed, sealed)
