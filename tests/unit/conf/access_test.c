/* SPDX-License-Identifier: GPL-3.0-or-later */

/* access_test -- what would have no effect, or open the door, is said with its line. */

#include "conf_unit.h"

#define TLS "tls { certificate = /c key = /k }\n"
#define FILES "auth { backends = {'file:///u'} }\n"

static const struct fault bad[] = {
	{ FILES "auth { without-tls = {CRAM-MD5} }", "2: auth.without-tls: \"CRAM-MD5\" is not on offer, expected it in auth.mechanisms, too" },
	{ FILES "auth { mechanisms = {PLAIN} without-tls = {plain,\nLOGIN} }", "3: auth.without-tls: \"LOGIN\" is not on offer" },
	{ FILES "listen a { port = 26 tls = off mechanisms = {LOGIN}\nwithout-tls = {PLAIN} }",
	    "3: listen.a.without-tls: \"PLAIN\" is not on offer here, expected it in listen.a.mechanisms or auth.mechanisms, too" },
	{ FILES TLS "listen a { port = 26 tls = implicit\nwithout-tls = {PLAIN} }",
	    "4: listen.a.without-tls: nobody logs in without TLS here, expected tls = \"starttls\" or \"off\"" },
	{ FILES TLS "listen a { service = submission port = 26\ntls = required without-tls = {PLAIN} }", "4: listen.a.without-tls: nobody logs in" },
	{ "limits { connections = 10\nconnections-in = 11 }", "2: limits.connections-in: 11 are more than limits.connections has in all, expected at most 10, or more there" },
	{ "limits { connections-in = 1001 }", "1: limits.connections-in: 1001 are more" },
	{ "limits { connections = 100\nconnections-out = 101 }", "2: limits.connections-out: 101 are more" },
	{ "access {\nauth-required = true }", "2: access.auth-required: nobody can log in, expected auth { backends" },
	{ FILES "listen a { service = pop3 port = 111 tls = off\nrelay = {10.0.0.0/8} }", "3: listen.a.relay: this has no meaning with service = \"pop3\"" },
	{ FILES "listen a { service = pop3 port = 111 tls = off\nmessage-size = 1MB }", "3: listen.a.message-size: this has no meaning" },
	{ FILES "listen a { service = pop3 port = 111 tls = off\nno-mail = true }", "3: listen.a.no-mail: this has no meaning" },
	{ "listen a { port = 26 tls = off\nno-delete = true }", "2: listen.a.no-delete: this has no meaning with service = \"smtp\", expected it at another listener" },
	{ "listen a { port = 26 tls = off\nexpire = 1d }", "2: listen.a.expire: this has no meaning with service = \"smtp\"" },
	{ "listen a { port = 26 tls = off\nlogin-delay = 1m }", "2: listen.a.login-delay: this has no meaning" },
	{ FILES "listen a { service = pop3 port = 111 tls = off\ngreet-delay = 1s }", "3: listen.a.greet-delay: this has no meaning" },
	{ FILES "listen a { service = pop3 port = 111 tls = off\nearly-talkers = note }", "3: listen.a.early-talkers: this has no meaning" },
	{ FILES "listen a { service = pop3 port = 111 tls = off\nsender-login = any }", "3: listen.a.sender-login: this has no meaning" },
	{ FILES "listen a { service = pop3 port = 111 tls = off\ntarpit-delay = 1s }", "3: listen.a.tarpit-delay: this has no meaning" },
	{ FILES "listen a { service = pop3 port = 111 tls = off\nrelay-certificates = {} }", "3: listen.a.relay-certificates: this has no meaning" },
	{ FILES TLS "listen a { service = submission port = 26\nrelay = {10.0.0.0/8} }", "4: listen.a.relay: who submits mail logs in, from wherever, expected service = \"smtp\"" },
	{ "listen a { port = 26 tls = off }\naccess { connect = {0.0.0.0/0, '::/0'}\nrelay = {10.0.0.0/8, 0.0.0.0/0} }", "3: access.relay: everybody could send to anybody (an open relay), expected networks of your own" },
	{ "access { connect = {'::/0'} }\nlisten a { port = 26 tls = off\nrelay = {'::/0'} }", "3: listen.a.relay: everybody could send to anybody (an open relay)" },
};

static const char *const good[] = {
	FILES "auth { mechanisms = {PLAIN, CRAM-MD5} without-tls = {cram-md5} }",
	/* The list of a listener that has no own without-tls. */
	FILES "auth { without-tls = {APOP} }\nlisten a { service = pop3 port = 111 tls = off mechanisms = {APOP} }",
	FILES TLS "listen a { port = 26 tls = implicit without-tls = {} }",
	"limits { connections = 10 connections-in = 10 connections-out = 10 }",
	/* A default above the total is what the total is for. */
	"limits { connections = 10 }",
	"auth { certificates = {'sha256:0011223344556677889900112233445566778899001122334455667788990011 alice'} }\naccess { auth-required = true }",
	"access { auth-required = false }",
	FILES TLS "listen a { service = submission port = 26 relay = {} }",
	/* Nobody but these can come at all. */
	"listen a { port = 26 tls = off }\naccess { connect = {10.0.0.0/8} relay = {0.0.0.0/0} }",
	"listen a { port = 26 tls = off }\naccess { connect = {0.0.0.0/0} relay = {'::/0'} }",
};

static const struct {
	const char *text, *doubt;
} doubts[] = {
	{ "access {\nrelay = {10.0.0.0/8, 192.0.2.0/24} }", "2: access.relay: 192.0.2.0/24 may not connect at all, expected it in access.connect, too" },
	{ "access { xclient = {192.0.2.1} }", "1: access.xclient: 192.0.2.1 may not connect" },
	{ "listen a { port = 26 tls = off connect = {127.0.0.1}\nrelay = {10.0.0.1-10.0.0.9} }", "2: listen.a.relay: 10.0.0.1-10.0.0.9 may not connect at all, expected it in listen or access.connect, too" },
	{ "access { relay = {10.0.0.0/8, unix, 0.0.0.0/0} }", NULL },
	{ "access { connect = {127.0.0.1} }\nlisten a { port = 26 tls = off connect = {192.0.2.0/24} }\naccess { relay = {192.0.2.1} }", NULL },
	{ "", NULL },
};

START_TEST(mistakes)
{
	check_faults(bad, ARRAY_LEN(bad));
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		conf_free(must_parse(good[i]));
}
END_TEST

START_TEST(doubted)
{
	for (size_t i = 0; i < ARRAY_LEN(doubts); i++) {
		struct conf *c = must_parse(doubts[i].text);
		struct buf out;

		buf_init(&out, 8192);
		conf_doubts(c, &out);
		if (doubts[i].doubt)
			ck_assert_msg(strstr(buf_cstr(&out), doubts[i].doubt) != NULL, "%s: %s",
			    doubts[i].text, buf_cstr(&out));
		else
			ck_assert_str_eq(buf_cstr(&out), "");
		buf_free(&out);
		conf_free(c);
	}
}
END_TEST

UNIT_MAIN("conf/access", mistakes, doubted)
