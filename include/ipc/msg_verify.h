/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_MSG_VERIFY_H
#define IPC_MSG_VERIFY_H

/* msg_verify -- what sessions ask barid-verify, and its answers; as in ipc/msg.h. */

#include "ipc/msg.h"

/*
 * Addresses are without brackets; an empty sender is <>.  With MAILBOX the
 * question is whether that has room for so many OCTETS, and nothing else is
 * said: there is no recipient, or the answer would be one about him; VERIFY_NO: it
 * has not.
 */
struct msg_verify {
	struct str recipient;
	struct str sender;
	struct str client;	/* "192.0.2.1:4711" */
	struct str mechanism;	/* by which the client logged in, and as whom; or empty */
	struct str login;
	struct str mailbox;
	uint64_t octets;
};
void msg_verify_put(struct buf *b, const struct msg_verify *m);
bool msg_verify_get(struct str packet, struct msg_verify *m) MUST_USE;

/* VERIFY_ABORT: and the client is sent away. */
enum verify_verdict { VERIFY_YES, VERIFY_NO, VERIFY_LATER, VERIFY_ABORT };
struct msg_verify_result {
	enum verify_verdict verdict;
	struct str address;	/* VERIFY_YES: who gets it instead; a local part, or an address */
	struct str text;	/* for the client, of a no; or empty */
	struct str why;		/* for the log */
};
void msg_verify_result_put(struct buf *b, const struct msg_verify_result *m);
bool msg_verify_result_get(struct str packet, struct msg_verify_result *m) MUST_USE;

#endif
