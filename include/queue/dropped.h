/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_DROPPED_H
#define QUEUE_DROPPED_H

/* dropped -- the file in drop/ that a message was made of, and the end of both. */

#include "queue/queue.h"

/*
 * The name that the message of E has, or had, in drop/, into NAME (NAME_MAX octets);
 * nothing if it did not come that way.
 */
void queue_dropped_as(const struct envelope *e, struct buf *name);
/*
 * queue_remove() of a message that has, or had, NAME in drop/; NULL: none.  -1, EAGAIN:
 * it has, since an import was cut off, and would be taken for a new one: the next
 * import removes it.
 */
int queue_remove_dropped(struct queue *q, enum queue_place place, const char *id,
    const char *name) MUST_USE;

#endif
