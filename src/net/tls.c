/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * tls -- TLS for both sides of a connection, on OpenSSL's SSL.
 *
 * Bytes go through a BIO of our own to stream_fd_ops: a server session waits
 * until its deadline in one recv(), a client session (deadline 0) never
 * waits.  After the first failure a session is dead: it neither reads nor
 * writes again, and nothing that comes in clear is ever handed up.  What a
 * server's context is made of is in tls_server.c.
 */

#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "cert.h"
#include "lib/mem.h"
#include "lib/random.h"
#include "net/addr.h"
#include "tls_session.h"

#define CLIENT_CIPHERS                                                                   \
	TLS_AEAD_CIPHERS ":DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"         \
			 "DHE-RSA-CHACHA20-POLY1305"
#define CLIENT_GROUPS "X25519:P-256:P-384"
#define ERROR_MAX 512

struct tls_identity {
	struct cert cert;
};

/* ---- errors ----------------------------------------------------------------- */

/* True if the peer's certificate was refused, and why in *WHY. */
static bool
is_refused(const struct tls *t, long *why)
{
	unsigned long e = ERR_peek_error();

	*why = SSL_get_verify_result(t->ssl);
	return *why != X509_V_OK && ERR_GET_LIB(e) == ERR_LIB_SSL &&
	    ERR_GET_REASON(e) == SSL_R_CERTIFICATE_VERIFY_FAILED;
}

/* What a call that returned RC means; fills the error of a failure. */
static enum tls_result
outcome(struct tls *t, int rc)
{
	long why;

	switch (SSL_get_error(t->ssl, rc)) {
	case SSL_ERROR_NONE:
		return TLS_DONE;
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		t->closed = true;
		buf_adds(&t->error, "connection closed");
		/* Within a handshake there is nothing left to say goodbye to. */
		t->dead = t->dead || !t->done;
		return TLS_CLOSED;
	case SSL_ERROR_SYSCALL:
		t->dead = true;
		buf_adds(&t->error, t->wire.error ? strerror(t->wire.error) :
						  "connection lost");
		return TLS_FAILED;
	default:
		t->dead = true;
		if (is_refused(t, &why))
			buf_adds(&t->error, X509_verify_cert_error_string(why));
		else
			cert_add_reason(&t->error);
		ERR_clear_error();
		return TLS_FAILED;
	}
}

/* Before each call: the state that outcome() reads. */
static void
begin(struct tls *t, int64_t deadline)
{
	ERR_clear_error();
	buf_reset(&t->error);
	t->wire.error = 0;
	t->wire.deadline = deadline;
}

/* ---- contexts: what both sides have ---------------------------------------------- */

bool
tls_set_version(SSL_CTX *ssl, const char *version, struct buf *error)
{
	struct str v = str_c(version);

	if (v.n == 0 || str_eq(v, STR("1.2")))
		return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1;
	if (str_eq(v, STR("1.3")))
		return SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) == 1;
	buf_addf(error, "TLS version \"%s\" is neither 1.2 nor 1.3", version);
	return false;
}

bool
tls_set_ciphers(SSL_CTX *ssl, const char *ciphers, struct buf *error)
{
	if (SSL_CTX_set_cipher_list(ssl, ciphers) == 1)
		return true;
	buf_addf(error, "TLS ciphers \"%s\": ", ciphers);
	cert_add_reason(error);
	return false;
}

bool
tls_set_groups(SSL_CTX *ssl, const char *groups)
{
	char *copy = mem_dup(str_c(groups));
	bool ok = SSL_CTX_set1_groups_list(ssl, copy) == 1;

	mem_free(copy);
	return ok;
}

SSL_CTX *
tls_new_ssl(const SSL_METHOD *method, struct buf *error)
{
	SSL_CTX *ssl = SSL_CTX_new(method);

	if (!ssl) {
		cert_add_reason(error);
		return NULL;
	}
	/*
	 * A peer that goes without close_notify is one that is gone: both
	 * protocols above have ends of their own.
	 */
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS |
		SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* A record's header and body in one recv(). */
	SSL_CTX_set_read_ahead(ssl, 1);
	/* Children cannot share a cache; tickets do without one. */
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	return ssl;
}

void
tls_ctx_free(struct tls_ctx *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->name_n; i++) {
		SSL_CTX_free(c->names[i].ssl);
		mem_free(c->names[i].name);
	}
	mem_free(c->names);
	SSL_CTX_free(c->ssl);
	BIO_meth_free(c->bio);
	mem_free(c);
}

/* ---- the client's context ----------------------------------------------------------- */

