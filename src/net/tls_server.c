/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * tls_server -- what a server's sessions have in common: certificates, by the
 * name that is asked for, protocols and tickets.
 *
 * The certificate that a name asks for is chosen at the ClientHello, before a
 * ticket is looked at, from contexts that exist: no name costs a file access
 * or memory, and no ticket goes from one name or listener to another.  With a
 * signer no private key is ever in this process.
 */

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "cert.h"
#include "lib/mem.h"
#include "lib/random.h"
#include "tls_session.h"
#include "tls_sign.h"

#define SERVER_GROUPS "X25519:P-256"
#define TICKET_SECONDS 7200
#define TICKET_KEY 80	/* what SSL_CTX_set_tlsext_ticket_keys() takes */

/* With a SIGNER the private key is where it is. */
static bool
load_pair(struct cert *c, const struct tls_pair *p, const struct tls_signer *signer,
    struct buf *error)
{
	if (!signer)
		return cert_load(c, p->certificate, p->key, error);
	if (!cert_load_public(c, p->certificate, error))
		return false;
	if ((c->key = tls_sign_key(c->leaf, signer)) != NULL)
		return true;
	buf_addf(error, "%s: ", p->certificate);
	cert_add_reason(error);
	cert_free(c);
	return false;
}

/* Adds it to those that SSL has, which must be of other kinds of key. */
static bool
set_pair(SSL_CTX *ssl, const struct tls_pair *p, const struct tls_signer *signer,
    const char **wrong, struct buf *error)
{
	struct cert c;
	bool ok;

	if (!load_pair(&c, p, signer, error)) {
		*wrong = c.wrong;
		return false;
	}
	*wrong = p->certificate;
	ok = SSL_CTX_use_cert_and_key(ssl, c.leaf, c.key, c.chain, 0) == 1;
	if (!ok) {
		buf_addf(error, "%s: ", p->certificate);
		if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_NOT_REPLACING_CERTIFICATE)
			buf_adds(error, "has the same kind of key as the one before it");
		else	/* A key that is too short for today, say. */
			cert_add_reason(error);
		ERR_clear_error();
	}
	cert_free(&c);
	return ok;
}

/* ALPACA: an offer that names other protocols is meant for another server. */
static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
    const unsigned char *in, unsigned in_n, void *arg)
{
	const struct tls_ctx *c = arg;
	unsigned char *chosen;

	(void)ssl;
	if (SSL_select_next_proto(&chosen, out_n, c->alpn, 1 + c->alpn[0], in,
		in_n) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* The one host name that RFC 6066 3 allows; empty if there is none. */
static struct str
sni_of(SSL *ssl)
{
	const unsigned char *p;
	size_t n, name_n;

	if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n) ||
	    n < 5 || p[2] != TLSEXT_NAMETYPE_host_name)
		return str_n("", 0);
	name_n = (size_t)p[3] << 8 | p[4];
	return str_n((const char *)p + 5, name_n <= n - 5 ? name_n : 0);
}

/* The context of NAME, "*." before it or not, or NULL. */
static SSL_CTX *
ctx_of(const struct tls_ctx *c, struct str name, bool star)
{
	for (size_t i = 0; name.n > 0 && i < c->name_n; i++) {
		struct str ours = str_c(c->names[i].name);

		if (str_starts(ours, STR("*.")) == star &&
		    str_ieq(name, star ? str_skip(ours, 1) : ours))
			return c->names[i].ssl;
	}
	return NULL;
}

