/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTPD_SMTPD_CHECK_H
#define SMTPD_SMTPD_CHECK_H

/* smtpd_check -- clients that lists in DNS have. */

#include "mail/path.h"
#include "smtpd_answer.h"
#include "smtpd_asked.h"

struct session;

/* What lists in DNS have of the client. */
struct lists {
	struct asked asked;
	struct answer refusal;	/* code 0: there is none */
};

/* Asks about the client, who is another one now. */
void check_begin(struct session *s);
/* Nothing is waited for any more. */
void check_forget(struct session *s);
/* A refusal in the place of the greeting, or code 0. */
struct answer check_banner(struct session *s);
/* A refusal of mail for TO, or code 0. */
struct answer check_recipient(struct session *s, const struct path *to);

#endif
