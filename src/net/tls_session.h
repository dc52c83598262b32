/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_TLS_SESSION_H
#define NET_TLS_SESSION_H

/* tls_session -- a TLS session within this room. */

#include "net/tls.h"
#include "wire.h"

struct ssl_st;
struct ssl_ctx_st;
struct ssl_method_st;

/* RFC 9325 4.2: forward secrecy and AEAD. */
#define TLS_AEAD_CIPHERS                                                       \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"           \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"           \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

struct tls_ctx {
	struct ssl_ctx_st *ssl;
	struct bio_method_st *bio;
	struct tls_sni {
		char *name;
		struct ssl_ctx_st *ssl;
	} *names;
	size_t name_n;
	unsigned char alpn[256];	/* length, name: as on the wire */
	bool anchored;		/* there is a CA that clients are verified with */
};

struct tls {
	struct ssl_st *ssl;
	struct wire wire;
	enum tls_verify verify;	/* of a client's session */
	bool done;		/* the handshake is complete */
	bool closed;		/* the peer will send no more */
	bool dead;
	struct buf error;
};

/* What contexts of both sides have; false or NULL with the reason in ERROR. */
struct ssl_ctx_st *tls_new_ssl(const struct ssl_method_st *method, struct buf *error) MUST_USE;
bool tls_set_version(struct ssl_ctx_st *ssl, const char *version, struct buf *error) MUST_USE;
bool tls_set_ciphers(struct ssl_ctx_st *ssl, const char *ciphers, struct buf *error) MUST_USE;
bool tls_set_groups(struct ssl_ctx_st *ssl, const char *groups) MUST_USE;

/* As tls_read() and tls_write(), but they wait until DEADLINE (clock_ms). */
enum tls_result tls_read_until(struct tls *t, void *p, size_t n, int64_t deadline,
    size_t *got) MUST_USE;
enum tls_result tls_write_until(struct tls *t, const void *p, size_t n, int64_t deadline,
    size_t *put) MUST_USE;

#endif
