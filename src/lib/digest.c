/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * digest -- MD5, SHA-256, HMACs, and PBKDF2 by OpenSSL.
 *
 * Where the library has no MD5 there is an error, never a guess.
 */

#include "lib/digest.h"

#include <limits.h>
#include <openssl/evp.h>

#include "lib/mem.h"

struct sha256 {
	EVP_MD_CTX *ctx;
	bool ok;
};

int
md5(struct str text, struct str more, unsigned char out[MD5_SIZE])
{
	EVP_MD *md = EVP_MD_fetch(NULL, "MD5", NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = md != NULL && ctx != NULL &&
	    EVP_DigestInit_ex(ctx, md, NULL) == 1 &&
	    EVP_DigestUpdate(ctx, text.p, text.n) == 1 &&
	    EVP_DigestUpdate(ctx, more.p, more.n) == 1 &&
	    EVP_DigestFinal_ex(ctx, out, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
	return ok ? 0 : -1;
}

static const struct {
	const char *name;
	size_t size;
} hashes[HMAC_HASHES] = {
	[HMAC_MD5] = { "MD5", MD5_SIZE },
	[HMAC_SHA1] = { "SHA1", SHA1_SIZE },
	[HMAC_SHA256] = { "SHA256", SHA256_SIZE },
	[HMAC_SHA512] = { "SHA512", SHA512_SIZE },
};

size_t
hmac_size(enum hmac_hash hash)
{
	return hashes[hash].size;
}

int
hmac(enum hmac_hash hash, struct str key, struct str text, unsigned char *out)
{
	size_t n = 0;

	/* A key of no octets is one, but NULL is not. */
	return EVP_Q_mac(NULL, "HMAC", NULL, hashes[hash].name, NULL,
		   key.n > 0 ? key.p : "", key.n,
		   (const unsigned char *)text.p, text.n, out, hashes[hash].size,
		   &n) != NULL && n == hashes[hash].size ? 0 : -1;
}

int
hmac_md5(struct str key, struct str text, unsigned char out[MD5_SIZE])
{
	return hmac(HMAC_MD5, key, text, out);
}

int
hmac_sha1(struct str key, struct str text, unsigned char out[SHA1_SIZE])
{
	return hmac(HMAC_SHA1, key, text, out);
}

int
hmac_sha256(struct str key, struct str text, unsigned char out[SHA256_SIZE])
{
	return hmac(HMAC_SHA256, key, text, out);
}

int
sha256(struct str text, unsigned char out[SHA256_SIZE])
{
	size_t n = 0;

	return EVP_Q_digest(NULL, "SHA256", NULL, text.p, text.n, out, &n) ==
	    1 && n == SHA256_SIZE ? 0 : -1;
}

struct sha256 *
sha256_new(void)
{
	struct sha256 *h = mem_alloc(sizeof(*h));

	h->ctx = EVP_MD_CTX_new();
	h->ok = h->ctx != NULL &&
	    EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) == 1;
	return h;
}

void
sha256_add(struct sha256 *h, struct str piece)
{
	h->ok = h->ok && EVP_DigestUpdate(h->ctx, piece.p, piece.n) == 1;
}

int
sha256_end(struct sha256 *h, unsigned char out[SHA256_SIZE])
{
	h->ok = h->ok && EVP_DigestFinal_ex(h->ctx, out, NULL) == 1;
	return h->ok ? 0 : -1;
}

void
sha256_free(struct sha256 *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	mem_free(h);
}

int
pbkdf2_sha256(struct str password, struct str salt, uint32_t count,
    unsigned char out[SHA256_SIZE])
{
	if (count == 0 || count > INT_MAX || password.n > INT_MAX ||
	    salt.n > INT_MAX)
		return -1;
	return PKCS5_PBKDF2_HMAC(password.n > 0 ? password.p : "",
		   (int)password.n, (const unsigned char *)salt.p,
		   (int)salt.n, (int)count, EVP_sha256(), SHA256_SIZE,
		   out) == 1 ? 0 : -1;
}
