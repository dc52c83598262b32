/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_AUDIT_H
#define REPORT_AUDIT_H

/*
 * audit -- the journal held against the spool: is every recipient that was
 * accepted accounted for?
 */

#include "ipc/journal.h"
#include "queue/queue.h"

/* What a recipient can have come to; each has exactly one of these. */
enum audit_end {
	AUDIT_DELIVERED,	/* in a mailbox */
	AUDIT_RELAYED,		/* at another server */
	AUDIT_BOUNCED,
	AUDIT_EXPIRED,
	AUDIT_DISCARDED,
	AUDIT_EXPANDED,		/* others stand for it, who count as well */
	AUDIT_DELETED,
	AUDIT_DEAD,		/* kept in dead/ */
	AUDIT_BAD,		/* kept in bad/ */
	AUDIT_HELD,
	AUDIT_QUEUED,
	AUDIT_LOST,		/* none of these: there must be none */
	AUDIT_END_N
};

enum audit_kind {
	/* What does not close. */
	AUDIT_MISSING,		/* neither in the queue nor dealt with */
	AUDIT_NO_OUTCOME,	/* it left the queue, and RCPT has no outcome */
	AUDIT_NO_RECEIVED,	/* it has an outcome and was never received */
	AUDIT_NO_REMOVED,	/* it is gone, and nobody said so */
	AUDIT_GAP,		/* RUNNER lost LOST lines, from SINCE_US to TIME_US */
	/* What is worth a word, and no more. */
	AUDIT_TWICE,		/* RCPT was dealt with twice: in flight at a crash */
	AUDIT_BROKEN		/* line NUMBER of FILE is none */
};

struct audit_finding {
	enum audit_kind kind;
	char id[QUEUE_ID_SIZE];
	uint64_t rcpt;
	uint64_t runner, lost;
	int64_t since_us, time_us;
	const char *file;
	uint64_t number;
};

struct audit_sum {
	uint64_t messages;
	uint64_t received;	/* recipients */
	uint64_t ends[AUDIT_END_N];	/* what they came to: the sum of it */
	uint64_t older;		/* messages that began before the journal, or SINCE */
	uint64_t lines;
	uint64_t wrong, notes;	/* findings */
	int64_t begins_us;	/* of the journal */
	unsigned passes;
};

/* More messages than this at once are audited in several passes. */
#define AUDIT_MESSAGES_MAX ((uint32_t)1 << 20)

const char *audit_end_name(enum audit_end e);
const char *audit_kind_name(enum audit_kind k);
static inline bool
audit_is_wrong(enum audit_kind k)
{
	return k < AUDIT_TWICE;
}

/*
 * Audits the journal that R reads against Q, messages that came in from
 * SINCE_US on; FN is told each finding.  The memory is 40 octets for each of
 * AT_ONCE messages, and more only for those with more than eight recipients:
 * an octet for each.  -1: errno, something could not be read.
 */
int audit_run(struct queue *q, struct journal_reader *r, int64_t since_us,
    uint32_t at_once,
    void (*fn)(void *arg, const struct audit_finding *f), void *arg,
    struct audit_sum *sum) MUST_USE;

#endif
