/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MASTER_CONTROL_H
#define MASTER_CONTROL_H

/* control -- what the files share that carry out orders of baridctl, in a child. */

#include "ipc/msg.h"
#include "master.h"

/* control_access.c: what concerns clients, not the queue.  False: it is no such order. */
bool control_access(const struct master *m, int fd, const struct msg_control *c, bool trusted);

/* control.c: packets before the last of an answer, as a FILE's function. */
ssize_t control_put_text(void *fd, const char *p, size_t n);
/* Sends what is in B before the last packet if it is much, and empties B.  -1: nobody takes it. */
int control_put_much(int fd, struct buf *b) MUST_USE;

/* blocked.c */
/* At the start: those that were blocked by hand before. */
void blocked_load(const struct master *m);
/*
 * For a process of the mail user: puts B in force (REMOVE: takes its network
 * out) and writes it down.
 */
enum blocked {
	BLOCKED_KEPT,
	BLOCKED_FOR_NOW,	/* errno: it is in force and not written, so a restart undoes it */
	BLOCKED_NOT		/* errno; E2BIG: the table is full, ESRCH: there is no such block */
};
enum blocked blocked_change(const struct master *m, const struct block *b, bool remove) MUST_USE;
/* Adds lines "rate" and "from" (report/view.h): who is near what limits. */
void control_view(const struct master *m, struct buf *b);

#endif
