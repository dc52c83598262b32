/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scan -- every message once, nothing else; and cleaning tmp/. */

#include "tmpspool.h"

#include <fcntl.h>
#include <sys/time.h>

struct seen {
	unsigned n, others, stop_at;
	uint64_t size;
	int64_t mtime;
	char id[QUEUE_ID_SIZE];
};

static bool
see(void *arg, const char *id, int64_t mtime, uint64_t size)
{
	struct seen *s = arg;

	if (id == NULL) {
		s->others++;
		return true;
	}
	ck_assert(queue_id_valid(str_c(id)));
	s->n++;
	s->size = size;
	s->mtime = mtime;
	memcpy(s->id, id, sizeof(s->id));
	return s->n != s->stop_at;
}

START_TEST(new_and_cur)
{
	struct seen s = { 0 };
	struct tmpspool t;
	struct stat st;

	tmpspool_begin(&t);
	for (int i = 0; i < 300; i++) {
		struct queue_file f;

		tmpspool_put(&t, STR(TEXT1), false);
		if (i % 3 == 0)
			continue;
		tmpspool_load(&t, QUEUE_NEW, &f);
		ck_assert_int_eq(queue_defer(t.q, &f, 12345), 0);
		queue_unload(&f);
		arena_reset(&t.a);
	}
	ck_assert_int_eq(queue_scan(t.q, QUEUE_NEW, see, &s), 0);
	ck_assert_uint_eq(s.n, 100);
	ck_assert_int_eq(stat(tmpspool_path(&t, "new", s.id), &st), 0);
	ck_assert_uint_eq(s.size, (uint64_t)st.st_size);
	ck_assert_int_eq(s.mtime, st.st_mtime);
	s = (struct seen){ 0 };
	ck_assert_int_eq(queue_scan(t.q, QUEUE_CUR, see, &s), 0);
	ck_assert_uint_eq(s.n, 200);
	ck_assert_uint_eq(s.others, 0);
	ck_assert_int_eq(s.mtime, 12345);
	/* A second one sees the same; and one can be stopped. */
	s = (struct seen){ .stop_at = 7 };
	ck_assert_int_eq(queue_scan(t.q, QUEUE_CUR, see, &s), 0);
	ck_assert_uint_eq(s.n, 7);
	s = (struct seen){ .stop_at = 7 };
	ck_assert_int_eq(queue_scan(t.q, QUEUE_NEW, see, &s), 0);
	ck_assert_uint_eq(s.n, 7);
	s = (struct seen){ 0 };
	ck_assert_int_eq(queue_scan(t.q, QUEUE_DEAD, see, &s), 0);
	ck_assert_uint_eq(s.n, 0);
	tmpspool_end(&t);
}
END_TEST

/* Many: each is seen once. */
START_TEST(many)
{
	enum { MANY = 20000 };
	struct seen s = { 0 };
	struct tmpspool t;
	struct buf name;

	tmpspool_begin(&t);
	buf_init(&name, 64);
	for (unsigned i = 0; i < MANY; i++) {
		int fd;

		buf_reset(&name);
		buf_addf(&name, "0660C1CE%05X0002E6", i);
		fd = open(tmpspool_path(&t, "new", buf_cstr(&name)),
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		ck_assert_int_ge(fd, 0);
		close(fd);
	}
	ck_assert_int_eq(queue_scan(t.q, QUEUE_NEW, see, &s), 0);
	ck_assert_uint_eq(s.n, MANY);
	s = (struct seen){ .stop_at = MANY - 1 };
	ck_assert_int_eq(queue_scan(t.q, QUEUE_NEW, see, &s), 0);
	ck_assert_uint_eq(s.n, MANY - 1);
	buf_free(&name);
	tmpspool_end(&t);
}
END_TEST

/* Each message is in one part; what names alone say is the same. */
START_TEST(parts)
{
	enum { PARTS = 3, MANY = 100 };
	struct seen s[PARTS] = { { 0 } };
	struct tmpspool t;
	unsigned n = 0;

	tmpspool_begin(&t);
	for (unsigned i = 0; i < MANY; i++)
		tmpspool_put(&t, STR(TEXT1), false);
	for (size_t i = 0; i < PARTS; i++) {
		struct queue_part part = { i, PARTS, i == 1 };

		ck_assert_int_eq(queue_scan_part(t.q, QUEUE_NEW, &part, see,
				     &s[i]), 0);
		ck_assert_uint_eq(runner_of(s[i].id, PARTS), i);
		ck_assert((s[i].size == 0) == part.names);
		ck_assert_int_ge(s[i].mtime, clock_wall() - 60);
		ck_assert_int_le(s[i].mtime, clock_wall());
		n += s[i].n;
	}
	ck_assert_uint_eq(n, MANY);
	tmpspool_end(&t);
}
END_TEST

START_TEST(what_is_no_message)
{
	const struct queue_part names = { .count = 1, .names = true };
	struct seen s = { 0 };
	struct tmpspool t;

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	tmpspool_file(tmpspool_path(&t, "new", "README"), STR("x"));
	tmpspool_file(tmpspool_path(&t, "new", ".hidden"), STR("x"));
	tmpspool_env(&t);
	ck_assert_int_eq(mkdir(tmpspool_path(&t, "new", t.env.id), 0700), 0);
	ck_assert_int_eq(queue_scan(t.q, QUEUE_NEW, see, &s), 0);
	ck_assert_uint_eq(s.n, 1);
	ck_assert_uint_eq(s.others, 1);
	s = (struct seen){ 0 };
	ck_assert_int_eq(queue_scan_part(t.q, QUEUE_NEW, &names, see, &s), 0);
	ck_assert_uint_eq(s.n, 1);
	ck_assert_uint_eq(s.others, 1);
	ck_assert(tmpspool_has(&t, "new", "README"));
	tmpspool_end(&t);
}
END_TEST

static void
make_old(const char *path)
{
	struct timeval then[2] = { { 1000000, 0 }, { 1000000, 0 } };

	tmpspool_file(path, STR("x"));
	ck_assert_int_eq(utimes(path, then), 0);
}

START_TEST(clean)
{
	struct tmpspool t;

	tmpspool_begin(&t);
	make_old(tmpspool_path(&t, "tmp", "0651F0C3D2A1BF00042"));
	make_old(tmpspool_path(&t, "drop", "tmp.0651F0C3D2A1BF00042"));
	make_old(tmpspool_path(&t, "drop", "0651F0C3D2A1BF00042"));
	make_old(tmpspool_path(&t, "new", "0651F0C3D2A1BF00042"));
	tmpspool_file(tmpspool_path(&t, "tmp", "young"), STR("x"));
	ck_assert_int_eq(mkdir(tmpspool_path(&t, "tmp", "dir"), 0700), 0);
	ck_assert_int_eq(queue_clean(t.q, 86400), 2);
	ck_assert_int_eq(queue_clean(t.q, 86400), 0);
	ck_assert(!tmpspool_has(&t, "tmp", "0651F0C3D2A1BF00042"));
	ck_assert(!tmpspool_has(&t, "drop", "tmp.0651F0C3D2A1BF00042"));
	ck_assert(tmpspool_has(&t, "drop", "0651F0C3D2A1BF00042"));
	ck_assert(tmpspool_has(&t, "new", "0651F0C3D2A1BF00042"));
	ck_assert(tmpspool_has(&t, "tmp", "young"));
	tmpspool_end(&t);
}
END_TEST

UNIT_MAIN("queue/scan", new_and_cur, many, parts, what_is_no_message, clean)
