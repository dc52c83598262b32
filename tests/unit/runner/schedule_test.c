/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Points of retry: fixed by the arrival, never in the past, never at once. */

#include "runner/result.h"

#include "unit.h"

#define MIN 60000
#define HOUR 3600000

static uint32_t none_below(uint32_t below) { return below - below; }
static uint32_t most_below(uint32_t below) { return below - 1; }

/* K5: each step once, and the last for ever. */
START_TEST(points)
{
	static int64_t steps[] = { 3 * MIN, 3 * MIN, 9 * MIN, 15 * MIN,
		30 * MIN, 2 * HOUR };
	const struct conf_times retry = { steps, ARRAY_LEN(steps) };
	/* Since the arrival: now, and the point that is next. */
	static const struct {
		int64_t now, next;
	} cases[] = {
		{ 0, 3 * MIN },
		{ 1000, 3 * MIN },
		/* Nearer than ten seconds is too near. */
		{ 3 * MIN - 10000, 3 * MIN },
		{ 3 * MIN - 9999, 6 * MIN },
		{ 3 * MIN, 6 * MIN },
		{ 7 * MIN, 15 * MIN },
		{ 15 * MIN, 30 * MIN },
		{ 30 * MIN, 60 * MIN },
		{ 60 * MIN, 180 * MIN },
		{ 180 * MIN, 300 * MIN },
		/* A day of standing still is not caught up on. */
		{ 24 * HOUR + MIN, 25 * HOUR },
		{ (int64_t)100000 * HOUR, (int64_t)100001 * HOUR },
		/* The clock was set back: as if it came in now. */
		{ -HOUR, -HOUR + 3 * MIN },
	};
	const int64_t arrival = 1700000000000;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t now = arrival + cases[i].now;
		int64_t want = arrival + cases[i].next, wait = want - now;
		int64_t got = schedule_next(&retry, arrival, now, none_below);

		ck_assert_msg(got == want, "case %zu: %lld instead of %lld", i,
		    (long long)got, (long long)want);
		got = schedule_next(&retry, arrival, now, most_below);
		ck_assert_int_le(got, want + wait / 10 + 1);
		ck_assert_int_ge(got, want + wait / 10 - 5);
	}
}
END_TEST

START_TEST(odd)
{
	static int64_t zero[] = { 0 }, second[] = { 1000 };
	const struct conf_times none = { NULL, 0 }, nil = { zero, 1 },
				fast = { second, 1 };

	/* Whatever is configured, it is in the future and ends. */
	ck_assert_int_gt(schedule_next(&none, 0, 5000, none_below), 5000);
	ck_assert_int_gt(schedule_next(&nil, 0, HOUR, none_below), HOUR);
	ck_assert_int_eq(
	    schedule_next(&fast, 0, 10000, none_below), 11000);
}
END_TEST

static uint32_t dice = 1;

static uint32_t
any_below(uint32_t below)
{
	dice = dice * 1103515245 + 12345;
	return (dice >> 16) % below;
}

/* Whatever the jitter, each point is one attempt, and not a few. */
START_TEST(count)
{
	static int64_t steps[] = { 3 * MIN, 3 * MIN, 9 * MIN, 15 * MIN,
		30 * MIN, 2 * HOUR };
	const struct conf_times retry = { steps, ARRAY_LEN(steps) };
	const int64_t arrival = 1700000000000;
	const int64_t end = arrival + 121 * HOUR - HOUR / 2;

	for (size_t i = 0; i < 100; i++) {
		int64_t at = arrival;
		size_t n = 0;

		while ((at = schedule_next(&retry, arrival, at, any_below)) <
		    end)
			n++;
		/* Five in the first hour, then one in two. */
		ck_assert_uint_eq(n, 5 + 59);
	}
}
END_TEST

START_TEST(delays)
{
	static int64_t times[] = { 4 * HOUR, 24 * HOUR, 0 };
	const struct conf_times notice = { times, 3 }, none = { NULL, 0 };

	ck_assert_uint_eq(schedule_delays(&notice, 0), 0);
	ck_assert_uint_eq(schedule_delays(&notice, 4 * HOUR - 1), 0);
	ck_assert_uint_eq(schedule_delays(&notice, 4 * HOUR), 1);
	ck_assert_uint_eq(schedule_delays(&notice, 48 * HOUR), 2);
	ck_assert_uint_eq(schedule_delays(&none, 48 * HOUR), 0);
}
END_TEST

/* C-16: a hundred thousand do not go at once, nor a few of them late. */
START_TEST(spread)
{
	ck_assert_uint_eq(schedule_spread(0), 0);
	ck_assert_uint_eq(schedule_spread(1000), 0);
	ck_assert_uint_ge(schedule_spread(100000), 10);
	ck_assert_uint_le(schedule_spread(100000), 60);
	ck_assert_uint_le(schedule_spread(SIZE_MAX), 600);
}
END_TEST

UNIT_MAIN("schedule", points, odd, count, delays, spread)
