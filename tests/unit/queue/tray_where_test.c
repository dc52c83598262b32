/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tray_where -- which message stands in which tray. */

#include "tmptray.h"

#define NEXT 4000000000

/* Without a hint: by a scan, and by whoever only looks. */
START_TEST(without_a_hint)
{
	struct queue_file f;
	const char *reason;
	struct tmpspool t;
	struct queue *q;
	struct seen s;

	begin(&t);
	lay(&t, STR(TEXT1));
	q = another(&t);
	ck_assert_int_eq(queue_load(q, QUEUE_NEW, t.env.id, true, &t.a, &f,
	    &reason), 0);
	check_text(&f, STR(TEXT1));
	queue_unload(&f);
	queue_close(q);
	q = another(&t);
	ck_assert_uint_eq(count(q, QUEUE_NEW, &s), 1);
	ck_assert_str_eq(s.id, t.env.id);
	ck_assert_uint_lt(s.size, 1000);
	ck_assert_int_eq(queue_remove(q, QUEUE_NEW, s.id), 0);
	ck_assert_uint_eq(count(q, QUEUE_NEW, &s), 0);
	queue_close(q);
	tmpspool_end(&t);
}
END_TEST

/* Anybody can say anything of a tray: it is not believed, nor does it hurt. */
START_TEST(wrong_hints)
{
	char id[QUEUE_ID_SIZE], other[QUEUE_ID_SIZE];
	struct queue_file f;
	const char *reason;
	struct tmpspool t;

	begin(&t);
	lay(&t, STR(TEXT1));
	memcpy(id, t.env.id, sizeof(id));
	queue_id_new(other);
	queue_tray_hint(t.q, other, no + 1);
	queue_tray_hint(t.q, other, 4);
	queue_tray_hint(t.q, other, 0);
	queue_tray_hint(t.q, other, UINT64_MAX);
	ck_assert_int_eq(queue_remove(t.q, QUEUE_NEW, other), -1);
	ck_assert_int_eq(errno, ENOENT);
	queue_tray_hint(t.q, other, no + 1);
	ck_assert_int_eq(queue_move(t.q, QUEUE_NEW, other, QUEUE_BAD), -1);
	queue_tray_hint(t.q, other, no + 1);
	ck_assert_int_eq(queue_set_next(t.q, QUEUE_NEW, other, NEXT), -1);
	queue_tray_hint(t.q, other, no + 1);
	ck_assert_int_eq(queue_load(t.q, QUEUE_NEW, other, false, &t.a, &f,
	    &reason), -1);
	ck_assert_int_eq(errno, ENOENT);
	/* What is true is not forgotten for it. */
	queue_tray_hint(t.q, id, no + 1);
	queue_tray_hint(t.q, other, no + 1);
	tmpspool_load(&t, QUEUE_NEW, &f);
	queue_unload(&f);
	ck_assert_int_eq(queue_remove(t.q, QUEUE_NEW, id), 0);
	tmpspool_end(&t);
}
END_TEST

/* What was said late does not take the place of what is there. */
START_TEST(late_hints)
{
	char first[QUEUE_ID_SIZE];
	struct queue_file f;
	struct tmpspool t;

	begin(&t);
	lay(&t, STR(TEXT1));
	memcpy(first, t.env.id, sizeof(first));
	queue_tray_hint(t.q, first, no + 1);
	ck_assert_int_eq(queue_remove(t.q, QUEUE_NEW, first), 0);
	lay(&t, STR(TEXT1));
	queue_tray_hint(t.q, t.env.id, no + 1);
	tmpspool_load(&t, QUEUE_NEW, &f);
	queue_unload(&f);
	queue_tray_hint(t.q, first, no + 1);
	ck_assert_int_eq(queue_remove(t.q, QUEUE_NEW, first), -1);
	ck_assert_int_eq(queue_remove(t.q, QUEUE_NEW, t.env.id), 0);
	tmpspool_end(&t);
}
END_TEST

/* Two trays with the same id: one of them is known at a time, and what is removed is that one. */
START_TEST(two_with_one_id)
{
	struct queue_file f;
	struct tmpspool t;
	char text[1000];
	unsigned other;
	ssize_t n;
	int fd;

	begin(&t);
	lay(&t, STR(TEXT1));
	fd = open(tray_path(&t), O_RDONLY);
	n = pread(fd, text, sizeof(text), 0);
	close(fd);
	queue_tray_hint(t.q, t.env.id, no + 1);
	other = (no + 1) % 3;
	fd = queue_tray_open(t.q, other);
	ck_assert_int_eq(pwrite(fd, text, (size_t)n, 0), n);
	queue_tray_hint(t.q, t.env.id, other + 1);
	tmpspool_load(&t, QUEUE_NEW, &f);
	queue_unload(&f);
	ck_assert_int_eq(queue_remove(t.q, QUEUE_NEW, t.env.id), 0);
	ck_assert_int_eq(pread(fd, text, 1, 0), 1);
	ck_assert_int_eq(text[0], 'b');
	close(fd);
	tmpspool_end(&t);
}
END_TEST

UNIT_MAIN("queue/tray_where", without_a_hint, wrong_hints, late_hints,
    two_with_one_id)
