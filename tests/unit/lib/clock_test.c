/* SPDX-License-Identifier: GPL-3.0-or-later */

/* clock -- one never goes back, the other is the time of day. */

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

UNIT_MAIN("lib/clock", never_goes_back, is_the_time_of_day)
