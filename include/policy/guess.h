/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_GUESS_H
#define POLICY_GUESS_H

/*
 * guess -- what wrong passwords and unknown recipients cost (CONFORMANCE S-39),
 * over all sessions and services together.
 *
 * Who says a wrong one waits: failure-delay, twice that after the next, and
 * at most 7.5 times that (2, 4, 8, 15 seconds).  What counts is the most of:
 * the wrong ones of this session, of the address (an IPv6 /64 being one) and
 * of the name that they were said for.  A right password is answered at once
 * whatever was counted, so that nobody is kept out by the guesses of others.
 *
 * The address alone is blocked, at failures-to-block.  One wrong password is
 * forgotten in each failures-to-block'th of an hour, or of block-time where
 * that is longer.  Clients in access.relay are trusted: a webmail that logs
 * in for many, say.  Nothing is counted of them.
 */

#include "conf/conf.h"
#include "ipc/score.h"
#include "net/addr.h"

struct guess {
	int64_t delay_ms;	/* before it is answered */
	bool blocked;		/* and then it is the last of its session */
};

/* The delay after that many wrong ones. */
int64_t guess_delay(const struct conf_auth *a, uint64_t failures);

/*
 * Counts a wrong password for USER, which came from PEER: the
 * IN_SESSION'th of its session.  S may be NULL.  A block is put in force and
 * logged here.
 */
struct guess guess_wrong(const struct conf *c, struct score *s, const struct addr *peer,
    struct str user, unsigned in_session);

/*
 * PEER has named a recipient that there is not: how long that answer waits.
 * Each one is remembered for half a minute, and six of them at most; a client
 * on this host or in access.relay does not wait.
 */
int64_t guess_recipient(const struct conf *c, struct score *s, const struct addr *peer);

/* True if PEER is to be asked for no password any more. */
bool guess_is_blocked(const struct conf *c, struct score *s, const struct addr *peer);

#endif
