/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_REPLY_H
#define MAIL_REPLY_H

/* reply -- SMTP replies, made and read (RFC 5321 4.2, RFC 2034, RFC 3463). */

#include "lib/arena.h"
#include "lib/buf.h"

/* What an attempt, or a decision, means for a recipient. */
enum outcome { DELIVERED, TEMPFAIL, PERMFAIL };

/* A reply that a peer gave.  TEXT has its lines separated by LF. */
struct reply {
	int code;		/* 200..599 */
	char enhanced[12];	/* "5.1.1", or "" */
	struct str text;
};

enum outcome reply_outcome(int code);

/*
 * Adds the wire form of a reply: CODE, the enhanced code ("" or NULL:
 * none), and TEXT, whose lines (LF) become the lines of a multi-line reply
 * with the enhanced code on each.  A line is cut at 512 octets; control
 * characters in TEXT become '?'.
 */
void reply_add(struct buf *b, int code, const char *enhanced, struct str text);

/* Reads replies, line by line. */
struct reply_reader {
	int code;		/* of the lines so far; 0: none yet */
	unsigned lines;
	char enhanced[12];
	struct buf text;	/* bounded: lines beyond it are read and dropped */
};

void reply_reader_init(struct reply_reader *r);
void reply_reader_free(struct reply_reader *r);
/*
 * Takes one line without its line end.  1: the reply is whole, see
 * reply_reader_get().  0: more lines follow.  -1: this is no reply (bad
 * code, codes that differ, more than 1,000 lines): close the connection.
 */
int reply_reader_line(struct reply_reader *r, struct str line) MUST_USE;
/* The reply; text in R until the next line.  Clears R for the next reply. */
struct reply reply_reader_get(struct reply_reader *r);

/*
 * A valid enhanced status code ("x.y.z") at the start of TEXT is taken off
 * into CODE (12 bytes); "" if there is none or its class is not KLASS.
 */
struct str enhanced_take(struct str text, char klass, char code[12]);

#endif
