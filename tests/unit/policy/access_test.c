/* SPDX-License-Identifier: GPL-3.0-or-later */

/* access_test -- who may connect. */

#include "unit.h"

#include "policy/recipient.h"

START_TEST(connecting)
{
	static const struct {
		const char *peer;
		bool may;
	} t[] = {
		{ "10.1.2.3", true }, { "::ffff:10.1.2.3", true },
		{ "fe80::1", true }, { "192.0.2.1", false },
		{ "2001:db8::1", false }, { "127.0.0.1", false },
	};
	struct buf error;
	struct conf *c;
	struct addr a;

	buf_init(&error, 65536);
	c = conf_parse("test.conf", STR("access { connect = {\"10.0.0.0/8\", "
					"\"fe80::/10\"} }\n"), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_int_eq(addr_parse(str_c(t[i].peer), 9, &a), 0);
		ck_assert_msg(access_may_connect(&c->access.connect, &a) == t[i].may, "%s",
		    t[i].peer);
	}
	ck_assert_int_eq(addr_unix("/run/s", &a), 0);
	ck_assert(access_may_connect(&c->access.connect, &a));
	a.len = 0;
	ck_assert(!access_may_connect(&c->access.connect, &a));
	conf_free(c);
	buf_free(&error);
}
END_TEST

/* A client at a socket of this host relays where the list says so. */
START_TEST(by_socket)
{
	static const char *const text[] = { "", "access { relay = {unix, "
	    "\"192.0.2.0/24\"} }\n" };
	struct client_facts f = { .authenticated = false };
	struct buf error;

	buf_init(&error, 65536);
	ck_assert_int_eq(addr_unix("/run/s", &f.peer), 0);
	for (int named = 0; named < 2; named++) {
		struct conf *c = conf_parse("test.conf", str_c(text[named]),
		    &error);

		ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
		ck_assert_int_eq(access_listed(&c->access.relay, &f.peer),
		    named);
		conf_free(c);
	}
	/* Nowhere else is it a word. */
	ck_assert_ptr_null(conf_parse("test.conf",
	    STR("access { connect = {unix} }\n"), &error));
	ck_assert_str_eq(buf_cstr(&error), "test.conf:1: access.connect: "
	    "\"unix\" is no network, expected an address or address/bits\n");
	buf_free(&error);
}
END_TEST

/* Who may send anywhere: RFC 6409 4.3, a submission listener asks who it is. */
START_TEST(relaying)
{
	static const struct {
		const char *peer;
		bool authenticated, submission, may;
	} t[] = {
		{ "192.0.2.1", false, false, true },
		{ "192.0.2.1", false, true, false },
		{ "192.0.2.1", true, true, true },
		{ "198.51.100.1", false, false, false },
		{ "198.51.100.1", true, false, true },
		{ "198.51.100.1", false, true, false },
	};
	struct buf error;
	struct conf *c;

	buf_init(&error, 65536);
	c = conf_parse("test.conf", STR("access { relay = {\"192.0.2.0/24\"} }\n"), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct client_facts f = { .authenticated = t[i].authenticated,
			.submission = t[i].submission };

		ck_assert_int_eq(addr_parse(str_c(t[i].peer), 9, &f.peer), 0);
		ck_assert_msg(access_may_relay(c, &f) == t[i].may, "case %zu", i);
	}
	conf_free(c);
	buf_free(&error);
}
END_TEST

UNIT_MAIN("policy/access", connecting, by_socket, relaying)
