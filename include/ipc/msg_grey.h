/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_MSG_GREY_H
#define IPC_MSG_GREY_H

/* msg_grey -- has a sender come before? A session asks barid-check, as in ipc/msg.h. */

#include "ipc/msg.h"

struct msg_grey {
	struct str client;	/* a network, or the domain that vouches for it */
	struct str sender, recipient;
};
void msg_grey_put(struct buf *b, const struct msg_grey *m);
bool msg_grey_get(struct str packet, struct msg_grey *m) MUST_USE;

struct msg_grey_result {
	uint64_t wait;		/* seconds; 0: it may come in */
};
void msg_grey_result_put(struct buf *b, const struct msg_grey_result *m);
bool msg_grey_result_get(struct str packet, struct msg_grey_result *m) MUST_USE;

#endif
