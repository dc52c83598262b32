/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * sys_real -- the system calls of the spool, as the kernel does them.
 *
 * This file holds every sys_* function and nothing else, so that a test can
 * link another object in its place.  EINTR is retried; no other error is
 * hidden, and no call is added that the caller did not ask for.
 */

#include "lib/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* IOV_MAX of Linux; more than this in one call is EINVAL. */
#define IOV_AT_ONCE 1024

int
sys_openat(int dir, const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(dir, path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

int
sys_close(int fd)
{
	int r = close(fd);

	return r < 0 && errno == EINTR ? 0 : r;
}

ssize_t
sys_read(int fd, void *buf, size_t n)
{
	ssize_t r;

	do
		r = read(fd, buf, n);
	while (r < 0 && errno == EINTR);
	return r;
}

ssize_t
sys_pread(int fd, void *buf, size_t n, off_t at)
{
	ssize_t r;

	do
		r = pread(fd, buf, n, at);
	while (r < 0 && errno == EINTR);
	return r;
}

int
sys_write_all(int fd, const void *buf, size_t n)
{
	struct iovec iov;

	/* The cast drops a const that writev() does not know to promise. */
	iov.iov_base = (void *)(uintptr_t)buf;
	iov.iov_len = n;
	return sys_writev_all(fd, &iov, 1);
}

/* Moves IOV past N bytes; what is left begins at the one returned. */
static struct iovec *
iov_skip(struct iovec *iov, const struct iovec *end, size_t n)
{
	while (iov < end && n >= iov->iov_len) {
		n -= iov->iov_len;
		iov++;
	}
	if (iov < end) {
		iov->iov_base = (char *)iov->iov_base + n;
		iov->iov_len -= n;
	}
	return iov;
}

int
sys_writev_all(int fd, struct iovec *iov, int count)
{
	struct iovec *end = iov + count;

	iov = iov_skip(iov, end, 0);
	while (iov < end) {
		int at_once = (int)(end - iov);
		ssize_t r;

		if (at_once > IOV_AT_ONCE)
			at_once = IOV_AT_ONCE;
		r = at_once == 1 ? write(fd, iov->iov_base, iov->iov_len)
				 : writev(fd, iov, at_once);
		if (r < 0 && errno == EINTR)
			continue;
		if (r == 0)
			errno = ENOSPC;
		if (r <= 0)
			return -1;
		iov = iov_skip(iov, end, (size_t)r);
	}
	return 0;
}

int
sys_pwrite_all(int fd, const void *buf, size_t n, off_t at)
{
	const char *p = buf;

	while (n > 0) {
		ssize_t r = pwrite(fd, p, n, at);

		if (r < 0 && errno == EINTR)
			continue;
		if (r == 0)
			errno = ENOSPC;
		if (r <= 0)
			return -1;
		p += r;
		at += r;
		n -= (size_t)r;
	}
	return 0;
}

int
sys_fsync(int fd)
{
	int r;

	do
		r = fsync(fd);
	while (r < 0 && errno == EINTR);
	return r;
}

int
sys_fdatasync(int fd)
{
	int r;

	do
		r = fdatasync(fd);
	while (r < 0 && errno == EINTR);
	return r;
}

int
sys_syncfs(int fd)
{
	int r;

	do
		r = syncfs(fd);
	while (r < 0 && errno == EINTR);
	return r;
}

int
sys_sync_range(int fd, bool wait)
{
	unsigned flags = SYNC_FILE_RANGE_WRITE;
	int r;

	if (wait)
		flags |= SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
	do
		r = sync_file_range(fd, 0, 0, flags);
	while (r < 0 && errno == EINTR);
	return r;
}

int
sys_ftruncate(int fd, off_t size)
{
	int r;

	do
		r = ftruncate(fd, size);
	while (r < 0 && errno == EINTR);
	return r;
}

int
sys_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int r;

	do
		r = renameat(from_dir, from, to_dir, to);
	while (r < 0 && errno == EINTR);
	return r;
}

int
sys_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
	int r;

	do
		r = renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
	while (r < 0 && errno == EINTR);
	return r;
}

int
sys_linkat(int from_dir, const char *from, int to_dir, const char *to)
{
	int r;

	do
		r = linkat(from_dir, from, to_dir, to, 0);
	while (r < 0 && errno == EINTR);
	return r;
}

int
sys_unlinkat(int dir, const char *path)
{
	int r;

	do
		r = unlinkat(dir, path, 0);
	while (r < 0 && errno == EINTR);
	return r;
}

int
sys_mkdirat(int dir, const char *path, mode_t mode)
{
	int r;

	do
		r = mkdirat(dir, path, mode);
	while (r < 0 && errno == EINTR);
	return r;
}

int
sys_fstatat(int dir, const char *path, struct stat *st)
{
	int r;

	do
		r = fstatat(dir, path, st, AT_SYMLINK_NOFOLLOW);
	while (r < 0 && errno == EINTR);
	return r;
}

int
sys_fstat(int fd, struct stat *st)
{
	return fstat(fd, st);
}

int
sys_futimens(int fd, const struct timespec times[2])
{
	int r;

	do
		r = futimens(fd, times);
	while (r < 0 && errno == EINTR);
	return r;
}

int
sys_flock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB);
}

int
sys_lock(int fd, short type)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET };
	int r = fcntl(fd, F_OFD_SETLK, &l);

	if (r < 0 && errno == EACCES)
		errno = EAGAIN;
	return r;
}

ssize_t
sys_copy_range(int from, off_t *at, int to, size_t n)
{
	off64_t at64 = at != NULL ? *at : 0;
	ssize_t r;

	do
		r = copy_file_range(
		    from, at != NULL ? &at64 : NULL, to, NULL, n, 0);
	while (r < 0 && errno == EINTR);
	if (at != NULL)
		*at = (off_t)at64;
	return r;
}
