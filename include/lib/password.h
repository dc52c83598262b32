/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_PASSWORD_H
#define LIB_PASSWORD_H

/* password -- hashes of crypt(3): the only user of libcrypt. */

#include "lib/buf.h"

/*
 * True if PASSWORD has HASH.  Costs the time that the hash's method wants;
 * what marks a locked account ("*", "!") matches nothing.
 */
bool password_matches(const char *password, const char *hash) MUST_USE;
/* Adds a new hash of PASSWORD, by the library's preferred method and cost.  -1: errno. */
int password_hash(struct buf *b, const char *password) MUST_USE;

#endif
