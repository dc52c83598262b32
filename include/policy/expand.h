/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_EXPAND_H
#define POLICY_EXPAND_H

/*
 * expand -- an address that others have the mail of, down to those who get it
 * in the end: a pure function of the configuration and the lists.
 */

#include "mail/alias.h"
#include "policy/recipient.h"

/* One list may lead to another so often (CONFORMANCE S-43, S-44). */
#define EXPAND_DEPTH 10
#define EXPAND_MAX 50000
/* An arena of this size holds whatever an address leads to. */
#define EXPAND_ARENA ((size_t)256 << 20)

/* What is known of the .forward of an account: FOUND has a list, LATER a reason. */
enum expand_home { HOME_NONE, HOME_FOUND, HOME_LATER, HOME_WAIT };

/* What is told of an address or a file by those who have read it. */
struct expand_lists {
	/* The targets of alias P; and those of the file at PATH.  NULL: WHY. */
	const struct alias_list *(*alias)(void *arg, const struct path *p,
	    const char **why);
	const struct alias_list *(*include)(void *arg, struct str path,
	    const char **why);
	/* That of whom MAILBOX is; NULL: there are none. */
	enum expand_home (*home)(void *arg, const char *mailbox,
	    const struct alias_list **list, const char **why);
	void *arg;
};

struct expansion {
	struct alias_target *v;
	struct path *paths;	/* the address; of a program or file, whose list has it */
	size_t n;
	size_t looked;		/* so many targets of lists were looked at */
	/* The account of which not all is known yet: nothing else counts; or NULL. */
	const char *waits;
	const char *status;	/* NULL; or why it is none: "5.4.6", "4.3.0" ... */
	const char *why;	/* in words */
};

/*
 * Expands P, whose target is TARGET_FORWARD or TARGET_ALIAS, or a mailbox whose
 * account has a .forward; what X holds is in A, of EXPAND_ARENA, or in LISTS.
 * Each address stands in it once.  Those that stand for themselves in a list of
 * theirs are in it, too: target_at_last() says what becomes of them.
 */
void expand(const struct conf *c, const struct userset *users,
    const struct mail_facts *f, const struct path *p,
    const struct expand_lists *lists, struct arena *a, struct expansion *x);

#endif
