/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dkim_public -- whether a signature is that of a key which DNS has.
 *
 * The key is a stranger's.  So its size and its exponent are bounded before
 * anything is computed with it: both decide what that costs.
 */

#include "net/dkim_public.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "net/dkim_key.h"

#define EXPONENT_BITS_MAX 64
#define ED25519_KEY_SIZE 32
#define ED25519_SIGNATURE_SIZE 64

/* A SubjectPublicKeyInfo, or the RSAPublicKey that RFC 6376 had (erratum 3017). */
static EVP_PKEY *
read_rsa(struct str key)
{
	const unsigned char *at = (const unsigned char *)key.p;
	EVP_PKEY *pkey;

	if (key.n > LONG_MAX)
		return NULL;
	pkey = d2i_PUBKEY(NULL, &at, (long)key.n);
	if (pkey != NULL)
		return pkey;
	at = (const unsigned char *)key.p;
	return d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)key.n);
}

static bool
exponent_is_small(const EVP_PKEY *pkey)
{
	BIGNUM *e = NULL;
	bool small = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
	    BN_num_bits(e) <= EXPONENT_BITS_MAX && BN_is_odd(e) && !BN_is_one(e);

	BN_free(e);
	return small;
}

static const char *
rsa_flaw(const EVP_PKEY *pkey)
{
	if (pkey == NULL)
		return "the key is broken";
	if (!EVP_PKEY_is_a(pkey, "RSA"))
		return "the key is no RSA key";
	if (EVP_PKEY_get_bits(pkey) < DKIM_RSA_MIN)
		return "the key has less than 1024 bits";
	if (EVP_PKEY_get_bits(pkey) > DKIM_RSA_MAX)
		return "the key has more than 4096 bits";
	return exponent_is_small(pkey) ? NULL : "the exponent of the key is none";
}

static bool
is_rsa_signature(EVP_PKEY *pkey, const unsigned char *digest, struct str signature)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	bool ok = ctx != NULL && EVP_PKEY_verify_init(ctx) > 0 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0 &&
	    EVP_PKEY_verify(ctx, (const unsigned char *)signature.p, signature.n, digest,
		SHA256_SIZE) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static enum dkim_proof
check_rsa(struct str key, const unsigned char *digest, struct str signature, const char **why)
{
	EVP_PKEY *pkey = read_rsa(key);
	enum dkim_proof r = DKIM_PROOF_NO_KEY;

	*why = rsa_flaw(pkey);
	if (*why == NULL) {
		*why = "the signature is not that of the key";
		r = is_rsa_signature(pkey, digest, signature) ? DKIM_PROOF_GOOD : DKIM_PROOF_BAD;
	}
	EVP_PKEY_free(pkey);
	return r;
}

/* The digest is what is signed (RFC 8463 3). */
static bool
is_ed25519_signature(EVP_PKEY *pkey, const unsigned char *digest, struct str signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx != NULL && signature.n == ED25519_SIGNATURE_SIZE &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	    EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n, digest,
		SHA256_SIZE) == 1;

	EVP_MD_CTX_free(ctx);
	return ok;
}

static enum dkim_proof
check_ed25519(struct str key, const unsigned char *digest, struct str signature,
    const char **why)
{
	EVP_PKEY *pkey = key.n != ED25519_KEY_SIZE ? NULL :
	    EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
		(const unsigned char *)key.p, key.n);
	bool good;

	if (pkey == NULL) {
		*why = "the key is no Ed25519 key of 32 octets";
		return DKIM_PROOF_NO_KEY;
	}
	good = is_ed25519_signature(pkey, digest, signature);
	EVP_PKEY_free(pkey);
	*why = "the signature is not that of the key";
	return good ? DKIM_PROOF_GOOD : DKIM_PROOF_BAD;
}

enum dkim_proof
dkim_public_check(bool rsa, struct str key, const unsigned char digest[SHA256_SIZE],
    struct str signature, const char **why)
{
	enum dkim_proof r = rsa ? check_rsa(key, digest, signature, why) :
				  check_ed25519(key, digest, signature, why);

	ERR_clear_error();
	return r;
}
