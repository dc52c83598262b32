/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dkim_key -- the keys that mail is signed with, on OpenSSL's EVP.
 *
 * What verifiers would not take (RFC 8301) is refused when it is read, so that
 * no mail leaves with a signature that counts for nothing.  A complaint names
 * the file.  Ed25519 signs the digest as its message (RFC 8463 3).
 */

#include "net/dkim_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cert.h"
#include "lib/mem.h"

#define SIGNATURE_MAX 1024

struct dkim_key {
	EVP_PKEY *pkey;
	bool rsa;
};

/* NULL, or why the file is not to be used. */
static const char *
why_not_file(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "is no plain file";
	/* A group may be let in, as that of ssl-cert is. */
	if ((st.st_mode & 027) != 0)
		return "others can read it, or a group write it; expected mode "
		       "0600";
	return NULL;
}

/*
 * True if no number of an RSA key is larger than its modulus.  Signing takes the cube
 * of their size: a key that somebody made up would take minutes.
 */
static bool
is_sized(const EVP_PKEY *pkey)
{
	static const char *const names[] = { OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D,
		OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
		OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
		OSSL_PKEY_PARAM_RSA_COEFFICIENT1 };
	BIGNUM *n = NULL;
	bool fits = true;

	/* More than two factors nobody has. */
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR3, &n) == 1)
		fits = false;
	BN_clear_free(n);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		n = NULL;
		if (EVP_PKEY_get_bn_param(pkey, names[i], &n) == 1 &&
		    BN_num_bits(n) > EVP_PKEY_get_bits(pkey))
			fits = false;
		BN_clear_free(n);
	}
	return fits;
}

static const char *
why_not_key(struct dkim_key *k)
{
	k->rsa = EVP_PKEY_is_a(k->pkey, "RSA");
	if (!k->rsa)
		return EVP_PKEY_is_a(k->pkey, "ED25519") ?
		    NULL : "is neither an RSA nor an Ed25519 key";
	if (EVP_PKEY_get_bits(k->pkey) < DKIM_RSA_MIN)
		return "is an RSA key of less than 1024 bits, which nobody takes";
	if (EVP_PKEY_get_bits(k->pkey) > DKIM_RSA_MAX)
		return "is an RSA key of more than 4096 bits, which few take";
	if (!is_sized(k->pkey))
		return "is an RSA key whose numbers cannot belong together";
	return NULL;
}

/* KEY was read, or is NULL: true if it may sign; ASKED for a password it is none. */
static bool
take_key(struct dkim_key *k, EVP_PKEY *key, bool asked, struct buf *error)
{
	const char *why;

	k->pkey = key;
	if (k->pkey == NULL) {
		if (asked)
			buf_adds(error, "is encrypted");
		else if (ERR_peek_last_error() == 0 ||
		    ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_PEM ||
		    ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_OSSL_DECODER)
			buf_adds(error, "holds no private key in PEM form");
		else
			cert_add_reason(error);
		ERR_clear_error();
		return false;
	}
	why = why_not_key(k);
	if (why != NULL)
		buf_adds(error, why);
	return why == NULL;
}

static bool
read_pem(struct dkim_key *k, BIO *bio, struct buf *error)
{
	bool asked = false;
	EVP_PKEY *key;

	ERR_clear_error();
	key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, cert_no_password, &asked);
	BIO_free(bio);
	return take_key(k, key, asked, error);
}

/* The octets of a key, as base64 with white space wherever it likes. */
static bool
read_octets(struct dkim_key *k, struct str text, struct buf *error)
{
	unsigned char words[DKIM_KEY_TEXT_MAX], octets[DKIM_KEY_TEXT_MAX];
	const unsigned char *at = octets;
	EVP_PKEY *key = NULL;
	int n = 0;

	for (size_t i = 0; i < text.n; i++)
		if (strchr(" \t\r\n", text.p[i]) == NULL)
			words[n++] = (unsigned char)text.p[i];
	ERR_clear_error();
	n = EVP_DecodeBlock(octets, words, n);
	/* What is padded has NULs at its end, which no key has. */
	if (n > 0)
		key = d2i_AutoPrivateKey(NULL, &at, n);
	ERR_clear_error();
	OPENSSL_cleanse(words, sizeof(words));
	OPENSSL_cleanse(octets, sizeof(octets));
	return take_key(k, key, false, error);
}

