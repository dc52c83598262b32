/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * sys_fault -- every function of lib/sys.h over the real call, counted.
 *
 * A call that fails has no effect, but for a write that fails half-way and
 * for close(), which closes all the same.  "Killed" is _exit(): what was
 * written stays, as it does when a process is killed; what a power cut does
 * is the business of powercut.py.
 */

#include "sys_fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/sys.h"

struct fault fault;
void (*fault_step)(void);
void (*fault_fd)(int fd, bool is_open);

void
fault_arm(enum fault_kind kind, unsigned at, int error)
{
	fault = (struct fault){ .kind = kind, .at = at, .error = error };
}

void
fault_disarm(void)
{
	fault.kind = FAULT_NONE;
}

static bool
is_now(void)
{
	return fault.kind == FAULT_STICKY ? fault.calls >= fault.at
	    : fault.calls == fault.at;
}

/* Counts a call; true if it must fail.  A write takes care of its halves. */
static bool
fails(bool is_write)
{
	fault.calls++;
	if (fault_step != NULL)
		fault_step();
	if (fault.kind == FAULT_NONE || !is_now())
		return false;
	fault.hit = true;
	switch (fault.kind) {
	case FAULT_KILL_BEFORE:
		_exit(FAULT_KILLED);
	case FAULT_KILL_AMID:
		if (is_write)
			return false;
		_exit(FAULT_KILLED);
	case FAULT_SHORT:
		if (is_write)
			return false;
		break;
	case FAULT_KILL_AFTER:
		return false;
	case FAULT_NONE:
	case FAULT_ERROR:
	case FAULT_STICKY:
		break;
	}
	errno = fault.error;
	return true;
}

/* The end of a call that was made. */
static long
done(long r)
{
	if (fault.kind == FAULT_KILL_AFTER && is_now())
		_exit(FAULT_KILLED);
	return r;
}

/* Others may come after each half of a write, and see what is there by then. */
static size_t
piece(size_t n, size_t left)
{
	return fault_step != NULL && left == n && n > 1 ? n / 2 : left;
}

/* Writes at AT (-1: where the file stands), or half of it. */
static int
put(int fd, const char *p, size_t n, off_t at)
{
	bool half = (fault.kind == FAULT_SHORT ||
	    fault.kind == FAULT_KILL_AMID) && is_now();
	size_t left = half ? n / 2 : n;

	while (left > 0) {
		size_t now = piece(n, left);
		ssize_t r = at < 0 ? write(fd, p, now)
		    : pwrite(fd, p, now, at);

		if (r < 0)
			return -1;
		if (fault_step != NULL && (size_t)r < left)
			fault_step();
		p += r;
		left -= (size_t)r;
		if (at >= 0)
			at += r;
	}
	if (half && fault.kind == FAULT_KILL_AMID)
		_exit(FAULT_KILLED);
	if (half) {
		errno = fault.error;
		return -1;
	}
	return (int)done(0);
}

int
sys_openat(int dir, const char *path, int flags, mode_t mode)
{
	int fd;

	if (fails(false))
		return -1;
	fd = openat(dir, path, flags | O_CLOEXEC, mode);
	if (fd >= 0 && fault_fd != NULL)
		fault_fd(fd, true);
	return (int)done(fd);
}

int
sys_close(int fd)
{
	bool failed = fails(false);
	int r;

	if (fault_fd != NULL)
		fault_fd(fd, false);
	r = close(fd);

	if (!failed)
		return (int)done(r);
	errno = fault.error;
	return -1;
}

ssize_t
sys_read(int fd, void *buf, size_t n)
{
	return fails(false) ? -1 : done(read(fd, buf, n));
}

ssize_t
sys_pread(int fd, void *buf, size_t n, off_t at)
{
	return fails(false) ? -1 : done(pread(fd, buf, n, at));
}

int
sys_write_all(int fd, const void *buf, size_t n)
{
	return fails(true) ? -1 : put(fd, buf, n, -1);
}

