/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * secret -- proofs, held against a password that is stored as it is, or
 * against a key of SCRAM.
 *
 * Who asks for the parameters of somebody that has no key gets some that look
 * like it, the same each time (CONFORMANCE S-38): of an HMAC of the name with
 * a secret that outlives this process.  Whoever has a password as it is has
 * these, too.
 */

#include "auth.h"

#include "lib/mem.h"
#include "mail/text.h"

#define SALT_OCTETS 16

static struct str
bytes(const unsigned char *p, size_t n)
{
	return str_n((const char *)p, n);
}

/* Whether the proof is DIGEST, of N octets, in hexadecimal. */
static bool
is_digest(const struct auth_question *q, const unsigned char *digest, size_t n)
{
	struct buf hex;
	bool same;

	buf_init(&hex, 2 * HMAC_SIZE_MAX + 1);
	hex_add(&hex, bytes(digest, n));
	same = strlen(q->password) == hex.n && mem_same(q->password, hex.p, hex.n);
	buf_wipe(&hex);
	buf_free(&hex);
	return same;
}

/* RFC 1939 7: whether the proof is what PASSWORD makes of the challenge. */
static bool
apop_proves(const struct auth_question *q, struct str password)
{
	unsigned char digest[MD5_SIZE];

	return md5(str_c(q->challenge), password, digest) == 0 &&
	    is_digest(q, digest, sizeof(digest));
}

/* RFC 2195 2: the same. */
static bool
cram_proves(const struct auth_question *q, struct str password)
{
	unsigned char digest[HMAC_SIZE_MAX];

	return hmac(q->hash, password, str_c(q->challenge), digest) == 0 &&
	    is_digest(q, digest, hmac_size(q->hash));
}

/* The key that PASSWORD has with the parameters that were said. */
static bool
scram_proves(const struct auth_question *q, struct str password)
{
	struct scram_key k;
	uint32_t count = 0;
	struct buf salt;
	bool same = false;

	buf_init(&salt, SCRAM_SALT_MAX);
	if (scram_params_get(str_c(q->challenge), &salt, &count) == 0 &&
	    scram_key_make(&k, password, buf_str(&salt), count) == 0) {
		same = secret_key_proves(q, &k);
		mem_wipe(&k, sizeof(k));
	}
	buf_free(&salt);
	return same;
}

bool
secret_proves(const struct auth_question *q, struct str password)
{
	switch (q->proof) {
	case AUTH_BY_PASSWORD:
		return strlen(q->password) == password.n &&
		    mem_same(q->password, password.p, password.n);
	case AUTH_BY_APOP:
		return apop_proves(q, password);
	case AUTH_BY_CRAM:
		return cram_proves(q, password);
	case AUTH_BY_SCRAM:
		return q->password[0] != '\0' && scram_proves(q, password);
	case AUTH_BY_TOKEN:
	case AUTH_BY_CERTIFICATE:
		break;
	}
	return false;
}

bool
secret_state_fits(const struct auth_question *q, const struct hmac_state *state)
{
	return q->proof == AUTH_BY_PASSWORD ||
	    (q->proof == AUTH_BY_CRAM && q->hash == state->hash);
}

bool
secret_state_proves(const struct auth_question *q, const struct hmac_state *state)
{
	unsigned char digest[HMAC_SIZE_MAX];
	struct hmac_state own;
	bool same;

	if (!secret_state_fits(q, state))
		return false;
	if (q->proof == AUTH_BY_CRAM) {
		hmac_of_state(state, str_c(q->challenge), digest);
		return is_digest(q, digest, hmac_size(q->hash));
	}
	same = hmac_state_make(&own, state->hash, str_c(q->password)) == 0 &&
	    mem_same(own.octets, state->octets, sizeof(own.octets));
	mem_wipe(&own, sizeof(own));
	return same;
}

bool
secret_key_proves(const struct auth_question *q, const struct scram_key *k)
{
	struct buf *said = &q->note->said;

	buf_reset(said);
	return q->proof == AUTH_BY_SCRAM &&
	    scram_key_proves(k, str_c(q->challenge), str_c(q->password), said);
}

bool
secret_wants_params(const struct auth_question *q)
{
	return q->proof == AUTH_BY_SCRAM && q->password[0] == '\0';
}

void
secret_params(const struct auth_question *q, const struct scram_key *k)
{
	buf_reset(&q->note->said);
	scram_params_add(&q->note->said, bytes(k->salt, k->salt_n), k->count);
}

enum auth_verdict
secret_nobodys_params(const struct auth_question *q)
{
	struct str user = str_c(q->user);
	unsigned char mac[SHA256_SIZE];
	struct buf folded;
	int rc;

	buf_init(&folded, 256);
	buf_add_lower(&folded, user);
	rc = hmac_sha256(bytes(q->nobody, AUTH_NOBODY_SIZE), buf_str(&folded), mac);
	buf_free(&folded);
	if (rc < 0)
		return auth_cannot(q, "there is no SHA-256");
	buf_reset(&q->note->said);
	scram_params_add(&q->note->said, bytes(mac, SALT_OCTETS),
	    q->note->iterations > 0 ? q->note->iterations : SCRAM_COUNT_MIN);
	return AUTH_MORE;
}
