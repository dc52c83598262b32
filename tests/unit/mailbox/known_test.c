/* SPDX-License-Identifier: GPL-3.0-or-later */

/* known -- what was counted is not read again, unless it may have changed. */

#include "tmpbox.h"

#include <sys/time.h>

#define SIZES "bob/.barid-sizes"
#define N 100
/* As long as each other; sent as 7 octets, and as 6. */
#define TEXT STR("a\nbc\n")
#define OTHER STR("abcd\n")

static const struct timeval then[2] = { { 1000000000, 5 }, { 1000000000, 5 } };

static const char *
message(unsigned i)
{
	static char name[64];

	snprintf(name, sizeof(name), "bob/new/%u.x", 1000 + i);
	return name;
}

/* Writes message I, as of a time that does not show it. */
static void
put(const struct tmpbox *t, unsigned i, struct str text)
{
	tmpbox_file(t, message(i), text);
	ck_assert_int_eq(utimes(tmpbox_path(t, message(i)), then), 0);
}

static void
begin(struct tmpbox *t, unsigned n)
{
	tmpbox_begin(t);
	tmpbox_make(t, "bob");
	for (unsigned i = 0; i < n; i++)
		put(t, i, TEXT);
}

/* A session that asks for all sizes: their sum. */
static uint64_t
sum(const struct tmpbox *t)
{
	uint64_t all = 0, size;
	struct maildir m;

	ck_assert_int_eq(maildir_open(&m, t->base, "bob"), 0);
	for (size_t i = 0; i < m.n; i++) {
		ck_assert_int_eq(maildir_size(&m, i, &size), 0);
		all += size;
	}
	maildir_close(&m);
	return all;
}

static bool
has(const struct tmpbox *t, const char *name)
{
	return access(tmpbox_path(t, name), F_OK) == 0;
}

/* Nobody writes to a message without that its time or its length says so. */
START_TEST(kept)
{
	struct tmpbox t;
	char path[512];

	begin(&t, N);
	ck_assert_uint_eq(sum(&t), 7 * N);
	ck_assert(has(&t, SIZES));
	ck_assert(!has(&t, SIZES ".new"));
	for (unsigned i = 0; i < N; i++)
		put(&t, i, OTHER);
	ck_assert_uint_eq(sum(&t), 7 * N);
	/* Moved and flagged it is the same. */
	memcpy(path, tmpbox_path(&t, message(3)), sizeof(path));
	ck_assert_int_eq(rename(path, tmpbox_path(&t, "bob/cur/1003.x:2,S")), 0);
	ck_assert_uint_eq(sum(&t), 7 * N);
	/* Another time, another length, another name, another file. */
	tmpbox_file(&t, message(0), OTHER);
	put(&t, 1, STR("abc\n"));
	memcpy(path, tmpbox_path(&t, message(2)), sizeof(path));
	ck_assert_int_eq(rename(path, tmpbox_path(&t, "bob/new/1002.y")), 0);
	put(&t, N, OTHER);
	memcpy(path, tmpbox_path(&t, message(N)), sizeof(path));
	ck_assert_int_eq(rename(path, tmpbox_path(&t, message(4))), 0);
	ck_assert_uint_eq(sum(&t), 7 * N - 1 - 2 - 1 - 1);
	tmpbox_end(&t);
}
END_TEST

/* What is added is counted, and kept when it is enough. */
START_TEST(more)
{
	struct tmpbox t;

	begin(&t, N);
	ck_assert_uint_eq(sum(&t), 7 * N);
	for (unsigned i = N; i < 2 * N; i++)
		put(&t, i, TEXT);
	ck_assert_uint_eq(sum(&t), 14 * N);
	for (unsigned i = 0; i < 2 * N; i++)
		put(&t, i, OTHER);
	ck_assert_uint_eq(sum(&t), 14 * N);
	tmpbox_end(&t);
}
END_TEST

/* A few are not worth it, nor is a session that did not ask for all. */
START_TEST(few)
{
	struct maildir m;
	struct tmpbox t;
	uint64_t size;

	begin(&t, 20);
	ck_assert_uint_eq(sum(&t), 7 * 20);
	ck_assert(!has(&t, SIZES));
	for (unsigned i = 20; i < N; i++)
		put(&t, i, TEXT);
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	for (size_t i = 0; i < N - 1; i++)
		ck_assert_int_eq(maildir_size(&m, i, &size), 0);
	maildir_close(&m);
	ck_assert(!has(&t, SIZES));
	tmpbox_end(&t);
}
END_TEST

/* Any octet that is wrong, any length: all is counted. */
START_TEST(damaged)
{
	static const off_t lengths[] = { 0, 8, 23, 24, 25, 64, 24 + 40 * (N - 1),
		24 + 40 * N - 1, 24 + 40 * N + 1 };
	struct tmpbox t;
	char path[512];

	begin(&t, N);
	for (off_t at = 0; at < 24 + 40 * N; at += 7) {
		unsigned char c;
		int fd;

		unlink(tmpbox_path(&t, SIZES));
		ck_assert_uint_eq(sum(&t), 7 * N);
		fd = open(tmpbox_path(&t, SIZES), O_RDWR);
		ck_assert_int_eq(pread(fd, &c, 1, at), 1);
		c ^= 0x40;
		ck_assert_int_eq(pwrite(fd, &c, 1, at), 1);
		close(fd);
		/* It is found out, and written anew. */
		ck_assert_uint_eq(sum(&t), 7 * N);
		fd = open(tmpbox_path(&t, SIZES), O_RDWR);
		c = 0;
		ck_assert_int_eq(pread(fd, &c, 1, 0), 1);
		ck_assert_uint_ne(c, 0);
		close(fd);
	}
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		unlink(tmpbox_path(&t, SIZES));
		ck_assert_uint_eq(sum(&t), 7 * N);
		ck_assert_int_eq(truncate(tmpbox_path(&t, SIZES), lengths[i]), 0);
		for (unsigned k = 0; k < N; k++)
			put(&t, k, OTHER);
		ck_assert_uint_eq(sum(&t), 6 * N);
		for (unsigned k = 0; k < N; k++)
			put(&t, k, TEXT);
	}
	/* What is no file is left alone, and nothing follows a link. */
	unlink(tmpbox_path(&t, SIZES));
	ck_assert_int_eq(mkdir(tmpbox_path(&t, SIZES), 0700), 0);
	ck_assert_uint_eq(sum(&t), 7 * N);
	ck_assert(!has(&t, SIZES ".new"));
	ck_assert_int_eq(rmdir(tmpbox_path(&t, SIZES)), 0);
	memcpy(path, tmpbox_path(&t, SIZES ".new"), sizeof(path));
	ck_assert_int_eq(symlink("elsewhere", path), 0);
	ck_assert_uint_eq(sum(&t), 7 * N);
	ck_assert(!has(&t, "bob/elsewhere"));
	ck_assert(!has(&t, SIZES));
	tmpbox_end(&t);
}
END_TEST

UNIT_MAIN("mailbox/known", kept, more, few, damaged)