/* Unless it decides something or is to be told, the chain is not looked at. */
static int
on_verify(X509_STORE_CTX *store, void *arg)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct tls *t = SSL_get_app_data(ssl);
	int ok;

	(void)arg;
	if (!t || t->verify == TLS_VERIFY_NONE)
		return 1;
	ok = X509_verify_cert(store);
	return t->verify == TLS_VERIFY_TRY ? 1 : ok;
}

/* What all our clients speak, and whom they trust. */
static bool
set_client(SSL_CTX *ssl, const char *ca, const char *min_version,
    struct buf *error)
{
	return tls_set_version(ssl, min_version, error) &&
	    tls_set_ciphers(ssl, CLIENT_CIPHERS, error) &&
	    tls_set_groups(ssl, CLIENT_GROUPS) &&
	    cert_anchors(SSL_CTX_get_cert_store(ssl), ca, error);
}

struct tls_ctx *
tls_client_ctx(const char *ca, const char *min_version, struct buf *error)
{
	struct tls_ctx *c = mem_alloc(sizeof(*c));

	c->bio = wire_method();
	c->ssl = tls_new_ssl(TLS_client_method(), error);
	if (c->bio && c->ssl && set_client(c->ssl, ca, min_version, error) &&
	    SSL_CTX_dane_enable(c->ssl) == 1) {
		SSL_CTX_set_cert_verify_callback(c->ssl, on_verify, NULL);
		return c;
	}
	tls_ctx_free(c);
	return NULL;
}

struct tls_identity *
tls_identity_load(const char *certificate, const char *key, struct buf *error)
{
	struct tls_identity *i = mem_alloc(sizeof(*i));

	if (cert_load(&i->cert, certificate, key, error))
		return i;
	mem_free(i);
	return NULL;
}

void
tls_identity_free(struct tls_identity *i)
{
	if (!i)
		return;
	cert_free(&i->cert);
	mem_free(i);
}

bool
tls_demand(void *ssl_ctx, const char *ca, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ssl_ctx);
	struct buf error;
	bool ok;

	buf_init(&error, ERROR_MAX);
	ok = set_client(ssl_ctx, ca, "1.2", &error) &&
	    cert_demand(param, str_c(name));
	buf_free(&error);
	return ok;
}

/* ---- sessions ------------------------------------------------------------------------ */

static struct tls *
new_session(struct tls_ctx *c, int fd)
{
	struct tls *t = mem_alloc(sizeof(*t));
	BIO *bio = wire_bio(c->bio, &t->wire);

	wire_init(&t->wire, fd);
	buf_init(&t->error, ERROR_MAX);
	t->ssl = SSL_new(c->ssl);
	if (!bio || !t->ssl) {
		BIO_free(bio);
		SSL_free(t->ssl);
		mem_free(t);
		return NULL;
	}
	SSL_set_bio(t->ssl, bio, bio);
	return t;
}

/* RFC 8446 5.1: a record of a handshake; older ones have the same first octet. */
bool
tls_is_hello(struct str bytes)
{
	return bytes.n > 0 && bytes.p[0] == 0x16 &&
	    (bytes.n < 2 || bytes.p[1] == 0x03);
}

void
tls_goodbye(struct tls *t)
{
	if (!t || !t->done || t->dead)
		return;
	begin(t, 0);
	(void)SSL_shutdown(t->ssl);
	t->dead = true;
}

void
tls_free(struct tls *t)
{
	if (!t)
		return;
	tls_goodbye(t);
	ERR_clear_error();
	SSL_free(t->ssl);
	buf_free(&t->error);
	mem_free(t);
}

struct tls *
tls_accept(struct tls_ctx *c, int fd, int64_t deadline, struct buf *error)
{
	struct tls *t = new_session(c, fd);
	enum tls_result r;

	if (!t) {
		cert_add_reason(error);
		return NULL;
	}
	begin(t, deadline);
	r = outcome(t, SSL_accept(t->ssl));
	if (r == TLS_DONE) {
		t->done = true;
		return t;
	}
	if (r == TLS_WANT_READ || r == TLS_WANT_WRITE)
		buf_adds(error, strerror(ETIMEDOUT));
	else
		buf_add(error, buf_str(&t->error));
	tls_free(t);
	return NULL;
}

