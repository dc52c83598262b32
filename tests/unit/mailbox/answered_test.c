/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Whom a mailbox has answered by itself of late. */

#include "mailbox/answered.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tmpbox.h"

#define WEEK 604800

static struct tmpbox box;

START_TEST(once)
{
	int dir;

	tmpbox_begin(&box);
	dir = answered_dir(box.dir, geteuid());
	ck_assert_int_ge(dir, 0);
	ck_assert(answered_take(dir, "alice", STR("bob@x.org"), 1000, WEEK));
	ck_assert(!answered_take(dir, "alice", STR("BOB@x.org"), 1000, WEEK));
	ck_assert_int_eq(errno, 0);
	ck_assert(!answered_take(dir, "alice", STR("bob@x.org"), 1000 + WEEK - 1, WEEK));
	ck_assert(answered_take(dir, "alice", STR("eve@x.org"), 1001, WEEK));
	ck_assert(answered_take(dir, "carol", STR("bob@x.org"), 1001, WEEK));
	close(dir);
	/* It is there for the next process, and until it is over. */
	dir = answered_dir(box.dir, geteuid());
	ck_assert(!answered_take(dir, "alice", STR("bob@x.org"), 1002, WEEK));
	ck_assert(answered_take(dir, "alice", STR("bob@x.org"), 1000 + WEEK, WEEK));
	/* A clock that was ahead keeps nobody silent for ever. */
	ck_assert(answered_take(dir, "alice", STR("bob@x.org"), 900, WEEK));
	close(dir);
	tmpbox_end(&box);
}
END_TEST

START_TEST(bounded)
{
	char name[64];
	struct stat st;
	int dir;

	tmpbox_begin(&box);
	dir = answered_dir(box.dir, geteuid());
	for (unsigned i = 0; i < ANSWERED_MAX; i++) {
		snprintf(name, sizeof(name), "u%u@x.org", i);
		ck_assert(answered_take(dir, "alice", str_c(name), 1000 + i / 100, WEEK));
	}
	ck_assert(!answered_take(dir, "alice", STR("late@x.org"), 1100, WEEK));
	ck_assert_int_eq(errno, 0);
	ck_assert_int_eq(fstatat(dir, "alice", &st, 0), 0);
	ck_assert_int_eq(st.st_size, ANSWERED_MAX * 16);
	/* The places of those that are over. */
	ck_assert(answered_take(dir, "alice", STR("late@x.org"), 1000 + WEEK, WEEK));
	ck_assert(!answered_take(dir, "alice", STR("late@x.org"), 1000 + WEEK, WEEK));
	ck_assert_int_eq(fstatat(dir, "alice", &st, 0), 0);
	ck_assert_int_eq(st.st_size, ANSWERED_MAX * 16);
	close(dir);
	tmpbox_end(&box);
}
END_TEST

START_TEST(strange)
{
	char path[600];
	int dir, fd;

	tmpbox_begin(&box);
	dir = answered_dir(box.dir, geteuid());
	/* No link is followed, nothing is waited for. */
	ck_assert_int_eq(symlinkat("/etc/passwd", dir, "alice"), 0);
	ck_assert(!answered_take(dir, "alice", STR("bob@x.org"), 1000, WEEK));
	ck_assert_int_eq(errno, ELOOP);
	ck_assert_int_eq(mkfifoat(dir, "bob", 0600), 0);
	ck_assert(!answered_take(dir, "bob", STR("bob@x.org"), 1000, WEEK));
	ck_assert_int_eq(errno, EINVAL);
	/* What is left of an entry that was cut off counts for nothing. */
	fd = openat(dir, "carol", O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(write(fd, "0123456789", 10), 10);
	close(fd);
	ck_assert(answered_take(dir, "carol", STR("bob@x.org"), 1000, WEEK));
	ck_assert(!answered_take(dir, "carol", STR("bob@x.org"), 1000, WEEK));
	close(dir);
	snprintf(path, sizeof(path), "%s/none", box.dir);
	ck_assert_int_eq(answered_dir(path, geteuid()), -1);
	tmpbox_end(&box);
}
END_TEST

int
main(void)
{
	return unit_run("mailbox/answered", UNIT_CASE("answered", once, bounded, strange));
}
