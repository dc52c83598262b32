/* SPDX-License-Identifier: GPL-3.0-or-later */

/* RFC 5321 5.1: preference, chance among equals, two addresses or more. */

#include "runner/hosts.h"

#include "lib/random.h"
#include "unit.h"

static struct host
host(const char *name, unsigned preference, size_t addr_n)
{
	struct host h = { .preference = preference, .addr_n = addr_n,
		.tls.demand = TLS_DEMAND_MAY };

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
	const struct choice mx = { .max = HOP_MX_MAX };
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
		n = hosts_hops(hosts, order, cases[i].n, &mx, out);
		for (size_t k = 0; k < n; k++)
			got[k] = out[k].host[0];
		ck_assert_str_eq(got, cases[i].want);
	}
}
END_TEST

/* The servers of an upstream: all of them, the backups too. */
START_TEST(upstream)
{
	const struct choice all = { .max = HOP_MAX };
	size_t order[CONF_SERVERS_MAX], n;
	struct host hosts[CONF_SERVERS_MAX];
	struct hop out[HOP_MAX];

	for (size_t i = 0; i < CONF_SERVERS_MAX; i++) {
		hosts[i] = host("s", (unsigned)i, HOST_ADDR_MAX);
		order[i] = i;
	}
	n = hosts_hops(hosts, order, CONF_SERVERS_MAX, &all, out);
	ck_assert_uint_eq(n, 2 * CONF_SERVERS_MAX);
	ck_assert_uint_eq(hosts_hops(hosts, order, 1, &all, out), 8);
}
END_TEST

/* "4" and "6" for the families of addresses, "u" for a socket of this host. */
static size_t
families(const char *text, struct addr *out)
{
	const unsigned char octets[16] = { 32, 1 };
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++) {
		if (text[i] == 'u')
			ck_assert_int_eq(addr_unix("/x", &out[i]), 0);
		else
			out[i] = addr_from(text[i] == '4' ? AF_INET : AF_INET6,
			    octets, (uint16_t)(i + 1));
	}
	return n;
}

static char
letter(const struct addr *a)
{
	return addr_family(a) == AF_INET ? '4' :
	    addr_family(a) == AF_INET6	 ? '6' :
					   'u';
}

START_TEST(mixing)
{
	static const struct {
		const char *in, *want;
		size_t max;
	} t[] = {
		{ "", "", 8 },
		{ "4", "4", 8 },
		{ "6644", "6464", 8 },
		{ "4466", "4646", 8 },
		{ "66666444", "64646466", 8 },
		/* Neither family is cut off whole. */
		{ "666666666664444", "64646464", 8 },
		{ "66", "66", 8 },
		{ "64", "6", 1 },
		{ "u", "u", 8 },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct addr in[20], out[8];
		char got[9] = "";
		size_t n = hosts_mix(in, families(t[i].in, in), out, t[i].max);

		for (size_t k = 0; k < n; k++)
			got[k] = letter(&out[k]);
		ck_assert_str_eq(got, t[i].want);
	}
}
END_TEST

/* Sources without a family, and a family that seems dead (N-18). */
START_TEST(choosing)
{
	static const struct {
		const char *in;
		struct choice choice;
		const char *want;
	} t[] = {
		{ "6464", { .max = 5 }, "6464" },
		{ "6464", { .max = 5, .no_ipv6 = true }, "44" },
		{ "6464", { .max = 5, .no_ipv4 = true }, "66" },
		{ "6464", { .max = 5, .no_ipv4 = true, .no_ipv6 = true }, "" },
		{ "6464", { .max = 5, .late = AF_INET6 }, "4466" },
		{ "6464", { .max = 3, .late = AF_INET6 }, "446" },
		{ "66", { .max = 5, .late = AF_INET6 }, "66" },
		{ "u", { .max = 5, .no_ipv4 = true, .no_ipv6 = true }, "u" },
	};
	const size_t order[1] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct host h = host("a", 0, 0);
		struct hop out[HOP_MAX];
		char got[9] = "";
		size_t n;

		h.addr_n = families(t[i].in, h.addr);
		n = hosts_hops(&h, order, 1, &t[i].choice, out);
		for (size_t k = 0; k < n; k++)
			got[k] = letter(&out[k].addr);
		ck_assert_str_eq(got, t[i].want);
	}
}
END_TEST

