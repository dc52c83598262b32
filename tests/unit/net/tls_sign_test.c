/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Keys without a private part, as OpenSSL sees them. */

#include "net/tls_sign.h"

#include "lib/mem.h"
#include "net/tls_key.h"
#include "pki.h"

static struct tls_key *asked_key;
static unsigned asked;
static bool refuse;

static bool
sign(void *arg, struct str id, unsigned code, struct str content, struct buf *signature)
{
	struct tls_key **k = arg;

	asked++;
	return !refuse && tls_key_is(*k, id) && tls_key_sign(*k, code, content, signature);
}

static const struct tls_signer signer = { sign, &asked_key };

static X509 *
leaf(const char *name)
{
	FILE *f = fopen(pki_path(name, "crt"), "r");
	X509 *x = PEM_read_X509(f, NULL, NULL, NULL);

	fclose(f);
	ck_assert_ptr_nonnull(x);
	return x;
}

static EVP_PKEY *
private_of(const char *name)
{
	FILE *f = fopen(pki_path(name, "key"), "r");
	EVP_PKEY *k = PEM_read_PrivateKey(f, NULL, NULL, NULL);

	fclose(f);
	ck_assert_ptr_nonnull(k);
	return k;
}

/* A signature of what a handshake has to be signed; its length, or 0. */
static size_t
try_sign(EVP_PKEY *key, const char *md, bool pss, unsigned char *out, size_t room)
{
	static const char context[] = "TLS 1.3, server CertificateVerify";
	unsigned char content[64 + sizeof(context) + 32] = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p;
	size_t n = 0;
	bool ok;

	memset(content, ' ', 64);
	memcpy(content + 64, context, sizeof(context));
	ok = EVP_DigestSignInit_ex(ctx, &p, md, NULL, NULL, key, NULL) > 0;
	if (ok && pss)
		ok = EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) > 0 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST) > 0;
	ok = ok && EVP_DigestSign(ctx, NULL, &n, content, sizeof(content)) > 0 && n <= room &&
	    EVP_DigestSign(ctx, out, &n, content, sizeof(content)) > 0;
	EVP_MD_CTX_free(ctx);
	return ok ? n : 0;
}

static const struct kind {
	const char *name, *md;
	bool pss;
} kinds[] = {
	{ "ec", "SHA256", false },
	{ "rsa", "SHA384", true },
	{ "rsa-pss", "SHA256", true },
	{ "ed25519", NULL, false },
	{ "ed448", NULL, false },
};

START_TEST(every_kind)
{
	const struct kind *k = &kinds[_i];
	unsigned char out[1024], *der = NULL;
	struct buf error;
	X509 *x = leaf(k->name);
	EVP_PKEY *private = private_of(k->name), *key = tls_sign_key(x, &signer);

	buf_init(&error, 1000);
	asked_key = tls_key_load(pki_path(k->name, "crt"), pki_path(k->name, "key"), &error);
	ck_assert_ptr_nonnull(asked_key);
	ck_assert_ptr_nonnull(key);
	/* It is the key of its certificate, of this kind and size. */
	ck_assert_int_eq(EVP_PKEY_eq(X509_get0_pubkey(x), key), 1);
	ck_assert_int_eq(EVP_PKEY_eq(key, private), 1);
	ck_assert_int_eq(X509_check_private_key(x, key), 1);
	ck_assert_int_eq(EVP_PKEY_get_bits(key), EVP_PKEY_get_bits(private));
	ck_assert_int_eq(EVP_PKEY_get_size(key), EVP_PKEY_get_size(private));
	ck_assert(EVP_PKEY_is_a(key, EVP_PKEY_get0_type_name(private)));
	ck_assert_uint_eq(asked, 0);
	/* It signs, by asking once, and what is signed was whole. */
	ck_assert_uint_gt(try_sign(key, k->md, k->pss, out, sizeof(out)), 0);
	ck_assert_uint_eq(asked, 1);
	refuse = true;
	ck_assert_uint_eq(try_sign(key, k->md, k->pss, out, sizeof(out)), 0);
	ck_assert_uint_eq(asked, 2);
	/* There is nothing that could be taken out of it. */
	ck_assert_int_le(i2d_PrivateKey(key, &der), 0);
	/* A key of the default provider stays one, and asks nobody. */
	ck_assert_uint_gt(try_sign(private, k->md, k->pss, out, sizeof(out)), 0);
	ck_assert_uint_eq(asked, 2);
	OPENSSL_free(der);
	EVP_PKEY_free(private);
	EVP_PKEY_free(key);
	X509_free(x);
	tls_key_free(asked_key);
	buf_free(&error);
}
END_TEST

/* No digest that is not in a handshake, no decryption. */
START_TEST(nothing_else)
{
	unsigned char out[1024], in[256] = { 2 };
	X509 *x = leaf("rsa");
	EVP_PKEY *key = tls_sign_key(x, &signer);
	EVP_PKEY_CTX *ctx;
	size_t n = sizeof(out);

	ck_assert_ptr_nonnull(key);
	ck_assert_uint_eq(try_sign(key, "SHA1", false, out, sizeof(out)), 0);
	ck_assert_uint_eq(try_sign(key, "MD5", false, out, sizeof(out)), 0);
	ck_assert_uint_eq(try_sign(key, NULL, false, out, 0), 0);
	ctx = EVP_PKEY_CTX_new(key, NULL);
	ck_assert(!ctx || EVP_PKEY_decrypt_init(ctx) <= 0 ||
	    EVP_PKEY_decrypt(ctx, out, &n, in, sizeof(in)) <= 0);
	EVP_PKEY_CTX_free(ctx);
	ctx = EVP_PKEY_CTX_new(key, NULL);
	ck_assert(!ctx || EVP_PKEY_sign_init(ctx) <= 0 ||
	    EVP_PKEY_sign(ctx, out, &n, in, 32) <= 0);
	EVP_PKEY_CTX_free(ctx);
	ck_assert_uint_eq(asked, 0);
	EVP_PKEY_free(key);
	X509_free(x);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("tls_sign");
	int status;

	pki_begin();
	pki_leaf("ec", "ec", "DNS:a", -3600, 86400, false);
	pki_leaf_of(EVP_RSA_gen(2048), "rsa", "rsa", "DNS:a", -3600, 86400, false);
	pki_leaf_of(pki_rsa_pss(), "rsa-pss", "pss", "DNS:a", -3600, 86400, false);
	pki_leaf_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "ed25519", "ed", "DNS:a", -3600,
	    86400, false);
	pki_leaf_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), "ed448", "ed", "DNS:a", -3600, 86400,
	    false);
	tcase_add_loop_test(t, every_kind, 0, ARRAY_LEN(kinds));
	tcase_add_test(t, nothing_else);
	status = unit_run("tls_sign", t);
	pki_end();
	return status;
}