struct dkim_key *
dkim_key_read(struct str text, struct buf *error)
{
	struct dkim_key *k = mem_alloc(sizeof(*k));
	bool ok;

	text = str_trim(text);
	if (text.n > DKIM_KEY_TEXT_MAX) {
		buf_adds(error, "is too long");
		ok = false;
	} else if (str_starts(text, STR("-----BEGIN ")))
		ok = read_pem(k, BIO_new_mem_buf(text.p, (int)text.n), error);
	else
		ok = read_octets(k, text, error);
	if (ok)
		return k;
	dkim_key_free(k);
	return NULL;
}

struct dkim_key *
dkim_key_load(const char *path, struct buf *error)
{
	struct dkim_key *k = mem_alloc(sizeof(*k));
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *why = why_not_file(fd);
	FILE *f = why == NULL ? fdopen(fd, "r") : NULL;
	bool ok = false;

	if (why == NULL && f == NULL)
		why = strerror(errno);
	buf_addf(error, "%s: ", path);
	if (f != NULL)
		ok = read_pem(k, BIO_new_fp(f, BIO_NOCLOSE), error);
	else
		buf_adds(error, why);
	if (f != NULL)
		(void)fclose(f);
	else if (fd >= 0)
		close(fd);
	if (ok) {
		buf_cut(error, error->n - strlen(path) - 2);
		return k;
	}
	dkim_key_free(k);
	return NULL;
}

struct dkim_key *
dkim_key_new(unsigned bits)
{
	struct dkim_key *k = mem_alloc(sizeof(*k));

	k->rsa = bits > 0;
	k->pkey = k->rsa ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits) :
			   EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	ERR_clear_error();
	if (k->pkey != NULL)
		return k;
	dkim_key_free(k);
	return NULL;
}

void
dkim_key_free(struct dkim_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	mem_free(k);
}

bool
dkim_key_put(const struct dkim_key *k, FILE *f)
{
	bool ok = PEM_write_PKCS8PrivateKey(f, k->pkey, NULL, NULL, 0, NULL,
	    NULL) == 1;

	ERR_clear_error();
	return ok && fflush(f) == 0;
}

const char *
dkim_key_algorithm(const struct dkim_key *k)
{
	return k->rsa ? "rsa-sha256" : "ed25519-sha256";
}

const char *
dkim_key_type(const struct dkim_key *k)
{
	return k->rsa ? "rsa" : "ed25519";
}

unsigned
dkim_key_bits(const struct dkim_key *k)
{
	return k->rsa ? (unsigned)EVP_PKEY_get_bits(k->pkey) : 0;
}

int
dkim_key_public(const struct dkim_key *k, struct buf *out)
{
	unsigned char raw[32], *der = NULL;
	size_t n = sizeof(raw);
	int der_n;

	if (!k->rsa) {
		if (EVP_PKEY_get_raw_public_key(k->pkey, raw, &n) != 1)
			return -1;
		buf_add(out, str_n((const char *)raw, n));
		return 0;
	}
	/* SubjectPublicKeyInfo, as all do (RFC 6376, erratum 3017). */
	der_n = i2d_PUBKEY(k->pkey, &der);
	if (der_n <= 0)
		return -1;
	buf_add(out, str_n((const char *)der, (size_t)der_n));
	OPENSSL_free(der);
	return 0;
}

/* RSASSA-PKCS1-v1_5 of a digest that is there already. */
static bool
sign_rsa(EVP_PKEY *pkey, const unsigned char *digest, unsigned char *out,
    size_t *n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	bool ok = ctx != NULL && EVP_PKEY_sign_init(ctx) > 0 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0 &&
	    EVP_PKEY_sign(ctx, out, n, digest, SHA256_SIZE) > 0;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static bool
sign_ed25519(EVP_PKEY *pkey, const unsigned char *digest, unsigned char *out,
    size_t *n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) > 0 &&
	    EVP_DigestSign(ctx, out, n, digest, SHA256_SIZE) > 0;

	EVP_MD_CTX_free(ctx);
	return ok;
}

int
dkim_key_sign(const struct dkim_key *k,
    const unsigned char digest[SHA256_SIZE], struct buf *signature)
{
	unsigned char out[SIGNATURE_MAX];
	size_t n = sizeof(out);
	bool ok = k->rsa ? sign_rsa(k->pkey, digest, out, &n) :
			   sign_ed25519(k->pkey, digest, out, &n);

	ERR_clear_error();
	if (!ok)
		return -1;
	buf_add(signature, str_n((const char *)out, n));
	return buf_ok(signature) ? 0 : -1;
}
