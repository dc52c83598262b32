/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_RECIPIENT_H
#define CONF_RECIPIENT_H

/*
 * recipient -- the sections that say what becomes of addresses of ours.
 *
 * They are asked in their order, and the first that fits decides.  One that
 * gives a mailbox or other addresses to a whole domain is a catch-all: it is
 * asked last, so that it gets what nobody else does.
 *
 * A section may have a table of addresses (conf/table.h), each line of which is
 * such a section for one address; who is not in it goes on to the next.
 */

#include "conf/route.h"
#include "conf/table.h"
#include "conf/verify.h"

struct conf;
struct conf_list;

#define CONF_FORWARD_MAX 1000	/* addresses of one section */

enum conf_rule_kind {
	RULE_NONE,	/* none was said, which is a mistake */
	RULE_MAILBOX, RULE_FORWARD,
	RULE_LIST,
	RULE_TABLE,	/* its lines have one of the others */
	RULE_WAY	/* a route's via, a refusal, or nothing at all */
};

struct conf_recipient {
	const char *pattern;
	struct conf_place place;
	const char *mailbox;
	struct conf_strs forward;
	const char *reject;
	const char *via;
	const char *list;	/* a mailing list */
	const char *table;	/* a file that says it of each; of a line of it: the same */
	const char *run_as;	/* whose program it is; "": conf.user */
	struct conf_strs sender;	/* of whose mail this is so; empty: of anybody's */
	bool discard;
	/* meaning */
	enum conf_rule_kind kind;
	struct pattern to;
	struct conf_patterns senders;
	struct conf_via way;	/* RULE_WAY */
	const struct conf_list *list_of;	/* RULE_LIST */
	bool all;		/* of a domain, or all there are */
	bool last;		/* a catch-all */
	struct conf_table *rows;	/* of TABLE, once conf_tables_load() was called */
};

/*
 * The section, in A, that the line E of SECTION's table is, for as long as C and
 * its table are.  Its place is that line, and its pattern the section's.
 */
const struct conf_recipient *conf_row(const struct conf *c,
    const struct conf_recipient *section, const struct conf_table_entry *e, struct arena *a);

/* The section recipients. */
struct conf_recipients {
	struct conf_strs mailboxes;	/* "file", "system", "any" */
	const char *subaddress;
	bool forward;		/* accounts of this host have a .forward */
	bool link;		/* one file for several mailboxes */
	const char *home_maildir;	/* of theirs, in the home directory; "": none */
	const char *run_as;	/* whose programs and files of aliases are; "": there are none */
	const char *verify;	/* "exec:/path", "net:host:port" ...; "": nobody */
	int64_t verify_timeout;
	int64_t verify_cache;	/* of what a server said; 0: none */
	/* meaning */
	struct conf_verify asked;
};

/* True if accounts of this host get mail, and have something of it at home. */
bool conf_has_homes(const struct conf *c);
/* True if that is the whole mailbox. */
bool conf_has_home_maildirs(const struct conf *c);

#endif
