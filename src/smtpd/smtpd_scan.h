/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTPD_SMTPD_SCAN_H
#define SMTPD_SMTPD_SCAN_H

/* smtpd_scan -- what servers of spam and viruses make of a message. */

#include "check/scan.h"
#include "smtpd_answer.h"

struct session;
struct queue_msg;
struct results;

/* Of one kind, for the transaction. */
struct scanned {
	bool done;		/* there is an answer; it may be that nobody knows */
	struct msg_scan_result result;	/* in the transaction's arena */
	int64_t ms;		/* how long it took */
};

/* True if the text of this transaction is to be looked at. */
bool scan_is_wanted(const struct session *s);
/* Takes fields out of the header in S->text that a stranger wrote as if we had. */
void scan_strip(struct session *s);
/*
 * Has the text of *M looked at, and waits for it.  Code 0, or a refusal.  *M may
 * be another message by then, of the same envelope, or NULL with a refusal.
 * S->txn.scanned has what was found.
 */
struct answer scan_text(struct session *s, struct queue_msg **m) MUST_USE;
/* Adds what was found to R, for the envelope; texts live as the transaction. */
void scan_collect(struct session *s, struct results *r);
/* Adds the fields that say so. */
void scan_add_fields(const struct session *s, struct buf *b);

#endif
