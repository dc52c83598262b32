/* SPDX-License-Identifier: GPL-3.0-or-later */

/* route -- where a via leads to, and what servers and proxies mean. */

#include "conf_unit.h"

START_TEST(vias)
{
	static const struct {
		const char *text;
		enum conf_via_kind kind;
		const char *host;	/* of an upstream's first server */
		uint64_t port;
		int protocol;
	} t[] = {
		{ "mx", VIA_MX, NULL, 0, 0 },
		{ "mx:a.test", VIA_MX, NULL, 0, 0 },
		{ "mx:587", VIA_MX, NULL, 0, 0 },
		{ "mx:a.test:587", VIA_MX, NULL, 0, 0 },
		{ "discard", VIA_DISCARD, NULL, 0, 0 },
		{ "isp", VIA_UPSTREAM, "b.test", 587, PROTOCOL_SMTP },
		{ "smtp:a.test", VIA_UPSTREAM, "a.test", 25, PROTOCOL_SMTP },
		{ "smtp:a.test:587", VIA_UPSTREAM, "a.test", 587, PROTOCOL_SMTP },
		{ "smtp:192.0.2.1:26", VIA_UPSTREAM, "192.0.2.1", 26, PROTOCOL_SMTP },
		{ "smtp:[2001:db8::1]:26", VIA_UPSTREAM, "2001:db8::1", 26, PROTOCOL_SMTP },
		{ "smtp:[IPv6:::1]", VIA_UPSTREAM, "::1", 25, PROTOCOL_SMTP },
		{ "smtp:b\xc3\xbc" "cher.test", VIA_UPSTREAM, "xn--bcher-kva.test", 25, PROTOCOL_SMTP },
		{ "lmtp:a.test", VIA_UPSTREAM, "a.test", 24, PROTOCOL_LMTP },
		{ "lmtp:a.test:2424", VIA_UPSTREAM, "a.test", 2424, PROTOCOL_LMTP },
		{ "lmtp:unix:/run/l", VIA_UPSTREAM, "unix:/run/l", 24, PROTOCOL_LMTP },
	};
	struct conf *c = must_parse("upstream isp { server b.test { port = 587 } }");
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct conf_via v;
		const char *why = conf_via_read(c, t[i].text, TLS_REQUIRED, &a, &v);

		ck_assert_msg(why == NULL, "%s: %s", t[i].text, why);
		ck_assert_int_eq(v.kind, t[i].kind);
		if (t[i].host == NULL) {
			ck_assert_ptr_null(v.upstream);
			continue;
		}
		ck_assert_str_eq(v.upstream->servers[0].host, t[i].host);
		ck_assert_uint_eq(v.upstream->servers[0].port, t[i].port);
		ck_assert_int_eq(v.upstream->servers[0].protocol, t[i].protocol);
		if (strchr(t[i].text, ':'))
			ck_assert_int_eq(v.upstream->servers[0].tls, TLS_REQUIRED);
	}
	arena_free(&a);
	conf_free(c);
}
END_TEST

/* Whose MX hosts, and at which port. */
START_TEST(mx_hosts)
{
	static const struct {
		const char *text, *domain;
		unsigned port;
	} t[] = { { "mx", NULL, 0 }, { "mx:a.test", "a.test", 0 }, { "mx:587", NULL, 587 },
		{ "mx:a.test:2525", "a.test", 2525 }, { "mx:1and1.test", "1and1.test", 0 } };
	static const char *const wrong[] = { "mx:", "mx::25", "mx:0", "mx:65536", "mx:a.test:", "mx:a.test:0",
		"mx:a.test:x", "mx:a.test:25:25", "mx:[192.0.2.1]", "mx:a b", "mx:-a.test", "mx:192.0.2.1", "MX",
		"mx25" };
	struct conf *c = must_parse("");
	struct conf_via v;
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_msg(conf_via_read(c, t[i].text, TLS_MAY, &a, &v) == NULL, "%s", t[i].text);
		ck_assert_pstr_eq(v.domain, t[i].domain);
		ck_assert_uint_eq(v.port, t[i].port);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		ck_assert_msg(conf_via_read(c, wrong[i], TLS_MAY, &a, &v) != NULL, "%s", wrong[i]);
	arena_free(&a);
	conf_free(c);
}
END_TEST

