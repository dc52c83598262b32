/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_CONFINE_H
#define QUEUE_CONFINE_H

/* confine -- what of the spool is left to who is confined. */

#include "lib/confine.h"
#include "queue/queue.h"

/*
 * What a process that only writes messages touches below the spool: no other
 * message can be read or listed by it, and what is accepted it can neither change
 * nor remove.  For confine_rules().
 */
#define QUEUE_CONFINE_DIRS 2
void queue_confine(const struct queue *q, struct confine_dir dirs[QUEUE_CONFINE_DIRS]);

#endif
