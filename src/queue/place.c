/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * place -- where a message stands: moved, removed, scheduled.
 *
 * A rename is one transaction of the file system, so that a message never
 * has two names or none.  What is removed comes back after a power cut
 * unless queue_sync_removals() was called: a message delivered twice, so
 * the caller batches it, but not for long.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/sys.h"
#include "queue/queue.h"

#include "trays.h"

int
queue_remove(struct queue *q, enum queue_place place, const char *id)
{
	struct spool_name n;
	int r = place == QUEUE_NEW ? tray_empty(q, id) : 0;

	if (r != 0)
		return r < 0 ? -1 : 0;
	/* First: a tray that still had it would bring it back. */
	if (spool_name(q, place, id, &n) < 0 || tray_empty_owed(q, id) < 0)
		return -1;
	r = sys_unlinkat(n.dir, n.path);
	if (r == 0 || errno != ENOENT || place != QUEUE_NEW)
		return r;
	/* Nobody said that it is in a tray, or not to us. */
	tray_search(q, id);
	r = tray_empty(q, id);
	if (r == 0)
		errno = ENOENT;
	return r > 0 ? 0 : -1;
}

int
queue_sync_removals(struct queue *q)
{
	/*
	 * The removals were in up to 258 directories.  A journal is written
	 * in order: a change made now is behind all of them, and the sync
	 * that makes it durable makes them so too.  It flushes the cache of the
	 * disk, in which by then is what trays were overwritten with.
	 */
	if (tray_sync(q) < 0 || sys_futimens(q->tmp, NULL) < 0)
		return -1;
	return sys_fsync(q->tmp);
}

/*
 * Opens message N for a sync.  -1, errno 0: it is no plain file.  Whatever
 * it is that is put away, opening it must not block.
 */
static int
open_to_sync(const struct spool_name *n)
{
	int fd = sys_openat(n->dir, n->path,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	struct stat st;

	if (fd < 0) {
		if (errno == ELOOP || errno == EACCES || errno == ENXIO)
			errno = 0;
		return -1;
	}
	if (sys_fstat(fd, &st) == 0) {
		if (S_ISREG(st.st_mode))
			return fd;
		errno = 0;
	}
	sys_close(fd);
	return -1;
}

int
queue_move(struct queue *q, enum queue_place from, const char *id,
    enum queue_place to)
{
	struct spool_name n;
	int fd, r, e;

	if (spool_name(q, from, id, &n) < 0)
		return -1;
	if (from == to)
		return 0;
	if (tray_leave_id(q, from, id) < 0)
		return -1;
	fd = open_to_sync(&n);
	if (fd < 0 && errno != 0)
		return -1;
	r = spool_rename(q, &n, to, id);
	/* The file's own sync takes marks along; what is none has none. */
	if (r == 0)
		r = sys_fsync(fd >= 0 ? fd : q->dirs[to]);
	e = errno;
	if (fd >= 0)
		sys_close(fd);
	errno = e;
	return r;
}

int
queue_move_early(struct queue *q, enum queue_place from, const char *id,
    enum queue_place to)
{
	struct spool_name n;

	if (spool_name(q, from, id, &n) < 0)
		return -1;
	if (from == to)
		return 0;
	return tray_leave_id(q, from, id) < 0 ? -1 : spool_rename(q, &n, to, id);
}

int
queue_sync_moves(struct queue *q)
{
	return sys_syncfs(q->tmp);
}

int
queue_set_next(struct queue *q, enum queue_place place, const char *id,
    int64_t next)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = next } };
	struct spool_name n;
	int fd, r, e;

	if (spool_name(q, place, id, &n) < 0 || tray_leave_id(q, place, id) < 0)
		return -1;
	fd = sys_openat(n.dir, n.path,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	r = sys_futimens(fd, times);
	e = errno;
	sys_close(fd);
	errno = e;
	return r;
}
