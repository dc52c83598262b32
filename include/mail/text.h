/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_TEXT_H
#define MAIL_TEXT_H

/* text -- the small codings: base64 (RFC 4648 4), xtext (RFC 3461 4). */

#include "lib/buf.h"

void base64_add(struct buf *b, struct str bytes);
/* Strict: no white space, right padding.  -1 if S is not base64. */
int base64_decode(struct str s, struct buf *out) MUST_USE;

/* xtext of BYTES; and its meaning: -1 if S is no xtext. */
void xtext_add(struct buf *b, struct str bytes);
int xtext_decode(struct str s, struct buf *out) MUST_USE;
/* True if S is xtext and means no control character: fit for an envelope. */
bool xtext_valid(struct str s);

/* Lower-case hexadecimal. */
void hex_add(struct buf *b, struct str bytes);

#endif
