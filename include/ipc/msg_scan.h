/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_MSG_SCAN_H
#define IPC_MSG_SCAN_H

/*
 * msg_scan -- what a server of spam or viruses makes of a message: a session
 * asks barid-check, as in ipc/msg.h.
 *
 * Two packets: the question, whose way to answer is kept open, and on that way
 * MSG_SCAN_TEXT with a descriptor of a plain file that has the text.  So a text
 * is never in a packet, and whoever asks pays for it.
 */

#include "ipc/msg.h"

enum scan_kind { SCAN_KIND_SPAM, SCAN_KIND_VIRUS };

/* Recipients that a server is told of; the others it does not hear about. */
#define MSG_SCAN_RCPTS_MAX 50

struct msg_scan {
	enum scan_kind kind;
	uint64_t at;		/* where in the file the text begins, */
	uint64_t size;		/* and its octets */
	struct str id;		/* of the queue */
	struct str from;	/* or empty */
	struct str client;	/* "192.0.2.1", or empty */
	struct str name;	/* of the client, or empty */
	struct str helo;
	struct str login;	/* or empty */
	struct str rcpts[MSG_SCAN_RCPTS_MAX];
	size_t rcpt_n;
};
void msg_scan_put(struct buf *b, const struct msg_scan *m);
/* False also for what could begin another line. */
bool msg_scan_get(struct str packet, struct msg_scan *m) MUST_USE;

/* What the descriptor comes with. */
void msg_scan_text_put(struct buf *b);
bool msg_scan_text_get(struct str packet) MUST_USE;

enum scan_result {
	SCAN_FAILED,		/* nobody knows: WHAT is why */
	SCAN_CLEAN,
	SCAN_SPAM,		/* by the server's own threshold */
	SCAN_SPAM_REJECT,	/* and it would refuse it */
	SCAN_LATER,		/* it should come again: greylisted, limited */
	SCAN_VIRUS		/* WHAT is its name */
};

#define MSG_SCAN_SYMBOLS_MAX 1000
#define MSG_SCAN_WHAT_MAX 200
/* A score beyond is none: thousandths. */
#define MSG_SCAN_SCORE_MAX ((int64_t)1000000000)

struct msg_scan_result {
	enum scan_result result;
	bool scored;
	int64_t score, required;	/* thousandths */
	struct str symbols;	/* names of rules, a comma between two; or empty */
	struct str what;	/* graphic ASCII and spaces; or empty */
	uint64_t edited;	/* octets of the text in the descriptor that comes along; 0: none */
};
void msg_scan_result_put(struct buf *b, const struct msg_scan_result *m);
/* False also for what may not stand in a header. */
bool msg_scan_result_get(struct str packet, struct msg_scan_result *m) MUST_USE;

#endif
