/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_EXPLAIN_CHECKS_H
#define CMD_EXPLAIN_CHECKS_H

/*
 * explain_checks -- what the files share that explain checks.
 *
 * explain_checks.c	of a client, and the sender that it names
 * explain_text.c	of a message
 * explain_scan.c	what servers of spam and viruses make of it
 */

#include "check/greylist.h"
#include "check/refusal.h"
#include "explain.h"

/* A client, and what is known of it. */
struct looked {
	struct explain *x;
	const struct conf *c;	/* as it is at the listener */
	struct addr client;
	const char *address;
	struct str helo;	/* empty: nobody said */
	const struct path *from, *to;
	bool relays;		/* it may send anywhere */
	bool postmaster;	/* the mail is for him */
	struct arena *a;
	struct dnsbl_entry *listed;	/* what lists have, one for each */
	struct spf_facts *facts;
	struct spf_result spf;
	struct greylist_facts grey;	/* what was found so far */
	/* The first refusal, and by which check; code 0: there is none. */
	struct refusal refused;
	const char *by;
};

/*
 * Says that NAME found WHAT, and what that does to the mail; EXEMPT: it does
 * nothing to mail of this client.
 */
void looked_say(struct looked *k, const char *name, struct conf_place place, const char *what,
    struct refusal r, bool exempt);
/* Says why NAME is not looked at. */
void looked_skip(struct looked *k, const char *name, struct conf_place place, const char *why);

/* What lists make of T and of what they were asked before: the step NAME. */
void explain_listed(struct looked *k, const char *name, const struct dnsbl_terms *t);

/* Of the message in the file at PATH, or of none (NULL); an exit code. */
int explain_text(struct looked *k, const char *path);
/* Of TEXT, or of no message (NULL). */
void explain_scan(struct looked *k, const struct str *text);

#endif
