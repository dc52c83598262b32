/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_SYS_H
#define LIB_SYS_H

/*
 * sys -- the system calls that decide whether mail survives.
 *
 * Rooms queue and mailbox reach the file system only through these, so that
 * tests can link another sys (tests/fault) that fails or dies at the n-th
 * call.  Each is the call of its name, with three changes: EINTR is retried
 * inside (but for sys_close), sys_write_all/sys_pwrite_all write everything or
 * fail, and what sys_openat opens is closed on exec.
 */

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

struct timespec;

int sys_openat(int dir, const char *path, int flags, mode_t mode) MUST_USE;
/* Ignores EINTR: on Linux the descriptor is closed. */
int sys_close(int fd);
ssize_t sys_read(int fd, void *buf, size_t n) MUST_USE;
ssize_t sys_pread(int fd, void *buf, size_t n, off_t at) MUST_USE;
/* 0, or -1 with errno; a short write is continued (ENOSPC shows then). */
int sys_write_all(int fd, const void *buf, size_t n) MUST_USE;
int sys_writev_all(int fd, struct iovec *iov, int count) MUST_USE;
int sys_pwrite_all(int fd, const void *buf, size_t n, off_t at) MUST_USE;
int sys_fsync(int fd) MUST_USE;
int sys_fdatasync(int fd) MUST_USE;
/* All of the file system that FD is on; errors of writing it are told since Linux 5.8. */
int sys_syncfs(int fd) MUST_USE;
/*
 * Hands what was written into FD to the disk, and with WAIT until it is there,
 * which is in the disk's cache: a flush of something else makes it durable.
 */
int sys_sync_range(int fd, bool wait) MUST_USE;
int sys_ftruncate(int fd, off_t size) MUST_USE;
int sys_renameat(int from_dir, const char *from, int to_dir,
    const char *to) MUST_USE;
/* Fails with EEXIST instead of replacing TO. */
int sys_rename_new(int from_dir, const char *from, int to_dir,
    const char *to) MUST_USE;
int sys_linkat(int from_dir, const char *from, int to_dir,
    const char *to) MUST_USE;
int sys_unlinkat(int dir, const char *path) MUST_USE;
int sys_mkdirat(int dir, const char *path, mode_t mode) MUST_USE;
/* No link is followed. */
int sys_fstatat(int dir, const char *path, struct stat *st) MUST_USE;
int sys_fstat(int fd, struct stat *st) MUST_USE;
int sys_futimens(int fd, const struct timespec times[2]) MUST_USE;
/*
 * Two locks that do not know of each other, both of the open file, so that who
 * inherits it has them too and they go with its last descriptor: flock(), and one
 * of TYPE F_RDLCK or F_WRLCK (F_OFD_SETLK).  Neither waits: -1, EAGAIN.
 */
int sys_flock(int fd) MUST_USE;
int sys_lock(int fd, short type) MUST_USE;
ssize_t sys_copy_range(int from, off_t *at, int to, size_t n) MUST_USE;

#endif
