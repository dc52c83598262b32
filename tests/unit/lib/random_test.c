/* SPDX-License-Identifier: GPL-3.0-or-later */

/* random -- in range, all of the range, and not the same twice. */

#include <signal.h>

#include "child.h"
#include "lib/random.h"

START_TEST(differs)
{
	unsigned char a[32], b[32], zero[600] = { 0 }, big[600] = { 0 };

	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	ck_assert_mem_ne(a, b, sizeof(a));
	/* Above 256 bytes a call may give less than was asked for. */
	random_bytes(big, sizeof(big));
	ck_assert_mem_ne(big + 568, zero, 32);
	random_bytes(a, 0);
}
END_TEST

START_TEST(stays_below)
{
	unsigned seen[7] = { 0 };

	for (int i = 0; i < 7000; i++) {
		uint32_t v = random_below(7);

		ck_assert_uint_lt(v, 7);
		seen[v]++;
	}
	for (int i = 0; i < 7; i++) {
		ck_assert_uint_gt(seen[i], 700);
		ck_assert_uint_lt(seen[i], 1300);
	}
	for (int i = 0; i < 100; i++) {
		ck_assert_uint_eq(random_below(1), 0);
		ck_assert_uint_lt(random_below(0x80000001u), 0x80000001u);
		ck_assert_uint_lt(random_below(UINT32_MAX), UINT32_MAX);
	}
}
END_TEST

static void
below_nothing(void)
{
	_exit((int)random_below(0) & 1);
}

START_TEST(below_nothing_is_a_bug)
{
	ck_assert_int_eq(child_run(below_nothing, -1), 128 + SIGABRT);
}
END_TEST

UNIT_MAIN("lib/random", differs, stays_below, below_nothing_is_a_bug)
