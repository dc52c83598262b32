/* SPDX-License-Identifier: GPL-3.0-or-later */

/* entries -- each name once, nothing through a link, and the directory stays open. */

#include "lib/entries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

#define FILES 300

/* How often each of the files "0", "1" ... was there; all else is in OTHERS. */
struct found {
	int files[FILES];
	int others;
};

static void
read_all(int dir, const char *path, struct found *f)
{
	const struct dirent *e;
	struct entries l;
	struct stat st;
	int n;

	*f = (struct found){ .others = 0 };
	ck_assert_int_eq(entries_open(&l, dir, path), 0);
	while ((e = entries_next(&l)) != NULL) {
		ck_assert_int_eq(fstatat(l.fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW), 0);
		if (sscanf(e->d_name, "%d", &n) == 1)
			f->files[n]++;
		else
			f->others++;
	}
	errno = EDOM;
	ck_assert_int_eq(entries_close(&l), 0);
	ck_assert_int_eq(errno, EDOM);
}

START_TEST(each_once)
{
	char base[SCRATCH_SIZE], name[32];
	struct found f;
	int dir;

	scratch_begin(base);
	dir = open(base, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(dir, 0);
	read_all(dir, ".", &f);
	ck_assert_int_eq(f.others, 0);
	ck_assert_int_eq(mkdirat(dir, "in", 0700), 0);
	ck_assert_int_eq(symlinkat("in", dir, ".to"), 0);
	for (int i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof(name), "in/%d", i);
		close(openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600));
	}
	/* What begins with a dot is an entry, too; DIR can be read again. */
	for (int again = 0; again < 2; again++) {
		read_all(dir, ".", &f);
		ck_assert_int_eq(f.others, 2);
	}
	read_all(dir, "in", &f);
	ck_assert_int_eq(f.others, 0);
	for (int i = 0; i < FILES; i++) {
		ck_assert_int_eq(f.files[i], 1);
		(void)snprintf(name, sizeof(name), "in/%d", i);
		unlinkat(dir, name, 0);
	}
	unlinkat(dir, "in", AT_REMOVEDIR);
	unlinkat(dir, ".to", 0);
	close(dir);
	ck_assert_int_eq(rmdir(base), 0);
}
END_TEST

START_TEST(not_to_be_read)
{
	char base[SCRATCH_SIZE];
	struct entries l;
	int dir;

	scratch_begin(base);
	dir = open(base, O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(symlinkat(".", dir, "link"), 0);
	close(openat(dir, "file", O_WRONLY | O_CREAT, 0600));
	ck_assert_int_eq(entries_open(&l, dir, "link"), -1);
	ck_assert(errno == ELOOP || errno == ENOTDIR);
	ck_assert_int_eq(entries_open(&l, dir, "file"), -1);
	ck_assert_int_eq(errno, ENOTDIR);
	ck_assert_int_eq(entries_open(&l, dir, "none"), -1);
	ck_assert_int_eq(errno, ENOENT);
	unlinkat(dir, "link", 0);
	unlinkat(dir, "file", 0);
	close(dir);
	ck_assert_int_eq(rmdir(base), 0);
}
END_TEST

/* What cannot be read further is not the end of the list. */
START_TEST(an_error_is_no_end)
{
	struct entries l;

	ck_assert_int_eq(entries_open(&l, AT_FDCWD, "/"), 0);
	close(l.fd);
	ck_assert_ptr_null(entries_next(&l));
	ck_assert_int_eq(entries_close(&l), -1);
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

UNIT_MAIN("lib/entries", each_once, not_to_be_read, an_error_is_no_end)
