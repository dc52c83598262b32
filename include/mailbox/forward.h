/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILBOX_FORWARD_H
#define MAILBOX_FORWARD_H

/* forward -- the file .forward in the home directory of an account. */

#include <sys/types.h>

#include "lib/buf.h"
#include "mail/alias.h"

#define FORWARD_NAME ".forward"
#define FORWARD_MAX 32768	/* octets */

enum forward_state {
	FORWARD_NONE,		/* there is none, or none that is believed */
	FORWARD_FOUND,
	FORWARD_LATER		/* it cannot be read now */
};

/*
 * Adds the text of HOME/.forward to TEXT, which holds FORWARD_MAX, as the
 * account UID, whose it has to be.  *WHY is NULL, or says in static words what
 * is wrong: with LATER, and with a file that is not believed.  Opens no link
 * and waits for nobody.
 */
enum forward_state forward_read(const char *home, uid_t uid, struct buf *text,
    const char **why) MUST_USE;
/*
 * The targets in TEXT, in A.  What it includes is no target.  NULL, or what is
 * wrong with it, in A or static: then it says nothing, and the account keeps its mail.
 */
const char *forward_parse(struct str text, struct arena *a,
    struct alias_list *list) MUST_USE;

#endif
