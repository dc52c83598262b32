/* SPDX-License-Identifier: GPL-3.0-or-later */

/* clock -- one never goes back, the other is the time of day. */

#include <stdlib.h>
#include <time.h>

#include "lib/clock.h"
#include "unit.h"

START_TEST(never_goes_back)
{
	int64_t last = clock_ms();

	ck_assert_int_gt(last, 0);
	for (int i = 0; i < 100000; i++) {
		int64_t now = clock_ms();

		ck_assert_int_ge(now, last);
		last = now;
	}
}
END_TEST

START_TEST(is_the_time_of_day)
{
	int64_t before = time(NULL);
	int64_t s = clock_wall(), us = clock_wall_us();
	int64_t after = time(NULL);

	ck_assert_int_ge(s, before);
	ck_assert_int_le(s, after + 1);
	ck_assert_int_ge(us, before * 1000000);
	ck_assert_int_le(us, (after + 2) * 1000000);
}
END_TEST

static void
ck_local(int64_t t)
{
	time_t when = (time_t)t;
	struct tm want, got;

	ck_assert(localtime_r(&when, &want) != NULL);
	ck_assert(clock_local(t, &got));
	ck_assert_int_eq(got.tm_sec, want.tm_sec);
	ck_assert_int_eq(got.tm_min, want.tm_min);
	ck_assert_int_eq(got.tm_hour, want.tm_hour);
	ck_assert_int_eq(got.tm_mday, want.tm_mday);
	ck_assert_int_eq(got.tm_mon, want.tm_mon);
	ck_assert_int_eq(got.tm_year, want.tm_year);
	ck_assert_int_eq(got.tm_wday, want.tm_wday);
	ck_assert_int_eq(got.tm_yday, want.tm_yday);
	ck_assert_int_eq(got.tm_isdst, want.tm_isdst);
	ck_assert_int_eq(got.tm_gmtoff, want.tm_gmtoff);
}

/* Prepared or not, before and after, it is what the library says. */
static void
ck_around(int64_t moment)
{
	for (int64_t now = moment - 3600; now <= moment + 3600; now += 337) {
		clock_local_prepare(now);
		for (int64_t t = now - 1000; t <= now + 1000; t += 61)
			ck_local(t);
		ck_local(now);
		ck_local(now - now % 900);
		ck_local(now - now % 900 + 899);
		ck_local(now - now % 900 + 900);
	}
}

START_TEST(local_time)
{
	/* The last three change by half an hour, at an odd minute, and not at all. */
	static const char *const zones[] = { "UTC0", "Europe/Berlin",
		"CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0",
		"XXX-10:30YYY-11,M10.1.0,M4.1.0", "AAA-0:07:20BBB,M3.5.0/2:03,M10.5.0/3:03",
		"NPT-5:45" };

	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		setenv("TZ", zones[i], 1);
		tzset();
		/* Forgets the zone before. */
		clock_local_prepare(0);
		/* The clocks change in Europe, in America, and a year ends. */
		ck_around(1774746000);
		ck_around(1792890000);
		ck_around(1772953200);
		ck_around(1793512800);
		ck_around(1790000000);
		ck_around(1798761600);
		/* The first days of the other zones. */
		for (int64_t t = 1774746000 - 86400; t < 1774746000 + 86400; t += 899) {
			clock_local_prepare(t);
			ck_local(t);
			ck_local(t + 450);
		}
		ck_local(0);
		ck_local(-1);
		ck_local(INT64_C(4102444800));
	}
}
END_TEST

UNIT_MAIN("lib/clock", never_goes_back, is_the_time_of_day, local_time)
