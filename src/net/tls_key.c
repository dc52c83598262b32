/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * tls_key -- a server's private key, and the one thing that is done with it.
 *
 * A signature is asked for by a process that may have been taken over.  So
 * what it wants signed is held against the two forms that a handshake has:
 * they have no length in common, so neither can be taken for the other, and
 * both are hashed here, so that no digest of something else can be had
 * signed.  What is left to such an asker is to be this server in handshakes
 * of its own, for as long as it may ask.
 */

#include "net/tls_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "cert.h"
#include "lib/mem.h"
#include "scheme.h"

/* RFC 8446 4.4.3: 64 blanks, this with its zero, and the transcript's hash. */
#define CONTEXT "TLS 1.3, server CertificateVerify"
#define BLANKS 64
/* RFC 5246 7.4.3: client's and server's; then RFC 8422 5.4, ServerECDHParams. */
#define RANDOMS 64
#define NAMED_CURVE 3
#define SIGNATURE_MAX 2048

struct tls_key {
	struct cert cert;
	unsigned char id[TLS_KEY_ID];
};

struct tls_key *
tls_key_load(const char *certificate, const char *key, struct buf *error)
{
	struct tls_key *k = mem_alloc(sizeof(*k));

	if (cert_load(&k->cert, certificate, key, error)) {
		if (cert_key_id(k->cert.leaf, k->id))
			return k;
		cert_add_reason(error);
	}
	tls_key_free(k);
	return NULL;
}

bool
tls_key_put(const struct tls_key *k, FILE *f)
{
	bool ok = PEM_write_X509(f, k->cert.leaf) == 1 &&
	    PEM_write_PrivateKey(f, k->cert.key, NULL, NULL, 0, NULL, NULL) == 1;

	ERR_clear_error();
	return ok;
}

struct tls_key *
tls_key_get(FILE *f, struct buf *error)
{
	struct tls_key *k = mem_alloc(sizeof(*k));
	X509 *leaf;

	/* OpenSSL does not say of a file that it is at its end. */
	int c = getc(f);
	if (c == EOF)
		goto none;
	(void)ungetc(c, f);
	leaf = k->cert.leaf = PEM_read_X509(f, NULL, NULL, NULL);
	k->cert.key = leaf ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
	if (k->cert.key && X509_check_private_key(leaf, k->cert.key) == 1 &&
	    cert_key_id(leaf, k->id))
		return k;
	cert_add_reason(error);
none:
	tls_key_free(k);
	return NULL;
}

void
tls_key_free(struct tls_key *k)
{
	if (!k)
		return;
	cert_free(&k->cert);
	mem_free(k);
}

bool
tls_key_is(const struct tls_key *k, struct str id)
{
	return str_eq(id, str_n((const char *)k->id, sizeof(k->id)));
}

static bool
is_certificate_verify(struct str content)
{
	static const char context[] = CONTEXT;
	struct str rest;

	for (size_t i = 0; i < BLANKS; i++)
		if (i >= content.n || content.p[i] != ' ')
			return false;
	rest = str_skip(content, BLANKS);
	if (!str_starts(rest, str_n(context, sizeof(context))))
		return false;
	/* The digests of TLS 1.3's cipher suites: SHA-256 and SHA-384. */
	rest = str_skip(rest, sizeof(context));
	return rest.n == 32 || rest.n == 48;
}

/* The point's length in each of the groups that a server of ours has. */
static bool
is_key_exchange(struct str content)
{
	static const struct {
		unsigned char group, n;
	} groups[] = { { 0x1d, 32 }, { 0x17, 65 } };
	const unsigned char *p = (const unsigned char *)content.p + RANDOMS;

	if (content.n < RANDOMS + 4 || p[0] != NAMED_CURVE || p[1] != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		if (p[2] == groups[i].group && p[3] == groups[i].n)
			return content.n == RANDOMS + 4 + (size_t)groups[i].n;
	return false;
}

static bool
set_padding(EVP_PKEY_CTX *ctx, const struct scheme *s)
{
	if (!s->pss)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

bool
tls_key_sign(const struct tls_key *k, uint64_t code, struct str content,
    struct buf *signature)
{
	const struct scheme *s = scheme_by_code(code);
	unsigned char out[SIGNATURE_MAX];
	size_t n = sizeof(out);
	EVP_PKEY_CTX *ctx;
	EVP_MD_CTX *md;
	bool ok;

	if (!s || !EVP_PKEY_is_a(k->cert.key, s->key) ||
	    !(is_certificate_verify(content) ? !s->old : is_key_exchange(content)))
		return false;
	md = EVP_MD_CTX_new();
	ok = md && EVP_DigestSignInit_ex(md, &ctx, s->digest, NULL, NULL, k->cert.key, NULL) > 0 &&
	    set_padding(ctx, s) &&
	    EVP_DigestSign(md, out, &n, (const unsigned char *)content.p, content.n) > 0;
	EVP_MD_CTX_free(md);
	ERR_clear_error();
	if (ok)
		buf_add(signature, str_n((const char *)out, n));
	return ok && buf_ok(signature);
}
