/* SPDX-License-Identifier: GPL-3.0-or-later */

/* value -- sizes, times, numbers, words, ports, networks: in, out and refused. */

#include "conf_unit.h"

/* What conf_each() shows of one option. */
struct wanted {
	const char *name;
	char value[2000];
	int line;
};

static void
look(void *arg, const char *name, const char *value, struct conf_place place)
{
	struct wanted *w = arg;

	if (strcmp(name, w->name) == 0) {
		snprintf(w->value, sizeof(w->value), "%s", value);
		w->line = place.line;
	}
}

static const struct {
	const char *text, *name, *shown;
} values[] = {
	{ "limits { message-size = 65536 }", "limits.message-size", "64KB" },
	{ "limits { message-size = 10240001 }", "limits.message-size", "10240001" },
	{ "limits { message-size = 3GB }", "limits.message-size", "3GB" },
	{ "limits { message-size = 1024kb }", "limits.message-size", "1MB" },
	{ "access { relay = {'192.168.*.*', '10.0.0.1; ::1;unix'} }", "access.relay",
	    "{\"192.168.0.0/16\", \"10.0.0.1\", \"::1\", \"unix\"}" },
	{ "access { relay = {'*.*.*.*'} }", "access.relay", "{\"0.0.0.0/0\"}" },
	{ "limits { timeout = 90s }", "limits.timeout", "90s" },
	{ "limits { timeout = 300s }", "limits.timeout", "5m" },
	{ "limits { timeout = 1h30m }", "limits.timeout", "90m" },
	{ "limits { timeout = 1500ms }", "limits.timeout", "1500ms" },
	{ "limits { timeout = 24H }", "limits.timeout", "1d" },
	{ "queue { idle-connection = 0 }", "queue.idle-connection", "0s" },
	{ "queue { retry = 5m }", "queue.retry", "{5m}" },
	{ "queue { retry = {1m, '2m',} }", "queue.retry", "{1m, 2m}" },
	{ "queue { retry += {1d} }", "queue.retry", "{3m, 3m, 9m, 15m, 30m, 2h, 1d}" },
	{ "queue { delay-notice = {} }", "queue.delay-notice", "{}" },
	{ "queue { runners = 0 }", "queue.runners", "0" },
	{ "queue { runners = 1 runners = 007 }", "queue.runners", "7" },
	{ "auth { backends = {'pam://a'} } access { auth-required = Yes }", "access.auth-required", "true" },
	{ "auth { backends = {'pam://a'} } access { auth-required = on }", "access.auth-required", "true" },
	{ "access { auth-required = FALSE }", "access.auth-required", "false" },
	{ "access { auth-required = true } access { auth-required = no }",
	    "access.auth-required", "false" },
	{ "access { relay = {} }", "access.relay", "{}" },
	{ "access { relay = {10.0.0.0/8, 192.0.2.1/32} }", "access.relay",
	    "{\"10.0.0.0/8\", \"192.0.2.1\"}" },
	{ "access { relay = {2001:DB8::/32, ::1/128, ::/0} }", "access.relay",
	    "{\"2001:db8::/32\", \"::1\", \"::/0\"}" },
	{ "access { relay = {::ffff:10.0.0.0/104, ::ffff:1.2.3.4} }", "access.relay",
	    "{\"10.0.0.0/8\", \"1.2.3.4\"}" },
	{ "access { relay += {192.0.2.0/24} }", "access.relay",
	    "{\"127.0.0.0/8\", \"::1\", \"192.0.2.0/24\"}" },
	{ "listen a { port = '25, 2525 ,1024 - 1026' tls = off }", "listen.a.port",
	    "\"25,2525,1024-1026\"" },
	{ "listen a { address = 'fd:x' tls = off }", "listen.a.port", "\"\"" },
	{ "listen a { port = 1-65535 tls = off }", "listen.a.port", "\"1-65535\"" },
	{ "listen a { port = 25 tls = off }", "listen.a.tls", "\"off\"" },
	{ "log { format = json }", "log.format", "\"json\"" },
	{ "dsn { return = full }", "dsn.return", "\"full\"" },
	{ "tls { min-version = 1.3 }", "tls.min-version", "\"1.3\"" },
	{ "tls { ciphers = 'a\"b\\c${d}$' }", "tls.ciphers", "\"a\\\"b\\\\c\\${d}$\"" },
	{ "domains = {a.example, \"[192.0.2.1]\"}", "domains",
	    "{\"a.example\", \"[192.0.2.1]\"}" },
	{ "domains = one.example", "domains", "{\"one.example\"}" },
};

START_TEST(fits)
{
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct conf *c = must_parse(values[i].text);
		struct wanted w = { .name = values[i].name, .value = "nothing" };

		conf_each(c, look, &w);
		ck_assert_msg(strcmp(w.value, values[i].shown) == 0, "%s: %s, expected %s",
		    values[i].text, w.value, values[i].shown);
		conf_free(c);
	}
}
END_TEST

