/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_SPAWN_H
#define IPC_SPAWN_H

/* spawn -- what runners ask of barid-spawn, and what it answers; of ipc/msg.h. */

#include "lib/buf.h"

#define SPAWN_RCPTS_MAX 100
/* Of what accounts have in their .forward files so many of each run at once. */
#define SPAWN_FORWARD_ACTIVE 2

/*
 * No program is ever said by its path.  It is one of the configuration
 * (conf/program.h), which both have read, though not the same for the moment of
 * a reload; or one of an alias, in files that the other side reads itself.  The
 * way to answer brings one packet, a MSG_HINT with the id, and with it a
 * descriptor of the message.
 */
enum spawn_kind {
	SPAWN_COMMAND,		/* number COMMAND; VIA is what is believed to stand there */
	SPAWN_ALIAS,		/* a program or file of the alias of its recipient: VIA
				 * is which, as alias_part() has it */
	SPAWN_HOME		/* the same of the .forward of WHO; of no VIA his Maildir */
};
struct msg_spawn {
	enum spawn_kind kind;
	uint64_t command;
	struct str via;
	struct str who;		/* an account, or empty */
	struct str id;
	uint64_t arrival;	/* in seconds */
	uint64_t rcpt;		/* number of the first in the envelope */
	uint64_t at, size;	/* of the text in that file */
	struct str sender;	/* without brackets; empty: <> */
	struct str client;	/* address, or empty */
	struct str login;	/* name, or empty */
	struct str rcpts[SPAWN_RCPTS_MAX];
	size_t rcpt_n;		/* at least one */
};
void msg_spawn_put(struct buf *b, const struct msg_spawn *m);
bool msg_spawn_get(struct str packet, struct msg_spawn *m) MUST_USE;

enum spawn_end {
	SPAWN_EXITED,		/* CODE is its status */
	SPAWN_KILLED,		/* CODE is a signal */
	SPAWN_TIMEOUT,
	SPAWN_FAILED		/* it was not run, for a reason that passes */
};
struct msg_spawn_result {
	enum spawn_end end;
	uint64_t code;
	struct str text;	/* the first line of its output; or why */
};
void msg_spawn_result_put(struct buf *b, const struct msg_spawn_result *m);
bool msg_spawn_result_get(struct str packet, struct msg_spawn_result *m) MUST_USE;

struct msg_forward {
	struct str user;	/* an account */
};
void msg_forward_put(struct buf *b, const struct msg_forward *m);
bool msg_forward_get(struct str packet, struct msg_forward *m) MUST_USE;

struct msg_forward_result {
	uint64_t state;		/* enum forward_state */
	bool account;		/* there is one of that name, and a person's */
	struct str text;	/* what is in it; or what is wrong with it */
};
void msg_forward_result_put(struct buf *b, const struct msg_forward_result *m);
bool msg_forward_result_get(struct str packet, struct msg_forward_result *m) MUST_USE;

#endif
