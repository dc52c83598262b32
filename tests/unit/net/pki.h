/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_NET_PKI_H
#define TESTS_NET_PKI_H

/*
 * pki -- certificates for tests: ECDSA P-256 or another key, made in memory, written as
 * PEM into the directory that pki_begin() makes.
 */

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

struct pki {
	char dir[SCRATCH_SIZE];
	EVP_PKEY *ca_key;
	X509 *ca;
	long serial;
};

static struct pki pki;

/* Check's assertions are for within a test; certificates come before. */
static void
pki_must(bool ok)
{
	if (ok)
		return;
	fprintf(stderr, "cannot make the test's certificates\n");
	abort();
}

/* DIR/NAME.SUFFIX, good until the eighth call from now. */
static const char *
pki_path(const char *name, const char *suffix)
{
	static char out[8][160];
	static unsigned i;
	char *p = out[i++ % 8];

	snprintf(p, sizeof(out[0]), "%s/%s.%s", pki.dir, name, suffix);
	return p;
}

static void
pki_write(const char *name, const char *suffix, X509 *x, X509 *next, EVP_PKEY *key,
    const char *password)
{
	FILE *f = fopen(pki_path(name, suffix), "w");

	pki_must(f != NULL);
	if (x)
		pki_must(PEM_write_X509(f, x) == 1);
	if (next)
		pki_must(PEM_write_X509(f, next) == 1);
	if (key)
		pki_must(PEM_write_PKCS8PrivateKey(f, key,
			     password ? EVP_aes_128_cbc() : NULL, password,
			     password ? (int)strlen(password) : 0, NULL, NULL) == 1);
	fclose(f);
}

static void
pki_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	pki_must(e != NULL);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

/*
 * A certificate for CN and the subjectAltName SAN ("" for none), valid from
 * and to so many seconds from now, signed by ISSUER (NULL: itself).
 */
static X509 *
pki_make(EVP_PKEY *key, const char *cn, const char *san, long from, long to,
    X509 *issuer, EVP_PKEY *issuer_key, const char *basic)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), ++pki.serial);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)cn, -1, -1, 0);
	X509_gmtime_adj(X509_getm_notBefore(x), from);
	X509_gmtime_adj(X509_getm_notAfter(x), to);
	X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
	X509_set_pubkey(x, key);
	pki_extension(x, issuer ? issuer : x, NID_basic_constraints, basic);
	if (san[0])
		pki_extension(x, issuer ? issuer : x, NID_subject_alt_name, san);
	pki_must(X509_sign(x, issuer ? issuer_key : key, EVP_sha256()) > 0);
	return x;
}

/* Makes DIR/ca.crt. */
static void UNUSED
pki_begin(void)
{
	scratch_begin(pki.dir);
	pki.ca_key = EVP_EC_gen("P-256");
	pki.ca = pki_make(pki.ca_key, "the test's CA", "", -3600, 86400, NULL,
	    NULL, "critical,CA:TRUE");
	pki_write("ca", "crt", pki.ca, NULL, NULL, NULL);
}

/* Makes DIR/NAME.crt and NAME.key; frees KEY. */
static void UNUSED
pki_leaf_of(EVP_PKEY *key, const char *name, const char *cn, const char *san,
    long from, long to, bool self_signed)
{
	X509 *x = pki_make(key, cn, san, from, to, self_signed ? NULL : pki.ca,
	    pki.ca_key, "critical,CA:FALSE");

	pki_write(name, "crt", x, NULL, NULL, NULL);
	pki_write(name, "key", NULL, NULL, key, NULL);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void UNUSED
pki_leaf(const char *name, const char *cn, const char *san, long from, long to,
    bool self_signed)
{
	pki_leaf_of(EVP_EC_gen("P-256"), name, cn, san, from, to, self_signed);
}

/* A key that signs by RSASSA-PSS and by nothing else. */
static UNUSED EVP_PKEY *
pki_rsa_pss(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	EVP_PKEY *key = NULL;

	pki_must(ctx && EVP_PKEY_keygen_init(ctx) > 0 &&
	    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) > 0 && EVP_PKEY_generate(ctx, &key) > 0);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* Removes the directory and all files that were made in it. */
static void UNUSED
pki_end(void)
{
	scratch_end(pki.dir);
	X509_free(pki.ca);
	EVP_PKEY_free(pki.ca_key);
}

#endif