/* A login that a message brings along is made over TLS, and nowhere but where the message says. */
START_TEST(own_logins)
{
	struct conf *c = must_parse("upstream isp { server b.test { port = 587 } }");
	static const char *const wrong[] = { "isp", "mx", "discard", "maildir:/m", "error:550 x", "nowhere" };
	struct arena a;
	struct conf_via v;

	arena_init(&a, 1 << 20);
	ck_assert_ptr_null(conf_via_own(c, STR("smtp:a.test:587"), STR("u"), STR("p"), &a, &v));
	ck_assert_str_eq(v.upstream->name, "smtp:a.test:587");
	ck_assert_str_eq(v.upstream->servers[0].user, "u");
	ck_assert_str_eq(v.upstream->servers[0].password, "p");
	ck_assert_int_eq(v.upstream->servers[0].tls, TLS_REQUIRED);
	ck_assert_ptr_null(conf_via_own(c, STR("smtp:a.test"), STR(""), STR(""), &a, &v));
	ck_assert_int_eq(v.upstream->servers[0].tls, TLS_MAY);
	ck_assert_ptr_null(conf_via_own(c, STR("isp"), STR(""), STR(""), &a, &v));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		ck_assert_ptr_nonnull(conf_via_own(c, str_c(wrong[i]), STR("u"), STR("p"), &a, &v));
	arena_free(&a);
	conf_free(c);
}
END_TEST

/* A Maildir of a message's own is one that the configuration has, by a route or for a recipient. */
START_TEST(own_maildirs)
{
	struct conf *c = must_parse("domains = {a.test}\n"
	    "recipient \"x@a.test\" { via = \"maildir:/rule\" }\n"
	    "recipient \"y@a.test\" { discard = true }\n"
	    "route \"b.test\" { via = \"maildir:/route\" }\n");
	static const char *const wrong[] = { "maildir:/", "maildir:/rul", "maildir:/route/", "maildir:/route/../rule" };
	struct arena a;
	struct conf_via v;

	arena_init(&a, 1 << 20);
	ck_assert_ptr_null(conf_via_own(c, STR("maildir:/route"), STR(""), STR(""), &a, &v));
	ck_assert_int_eq(v.kind, VIA_MAILDIR);
	ck_assert_str_eq(v.maildir, "/route");
	ck_assert_ptr_null(conf_via_own(c, STR("maildir:/rule"), STR(""), STR(""), &a, &v));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		ck_assert_ptr_nonnull(conf_via_own(c, str_c(wrong[i]), STR(""), STR(""), &a, &v));
	arena_free(&a);
	conf_free(c);
}
END_TEST

/* A socket of this host is one that the configuration has, too: of an upstream, of a route or for a recipient. */
START_TEST(own_sockets)
{
	struct conf *c = must_parse("domains = {a.test}\n"
	    "upstream box { server \"unix:/run/box\" { protocol = \"lmtp\" } server b.test { } }\n"
	    "recipient \"x@a.test\" { via = \"lmtp:unix:/run/rule\" }\n"
	    "route \"b.test\" { via = \"smtp:unix:/run/route\" }\n");
	static const char *const right[] = { "box", "lmtp:unix:/run/box", "lmtp:unix:/run/rule", "smtp:unix:/run/route" };
	static const char *const wrong[] = { "smtp:unix:/run/other", "lmtp:unix:/run", "lmtp:unix:/run/box/",
		"smtp:unix:/run//route", "lmtp:unix:/run/routes", "lmtp:unix:/RUN/box",
		/* Whoever reads there knows one protocol. */
		"smtp:unix:/run/box", "lmtp:unix:/run/route" };
	struct arena a;
	struct conf_via v;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(right); i++)
		ck_assert_msg(conf_via_own(c, str_c(right[i]), STR(""), STR(""), &a, &v) == NULL, "%s", right[i]);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		ck_assert_msg(conf_via_read(c, wrong[i], TLS_MAY, &a, &v) == NULL, "%s", wrong[i]);
		ck_assert_msg(conf_via_own(c, str_c(wrong[i]), STR(""), STR(""), &a, &v) != NULL, "%s", wrong[i]);
		ck_assert_msg(conf_via_own(c, str_c(wrong[i]), STR("u"), STR("p"), &a, &v) != NULL, "%s", wrong[i]);
	}
	arena_free(&a);
	conf_free(c);
}
END_TEST

