/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scram_key -- the keys of SCRAM-SHA-256, and what they are held against.
 *
 *	SaltedPassword	PBKDF2 of password, salt and count
 *	ClientKey	HMAC(SaltedPassword, "Client Key")
 *	StoredKey	SHA-256(ClientKey), which is kept
 *	ServerKey	HMAC(SaltedPassword, "Server Key"), which is kept
 *	ClientProof	ClientKey XOR HMAC(StoredKey, AuthMessage)
 *	ServerSignature	HMAC(ServerKey, AuthMessage)
 *
 * What is secret is compared in constant time and wiped.
 */

#include "mail/scram_key.h"

#include "lib/mem.h"
#include "mail/text.h"

#define MARK "{SCRAM-SHA-256}"
#define SCHEME "SCRAM-SHA-256$"

static struct str
bytes(const unsigned char *p, size_t n)
{
	return str_n((const char *)p, n);
}

bool
scram_key_is(struct str s)
{
	return str_istarts(s, STR(MARK)) || str_istarts(s, STR(SCHEME));
}

/* Decodes S, which must have N octets unless that is 0. */
static bool
decode(struct str s, unsigned char *out, size_t max, size_t want, size_t *n)
{
	struct buf b;
	bool ok;

	buf_init(&b, SCRAM_SALT_MAX + SHA256_SIZE);
	ok = base64_decode(s, &b) == 0 && buf_ok(&b) && b.n > 0 && b.n <= max &&
	    (want == 0 || b.n == want);
	if (ok) {
		memcpy(out, b.p, b.n);
		*n = b.n;
	}
	buf_wipe(&b);
	buf_free(&b);
	return ok;
}

bool
scram_key_parse(struct str s, struct scram_key *k)
{
	bool marked = str_istarts(s, STR(MARK));
	char sep = marked ? ',' : ':';
	struct str count, salt, stored, server;
	uint64_t n;
	size_t got;

	*k = (struct scram_key){ 0 };
	if (!scram_key_is(s))
		return false;
	s = str_skip(s, marked ? strlen(MARK) : strlen(SCHEME));
	if (!str_cut(s, sep, &count, &s) ||
	    !str_cut(s, marked ? ',' : '$', &salt, &s) ||
	    !str_cut(s, sep, &stored, &server))
		return false;
	/* Fewer than the RFC's are weak, but clients may take them. */
	if (str_u64(count, SCRAM_COUNT_MAX, &n) < 0 || n == 0)
		return false;
	k->count = (uint32_t)n;
	return decode(salt, k->salt, sizeof(k->salt), 0, &k->salt_n) &&
	    decode(stored, k->stored, SHA256_SIZE, SHA256_SIZE, &got) &&
	    decode(server, k->server, SHA256_SIZE, SHA256_SIZE, &got);
}

int
scram_key_make(struct scram_key *k, struct str password, struct str salt,
    uint32_t count)
{
	unsigned char salted[SHA256_SIZE], client[SHA256_SIZE];
	int rc = -1;

	*k = (struct scram_key){ .count = count, .salt_n = salt.n };
	if (salt.n == 0 || salt.n > sizeof(k->salt))
		return -1;
	memcpy(k->salt, salt.p, salt.n);
	if (pbkdf2_sha256(password, salt, count, salted) == 0 &&
	    hmac_sha256(bytes(salted, SHA256_SIZE), STR("Client Key"),
		client) == 0 &&
	    sha256(bytes(client, SHA256_SIZE), k->stored) == 0 &&
	    hmac_sha256(bytes(salted, SHA256_SIZE), STR("Server Key"),
		k->server) == 0)
		rc = 0;
	mem_wipe(salted, sizeof(salted));
	mem_wipe(client, sizeof(client));
	return rc;
}

void
scram_key_add(struct buf *b, const struct scram_key *k)
{
	buf_addf(b, MARK "%u,", (unsigned)k->count);
	base64_add(b, bytes(k->salt, k->salt_n));
	buf_addc(b, ',');
	base64_add(b, bytes(k->stored, SHA256_SIZE));
	buf_addc(b, ',');
	base64_add(b, bytes(k->server, SHA256_SIZE));
}

void
scram_params_add(struct buf *b, struct str salt, uint64_t count)
{
	buf_adds(b, "s=");
	base64_add(b, salt);
	buf_adds(b, ",i=");
	buf_addu(b, count);
}

int
scram_params_get(struct str auth_message, struct buf *salt, uint32_t *count)
{
	unsigned nonces = 0;
	struct str part;
	uint64_t n;
	bool more = true;

	buf_reset(salt);
	/* The second "r=" is the server's; its salt and count follow. */
	while (more && nonces < 2) {
		more = str_cut(auth_message, ',', &part, &auth_message);
		nonces += str_starts(part, STR("r="));
	}
	if (!more)
		return -1;
	(void)str_cut(auth_message, ',', &part, &auth_message);
	if (!str_starts(part, STR("s=")) ||
	    base64_decode(str_skip(part, 2), salt) < 0 || !buf_ok(salt) ||
	    salt->n == 0)
		return -1;
	(void)str_cut(auth_message, ',', &part, &auth_message);
	if (!str_starts(part, STR("i=")) ||
	    str_u64(str_skip(part, 2), SCRAM_COUNT_MAX, &n) < 0 || n == 0)
		return -1;
	*count = (uint32_t)n;
	return 0;
}

bool
scram_key_proves(const struct scram_key *k, struct str auth_message,
    struct str proof, struct buf *out)
{
	unsigned char client[SHA256_SIZE], signature[SHA256_SIZE];
	unsigned char hash[SHA256_SIZE];
	size_t n;
	bool same = false;

	if (decode(proof, client, sizeof(client), SHA256_SIZE, &n) &&
	    hmac_sha256(bytes(k->stored, SHA256_SIZE), auth_message,
		signature) == 0) {
		for (size_t i = 0; i < SHA256_SIZE; i++)
			client[i] ^= signature[i];
		same = sha256(bytes(client, SHA256_SIZE), hash) == 0 &&
		    mem_same(hash, k->stored, SHA256_SIZE);
	}
	mem_wipe(client, sizeof(client));
	if (!same || hmac_sha256(bytes(k->server, SHA256_SIZE), auth_message,
			 signature) < 0)
		return false;
	base64_add(out, bytes(signature, SHA256_SIZE));
	return true;
}

bool
scram_key_same(const struct scram_key *a, const struct scram_key *b)
{
	return mem_same(a->stored, b->stored, SHA256_SIZE);
}
