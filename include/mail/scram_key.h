/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_SCRAM_KEY_H
#define MAIL_SCRAM_KEY_H

/*
 * scram_key -- what a server keeps of a password for SCRAM-SHA-256 (RFC 5802
 * 3, RFC 7677): who has it can check a login and find out no password, nor
 * log in by SCRAM.
 */

#include "lib/buf.h"
#include "lib/digest.h"

#define SCRAM_SALT_MAX 64
/* RFC 7677 4 asks for 4096 at least; a million take a second. */
#define SCRAM_COUNT_MIN 4096
#define SCRAM_COUNT_MAX 1000000

struct scram_key {
	uint32_t count;		/* iterations */
	size_t salt_n;
	unsigned char salt[SCRAM_SALT_MAX];
	unsigned char stored[SHA256_SIZE];
	unsigned char server[SHA256_SIZE];
};

/* True if S, of a file, is meant to be a key: it may still be a broken one. */
bool scram_key_is(struct str s);
/*
 * Reads "{SCRAM-SHA-256}COUNT,SALT,STORED,SERVER" as Dovecot has it, or
 * "SCRAM-SHA-256$COUNT:SALT$STORED:SERVER" (RFC 5803; PostgreSQL).
 */
bool scram_key_parse(struct str s, struct scram_key *k) MUST_USE;
/* Makes K from PASSWORD, whose SASLprep is the caller's.  -1: no SHA-256. */
int scram_key_make(struct scram_key *k, struct str password, struct str salt,
    uint32_t count) MUST_USE;
/* Adds K in the first of these forms. */
void scram_key_add(struct buf *b, const struct scram_key *k);
/* Adds "s=SALT,i=COUNT", of server-first-message. */
void scram_params_add(struct buf *b, struct str salt, uint64_t count);
/* The reverse, from an AuthMessage that has them; -1: it has none that are sound. */
int scram_params_get(struct str auth_message, struct buf *salt, uint32_t *count) MUST_USE;

/*
 * True if PROOF, in base64, is a ClientProof of who knows the password and
 * said AUTH_MESSAGE; then OUT gets the ServerSignature in base64.
 */
bool scram_key_proves(const struct scram_key *k, struct str auth_message,
    struct str proof, struct buf *out) MUST_USE;
/* True if A and B are of the same password. */
bool scram_key_same(const struct scram_key *a, const struct scram_key *b) MUST_USE;

#endif
