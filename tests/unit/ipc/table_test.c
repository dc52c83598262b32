/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The scoreboard's index: filled, emptied, and searched when full. */

#include "ipc/table.h"

#include "unit.h"

START_TEST(fill_and_empty)
{
	enum { N = 1000 };
	struct table t;

	table_init(&t, N);
	for (int round = 0; round < 5; round++) {
		for (uint64_t i = 0; i < N; i++) {
			ck_assert_uint_eq(table_get(&t, i << 40), 0);
			table_put(&t, i << 40, (size_t)i + 1);
		}
		for (uint64_t i = 0; i < N; i++)
			ck_assert_uint_eq(table_get(&t, i << 40), (size_t)i + 1);
		/* Every third first: the others must still be found. */
		for (uint64_t i = 0; i < N; i += 3)
			table_put(&t, i << 40, 0);
		for (uint64_t i = 0; i < N; i++)
			ck_assert_uint_eq(table_get(&t, i << 40),
			    i % 3 == 0 ? 0 : (size_t)i + 1);
		for (uint64_t i = N; i-- > 0;)
			table_put(&t, i << 40, 0);
	}
	table_free(&t);
}
END_TEST

START_TEST(smallest)
{
	struct table t;

	table_init(&t, 1);
	table_put(&t, 0, 5);
	ck_assert_uint_eq(table_get(&t, 0), 5);
	table_put(&t, 0, 6);
	ck_assert_uint_eq(table_get(&t, 0), 6);
	ck_assert_uint_eq(table_get(&t, UINT64_MAX), 0);
	table_put(&t, UINT64_MAX, 0);
	table_put(&t, 0, 0);
	ck_assert_uint_eq(table_get(&t, 0), 0);
	table_free(&t);
}
END_TEST

UNIT_MAIN("table", fill_and_empty, smallest)
