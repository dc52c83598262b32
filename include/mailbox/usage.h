/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILBOX_USAGE_H
#define MAILBOX_USAGE_H

/*
 * usage -- how much is in a mailbox, in its file maildirsize, which Courier and
 * Dovecot keep too (Maildir++).
 *
 * Octets are those that a name says (",S="), else the file's.  All folders
 * count, and all messages in them.  The file is no more than a memory: what is
 * missing, broken, too long, or says that a mailbox is full without being
 * fresh, is counted anew.
 */

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "lib/attr.h"

/* What a mailbox may hold; 0: as much as there is. */
struct usage_limit {
	uint64_t octets, messages;
};

struct usage {
	uint64_t octets, messages;
};

static inline bool
usage_limit_is_none(const struct usage_limit *l)
{
	return l->octets == 0 && l->messages == 0;
}

/* The first section account that fits MAILBOX and has a limit; NULL: none has. */
const struct conf_account *usage_rule(const struct conf *c, const char *mailbox);
/* True if any section has one. */
bool usage_is_limited(const struct conf *c);
/* What A says; of NULL, none. */
struct usage_limit usage_limit_of(const struct conf_account *a);
/* How much of L that is, in per cent: the fuller of both, rounded down. */
uint64_t usage_part(const struct usage_limit *l, const struct usage *u);
/* Adds "512 of 1000 octets, 3 of 10 messages". */
void usage_words(const struct usage_limit *l, const struct usage *u, struct buf *b);

/* True if a message of OCTETS more is within L. */
bool usage_fits(const struct usage_limit *l, const struct usage *u, uint64_t octets);

/*
 * What the file says of the mailbox with directory BOX: 1; 0: it says nothing
 * that can be believed, or was made for another limit than L; -1: errno.  FITS
 * gets whether OCTETS more are within L; a no that is not fresh is a 0.
 */
int usage_look(int box, const struct usage_limit *l, uint64_t octets,
    struct usage *u, bool *fits) MUST_USE;
/* The same; where the file does not know, all is counted, and kept in a new one. */
int usage_ask(int box, const struct usage_limit *l, uint64_t octets,
    struct usage *u, bool *fits) MUST_USE;
/* What is there, counted; nothing is written.  0, or -1 with errno. */
int usage_count(int box, struct usage *u) MUST_USE;
/*
 * Says in the file that so much came, or went.  Without a file nothing is done;
 * one that cannot be written is removed, since it would be wrong.  errno stays.
 */
void usage_add(int box, int64_t octets, int64_t messages);

#endif
