/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_REWRITE_H
#define CONF_REWRITE_H

/*
 * rewrite -- the sections that make other addresses of addresses.
 *
 * They are asked in their order, and the first that fits an address where it
 * stands decides; what it makes is not asked about again.
 */

#include "conf/pattern.h"
#include "conf/table.h"
#include "conf/types.h"

/* Where an address stands, as bits; the words of Postfix. */
enum conf_rewrite_what {
	REWRITE_ENVELOPE_SENDER = 1,
	REWRITE_ENVELOPE_RECIPIENT = 2,
	REWRITE_HEADER_SENDER = 4,
	REWRITE_HEADER_RECIPIENT = 8
};

/* When mail comes in, before anything is decided; when a host gets it. */
enum conf_rewrite_at { REWRITE_AT_RECEIVE, REWRITE_AT_SEND };
enum conf_rewrite_keep { REWRITE_KEEP_NONE, REWRITE_KEEP_REPLY_TO, REWRITE_KEEP_ORIGINAL };

struct conf_rewrite {
	const char *pattern;	/* others may have it */
	struct conf_place place;
	const char *to;		/* "local@domain", each "*" for what it was; "": as it is */
	const char *table;	/* a file that says what stands for whom, instead; "": none */
	struct conf_strs what;
	int at;			/* enum conf_rewrite_at */
	struct conf_strs listener;	/* empty: any */
	bool strangers;		/* the header of mail of anybody */
	int keep;		/* enum conf_rewrite_keep */
	/* meaning */
	struct pattern of;
	unsigned places;	/* REWRITE_* */
	const char *local, *domain;	/* of TO; "": as it was */
	/* What TABLE has, once conf_tables_load() was called; NULL: nothing. */
	struct conf_table *entries;
};

#endif