/* A name itself comes before one with "*.", which stands for one label. */
static int
on_hello(SSL *ssl, int *alert, void *arg)
{
	struct str name = sni_of(ssl);
	SSL_CTX *found = ctx_of(arg, name, false);
	const char *dot = name.n > 0 ? memchr(name.p, '.', name.n) : NULL;

	(void)alert;
	if (!found && dot && dot > name.p)
		found = ctx_of(arg, str_skip(name, (size_t)(dot - name.p)), true);
	if (found)
		SSL_set_SSL_CTX(ssl, found);
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* Confirms a name that was used (RFC 6066 3); an unknown one is no error. */
static int
on_name(SSL *ssl, int *alert, void *arg)
{
	const struct tls_ctx *c = arg;

	(void)alert;
	return SSL_get_SSL_CTX(ssl) == c->ssl ? SSL_TLSEXT_ERR_NOACK :
						SSL_TLSEXT_ERR_OK;
}

/* Tickets hold for one listener and one name only. */
static bool
bind_tickets(SSL_CTX *ssl, const char *session_id, const char *name)
{
	struct buf b;
	unsigned char digest[32];
	bool ok;

	buf_init(&b, 4096);
	buf_add(&b, str_head(str_c(session_id), 1024));
	buf_addc(&b, '\0');
	buf_add(&b, str_head(str_c(name), 1024));
	ok = EVP_Digest(b.p, b.n, digest, NULL, EVP_sha256(), NULL) == 1 &&
	    SSL_CTX_set_session_id_context(ssl, digest, sizeof(digest)) == 1;
	buf_free(&b);
	return ok;
}

/*
 * Who shows a certificate has its key, whatever else may be said of it: that
 * is for tls_client() to say, and no reason to turn anybody away.
 */
static int
on_client(X509_STORE_CTX *store, void *arg)
{
	const struct tls_ctx *c = arg;

	if (c->anchored)
		(void)X509_verify_cert(store);
	else
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
	return 1;
}

/* Asks for certificates of clients, whom CONF's anchors verify. */
static bool
ask_clients(SSL_CTX *ssl, struct tls_ctx *c, const struct tls_server_conf *conf,
    const char **wrong, struct buf *error)
{
	const char *ca = conf->client_ca ? conf->client_ca : "";

	if (!conf->ask)
		return true;
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ssl, on_client, c);
	c->anchored = ca[0] != '\0';
	*wrong = ca;
	if (c->anchored && !cert_anchors_now(SSL_CTX_get_cert_store(ssl), ca, error))
		return false;
	*wrong = NULL;
	return true;
}

static SSL_CTX *
new_server(struct tls_ctx *c, const struct tls_server_conf *conf,
    const char *name, const struct tls_pair *pairs, struct buf *error)
{
	const char *ciphers = conf->ciphers && conf->ciphers[0] ?
	    conf->ciphers :
	    TLS_AEAD_CIPHERS;
	const char *unasked, **wrong = conf->wrong ? conf->wrong : &unasked;
	SSL_CTX *ssl = tls_new_ssl(TLS_server_method(), error);

	*wrong = NULL;
	if (!ssl)
		return NULL;
	SSL_CTX_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_timeout(ssl, TICKET_SECONDS);
	/* One: it is all that a mail client uses, and half the octets. */
	SSL_CTX_set_num_tickets(ssl, 1);
	if (c->alpn[0] > 0)
		SSL_CTX_set_alpn_select_cb(ssl, on_alpn, c);
	if (!tls_set_version(ssl, conf->min_version, error))
		*wrong = conf->min_version;
	else if (!tls_set_ciphers(ssl, ciphers, error))
		*wrong = ciphers;
	else if (tls_set_groups(ssl, SERVER_GROUPS) &&
	    set_pair(ssl, &pairs[0], conf->signer, wrong, error) &&
	    (!pairs[1].certificate || set_pair(ssl, &pairs[1], conf->signer, wrong, error)) &&
	    ask_clients(ssl, c, conf, wrong, error) &&
	    bind_tickets(ssl, conf->session_id, name))
		return ssl;
	SSL_CTX_free(ssl);
	return NULL;
}

/* A handshake and one octet within this process, at VERSION. */
static void
warm_up(SSL_CTX *server_ctx, int version)
{
	SSL_CTX *client_ctx = SSL_CTX_new(TLS_client_method());
	SSL *client = client_ctx ? SSL_new(client_ctx) : NULL;
	SSL *server = SSL_new(server_ctx);
	BIO *near = NULL, *far = NULL;
	char c;

	if (client && server && BIO_new_bio_pair(&near, 0, &far, 0) == 1) {
		SSL_set_bio(client, near, near);
		SSL_set_bio(server, far, far);
		SSL_set_max_proto_version(client, version);
		SSL_set_connect_state(client);
		SSL_set_accept_state(server);
		for (int i = 0; i < 8; i++) {
			(void)SSL_do_handshake(client);
			(void)SSL_do_handshake(server);
		}
		(void)SSL_write(client, "", 1);
		(void)SSL_read(server, &c, 1);
		(void)SSL_write(server, "", 1);
	}
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(client_ctx);
	ERR_clear_error();
}

