/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_MSG_DMARC_H
#define IPC_MSG_DMARC_H

/*
 * msg_dmarc -- a message was held against the policy of its author's domain: a
 * session tells barid-check, for the report to that domain, as in ipc/msg.h.
 * Nobody answers.
 */

#include "ipc/msg.h"

struct msg_dmarc {
	struct str row;		/* a line (mail/dmarc_row.h), which nobody has looked at yet */
};
void msg_dmarc_put(struct buf *b, const struct msg_dmarc *m);
bool msg_dmarc_get(struct str packet, struct msg_dmarc *m) MUST_USE;

#endif
