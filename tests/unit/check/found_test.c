/* SPDX-License-Identifier: GPL-3.0-or-later */

/* found -- what was written is found again, and nothing that looks like it. */

#include "check/found.h"

#include "check/result.h"
#include "unit.h"

START_TEST(json)
{
	struct results r = { .n = 0 };
	struct check_result *one;
	struct buf b;

	buf_init(&b, 4096);
	ck_assert(!found_result(buf_str(&b), "arc", "none"));
	one = results_add(&r, "spf", "fail");
	one->reason = STR("{\"arc\":\"pass\"");
	result_prop(one, "smtp.mailfrom", STR("\"{\"arc\":\"pass\"@a.example"));
	(void)results_add(&r, "arc", "none");
	results_add_json(&b, &r);
	ck_assert(buf_ok(&b));
	ck_assert(found_result(buf_str(&b), "arc", "none"));
	ck_assert(found_result(buf_str(&b), "spf", "fail"));
	ck_assert(!found_result(buf_str(&b), "arc", "pass"));
	ck_assert(!found_result(buf_str(&b), "arc", "no"));
	ck_assert(!found_result(buf_str(&b), "rc", "none"));
	buf_free(&b);
}
END_TEST

START_TEST(field)
{
	struct str header = STR("A: b\r\nAuthentication-Results: other.example; arc=none\r\n"
	    "authentication-results: MX.example;\r\n\tarc=pass\r\n\r\n"
	    "Authentication-Results: us.example; none\r\n");
	struct field f;

	ck_assert(found_field(header, "mx.example", &f));
	ck_str(f.value, STR(" MX.example;\r\n\tarc=pass"));
	ck_assert(!found_field(header, "us.example", &f));
}
END_TEST

UNIT_MAIN("check/found", json, field)
