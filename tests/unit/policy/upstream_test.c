/* SPDX-License-Identifier: GPL-3.0-or-later */

/* upstream_test -- every server once, mains first, spread by weight. */

#include "unit.h"

#include "lib/random.h"
#include "policy/upstream.h"

static struct conf_server servers[] = {
	{ .name = "heavy", .weight = 60 },
	{ .name = "light", .weight = 20 },
	{ .name = "backup1", .weight = 1, .backup = true },
	{ .name = "middle", .weight = 20 },
	{ .name = "backup2", .weight = 1, .backup = true },
	{ .name = "last", .weight = 0 },
};
static const struct conf_upstream upstream = { .name = "u",
	.servers = servers, .server_n = ARRAY_LEN(servers) };

static uint32_t
lowest(uint32_t below)
{
	ck_assert_uint_gt(below, 0);
	return 0;
}

static uint32_t
highest(uint32_t below)
{
	return below - 1;
}

static void
check_whole(const size_t *order)
{
	bool seen[ARRAY_LEN(servers)] = { false };

	for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
		ck_assert_uint_lt(order[i], ARRAY_LEN(servers));
		ck_assert(!seen[order[i]]);
		seen[order[i]] = true;
		ck_assert_int_eq(servers[order[i]].backup, i >= 4);
	}
	/* Weight 0 comes after all that have one. */
	ck_assert_uint_eq(order[3], 5);
}

START_TEST(ends)
{
	size_t order[ARRAY_LEN(servers)];

	upstream_order(&upstream, lowest, order);
	check_whole(order);
	ck_assert_uint_eq(order[0], 0);
	ck_assert_uint_eq(order[4], 2);
	upstream_order(&upstream, highest, order);
	check_whole(order);
	ck_assert_uint_eq(order[0], 3);
	ck_assert_uint_eq(order[4], 4);
}
END_TEST

START_TEST(spread)
{
	unsigned first[ARRAY_LEN(servers)] = { 0 };
	unsigned second_after_heavy[ARRAY_LEN(servers)] = { 0 };
	size_t order[ARRAY_LEN(servers)];

	for (int i = 0; i < 10000; i++) {
		upstream_order(&upstream, random_below, order);
		check_whole(order);
		first[order[0]]++;
		if (order[0] == 0)
			second_after_heavy[order[1]]++;
	}
	/* 60 : 20 : 20, within what chance allows by far. */
	ck_assert_uint_gt(first[0], 5500);
	ck_assert_uint_lt(first[0], 6500);
	ck_assert_uint_gt(first[1], 1600);
	ck_assert_uint_gt(first[3], 1600);
	ck_assert_uint_gt(second_after_heavy[1], 2400);
	ck_assert_uint_gt(second_after_heavy[3], 2400);
}
END_TEST

START_TEST(edges)
{
	struct conf_server one[] = { { .weight = UINT64_MAX } };
	struct conf_upstream u = { .servers = one, .server_n = 1 };
	size_t order[2] = { 7, 7 };

	upstream_order(&u, highest, order);
	ck_assert_uint_eq(order[0], 0);
	ck_assert_uint_eq(order[1], 7);
	u.server_n = 0;
	order[0] = 7;
	upstream_order(&u, highest, order);
	ck_assert_uint_eq(order[0], 7);
}
END_TEST

UNIT_MAIN("policy/upstream", ends, spread, edges)
