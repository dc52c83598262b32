/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_STAGE_H
#define QUEUE_STAGE_H

/*
 * stage -- a message that is durable before it is anybody's: for who has to
 * write down where it came from before it is accepted, and may die between.
 *
 * It stands whole in a directory of its writer's, on the file system of the
 * spool, by a name of the writer's choice, and becomes new/ID by one rename: who
 * finds it there later knows that it was not accepted, who does not that it was.
 */

#include "queue/queue.h"

/*
 * In place of queue_commit(): M is durable as NAME in DIR, and nobody else looks
 * there.  -1: errno, and there is nothing.  Consumes M either way.
 */
int queue_stage(struct queue_msg *m, int dir, const char *name) MUST_USE;
/*
 * Accepts NAME in DIR, whose id is ID: it is the runner's from here on.  -1:
 * errno; it stands where it stood, or is accepted and may be back there after a
 * power cut.
 */
int queue_unstage(struct queue *q, int dir, const char *name, const char *id) MUST_USE;

#endif
