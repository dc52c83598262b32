/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_ENCODED_H
#define MAIL_ENCODED_H

/* encoded -- the meaning of encoded words in a header (RFC 2047). */

#include "lib/buf.h"

/*
 * Adds TEXT, unstructured and unfolded, with its encoded words as UTF-8.
 * False, and nothing was added: one of them is in a charset other than UTF-8,
 * US-ASCII and ISO-8859-1, or cannot be read.
 */
bool encoded_decode(struct buf *b, struct str text) MUST_USE;

#endif
