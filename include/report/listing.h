/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_LISTING_H
#define REPORT_LISTING_H

/*
 * listing -- the queue for people and for programs.
 *
 * Whoever can read the spool lists it himself; for everybody else the
 * master's control child does, which is why this is a room of its own.
 */

#include <stdio.h>

#include "queue/queue.h"

struct listing_filter {
	const struct str *ids;	/* only these; none: all */
	size_t id_n;
	struct str domain;	/* of a recipient; empty: any */
	struct str sender;	/* part of it; empty: any */
};

enum listing_form {
	LISTING_MAILQ = 1,	/* the form of Postfix, which monitoring tools parse */
	LISTING_JSON,		/* an object on a line for each message */
	LISTING_IDS,		/* the ids alone, a line each */
	/* What only who may read the spool gets to see. */
	LISTING_SHOW,		/* the envelope and the last attempts */
	LISTING_TEXT		/* the same, and the message itself */
};

/*
 * Writes what of Q passes F to OUT, and to *COUNT how many messages that
 * were.  -1: errno, a part of the queue could not be read.  Who cannot write
 * to OUT finds that by ferror().
 */
int listing_write(struct queue *q, const struct listing_filter *f, enum listing_form form,
    FILE *out, uint64_t *count) MUST_USE;

#endif
