/* SPDX-License-Identifier: GPL-3.0-or-later */

/* blocklist -- networks in words, and the text that is kept. */

#include "policy/blocklist.h"

#include "lib/clock.h"
#include "unit.h"

static struct blocks table;

/* CONFORMANCE S-66: who hops through a /64 is one. */
START_TEST(of_address)
{
	struct ip_range net;
	struct addr a;
	struct buf b;

	buf_init(&b, 200);
	ck_assert_int_eq(addr_parse(STR("2001:db8:1:2:3:4:5:6"), 25, &a), 0);
	ck_assert(blocklist_net_of(&a, &net));
	ip_range_add(&b, &net);
	ck_str(buf_str(&b), STR("2001:db8:1:2::/64"));
	buf_reset(&b);
	ck_assert_int_eq(addr_parse(STR("192.0.2.7"), 25, &a), 0);
	ck_assert(blocklist_net_of(&a, &net));
	ip_range_add(&b, &net);
	ck_str(buf_str(&b), STR("192.0.2.7"));
	ck_assert_int_eq(addr_unix("/x", &a), 0);
	ck_assert(!blocklist_net_of(&a, &net));
	buf_free(&b);
}
END_TEST

START_TEST(text)
{
	struct buf b, again;
	struct block copy;
	struct addr a;

	memset(&table, 0, sizeof(table));
	buf_init(&b, 65536);
	buf_init(&again, 65536);
	buf_addf(&b, "192.0.2.0/24 0 a whole net\n2001:db8::1 %lld \n198.51.100.1 17 is over\n"
	    "192.0.2.250-192.0.3.9 0 from to\n",
	    (long long)clock_wall() + 1000);
	ck_assert_uint_eq(blocklist_get(&table, buf_str(&b)), 0);
	ck_assert_int_eq(addr_parse(STR("192.0.2.7"), 25, &a), 0);
	ck_assert(blocklist_has(&table, &a, &copy));
	ck_assert_str_eq(copy.why, "a whole net");
	ck_assert(copy.by_hand && copy.until_ms == INT64_MAX);
	ck_assert_int_eq(addr_parse(STR("2001:db8::1"), 25, &a), 0);
	ck_assert(blocklist_has(&table, &a, &copy));
	ck_assert_int_gt(copy.until_ms, clock_ms() + 990000);
	ck_assert_int_eq(addr_parse(STR("192.0.3.9"), 25, &a), 0);
	ck_assert(blocklist_has(&table, &a, &copy));
	ck_assert_str_eq(copy.why, "from to");
	ck_assert_int_eq(addr_parse(STR("198.51.100.1"), 25, &a), 0);
	ck_assert(!blocklist_has(&table, &a, &copy));
	ck_assert_int_eq(addr_unix("/x", &a), 0);
	ck_assert(!blocklist_has(&table, &a, &copy));
	/* What is written can be read, and those of sessions are not kept. */
	copy = (struct block){ .until_ms = INT64_MAX };
	ck_assert_ptr_null(ip_range_parse(STR("203.0.113.1"), &copy.net));
	ck_assert(blocks_add(&table, &copy, clock_ms()));
	blocklist_put(&table, &again);
	ck_assert(str_starts(buf_str(&again), STR("192.0.2.0/24 0 a whole net\n2001:db8::1 ")));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&again), "\n192.0.2.250-192.0.3.9 0 from to\n"));
	ck_assert_ptr_null(strstr(buf_cstr(&again), "203"));
	memset(&table, 0, sizeof(table));
	ck_assert_uint_eq(blocklist_get(&table, buf_str(&again)), 0);
	buf_free(&b);
	buf_free(&again);
}
END_TEST

/* A file that somebody else wrote. */
START_TEST(bad_text)
{
	static const char *const bad[] = { "x\n", "192.0.2.1\n", "192.0.2.1 x\n", "\n",
		"192.0.2.1 -1 x\n", "192.0.2.1 0 a\001b\n", "192.0.2.1 99999999999999999999 x\n" };

	memset(&table, 0, sizeof(table));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(blocklist_get(&table, str_c(bad[i])) == 1, "%s", bad[i]);
	ck_assert_uint_eq(table.used, 0);
	ck_assert_uint_eq(blocklist_get(&table, STR("x\n192.0.2.1 0 y\nz")), 2);
	ck_assert_uint_eq(table.used, 1);
}
END_TEST

UNIT_MAIN("policy/blocklist", of_address, text, bad_text)
