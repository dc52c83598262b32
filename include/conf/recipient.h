/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_RECIPIENT_H
#define CONF_RECIPIENT_H

/*
 * recipient -- the sections that say what becomes of addresses of ours.
 *
 * They are asked in their order, and the first that fits decides.  One that
 * gives a mailbox or other addresses to a whole domain is a catch-all: it is
 * asked last, so that it gets what nobody else does.
 */

#include "conf/route.h"

struct conf_list;

#define CONF_FORWARD_MAX 1000	/* addresses of one section */

enum conf_rule_kind {
	RULE_NONE,	/* none was said, which is a mistake */
	RULE_MAILBOX, RULE_FORWARD,
	RULE_LIST,
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
	const char *run_as;	/* whose program it is; "": conf.user */
	bool discard;
	/* meaning */
	enum conf_rule_kind kind;
	struct pattern to;
	struct conf_via way;	/* RULE_WAY */
	const struct conf_list *list_of;	/* RULE_LIST */
	bool last;		/* a catch-all */
};

#endif
