/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTPD_SMTPD_CHECKS_H
#define SMTPD_SMTPD_CHECKS_H

/* smtpd_checks -- what can be found out about a message before it is accepted. */

#include "ipc/msg_txt.h"
#include "smtpd_answer.h"
#include "smtpd_asked.h"

struct session;
struct queue_msg;
struct results;
struct dkim_check;
struct dmarc_verdict;

/* A name of DNS, and what it has: of the transaction's arena. */
struct record {
	struct str name;
	struct txt_answer answer;
	struct record *next;
};

/* Of the message whose text comes; all zero: nothing is checked. */
struct checks {
	bool on;
	struct dkim_check *dkim;	/* signatures and seals, or NULL */
	struct str author;		/* the domain of From; empty: there is none */
	const char *no_author;		/* why */
	bool sealed_pass;		/* the last ARC-Authentication-Results has dmarc=pass */
	struct record *records;
	struct asked question;		/* for ASKED */
	struct record *asked[MSG_TXT_NAMES_MAX];
	size_t asked_n;
	int64_t until;			/* clock_ms(): questions had their time; 0: all of it */
};

/* ---- smtpd_checks.c --------------------------------------------------------------- */

/* S->text has the whole header, as it came, and perhaps some of the body. */
void checks_begin(struct session *s);
/* More of the body. */
void checks_body(struct session *s, struct str piece);
/*
 * All of *M is there: what was found is put before it and into its envelope.
 * Code 0, or a refusal.  *M may be another by then (scan_text()), or NULL.
 */
struct answer checks_end(struct session *s, struct queue_msg **m) MUST_USE;
/* Nothing more comes of it. */
void checks_free(struct session *s);

/* ---- smtpd_records.c -------------------------------------------------------------- */

/* NULL: nobody asked. */
const struct txt_answer *records_find(const struct session *s, struct str name);
/*
 * Asks for those of NAMES that nobody has asked for, as many as fit with what was
 * asked before; records_send() sends the question.  False: it does not fit.
 */
bool records_want(struct session *s, struct str name);
void records_send(struct session *s);
/* From now on all questions have the time of one together; then nobody is asked any more. */
void records_limit(struct session *s);
/* Waits for the answer to it; without one its names are TXT_TEMPORARY. */
void records_await(struct session *s);

/* ---- smtpd_dmarc.c ---------------------------------------------------------------- */

/*
 * Writes down of the message, which is judged, what belongs in a report to V's domain:
 * A is its answer so far; VOUCHED: somebody who is trusted says that it had passed.
 */
void dmarc_note(struct session *s, const struct dmarc_verdict *v, const struct answer *a,
    bool vouched);
/* And has it counted, if A is the end of the message: it was taken, or refused for good. */
void dmarc_tell(const struct session *s, const struct answer *a);

/* ---- smtpd_found.c ---------------------------------------------------------------- */

/* True if something is to be put before the message at its end. */
bool found_is_due(const struct session *s);
/* Adds what is known of the session and its message to R; texts live as the transaction. */
void found_collect(struct session *s, struct results *r, const struct dmarc_verdict *dmarc);
/* Puts R before M and into its envelope.  -1: errno. */
int found_write(struct session *s, struct queue_msg *m, struct results *r, bool quarantined)
    MUST_USE;
/* Takes out of the header in S->text what claims to be ours. */
void found_strip(struct session *s);

#endif
