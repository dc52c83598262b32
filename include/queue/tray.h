/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_TRAY_H
#define QUEUE_TRAY_H

/* tray -- files that are there before their message comes (src/queue/README). */

#include "queue/queue.h"

/*
 * A tray is a file of the spool whose blocks and name are durable already: a
 * small message that is written into one costs a write and a flush of these
 * blocks, and no new file.  Trays stay where they are for good: what is not dealt
 * with at once leaves its tray and becomes a file.
 */
#define QUEUE_TRAYS_MAX 64	/* of two decimal digits */

/* Makes those that are missing, before anybody is let in.  -1: errno. */
int queue_tray_make(struct queue *q) MUST_USE;
/* How many there are to be written into, numbered from 0. */
unsigned queue_tray_count(const struct queue *q);
/* Opens one for those who write, of whom one after the other will have it.  -1: errno. */
int queue_tray_open(const struct queue *q, unsigned no) MUST_USE;
/*
 * True if FD is an empty one, and ours: nobody has it that was not given it by
 * who opened FD, until all of those are gone.  OURS says that it was found so
 * before.
 */
bool queue_tray_claim(int fd, bool *ours) MUST_USE;
/*
 * In the process that FD was given to, which it takes: queue_commit() shall use
 * it.  -1: none.
 */
void queue_tray_use(struct queue *q, int fd, unsigned no);
/* For the hint: the tray of the message committed last, and 1; 0: it is a file. */
unsigned queue_tray(const struct queue *q);
/* What was hinted; it is believed where queue_load() finds it true. */
void queue_tray_hint(struct queue *q, const char *id, uint64_t tray);
/*
 * Ends what somebody died over: what was being wiped is wiped, what is no message
 * and nobody's any more goes to bad/, of which FN is told.  By one process, also
 * in several of its threads.  -1: errno.
 */
int queue_tray_mend(struct queue *q, void (*fn)(void *arg, const char *id), void *arg)
    MUST_USE;

#endif
