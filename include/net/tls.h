/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_TLS_H
#define NET_TLS_H

/*
 * tls -- TLS for both sides of a connection: the only user of OpenSSL's SSL.
 *
 * A context is made once, in the master, and shared by fork; a session costs
 * memory only when it says STARTTLS.  TLS 1.2 and 1.3, AEAD ciphers with
 * (EC)DHE, no renegotiation, no compression, no early data (RFC 9325).
 */

#include "lib/buf.h"
#include "lib/fingerprint.h"
#include "lib/stream.h"
#include "net/dns.h"

struct tls_ctx;
struct tls;

/* PEM files; the key may stand in the certificate's. */
struct tls_pair {
	const char *certificate, *key;
};
/* Of different kinds of key; a client gets the one that it can verify. */
#define TLS_PAIRS_MAX 2
#define TLS_CN_SIZE 128

/*
 * Who has the private keys, where they are not in this process (net/tls_key.h
 * is his side): the signature of CONTENT by the scheme CODE with the key ID
 * is added to SIGNATURE.  False ends the handshake, and whoever could not have
 * it has said why.
 */
struct tls_signer {
	bool (*sign)(void *arg, struct str id, unsigned code, struct str content,
	    struct buf *signature);
	void *arg;
};

struct tls_server_conf {
	struct tls_pair pairs[TLS_PAIRS_MAX];	/* the first without certificate ends them */
	const char *min_version;	/* "1.2" or "1.3" */
	const char *ciphers;		/* OpenSSL list for 1.2; "": ours */
	const char *alpn;		/* "smtp" or "pop3": another offer is refused (ALPACA) */
	/*
	 * Clients are asked for a certificate.  They need not show one, and
	 * any is taken: tls_client() says what came, and others what it is
	 * good for.
	 */
	bool ask;
	const char *client_ca;		/* whose it may be, as of tls_client_ctx(); "": nobody's */
	const char *session_id;		/* binds tickets to the listener */
	struct tls_name {
		const char *name;
		struct tls_pair pairs[TLS_PAIRS_MAX];
	} *names;			/* chosen by SNI */
	size_t name_n;
	/* NULL: the keys are read here.  Else it is borrowed, and no key's file is looked at. */
	const struct tls_signer *signer;
	/* Where to say which of these strings was wrong, by its address; NULL: nowhere. */
	const char **wrong;
};

/*
 * Has OpenSSL take its memory by lib/mem, which knows of forked sessions
 * (mem_forked()).  Called before anything else is asked of OpenSSL.
 */
void tls_use_our_memory(void);
/* NULL with the reason in ERROR. */
struct tls_ctx *tls_server_ctx(const struct tls_server_conf *c, struct buf *error) MUST_USE;
/* CA: file or directory of trust anchors; "": the system's. */
struct tls_ctx *tls_client_ctx(const char *ca, const char *min_version, struct buf *error) MUST_USE;
/*
 * The SHA-256 of the public key of the first certificate in the file PATH: what
 * a TLSA record 3 1 1 has (RFC 6698 2.1).  False with the reason in ERROR.
 */
bool tls_certificate_key(const char *path, char hex[FINGERPRINT_SIZE],
    struct buf *error) MUST_USE;
/* From when until when it is good, in seconds; false: it cannot be read. */
bool tls_certificate_times(const char *path, int64_t *from, int64_t *until) MUST_USE;
void tls_ctx_free(struct tls_ctx *c);	/* NULL is fine */
/*
 * A new key for tickets; those given out before mean a full handshake.  The
 * master calls it once a day, so that no key lives long (RFC 9325 3.4).
 */
void tls_ctx_rotate(struct tls_ctx *c);

/* ---- a blocking server session ------------------------------------------ */

/*
 * Handshakes on FD, blocking or not, until DEADLINE (clock_ms).  NULL with
 * the reason in ERROR.  It waits by FD's own time-outs, as stream_fd does.
 */
struct tls *tls_accept(struct tls_ctx *c, int fd, int64_t deadline, struct buf *error) MUST_USE;
/* For stream_switch(); the context is the struct tls. */
extern const struct stream_ops tls_stream_ops;

