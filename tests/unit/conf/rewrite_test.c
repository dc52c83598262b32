/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The sections that make other addresses of addresses. */

#include "conf/rewrite.h"

#include "conf_unit.h"

START_TEST(values)
{
	struct conf *c = must_parse(
	    "rewrite \"root@*.x.test\" { }\n"
	    "rewrite \"*.x.test\" { to = \"@x.test\" at = \"send\" "
	    "what = {\"header-sender\", \"envelope-sender\"} keep = \"reply-to\" }\n"
	    "rewrite \"*.x.test\" { to = \"all@*\" strangers = true }\n"
	    "rewrite \"b@x.test\" { to = \"*@y.test\" listener = {\"sendmail\"} }\n");
	const struct conf_rewrite *r = c->rewrites;

	ck_assert_uint_eq(c->rewrite_n, 4);
	ck_assert_str_eq(r[0].local, "");
	ck_assert_str_eq(r[0].domain, "");
	ck_assert_uint_eq(r[0].places, 15);
	ck_assert_int_eq(r[0].at, REWRITE_AT_RECEIVE);
	ck_assert_str_eq(r[1].local, "");
	ck_assert_str_eq(r[1].domain, "x.test");
	ck_assert_int_eq(r[1].at, REWRITE_AT_SEND);
	ck_assert_int_eq(r[1].keep, REWRITE_KEEP_REPLY_TO);
	ck_assert_uint_eq(r[1].places, REWRITE_HEADER_SENDER | REWRITE_ENVELOPE_SENDER);
	ck_assert_str_eq(r[2].local, "all");
	ck_assert_str_eq(r[2].domain, "");
	ck_assert(r[2].strangers && !r[1].strangers);
	ck_assert_str_eq(r[3].local, "");
	ck_assert_str_eq(r[3].domain, "y.test");
	conf_free(c);
}
END_TEST

START_TEST(mistakes)
{
	static const struct fault faults[] = {
		{ "rewrite \"<>\" { to = \"a@x.test\" }",
		  "1: rewrite: \"<>\" is no pattern" },
		{ "rewrite \"/(/\" { }", "1: rewrite: \"/(/\" is no pattern" },
		{ "rewrite \"*\" {\nto = \"root\" }",
		  "2: rewrite.*.to: \"root\" is no address" },
		{ "rewrite \"*\" { to = \"a b@x.test\" }",
		  "1: rewrite.*.to: \"a b@x.test\" is no address" },
		{ "rewrite \"*\" { to = \"a@*.test\" }",
		  "1: rewrite.*.to: \"a@*.test\" is no address" },
		{ "rewrite \"*\" { what = {\"envelope\"} }",
		  "1: rewrite.*.what: \"envelope\" is unknown, expected "
		  "envelope-sender" },
		{ "rewrite \"*\" { table = \"x\" }", "1: rewrite.*.table: \"x\" is no path" },
		{ "rewrite \"*\" { table = \"/x\" to = \"a@x.test\" }", "1: rewrite.*.table: there is a \"to\" as well" },
		{ "rewrite \"*\" { what = {} }", "1: rewrite.*.what" },
		{ "rewrite \"*\" { what = {\"envelope-sender\"} keep = \"reply-to\" }",
		  "1: rewrite.*.keep: it is for From" },
		{ "rewrite \"*\" { listener = {\"nowhere\"} }",
		  "1: rewrite.*.listener: there is no listener \"nowhere\"" },
		{ "rewrite \"*\" { at = \"night\" }", "1: rewrite.*.at" },
	};

	check_faults(faults, ARRAY_LEN(faults));
}
END_TEST

UNIT_MAIN("conf/rewrite", values, mistakes)
