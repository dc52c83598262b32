/* SPDX-License-Identifier: GPL-3.0-or-later */

/* RFC 5321 5.1: preference, chance among equals, two addresses or more. */

#include "runner/hosts.h"

#include "lib/random.h"
#include "unit.h"

static struct host
host(const char *name, unsigned preference, size_t addr_n)
{
	struct host h = { .preference = preference, .addr_n = addr_n };

	memcpy(h.name, name, strlen(name));
	for (size_t i = 0; i < addr_n; i++) {
		const unsigned char octets[4] = { 192, 0, 2,
			(unsigned char)(i + 1) };

		h.addr[i] = addr_from(AF_INET, octets, 25);
	}
	return h;
}

START_TEST(preference)
{
	const struct host hosts[] = { host("c", 30, 1), host("a", 10, 1),
		host("d", 65535, 1), host("b", 20, 1) };
	size_t order[4];

	for (int i = 0; i < 20; i++) {
		hosts_order(hosts, 4, random_below, order);
		ck_assert_uint_eq(order[0], 1);
		ck_assert_uint_eq(order[1], 3);
		ck_assert_uint_eq(order[2], 0);
		ck_assert_uint_eq(order[3], 2);
	}
	hosts_order(hosts, 0, random_below, order);
}
END_TEST

/* CONFORMANCE N-13: equals share the load. */
START_TEST(equals)
{
	const struct host hosts[] = { host("a", 10, 1), host("b", 10, 1),
		host("c", 10, 1), host("z", 20, 1) };
	size_t order[4];
	int first[4] = { 0 };

	for (int i = 0; i < 3000; i++) {
		hosts_order(hosts, 4, random_below, order);
		first[order[0]]++;
		ck_assert_uint_eq(order[3], 3);
		ck_assert_uint_ne(order[0], order[1]);
		ck_assert_uint_ne(order[1], order[2]);
		ck_assert_uint_ne(order[0], order[2]);
	}
	for (int i = 0; i < 3; i++) {
		ck_assert_int_gt(first[i], 800);
		ck_assert_int_lt(first[i], 1200);
	}
}
END_TEST

START_TEST(hops)
{
	/* Addresses of each host, and the hops that come of it. */
	static const struct {
		size_t addrs[4], n;
		const char *want;
	} cases[] = {
		{ { 1 }, 1, "a" },
		{ { 8 }, 1, "aaaaa" },
		{ { 1, 1 }, 2, "ab" },
		{ { 8, 8 }, 2, "aaabb" },
		{ { 0, 2 }, 2, "bb" },
		{ { 2, 2, 2 }, 3, "aabbc" },
		{ { 8, 8, 8, 8 }, 4, "aabbc" },
		{ { 0, 0, 0 }, 3, "" },
		{ { 0 }, 0, "" },
	};
	const size_t order[4] = { 0, 1, 2, 3 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct host hosts[4];
		struct hop out[HOP_MAX];
		char got[HOP_MAX + 1] = "";
		size_t n;

		for (size_t k = 0; k < 4; k++) {
			const char name[2] = { (char)('a' + k), '\0' };

			hosts[k] = host(name, 10, cases[i].addrs[k]);
		}
		n = hosts_hops(hosts, order, cases[i].n, HOP_MX_MAX, out);
		for (size_t k = 0; k < n; k++)
			got[k] = out[k].host[0];
		ck_assert_str_eq(got, cases[i].want);
	}
}
END_TEST

/* The servers of an upstream: all of them, the backups too. */
START_TEST(upstream)
{
	size_t order[8], n;
	struct host hosts[8];
	struct hop out[HOP_MAX];

	for (size_t i = 0; i < 8; i++) {
		hosts[i] = host("s", 0, HOST_ADDR_MAX);
		order[i] = i;
	}
	n = hosts_hops(hosts, order, 8, HOP_MAX, out);
	ck_assert_uint_eq(n, 16);
	ck_assert_uint_eq(hosts_hops(hosts, order, 1, HOP_MAX, out), 8);
}
END_TEST

UNIT_MAIN("order", preference, equals, hops, upstream)
