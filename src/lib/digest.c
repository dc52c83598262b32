/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * digest -- MD5 and HMAC-MD5 by OpenSSL.
 *
 * Where the library has no MD5 there is an error, never a guess.
 */

#include "lib/digest.h"

#include <openssl/evp.h>

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

int
hmac_md5(struct str key, struct str text, unsigned char out[MD5_SIZE])
{
	size_t n = 0;

	return EVP_Q_mac(NULL, "HMAC", NULL, "MD5", NULL, key.p, key.n,
		   (const unsigned char *)text.p, text.n, out, MD5_SIZE,
		   &n) != NULL && n == MD5_SIZE ? 0 : -1;
}
