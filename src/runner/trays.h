/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_TRAYS_H
#define RUNNER_TRAYS_H

/* trays -- the first runner keeps the trays of the spool in order. */

#include "queue/tray.h"
#include "runner.h"

/* Those that were found to hold no message: by the pool, and told by the loop. */
struct trays_bad {
	size_t n;
	char ids[QUEUE_TRAYS_MAX][QUEUE_ID_SIZE];
};
void trays_mend(struct runner *r, struct trays_bad *b);
void trays_tell(struct runner *r, const struct trays_bad *b);

#endif
