/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * tray_mend -- trays are made, and put in order where somebody died over one.
 *
 * They are made once, before anybody is let in.  Afterwards one process looks
 * after them, while sessions write and runners remove.  What does not look like a
 * message may be one that is being written, so that it is judged only when
 * nobody can be at it: nobody hands the tray out, or writes (one lock), and nobody
 * has it loaded or wipes it (the other).  Both go with their process, so that
 * what is left then was left by the dead.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/sys.h"

#include "trays.h"

#define MAKE_PREFIX "tray."
/* So many times what all of them take is to be free when one is made. */
#define ROOM 8

/* ---- made ------------------------------------------------------------------ */

/* Octets of FD, which has its name in tmp/, and whose it is. */
static int
lay_out(const struct queue *q, int fd)
{
	char *zeros = mem_alloc(TRAY_SIZE);
	int r = sys_write_all(fd, zeros, TRAY_SIZE);

	mem_free(zeros);
	if (r == 0 && geteuid() == 0)
		r = fchown(fd, q->uid, (gid_t)-1);
	return r < 0 ? -1 : sys_fsync(fd);
}

/* An empty one has its name once it is durable: who finds it may use it. */
static int
make(struct queue *q, const struct spool_name *n)
{
	struct spool_name tmp = { .dir = q->tmp, .path = MAKE_PREFIX };
	int fd, r, e;

	memcpy(tmp.path + sizeof(MAKE_PREFIX) - 1, n->path, 2);
	/* A session that lives on must not have one open that is none of its own. */
	spool_add_secret(tmp.path + sizeof(MAKE_PREFIX) + 1, spool_secret());
	fd = sys_openat(tmp.dir, tmp.path, TRAY_FLAGS | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return -1;
	r = lay_out(q, fd);
	if (r == 0)
		r = sys_rename_new(tmp.dir, tmp.path, n->dir, n->path);
	e = errno;
	if (r < 0)
		(void)!sys_unlinkat(tmp.dir, tmp.path);
	sys_close(fd);
	errno = e;
	return r;
}

/* Trays are for where there is much more than they take. */
static int
has_room(const struct queue *q)
{
	uint64_t wanted = (uint64_t)q->tray_n * ROOM;
	struct statvfs v;

	if (fstatvfs(q->trays, &v) < 0)
		return -1;
	/* Some file systems count no inodes at all. */
	if ((v.f_files == 0 || v.f_favail >= wanted) &&
	    v.f_bavail * (v.f_frsize != 0 ? v.f_frsize : v.f_bsize) >=
	    wanted * TRAY_SIZE)
		return 0;
	errno = ENOSPC;
	return -1;
}

int
queue_tray_make(struct queue *q)
{
	struct spool_name n;
	struct stat st;
	int r = 0;

	for (unsigned i = 0; i < q->tray_n && r == 0; i++) {
		tray_name(q, (int)i, &n);
		if (sys_fstatat(n.dir, n.path, &st) == 0)
			continue;
		r = has_room(q) < 0 || queue_space(q, TRAY_SIZE) < 0 ? -1 : make(q, &n);
	}
	/* All names; also those that a start before this one did not come to. */
	return q->tray_n == 0 ? 0 : sys_fsync(q->trays) < 0 ? -1 : r;
}

/* ---- mended ----------------------------------------------------------------- */

/* Octets of FD up to the last one that is not NUL. */
static ssize_t
filled(int fd)
{
	char *p = mem_alloc(TRAY_SIZE);
	ssize_t n = spool_read(fd, 0, p, TRAY_SIZE);

	while (n > 0 && p[n - 1] == '\0')
		n--;
	mem_free(p);
	return n;
}

/* What is in FD, which is nobody else's, is no message: it is ID in bad/ then. */
static int
put_away(struct queue *q, int fd, char id[QUEUE_ID_SIZE])
{
	ssize_t n = filled(fd);
	int file;

	if (n < 0)
		return -1;
	if (tray_label(fd, id) != 1)
		queue_id_new(id);
	file = tray_copy(q, fd, (size_t)n, QUEUE_BAD, id);
	if (file < 0 && errno == EEXIST) {
		queue_id_new(id);
		file = tray_copy(q, fd, (size_t)n, QUEUE_BAD, id);
	}
	if (file < 0)
		return -1;
	sys_close(file);
	return tray_wipe(fd, 0) < 0 ? -1 : 1;
}

/* 1 if what is in TRAY is a message, 0 if not; -1: errno. */
static int
is_message(struct queue *q, int tray)
{
	struct queue_file f;
	struct arena a;
	int r, e;

	arena_init(&a, ENVELOPE_ARENA);
	r = tray_load(q, tray, &a, &f);
	e = errno;
	if (r == 0)
		queue_unload(&f);
	arena_free(&a);
	errno = e;
	if (r == 0)
		return 1;
	return e == EBADMSG || e == ENOENT ? 0 : -1;
}

/* TRAY is FD.  1: what was in it is ID in bad/ now; -1: errno. */
static int
judge(struct queue *q, int tray, int fd, char id[QUEUE_ID_SIZE])
{
	int c = tray_first(fd), r = 0;

	/* Most are empty or whole: nobody is kept from those. */
	if (c <= 0 || (c != TRAY_WIPING && (r = is_message(q, tray)) != 0))
		return c < 0 || r < 0 ? -1 : 0;
	if (sys_lock(fd, F_WRLCK) < 0)
		return errno == EAGAIN ? 0 : -1;
	/* Who wiped it is gone, and whose tray it is does not use it (T8). */
	c = tray_first(fd);
	if (c <= 0)
		return c;
	if (c == TRAY_WIPING)
		return tray_wipe(fd, 0);
	if (sys_flock(fd) < 0)
		return errno == EAGAIN ? 0 : -1;
	/* Now it is ours alone, and may have changed until then. */
	c = tray_first(fd);
	r = c > 0 ? is_message(q, tray) : c;
	return c > 0 && r == 0 ? put_away(q, fd, id) : r < 0 ? -1 : 0;
}

int
queue_tray_mend(struct queue *q,
    void (*fn)(void *arg, const char *id), void *arg)
{
	char id[QUEUE_ID_SIZE];
	int r = 0, e = 0;

	pthread_mutex_lock(&q->in->mending);
	for (int i = 0; i < (int)q->tray_top; i++) {
		int fd = queue_tray_open(q, (unsigned)i), one = 0;

		if (fd >= 0 || errno != ENOENT)
			one = fd < 0 ? -1 : judge(q, i, fd, id);
		if (one < 0) {
			r = -1;
			e = errno;
		}
		if (fd >= 0)
			sys_close(fd);
		if (one == 1)
			fn(arg, id);
	}
	pthread_mutex_unlock(&q->in->mending);
	errno = e;
	return r;
}
