/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * rewrite -- the envelopes of messages that are in the spool, changed.
 *
 * What no mark can say, another route or another time, is said by a new file
 * that takes the place of the old one: envelope, text, states and notes.
 * The name leads to one of the two at every moment, and to a whole one after
 * every crash; what a crash leaves in tmp/ is swept away (src/queue/README).
 * It costs a copy of the text and two flushes, and only an administrator
 * pays it.  Of many messages the flushes are shared: all are whole before the
 * first has its name, and none is acknowledged before all have theirs.
 */

#include <errno.h>

#include "lib/mem.h"
#include "lib/sys.h"
#include "queue/queue.h"

#include "trays.h"

#define REWRITE_PREFIX "set."
/* From so many on, flushing the file system costs less than each file. */
#define MANY 8

/* A message on its way; NULL: it came to nothing. */
struct change {
	struct queue_msg *m;
	enum queue_place place;
};

/* The errno of V, which ends here; M may be NULL. */
static void
give_up(struct queue_rewrite *v, struct change *c)
{
	v->error = errno;
	if (c->m != NULL)
		queue_msg_end(c->m);
	c->m = NULL;
}

static void
write_one(struct queue *q, struct queue_rewrite *v, struct change *c)
{
	struct queue_file *f = v->file;

	v->error = 0;
	c->place = f->place;
	c->m = NULL;
	/*
	 * What takes the place of a tray's has a name of its own; and whoever came
	 * upon the old one in its tray would not know it for the same.
	 */
	if (tray_leave(f) == 0 && tray_empty_owed(q, f->env.id) >= 0)
		c->m = queue_begin(q, &f->env, false);
	if (c->m != NULL)
		queue_msg_again(c->m, REWRITE_PREFIX);
	if (c->m == NULL ||
	    queue_msg_copy(c->m, f->fd, f->text_at, f->size) < 0 ||
	    queue_msg_whole(c->m, f) < 0)
		give_up(v, c);
	queue_unload(f);
}

/* What was written of all so far is durable, or it comes to nothing. */
static void
sync_all(struct queue *q, struct queue_rewrite *v, struct change *c, size_t n)
{
	bool whole = n >= MANY;
	int e = whole && sys_syncfs(q->tmp) < 0 ? errno : 0;

	for (size_t i = 0; i < n; i++) {
		errno = e;
		if (c[i].m != NULL &&
		    (whole ? e != 0 : queue_msg_sync(c[i].m) < 0))
			give_up(&v[i], &c[i]);
	}
}

void
queue_rewrite_all(struct queue *q, struct queue_rewrite *v, size_t n)
{
	struct change *c = mem_array(n, sizeof(*c));

	for (size_t i = 0; i < n; i++)
		write_one(q, &v[i], &c[i]);
	sync_all(q, v, c, n);
	for (size_t i = 0; i < n; i++)
		if (c[i].m != NULL &&
		    queue_msg_replace(c[i].m, c[i].place, v[i].next) < 0)
			give_up(&v[i], &c[i]);
	sync_all(q, v, c, n);
	for (size_t i = 0; i < n; i++)
		if (c[i].m != NULL)
			queue_msg_end(c[i].m);
	mem_free(c);
}

int
queue_rewrite(struct queue *q, struct queue_file *f, int64_t next)
{
	struct queue_rewrite v = { .file = f, .next = next };

	queue_rewrite_all(q, &v, 1);
	errno = v.error;
	return v.error == 0 ? 0 : -1;
}