/* The certificate that a client has shown; it has proved that it has the key. */
struct tls_client {
	bool verified;		/* client_ca signed it, for clients */
	char fingerprint[FINGERPRINT_SIZE];	/* of the certificate */
	char key[FINGERPRINT_SIZE];	/* of its SubjectPublicKeyInfo */
	/* Common names, as they may stand in a log or a comment; "": none. */
	char subject[TLS_CN_SIZE], issuer[TLS_CN_SIZE];
};
/* Of a server's session, also of one that was resumed.  False: there is none. */
bool tls_client(const struct tls *t, struct tls_client *c) MUST_USE;
/* Octets of a chain in base64 that somebody may keep. */
#define TLS_CHAIN_MAX ((size_t)16384)
/*
 * Adds what it has shown, its certificate and then those that it says have signed
 * it, as PEM has them between its lines: base64, with a space between two.  Who
 * resumes a session has shown one.  Behind TLS_CHAIN_MAX the rest is left out.
 */
void tls_client_chain(const struct tls *t, struct buf *b);

/* ---- a non-blocking client session ---------------------------------------- */

enum tls_verify {
	TLS_VERIFY_NONE,	/* the certificate is not looked at */
	TLS_VERIFY_TRY,		/* it is, and tls_trust() says what came of it */
	TLS_VERIFY_NAME,	/* trust anchors, and one of the names (RFC 6125, no CN) */
	TLS_VERIFY_DANE		/* by TLSA records (RFC 7672 3.1); without a usable one: not */
};
enum tls_result { TLS_DONE, TLS_WANT_READ, TLS_WANT_WRITE, TLS_CLOSED, TLS_FAILED };
/* What is known of the peer after a handshake; Postfix has the same words. */
enum tls_trust {
	TLS_ANONYMOUS,	/* it showed no certificate */
	TLS_UNTRUSTED,
	TLS_TRUSTED,	/* signed by an anchor, for another name */
	TLS_AUTHENTICATED
};

/* A certificate of our own, for servers that ask for one. */
struct tls_identity;
/* From PEM files; KEY "": it is in CERTIFICATE.  NULL with the reason in ERROR. */
struct tls_identity *tls_identity_load(const char *certificate, const char *key,
    struct buf *error) MUST_USE;
void tls_identity_free(struct tls_identity *i);	/* NULL is fine */

#define TLS_NAMES_MAX 3
struct tls_peer {
	const char *name;	/* for SNI, and the first that the certificate may have */
	const char *others[TLS_NAMES_MAX];	/* NULL: none */
	enum tls_verify verify;
	const struct dns_tlsa *tlsa;		/* for TLS_VERIFY_DANE */
	size_t tlsa_n;
	const struct tls_identity *identity;	/* NULL: none */
};
/* NULL: no such peer can be had.  Nothing of P is kept. */
struct tls *tls_connect(struct tls_ctx *c, int fd, const struct tls_peer *p) MUST_USE;
enum tls_result tls_handshake(struct tls *t) MUST_USE;
enum tls_result tls_read(struct tls *t, void *p, size_t n, size_t *got) MUST_USE;
/* After TLS_WANT_*, the next call begins with the same bytes, and has no fewer. */
enum tls_result tls_write(struct tls *t, const void *p, size_t n, size_t *put) MUST_USE;

/* ---- both -------------------------------------------------------------------- */

/* Why the last call failed, in words. */
const char *tls_error(const struct tls *t);
/* "TLSv1.3"; "TLS_AES_256_GCM_SHA384"; strength in bits. */
const char *tls_version(const struct tls *t);
const char *tls_cipher(const struct tls *t);
int tls_bits(const struct tls *t);
/* Adds "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)". */
void tls_add_facts(struct buf *b, const struct tls *t);
/*
 * Adds what is the session's alone, on both sides (RFC 9266 tls-exporter);
 * nothing before TLS 1.3, where it might be another session's too.
 */
void tls_exporter(const struct tls *t, struct buf *out);
/*
 * The same before TLS 1.3 (RFC 5929 3), and only where the session's secret
 * comes from all of its handshake (RFC 7627); else nothing.
 */
void tls_unique(const struct tls *t, struct buf *out);
/* Adds the hash of the server's certificate (RFC 5929 4); nothing where it has none. */
void tls_end_point(const struct tls *t, struct buf *out);
/* Of a client's session.  WHY: in words, where not authenticated and tried. */
enum tls_trust tls_trust(const struct tls *t, const char **why);
/* Whether BYTES, the first of a client, begin a handshake. */
bool tls_is_hello(struct str bytes);
/* Sends close_notify without waiting; only tls_free() may follow.  NULL is fine. */
void tls_goodbye(struct tls *t);
/* The same, and frees.  The descriptor stays open.  NULL is fine. */
void tls_free(struct tls *t);

/*
 * For a client of TLS that is not ours: SSL_CTX is OpenSSL's.  It speaks as
 * ours does, trusts CA and demands NAME of the certificate.
 */
bool tls_demand(void *ssl_ctx, const char *ca, const char *name) MUST_USE;

#endif
