/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The sections that say what becomes of addresses of ours. */

#include "conf/recipient.h"

#include "conf_unit.h"

static const char text[] =
    "domains = {\"x.test\"}\n"
    "upstream \"isp\" { server \"smtp.isp.test\" { } }\n"
    "recipient \"info@x.test\" { mailbox = \"alice\" }\n"
    "recipient \"team@x.test\" { forward = {\"bob@x.test\", "
    "\"carol@elsewhere.test\"} }\n"
    "recipient \"no@x.test\" { reject = \"451 4.2.1 not today\" }\n"
    "recipient \"drop@x.test\" { discard = true }\n"
    "recipient \"*@shop.test\" { via = \"isp\" }\n"
    "recipient \"*@x.test\" { mailbox = \"alice\" }\n"
    "recipient '/a.*/' { mailbox = \"alice\" }\n"
    "recipient \"*\" { forward = {\"all@elsewhere.test\"} }\n";

START_TEST(values)
{
	static const struct {
		enum conf_rule_kind kind;
		bool last;
	} want[] = { { RULE_MAILBOX, false }, { RULE_FORWARD, false },
		{ RULE_WAY, false }, { RULE_WAY, false }, { RULE_WAY, false },
		{ RULE_MAILBOX, true }, { RULE_MAILBOX, false },
		{ RULE_FORWARD, true } };
	struct conf *c = must_parse(text);

	ck_assert_uint_eq(c->rule_n, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		ck_assert_int_eq(c->rules[i].kind, want[i].kind);
		ck_assert_int_eq(c->rules[i].last, want[i].last);
	}
	ck_assert_int_eq(c->rules[2].way.kind, VIA_ERROR);
	ck_assert_int_eq(c->rules[2].way.code, 451);
	ck_assert_str_eq(c->rules[2].way.enhanced, "4.2.1");
	ck_assert_int_eq(c->rules[3].way.kind, VIA_DISCARD);
	ck_assert_ptr_eq(c->rules[4].way.upstream, &c->upstreams[0]);
	conf_free(c);
}
END_TEST

START_TEST(mistakes)
{
	static const struct fault faults[] = {
		{ "recipient \"a@x.test\" { }",
		  "1: recipient.a@x.test: nothing is said of it" },
		{ "recipient \"a@x.test\" { mailbox = \"a\"\ndiscard = true }",
		  "1: recipient.a@x.test: it has more than one end" },
		{ "recipient \"<>\" { discard = true }",
		  "1: recipient: \"<>\" is no pattern" },
		{ "recipient \"a@x.test\" {\nmailbox = \"../x\" }",
		  "2: recipient.a@x.test.mailbox: \"../x\" is no name" },
		{ "recipient \"a@x.test\" {\nforward = {\"b@x.test\",\n"
		  "\"nobody\"} }",
		  "3: recipient.a@x.test.forward: \"nobody\" is no address" },
		{ "recipient \"a@x.test\" {\nreject = \"250 fine\" }",
		  "2: recipient.a@x.test.reject: expected a reply such as" },
		{ "recipient \"a@x.test\" {\nvia = \"nowhere\" }",
		  "2: recipient.a@x.test.via: there is no upstream" },
		{ "recipient \"a@x.test\" {\nvia = \"pipe:cat\" }",
		  "2: recipient.a@x.test.via: \"cat\" is no command" },
		{ "recipient \"a@x.test\" { discard = true\n"
		  "run-as = \"x\" }",
		  "2: recipient.a@x.test.run-as: it is for a program" },
		{ "recipient \"a@x.test\" { via = \"pipe:/bin/x\"\n"
		  "run-as = \"root\" }",
		  "2: recipient.a@x.test.run-as: no program is run as root" },
		{ "recipient \"a@x.test\" { discard = true }\n"
		  "recipient \"a@x.test\" { discard = true }",
		  "2: recipient.a@x.test: there is one before it" },
		{ "recipient \"*\" { sender = {\"a@x.test\"} discard = true }\n"
		  "recipient \"*\" { table = \"/etc/x\" }\n"
		  "recipient \"*\" { mailbox = \"a\" }\n"
		  "recipient \"*\" { sender = {\"x.test\"} mailbox = \"b\" }",
		  "4: recipient.*: there is one before it" },
		{ "recipient \"*\" { discard = true\nsender = {\"b@\"} }",
		  "2: recipient.*.sender: \"b@\" is no pattern" },
		{ "recipient \"*\" {\ntable = \"x\" }", "2: recipient.*.table: \"x\" is no path" },
		{ "aliases = {\"/etc/aliases\",\n\"aliases\"}",
		  "2: aliases: \"aliases\" is no path" },
	};

	check_faults(faults, ARRAY_LEN(faults));
}
END_TEST

UNIT_MAIN("conf/recipient", values, mistakes)
