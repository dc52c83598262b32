/* SPDX-License-Identifier: GPL-3.0-or-later */

/* backend_test -- what the URLs of backends mean, and that their passwords are not shown. */

#include "conf/backend.h"
#include "unit.h"

static struct arena arena;
static struct buf error;

static bool
parse(const char *url, struct conf_backend *b)
{
	buf_reset(&error);
	return conf_backend_parse(&arena, str_c(url), b, &error);
}

static void
setup(void)
{
	arena_init(&arena, (size_t)1 << 20);
	buf_init(&error, 4096);
}

static void
teardown(void)
{
	arena_free(&arena);
	buf_free(&error);
}

START_TEST(local_ones)
{
	struct conf_backend b;

	setup();
	ck_assert(parse("file:///etc/barid/users", &b));
	ck_assert_int_eq(b.kind, BACKEND_FILE);
	ck_assert_str_eq(b.path, "/etc/barid/users");
	ck_assert(parse("file:///a?confdir=/b", &b));
	ck_assert_str_eq(b.path, "/a?confdir=/b");
	ck_assert(parse("pam://barid", &b));
	ck_assert_int_eq(b.kind, BACKEND_PAM);
	ck_assert_str_eq(b.service, "barid");
	ck_assert_ptr_null(b.confdir);
	ck_assert(parse("pam://x?confdir=/run/pam.d", &b));
	ck_assert_str_eq(b.confdir, "/run/pam.d");
	ck_assert(parse("users://alice,bob, client*", &b));
	ck_assert_int_eq(b.kind, BACKEND_USERS);
	ck_assert_uint_eq(b.list.n, 3);
	ck_assert_str_eq(b.list.v[2], "client*");
	ck_assert(parse("exec:///usr/bin/check", &b));
	ck_assert_int_eq(b.kind, BACKEND_EXEC);
	ck_assert_str_eq(b.path, "/usr/bin/check");
	ck_assert(parse("hardcoded://al:pa%2Cs:s,bo%3ab:x%zz%", &b));
	ck_assert_int_eq(b.kind, BACKEND_HARDCODED);
	ck_assert_uint_eq(b.list.n, 4);
	ck_assert_str_eq(b.list.v[0], "al");
	ck_assert_str_eq(b.list.v[1], "pa,s:s");
	ck_assert_str_eq(b.list.v[2], "bo:b");
	ck_assert_str_eq(b.list.v[3], "x%zz%");
	teardown();
}
END_TEST

START_TEST(ldap)
{
	struct conf_backend b;

	setup();
	ck_assert(parse("ldap://host:389/ou=people,dc=example,dc=org", &b));
	ck_assert_int_eq(b.kind, BACKEND_LDAP);
	ck_assert_uint_eq(b.list.n, 1);
	ck_assert_str_eq(b.list.v[0], "ldap://host:389/");
	ck_assert_str_eq(b.base, "ou=people,dc=example,dc=org");
	ck_assert_str_eq(b.attribute, "uid");
	ck_assert_ptr_null(b.filter);
	ck_assert(!b.starttls);
	ck_assert(parse("ldaps://a,[2001:db8::1]:6360/dc=x%20y?cn", &b));
	ck_assert_uint_eq(b.list.n, 2);
	ck_assert_str_eq(b.list.v[1], "ldaps://[2001:db8::1]:6360/");
	ck_assert_str_eq(b.base, "dc=x y");
	ck_assert_str_eq(b.attribute, "cn");
	ck_assert(parse("ldap://h/dc=x??one\?(&(uid=%u)(a=b))?!starttls,"
	    "bindname=cn=a%2Cdc=x,x-bindpw=p%2Cq%3F,x-ca=/etc/ca.pem", &b));
	ck_assert_int_eq(b.scope, SCOPE_ONE);
	ck_assert_str_eq(b.filter, "(&(uid=%u)(a=b))");
	ck_assert(b.starttls);
	ck_assert_str_eq(b.bind_dn, "cn=a,dc=x");
	ck_assert_str_eq(b.bind_password, "p,q?");
	ck_assert_str_eq(b.ca, "/etc/ca.pem");
	ck_assert(parse("ldap://h/??\?(mail=%u)", &b));
	ck_assert_int_eq(b.scope, SCOPE_SUB);
	teardown();
}
END_TEST

START_TEST(servers)
{
	struct conf_backend b;

	setup();
	ck_assert(parse("radius://mail:s%40cret@[::1]:1645,radius2.example", &b));
	ck_assert_int_eq(b.kind, BACKEND_RADIUS);
	ck_assert_str_eq(b.identifier, "mail");
	ck_assert_str_eq(b.secret, "s@cret");
	ck_assert_uint_eq(b.list.n, 4);
	ck_assert_str_eq(b.list.v[0], "::1");
	ck_assert_str_eq(b.list.v[1], "1645");
	ck_assert_str_eq(b.list.v[2], "radius2.example");
	ck_assert_str_eq(b.list.v[3], "1812");
	ck_assert(parse("radius://mail:a@b:c@host", &b));
	ck_assert_str_eq(b.secret, "a@b:c");
	ck_assert(parse("https://host:8443/check?k=v", &b));
	ck_assert_int_eq(b.kind, BACKEND_HTTP);
	ck_assert_str_eq(b.url, "https://host:8443/check?k=v");
	ck_assert(parse("http://[::1]/", &b));
	ck_assert(parse("oauth://mail:s%40c:r@id.example:8443/introspect?user=email&scope=a%20b&audience=mail", &b));
	ck_assert_int_eq(b.kind, BACKEND_OAUTH);
	ck_assert_str_eq(b.url, "https://id.example:8443/introspect");
	ck_assert_str_eq(b.identifier, "mail");
	ck_assert_str_eq(b.secret, "s@c:r");
	ck_assert_str_eq(b.claim, "email");
	ck_assert_str_eq(b.token_scope, "a b");
	ck_assert_str_eq(b.audience, "mail");
	ck_assert(strstr(b.show, "s%40") == NULL && strstr(b.show, "mail:") != NULL);
	ck_assert(parse("oauth://id.example/introspect", &b));
	ck_assert_str_eq(b.identifier, "");
	ck_assert_str_eq(b.claim, "username");
	ck_assert_pstr_eq(b.token_scope, NULL);
	teardown();
}
END_TEST

