/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * name -- the directories of mailboxes, which their names lead to.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sys.h"
#include "mailbox.h"

/* 0 if FD is a directory that nobody but us can change. */
static int
check_dir(int fd)
{
	struct stat st;

	if (sys_fstat(fd, &st) < 0)
		return -1;
	if (st.st_uid == geteuid() && (st.st_mode & 022) == 0)
		return 0;
	errno = EPERM;
	return -1;
}

const char *
maildir_why(int error)
{
	if (error == EPERM)
		return "it is no directory of the account, or others can write it";
	return error == EBUSY ? "it is open in another session" : strerror(error);
}

int
mailbox_dir(int dir, const char *name, bool create)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = sys_openat(dir, name, flags, 0), e;

	if (fd < 0 && errno == ENOENT && create) {
		if (sys_mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
			return -1;
		fd = sys_openat(dir, name, flags, 0);
	}
	if (fd < 0) {
		/* A link, or something that is no directory. */
		if (errno == ELOOP || errno == ENOTDIR)
			errno = EPERM;
		return -1;
	}
	if (check_dir(fd) == 0)
		return fd;
	e = errno;
	sys_close(fd);
	errno = e;
	return -1;
}

int64_t
maildir_arrival(const struct maildir *m, size_t i)
{
	struct str name = str_c(m->v[i].name), seconds, rest;
	uint64_t n;

	if (!str_cut(name, '.', &seconds, &rest) ||
	    str_u64(seconds, INT64_MAX, &n) < 0)
		return 0;
	return (int64_t)n;
}
