/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_MSG_BOX_H
#define IPC_MSG_BOX_H

/*
 * msg_box -- what a POP3 session asks the process that has its mailbox open as
 * the account whose it is, and the answers; as in ipc/msg.h.
 */

#include "ipc/msg.h"

enum box_op {
	BOX_LIST = 1,	/* opens the mailbox; the messages from FIRST on */
	BOX_SIZES,	/* of messages from FIRST on, at most N */
	BOX_OPEN,	/* message FIRST: its descriptor comes with the answer */
	BOX_MARK,	/* MARKS are bits of the messages from FIRST on: these are to go */
	BOX_REMOVE,	/* removes what is marked */
	BOX_CLOSE	/* the mailbox, before the answer: that is the last one */
};

/* Messages have numbers from 0. */
struct msg_box {
	enum box_op op;
	uint64_t first, n;
	struct str marks;
};
void msg_box_put(struct buf *b, const struct msg_box *m);
bool msg_box_get(struct str packet, struct msg_box *m) MUST_USE;

struct msg_box_result {
	uint64_t error;		/* an errno; 0: it is done, */
	uint64_t n;		/* messages that there are (LIST), or that stayed (REMOVE) */
	/*
	 * A line for each message: "SECONDS.UIDL", when it arrived and what it is
	 * called (LIST); octets, or "-" where it is gone (SIZES).
	 */
	struct str lines;
};
void msg_box_result_put(struct buf *b, const struct msg_box_result *m);
bool msg_box_result_get(struct str packet, struct msg_box_result *m) MUST_USE;

#endif
