/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MASTER_SANDBOX_H
#define MASTER_SANDBOX_H

/* sandbox -- what holds the children of the master. */

#include "lib/confine.h"

struct check;
struct master;

struct sandbox {
	struct confine *session, *helper;
	int spool, mailboxes;	/* Landlock's rules, >= master_fd_base(); -1: none */
	int empty;		/* a directory with nothing in it, as high; -1: no root */
	uint64_t file_size;	/* of what a session writes; 0: no limit */
};
#define SANDBOX_NONE ((struct sandbox){ .spool = -1, .mailboxes = -1, .empty = -1 })

/* With M's spool and mailboxes; -1 after a complaint. */
int sandbox_make(struct check *k, const struct master *m, struct sandbox *s);
void sandbox_free(struct sandbox *s);
/* S in place of what holds M's children now, with M's new configuration and log. */
void sandbox_in_force(struct master *m, const struct sandbox *s);
void sandbox_session(const struct master *m, bool pop);	/* puts it on, or ends */

#endif
