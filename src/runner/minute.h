/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_MINUTE_H
#define RUNNER_MINUTE_H

/* minute -- what happened in the last minute, by tenths of one; pure. */

#include <stdint.h>

#define MINUTE_PARTS 6
#define MINUTE_PART_S 10
#define MINUTE_KINDS 3	/* enum outcome */

struct minute {
	int64_t part;	/* the last that was counted in */
	uint32_t n[MINUTE_PARTS][MINUTE_KINDS];
};

/* One more of KIND, at so many SECONDS; time may be set back. */
void minute_add(struct minute *m, unsigned kind, int64_t seconds);
/* How many there were in the minute before SECONDS, and a part of one. */
uint32_t minute_sum(const struct minute *m, unsigned kind, int64_t seconds);

#endif
