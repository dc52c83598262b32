/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_PARKING_H
#define RUNNER_PARKING_H

/* parking -- messages that stand behind a destination, by priority; pure. */

#include "index.h"

#define PARKING_LEVELS (2 * ENVELOPE_PRIORITY_MAX + 1)

/* All zero: nobody stands there. */
struct parking {
	uint32_t first[PARKING_LEVELS], last[PARKING_LEVELS];
	uint32_t used;		/* bits of those that have somebody */
	unsigned turn, shared;
};

/* A slot of X, which is busy, is parked. */
void parking_add(struct parking *p, struct index *x, int priority,
    uint32_t slot);
/* The next of those that are parked is busy again; INDEX_NONE: none is. */
uint32_t parking_take(struct parking *p, struct index *x);
/* Calls FN with all that are parked; those that it has put elsewhere it says so of. */
void parking_sweep(struct parking *p, struct index *x,
    bool (*fn)(void *arg, uint32_t slot), void *arg);

#endif
