/* SPDX-License-Identifier: GPL-3.0-or-later */

/* subdir -- made once, opened if it is there, and never through a link. */

#include "lib/subdir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

START_TEST(ways)
{
	char base[SCRATCH_SIZE], path[64];
	struct stat st;
	int fd;

	scratch_begin(base);
	ck_assert_int_eq(subdir_open(base, "a", false, geteuid()), -1);
	ck_assert_int_eq(errno, ENOENT);
	fd = subdir_open(base, "a", true, geteuid() == 0 ? 65534 : geteuid());
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert_uint_eq(st.st_uid, geteuid() == 0 ? 65534 : geteuid());
	close(fd);
	/* One that is there keeps its owner. */
	(void)snprintf(path, sizeof(path), "%s/a", base);
	ck_assert_int_eq(chown(path, geteuid(), (gid_t)-1), 0);
	fd = subdir_open(base, "a", true, 65534);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_uid, geteuid());
	close(fd);
	(void)snprintf(path, sizeof(path), "%s/b", base);
	ck_assert_int_eq(symlink("a", path), 0);
	ck_assert_int_eq(subdir_open(base, "b", true, geteuid()), -1);
	ck_assert(errno == ELOOP || errno == ENOTDIR);
	unlink(path);
	(void)snprintf(path, sizeof(path), "%s/a", base);
	rmdir(path);
	ck_assert_int_eq(rmdir(base), 0);
	ck_assert_int_eq(subdir_open(base, "a", true, geteuid()), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

/* Files are made below as before, and an ext4 knows. */
START_TEST(spread)
{
	char base[SCRATCH_SIZE];
	struct statfs fs;
	int fd, below, flags = 0;

	scratch_begin(base);
	fd = scratch_open(base);
	subdir_spread(fd);
	subdir_spread(fd);
	below = subdir_open(base, "a", true, geteuid());
	ck_assert_int_ge(below, 0);
	ck_assert_int_eq(fstatfs(fd, &fs), 0);
	if (fs.f_type == EXT4_SUPER_MAGIC) {
		ck_assert_int_eq(ioctl(fd, FS_IOC_GETFLAGS, &flags), 0);
		ck_assert((flags & FS_TOPDIR_FL) != 0);
		ck_assert_int_eq(ioctl(below, FS_IOC_GETFLAGS, &flags), 0);
		ck_assert((flags & FS_TOPDIR_FL) == 0);
	}
	close(below);
	ck_assert_int_eq(unlinkat(fd, "a", AT_REMOVEDIR), 0);
	close(fd);
	ck_assert_int_eq(rmdir(base), 0);
	/* What is none is no matter. */
	subdir_spread(-1);
}
END_TEST

UNIT_MAIN("lib/subdir", ways, spread)
