/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dnsbl -- which lists are asked, what an entry counts, and what a client is told. */

#include "conf_unit.h"

START_TEST(lists)
{
	struct conf *c = must_parse("dnsbl Zen.example.test { weight = 3 answers = {'127.0.0.2', '127.0.0.4-127.0.0.9'} }\n"
				    "dnsbl zen.example.test { weight = -2 reply = '450 no' }\n"
				    "dnsbl 'b\303\244.test' { }\n"
				    "dnsbl-threshold = 4\ndnsbl-at = connect\ndnsbl-timeout = 2s\n");
	const struct conf_dnsbl *d = c->dnsbl.lists;

	ck_assert_uint_eq(c->dnsbl.list_n, 3);
	ck_assert_str_eq(d[0].zone, "Zen.example.test");
	ck_assert_int_eq(d[0].weight, 3);
	ck_assert_uint_eq(d[0].answers.n, 2);
	ck_assert_int_eq(d[0].refusal.code, 550);
	ck_assert_str_eq(d[0].refusal.enhanced, "5.7.1");
	ck_assert_int_eq(d[1].weight, -2);
	ck_assert_int_eq(d[1].refusal.code, 450);
	ck_assert_str_eq(d[1].refusal.enhanced, "4.7.1");
	ck_assert_str_eq(d[1].refusal.text, "no");
	ck_assert_str_eq(d[2].zone, "xn--b-0fa.test");
	ck_assert_int_eq(d[2].weight, 1);
	ck_assert_uint_eq(c->dnsbl.of, 1u << DNSBL_CLIENT);
	ck_assert_uint_eq(c->dnsbl.threshold, 4);
	ck_assert_int_eq(c->dnsbl.at, DNSBL_AT_CONNECT);
	ck_assert_int_eq(c->dnsbl.timeout, 2000);
	conf_free(c);
}
END_TEST

/* BEYOND S8: what a list has entries of. */
START_TEST(domains)
{
	struct conf *c = must_parse("dnsbl a.test { of = {sender, url} reply = '550 ${listed}' }\n"
				    "dnsbl b.test { of = {client, helo} answers = {'127.0.0.0/8', '0.0.0.0/0'} }\n");

	ck_assert_uint_eq(c->dnsbl.lists[0].of, 1u << DNSBL_SENDER | 1u << DNSBL_URL);
	ck_assert_uint_eq(c->dnsbl.lists[1].of, 1u << DNSBL_CLIENT | 1u << DNSBL_HELO);
	ck_assert_uint_eq(c->dnsbl.of, (1u << DNSBL_OF_N) - 1);
	ck_assert_str_eq(conf_dnsbl_of_name(DNSBL_URL), "url");
	conf_free(c);
}
END_TEST

START_TEST(mistakes)
{
	static const struct fault cases[] = {
		{ "dnsbl 'a b' { }", "1: dnsbl: \"a b\" is no zone, " },
		{ "dnsbl a.test { weight = 1001 }", "1: dnsbl.a.test.weight: \"1001\" does not fit, expected a number "
						    "from -1000 to 1000" },
		{ "dnsbl a.test { weight = -1001 }", "1: dnsbl.a.test.weight: \"-1001\" does not fit" },
		{ "dnsbl a.test { weight = - }", "1: dnsbl.a.test.weight: \"-\" does not fit" },
		{ "dnsbl a.test { weight = --1 }", "1: dnsbl.a.test.weight: \"--1\" does not fit" },
		{ "dnsbl a.test { answers = {'127.0.0.2-127.0.0.1'} }", "1: dnsbl.a.test.answers: " },
		/* What a list has is never these. */
		{ "dnsbl a.test {\nanswers = {127.0.0.2, 10.0.0.2} }", "2: dnsbl.a.test.answers: 10.0.0.2 is no entry of a list" },
		{ "dnsbl a.test { answers = {'127.255.255.0/24'} }", "1: dnsbl.a.test.answers: 127.255.255.0/24 is no entry" },
		{ "dnsbl a.test { answers = {'::1'} }", "1: dnsbl.a.test.answers: ::1 is no entry" },
		{ "dnsbl a.test { answers = {} }", "1: dnsbl.a.test.answers: the list is empty" },
		{ "dnsbl a.test {\nreply = '250 ok' }", "2: dnsbl.a.test.reply: expected a reply such as" },
		{ "dnsbl a.test { reply = '550 ${sender}' }", "1: dnsbl.a.test.reply: there is no ${sender}" },
		{ "dnsbl a.test { reply = '550 ${client ' }", "1: dnsbl.a.test.reply: there is no ${client" },
		{ "dnsbl a.test {\nof = {helo, from} }", "2: dnsbl.a.test.of: \"from\" does not fit, expected client, helo, sender or url" },
		{ "dnsbl a.test { of = {} }", "1: dnsbl.a.test.of: the list is empty" },
		{ "dnsbl-at = later", "1: dnsbl-at: \"later\" does not fit" },
	};

	check_faults(cases, ARRAY_LEN(cases));
}
END_TEST

UNIT_MAIN("conf/dnsbl", lists, domains, mistakes)
