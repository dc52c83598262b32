/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_DIGEST_H
#define LIB_DIGEST_H

/*
 * digest -- MD5, for the old protocols that prove a password by it: the only
 * user of OpenSSL's digests.  It may be switched off there (FIPS): -1.
 */

#include "lib/str.h"

#define MD5_SIZE 16

/* Of TEXT, and what stands behind it. */
int md5(struct str text, struct str more, unsigned char out[MD5_SIZE]) MUST_USE;
/* RFC 2104, of TEXT with KEY. */
int hmac_md5(struct str key, struct str text, unsigned char out[MD5_SIZE]) MUST_USE;

#endif