START_TEST(memory)
{
	struct family_memory m = { .lost = { 0 } };

	ck_assert_int_eq(family_late(&m, 0), AF_UNSPEC);
	family_lost(&m, AF_INET6, 1000);
	family_lost(&m, AF_INET6, 1000);
	ck_assert_int_eq(family_late(&m, 1000), AF_UNSPEC);
	family_lost(&m, AF_INET6, 1000);
	ck_assert_int_eq(family_late(&m, 1001), AF_INET6);
	ck_assert_int_eq(family_late(&m, 600999), AF_INET6);
	ck_assert_int_eq(family_late(&m, 601000), AF_UNSPEC);
	/* Once more is enough, while nothing says that it lives. */
	family_lost(&m, AF_INET6, 700000);
	ck_assert_int_eq(family_late(&m, 700001), AF_INET6);
	family_reached(&m, AF_INET6);
	ck_assert_int_eq(family_late(&m, 700001), AF_UNSPEC);
	/* Where both seem dead, neither is. */
	for (int i = 0; i < 3; i++) {
		family_lost(&m, AF_INET, 0);
		family_lost(&m, AF_INET6, 0);
	}
	ck_assert_int_eq(family_late(&m, 1), AF_UNSPEC);
	family_lost(&m, AF_UNIX, 0);
	family_reached(&m, AF_UNIX);
}
END_TEST

/* V6: the same hosts in the same order are the same, whatever the numbers. */
START_TEST(key)
{
	const struct host one[] = { host("b", 10, 1), host("A", 10, 1),
		host("c", 30, 1) };
	const struct host other[] = { host("C", 7, 2), host("a", 1, 0),
		host("b", 1, 1), host("B", 1, 1) };
	const struct host turned[] = { host("c", 10, 1), host("b", 20, 1),
		host("a", 20, 1) };
	struct buf k;

	buf_init(&k, 4096);
	hosts_key(one, 3, &k);
	ck_str(buf_str(&k), STR("a,b<c"));
	buf_reset(&k);
	hosts_key(other, 4, &k);
	ck_str(buf_str(&k), STR("a,b<c"));
	buf_reset(&k);
	hosts_key(turned, 3, &k);
	ck_str(buf_str(&k), STR("c<a,b"));
	buf_reset(&k);
	hosts_key(one, 0, &k);
	ck_str(buf_str(&k), STR(""));
	/* T-06: what TLS is demanded differs, and for one domain only perhaps. */
	struct dns_tlsa tlsa[] = { { .usage = 3 }, { .usage = 2 } };
	struct host_dane dane = { .base = "b", .others = { "d.test" }, .tlsa = tlsa, .tlsa_n = 1 };
	struct host tls[] = { host("a", 1, 1), host("b", 1, 1), host("c", 1, 1) };

	tls[0].tls.demand = TLS_DEMAND_NAME;
	tls[1].tls.demand = TLS_DEMAND_DANE;
	tls[1].dane = &dane;
	tls[2].tls.tell = true;
	hosts_key(tls, 3, &k);
	ck_str(buf_str(&k), STR("a/4,b/5,c/2t"));
	buf_reset(&k);
	dane.tlsa_n = 2;
	tls[0].tls.demand = TLS_DEMAND_SKIP;
	hosts_key(tls, 2, &k);
	ck_str(buf_str(&k), STR("a/0,b/5@d.test"));
	buf_free(&k);
}
END_TEST

UNIT_MAIN("order", preference, equals, hops, upstream, mixing, choosing, memory, key)
