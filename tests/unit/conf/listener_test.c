/* SPDX-License-Identifier: GPL-3.0-or-later */

/* listener_test -- what a listener has of its own, and what it takes over. */

#include "conf/conf.h"

#include "unit.h"

#define TEXT \
	"access { connect = {10.0.0.0/8} relay = {10.1.0.0/16} proxies = {10.9.9.9} sender-login = envelope " \
	"relay-certificates = {verified} }\n" \
	"tls { client-ca = /ca } pop3 { login-delay = 60s expire = 9d }\n" \
	"limits { tarpit-delay = 2s early-talkers = refuse message-size = 7MB recipients = 70 errors = 5 timeout = 70s }\n" \
	"auth { mechanisms = {PLAIN} backends = {'file:///u'} }\n" \
	"listen a { port = 25 tls = off }\n" \
	"listen b { port = 26 tls = off relay = {} auth-required = true proxies = {} " \
	"message-size = 1MB recipients = 3 timeout = 10s mechanisms = {LOGIN} " \
	"connections-per-address = 2 sender-login = from early-talkers = note " \
	"relay-certificates = {} tarpit-delay = 3s }\n" \
	"listen c { service = pop3 port = 110 tls = off login-delay = 0 expire = 1d }\n"

static struct conf *
load(const char *text)
{
	struct buf error;
	struct conf *c;

	buf_init(&error, 65536);
	c = conf_parse("test.conf", str_c(text), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	buf_free(&error);
	return c;
}

START_TEST(takes_over)
{
	struct conf *c = load(TEXT), at;

	conf_at_listener(c, &c->listens[0], &at);
	ck_assert_ptr_eq(at.access.connect.v, c->access.connect.v);
	ck_assert_uint_eq(at.access.relay.n, 1);
	ck_assert_uint_eq(at.access.proxies.n, 1);
	ck_assert(!at.access.auth_required);
	ck_assert_uint_eq(at.limits.message_size, 7 << 20);
	ck_assert_uint_eq(at.limits.recipients, 70);
	ck_assert_uint_eq(at.limits.errors, 5);
	ck_assert_uint_eq(at.limits.connections_per_address, 20);
	ck_assert_int_eq(at.limits.timeout, 70000);
	ck_assert_int_eq(at.access.sender_login, SENDER_ENVELOPE);
	ck_assert_int_eq(at.limits.early_talkers, EARLY_REFUSE);
	ck_assert_int_eq(at.limits.tarpit_delay, 2000);
	ck_assert_uint_eq(at.access.relay_certificates.n, 1);
	ck_assert_int_eq(at.pop3.login_delay, 60000);
	ck_assert_int_eq(at.pop3.expire, 9 * 86400000);
	ck_assert_str_eq(at.auth.mechanisms.v[0], "PLAIN");
	conf_free(c);
}
END_TEST

/* An empty list is one that was meant. */
START_TEST(has_its_own)
{
	struct conf *c = load(TEXT), at;

	conf_at_listener(c, &c->listens[1], &at);
	ck_assert_uint_eq(at.access.connect.n, 1);
	ck_assert_uint_eq(at.access.relay.n, 0);
	ck_assert_uint_eq(at.access.proxies.n, 0);
	ck_assert(at.access.auth_required);
	ck_assert_uint_eq(at.limits.message_size, 1 << 20);
	ck_assert_uint_eq(at.limits.recipients, 3);
	ck_assert_uint_eq(at.limits.errors, 5);
	ck_assert_uint_eq(at.limits.connections_per_address, 2);
	ck_assert_int_eq(at.limits.timeout, 10000);
	ck_assert_int_eq(at.access.sender_login, SENDER_FROM);
	ck_assert_int_eq(at.limits.early_talkers, EARLY_NOTE);
	ck_assert_int_eq(at.limits.tarpit_delay, 3000);
	ck_assert_uint_eq(at.access.relay_certificates.n, 0);
	ck_assert_str_eq(at.auth.mechanisms.v[0], "LOGIN");
	ck_assert_uint_eq(at.limits.connections, c->limits.connections);
	ck_assert_ptr_eq(at.hostname, c->hostname);
	conf_at_listener(c, &c->listens[2], &at);
	ck_assert_int_eq(at.pop3.login_delay, 0);
	ck_assert_int_eq(at.pop3.expire, 86400000);
	conf_free(c);
}
END_TEST

/* Those that nobody wrote down have the global values too. */
START_TEST(implied)
{
	struct conf *c = load("limits { recipients = 12 }\n");

	ck_assert_uint_eq(c->listen_n, 1);
	ck_assert_uint_eq(c->listens[0].recipients, 12);
	ck_assert_uint_eq(c->listens[0].relay.n, c->access.relay.n);
	conf_free(c);
}
END_TEST

START_TEST(mistakes)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "listen a { port = 25 tls = off mechanisms = {PLAN} }",
		    "listen.a.mechanisms: \"PLAN\" is unknown" },
		{ "listen a { port = 25 tls = off relay = {10.0.0.0/33} }",
		    "10.0.0.0/33" },
		{ "listen a { port = 25 tls = off early-talkers = never }",
		    "listen.a.early-talkers" },
		{ "listen a { port = 25 tls = off relay-certificates = {'sha256:00'} }",
		    "listen.a.relay-certificates: \"sha256:00\" is no fingerprint" },
		{ "listen a { port = 25 tls = off relay-certificates = {verified} }",
		    "listen.a.relay-certificates: nothing is \"verified\" without tls.client-ca" },
		{ "listen a { service = pop3 port = 110 tls = off expire = 1h }",
		    "listen.a.expire: less than a day" },
		{ "relay = {10.0.0.1}", "it belongs into a section \"access\"" },
		{ "message-size = 5MB", "it belongs into a section \"limits\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct buf error;

		buf_init(&error, 65536);
		ck_assert_ptr_null(conf_parse("test.conf", str_c(t[i].text), &error));
		ck_assert_msg(strstr(buf_cstr(&error), t[i].want) != NULL, "%s",
		    buf_cstr(&error));
		buf_free(&error);
	}
}
END_TEST

UNIT_MAIN("conf/listener", takes_over, has_its_own, implied, mistakes)
