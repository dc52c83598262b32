/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * hmac_state -- HMAC from the middle.
 *
 * OpenSSL's newer interface neither shows the state of a digest nor takes one,
 * so this uses the older one, which it calls deprecated and still has.
 */

#define OPENSSL_SUPPRESS_DEPRECATED

#include "lib/hmac_state.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

#include "lib/mem.h"

/* Of each hash here, and the key fills one (RFC 2104 2). */
#define BLOCK 64
#define WORDS_MAX 8

union context {
	MD5_CTX md5;
	SHA_CTX sha1;
	SHA256_CTX sha256;
};

size_t
hmac_state_size(enum hmac_hash hash)
{
	return hash == HMAC_SHA512 ? 0 : 2 * hmac_size(hash);
}

/* ---- a hash, by its name ------------------------------------------------------ */

static bool
begin(enum hmac_hash hash, union context *c)
{
	switch (hash) {
	case HMAC_MD5:
		return MD5_Init(&c->md5) == 1;
	case HMAC_SHA1:
		return SHA1_Init(&c->sha1) == 1;
	case HMAC_SHA256:
		return SHA256_Init(&c->sha256) == 1;
	case HMAC_SHA512:
		break;
	}
	return false;
}

static void
add(enum hmac_hash hash, union context *c, const void *p, size_t n)
{
	switch (hash) {
	case HMAC_MD5:
		(void)MD5_Update(&c->md5, p, n);
		break;
	case HMAC_SHA1:
		(void)SHA1_Update(&c->sha1, p, n);
		break;
	case HMAC_SHA256:
		(void)SHA256_Update(&c->sha256, p, n);
		break;
	case HMAC_SHA512:
		break;
	}
}

static void
end(enum hmac_hash hash, union context *c, unsigned char *out)
{
	switch (hash) {
	case HMAC_MD5:
		(void)MD5_Final(out, &c->md5);
		break;
	case HMAC_SHA1:
		(void)SHA1_Final(out, &c->sha1);
		break;
	case HMAC_SHA256:
		(void)SHA256_Final(out, &c->sha256);
		break;
	case HMAC_SHA512:
		break;
	}
}

/* The words of C's state, in their order: how many. */
static size_t
words(enum hmac_hash hash, union context *c, uint32_t *w[WORDS_MAX])
{
	size_t n = 0;

	switch (hash) {
	case HMAC_MD5:
		w[n++] = &c->md5.A;
		w[n++] = &c->md5.B;
		w[n++] = &c->md5.C;
		w[n++] = &c->md5.D;
		break;
	case HMAC_SHA1:
		w[n++] = &c->sha1.h0;
		w[n++] = &c->sha1.h1;
		w[n++] = &c->sha1.h2;
		w[n++] = &c->sha1.h3;
		w[n++] = &c->sha1.h4;
		break;
	case HMAC_SHA256:
		while (n < WORDS_MAX) {
			w[n] = &c->sha256.h[n];
			n++;
		}
		break;
	case HMAC_SHA512:
		break;
	}
	return n;
}

/* That C has seen a block. */
static void
set_seen(enum hmac_hash hash, union context *c)
{
	unsigned bits = BLOCK * 8;

	if (hash == HMAC_MD5)
		c->md5.Nl = bits;
	else if (hash == HMAC_SHA1)
		c->sha1.Nl = bits;
	else
		c->sha256.Nl = bits;
}

/* ---- states -------------------------------------------------------------------- */

/* The state behind a first block: KEY, each octet of it changed by PAD. */
static bool
half(enum hmac_hash hash, const unsigned char key[BLOCK], unsigned char pad, unsigned char *state)
{
	unsigned char block[BLOCK];
	uint32_t *w[WORDS_MAX];
	union context c;

	for (int i = 0; i < BLOCK; i++)
		block[i] = key[i] ^ pad;
	if (!begin(hash, &c))
		return false;
	add(hash, &c, block, BLOCK);
	for (size_t i = 0, n = words(hash, &c, w); i < 4 * n; i++)
		state[i] = (unsigned char)(*w[i / 4] >> i % 4 * 8);
	mem_wipe(block, sizeof(block));
	mem_wipe(&c, sizeof(c));
	return true;
}

/* RFC 2104 2: a key that is too long is hashed. */
static bool
pad_key(enum hmac_hash hash, struct str key, unsigned char padded[BLOCK])
{
	union context c;

	if (key.n <= BLOCK) {
		memcpy(padded, key.p, key.n);
		return true;
	}
	if (!begin(hash, &c))
		return false;
	add(hash, &c, key.p, key.n);
	end(hash, &c, padded);
	mem_wipe(&c, sizeof(c));
	return true;
}

int
hmac_state_make(struct hmac_state *s, enum hmac_hash hash, struct str key)
{
	unsigned char padded[BLOCK] = { 0 };
	bool ok;

	*s = (struct hmac_state){ .hash = hash };
	ok = pad_key(hash, key, padded) && half(hash, padded, 0x36, s->octets) &&
	    half(hash, padded, 0x5c, s->octets + hmac_size(hash));
	mem_wipe(padded, sizeof(padded));
	return ok ? 0 : -1;
}

/* The hash of a block whose state is known, and TEXT behind it. */
static void
finish(enum hmac_hash hash, const unsigned char *state, struct str text, unsigned char *out)
{
	uint32_t *w[WORDS_MAX];
	union context c;

	(void)begin(hash, &c);
	for (size_t i = 0, n = words(hash, &c, w); i < n; i++)
		*w[i] = (uint32_t)state[4 * i] | (uint32_t)state[4 * i + 1] << 8 |
		    (uint32_t)state[4 * i + 2] << 16 | (uint32_t)state[4 * i + 3] << 24;
	set_seen(hash, &c);
	add(hash, &c, text.p, text.n);
	end(hash, &c, out);
	mem_wipe(&c, sizeof(c));
}

void
hmac_of_state(const struct hmac_state *s, struct str text, unsigned char *out)
{
	unsigned char inner[HMAC_SIZE_MAX];
	size_t n = hmac_size(s->hash);

	finish(s->hash, s->octets, text, inner);
	finish(s->hash, s->octets + n, str_n((const char *)inner, n), out);
	mem_wipe(inner, sizeof(inner));
}
