/* SPDX-License-Identifier: GPL-3.0-or-later */

/* self: behind which names and addresses MX hosts would be ourselves. */

#include "policy/self.h"

#include <arpa/inet.h>
#include <ifaddrs.h>

#include "unit.h"

static struct conf *
conf_of(const char *listen)
{
	struct buf error, text;
	struct conf *c;

	buf_init(&error, 4096);
	buf_init(&text, 4096);
	buf_addf(&text, "hostname = mx.example.test\nsmtp-port = 2525\n"
	    "listen in { service = smtp tls = off %s }\n", listen);
	c = conf_parse("t.conf", buf_str(&text), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	buf_free(&text);
	buf_free(&error);
	return c;
}

static bool
is(const struct self *s, const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(str_c(text), 2525, &a), 0);
	return self_is(s, &a);
}

START_TEST(names)
{
	struct conf *c = conf_of("hostname = in.example.test port = 2525");

	ck_assert(self_has_name(c, STR("MX.example.test")));
	ck_assert(self_has_name(c, STR("in.example.test")));
	ck_assert(self_has_name(c, STR("localhost")));
	ck_assert(self_has_name(c, STR("a.LOCALHOST")));
	ck_assert(!self_has_name(c, STR("other.example.test")));
	conf_free(c);
}
END_TEST

START_TEST(addresses)
{
	struct conf *c = conf_of("address = {'127.0.0.9'} port = 2525");
	struct self *s = self_new(c);

	ck_assert(is(s, "127.0.0.9"));
	ck_assert(is(s, "0.0.0.0"));
	ck_assert(!is(s, "127.0.0.10"));
	ck_assert(!is(s, "192.0.2.1"));
	self_free(s);
	conf_free(c);
	/* Another port than that of MX hosts is nobody's business. */
	c = conf_of("address = {'127.0.0.9'} port = 2526");
	s = self_new(c);
	ck_assert(!is(s, "127.0.0.9"));
	self_free(s);
	conf_free(c);
	/* All addresses of the host. */
	c = conf_of("address = {'0.0.0.0'} port = 2525");
	s = self_new(c);
	ck_assert(is(s, "127.0.0.1"));
	ck_assert(is(s, "127.8.8.8"));
	ck_assert(!is(s, "192.0.2.1"));
	self_free(s);
	conf_free(c);
	self_free(NULL);
}
END_TEST

/* Where no MX host is believed to be: groups, other links, what is listed. */
START_TEST(ignored)
{
	static const struct {
		const char *addr;
		bool is;
	} cases[] = {
		{ "192.0.2.1", false }, { "223.255.255.255", false },
		{ "224.0.0.1", true }, { "255.255.255.255", true },
		{ "2001:db8::1", false }, { "ff02::1", true },
		{ "fe80::1", true }, { "fec0::1", false },
		{ "10.1.2.3", true }, { "11.1.2.3", false },
		{ "fd00::1", true },
	};
	struct conf *c = conf_of("port = 2525 }\n"
	    "mx-ignore = {10.0.0.0/8, fc00::/7}\nlisten b { service = smtp tls = off port = 2526");
	struct addr a;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert_int_eq(addr_parse(str_c(cases[i].addr), 25, &a), 0);
		ck_assert_msg(self_ignores(c, &a) == cases[i].is, "%s",
		    cases[i].addr);
	}
	conf_free(c);
}
END_TEST

/* However it is written: what a connection to it would lead to. */
START_TEST(here)
{
	static const struct {
		const char *text;
		bool is;
	} rows[] = { { "127.0.0.1", true }, { "127.9.9.9", true }, { "0.0.0.0", true },
		{ "::1", true }, { "::", true }, { "::ffff:127.0.0.1", true },
		{ "::127.0.0.1", true }, { "192.0.2.1", false }, { "2001:db8::1", false },
		{ "126.255.255.255", false }, { "128.0.0.1", false } };
	struct addr a;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

		if (strchr(rows[i].text, ':') == NULL) {
			ck_assert_int_eq(addr_parse(str_c(rows[i].text), 25, &a), 0);
		} else {
			/* As DNS has it, not as we read it. */
			ck_assert_int_eq(inet_pton(AF_INET6, rows[i].text, &six.sin6_addr), 1);
			memcpy(&a.ss, &six, sizeof(six));
			a.len = sizeof(six);
		}
		ck_assert_msg(self_is_here(&a) == rows[i].is, "%s", rows[i].text);
	}
	/* An address of its own. */
	struct ifaddrs *list;

	ck_assert_int_eq(getifaddrs(&list), 0);
	for (struct ifaddrs *i = list; i != NULL; i = i->ifa_next)
		if (i->ifa_addr != NULL && i->ifa_addr->sa_family == AF_INET) {
			memcpy(&a.ss, i->ifa_addr, sizeof(struct sockaddr_in));
			a.len = sizeof(struct sockaddr_in);
			ck_assert(self_is_here(&a));
		}
	freeifaddrs(list);
}
END_TEST

UNIT_MAIN("self", ignored, names, addresses, here)
