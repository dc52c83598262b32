/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_ANSWER_H
#define MAIL_ANSWER_H

/* answer -- the message by which a mailbox answers by itself (RFC 3834 3). */

#include "lib/buf.h"
#include "mail/path.h"

#define ANSWER_TEXT_MAX 65536

struct answer_form {
	struct path from, to;
	struct str original;	/* its header */
	struct str text;	/* of the mailbox: "Subject: ..." and a blank line may come first */
	struct str message_id;	/* "left@right" */
	int64_t now;
};

/* Adds it, with CRLF line ends. */
void answer_add(struct buf *b, const struct answer_form *f);

#endif
