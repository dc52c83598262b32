/* SPDX-License-Identifier: GPL-3.0-or-later */

/* marks -- who is refused, for how long, and who makes room. */

#include "ipc/marks.h"

#include <sys/mman.h>
#include <unistd.h>

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

/* One writes, the others look. */
START_TEST(shared)
{
	int fd = -1, other = memfd_create("other", 0);
	struct marks *own = marks_new(&fd);
	const struct marks *reader;

	ck_assert_ptr_nonnull(own);
	reader = marks_attach(fd);
	ck_assert_ptr_nonnull(reader);
	for (int i = 0; i < MARKS_REFUSED; i++) {
		ck_assert_int_eq(marks_refused_ms(reader, 5, NOW), 0);
		marks_add(own, 5, NOW);
	}
	ck_assert_int_gt(marks_refused_ms(reader, 5, NOW), 0);
	ck_assert_ptr_eq(
	    mmap(NULL, sizeof(*own), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_ptr_null(marks_attach(-1));
	ck_assert_ptr_null(marks_attach(other));
	marks_free(reader);
	marks_free(own);
	marks_free(NULL);
	close(other);
	close(fd);
}
END_TEST

UNIT_MAIN("ipc/marks", counting, slow, room, shared)
