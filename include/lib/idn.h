/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_IDN_H
#define LIB_IDN_H

/* idn -- names in other scripts: the only user of libidn2. */

#include "lib/buf.h"

/*
 * Adds the ASCII form of NAME, "xn--..." where a label needs it (RFC 5891,
 * mapped as UTS 46 says); a name of ASCII is added as it is.  NULL, or the
 * reason why there is none, in static storage; B is then as it was.
 */
const char *idn_add(struct buf *b, struct str name) MUST_USE;

#endif
