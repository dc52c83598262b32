/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTPD_SMTPD_IDENTITY_H
#define SMTPD_SMTPD_IDENTITY_H

/* smtpd_identity -- whether a stranger is who he says that he is. */

#include "ipc/msg_name.h"
#include "mail/path.h"
#include "smtpd_answer.h"
#include "smtpd_asked.h"

struct session;

/* What barid-check is asked for, and knows. */
struct identity {
	struct asked asked[4];
	bool named;		/* there was an answer to that of the name */
	struct msg_iprev_result iprev;
	bool knows_helo, knows_sender;
	bool is_ours;		/* the domain of MAIL FROM, as it was said */
	struct msg_exists_result helo, sender;
};

/* The client is another one now; it has said HELO; it has said MAIL. */
void identity_begin(struct session *s);
void identity_greeted(struct session *s);
void identity_mail(struct session *s);
/* A refusal of mail for TO, or code 0. */
struct answer identity_recipient(struct session *s, const struct path *to);
void identity_free(struct session *s);
/* Whether DNS has a name DOMAIN, whatever of it (RFC 8020): asks, and waits. */
enum exists identity_exists(struct session *s, struct str domain);

#endif