/* A certificate for nobody, and its key. */
static X509 *
throwaway(EVP_PKEY **key)
{
	X509 *x = X509_new();

	*key = EVP_EC_gen("P-256");
	if (x && *key && X509_gmtime_adj(X509_getm_notBefore(x), 0) &&
	    X509_gmtime_adj(X509_getm_notAfter(x), 60) && X509_set_pubkey(x, *key) == 1 &&
	    X509_sign(x, *key, EVP_sha256()) > 0)
		return x;
	X509_free(x);
	return NULL;
}

/*
 * OpenSSL looks up its algorithms at the first use: done here it is done for
 * all children, and saves each a tenth of a millisecond or two.  Where keys
 * are with a signer, who does not answer yet, C's own handshakes break off at
 * the signature; what comes after it is for another certificate.
 */
static void
warm_up_all(const struct tls_ctx *c, bool by_signer)
{
	SSL_CTX *other = by_signer ? SSL_CTX_new(TLS_server_method()) : NULL;
	EVP_PKEY *key = NULL;
	X509 *x = other ? throwaway(&key) : NULL;

	warm_up(c->ssl, TLS1_2_VERSION);
	warm_up(c->ssl, TLS1_3_VERSION);
	if (x && SSL_CTX_use_cert_and_key(other, x, key, NULL, 1) == 1) {
		warm_up(other, TLS1_2_VERSION);
		warm_up(other, TLS1_3_VERSION);
	}
	X509_free(x);
	EVP_PKEY_free(key);
	SSL_CTX_free(other);
	ERR_clear_error();
}

struct tls_ctx *
tls_server_ctx(const struct tls_server_conf *conf, struct buf *error)
{
	struct tls_ctx *c = mem_alloc(sizeof(*c));
	struct str alpn = str_head(str_c(conf->alpn), sizeof(c->alpn) - 1);

	c->alpn[0] = (unsigned char)alpn.n;
	memcpy(c->alpn + 1, alpn.p, alpn.n);
	c->bio = wire_method();
	c->ssl = new_server(c, conf, "", conf->pairs, error);
	if (!c->bio || !c->ssl)
		goto fail;
	c->names = mem_array(conf->name_n + 1, sizeof(*c->names));
	for (size_t i = 0; i < conf->name_n; i++) {
		const struct tls_name *n = &conf->names[i];
		SSL_CTX *ssl = new_server(c, conf, n->name, n->pairs, error);

		if (!ssl)
			goto fail;
		c->names[c->name_n++] = (struct tls_sni){ mem_dup(str_c(n->name)), ssl };
	}
	SSL_CTX_set_client_hello_cb(c->ssl, on_hello, c);
	SSL_CTX_set_tlsext_servername_callback(c->ssl, on_name);
	SSL_CTX_set_tlsext_servername_arg(c->ssl, c);
	warm_up_all(c, conf->signer != NULL);
	return c;
fail:
	tls_ctx_free(c);
	return NULL;
}

void
tls_ctx_rotate(struct tls_ctx *c)
{
	unsigned char key[TICKET_KEY];

	random_bytes(key, sizeof(key));
	(void)SSL_CTX_set_tlsext_ticket_keys(c->ssl, key, sizeof(key));
	mem_wipe(key, sizeof(key));
}

/* Adds X in base64, if there is room for it. */
static bool
add_certificate(struct buf *b, const X509 *x)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	size_t space = b->n > 0, room = n > 0 ? ((size_t)n + 2) / 3 * 4 : 0;
	/* EVP_EncodeBlock() puts a NUL behind. */
	bool fits = n > 0 && b->n + space + room <= TLS_CHAIN_MAX;
	char *p;

	if (fits && space)
		buf_addc(b, ' ');
	if (fits && (p = buf_room(b, room + 1)) != NULL)
		buf_grew(b, (size_t)EVP_EncodeBlock((unsigned char *)p, der, n));
	OPENSSL_free(der);
	return fits;
}

void
tls_client_chain(const struct tls *t, struct buf *b)
{
	const X509 *own = SSL_get0_peer_certificate(t->ssl);
	/* Of a client: without its own. */
	STACK_OF(X509) *above = SSL_get_peer_cert_chain(t->ssl);

	if (!own || !add_certificate(b, own))
		return;
	for (int i = 0; i < sk_X509_num(above); i++)
		if (!add_certificate(b, sk_X509_value(above, i)))
			return;
}
