/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_DKIM_HEADER_H
#define CHECK_DKIM_HEADER_H

/* dkim_header -- the fields of a header, and what signatures make of them. */

#include "mail/dkim_signature.h"
#include "mail/header.h"

#define DKIM_HEADER_BUCKETS 512

struct dkim_header {
	struct field *v;		/* views of the header */
	size_t n;
	/* By name, from the last field to the first; numbers from 1, 0 is none. */
	uint32_t heads[DKIM_HEADER_BUCKETS];
	uint32_t *next;
	uint8_t *taken;
	struct buf text;		/* what is signed; used again and again */
};

void dkim_header_init(struct dkim_header *h, struct str header);
void dkim_header_free(struct dkim_header *h);
/* NULL, or why nobody can say what is signed of it: two From, a line that is no field. */
const char *dkim_header_flaw(struct str header);
/*
 * What S, which stands in field OWN, signs of the header (RFC 6376 5.4.2).  -1:
 * no digest can be made.
 */
int dkim_header_digest(struct dkim_header *h, const struct dkim_signature *s,
    const struct field *own, unsigned char digest[SHA256_SIZE]) MUST_USE;

#endif
