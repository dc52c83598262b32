/* SPDX-License-Identifier: GPL-3.0-or-later */

/* RFC 6376 05: dkim_key -- keys of both kinds, from files and back; what they sign is checked by the library. */

#include "unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/dkim_key.h"

static char path[64];
static struct buf error;

static void
put(const struct dkim_key *k, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	if (k != NULL)
		ck_assert(dkim_key_put(k, f));
	else
		ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static void
refused(const char *words)
{
	buf_reset(&error);
	ck_assert_ptr_null(dkim_key_load(path, &error));
	ck_assert_msg(strstr(buf_cstr(&error), words) != NULL && str_starts(buf_str(&error), str_c(path)),
	    "%s: %s", words, buf_cstr(&error));
}

static EVP_PKEY *
public_of(const struct dkim_key *k)
{
	const unsigned char *at;
	EVP_PKEY *p;
	struct buf b;

	buf_init(&b, 4096);
	ck_assert_int_eq(dkim_key_public(k, &b), 0);
	at = (const unsigned char *)b.p;
	if (dkim_key_bits(k) > 0) {
		p = d2i_PUBKEY(NULL, &at, (long)b.n);
	} else {
		ck_assert_uint_eq(b.n, 32);
		p = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, at, b.n);
	}
	ck_assert_ptr_nonnull(p);
	buf_free(&b);
	return p;
}

/* RSA signs the text that has the digest, Ed25519 the digest (RFC 8463 3). */
static void
check_signature(const struct dkim_key *k, struct str text)
{
	bool rsa = dkim_key_bits(k) > 0;
	unsigned char digest[SHA256_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY *p = public_of(k);
	struct buf sig;

	buf_init(&sig, 2048);
	ck_assert_int_eq(sha256(text, digest), 0);
	ck_assert_int_eq(dkim_key_sign(k, digest, &sig), 0);
	ck_assert_int_eq(EVP_DigestVerifyInit(ctx, NULL, rsa ? EVP_sha256() : NULL, NULL, p), 1);
	ck_assert_int_eq(EVP_DigestVerify(ctx, (const unsigned char *)sig.p, sig.n,
	    rsa ? (const unsigned char *)text.p : digest, rsa ? text.n : sizeof(digest)), 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(p);
	buf_free(&sig);
}

START_TEST(kinds)
{
	static const struct {
		unsigned bits;
		const char *type, *algorithm;
	} cases[] = { { 0, "ed25519", "ed25519-sha256" }, { 1024, "rsa", "rsa-sha256" },
		{ 2048, "rsa", "rsa-sha256" } };

	buf_init(&error, 4096);
	memcpy(path, "/tmp/barid-unit-XXXXXX", 23);
	close(mkstemp(path));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dkim_key *made = dkim_key_new(cases[i].bits), *k;

		ck_assert_ptr_nonnull(made);
		put(made, NULL, 0640);
		k = dkim_key_load(path, &error);
		ck_assert_msg(k != NULL && error.n == 0, "%s", buf_cstr(&error));
		ck_assert_str_eq(dkim_key_type(k), cases[i].type);
		ck_assert_str_eq(dkim_key_algorithm(k), cases[i].algorithm);
		ck_assert_uint_eq(dkim_key_bits(k), cases[i].bits);
		check_signature(k, STR("what is signed"));
		dkim_key_free(k);
		dkim_key_free(made);
	}
	unlink(path);
	dkim_key_free(NULL);
}
END_TEST

/* The key of RFC 8463 appendix A, and its record. */
START_TEST(given)
{
	static const unsigned char want[32] = { 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b,
		0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf,
		0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a };
	struct dkim_key *k;
	struct buf b;

	buf_init(&error, 4096);
	buf_init(&b, 100);
	memcpy(path, "/tmp/barid-unit-XXXXXX", 23);
	close(mkstemp(path));
	put(NULL, "-----BEGIN PRIVATE KEY-----\n"
	    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	    "-----END PRIVATE KEY-----\n", 0600);
	k = dkim_key_load(path, &error);
	ck_assert_ptr_nonnull(k);
	ck_assert_int_eq(dkim_key_public(k, &b), 0);
	ck_assert_uint_eq(b.n, sizeof(want));
	ck_assert_mem_eq(b.p, want, sizeof(want));
	dkim_key_free(k);
	buf_free(&b);
	unlink(path);
}
END_TEST

/* One that is encrypted, or of another kind. */
static void
put_other(const char *kind, const EVP_CIPHER *cipher)
{
	EVP_PKEY *p = EVP_PKEY_Q_keygen(NULL, NULL, kind);
	FILE *f = fopen(path, "w");

	ck_assert(f != NULL && p != NULL);
	ck_assert_int_eq(PEM_write_PKCS8PrivateKey(f, p, cipher, "word", cipher != NULL ? 4 : 0, NULL, NULL), 1);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
	EVP_PKEY_free(p);
}

START_TEST(mistakes)
{
	struct dkim_key *k = dkim_key_new(512);

	buf_init(&error, 4096);
	memcpy(path, "/tmp/barid-unit-XXXXXX", 23);
	close(mkstemp(path));
	ck_assert_ptr_nonnull(k);
	put(k, NULL, 0600);
	refused("less than 1024 bits");
	dkim_key_free(k);
	put(NULL, "no key\n", 0600);
	refused("holds no private key");
	put(NULL, "", 0600);
	refused("holds no private key");
	put(NULL, "", 0604);
	refused("others can read it");
	put(NULL, "", 0620);
	refused("a group write it");
	put_other("ED25519", EVP_aes_128_cbc());
	refused("is encrypted");
	put_other("X25519", NULL);
	refused("is neither an RSA nor an Ed25519 key");
	unlink(path);
	refused("No such file");
	memcpy(path, "/tmp", 5);
	refused("is no plain file");
}
END_TEST

#define ED25519 "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"

/* FEATURES T6: from a text of others, which no reason repeats. */
START_TEST(texts)
{
	static const char *const good[] = { "-----BEGIN PRIVATE KEY-----\n" ED25519 "\n-----END PRIVATE KEY-----\n",
		"\r\n-----BEGIN PRIVATE KEY-----\r\n" ED25519 "\r\n-----END PRIVATE KEY-----",
		ED25519, "  MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/Vpg\r\n uoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n" };
	static const struct {
		const char *text, *why;
	} bad[] = { { "", "holds no private key in PEM form" }, { "secret", "holds no private key in PEM form" },
		{ "c2VjcmV0", "holds no private key in PEM form" }, { "-----BEGIN ", "holds no private key in PEM form" },
		{ "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n", "unsupported" },
		{ "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n",
		    "holds no private key in PEM form" },
		{ "MC4CAQAwBQYDK2VuBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g", "is neither an RSA nor an Ed25519 key" } };
	struct buf large;

	buf_init(&error, 4096);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct dkim_key *k = dkim_key_read(str_c(good[i]), &error);

		ck_assert_msg(k != NULL && error.n == 0, "%zu: %s", i, buf_cstr(&error));
		check_signature(k, STR("what is signed"));
		dkim_key_free(k);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		buf_reset(&error);
		ck_assert_ptr_null(dkim_key_read(str_c(bad[i].text), &error));
		ck_assert_str_eq(buf_cstr(&error), bad[i].why);
	}
	buf_init(&large, 4 << 20);
	while (large.n < (4 << 20) - 100)
		buf_adds(&large, ED25519);
	buf_reset(&error);
	ck_assert_ptr_null(dkim_key_read(buf_str(&large), &error));
	ck_assert_str_eq(buf_cstr(&error), "is too long");
	buf_free(&large);
}
END_TEST