/* What the TLSA records say of the peer; OpenSSL leaves out the unusable. */
static bool
set_dane(struct tls *t, const struct tls_peer *p, const char *base)
{
	size_t usable = 0;

	if (SSL_dane_enable(t->ssl, base) <= 0)
		return false;
	/* RFC 7672 3.1.1: with DANE-EE neither names nor dates count. */
	SSL_dane_set_flags(t->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	for (size_t i = 0; i < TLS_NAMES_MAX; i++)
		if (p->others[i] && SSL_add1_host(t->ssl, p->others[i]) != 1)
			return false;
	for (size_t i = 0; i < p->tlsa_n; i++) {
		const struct dns_tlsa *r = &p->tlsa[i];

		/* RFC 7672 3.1.3: the usages 0 and 1 are not for mail. */
		if (r->usage != 2 && r->usage != 3)
			continue;
		if (SSL_dane_tlsa_add(t->ssl, r->usage, r->selector, r->matching,
			(const unsigned char *)r->data.p, r->data.n) > 0)
			usable++;
	}
	ERR_clear_error();
	/* RFC 7672 2.2: TLS then, and whoever it is. */
	if (usable == 0)
		t->verify = TLS_VERIFY_NONE;
	return true;
}

/* Whom T is to speak with. */
static bool
set_peer(struct tls *t, const struct tls_peer *p, struct str host)
{
	const struct cert *own = p->identity ? &p->identity->cert : NULL;
	struct addr a;
	bool is_addr = addr_parse(host, 0, &a) == 0;
	char *bare = mem_dup(host);
	bool ok;

	/* RFC 6066 3: an address is no name to ask for. */
	ok = is_addr || host.n == 0 || SSL_set_tlsext_host_name(t->ssl, bare) == 1;
	/* Nobody is verified by no name at all. */
	ok = ok && (host.n > 0 || p->verify <= TLS_VERIFY_TRY);
	ok = ok && cert_demand(SSL_get0_param(t->ssl), host);
	if (ok && p->verify == TLS_VERIFY_DANE)
		ok = !is_addr && set_dane(t, p, bare);
	for (size_t i = 0; i < TLS_NAMES_MAX && ok && !is_addr; i++)
		if (p->verify == TLS_VERIFY_NAME && p->others[i])
			ok = SSL_add1_host(t->ssl, p->others[i]) == 1;
	ok = ok && (!own || SSL_use_cert_and_key(t->ssl, own->leaf, own->key,
				own->chain, 1) == 1);
	mem_free(bare);
	return ok;
}

struct tls *
tls_connect(struct tls_ctx *c, int fd, const struct tls_peer *p)
{
	struct tls *t = new_session(c, fd);
	struct str host = str_c(p->name);

	if (!t)
		return NULL;
	if (str_ends(host, STR(".")))
		host = str_head(host, host.n - 1);
	t->verify = p->verify;
	if (!set_peer(t, p, host)) {
		tls_free(t);
		return NULL;
	}
	SSL_set_app_data(t->ssl, t);
	SSL_set_verify(t->ssl, t->verify >= TLS_VERIFY_NAME ? SSL_VERIFY_PEER :
		SSL_VERIFY_NONE, NULL);
	SSL_set_connect_state(t->ssl);
	return t;
}

enum tls_result
tls_handshake(struct tls *t)
{
	enum tls_result r;

	if (t->dead)
		return TLS_FAILED;
	begin(t, 0);
	r = outcome(t, SSL_do_handshake(t->ssl));
	if (r == TLS_DONE)
		t->done = true;
	return r;
}

enum tls_result
tls_read_until(struct tls *t, void *p, size_t n, int64_t deadline, size_t *got)
{
	*got = 0;
	if (t->dead)
		return TLS_FAILED;
	if (t->closed)
		return TLS_CLOSED;
	begin(t, deadline);
	return outcome(t, SSL_read_ex(t->ssl, p, n, got) == 1 ? 1 : 0);
}

enum tls_result
tls_write_until(struct tls *t, const void *p, size_t n, int64_t deadline, size_t *put)
{
	*put = 0;
	if (t->dead)
		return TLS_FAILED;
	if (n == 0)
		return TLS_DONE;
	begin(t, deadline);
	return outcome(t, SSL_write_ex(t->ssl, p, n, put) == 1 ? 1 : 0);
}

enum tls_result
tls_read(struct tls *t, void *p, size_t n, size_t *got)
{
	return tls_read_until(t, p, n, 0, got);
}

enum tls_result
tls_write(struct tls *t, const void *p, size_t n, size_t *put)
{
	return tls_write_until(t, p, n, 0, put);
}

/* ---- facts ------------------------------------------------------------------------------ */

const char *
tls_error(const struct tls *t)
{
	return buf_cstr(&t->error);
}

const char *
tls_version(const struct tls *t)
{
	return SSL_get_version(t->ssl);
}

const char *
tls_cipher(const struct tls *t)
{
	return SSL_get_cipher_name(t->ssl);
}

int
tls_bits(const struct tls *t)
{
	return SSL_get_cipher_bits(t->ssl, NULL);
}

void
tls_exporter(const struct tls *t, struct buf *out)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	unsigned char key[32];

	if (SSL_version(t->ssl) < TLS1_3_VERSION ||
	    SSL_export_keying_material(t->ssl, key, sizeof(key), label,
		sizeof(label) - 1, (const unsigned char *)"", 0, 1) != 1)
		return;
	buf_add(out, str_n((const char *)key, sizeof(key)));
	OPENSSL_cleanse(key, sizeof(key));
}