int
sys_writev_all(int fd, struct iovec *iov, int count)
{
	int last = count - 1;

	if (fails(true))
		return -1;
	/* The half that is written ends in the last part that has any. */
	while (last > 0 && iov[last].iov_len == 0)
		last--;
	for (int i = 0; i < last; i++)
		if (iov[i].iov_len > 0 && write(fd, iov[i].iov_base,
		    iov[i].iov_len) != (ssize_t)iov[i].iov_len)
			return -1;
	return put(fd, iov[last].iov_base, iov[last].iov_len, -1);
}

int
sys_pwrite_all(int fd, const void *buf, size_t n, off_t at)
{
	return fails(true) ? -1 : put(fd, buf, n, at);
}

int
sys_fsync(int fd)
{
	if (!fails(false))
		return (int)done(fault_step != NULL ? 0 : fsync(fd));
	fault.sync_failed = true;
	return -1;
}

int
sys_fdatasync(int fd)
{
	if (!fails(false))
		return (int)done(fault_step != NULL ? 0 : fdatasync(fd));
	fault.sync_failed = true;
	return -1;
}

int
sys_syncfs(int fd)
{
	if (!fails(false))
		return (int)done(fault_step != NULL ? 0 : syncfs(fd));
	fault.sync_failed = true;
	return -1;
}

int
sys_sync_range(int fd, bool wait)
{
	(void)fd;
	(void)wait;
	return fails(false) ? -1 : (int)done(0);
}

int
sys_ftruncate(int fd, off_t size)
{
	return fails(false) ? -1 : (int)done(ftruncate(fd, size));
}

int
sys_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	if (fails(false))
		return -1;
	return (int)done(renameat(from_dir, from, to_dir, to));
}

int
sys_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
	if (fails(false))
		return -1;
	return (int)done(renameat2(from_dir, from, to_dir, to,
	    RENAME_NOREPLACE));
}

int
sys_linkat(int from_dir, const char *from, int to_dir, const char *to)
{
	if (fails(false))
		return -1;
	return (int)done(linkat(from_dir, from, to_dir, to, 0));
}

/* As Landlock has it for a session: that is no fault, and is not counted. */
static bool
is_kept(int dir)
{
	char link[64], at[300];
	size_t k = fault.kept != NULL ? strlen(fault.kept) : 0;
	ssize_t n;

	if (k == 0)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	n = readlink(link, at, sizeof(at));
	return n >= (ssize_t)k && memcmp(at + n - k, fault.kept, k) == 0;
}

int
sys_unlinkat(int dir, const char *path)
{
	if (is_kept(dir)) {
		errno = EACCES;
		return -1;
	}
	return fails(false) ? -1 : (int)done(unlinkat(dir, path, 0));
}

int
sys_mkdirat(int dir, const char *path, mode_t mode)
{
	return fails(false) ? -1 : (int)done(mkdirat(dir, path, mode));
}

int
sys_fstatat(int dir, const char *path, struct stat *st)
{
	if (fails(false))
		return -1;
	return (int)done(fstatat(dir, path, st, AT_SYMLINK_NOFOLLOW));
}

int
sys_fstat(int fd, struct stat *st)
{
	return fails(false) ? -1 : (int)done(fstat(fd, st));
}

int
sys_futimens(int fd, const struct timespec times[2])
{
	return fails(false) ? -1 : (int)done(futimens(fd, times));
}

int
sys_flock(int fd)
{
	return fails(false) ? -1 : (int)done(flock(fd, LOCK_EX | LOCK_NB));
}

int
sys_lock(int fd, short type)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET };

	return fails(false) ? -1 : (int)done(fcntl(fd, F_OFD_SETLK, &l));
}

ssize_t
sys_copy_range(int from, off_t *at, int to, size_t n)
{
	off64_t at64 = at != NULL ? *at : 0;
	ssize_t r;

	if (fails(false))
		return -1;
	r = copy_file_range(from, at != NULL ? &at64 : NULL, to, NULL, n, 0);
	if (at != NULL)
		*at = (off_t)at64;
	return done(r);
}
