/* SPDX-License-Identifier: GPL-3.0-or-later */

/* file -- whole files, those that are too large, and new ones in their place. */

#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

/* A file of N octets, whose position is at its end. */
static int
file_of(size_t n)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	for (size_t i = 0; i < n; i++) {
		char c = (char)('a' + i % 26);

		ck_assert_int_eq(write(fd, &c, 1), 1);
	}
	return fd;
}

START_TEST(whole)
{
	static const size_t sizes[] = { 0, 1, 100, 65535, 65536, 65537, 100000 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		int fd = file_of(sizes[i]);
		struct buf b;

		buf_init(&b, 100000);
		ck_assert_int_eq(file_read(fd, &b), 0);
		ck_assert_uint_eq(b.n, sizes[i]);
		for (size_t k = 0; k < b.n; k++)
			ck_assert_int_eq(b.p[k], (char)('a' + k % 26));
		buf_free(&b);
		close(fd);
	}
}
END_TEST

START_TEST(not_so)
{
	int fd = file_of(101), dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct buf b;

	buf_init(&b, 100);
	ck_assert_int_eq(file_read(fd, &b), -1);
	ck_assert_int_eq(errno, EFBIG);
	buf_reset(&b);
	ck_assert_int_eq(file_read(dir, &b), -1);
	ck_assert_int_eq(errno, EISDIR);
	buf_free(&b);
	close(dir);
	close(fd);
}
END_TEST

START_TEST(replaced)
{
	const uid_t nobody = (uid_t)-1;
	const gid_t none = (gid_t)-1;
	char base[SCRATCH_SIZE], got[16];
	struct stat st;
	int fd;

	scratch_begin(base);
	ck_assert_int_eq(chdir(base), 0);
	ck_assert_int_eq(file_replace("file", STR("one"), 0600, nobody, none), 0);
	ck_assert_int_eq(symlink("file", "link"), 0);
	/* The link is replaced, not what it leads to. */
	ck_assert_int_eq(file_replace("link", STR("two"), 0444, nobody, none), 0);
	ck_assert_int_eq(lstat("link", &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_int_eq(st.st_mode & 07777, 0444);
	fd = open("file", O_RDONLY);
	ck_assert_int_eq(read(fd, got, sizeof(got)), 3);
	ck_assert_int_eq(memcmp(got, "one", 3), 0);
	close(fd);
	ck_assert_int_eq(file_replace("no/file", STR(""), 0600, nobody, none), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(mkdir("dir", 0700), 0);
	ck_assert_int_eq(file_replace("dir", STR(""), 0600, nobody, none), -1);
	ck_assert_int_eq(errno, EISDIR);
	/* Nothing else is left. */
	ck_assert_int_eq(rmdir("dir"), 0);
	ck_assert_int_eq(unlink("file"), 0);
	ck_assert_int_eq(unlink("link"), 0);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(base), 0);
}
END_TEST

UNIT_MAIN("lib/file", whole, not_so, replaced)
