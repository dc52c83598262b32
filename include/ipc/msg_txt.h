/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_MSG_TXT_H
#define IPC_MSG_TXT_H

/*
 * msg_txt -- what DNS has under names of keys and policies: a session asks
 * barid-check, as in ipc/msg.h.
 */

#include "ipc/msg.h"

#define MSG_TXT_NAMES_MAX 16
/*
 * Records of a name, and their octets.  As much of every name fits in an answer: what
 * a stranger publishes under the names that he brings up takes no room from others.
 */
#define MSG_TXT_RECORDS_MAX 16
#define MSG_TXT_NAME_MAX 3840	/* sixteen of them, and what tells them apart, are a frame */
/* How long an answer may be waited for. */
#define MSG_TXT_WAIT_MAX_MS 60000

/*
 * What may be asked for, so that a session that was taken over has no resolver:
 * "selector._domainkey.domain" (RFC 6376 3.6.2.1) and "_dmarc.domain" (RFC
 * 9989 4.10), of letters, digits, "-" and "_" in labels of up to 63.
 */
bool msg_txt_may_ask(struct str name);

/* Names that are asked for at once; what has no answer after WAIT_MS is TXT_TEMPORARY. */
struct msg_txt {
	uint64_t wait_ms;	/* 1 to MSG_TXT_WAIT_MAX_MS */
	struct str names[MSG_TXT_NAMES_MAX];
	size_t name_n;		/* at least one */
};
void msg_txt_put(struct buf *b, const struct msg_txt *m);
/* False also if a name is none of those. */
bool msg_txt_get(struct str packet, struct msg_txt *m) MUST_USE;

enum txt_status {
	TXT_OK,			/* there are records */
	TXT_NO_NAME,		/* there is no such name (NXDOMAIN) */
	TXT_NO_DATA,		/* there is, without such a record */
	TXT_TEMPORARY,		/* nobody knows now */
	TXT_LARGE		/* there is more than that: none of it is in the answer */
};

struct txt_answer {
	enum txt_status status;
	struct str texts[MSG_TXT_RECORDS_MAX];	/* any octets; TXT_OK: at least one */
	size_t text_n;
};

/* By name, in the order of the question. */
struct msg_txt_result {
	struct txt_answer answers[MSG_TXT_NAMES_MAX];
	size_t answer_n;
};
/* An answer of more than MSG_TXT_NAME_MAX becomes TXT_LARGE. */
void msg_txt_result_put(struct buf *b, const struct msg_txt_result *m);
bool msg_txt_result_get(struct str packet, struct msg_txt_result *m) MUST_USE;

#endif
