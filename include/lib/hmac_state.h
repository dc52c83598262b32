/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_HMAC_STATE_H
#define LIB_HMAC_STATE_H

/*
 * hmac_state -- what an HMAC has come to once it has seen its key: enough to
 * prove the key by CRAM with that hash, and not the key.
 *
 * Two states of the hash, inner and outer, each as numbers of 32 bits with the
 * lowest octet first.  Whoever has it can log in by that CRAM where the key is
 * known, so that it is a secret as well; but it is good for nothing else.
 */

#include "lib/digest.h"

#define HMAC_STATE_MAX 64

struct hmac_state {
	enum hmac_hash hash;
	unsigned char octets[HMAC_STATE_MAX];	/* hmac_state_size() of them, then zeros */
};

/* How many octets a state of HASH has; 0: there is none of it (SHA-512). */
size_t hmac_state_size(enum hmac_hash hash);
/* That of KEY.  -1: there is none of HASH, or the library has it not. */
int hmac_state_make(struct hmac_state *s, enum hmac_hash hash, struct str key) MUST_USE;
/* RFC 2104, of TEXT with the key of S; OUT has room for HMAC_SIZE_MAX. */
void hmac_of_state(const struct hmac_state *s, struct str text, unsigned char *out);

#endif
