/* SPDX-License-Identifier: GPL-3.0-or-later */

/* prefix -- what stands before a text and is known behind it. */

#include "queue/prefix.h"

#include <unistd.h>

#include "tmpspool.h"

#define FOUND "[{\"spf\":\"pass\"}]"

/* A message of PREFIX and TEXT, loaded into F and its text into B. */
static void
written(struct tmpspool *t, struct str prefix, struct str text, bool to_drop,
    struct queue_file *f, struct buf *b)
{
	struct envelope *e = tmpspool_env(t);
	struct queue_msg *m = queue_begin(t->q, e, to_drop);

	ck_assert_ptr_nonnull(m);
	queue_reserve(m, e);
	for (; text.n > 0; text = str_skip(text, 10000))
		ck_assert_int_eq(queue_write(m, str_head(text, 10000)), 0);
	e->checks = STR(FOUND);
	ck_assert_int_eq(queue_prefix(m, e, prefix), 0);
	ck_assert_int_eq(queue_commit(m), 0);
	tmpspool_load(t, to_drop ? QUEUE_DROP : QUEUE_NEW, f);
	buf_init(b, 8 << 20);
	ck_assert_int_eq(queue_read(f, SIZE_MAX, b), 0);
}

START_TEST(every_size)
{
	static const size_t texts[] = { 0, 1, 5000, 65000, 65535, 65536, 65537, 200000,
		3000001 };
	static const size_t prefixes[] = { 0, 1, 700, 16000 };
	struct tmpspool t;

	tmpspool_begin(&t);
	for (size_t i = 0; i < ARRAY_LEN(texts) * ARRAY_LEN(prefixes) * 2; i++) {
		size_t n = texts[i / 2 % ARRAY_LEN(texts)];
		size_t k = prefixes[i / 2 / ARRAY_LEN(texts)];
		char *p = tmpspool_lines(k + n);
		struct queue_file f;
		struct buf b;

		written(&t, str_n(p, k), str_n(p + k, n), i % 2 == 0, &f, &b);
		ck_str(buf_str(&b), str_n(p, k + n));
		ck_str(f.env.checks, STR(FOUND));
		ck_assert_uint_eq(f.env.rcpt_n, 3);
		ck_assert_uint_eq(f.env.extra_n, 0);
		buf_free(&b);
		queue_unload(&f);
		arena_reset(&t.a);
		free(p);
	}
	tmpspool_end(&t);
}
END_TEST

/* What the reader finds is what an envelope written anew has, without filling. */
START_TEST(rewritten)
{
	char *p = tmpspool_lines(100000);
	struct queue_file f;
	struct tmpspool t;
	struct buf b;
	off_t at;

	tmpspool_begin(&t);
	written(&t, STR("A: b\r\n"), str_n(p, 100000), false, &f, &b);
	at = f.text_at;
	ck_assert_int_eq(queue_rewrite(t.q, &f, 4000000000), 0);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_assert_int_lt(f.text_at, at - 10000);
	ck_str(f.env.checks, STR(FOUND));
	ck_assert_uint_eq(f.size, 100006);
	queue_unload(&f);
	buf_free(&b);
	free(p);
	tmpspool_end(&t);
}
END_TEST

/* More than was reserved: an error, and nothing stays. */
/* Another process reads what was written so far, in memory and on the disk, and cannot write. */
START_TEST(shown)
{
	static const size_t texts[] = { 0, 1, 5000, 65000, 65536, 200001 };
	struct tmpspool t;

	tmpspool_begin(&t);
	for (size_t i = 0; i < ARRAY_LEN(texts) * 2; i++) {
		size_t n = texts[i / 2];
		struct envelope *e = tmpspool_env(&t);
		struct queue_msg *m = queue_begin(t.q, e, false);
		char *p = tmpspool_lines(n), *got = calloc(n + 2, 1);
		off_t at = -1;
		int fd;

		ck_assert_ptr_nonnull(m);
		if (i % 2 == 1)
			queue_reserve(m, e);
		for (struct str text = str_n(p, n); text.n > 0; text = str_skip(text, 10000))
			ck_assert_int_eq(queue_write(m, str_head(text, 10000)), 0);
		fd = queue_show(m, &at);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(pread(fd, got, n + 1, at), (ssize_t)n);
		ck_assert(memcmp(got, p, n) == 0);
		if (n > 65536)
			ck_assert_int_lt(pwrite(fd, "x", 1, at), 0);
		/* It goes on as if nothing had been. */
		ck_assert_int_eq(queue_write(m, STR("more\r\n")), 0);
		ck_assert_uint_eq(queue_size(m), n + 6);
		ck_assert_int_eq(queue_commit(m), 0);
		close(fd);
		free(p);
		free(got);
	}
	tmpspool_end(&t);
}
END_TEST

START_TEST(too_long)
{
	char *p = tmpspool_lines(200000);

	for (int twice = 0; twice < 2; twice++) {
		struct tmpspool t;
		struct envelope *e;
		struct queue_msg *m;

		tmpspool_begin(&t);
		e = tmpspool_env(&t);
		m = queue_begin(t.q, e, false);
		ck_assert_ptr_nonnull(m);
		queue_reserve(m, e);
		ck_assert_int_eq(queue_write(m, str_n(p, 200000)), 0);
		/* There is no room for the envelope, or no room at all. */
		ck_assert_int_eq(queue_prefix(m, e,
		    str_n(p, QUEUE_LATE_MAX + (twice == 0 ? 1 : 50000))), -1);
		ck_assert_int_eq(errno, EMSGSIZE);
		ck_assert_int_eq(queue_commit(m), -1);
		ck_assert(!tmpspool_has(&t, "new", t.env.id));
		tmpspool_end(&t);
	}
	free(p);
}
END_TEST

UNIT_MAIN("queue/prefix", every_size, rewritten, shown, too_long)
