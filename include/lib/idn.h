/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_IDN_H
#define LIB_IDN_H

/* idn -- names in other scripts: the only user of libidn2 and of libunistring. */

#include "lib/buf.h"

/*
 * Adds the ASCII form of NAME, "xn--..." where a label needs it (RFC 5891,
 * mapped as UTS 46 says); a name of ASCII is added as it is.  NULL, or the
 * reason why there is none, in static storage; B is then as it was.
 */
const char *idn_add(struct buf *b, struct str name) MUST_USE;

/*
 * Adds TEXT in the form in which it is compared (NFC, RFC 6532 3.1), where one letter
 * is the same however it was typed; as it is where it is ASCII, or no UTF-8.
 */
void idn_add_nfc(struct buf *b, struct str text);

/*
 * True if TEXT in UTF-8 is its own form NFKC, and has nothing that cannot be seen nor
 * blanks other than that of ASCII: none of what others take for another text.
 */
bool idn_is_plain(struct str text);

#endif
