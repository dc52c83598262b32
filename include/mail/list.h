/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_LIST_H
#define MAIL_LIST_H

/*
 * list -- the header that a message has when a mailing list sends it on:
 * RFC 2369 and 2919, and the author's address where DMARC asks for it.  Pure.
 */

#include "lib/arena.h"
#include "lib/buf.h"

struct list_form {
	struct str name;	/* "dev" */
	struct str id;		/* "dev.example.org" */
	struct str address;	/* "dev@example.org" */
	struct str prefix;	/* of subjects, or empty */
	const char *const *fields;	/* "List-Help: <...>" and the like */
	size_t field_n;
	bool reply_to_list;
	bool from_list;		/* From is the list; the author is told elsewhere */
	struct str received;	/* a field, with its end */
};

/*
 * Adds the header and the blank line behind it, for a message that begins with
 * TEXT, whose whole header that has.  The octets of TEXT that it stands for.
 * Signatures of others stay: who has the same text believes them.
 */
size_t list_header_add(struct buf *b, struct str text, const struct list_form *f);

/* Adds SUBJECT, unfolded, with PREFIX in front, and one "Re:" behind that. */
void list_subject_add(struct buf *b, struct str subject, struct str prefix);
/*
 * The first address in the From of TEXT, in A; empty: there is none.  DISPLAY
 * is the name before it as it stands there.
 */
struct str list_author(struct str text, struct arena *a, struct str *display);

#endif
