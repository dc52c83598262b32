/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_LISTING_ROW_H
#define REPORT_LISTING_ROW_H

/* listing_row -- a line of a listing in JSON (LISTING_JSON), read again. */

#include "lib/arena.h"

#define LISTING_ROW_RCPTS 500
struct listing_row {
	struct str place, id, sender, client, user;
	struct str unreadable;	/* why; empty: it is not */
	uint64_t size;
	int64_t arrival, next;	/* seconds since 1970; 0: unsaid */
	struct listing_row_rcpt {
		struct str address, state, status, relay, reply;
		int64_t last;	/* the last attempt; 0: none */
	} *rcpts;
	size_t rcpt_n;		/* more than LISTING_ROW_RCPTS are left out */
};
/* What R points to is in A.  False: TEXT is no such line. */
bool listing_row(struct str text, struct arena *a, struct listing_row *r) MUST_USE;

#endif
