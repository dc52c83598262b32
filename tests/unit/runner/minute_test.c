/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The last minute: what counts, what is too old, and a clock that is set. */

#include "../../../src/runner/minute.h"

#include "unit.h"

START_TEST(slides)
{
	struct minute m = { 0 };

	ck_assert_uint_eq(minute_sum(&m, 0, 1000), 0);
	ck_assert_uint_eq(minute_sum(&m, 0, 0), 0);
	for (int64_t s = 1000; s < 1120; s++) {
		minute_add(&m, 0, s);
		if (s % 2 == 0)
			minute_add(&m, 2, s);
	}
	/* Five tenths and what there is of the sixth. */
	ck_assert_uint_eq(minute_sum(&m, 0, 1119), 60);
	ck_assert_uint_eq(minute_sum(&m, 2, 1119), 30);
	ck_assert_uint_eq(minute_sum(&m, 1, 1119), 0);
	ck_assert_uint_eq(minute_sum(&m, 0, 1120), 50);
	ck_assert_uint_eq(minute_sum(&m, 0, 1165), 10);
	ck_assert_uint_eq(minute_sum(&m, 0, 1170), 0);
	ck_assert_uint_eq(minute_sum(&m, 0, 9999), 0);
	/* A pause: only what is new. */
	minute_add(&m, 0, 1145);
	ck_assert_uint_eq(minute_sum(&m, 0, 1145), 31);
	minute_add(&m, 0, 5000);
	ck_assert_uint_eq(minute_sum(&m, 0, 5000), 1);
}
END_TEST

START_TEST(set_back)
{
	struct minute m = { 0 };

	minute_add(&m, 1, 1000000);
	minute_add(&m, 1, 500);
	ck_assert_uint_eq(minute_sum(&m, 1, 500), 1);
	ck_assert_uint_eq(minute_sum(&m, 1, 1000000), 0);
	minute_add(&m, 1, 499);
	ck_assert_uint_ge(minute_sum(&m, 1, 505), 1);
}
END_TEST

UNIT_MAIN("runner/minute", slides, set_back)
