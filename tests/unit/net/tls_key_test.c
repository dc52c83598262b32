/* SPDX-License-Identifier: GPL-3.0-or-later */

/* P-04: a private key signs what a handshake has to be signed, and nothing else. */

#include "net/tls_key.h"

#include "pki.h"

#define CONTEXT "TLS 1.3, server CertificateVerify"

static struct buf error, signature;

static struct tls_key *
load(const char *name)
{
	struct tls_key *k;

	error.max = 1000;
	buf_reset(&error);
	k = tls_key_load(pki_path(name, "crt"), pki_path(name, "key"), &error);
	ck_assert_msg(k != NULL, "%s", buf_cstr(&error));
	return k;
}

/* What a server signs in TLS 1.3, with a transcript's hash of N octets. */
static struct str
verify(size_t n)
{
	static char b[200];

	memset(b, ' ', 64);
	memcpy(b + 64, CONTEXT, sizeof(CONTEXT));
	memset(b + 64 + sizeof(CONTEXT), 'h', n);
	return str_n(b, 64 + sizeof(CONTEXT) + n);
}

/* And in TLS 1.2, with a point of N octets in GROUP. */
static struct str
exchange(unsigned char group, size_t n)
{
	static char b[300];

	memset(b, 'r', sizeof(b));
	b[64] = 3;
	b[65] = 0;
	b[66] = (char)group;
	b[67] = (char)n;
	return str_n(b, 68 + n);
}

static bool
signs(const struct tls_key *k, unsigned code, struct str content)
{
	bool ok;

	signature.max = 2048;
	buf_reset(&signature);
	ok = tls_key_sign(k, code, content, &signature);
	ck_assert_uint_eq(ok, signature.n > 0);
	return ok;
}

/* Whether the certificate NAME says that the last signature is one of CONTENT. */
static bool
verifies(const char *name, const EVP_MD *md, bool pss, struct str content)
{
	FILE *f = fopen(pki_path(name, "crt"), "r");
	X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p;
	bool ok;

	fclose(f);
	ck_assert_int_gt(EVP_DigestVerifyInit(ctx, &p, md, NULL, X509_get0_pubkey(x)), 0);
	if (pss) {
		ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING), 0);
		ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST), 0);
	}
	ok = EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
		 (const unsigned char *)content.p, content.n) == 1;
	EVP_MD_CTX_free(ctx);
	X509_free(x);
	return ok;
}

START_TEST(handshakes)
{
	struct tls_key *ec = load("ec"), *rsa = load("rsa"), *ed = load("ed25519");

	ck_assert(signs(ec, 0x0403, verify(32)));
	ck_assert(verifies("ec", EVP_sha256(), false, verify(32)));
	ck_assert(signs(ec, 0x0403, verify(48)));
	ck_assert(verifies("ec", EVP_sha256(), false, verify(48)));
	ck_assert(!verifies("ec", EVP_sha256(), false, verify(32)));
	ck_assert(signs(ec, 0x0503, exchange(0x17, 65)));
	ck_assert(verifies("ec", EVP_sha384(), false, exchange(0x17, 65)));
	ck_assert(signs(rsa, 0x0804, verify(32)));
	ck_assert(verifies("rsa", EVP_sha256(), true, verify(32)));
	ck_assert(signs(rsa, 0x0601, exchange(0x1d, 32)));
	ck_assert(verifies("rsa", EVP_sha512(), false, exchange(0x1d, 32)));
	ck_assert(signs(rsa, 0x0805, exchange(0x17, 65)));
	ck_assert(verifies("rsa", EVP_sha384(), true, exchange(0x17, 65)));
	ck_assert(signs(ed, 0x0807, verify(32)));
	ck_assert(verifies("ed25519", NULL, false, verify(32)));
	/* No room: nothing, not a part. */
	signature.max = 10;
	buf_reset(&signature);
	ck_assert(!tls_key_sign(ec, 0x0403, verify(32), &signature));
	tls_key_free(ec);
	tls_key_free(rsa);
	tls_key_free(ed);
	tls_key_free(NULL);
}
END_TEST

