/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_HMAC_STATE_H
#define LIB_HMAC_STATE_H

/*
 * hmac_state -- what HMAC-MD5 has come to once it has seen its key: enough to
 * prove the key by CRAM-MD5, and not the key.
 *
 * Two states of MD5, inner and outer, each as four numbers of 32 bits with the
 * lowest octet first.  Whoever has it can log in by CRAM-MD5 where the key is
 * known, so that it is a secret as well; but it is good for nothing else.
 */

#include "lib/digest.h"

#define HMAC_STATE_SIZE 32

/* That of KEY.  -1: the library has no MD5. */
int hmac_md5_state(struct str key, unsigned char state[HMAC_STATE_SIZE]) MUST_USE;
/* RFC 2104, of TEXT with the key of STATE. */
void hmac_md5_of_state(const unsigned char state[HMAC_STATE_SIZE], struct str text,
    unsigned char out[MD5_SIZE]);

#endif
