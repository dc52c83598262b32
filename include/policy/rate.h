/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_RATE_H
#define POLICY_RATE_H

/*
 * rate -- how much mail somebody may hand in in a time (limits.rate), over all
 * sessions together.
 *
 * Each of the limits is asked in the order of enum conf_rate_kind, that for
 * all last: what another one refuses takes nothing of what is everybody's.
 * Clients in access.relay are not counted as clients, and nobody sends the
 * null reverse-path.
 */

#include "conf/conf.h"
#include "ipc/score.h"
#include "mail/path.h"
#include "net/addr.h"

struct rate_facts {
	const struct addr *peer;
	struct str user;		/* empty: nobody has logged in */
	const struct path *from;
};

/*
 * Counts a message, or a recipient TO of one.  NULL, or the limit that it is
 * above, and nothing was counted of that one.  S may be NULL.
 */
const struct conf_rate *rate_message(const struct conf *c, struct score *s,
    const struct rate_facts *f) MUST_USE;
const struct conf_rate *rate_recipient(const struct conf *c, struct score *s,
    const struct rate_facts *f, const struct path *to) MUST_USE;

/* How much of R is used by whoever has used most of it, in per cent. */
unsigned rate_used(struct score *s, const struct conf_rate *r);
/* Who that is; empty where it is all together, or nobody. */
void rate_leader(struct score *s, const struct conf_rate *r, struct buf *b);

#endif
