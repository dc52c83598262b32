/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The sections by which others get a copy. */

#include "conf/archive.h"

#include "conf_unit.h"

START_TEST(values)
{
	struct conf *c = must_parse(
	    "archive \"all\" { to = {\"a@x.org\", \"b@x.org\"} }\n"
	    "archive \"some\" { to = {\"a@x.org\"} sender = {\"x.org\"} "
	    "recipient = {\"postmaster@*\"} user = {\"al*\"} "
	    "listener = {\"sendmail\"} }\n");
	const struct conf_archive *r = &c->archives[1];

	ck_assert_uint_eq(c->archive_n, 2);
	ck_assert_uint_eq(c->archives[0].to.n, 2);
	ck_assert_uint_eq(c->archives[0].senders.n, 0);
	ck_assert(pattern_fits(&r->senders.v[0], STR("q"), STR("x.org")));
	ck_assert(pattern_fits(&r->recipients.v[0], STR("Postmaster"), STR("y.org")));
	ck_assert(pattern_fits(&r->users.v[0], STR("alice"), STR("")));
	conf_free(c);
}
END_TEST

START_TEST(mistakes)
{
	static const struct fault faults[] = {
		{ "archive \"a\" { }", "1: archive.a.to: nobody gets it" },
		{ "archive \"a\" { to = {\"a@x.org\",\n\"b\"} }",
		  "2: archive.a.to: \"b\" is no address" },
		{ "archive \"a\" { to = {\"a@x.org\"} sender = {\"/(/\"} }",
		  "1: archive.a.sender: \"/(/\" is no pattern" },
		{ "archive \"a\" { to = {\"a@x.org\"} recipient = {\"/(/\"} }",
		  "1: archive.a.recipient: \"/(/\" is no pattern" },
		{ "archive \"a\" { to = {\"a@x.org\"} user = {\"/(/\"} }",
		  "1: archive.a.user: \"/(/\" is no pattern" },
		{ "archive \"a\" { to = {\"a@x.org\"} listener = {\"nix\"} }",
		  "1: archive.a.listener: " },
	};

	check_faults(faults, sizeof(faults) / sizeof(faults[0]));
}
END_TEST

int
main(void)
{
	return unit_run("conf/archive", UNIT_CASE("archive", values, mistakes));
}