START_TEST(nothing_else)
{
	struct tls_key *ec = load("ec"), *rsa = load("rsa");
	char b[300];

	/* Another scheme than the key's, SHA-1, none. */
	ck_assert(!signs(ec, 0x0804, verify(32)));
	ck_assert(!signs(rsa, 0x0403, verify(32)));
	ck_assert(!signs(ec, 0x0203, verify(32)));
	ck_assert(!signs(rsa, 0x0201, exchange(0x1d, 32)));
	ck_assert(!signs(ec, 0, verify(32)));
	ck_assert(!signs(ec, UINT32_MAX, verify(32)));
	/* RFC 8446 4.2.3: PKCS #1 1.5 is not for a CertificateVerify. */
	ck_assert(!signs(rsa, 0x0401, verify(32)));
	/* Every length but the right ones. */
	for (size_t n = 0; n < 100; n++)
		ck_assert_uint_eq(signs(ec, 0x0403, verify(n)), n == 32 || n == 48);
	for (size_t n = 0; n < 140; n++) {
		ck_assert_uint_eq(signs(ec, 0x0403, exchange(0x1d, n)), n == 32);
		ck_assert_uint_eq(signs(ec, 0x0403, exchange(0x17, n)), n == 65);
		/* A group that no server of ours has. */
		ck_assert(!signs(ec, 0x0403, exchange(0x18, n)));
	}
	ck_assert(!signs(ec, 0x0403, str_head(exchange(0x1d, 32), 99)));
	ck_assert(!signs(ec, 0x0403, STR("")));
	/* One octet of the fixed part is another; a client's context. */
	for (size_t i = 0; i < 64 + sizeof(CONTEXT); i++) {
		struct str v = verify(32);

		memcpy(b, v.p, v.n);
		b[i] ^= 1;
		ck_assert_msg(!signs(ec, 0x0403, str_n(b, v.n)), "octet %zu", i);
	}
	for (size_t i = 64; i < 68; i++) {
		struct str v = exchange(0x1d, 32);

		memcpy(b, v.p, v.n);
		b[i] ^= 0x40;
		ck_assert_msg(!signs(ec, 0x0403, str_n(b, v.n)), "octet %zu", i);
	}
	/* A certificate, a token: what somebody else would take. */
	ck_assert(!signs(rsa, 0x0401, STR("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9")));
	tls_key_free(ec);
	tls_key_free(rsa);
}
END_TEST

START_TEST(names)
{
	struct tls_key *ec = load("ec");
	unsigned char id[TLS_KEY_ID];
	FILE *f = fopen(pki_path("ec", "crt"), "r");
	X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(X509_get0_pubkey(x), &der);

	fclose(f);
	ck_assert_int_eq(EVP_Digest(der, (size_t)n, id, NULL, EVP_sha256(), NULL), 1);
	ck_assert(tls_key_is(ec, str_n((char *)id, sizeof(id))));
	ck_assert(!tls_key_is(ec, str_n((char *)id, sizeof(id) - 1)));
	ck_assert(!tls_key_is(ec, STR("")));
	id[31] ^= 1;
	ck_assert(!tls_key_is(ec, str_n((char *)id, sizeof(id))));
	OPENSSL_free(der);
	X509_free(x);
	tls_key_free(ec);
	/* Not of this certificate; no file. */
	buf_reset(&error);
	ck_assert_ptr_null(tls_key_load(pki_path("ec", "crt"), pki_path("rsa", "key"), &error));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "is not the key of the certificate"));
	buf_reset(&error);
	ck_assert_ptr_null(tls_key_load("/nonexistent", "", &error));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "/nonexistent: No such file"));
}
END_TEST

int
main(void)
{
	TCase *t = UNIT_CASE("tls_key", handshakes, nothing_else, names);
	int status;

	pki_begin();
	pki_leaf("ec", "ec", "DNS:a", -3600, 86400, false);
	pki_leaf_of(EVP_RSA_gen(2048), "rsa", "rsa", "DNS:a", -3600, 86400, false);
	pki_leaf_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "ed25519", "ed", "DNS:a", -3600,
	    86400, false);
	status = unit_run("tls_key", t);
	pki_end();
	return status;
}
