/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The sections by which mailboxes answer. */

#include "conf/vacation.h"

#include "conf_unit.h"

START_TEST(values)
{
	struct conf *c = must_parse("vacation \"al*\" { message = \"/v/*\" "
	    "addresses = {\"sales@*\"} interval = 3d }\n"
	    "vacation \"*\" { message = \"/x\" }\n");

	ck_assert_uint_eq(c->vacation_n, 2);
	ck_assert(pattern_fits(&c->vacations[0].of, STR("Alice"), STR("")));
	ck_assert(pattern_fits(&c->vacations[0].own.v[0], STR("sales"), STR("x.org")));
	ck_assert_int_eq(c->vacations[0].interval, 3 * INT64_C(86400000));
	ck_assert_int_eq(c->vacations[1].interval, 7 * INT64_C(86400000));
	conf_free(c);
}
END_TEST

START_TEST(mistakes)
{
	static const struct fault faults[] = {
		{ "vacation \"/(/\" { message = \"/x\" }", "1: vacation: \"/(/\" is no pattern" },
		{ "vacation \"a\" { }", "1: vacation.a.message: \"\" is no path" },
		{ "vacation \"a\" { message = \"/x\"\ninterval = 1h }",
		  "2: vacation.a.interval: " },
		{ "vacation \"a\" { message = \"/x\" addresses = {\"/(/\"} }",
		  "1: vacation.a.addresses: \"/(/\" is no pattern" },
	};

	check_faults(faults, sizeof(faults) / sizeof(faults[0]));
}
END_TEST

int
main(void)
{
	return unit_run("conf/vacation", UNIT_CASE("vacation", values, mistakes));
}
