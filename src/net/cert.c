/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * cert -- certificates, keys and trust anchors from files.
 *
 * Everything is read when a context is made, before the process is
 * confined; a complaint names the file and says what is wrong with it in
 * words that its owner can act on.
 */

#include "cert.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sslerr.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/addr.h"

void
cert_add_reason(struct buf *b)
{
	unsigned long e = ERR_get_error();
	const char *reason = NULL;

	/* What OpenSSL says of that nobody understands. */
	if (ERR_GET_LIB(e) == ERR_LIB_SSL && ERR_GET_REASON(e) == SSL_R_EE_KEY_TOO_SMALL)
		reason = "its key is too short";
	else if (e != 0)
		reason = ERR_SYSTEM_ERROR(e) ? strerror(ERR_GET_REASON(e)) :
					       ERR_reason_error_string(e);
	buf_adds(b, reason ? reason : "unknown error");
	ERR_clear_error();
}

/* True if there was nothing (more) in PEM form of the kind that was sought. */
static bool
is_end(void)
{
	unsigned long e = ERR_peek_last_error();

	return (ERR_GET_LIB(e) == ERR_LIB_PEM &&
		   ERR_GET_REASON(e) == PEM_R_NO_START_LINE) ||
	    (ERR_GET_LIB(e) == ERR_LIB_OSSL_DECODER &&
	    ERR_GET_REASON(e) == ERR_R_UNSUPPORTED);
}

int
cert_no_password(char *p, int n, int writing, void *arg)
{
	(void)p;
	(void)n;
	(void)writing;
	*(bool *)arg = true;
	return -1;
}

static BIO *
open_file(const char *path, struct buf *error)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	FILE *f = NULL;
	BIO *bio = NULL;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		errno = EISDIR;
	else if (fd >= 0)
		f = fdopen(fd, "r");
	if (f)
		bio = BIO_new_fp(f, BIO_CLOSE);
	if (bio)
		return bio;
	buf_addf(error, "%s: %s", path, strerror(errno));
	if (f)
		fclose(f);
	else if (fd >= 0)
		close(fd);
	return NULL;
}

static bool
load_chain(struct cert *c, const char *path, struct buf *error)
{
	bool asked = false;
	BIO *bio = open_file(path, error);
	X509 *x;

	if (!bio)
		return false;
	c->chain = sk_X509_new_null();
	c->leaf = PEM_read_bio_X509_AUX(bio, NULL, cert_no_password, &asked);
	while (c->leaf && c->chain &&
	    (x = PEM_read_bio_X509(bio, NULL, cert_no_password, &asked)))
		sk_X509_push(c->chain, x);
	BIO_free(bio);
	if (c->leaf && c->chain && is_end())
		return true;
	buf_addf(error, "%s: ", path);
	if (is_end())
		buf_adds(error, "holds no certificate in PEM form");
	else
		cert_add_reason(error);
	return false;
}

static bool
load_key(struct cert *c, const char *path, struct buf *error)
{
	bool asked = false;
	BIO *bio = open_file(path, error);

	if (!bio)
		return false;
	c->key = PEM_read_bio_PrivateKey(bio, NULL, cert_no_password, &asked);
	BIO_free(bio);
	if (c->key)
		return true;
	buf_addf(error, "%s: ", path);
	if (asked)
		buf_adds(error, "the key is encrypted");
	else if (is_end())
		buf_adds(error, "holds no private key in PEM form");
	else
		cert_add_reason(error);
	return false;
}

bool
cert_load_public(struct cert *c, const char *certificate, struct buf *error)
{
	*c = (struct cert){ .wrong = certificate };
	ERR_clear_error();
	bool ok = load_chain(c, certificate, error);
	ERR_clear_error();
	if (!ok)
		cert_free(c);
	return ok;
}

bool
cert_key_id(const X509 *x, unsigned char id[32])
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	bool ok = n > 0 && EVP_Digest(der, (size_t)n, id, NULL, EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	return ok;
}

bool
cert_load(struct cert *c, const char *certificate, const char *key,
    struct buf *error)
{
	bool ok = cert_load_public(c, certificate, error);

	if (!key || key[0] == '\0')
		key = certificate;
	if (ok) {
		c->wrong = key;
		ok = load_key(c, key, error);
	}
	ERR_clear_error();
	if (ok && X509_check_private_key(c->leaf, c->key) != 1) {
		buf_addf(error, "%s: is not the key of the certificate in %s",
		    key, certificate);
		ok = false;
	}
	ERR_clear_error();
	if (!ok)
		cert_free(c);
	return ok;
}

