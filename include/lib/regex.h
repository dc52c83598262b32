/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_REGEX_H
#define LIB_REGEX_H

/* regex -- regular expressions of the administrator: the only user of PCRE2. */

#include "lib/arena.h"
#include "lib/buf.h"

struct regex;

/*
 * Compiles TEXT, which is to fit a whole subject, without case.  All of it
 * is in A, and gone with it.  NULL with the reason in ERROR.
 */
struct regex *regex_new(struct arena *a, struct str text, struct buf *error) MUST_USE;
/*
 * True if R fits all of S.  One that would take too long does not, and a
 * line in the log says so.
 */
bool regex_fits(const struct regex *r, struct str s);

#endif
