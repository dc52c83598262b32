/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_MSG_SPF_H
#define IPC_MSG_SPF_H

/*
 * msg_spf -- whether domains let a client send mail (RFC 7208): a session asks
 * barid-check, as in ipc/msg.h.
 */

#include "ipc/msg.h"

struct msg_spf {
	struct str address;	/* of the client: "192.0.2.1", "2001:db8::1" */
	struct str helo;	/* what it calls itself */
	struct str local;	/* of the sender; both empty: there is none */
	struct str domain;
	struct str receiver;	/* our name there */
};
void msg_spf_put(struct buf *b, const struct msg_spf *m);
/* False also for a string that is too long for an address or a name. */
bool msg_spf_get(struct str packet, struct msg_spf *m) MUST_USE;

/* Texts are printable ASCII. */
#define MSG_SPF_TEXT_MAX 400
struct msg_spf_verdict {
	uint64_t code;		/* enum spf_code */
	struct str mechanism;
	struct str problem;
	struct str explanation;
};

/* Without a sender both are the same. */
struct msg_spf_result {
	struct msg_spf_verdict helo, from;
};
void msg_spf_result_put(struct buf *b, const struct msg_spf_result *m);
bool msg_spf_result_get(struct str packet, struct msg_spf_result *m) MUST_USE;

#endif
