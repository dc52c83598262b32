/* SPDX-License-Identifier: GPL-3.0-or-later */

/* collect -- what sections collect mean, and what is wrong with them. */

#include "conf_unit.h"

#define GOOD "server = pop.example.test user = u password = p to = bob "

START_TEST(defaults)
{
	struct conf *c = must_parse("domains = {'example.test'}\nlimits { message-size = 2MB }\n"
				    "collect a { " GOOD "}\n"
				    "collect b { " GOOD "tls = stls keep = 7d message-size = 1MB }\n"
				    "collect c { " GOOD "tls = off keep = true port = 1110 to = 'bob@example.test' }\n");
	const struct conf_collect *l = c->collects;

	ck_assert_uint_eq(c->collect_n, 3);
	ck_assert_uint_eq(l[0].port, 995);
	ck_assert_int_eq(l[0].keep_ms, 0);
	ck_assert_int_eq(l[0].every, 600000);
	ck_assert(l[0].verify);
	ck_assert_uint_eq(l[0].message_size, 2u << 20);
	ck_assert_uint_eq(l[1].port, 110);
	ck_assert_int_eq(l[1].keep_ms, 7 * 86400000LL);
	ck_assert_uint_eq(l[1].message_size, 1u << 20);
	ck_assert_uint_eq(l[2].port, 1110);
	ck_assert_int_eq(l[2].keep_ms, COLLECT_KEEP_ALL);
	conf_forget_secrets(c);
	ck_assert_str_eq(l[0].password, "");
	ck_assert_str_eq(l[2].password, "");
	conf_free(c);
}
END_TEST

static void
no_secret(void *arg UNUSED, const char *name UNUSED, const char *value,
    struct conf_place place UNUSED)
{
	ck_assert(strstr(value, "hushed") == NULL);
}

START_TEST(secret)
{
	struct conf *c = must_parse("collect a { server = pop.test user = u password = hushed to = bob }\n");

	conf_each(c, no_secret, NULL);
	conf_free(c);
}
END_TEST

START_TEST(mistakes)
{
	static const struct fault cases[] = {
		{ "collect 'a b' { " GOOD "}", "1: collect: \"a b\" is no name" },
		{ "collect '.a' { " GOOD "}", "1: collect: \".a\" is no name" },
		{ "collect a { user = u password = p to = bob }", "1: collect.a.server: \"\" is no server" },
		{ "collect a { " GOOD "\nserver = 'a b' }", "2: collect.a.server: \"a b\" is no server" },
		{ "collect a { server = s.test password = p to = bob }", "1: collect.a.user: nobody can log in" },
		{ "collect a { server = s.test user = u to = bob }", "1: collect.a.password: expected it, or" },
		{ "collect a { " GOOD "password-file = '/x' }", "1: collect.a.password: expected it, or" },
		{ "collect a { server = s.test user = u to = bob password-file = x }",
		    "1: collect.a.password-file: \"x\" is no path" },
		{ "collect a { server = s.test user = u password = p }", "1: collect.a.to: \"\" is none of ours" },
		{ "collect a { " GOOD "\nto = 'x@far.test' }", "2: collect.a.to: \"x@far.test\" is none of ours" },
		{ "collect a { " GOOD "auth = {APOP} }", "1: collect.a.auth: \"APOP\" is unknown" },
		{ "collect a { " GOOD "by-header = 'X To' }", "1: collect.a.by-header: \"X To\" is no header field" },
		{ "collect a { " GOOD "keep = 7 }", "1: collect.a.keep: \"7\" does not fit" },
		{ "collect a { " GOOD "keep = 0d }", "1: collect.a.keep: \"0d\" does not fit" },
		{ "collect a { " GOOD "tls = maybe }", "1: collect.a.tls: \"maybe\" does not fit" },
		{ "collect a { " GOOD "tls-name = 'a b' }", "1: collect.a.tls-name: \"a b\" is no host name" },
		{ "listen collect { service = smtp tls = off port = 1110 }", "1: listen.collect: that is what mail" },
	};

	check_faults(cases, ARRAY_LEN(cases));
}
END_TEST

UNIT_MAIN("conf/collect", defaults, secret, mistakes)
