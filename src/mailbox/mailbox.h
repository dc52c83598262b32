/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILBOX_MAILBOX_H
#define MAILBOX_MAILBOX_H

/* mailbox -- what the files of this room share. */

#include <sys/types.h>

#include "lib/buf.h"
#include "mailbox/maildir.h"

#define MAILDIR_CHUNK 65536

/*
 * Opens directory NAME below DIR and makes it if CREATE; follows no link.
 * -1: errno; EPERM if it is not ours or others can write it.
 */
int mailbox_dir(int dir, const char *name, bool create) MUST_USE;

/* Counts the octets that text has on the wire, where lines end with CRLF. */
struct wire {
	uint64_t octets;
	char last;	/* of the text so far */
};
void wire_count(struct wire *w, struct str text);
/* The size in all: a last line that has no end gets one. */
uint64_t wire_octets(const struct wire *w);

/*
 * Turns a message into what a Maildir holds: CRLF becomes LF, and any
 * Return-Path of its header is left out.  Zero-initialised at the start.
 */
struct stored {
	bool body;		/* behind the header */
	bool in_line;		/* behind the start of a line */
	bool dropping;		/* in a field that is left out */
	bool cr;		/* a CR is held back: LF may follow */
	size_t matched;		/* octets of "return-path:" held back */
	char held[16];
};
void stored_add(struct stored *s, struct str text, struct buf *out);
void stored_end(struct stored *s, struct buf *out);

#endif
