/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

/* header -- walking and making the header of a message (RFC 5322 2.2). */

#include "lib/arena.h"
#include "lib/buf.h"

struct field {
	struct str name;	/* without colon and space */
	struct str value;	/* raw: folded, without the final line end */
	struct str raw;		/* the whole field with its line ends */
};

/*
 * Takes the next field from *REST, a message or its beginning with CRLF or
 * LF line ends.  1: F is set.  0: the header has ended and *REST is the body
 * (the blank line is taken).  -1: the line there is no field; *REST stays
 * at it.
 */
int field_next(struct str *rest, struct field *f) MUST_USE;
/*
 * The same, past lines that are no field: readers of mail go on behind them, so
 * who looks for what a stranger must not say does, too.  False: the header has
 * ended, at its blank line or where the text does.
 */
bool field_seek(struct str *rest, struct field *f) MUST_USE;
/* All of MESSAGE up to its first blank line, with that, fields or not. */
struct str header_whole(struct str message);
/*
 * Adds TEXT to OUT without those fields of its header, as field_seek() finds them,
 * of which FN is true.  How many that are; nothing is added if there are none.
 */
size_t header_strip(struct buf *out, struct str text,
    bool (*fn)(void *arg, const struct field *f), void *arg);
/* The first field of that name that field_seek() finds; false if there is none. */
bool header_find(struct str message, struct str name, struct field *f);
/* The value unfolded and trimmed, in A. */
struct str field_unfold(struct arena *a, const struct field *f);

/* True of "TLS-Required: No" (RFC 8689 3): TLS is not worth a delay. */
bool field_needs_no_tls(const struct field *f);

/*
 * Calls FN with each mailbox of an address list (RFC 5322 3.4: display
 * names, comments, groups; obsolete forms too).  False if the list is
 * broken, or as soon as FN is false; what came before was reported.
 * ADDR has no comments and is good during the call only; <> is left out.
 */
bool address_list(struct str value, bool (*fn)(void *arg, struct str addr), void *arg);
/* The same; WHERE is what ADDR is in VALUE, which may be folded: all between its ends. */
bool address_list_at(struct str value,
    bool (*fn)(void *arg, struct str addr, struct str where), void *arg);
/* True if VALUE is a list with a name in it that has no address: "name <>". */
bool address_list_lacks(struct str value) MUST_USE;

/* Adds "Name: value" CRLF folded at 78 octets where there is white space. */
void field_add(struct buf *b, const char *name, struct str value);
/* TEXT as a phrase of a header: quoted, or RFC 2047 encoded if not ASCII. */
void phrase_add(struct buf *b, struct str text);
/* TEXT as unstructured text: as it is, or RFC 2047 encoded. */
void unstructured_add(struct buf *b, struct str text);

#endif
