/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Addresses: reading, writing, and what is the same host. */

#include "net/addr.h"

#include <netinet/in.h>
#include <unistd.h>

#include "unit.h"

static const char *
text(const struct addr *a, void (*add)(struct buf *, const struct addr *))
{
	static char out[128];
	struct buf b;

	buf_init(&b, sizeof(out) - 1);
	add(&b, a);
	memcpy(out, buf_cstr(&b), b.n + 1);
	buf_free(&b);
	return out;
}

START_TEST(reading)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "1.2.3.4", "1.2.3.4:99" },
		{ "255.255.255.255", "255.255.255.255:99" },
		{ "::1", "[::1]:99" },
		{ "[::1]", "[::1]:99" },
		{ "2001:DB8::00:1", "[2001:db8::1]:99" },
		{ "::ffff:1.2.3.4", "1.2.3.4:99" },
		{ "[::ffff:7f00:1]", "127.0.0.1:99" },
		{ "fe80::1%lo", "[fe80::1%1]:99" },
		{ "fe80::1%7", "[fe80::1%7]:99" },
		{ "", NULL }, { "[]", NULL }, { "[1.2.3.4]", NULL },
		{ "1.2.3", NULL }, { "1.2.3.4.5", NULL }, { "1.2.3.256", NULL },
		{ "01.2.3.4", NULL }, { " 1.2.3.4", NULL }, { "1.2.3.4 ", NULL },
		{ "1.2.3.4%lo", NULL }, { "::ffff:1.2.3.4%lo", NULL },
		{ "fe80::1%", NULL }, { "fe80::1%nosuchinterface", NULL },
		{ "fe80::1%a-name-that-is-much-too-long-for-one", NULL },
		{ "::1::", NULL }, { ":::", NULL }, { "12345::", NULL },
		{ "[::1", NULL }, { "::1]", NULL }, { "localhost", NULL },
		{ "0x7f.1", NULL }, { "1:2:3:4:5:6:7:8:9", NULL },
		{ "1111:2222:3333:4444:5555:6666:255.255.255.255.255.255", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a;
		int rc = addr_parse(str_c(cases[i].in), 99, &a);

		ck_assert_msg((rc == 0) == (cases[i].out != NULL), "\"%s\"", cases[i].in);
		if (rc == 0)
			ck_assert_str_eq(text(&a, addr_add_port), cases[i].out);
	}
	struct addr a;

	ck_assert_int_eq(addr_parse(STR("::1\0"), 1, &a), -1);
	ck_assert_int_eq(addr_parse(STR("fe80::1%lo\0"), 1, &a), -1);
}
END_TEST

START_TEST(with_port)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "1.2.3.4", "1.2.3.4:53" }, { "1.2.3.4:25", "1.2.3.4:25" },
		{ "[::1]:25", "[::1]:25" }, { "[::1]", "[::1]:53" },
		{ "::1", "[::1]:53" }, { "1::1:25", "[1::1:25]:53" },
		{ "1.2.3.4:0", "1.2.3.4:0" }, { "1.2.3.4:65535", "1.2.3.4:65535" },
		{ "1.2.3.4:", NULL }, { "1.2.3.4:65536", NULL },
		{ "1.2.3.4:2x", NULL }, { "[::1]:", NULL }, { "[::1]25", NULL },
		{ "[1.2.3.4]:25", NULL }, { ":25", NULL }, { "", NULL },
		{ "[::1]:25:26", NULL }, { "1.2.3.4:-1", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a;
		int rc = addr_parse_port(str_c(cases[i].in), 53, &a);

		ck_assert_msg((rc == 0) == (cases[i].out != NULL), "\"%s\"", cases[i].in);
		if (rc == 0)
			ck_assert_str_eq(text(&a, addr_add_port), cases[i].out);
	}
}
END_TEST

START_TEST(literals)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "[1.2.3.4]", "[1.2.3.4]" }, { "[IPv6:::1]", "[IPv6:::1]" },
		{ "[ipv6:2001:db8::1]", "[IPv6:2001:db8::1]" },
		{ "[IPv6:::ffff:1.2.3.4]", "[1.2.3.4]" },
		{ "[::1]", NULL }, { "[IPv6:1.2.3.4]", NULL }, { "1.2.3.4", NULL },
		{ "[IPv6:fe80::1%lo]", NULL }, { "[x-tag:abc]", NULL },
		{ "[]", NULL }, { "[", NULL }, { "", NULL }, { "[IPv6:]", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a;
		int rc = addr_from_literal(str_c(cases[i].in), 25, &a);

		ck_assert_msg((rc == 0) == (cases[i].out != NULL), "\"%s\"", cases[i].in);
		if (rc == 0) {
			ck_assert_str_eq(text(&a, addr_add_literal), cases[i].out);
			ck_assert_uint_eq(addr_port(&a), 25);
		}
	}
}
END_TEST

