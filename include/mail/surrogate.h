/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_SURROGATE_H
#define MAIL_SURROGATE_H

/*
 * surrogate -- a header in UTF-8 (RFC 6532) as a reader gets it who knows
 * ASCII only: in the manner of RFC 6858.
 */

#include "lib/arena.h"
#include "lib/buf.h"

/* True if HEADER has UTF-8 in it; octets that are none are left to be what they are. */
bool surrogate_needed(struct str header);
/*
 * Adds HEADER, which ends with its blank line or with the message, to OUT:
 * fields of ASCII as they are, the others put into ASCII.  A is for what is
 * kept meanwhile.
 */
void surrogate_add(struct arena *a, struct str header, struct buf *out);

#endif
