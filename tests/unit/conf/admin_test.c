/* SPDX-License-Identifier: GPL-3.0-or-later */

/* admin -- who is an administrator, by whose word, and where without TLS. */

#include "conf_unit.h"

START_TEST(meaning)
{
	struct conf *c = must_parse("auth { backends = {'pam://barid'} }\n"
			      "admin { users = {root, 'ops-*', '/a(b|c)/'} }\n");

	ck_assert(conf_is_admin(&c->admin, STR("root")));
	ck_assert(conf_is_admin(&c->admin, STR("ops-1")));
	ck_assert(conf_is_admin(&c->admin, STR("ac")));
	ck_assert(!conf_is_admin(&c->admin, STR("alice")));
	ck_assert(!conf_is_admin(&c->admin, STR("toor")));
	ck_assert(!conf_is_admin(&c->admin, STR("")));
	ck_assert_ptr_eq(conf_admin_backends(c), &c->auth.backends);
	conf_free(c);

	c = must_parse("auth { backends = {'pam://barid'} }\n"
		       "admin { auth = {'ldap://192.0.2.1/dc=x??"
		       "?(uid=%u)?bindname=cn=x,x-bindpw=geheim'} }\n");
	ck_assert(!conf_is_admin(&c->admin, STR("root")));
	ck_assert_ptr_eq(conf_admin_backends(c), &c->admin.auth);
	conf_forget_backends(c);
	ck_assert_ptr_null(strstr(c->admin.auth.v[0], "geheim"));
	ck_assert_ptr_nonnull(strstr(c->admin.auth.v[0], "192.0.2.1"));
	conf_free(c);
}
END_TEST

#define BACKENDS "auth { backends = {'pam://x'} } "

START_TEST(mistakes)
{
	static const struct fault cases[] = {
		{ "admin { users = {a,\n'/(/'} }", "2: admin.users: \"/(/\" is no pattern, " },
		{ "admin { auth = {'pamm://x'} }", "1: admin.auth: " },
		{ "listen a { service = admin port = 2580 tls = off address = {127.0.0.1} }",
		    "1: listen.a: nobody can log in" },
		{ BACKENDS "listen a { service = admin port = 2580 tls = off }",
		    "1: listen.a: passwords would come in the clear" },
		{ BACKENDS "listen a { service = admin port = 2580 tls = off "
		  "address = {127.0.0.1, lo} }", "1: listen.a: passwords would come in the clear" },
		{ BACKENDS "listen a { service = admin port = 2580 tls = off "
		  "address = {'fd:x'} }", "1: listen.a: passwords would come in the clear" },
		{ BACKENDS "tls { certificate = '/a' key = '/b' } "
		  "listen a { service = admin port = 2580 }", "1: listen.a: HTTP has no STARTTLS" },
		{ BACKENDS "listen a { service = admin tls = off address = {127.0.0.1} }",
		    "1: listen.a: no port, expected port = \"2580\"" },
		{ BACKENDS "listen a { service = admin port = 2580 tls = off "
		  "address = {127.0.0.1} greet-delay = 1s }",
		    "1: listen.a.greet-delay: this has no meaning with service = \"admin\"" },
	};

	check_faults(cases, ARRAY_LEN(cases));
}
END_TEST

START_TEST(fine)
{
	static const char *const good[] = {
		(BACKENDS "listen a { service = admin port = 2580 tls = off "
			  "address = {127.0.0.1, ::1, 127.1.2.3, 'unix:/run/x'} }"),
		(BACKENDS "tls { certificate = '/a' key = '/b' } "
			  "listen a { service = admin port = 2580 tls = implicit "
			  "connect = {10.0.0.0/8} connections-per-address = 3 hostname = a.test }"),
		("admin { auth = {'pam://x'} metrics = {192.0.2.0/24} } listen a { "
		 "service = admin port = 2580 tls = off address = {127.0.0.1} }"),
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		conf_free(must_parse(good[i]));
}
END_TEST

UNIT_MAIN("conf/admin", meaning, mistakes, fine)