START_TEST(kinds)
{
	static const struct {
		const char *in;
		bool loopback, self;
	} cases[] = {
		{ "127.0.0.1", true, true }, { "127.255.0.9", true, true },
		{ "::1", true, true }, { "0.0.0.0", false, true },
		{ "::", false, true }, { "::ffff:127.0.0.1", true, true },
		{ "128.0.0.1", false, false }, { "::2", false, false },
		{ "10.0.0.1", false, false },
	};
	struct addr u, none = { .len = 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a;

		ck_assert_int_eq(addr_parse(str_c(cases[i].in), 0, &a), 0);
		ck_assert_msg(addr_is_loopback(&a) == cases[i].loopback, "%s", cases[i].in);
		ck_assert_msg(addr_is_self_like(&a) == cases[i].self, "%s", cases[i].in);
	}
	ck_assert_int_eq(addr_unix("/a/socket", &u), 0);
	ck_assert_int_eq(addr_family(&u), AF_UNIX);
	ck_assert(!addr_is_loopback(&u) && !addr_is_self_like(&u));
	ck_assert(!addr_same_host(&u, &u));
	ck_assert_ptr_null(addr_octets(&u));
	ck_assert_uint_eq(addr_port(&u), 0);
	addr_set_port(&u, 5);
	ck_assert_uint_eq(addr_key(&u), 0);
	ck_assert_str_eq(text(&u, addr_add), "unix");
	ck_assert_str_eq(text(&u, addr_add_port), "unix");
	ck_assert_int_eq(addr_unix("", &u), -1);
	ck_assert_int_eq(addr_unix("/a/path/that/is/longer/than/the/hundred/and/"
		"eight/octets/which/the/kernel/has/for/the/name/of/a/unix/socket/in/"
		"the/file/system", &u), -1);
	ck_assert_int_eq(addr_family(&none), AF_UNSPEC);
}
END_TEST

static uint64_t
key(const char *s)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(str_c(s), 0, &a), 0);
	return addr_key(&a);
}

static const char *
name_of_key(const char *s)
{
	static struct buf b;

	buf_free(&b);
	buf_init(&b, 64);
	addr_add_key(&b, key(s));
	return buf_cstr(&b);
}

START_TEST(names_of_keys)
{
	struct buf b;

	ck_assert_str_eq(name_of_key("1.2.3.4"), "1.2.3.4");
	ck_assert_str_eq(name_of_key("255.0.0.255"), "255.0.0.255");
	ck_assert_str_eq(name_of_key("0.0.0.0"), "0.0.0.0");
	ck_assert_str_eq(name_of_key("2001:db8:1:2:3:4:5:6"),
	    "2001:db8:1:2::/64");
	ck_assert_str_eq(name_of_key("fe80::1"), "fe80::/64");
	ck_assert_str_eq(name_of_key("::1"), "::/64");
	buf_init(&b, 64);
	addr_add_key(&b, 0);
	ck_assert_str_eq(buf_cstr(&b), "unix");
	buf_free(&b);
}
END_TEST

START_TEST(keys)
{
	ck_assert(key("1.2.3.4") != key("1.2.3.5"));
	ck_assert(key("1.2.3.4") == key("::ffff:1.2.3.4"));
	ck_assert(key("2001:db8:1:2::1") == key("2001:db8:1:2:ffff::9"));
	ck_assert(key("2001:db8:1:2::1") != key("2001:db8:1:3::1"));
	ck_assert(key("::1") != 0);
	ck_assert(key("0.0.0.0") != 0);
	ck_assert(key("0.0.0.1") != key("::1"));
}
END_TEST

static bool
same(const char *x, const char *y)
{
	struct addr a, b;

	ck_assert_int_eq(addr_parse(str_c(x), 25, &a), 0);
	ck_assert_int_eq(addr_parse(str_c(y), 587, &b), 0);
	return addr_same_host(&a, &b);
}

START_TEST(hosts)
{
	ck_assert(same("1.2.3.4", "1.2.3.4"));
	ck_assert(same("1.2.3.4", "::ffff:1.2.3.4"));
	ck_assert(!same("1.2.3.4", "1.2.3.5"));
	ck_assert(same("2001:db8::1", "2001:db8:0::1"));
	ck_assert(!same("fe80::1%1", "fe80::1%2"));
	ck_assert(!same("::1", "127.0.0.1"));
}
END_TEST

/* An IPv4 client on a socket for both families shows as IPv4. */
START_TEST(sockets)
{
	int on = 0, l = socket(AF_INET6, SOCK_STREAM, 0), c, s, pair[2];
	struct addr any = addr_from(AF_INET6, &in6addr_any, 0), to, seen;

	if (l < 0 || setsockopt(l, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0 ||
	    bind(l, (struct sockaddr *)&any.ss, any.len) < 0)
		return; /* a host without IPv6 has nothing to map */
	ck_assert_int_eq(listen(l, 1), 0);
	seen = addr_local(l);
	ck_assert_int_eq(addr_parse(STR("127.0.0.1"), addr_port(&seen), &to), 0);
	c = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(c, (struct sockaddr *)&to.ss, to.len), 0);
	s = accept(l, NULL, NULL);
	ck_assert_int_ge(s, 0);
	seen = addr_peer(s);
	ck_assert_int_eq(addr_family(&seen), AF_INET);
	ck_assert_str_eq(text(&seen, addr_add), "127.0.0.1");
	to = addr_local(c);
	ck_assert_uint_eq(addr_port(&seen), addr_port(&to));
	seen = addr_local(s);
	ck_assert_int_eq(addr_family(&seen), AF_INET);
	close(c);
	close(s);
	close(l);
	seen = addr_peer(-1);
	ck_assert_int_eq(addr_family(&seen), AF_UNSPEC);
	seen = addr_local(-1);
	ck_assert_int_eq(addr_family(&seen), AF_UNSPEC);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	seen = addr_peer(pair[0]);
	ck_assert_str_eq(text(&seen, addr_add), "unix");
	close(pair[0]);
	close(pair[1]);
}
END_TEST

UNIT_MAIN("addr", reading, with_port, literals, kinds, keys, names_of_keys, hosts, sockets)
