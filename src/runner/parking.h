/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_PARKING_H
#define RUNNER_PARKING_H

/* parking -- messages that stand behind destinations, by priority; pure. */

#include "index.h"

#define PARKING_LEVELS (2 * ENVELOPE_PRIORITY_MAX + 1)
/* A message stands behind so many at most: see the memory that it takes. */
#define PARKING_PLACES 6

/* The places of all that is parked.  All zero: there are none. */
struct parking_lot {
	struct parking_place *places;
	uint32_t n, size;
	uint32_t free_first;	/* number + 1, or 0 */
	uint32_t turns;		/* given so far; they begin anew some day */
};

/* What stands behind one destination.  All zero: nobody does. */
struct parking {
	uint32_t first[PARKING_LEVELS], last[PARKING_LEVELS];
	uint32_t used;		/* bits of those that have somebody */
	unsigned turn, shared;
	size_t n;
	size_t *total;		/* counts along, unless it is NULL */
};

void parking_free(struct parking_lot *l);
/* The memory that it has. */
size_t parking_octets(const struct parking_lot *l);
/*
 * A slot of X, which is busy or parked elsewhere, is parked at P as well: behind
 * all, or where its turn is if it stood in a line before and has left it.
 * False: it was already, or stands in PARKING_PLACES others.
 */
bool parking_add(struct parking_lot *l, struct parking *p, struct index *x,
    int priority, uint32_t slot);
/* The next of those at P is busy again, and stands nowhere; INDEX_NONE: none is. */
uint32_t parking_take(struct parking_lot *l, struct parking *p,
    struct index *x);
/* A parked slot is busy again, and stands nowhere; it keeps its turn, */
void parking_leave(struct parking_lot *l, struct index *x, uint32_t slot);
/* ... until this. */
void parking_forget(struct index *x, uint32_t slot);
/* Calls FN with all at P; it may make the one that it is called with leave. */
void parking_sweep(const struct parking_lot *l, const struct parking *p,
    void (*fn)(void *arg, uint32_t slot), void *arg);

#endif
