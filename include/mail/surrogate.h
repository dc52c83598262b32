/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_SURROGATE_H
#define MAIL_SURROGATE_H

/*
 * surrogate -- headers in UTF-8 (RFC 6532) as a reader gets them who knows
 * ASCII only: in the manner of RFC 6858.
 */

#include "lib/arena.h"
#include "lib/buf.h"
#include "mail/limits.h"

/* True if HEADER has UTF-8 in it; octets that are none are left to be what they are. */
bool surrogate_needed(struct str header);
/*
 * Adds HEADER, which ends with its blank line or with the message, to OUT:
 * fields of ASCII as they are, the others put into ASCII.  A is for what is
 * kept meanwhile.
 */
void surrogate_add(struct arena *a, struct str header, struct buf *out);

/* A header that is larger is not looked at; what it may become at most, */
#define SURROGATE_HEADER_MAX (2 * MAIL_HEADER_MAX)
#define SURROGATE_MADE_MAX (8 * SURROGATE_HEADER_MAX)
/* and how many times its size. */
#define SURROGATE_GROWTH 24

/*
 * A whole message for such a reader, piece by piece: the header of each part,
 * and of each message in it, too.  What is in a multipart/signed, or encoded,
 * stays as it is.
 */
struct surrogate_view;

struct surrogate_view *surrogate_view_new(void) MUST_USE;
void surrogate_view_free(struct surrogate_view *v);	/* NULL is fine */
/*
 * Adds what TEXT becomes to OUT: at most SURROGATE_GROWTH times its octets, and
 * SURROGATE_MADE_MAX for a header that began before it.  Of the last octets
 * some may come with the next call only.
 */
void surrogate_view_add(struct surrogate_view *v, struct str text, struct buf *out);
/* The message has ended; what was held back, by the same bounds. */
void surrogate_view_end(struct surrogate_view *v, struct buf *out);

#endif
