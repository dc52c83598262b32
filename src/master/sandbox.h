/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MASTER_SANDBOX_H
#define MASTER_SANDBOX_H

/* sandbox -- what holds who is forked: children for control, acceptors, sessions. */

#include "lib/confine.h"

struct check;
struct master;

struct sandbox {
	struct confine *calls;	/* of children for control, or of an acceptor */
	int rules;		/* an acceptor's, of Landlock; -1: none */
	int empty;		/* of one for POP3, a directory with nothing in it; -1: no root */
	bool blind;		/* it was entered: no mailbox can be seen */
	bool many;		/* listeners: it may have more descriptors than a session */
};
#define SANDBOX_NONE ((struct sandbox){ .rules = -1, .empty = -1 })

/* The master's; -1 after a complaint. */
int sandbox_make(struct check *k, struct sandbox *s);
/* An acceptor's, with M's spool or mailboxes: M's from now on; -1 after a complaint. */
int sandbox_make_acceptor(struct check *k, struct master *m, bool pop);
void sandbox_free(struct sandbox *s);
/* Puts M's on this acceptor and the sessions to come, or ends. */
void sandbox_acceptor(struct master *m, bool pop);
/* In a session: what an acceptor has and it has not. */
void sandbox_session(const struct master *m);

#endif
