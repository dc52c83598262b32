/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scan -- the sections about spam and viruses: which server, and what does not fit. */

#include "conf/conf.h"

#include "unit.h"

static struct conf *
parse(const char *text, struct buf *error)
{
	buf_init(error, 16384);
	return conf_parse("test.conf", str_c(text), error);
}

START_TEST(servers)
{
	static const struct {
		const char *server;
		enum scan_server kind;
		const char *host;
		uint16_t port;
	} t[] = {
		{ "localhost:783", SCAN_SPAMD, "localhost", 783 },
		{ "spamd:[::1]", SCAN_SPAMD, "::1", 783 },
		{ "unix:/run/spamd", SCAN_SPAMD, "unix:/run/spamd", 0 },
		{ "rspamd:mx.test", SCAN_RSPAMD, "mx.test", 11333 },
		{ "rspamd:unix:/run/rspamd", SCAN_RSPAMD, "unix:/run/rspamd", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct buf text, error;
		struct conf *c;

		buf_init(&text, 1000);
		buf_addf(&text, "check spam { server = '%s' }", t[i].server);
		c = parse(buf_cstr(&text), &error);
		ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
		ck_assert(c->check.spam.enabled && !c->check.virus.enabled);
		ck_assert_int_eq(c->check.spam.kind, t[i].kind);
		ck_assert_str_eq(c->check.spam.host, t[i].host);
		ck_assert_uint_eq(c->check.spam.port, t[i].port);
		conf_free(c);
		buf_free(&text);
		buf_free(&error);
	}
}
END_TEST

START_TEST(defaults)
{
	struct buf error;
	struct conf *c = parse("check virus { }\ncheck spam { exempt += {192.0.2.0/24} }\n"
	    "check spf { exempt += {192.0.2.0/24} }\n", &error);

	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	ck_assert(c->check.virus.enabled && c->check.virus.relayed && !c->check.spam.relayed);
	ck_assert_int_eq(c->check.virus.kind, SCAN_CLAMD);
	ck_assert_str_eq(c->check.virus.host, "unix:/run/clamav/clamd.ctl");
	ck_assert_int_eq(c->check.virus.on_error, SCAN_DEFER);
	ck_assert_int_eq(c->check.virus.action, SCAN_REJECT);
	ck_assert_int_eq(c->check.spam.on_error, SCAN_ACCEPT);
	ck_assert_int_eq(c->check.spam.action, SCAN_NOTE);
	/* Another kind of section has a default for an option of that name. */
	ck_assert_uint_eq(c->check.virus.exempt.n, 0);
	ck_assert_uint_eq(c->check.spam.exempt.n, 1);
	ck_assert_uint_eq(c->check.spf.exempt.n, 3);
	conf_free(c);
	buf_free(&error);
}
END_TEST

START_TEST(mistakes)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "check spam { server = 'a' }\ncheck virus { server =\n'b:x' }",
		    "3: check.virus.server: \"b:x\": expected a server such as host:port" },
		{ "check spam { server = 'clamd:a' }", "expected spamd or rspamd, who know spam" },
		{ "check virus { server = 'rspamd:a' }", "expected clamd, who knows viruses" },
		{ "check spam { server = 'unix:x' }", "check.spam.server: \"unix:x\": expected" },
		{ "check virus { action = edit }", "expected note or reject" },
		{ "check virus { reject-score = 5 }", "there is no \"reject-score\" in this one" },
		{ "check spam { timeout = 10m }", "check.spam.timeout" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct buf error;
		struct conf *c = parse(t[i].text, &error);

		ck_assert_msg(c == NULL && strstr(buf_cstr(&error), t[i].want) != NULL,
		    "%s: %s", t[i].text, buf_cstr(&error));
		buf_free(&error);
	}
}
END_TEST

UNIT_MAIN("conf/scan", servers, defaults, mistakes)
