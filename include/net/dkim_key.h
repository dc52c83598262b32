/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_DKIM_KEY_H
#define NET_DKIM_KEY_H

/*
 * dkim_key -- a private key that mail is signed with, and its public half as
 * DNS has it: RSA (RFC 6376 3.3.1, RFC 8301) or Ed25519 (RFC 8463).
 */

#include <stdio.h>

#include "lib/buf.h"
#include "lib/digest.h"

/* RFC 8301 3.2: nobody takes less, and it should be twice as much. */
#define DKIM_RSA_MIN 1024
#define DKIM_RSA_GOOD 2048
/* RFC 6376 3.3.3: what verifiers have to take ends here, and so does a UDP packet. */
#define DKIM_RSA_MAX 4096

struct dkim_key;

/*
 * Reads a key in PEM form.  NULL with a reason, which names the file, in
 * ERROR: it cannot be read, everybody else can, it is encrypted, no RSA key of
 * that size, and no Ed25519 key.
 */
struct dkim_key *dkim_key_load(const char *path, struct buf *error) MUST_USE;
/*
 * Reads one from TEXT: in PEM form, or what that has between its first and last line.
 * NULL with a reason, which has none of TEXT, in ERROR.
 */
#define DKIM_KEY_TEXT_MAX 16384
struct dkim_key *dkim_key_read(struct str text, struct buf *error) MUST_USE;
/* Makes one: RSA of BITS, or Ed25519 with 0.  NULL: the library cannot. */
struct dkim_key *dkim_key_new(unsigned bits) MUST_USE;
void dkim_key_free(struct dkim_key *k);	/* NULL is fine */
/* Writes it in PEM form (PKCS #8); false: it could not. */
bool dkim_key_put(const struct dkim_key *k, FILE *f) MUST_USE;

/* "rsa-sha256", "ed25519-sha256"; static. */
const char *dkim_key_algorithm(const struct dkim_key *k);
/* "rsa", "ed25519": the "k=" of its record; static. */
const char *dkim_key_type(const struct dkim_key *k);
/* 0: Ed25519, whose keys are all of one size. */
unsigned dkim_key_bits(const struct dkim_key *k);
/* Adds the octets that "p=" has in base64.  -1: the library cannot. */
int dkim_key_public(const struct dkim_key *k, struct buf *out) MUST_USE;
/* Adds the signature of what has this digest.  -1: the library cannot. */
int dkim_key_sign(const struct dkim_key *k, const unsigned char digest[SHA256_SIZE],
    struct buf *signature) MUST_USE;

#endif
