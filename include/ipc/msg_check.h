/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_MSG_CHECK_H
#define IPC_MSG_CHECK_H

/* msg_check -- what sessions ask barid-check, and its answers; as in ipc/msg.h. */

#include "ipc/msg.h"

/* What do lists in DNS make of a client? */
struct msg_client {
	struct str address;	/* "192.0.2.1", "2001:db8::1" */
};
void msg_client_put(struct buf *b, const struct msg_client *m);
bool msg_client_get(struct str packet, struct msg_client *m) MUST_USE;

struct msg_client_result {
	bool refused;
	uint64_t code;		/* of the refusal: 400 to 599 */
	struct str enhanced;
	struct str text;	/* ASCII */
	struct str why;		/* for the log, of a client that is on a list; or empty */
};
void msg_client_result_put(struct buf *b, const struct msg_client_result *m);
/* False also for what may not stand in a reply. */
bool msg_client_result_get(struct str packet, struct msg_client_result *m) MUST_USE;

#endif
