/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_LIFE_H
#define RUNNER_LIFE_H

/*
 * life -- how long a message is tried, and when; pure.
 *
 * All times are milliseconds since 1970 by the wall clock, as it goes now.
 */

#include "conf/conf.h"
#include "queue/envelope.h"

/* What the wall clock did while this process ran, oldest first. */
#define WALL_JUMPS_MAX 16
struct wall {
	struct {
		int64_t before, by;
	} jumps[WALL_JUMPS_MAX];
	size_t n;
};

/* The clock said BEFORE, and a moment later BY more. */
void wall_jumped(struct wall *w, int64_t before, int64_t by);
/* What T, taken down at some time until NOW, is by the clock as it goes now. */
int64_t wall_recall(const struct wall *w, int64_t t, int64_t now);

struct life {
	int64_t begun;
	int64_t end;
	bool deadline;	/* no attempt is made from END on */
};

struct life life_of(const struct conf_queue *q, const struct envelope *e,
    const struct wall *w, int64_t now);
/* How often it may be tried; 0: as often as there is time. */
unsigned life_attempts(const struct conf_queue *q, const struct envelope *e);
/*
 * When the sender is told of a delay, after its life began: as Q says, and when
 * the time to deliver by has come (RFC 2852).  In TIMES.
 */
#define LIFE_NOTICES_MAX 64
struct conf_times life_notices(const struct conf_queue *q, const struct envelope *e,
    const struct life *l, int64_t times[LIFE_NOTICES_MAX]);
/* How many of these there should have been by now. */
unsigned life_notices_due(const struct conf_queue *q, const struct envelope *e,
    const struct life *l, int64_t now);
/*
 * When to try again.  NOTICE: somebody wants to hear of a delay.  RANDOM
 * gives a number below its argument.
 */
int64_t life_next(const struct conf_queue *q, const struct envelope *e,
    const struct life *l, int64_t now, bool notice,
    uint32_t (*random)(uint32_t below));
/* The first point behind AT, when a recipient was put off: it is tried again from then on. */
int64_t life_again(const struct conf_queue *q, const struct envelope *e,
    const struct life *l, int64_t at);
/*
 * True if an attempt that fails at NOW, the ATTEMPTS-th, is followed by another for
 * certain, and what it waits for is worth PATIENCE, or half of a shorter life.
 */
bool life_may_wait(const struct conf_queue *q, const struct envelope *e,
    const struct life *l, int64_t now, unsigned attempts, int64_t patience);
/* When it is to be looked at if nobody tries it: a notice, or its deadline; INT64_MAX. */
int64_t life_look(const struct conf_queue *q, const struct envelope *e,
    const struct life *l, int64_t now);
/*
 * Until when the message must be left alone, though it was taken up; 0: it
 * need not be.  DUE is when it asked to be tried, 0 if it is in no hurry.
 */
int64_t life_waits(const struct envelope *e, int64_t due, int64_t now);

#endif
