/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_AUTHOR_H
#define CHECK_AUTHOR_H

/* author -- whose mail it says that it is: the domain in From. */

#include "lib/arena.h"

/*
 * The domain of all addresses in From of HEADER, in ASCII and lower case, goes to
 * DOMAIN, in A.  NULL; else why there is none, in static storage: RFC 5322 3.6
 * has one From, and RFC 9989 one domain to ask.
 */
const char *author_domain(struct str header, struct arena *a, struct str *domain) MUST_USE;

#endif