/* Adds an INTEGER of N octets (X.690 8.3), the first and the last of which are LAST. */
static void
add_integer(struct buf *b, size_t n, unsigned char last)
{
	const char head[] = { 2, (char)0x82, (char)(n >> 8), (char)n };

	buf_add(b, str_n(head, sizeof(head)));
	for (size_t i = 0; i < n; i++)
		buf_addc(b, i == 0 || i == n - 1 ? (char)last : 0x55);
}

/* RFC 8017 A.1.2: a modulus of 2048 bits, and a factor of many more, which would take very long. */
START_TEST(made_up)
{
	struct buf body, der, text;
	unsigned char words[16384];

	buf_init(&error, 4096);
	buf_init(&body, 16384);
	buf_init(&der, 16384);
	buf_init(&text, 16384);
	buf_add(&body, str_n("\2\1\0", 3));
	add_integer(&body, 256, 0x7f);
	add_integer(&body, 3, 1);
	add_integer(&body, 256, 0x3f);
	for (size_t i = 0; i < 4; i++)
		add_integer(&body, 2000, 0x7f);
	add_integer(&body, 128, 0x7f);
	buf_add(&der, str_n((const char[]){ 0x30, (char)0x82, (char)(body.n >> 8), (char)body.n }, 4));
	buf_add(&der, buf_str(&body));
	ck_assert_int_gt(EVP_EncodeBlock(words, (const unsigned char *)der.p, (int)der.n), 0);
	buf_adds(&text, (const char *)words);
	ck_assert(buf_ok(&text));
	ck_assert_ptr_null(dkim_key_read(buf_str(&text), &error));
	ck_assert_str_eq(buf_cstr(&error), "is an RSA key whose numbers cannot belong together");
	buf_free(&text);
	buf_free(&der);
	buf_free(&body);
}
END_TEST

UNIT_MAIN("net/dkim_key", kinds, given, mistakes, texts, made_up)
