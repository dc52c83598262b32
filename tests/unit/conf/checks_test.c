/* SPDX-License-Identifier: GPL-3.0-or-later */

/* checks -- the sections about checks, and who is told. */

#include "conf_unit.h"

static const struct fault faults[] = {
	{ "check dmarc { }", "1: check.dmarc: it goes by what other checks find" },
	{ "check spf { }\ncheck dmarc {\nquarantine = \"X Y\" }", "3: check.dmarc.quarantine: \"X Y\" does not fit" },
	/* All fields of that name are taken out of what strangers send. */
	{ "check spf { }\ncheck dmarc {\nquarantine = \"Subject: [bad]\" }", "3: check.dmarc.quarantine: \"Subject: [bad]\" does not fit" },
	{ "check arc {\ntrusted = {lists.example, \"a b\"} }", "2: check.arc.trusted: \"a b\" does not fit" },
	/* Nobody could ever come again. */
	{ "greylist { enabled = true\ndelay = 5m\nwindow = 5m }", "3: greylist.window: it has to be longer than greylist.delay" },
	{ "authentication-results = {local, remote}", "1: authentication-results: \"remote\" does not fit, expected local or nonlocal" },
	{ "authserv-id = \"a b\"", "1: authserv-id: \"a b\" does not fit" },
};

START_TEST(refused)
{
	check_faults(faults, ARRAY_LEN(faults));
}
END_TEST

START_TEST(taken)
{
	struct conf *c = must_parse("hostname = mx.example.org\ncheck dkim { on-fail = defer }\n"
	    "check dmarc { quarantine = \"\" }\ncheck arc { trusted = {lists.example, \"b\xc3\xbc" "cher.example\"} }\n"
	    "greylist { enabled = true delay = 1m window = 61s }");

	ck_assert(c->check.dkim.enabled && c->check.dmarc.enforce && c->check.arc.enabled);
	ck_assert_int_eq(c->check.dkim.on_fail, CHECK_DEFER);
	ck_assert_int_eq(c->check.dkim.timeout, 10000);
	ck_assert_uint_eq(c->check.arc.trusted.n, 2);
	ck_assert_str_eq(c->check.arc.trusted.v[1], "xn--bcher-kva.example");
	ck_assert_uint_eq(c->check.results_for, CONF_RESULTS_LOCAL | CONF_RESULTS_NONLOCAL);
	ck_assert_str_eq(c->check.authserv, "mx.example.org");
	conf_free(c);
	c = must_parse("authentication-results = {nonlocal}\nauthserv-id = example.org");
	ck_assert_uint_eq(c->check.results_for, CONF_RESULTS_NONLOCAL);
	ck_assert_str_eq(c->check.authserv, "example.org");
	ck_assert(!c->check.any);
	ck_assert(!c->check.dkim.enabled && !c->check.dmarc.enabled && !c->check.arc.enabled);
	conf_free(c);
}
END_TEST

UNIT_MAIN("conf/checks", refused, taken)
