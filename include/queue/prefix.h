/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_PREFIX_H
#define QUEUE_PREFIX_H

/* prefix -- what of a message is known only when its text is there, and how that is seen. */

#include "queue/queue.h"

/*
 * Before any text: E, with which M was begun, and what is put before the text
 * may take up to QUEUE_LATE_MAX octets more by the time of queue_prefix().
 */
#define QUEUE_LATE_MAX 16384
void queue_reserve(struct queue_msg *m, const struct envelope *e);
/*
 * What is known only behind the text: E is in the place of the envelope, and
 * PREFIX stands before the text that there is.  Once.  -1: errno (EMSGSIZE: they
 * are longer than what was reserved); only queue_abort() helps.
 */
int queue_prefix(struct queue_msg *m, const struct envelope *e, struct str prefix) MUST_USE;

/*
 * A descriptor, which is the caller's to close, by which another process can read
 * the text that there is so far: it begins at *AT, and is queue_size() long.
 * Nothing can be written by it to a message of tmp/.  -1: errno; M may go on
 * all the same, unless queue_write() then says otherwise.
 */
int queue_show(struct queue_msg *m, off_t *at) MUST_USE;

#endif
