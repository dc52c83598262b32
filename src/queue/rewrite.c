/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * rewrite -- the envelope of a message that is in the spool, changed.
 *
 * What no mark can say, another route or another time, is said by a new file
 * that takes the place of the old one: envelope, text, states and notes.
 * The name leads to one of the two at every moment, and to a whole one after
 * every crash; what a crash leaves in tmp/ is swept away (src/queue/README).
 * It costs a copy of the text and two flushes, and only an administrator
 * pays it.
 */

#include <errno.h>

#include "queue/queue.h"

#include "spool.h"

#define REWRITE_PREFIX "set."

int
queue_rewrite(struct queue *q, struct queue_file *f, int64_t next)
{
	struct queue_msg *m = queue_begin(q, &f->env, false);
	int r = -1, e;

	if (m != NULL) {
		queue_msg_again(m, REWRITE_PREFIX);
		if (queue_msg_copy(m, f->fd, f->text_at, f->size) == 0) {
			r = queue_msg_replace(m, f, next);
		} else {
			e = errno;
			queue_abort(m);
			errno = e;
		}
	}
	e = errno;
	queue_unload(f);
	errno = e;
	return r;
}
