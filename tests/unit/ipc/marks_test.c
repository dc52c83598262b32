/* SPDX-License-Identifier: GPL-3.0-or-later */

/* marks -- who is refused, for how long, and who makes room. */

#include "ipc/marks.h"

#include "unit.h"

#define HOUR MARKS_MS
#define NOW (10 * (int64_t)HOUR)

static struct marks m;

static const struct mark *
find(uint64_t key, int64_t now)
{
	for (size_t i = 0; i < MARKS_MAX; i++) {
		const struct mark *mark = marks_at(&m, i, now);

		if (mark != NULL && mark->key == key)
			return mark;
	}
	return NULL;
}

START_TEST(counting)
{
	m = (struct marks){ 0 };
	ck_assert_ptr_null(find(7, NOW));
	ck_assert_int_eq(marks_refused_ms(&m, 7, NOW), 0);
	marks_add(&m, 7, NOW);
	marks_add(&m, 7, NOW + 10);
	ck_assert_int_eq(marks_refused_ms(&m, 7, NOW + 10), 0);
	ck_assert_uint_eq(find(7, NOW + 10)->crashes, 2);
	marks_add(&m, 7, NOW + 20);
	ck_assert_int_eq(marks_refused_ms(&m, 7, NOW + 20), HOUR);
	ck_assert_int_eq(marks_refused_ms(&m, 7, NOW + HOUR), 20);
	/* It is let in again, and everything is forgotten. */
	ck_assert_int_eq(marks_refused_ms(&m, 7, NOW + HOUR + 20), 0);
	ck_assert_ptr_null(find(7, NOW + HOUR + 20));
	marks_add(&m, 7, NOW + HOUR + 30);
	ck_assert_uint_eq(find(7, NOW + HOUR + 30)->crashes, 1);
	ck_assert_int_eq(marks_refused_ms(&m, 7, NOW + HOUR + 30), 0);
	/* Others are not concerned, and nobody is nobody. */
	for (int i = 0; i < 5; i++)
		marks_add(&m, 0, NOW);
	ck_assert_int_eq(marks_refused_ms(&m, 0, NOW), 0);
	ck_assert_int_eq(marks_refused_ms(&m, 8, NOW + 20), 0);
	ck_assert_ptr_null(find(0, NOW));
}
END_TEST

/* Each crash within an hour of the last counts. */
START_TEST(slow)
{
	m = (struct marks){ 0 };
	for (int i = 0; i < 3; i++)
		marks_add(&m, 7, NOW + i * (HOUR - (int64_t)1));
	ck_assert_int_eq(marks_refused_ms(&m, 7, NOW + 2 * (HOUR - (int64_t)1)),
	    HOUR);
	m = (struct marks){ 0 };
	for (int i = 0; i < 30; i++)
		marks_add(&m, 7, NOW + i * (int64_t)HOUR);
	ck_assert_int_eq(marks_refused_ms(&m, 7, NOW + 29 * (int64_t)HOUR), 0);
}
END_TEST

START_TEST(room)
{
	m = (struct marks){ 0 };
	for (int i = 0; i < 3; i++)
		marks_add(&m, 5, NOW);
	for (int i = 0; i < 2; i++)
		marks_add(&m, 6, NOW);
	for (uint64_t key = 1000; key < 1000 + MARKS_MAX - 2; key++)
		marks_add(&m, key, NOW + (int64_t)key);
	ck_assert_ptr_nonnull(find(1000, NOW + 2000));
	/* A flood of others takes the places of those who crashed once. */
	for (uint64_t key = 5000; key < 15000; key++)
		marks_add(&m, key, NOW + (int64_t)key);
	ck_assert_ptr_null(find(1000, NOW + 15000));
	ck_assert_ptr_nonnull(find(14999, NOW + 15000));
	ck_assert_uint_eq(find(6, NOW + 15000)->crashes, 2);
	ck_assert_int_gt(marks_refused_ms(&m, 5, NOW + 15000), 0);
	/* What is old goes first, however much it is. */
	marks_add(&m, 3, NOW + HOUR);
	ck_assert_ptr_null(find(5, NOW + HOUR));
	ck_assert_ptr_nonnull(find(3, NOW + HOUR));
}
END_TEST

START_TEST(over)
{
	static const char *const bad[] = { "", "1", "1 2", "x 2 3", "0 1 2",
		"1 2 -3", "18446744073709551616 1 1" };
	static const struct mark full = { UINT64_MAX, UINT64_MAX, INT64_MAX };
	struct marks old;
	struct buf b;

	m = (struct marks){ 0 };
	for (uint64_t key = 1; key <= MARKS_MAX; key++)
		for (uint64_t i = 0; i < key % 5; i++)
			marks_add(&m, key, NOW + (int64_t)key);
	old = m;
	m = (struct marks){ 0 };
	buf_init(&b, 100);
	for (size_t i = 0; i < MARKS_MAX; i++) {
		if (old.v[i].key == 0)
			continue;
		buf_reset(&b);
		mark_put(&b, &old.v[i]);
		ck_assert(mark_get(&m, buf_str(&b)));
		ck_assert_uint_eq(find(old.v[i].key, NOW)->crashes,
		    old.v[i].crashes);
		ck_assert_int_eq(find(old.v[i].key, NOW)->last_ms,
		    old.v[i].last_ms);
	}
	buf_reset(&b);
	mark_put(&b, &full);
	ck_assert(buf_ok(&b) && mark_get(&m, buf_str(&b)));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert(!mark_get(&m, str_c(bad[i])));
	buf_free(&b);
}
END_TEST

UNIT_MAIN("ipc/marks", counting, slow, room, over)
