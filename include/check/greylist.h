/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_GREYLIST_H
#define CHECK_GREYLIST_H

/*
 * greylist -- senders that nobody knows come again later (RFC 6647): who has to,
 * by a table of fixed size, which may be a file's mapping.
 */

#include "check/spf.h"
#include "conf/conf.h"
#include "ipc/msg_name.h"
#include "lib/buf.h"
#include "net/addr.h"

#define GREYLIST_ENTRIES 65536
#define GREYLIST_OCTETS (4096 + GREYLIST_ENTRIES * 24)

/* All in seconds. */
struct greylist_rules {
	int64_t delay;		/* who comes again sooner is early */
	int64_t window;		/* who comes again later is new */
	int64_t keep;		/* how long one that has come again is known */
	uint64_t allow_after;	/* passes after which a client need not wait; 0: never */
};

/*
 * SPACE of GREYLIST_OCTETS: what an earlier call made of it is gone on with,
 * anything else is begun anew.  It is the caller's, and no other process's to write.
 */
void greylist_begin(void *space);

/*
 * CLIENT: its network, or the domain that vouches for it; SENDER and RECIPIENT of
 * the message.  0: it may come in; else in how many seconds.
 */
int64_t greylist_ask(void *space, const struct greylist_rules *r, struct str client,
    struct str sender, struct str recipient, int64_t now) MUST_USE;

/* What other checks found of a client and its sender; all zero: nothing. */
struct greylist_facts {
	int64_t score;		/* of lists in DNS: the sum of their weights */
	enum iprev name;	/* IPREV_PASS, too, where nobody asked */
	enum exists helo, sender;	/* EXISTS_YES, too, where nobody asked */
	enum spf_code spf;	/* of the sender, or of HELO where there is none */
};

/*
 * Why a client has to be known before its mail is taken, in words; NULL: it has
 * not.  Without any check that could find something every client has.
 */
const char *greylist_reason(const struct conf *c, const struct greylist_facts *f);

/* Adds what stands for a client whom no domain vouches for: its network, /24 or /64. */
void greylist_client_add(struct buf *b, const struct addr *client);

#endif
