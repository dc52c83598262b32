/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTPD_SMTPD_SPF_H
#define SMTPD_SMTPD_SPF_H

/* smtpd_spf -- whether the sender's domain lets the client send its mail. */

#include "check/spf.h"
#include "mail/path.h"
#include "smtpd_answer.h"

struct session;

/* Of a transaction. */
struct spf_txn {
	struct path sender;	/* as MAIL has it, before it becomes another */
	struct spf_result result;	/* good once KNOWN: spf_result() */
	bool known;
};

/* Asks about the client and the sender of MAIL. */
void spf_begin(struct session *s);
/* Nothing is waited for any more. */
void spf_forget(struct session *s);
/* A refusal of mail for TO, or code 0. */
struct answer spf_recipient(struct session *s, const struct path *to);
/* What there is, once it is there: in the transaction's arena. */
const struct spf_result *spf_result(struct session *s);
/* Adds what there is as fields of the header. */
void spf_add(struct session *s, struct buf *b);

#endif