void
tls_unique(const struct tls *t, struct buf *out)
{
	/* Who sent the first Finished: the client, or the server that resumes. */
	bool ours = SSL_is_server(t->ssl) == (SSL_session_reused(t->ssl) == 1);
	unsigned char finished[EVP_MAX_MD_SIZE];
	size_t n;

	if (SSL_version(t->ssl) >= TLS1_3_VERSION ||
	    SSL_get_extms_support(t->ssl) != 1)
		return;
	n = ours ? SSL_get_finished(t->ssl, finished, sizeof(finished))
		 : SSL_get_peer_finished(t->ssl, finished, sizeof(finished));
	if (n <= sizeof(finished))
		buf_add(out, str_n((const char *)finished, n));
}

void
tls_end_point(const struct tls *t, struct buf *out)
{
	X509 *own = SSL_is_server(t->ssl) ? SSL_get_certificate(t->ssl)
					  : SSL_get0_peer_certificate(t->ssl);

	if (own)
		cert_end_point(own, out);
}

void
tls_add_facts(struct buf *b, const struct tls *t)
{
	int most = 0, bits = SSL_get_cipher_bits(t->ssl, &most);

	buf_addf(b, "%s with cipher %s (%d/%d bits)", tls_version(t),
	    tls_cipher(t), bits, most);
}

static void
to_hex(const unsigned char digest[32], char hex[FINGERPRINT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < 32; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[64] = '\0';
}

bool
tls_certificate_key(const char *path, char hex[FINGERPRINT_SIZE], struct buf *error)
{
	unsigned char digest[32];
	struct cert c;
	bool ok;

	if (!cert_load_public(&c, path, error))
		return false;
	ok = cert_key_id(c.leaf, digest);
	cert_free(&c);
	if (ok)
		to_hex(digest, hex);
	else
		buf_addf(error, "%s: its key cannot be read", path);
	return ok;
}

static int64_t
seconds_of(const ASN1_TIME *t)
{
	struct tm tm = { .tm_year = 0 };

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : -1;
}

bool
tls_certificate_times(const char *path, int64_t *from, int64_t *until)
{
	struct buf error;
	struct cert c;
	bool ok;

	buf_init(&error, 4096);
	ok = cert_load_public(&c, path, &error);
	buf_free(&error);
	if (!ok)
		return false;
	*from = seconds_of(X509_get0_notBefore(c.leaf));
	*until = seconds_of(X509_get0_notAfter(c.leaf));
	cert_free(&c);
	return *from >= 0 && *until >= 0;
}

bool
tls_client(const struct tls *t, struct tls_client *c)
{
	const X509 *x = SSL_get0_peer_certificate(t->ssl);
	unsigned char digest[32];

	*c = (struct tls_client){ .verified = false };
	if (!x || X509_digest(x, EVP_sha256(), digest, NULL) != 1)
		return false;
	to_hex(digest, c->fingerprint);
	if (!cert_key_id(x, digest))
		return false;
	to_hex(digest, c->key);
	cert_common_name(X509_get_subject_name(x), c->subject, sizeof(c->subject));
	cert_common_name(X509_get_issuer_name(x), c->issuer, sizeof(c->issuer));
	c->verified = SSL_get_verify_result(t->ssl) == X509_V_OK;
	return true;
}

enum tls_trust
tls_trust(const struct tls *t, const char **why)
{
	long result = SSL_get_verify_result(t->ssl);

	*why = NULL;
	if (!SSL_get0_peer_certificate(t->ssl))
		return TLS_ANONYMOUS;
	if (t->verify == TLS_VERIFY_NONE)
		return TLS_UNTRUSTED;
	if (result == X509_V_OK)
		return TLS_AUTHENTICATED;
	*why = X509_verify_cert_error_string(result);
	return result == X509_V_ERR_HOSTNAME_MISMATCH ||
		result == X509_V_ERR_IP_ADDRESS_MISMATCH ? TLS_TRUSTED :
							   TLS_UNTRUSTED;
}
