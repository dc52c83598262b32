/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dkim_public -- good and bad signatures by keys of every kind; keys that are made to hurt (S-58). */

#include "net/dkim_public.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "net/dkim_key.h"
#include "unit.h"

static const unsigned char digest[SHA256_SIZE] = "what was signed, 32 octets long";

static void
check(unsigned bits, bool rsa, enum dkim_proof want, const char *words)
{
	struct dkim_key *k = dkim_key_new(bits);
	unsigned char other[SHA256_SIZE] = "something else";
	struct buf key, proof;
	const char *why = NULL;

	ck_assert_ptr_nonnull(k);
	buf_init(&key, 4096);
	buf_init(&proof, 4096);
	ck_assert_int_eq(dkim_key_public(k, &key), 0);
	ck_assert_int_eq(dkim_key_sign(k, digest, &proof), 0);
	ck_assert_int_eq(dkim_public_check(rsa, buf_str(&key), digest, buf_str(&proof), &why), want);
	if (want != DKIM_PROOF_GOOD)
		ck_assert_str_eq(why, words);
	if (want == DKIM_PROOF_GOOD) {
		ck_assert_int_eq(dkim_public_check(rsa, buf_str(&key), other, buf_str(&proof), &why), DKIM_PROOF_BAD);
		ck_assert_str_eq(why, "the signature is not that of the key");
		proof.p[0] ^= 1;
		ck_assert_int_eq(dkim_public_check(rsa, buf_str(&key), digest, buf_str(&proof), &why), DKIM_PROOF_BAD);
		for (size_t n = 0; n < proof.n; n += 7)
			ck_assert_int_eq(dkim_public_check(rsa, buf_str(&key), digest, str_n(proof.p, n), &why), DKIM_PROOF_BAD);
		for (size_t n = 0; n < key.n; n++)
			ck_assert_int_eq(dkim_public_check(rsa, str_n(key.p, n), digest, buf_str(&proof), &why), DKIM_PROOF_NO_KEY);
	}
	buf_free(&proof);
	buf_free(&key);
	dkim_key_free(k);
}

START_TEST(kinds)
{
	check(1024, true, DKIM_PROOF_GOOD, NULL);
	check(2048, true, DKIM_PROOF_GOOD, NULL);
	check(0, false, DKIM_PROOF_GOOD, NULL);
	check(1016, true, DKIM_PROOF_NO_KEY, "the key has less than 1024 bits");
	check(1024, false, DKIM_PROOF_NO_KEY, "the key is no Ed25519 key of 32 octets");
	check(0, true, DKIM_PROOF_NO_KEY, "the key is broken");
}
END_TEST

/* An RSA key of BITS, all of them set, with the exponent E of EBITS; nobody has its private half. */
static void
add_rsa(struct buf *b, int bits, int ebits)
{
	BIGNUM *n = BN_new(), *e = BN_new();
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params;
	EVP_PKEY *pkey = NULL;
	unsigned char *der = NULL;
	int der_n;

	ck_assert(BN_set_bit(n, bits - 1) && BN_set_bit(n, 0) && BN_set_bit(e, ebits - 1) && BN_set_bit(e, 0));
	ck_assert(OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n));
	ck_assert(OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e));
	params = OSSL_PARAM_BLD_to_param(bld);
	ck_assert_int_gt(EVP_PKEY_fromdata_init(ctx), 0);
	ck_assert_int_gt(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params), 0);
	der_n = i2d_PUBKEY(pkey, &der);
	ck_assert_int_gt(der_n, 0);
	buf_add(b, str_n((const char *)der, (size_t)der_n));
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(e);
}

START_TEST(hostile)
{
	static const struct {
		int bits, ebits;
		const char *why;
	} t[] = {
		{ 16384, 17, "the key has more than 4096 bits" },
		{ 4104, 17, "the key has more than 4096 bits" },
		{ 2048, 65, "the exponent of the key is none" },
		{ 2048, 2000, "the exponent of the key is none" },
		{ 2048, 1, "the exponent of the key is none" },
		{ 512, 17, "the key has less than 1024 bits" },
	};
	char octets[512] = { 0 };
	const char *why;
	struct buf key;

	buf_init(&key, 8192);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		buf_reset(&key);
		add_rsa(&key, t[i].bits, t[i].ebits);
		ck_assert_int_eq(dkim_public_check(true, buf_str(&key), digest, str_n(octets, sizeof(octets)), &why),
		    DKIM_PROOF_NO_KEY);
		ck_assert_str_eq(why, t[i].why);
	}
	buf_reset(&key);
	add_rsa(&key, 4096, 64);
	ck_assert_int_eq(dkim_public_check(true, buf_str(&key), digest, str_n(octets, sizeof(octets)), &why), DKIM_PROOF_BAD);
	buf_free(&key);
}
END_TEST

/* The bare form that RFC 6376 had, and a key of another kind in the usual one. */
START_TEST(forms)
{
	EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	EVP_PKEY *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	unsigned char *der = NULL;
	const char *why;
	int n = i2d_PublicKey(rsa, &der);

	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(dkim_public_check(true, str_n((const char *)der, (size_t)n), digest, STR("x"), &why), DKIM_PROOF_BAD);
	OPENSSL_free(der);
	der = NULL;
	n = i2d_PUBKEY(ec, &der);
	ck_assert_int_eq(dkim_public_check(true, str_n((const char *)der, (size_t)n), digest, STR("x"), &why), DKIM_PROOF_NO_KEY);
	ck_assert_str_eq(why, "the key is no RSA key");
	OPENSSL_free(der);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(rsa);
}
END_TEST

UNIT_MAIN("net/dkim_public", kinds, hostile, forms)