START_TEST(refused)
{
	static const struct {
		const char *url, *why;
	} t[] = {
		{ "", "without a kind" }, { "/etc/barid/users", "without a kind" },
		{ "pam:barid", "without a kind" }, { "tape://x", "\"tape://\" is unknown" },
		{ "file://", "names no file" }, { "file://users", "names no file" },
		{ "pam://", "names no PAM" }, { "pam://?confdir=/x", "names no PAM" },
		{ "pam://x?", "names no PAM" }, { "pam://x?confdir=", "names no PAM" },
		{ "pam://x?confdir=pam.d", "names no PAM" }, { "pam://x?only=w", "names no PAM" },
		{ "pam://../x", "names no PAM" },
		{ "pam://0123456789012345678901234567890123456789012345678901234567890123",
		  "names no PAM" },
		{ "users://", "names no accounts" }, { "users://a,,b", "names no accounts" },
		{ "oauth://", "names no server" }, { "oauth://a:b@", "names no server" },
		{ "oauth://a:b@host", "names no server" }, { "oauth://a@host/x", "without a secret" },
		{ "oauth://a:b@ho st/x", "names no server" }, { "oauth://host/x?", "setting that is not known" },
		{ "oauth://host/x?user", "setting that is not known" }, { "oauth://host/x?scopes=a", "not known" },
		{ "exec://check", "names no program" }, { "exec://", "names no program" },
		{ "hardcoded://", "names no users" }, { "hardcoded://a", "names no users" },
		{ "hardcoded://a:b,", "names no users" }, { "hardcoded://:b", "names no users" },
		{ "hardcoded://a:", "names no users" },
		{ "ldap://", "names no server" }, { "ldap:///dc=x", "names no server" },
		{ "ldap://h:0/dc=x", "names no server" }, { "ldap://h:x/dc=x", "names no server" },
		{ "ldap://h:/dc=x", "names no server" }, { "ldap://[::1/dc=x", "names no server" },
		{ "ldap://h", "has no base" }, { "ldap://h/dc=x??deep", "scope that is not known" },
		{ "ldap://h/dc=x??\?(uid=*)", "filter that finds no user" },
		{ "ldap://h/dc=x???uid=%u", "filter that finds no user" },
		{ "ldap://h/dc=x????bindname=a,x-bindpw=secret", "a bindname and no filter" },
		{ "ldap://h/dc=x??\?(uid=%u)?bindname=a", "only one of" },
		{ "ldap://h/dc=x????x-tls=no", "extension that is not known" },
		{ "ldap://h/dc=x????x-ca=a", "x-ca that is no path" },
		{ "ldap://h/dc=x?a=b", "attribute that is none" },
		{ "ldaps://h/dc=x????starttls", "begins with TLS" },
		{ "radius://host", "has no secret" }, { "radius://a@host", "has no secret" },
		{ "radius://a:@host", "has no secret" }, { "radius://a:secret@", "names no server" },
		{ "radius://a:secret@h:0", "names no server" },
		{ "https://", "is no URL" }, { "https://u:secret@host/", "has a user" },
		{ "https://host/a b", "is no URL" }, { "https://host/#a", "is no URL" },
		{ "https://host:x/", "is no URL" },
	};
	struct conf_backend b;

	setup();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_msg(!parse(t[i].url, &b), "%s", t[i].url);
		ck_assert_msg(strstr(buf_cstr(&error), t[i].why), "%s: %s", t[i].url,
		    buf_cstr(&error));
		ck_assert_msg(!strstr(buf_cstr(&error), "a:secret") &&
		    !strstr(buf_cstr(&error), "=secret"), "%s", buf_cstr(&error));
	}
	teardown();
}
END_TEST

START_TEST(shown)
{
	static const struct {
		const char *url, *shown;
	} t[] = {
		{ "file:///etc/users", "file:///etc/users" },
		{ "pam://barid", "pam://barid" },
		{ "users://a,b*", "users://a,b*" },
		{ "exec:///x", "exec:///x" },
		{ "hardcoded://a:secret", "hardcoded://********" },
		{ "radius://id:sec@ret@h:1", "radius://id:********@h:1" },
		{ "radius://id:secret", "radius://********" },
		{ "https://h/p?token=secret", "https://h/p?********" },
		{ "https://u:secret@h/p", "https://********@h/p" },
		{ "ldap://h/dc=x??\?(uid=%u)?bindname=a,X-BINDPW=secret,starttls",
		  "ldap://h/dc=x??\?(uid=%u)?bindname=a,X-BINDPW=********" },
		{ "ldap://h/dc=x", "ldap://h/dc=x" },
		{ "tape://secret", "********" },
		{ "secret", "********" },
	};
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		buf_reset(&b);
		conf_backend_show(&b, str_c(t[i].url));
		ck_assert_str_eq(buf_cstr(&b), t[i].shown);
	}
	buf_free(&b);
}
END_TEST

UNIT_MAIN("conf/backend", local_ones, ldap, servers, refused, shown)
