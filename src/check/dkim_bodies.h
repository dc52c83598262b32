/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_DKIM_BODIES_H
#define CHECK_DKIM_BODIES_H

/* dkim_bodies -- the hashes that signatures want of a body, in one pass over it. */

#include "mail/dkim_body.h"
#include "lib/digest.h"

/* Different ones: of two forms, and by length. */
#define DKIM_BODIES_MAX 8
#define DKIM_BODY_NONE SIZE_MAX

struct dkim_bodies;

struct dkim_bodies *dkim_bodies_new(void) MUST_USE;
void dkim_bodies_free(struct dkim_bodies *b);	/* NULL is fine */
/* The number of the hash of the first LIMIT octets; DKIM_BODY_NONE: there are too many. */
size_t dkim_bodies_want(struct dkim_bodies *b, bool relaxed, uint64_t limit) MUST_USE;
void dkim_bodies_add(struct dkim_bodies *b, struct str piece);
void dkim_bodies_end(struct dkim_bodies *b);
/* After the end; NULL: it cannot be made. */
const unsigned char *dkim_bodies_hash(const struct dkim_bodies *b, size_t i);
/* Octets of that form in all. */
uint64_t dkim_bodies_length(const struct dkim_bodies *b, bool relaxed);

#endif
