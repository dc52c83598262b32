/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_DEAD_H
#define RUNNER_DEAD_H

/* dead -- what cannot be reached is left alone for a while; pure. */

#include "result.h"

struct dead {
	int64_t until;		/* on the caller's clock, ms; 0: it lives */
	int64_t took;		/* how long it was dead the last time */
	unsigned times;		/* in a row */
	struct cause cause;
};

void dead_init(struct dead *d);
void dead_free(struct dead *d);
bool dead_is(const struct dead *d, int64_t now);
/* It could not be reached, for reason WHY: dead from NOW on, for a while. */
void dead_set(struct dead *d, const struct result *why,
    const struct conf_times *retry, int64_t now);
/* It lives. */
void dead_clear(struct dead *d);
/* It may be tried at once, but how often it failed is not forgotten. */
void dead_try(struct dead *d);
/* True while it matters how often it was dead. */
bool dead_remembered(const struct dead *d, int64_t now);

#endif
