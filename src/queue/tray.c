/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * tray -- files that are there before their message comes.
 *
 * Name and blocks of trays/NN are durable already, so that a message that is
 * written into it is durable by one flush of its blocks, without the journal
 * of the file system, and no file is made and removed for it.  It is read where
 * it stands.  Dealt with, it is overwritten with zeros (tray_empty.c), and the
 * tray is for another one; whatever else becomes of it, it becomes a file first
 * (tray_leave.c).
 *
 * A session is handed one tray, opened, and can open none: what it may spoil
 * there is its own message.  Two locks of the open file say who is at it: that of
 * who hands it out (queue_tray_claim()), and that of who has a message loaded,
 * which keeps it from being wiped (src/queue/README).
 */

#include <errno.h>
#include <fcntl.h>

#include "lib/sys.h"

#include "trays.h"

/* ---- who writes ------------------------------------------------------- */

int
tray_first(int fd)
{
	/* One of length 0 was cut off, and is not to be used. */
	unsigned char c = TRAY_WIPING;

	return sys_pread(fd, &c, 1, 0) < 0 ? -1 : c;
}

unsigned
queue_tray_count(const struct queue *q)
{
	return q->tray_n;
}

int
queue_tray_open(const struct queue *q, unsigned no)
{
	struct spool_name n;

	tray_name(q, (int)no, &n);
	return sys_openat(n.dir, n.path, TRAY_FLAGS, 0);
}

bool
queue_tray_claim(int fd, bool *ours)
{
	/* Empty first: what somebody died over is not kept from who mends it. */
	if (tray_first(fd) != 0)
		return false;
	if (*ours)
		return true;
	if (sys_flock(fd) < 0)
		return false;
	*ours = true;
	return tray_first(fd) == 0;
}

void
queue_tray_use(struct queue *q, int fd, unsigned no)
{
	if (q->tray >= 0)
		sys_close(q->tray);
	q->tray = fd;
	q->tray_no = no;
	q->tray_spoilt = false;
}

unsigned
queue_tray(const struct queue *q)
{
	return q->tray_last;
}

/*
 * What was written is no message, and the tray is not used any more by us; who
 * comes next wipes it (tray_mend.c).  Not we: it was whole for a moment, perhaps,
 * and who has it loaded shall send what was in it or nothing.
 */
static void
spoil(struct queue *q)
{
	const char wiping = TRAY_WIPING;
	int e = errno;

	/* If this fails, it is one that nobody was told of (T3). */
	(void)!sys_pwrite_all(q->tray, &wiping, 1, 0);
	q->tray_spoilt = true;
	errno = e;
}

int
tray_put(struct queue *q, const struct buf *b)
{
	if (b->n > TRAY_SIZE || q->tray_spoilt || tray_first(q->tray) != 0)
		return 0;
	if (sys_pwrite_all(q->tray, b->p, b->n, 0) < 0) {
		spoil(q);
		return 0;
	}
	/* Once, as with a file (write.c). */
	if (sys_fdatasync(q->tray) == 0)
		return 1;
	spoil(q);
	return -1;
}

/* ---- who reads -------------------------------------------------------------- */

int
tray_load(struct queue *q, int tray, struct arena *a, struct queue_file *f)
{
	struct spool_name n;
	const char *reason;

	*f = (struct queue_file){ .fd = -1, .place = QUEUE_NEW };
	tray_name(q, tray, &n);
	n.shared = false;
	if (file_load(&n, NULL, true, a, f, &reason) < 0)
		return -1;
	if (queue_id_valid(str_c(f->env.id)))
		return 0;
	queue_unload(f);
	errno = EBADMSG;
	return -1;
}

/* What is in tray NO, if it is a message; false: FN said so. */
static bool
scan_one(struct queue *q, int no, const struct queue_part *part,
    bool (*fn)(void *arg, const char *id, int64_t mtime, uint64_t size),
    void *arg)
{
	struct queue_file f;
	struct arena a;
	bool more = true;

	arena_init(&a, ENVELOPE_ARENA);
	if (tray_load(q, no, &a, &f) == 0) {
		if (runner_of(f.env.id, part->count) == part->number &&
		    !tray_has_left(q, no, &f)) {
			/* By now it may be another one: what is there is noted. */
			tray_look(q, no);
			more = fn(arg, f.env.id, f.next, (uint64_t)f.end);
		}
		queue_unload(&f);
	}
	arena_free(&a);
	return more;
}

bool
tray_scan(struct queue *q, const struct queue_part *part,
    bool (*fn)(void *arg, const char *id, int64_t mtime, uint64_t size),
    void *arg)
{
	for (int i = 0; i < (int)q->tray_top; i++)
		if (!scan_one(q, i, part, fn, arg))
			return false;
	return true;
}