/* What only a message names may not be at this host: a server, or a port of MX hosts. */
START_TEST(known)
{
	struct conf *c = must_parse("domains = {a.test}\n"
	    "upstream box { server \"127.0.0.1\" { port = 2525 } server B.test { port = 26 } }\n"
	    "recipient \"x@a.test\" { via = \"lmtp:[::1]:24\" }\n"
	    "recipient \"y@a.test\" { via = \"mx:c.test:27\" }\n"
	    "route \"b.test\" { via = \"smtp:localhost:2526\" }\n"
	    "route \"c.test\" { via = \"mx:28\" }\n");
	static const char *const right[] = { "box", "smtp:127.0.0.1:2525", "smtp:b.test:26",
		"lmtp:[::1]:24", "smtp:LOCALHOST:2526" };
	static const char *const wrong[] = { "smtp:127.0.0.1", "smtp:127.0.0.1:2526",
		"lmtp:127.0.0.1:2525", "smtp:127.0.0.2:2525", "smtp:localhost:2525",
		"smtp:[::1]:24", "smtp:b.test" };
	struct arena a;
	struct conf_via v;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(right); i++) {
		ck_assert_ptr_null(conf_via_own(c, str_c(right[i]), STR(""), STR(""), &a, &v));
		ck_assert_msg(conf_upstream_known(c, v.upstream), "%s", right[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		ck_assert_ptr_null(conf_via_own(c, str_c(wrong[i]), STR("u"), STR("p"), &a, &v));
		ck_assert_msg(!conf_upstream_known(c, v.upstream), "%s", wrong[i]);
	}
	ck_assert(conf_mx_port_known(c, 25) && conf_mx_port_known(c, 27) &&
	    conf_mx_port_known(c, 28));
	ck_assert(!conf_mx_port_known(c, 26) && !conf_mx_port_known(c, 6379));
	arena_free(&a);
	conf_free(c);
}
END_TEST

START_TEST(errors)
{
	static const struct {
		const char *text;
		int code;
		const char *enhanced, *words;
	} t[] = {
		{ "error:550 5.1.6 It has moved", 550, "5.1.6", "It has moved" },
		{ "error:554 No", 554, "5.7.1", "No" },
		{ "error:451", 451, "4.7.1", "No mail is sent to this address from here" },
		{ "error:450  4.2.0   Later ", 450, "4.2.0", "Later" },
		/* What only looks like a status is text. */
		{ "error:550 10.0.0.1 is no place", 550, "5.7.1", "10.0.0.1 is no place" },
	};
	static const char *const bad[] = { "error:", "error:55", "error:5500", "error:399",
		"error:600 x", "error:550 4.1.1 x", "error:550 5.1 x", "error:550 5.1.1.1 x",
		"error:550 5.1234.1 x", "error:550 a\tb", "nobody", "", "MX",
		/* A program is for a route of the configuration alone. */
		"pipe:/bin/cat" };
	struct conf *c = must_parse("");
	struct arena a;
	struct conf_via v;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_ptr_null(conf_via_read(c, t[i].text, TLS_MAY, &a, &v));
		ck_assert_int_eq(v.kind, VIA_ERROR);
		ck_assert_int_eq(v.code, t[i].code);
		ck_assert_str_eq(v.enhanced, t[i].enhanced);
		ck_assert_str_eq(v.text, t[i].words);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(conf_via_read(c, bad[i], TLS_MAY, &a, &v) != NULL, "%s", bad[i]);
	arena_free(&a);
	conf_free(c);
}
END_TEST

START_TEST(proxies)
{
	static const struct {
		const char *text;
		struct {
			int version;
			const char *host;
			unsigned port;
			const char *user, *password;
		} want;
	} t[] = {
		{ "127.0.0.1:1081", { 4, "127.0.0.1", 1081, "", "" } },
		{ "proxy.test", { 4, "proxy.test", 1080, "", "" } },
		{ "[::1]:1", { 4, "::1", 1, "", "" } },
		{ "SOCKS4A://me@p:9", { 4, "p", 9, "me", "" } },
		{ "socks5://p", { 5, "p", 1080, "", "" } },
		{ "socks5://me:se@cr:et@[::1]:9", { 5, "::1", 9, "me", "se@cr:et" } },
		{ "socks5://m%3a%C3%a9:%40%2F%25@p", { 5, "p", 1080, "m:\xc3\xa9", "@/%" } },
		{ "socks4a://a%20b@p", { 4, "p", 1080, "a b", "" } },
		{ "http://me:p%3Aw@p", { CONF_PROXY_HTTP, "p", 80, "me", "p:w" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const struct conf_proxy *p;
		char text[200];
		struct conf *c;

		snprintf(text, sizeof(text), "upstream u { server s { socks = '%s' } }", t[i].text);
		c = must_parse(text);
		p = &c->upstreams[0].servers[0].proxy;
		ck_assert_int_eq(p->version, t[i].want.version);
		ck_assert_str_eq(p->host, t[i].want.host);
		ck_assert_uint_eq(p->port, t[i].want.port);
		ck_assert_str_eq(p->user, t[i].want.user);
		ck_assert_str_eq(p->password, t[i].want.password);
		conf_forget_secrets(c);
		ck_assert_str_eq(p->password, "");
		ck_assert_str_eq(c->upstreams[0].servers[0].socks, "");
		conf_free(c);
	}
}
END_TEST

UNIT_MAIN("conf/route", vias, mx_hosts, own_logins, own_maildirs, own_sockets, known, errors, proxies)
