/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTPD_SMTPD_CHECK_H
#define SMTPD_SMTPD_CHECK_H

/* smtpd_check -- clients, and domains that they name, that lists in DNS have. */

#include "lib/arena.h"
#include "mail/path.h"
#include "smtpd_answer.h"
#include "smtpd_asked.h"

struct session;
struct queue_msg;
struct dnsbl_entry;

/* What lists in DNS have. */
struct listed {
	struct dnsbl_entry *found;	/* one for each list; NULL: there is nothing */
	struct answer refusal;	/* code 0: there is none */
	int64_t score;		/* the sum of the weights */
};

/* Questions about the client, and about what its mail names. */
struct lists {
	struct asked asked, names_asked;
	struct listed client;	/* what there is of it */
	struct arena arena;	/* as long as the client is the same */
};

/* Asks about the client, who is another one now. */
void check_begin(struct session *s);
/* A transaction begins: asks about the domains of its sender and of HELO. */
void check_mail(struct session *s);
/* Nothing of the transaction is waited for any more; and nothing of the client. */
void check_forget_mail(struct session *s);
void check_forget(struct session *s);
/* A refusal in the place of the greeting, or code 0. */
struct answer check_banner(struct session *s);
/* A refusal of mail for TO, or code 0. */
struct answer check_recipient(struct session *s, const struct path *to);
/*
 * All of M is there: asks about the hosts of its URLs.  Code 0, or M cannot be stored.
 * Then a refusal of it, or code 0.
 */
struct answer check_urls_ask(struct session *s, struct queue_msg *m);
struct answer check_urls(struct session *s);
/* The sum of the weights of lists, as far as it is known. */
int64_t check_score(const struct session *s);

#endif
