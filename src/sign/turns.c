/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * turns -- that one asker does not take the turns of all.
 *
 * A session has one handshake.  One that asks again and again was taken over,
 * and would have signatures for handshakes of its own, or keep others from
 * theirs.  It has a few turns, and after that its requests cost no signature.
 * The table has a fixed size: whoever falls on the place of another begins
 * anew, and so does the other.
 */

#include "sign.h"

bool
turns_take(struct turns *t, pid_t who, int64_t now)
{
	struct turn *turn = &t->v[(unsigned)who % TURNS];

	if (turn->who != who || now - turn->since_ms >= TURNS_MS)
		*turn = (struct turn){ .who = who, .since_ms = now };
	if (turn->n >= TURNS_EACH)
		return false;
	turn->n++;
	return true;
}