START_TEST(fields)
{
	struct conf *c = must_parse("limits { message-size = 1KB timeout = 1m }\n"
	    "queue { retry = {1s, 1h} }\nlog { level = debug format = json }\n"
	    "dsn { return = full }\naddresses = loose\n"
	    "upstream u { server s { tls = verified } }");

	ck_assert_uint_eq(c->limits.message_size, 1024);
	ck_assert_int_eq(c->limits.timeout, 60000);
	ck_assert_uint_eq(c->queue.retry.n, 2);
	ck_assert_int_eq(c->queue.retry.v[0], 1000);
	ck_assert_int_eq(c->queue.retry.v[1], 3600000);
	ck_assert_int_eq(c->log.level, 3);
	ck_assert_int_eq(c->log.format, 1);
	ck_assert_int_eq(c->dsn.ret, 1);
	ck_assert_int_eq(c->addresses, ADDRESSES_LOOSE);
	ck_assert_int_eq(c->upstreams[0].servers[0].tls, TLS_VERIFIED);
	conf_free(c);
}
END_TEST

#define SIZE "a size such as 50MB, from 1KB to 64GB"
#define TIME "a time such as 30s, 5m, 2h or 1d, from 1s to 1d"

static const struct fault faults[] = {
	{ "limits {\nmessage-size = 5X }", "2: limits.message-size: \"5X\" does not fit, expected " SIZE },
	{ "limits { message-size = 1023 }", "1: limits.message-size: \"1023\" does not fit, expected " SIZE },
	{ "limits { message-size = 65GB }", "1: limits.message-size: \"65GB\"" },
	{ "limits { message-size = 99999999999999999999 }", "1: limits.message-size: " },
	{ "limits { message-size = 18446744073709551615KB }", "1: limits.message-size: " },
	{ "limits { message-size = '' }", "1: limits.message-size: \"\"" },
	{ "limits { message-size = -1 }", "1: limits.message-size: \"-1\"" },
	{ "limits { message-size = '1 MB' }", "1: limits.message-size: \"1 MB\"" },
	{ "limits { timeout = 5 }", "1: limits.timeout: \"5\" does not fit, expected " TIME },
	{ "limits { timeout = 0 }", "1: limits.timeout: \"0\"" },
	{ "limits { timeout = 2d }", "1: limits.timeout: \"2d\"" },
	{ "limits { timeout = m }", "1: limits.timeout: \"m\"" },
	{ "limits { timeout = 5x }", "1: limits.timeout: \"5x\"" },
	{ "limits { timeout = 18446744073709551615ms1ms }", "1: limits.timeout: " },
	{ "limits { errors = 1.5 }", "1: limits.errors: \"1.5\" does not fit, expected a number, from 1 to 10000" },
	{ "limits { errors = 0x1 }", "1: limits.errors: \"0x1\"" },
	{ "queue { retry = {1m,\n 0s} }", "2: queue.retry: \"0s\"" },
	{ "queue { retry = {1m,\n 5} }", "2: queue.retry: \"5\" does not fit, expected a time" },
	{ "queue {\n retry = {} }", "2: queue.retry: the list is empty, expected at least one" },
	{ "access {\nauth-required = 1 }", "2: access.auth-required: \"1\" does not fit, expected true or false" },
	{ "access { relay = {10.0.0.1/8} }", "1: access.relay: \"10.0.0.1/8\" has bits behind its prefix" },
	{ "access { relay = {10.0.0.0/33} }", "1: access.relay: \"10.0.0.0/33\" has a bad prefix length, expected 0-32" },
	{ "access { relay = {::/129} }", "1: access.relay: \"::/129\" has a bad prefix length, expected 0-128" },
	{ "access { relay = {::/} }", "1: access.relay: \"::/\" has a bad" },
	{ "access { relay = {host} }", "1: access.relay: \"host\" is no network" },
	{ "access { relay = {\n'10.0.0'} }", "2: access.relay: \"10.0.0\" is no network" },
	{ "listen a { port = 0 tls = off }", "1: listen.a.port: \"0\" does not fit, expected ports from 1 to 65535" },
	{ "listen a { port = 65536 tls = off }", "1: listen.a.port: \"65536\"" },
	{ "listen a { port = 9-8 tls = off }", "1: listen.a.port: \"9-8\"" },
	{ "listen a { port = '1,' tls = off }", "1: listen.a.port: \"1,\"" },
	{ "listen a { port = smtp tls = off }", "1: listen.a.port: \"smtp\"" },
	{ "listen a { port = 25 tls = maybe }", "1: listen.a.tls: \"maybe\" does not fit, expected off, starttls, required or implicit\n" },
	{ "listen a { port = 25 tls = startls }", "1: listen.a.tls: \"startls\" does not fit, expected off, starttls, required or implicit; did you mean \"starttls\"?\n" },
	{ "dsn { return = '' }", "1: dsn.return: \"\" does not fit, expected full or headers\n" },
	{ "tls { min-version = 1.1 }", "1: tls.min-version: \"1.1\" does not fit, expected 1.2 or 1.3" },
	{ "domains = {''}", "1: domains: \"\" does not fit" },
	{ "log { to = {stderr,stderr,stderr,stderr,stderr,stderr,stderr,stderr,stderr} }",
	    "1: log.to: 9 elements, expected 1 to 8" },
};

START_TEST(does_not_fit)
{
	check_faults(faults, ARRAY_LEN(faults));
}
END_TEST

/* All mistakes of values are shown at once. */
START_TEST(several)
{
	char *got = must_fail("limits { errors = x }\nqueue { runners = y }\nhostname = 'a b'");

	ck_assert_ptr_nonnull(strstr(got, "test.conf:1: limits.errors: "));
	ck_assert_ptr_nonnull(strstr(got, "test.conf:2: queue.runners: "));
	free(got);
}
END_TEST

UNIT_MAIN("conf/value", fits, fields, does_not_fit, several)
