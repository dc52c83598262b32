/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_LEADER_H
#define IPC_LEADER_H

/*
 * leader -- who has most against him of what a tally counts, by name: a tally
 * has keys alone.
 *
 * One name beside each tally, for people to read and nothing to be decided by.
 * There are no locks: of two who write at once both may be lost, until the
 * next that is counted.
 */

#include <stdatomic.h>

#include "lib/str.h"

#define LEADER_NAME_MAX 96

struct leader {
	_Atomic int64_t until;	/* the level of the tally's cell */
	_Atomic uint64_t sum;	/* of the name: it is whole */
	_Atomic uint64_t words[LEADER_NAME_MAX / 8];	/* the name, then zeros */
};

/*
 * NAME's level ends at UNTIL, of the tally's clock: it is the leader unless
 * another's ends later.  What is longer than LEADER_NAME_MAX is cut.
 */
void leader_note(struct leader *l, struct str name, int64_t until);
/*
 * The leader at NOW, as a string: text without control characters, whatever
 * was written.  False: there is none that can be read.
 */
bool leader_get(const struct leader *l, int64_t now, char out[LEADER_NAME_MAX + 1]) MUST_USE;

#endif
