/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * tray_leave -- what is not over with the first attempt becomes a file.
 *
 * Notes, a time, another place and another envelope are for files: so a message
 * leaves its tray before it gets any of those.  A file with its octets is durable
 * first, then its name, and only then the tray is wiped: at no moment is it
 * nowhere, and where a death leaves it in both the file counts, whose octets were
 * durable before it had its name.
 */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/sys.h"

#include "envelope_line.h"
#include "trays.h"

/* Copies N octets of FROM into FILE, and makes them durable. */
static int
fill(int file, int from, size_t n)
{
	char *p = mem_alloc(n);
	ssize_t got = spool_read(from, 0, p, n);
	int r;

	if (got >= 0 && (size_t)got < n)
		errno = EIO;
	r = got == (ssize_t)n ? sys_write_all(file, p, n) : -1;
	mem_free(p);
	return r < 0 ? -1 : sys_fsync(file);
}

/* FILE, which is TMP, gets its name; again a flush, since only the second knows it. */
static int
give_name(struct queue *q, int file, const struct spool_name *tmp,
    enum queue_place place, const char *id)
{
	struct spool_name n;
	int e;

	if (spool_name(q, place, id, &n) < 0 || spool_rename(q, tmp, place, id) < 0)
		return -1;
	if (sys_fsync(file) == 0)
		return 0;
	e = errno;
	/* The tray has it still. */
	(void)!sys_unlinkat(n.dir, n.path);
	errno = e;
	return -1;
}

int
tray_copy(struct queue *q, int from, size_t n, enum queue_place place,
    const char *id)
{
	struct spool_name tmp = { .dir = q->tmp };
	int fd, e;

	/* Its own: two runners may be at this message (README, "What readers see"). */
	queue_id_new(tmp.path);
	spool_add_secret(tmp.path + QUEUE_ID_LEN, spool_secret());
	fd = sys_openat(tmp.dir, tmp.path,
	    O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (fill(fd, from, n) == 0 && give_name(q, fd, &tmp, place, id) == 0)
		return fd;
	e = errno;
	/* It is not there if the second flush failed. */
	(void)!sys_unlinkat(tmp.dir, tmp.path);
	sys_close(fd);
	errno = e;
	return -1;
}

int
tray_leave(struct queue_file *f)
{
	struct queue *q = f->of;
	int tray = (int)f->tray - 1, fd;

	if (tray < 0)
		return 0;
	fd = tray_copy(q, f->fd, (size_t)f->end, QUEUE_NEW, f->env.id);
	if (fd < 0)
		return -1;
	/* From here on it is a file, whatever comes. */
	tray_owe(q, tray, f->env.id);
	/*
	 * Others of this process may be reading by this number: octets and
	 * offsets are the same.  Who is amid that has the tray open until he is
	 * through, and it is wiped later.
	 */
	if (dup3(fd, f->fd, O_CLOEXEC) < 0) {
		sys_close(f->fd);
		f->fd = fd;
	} else
		sys_close(fd);
	f->tray = 0;
	(void)!tray_empty_owed(q, f->env.id);
	return 0;
}

int
tray_leave_id(struct queue *q, enum queue_place place, const char *id)
{
	struct queue_file f;
	const char *reason;
	struct arena a;
	int r = 0, e;

	if (place != QUEUE_NEW || q->trays < 0)
		return 0;
	arena_init(&a, ENVELOPE_ARENA);
	if (file_load_tray(q, id, true, &a, &f, &reason) == 0) {
		r = tray_leave(&f);
		e = errno;
		queue_unload(&f);
		errno = e;
	} else if (errno != ENOENT)
		r = -1;
	e = errno;
	arena_free(&a);
	errno = e;
	return r;
}

/* True if N, which is durable then, begins with the same first line as FD. */
static bool
is_same(const struct spool_name *n, int fd)
{
	char a[FIRST_LEN], b[FIRST_LEN];
	int file = sys_openat(n->dir, n->path,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	bool same;

	if (file < 0)
		return false;
	/* Size and checksums of envelope and text stand there. */
	same = spool_read(file, 0, a, FIRST_LEN) == FIRST_LEN &&
	    spool_read(fd, 0, b, FIRST_LEN) == FIRST_LEN &&
	    memcmp(a, b, FIRST_LEN) == 0 && sys_fsync(file) == 0;
	sys_close(file);
	return same;
}

bool
tray_has_left(struct queue *q, int tray, const struct queue_file *f)
{
	static const enum queue_place places[] = { QUEUE_NEW, QUEUE_CUR,
		QUEUE_HOLD, QUEUE_DEAD };
	struct spool_name n;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (spool_name(q, places[i], f->env.id, &n) < 0 ||
		    !is_same(&n, f->fd))
			continue;
		tray_owe(q, tray, f->env.id);
		if (q->owner)
			(void)!tray_empty_owed(q, f->env.id);
		return true;
	}
	return false;
}
