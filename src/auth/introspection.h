/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef AUTH_INTROSPECTION_H
#define AUTH_INTROSPECTION_H

/* introspection -- what a server says of a token (RFC 7662 2.2). */

#include "lib/arena.h"

struct introspection {
	bool active;
	struct str user;	/* the claim that was asked for, or empty */
	struct str scope;	/* words */
	int64_t not_before, expires;	/* seconds since 1970; 0: unsaid */
	bool for_audience;	/* it is one of those that the token is for */
};
/*
 * Reads foreign TEXT; CLAIM is what names the user, AUDIENCE NULL or who we are.
 * What I points to is in A.  False: it is no such answer.
 */
bool introspection_read(struct str text, const char *claim, const char *audience,
    struct arena *a, struct introspection *i) MUST_USE;

#endif