void
cert_free(struct cert *c)
{
	X509_free(c->leaf);
	sk_X509_pop_free(c->chain, X509_free);
	EVP_PKEY_free(c->key);
	*c = (struct cert){ .wrong = c->wrong };
}

/* The system's anchors, read now: a confined process could not later. */
static bool
system_anchors(X509_STORE *store)
{
	static const char *const bundles[] = {
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem",
		"/etc/ssl/cert.pem",
		"/usr/local/share/certs/ca-root-nss.crt",
	};

	if (!getenv(X509_get_default_cert_file_env()) &&
	    !getenv(X509_get_default_cert_dir_env()))
		for (size_t i = 0; i < ARRAY_LEN(bundles); i++)
			if (access(bundles[i], R_OK) == 0 &&
			    X509_STORE_load_file(store, bundles[i]) == 1)
				return true;
	return X509_STORE_set_default_paths(store) == 1;
}

static bool
given_anchors(X509_STORE *store, const char *ca, struct buf *error)
{
	struct stat st;
	bool ok;

	if (stat(ca, &st) < 0 || access(ca, R_OK) < 0) {
		buf_addf(error, "%s: %s", ca, strerror(errno));
		return false;
	}
	ok = S_ISDIR(st.st_mode) ? X509_STORE_load_path(store, ca) == 1 :
				   X509_STORE_load_file(store, ca) == 1;
	if (!ok)
		buf_addf(error, "%s: holds no certificate in PEM form", ca);
	return ok;
}

bool
cert_anchors(X509_STORE *store, const char *ca, struct buf *error)
{
	bool ok = ca && ca[0] ? given_anchors(store, ca, error) :
				system_anchors(store);

	ERR_clear_error();
	return ok;
}

/* What in CA is certificates is read; false if nothing was. */
static bool
read_directory(X509_STORE *store, const char *ca)
{
	DIR *d = opendir(ca);
	const struct dirent *e;
	struct buf path;
	bool any = false;

	buf_init(&path, 4096);
	while (d && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		buf_reset(&path);
		buf_addf(&path, "%s/%s", ca, e->d_name);
		if (buf_ok(&path) && X509_STORE_load_file(store, buf_cstr(&path)) == 1)
			any = true;
		ERR_clear_error();
	}
	if (d)
		closedir(d);
	buf_free(&path);
	return any;
}

bool
cert_anchors_now(X509_STORE *store, const char *ca, struct buf *error)
{
	struct stat st;

	if (stat(ca, &st) < 0 || !S_ISDIR(st.st_mode))
		return cert_anchors(store, ca, error);
	if (read_directory(store, ca))
		return true;
	buf_addf(error, "%s: has no file with a certificate in PEM form", ca);
	return false;
}

void
cert_common_name(const X509_NAME *n, char *cn, size_t size)
{
	/* OpenSSL's argument is not const, though it only reads. */
	int got = X509_NAME_get_text_by_NID((X509_NAME *)(uintptr_t)n, NID_commonName, cn,
	    (int)size);

	if (got < 0)
		cn[0] = '\0';
	for (char *p = cn; *p; p++)
		if (*p < ' ' || *p > '~' || strchr("\"\\()", *p))
			*p = '?';
}

bool
cert_demand(X509_VERIFY_PARAM *param, struct str host)
{
	struct addr a;

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
		X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (host.n == 0)
		return true;
	if (addr_parse(host, 0, &a) == 0)
		return X509_VERIFY_PARAM_set1_ip(param, addr_octets(&a),
			   addr_family(&a) == AF_INET ? 4 : 16) == 1;
	return X509_VERIFY_PARAM_set1_host(param, host.p, host.n) == 1;
}

void
cert_end_point(const X509 *c, struct buf *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	int hash = NID_undef;
	unsigned n = 0;

	if (X509_get_signature_info((X509 *)(uintptr_t)c, &hash, NULL, NULL,
		NULL) != 1 || hash == NID_undef)
		return;
	/* RFC 5929 4.1: what is weaker gives way to SHA-256. */
	if (hash == NID_md5 || hash == NID_sha1)
		hash = NID_sha256;
	const EVP_MD *md = EVP_get_digestbynid(hash);
	if (md && X509_digest(c, md, digest, &n) == 1)
		buf_add(out, str_n((const char *)digest, n));
}
