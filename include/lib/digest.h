/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_DIGEST_H
#define LIB_DIGEST_H

/*
 * digest -- MD5 and SHA-1, for old protocols that prove something by them, and
 * SHA-256, for the newer: the only user of OpenSSL's digests.  All give -1
 * where the library cannot; MD5 may be switched off there (FIPS).
 */

#include "lib/str.h"

#define MD5_SIZE 16
#define SHA1_SIZE 20
#define SHA256_SIZE 32
#define SHA512_SIZE 64

/* Of TEXT, and what stands behind it. */
int md5(struct str text, struct str more, unsigned char out[MD5_SIZE]) MUST_USE;
/* The hashes that an HMAC may have here. */
enum hmac_hash { HMAC_MD5, HMAC_SHA1, HMAC_SHA256, HMAC_SHA512 };
#define HMAC_HASHES 4
#define HMAC_SIZE_MAX SHA512_SIZE
/* Of how many octets its result is. */
size_t hmac_size(enum hmac_hash hash);
/* RFC 2104, of TEXT with KEY; OUT has room for HMAC_SIZE_MAX. */
int hmac(enum hmac_hash hash, struct str key, struct str text, unsigned char *out) MUST_USE;
/* The same, each by its name. */
int hmac_md5(struct str key, struct str text, unsigned char out[MD5_SIZE]) MUST_USE;
int hmac_sha1(struct str key, struct str text, unsigned char out[SHA1_SIZE]) MUST_USE;

int sha256(struct str text, unsigned char out[SHA256_SIZE]) MUST_USE;
/* The same of a text in pieces; what fails in between is told at the end. */
struct sha256;
struct sha256 *sha256_new(void) MUST_USE;
void sha256_add(struct sha256 *h, struct str piece);
int sha256_end(struct sha256 *h, unsigned char out[SHA256_SIZE]) MUST_USE;
void sha256_free(struct sha256 *h);	/* NULL is fine */

int hmac_sha256(struct str key, struct str text, unsigned char out[SHA256_SIZE]) MUST_USE;
/* RFC 8018 5.2, one block: costs COUNT times an HMAC. */
int pbkdf2_sha256(struct str password, struct str salt, uint32_t count,
    unsigned char out[SHA256_SIZE]) MUST_USE;

#endif
