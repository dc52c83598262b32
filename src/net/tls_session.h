/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_TLS_SESSION_H
#define NET_TLS_SESSION_H

/* tls_session -- a TLS session within this room. */

#include "net/tls.h"
#include "wire.h"

struct ssl_st;

struct tls {
	struct ssl_st *ssl;
	struct wire wire;
	enum tls_verify verify;	/* of a client's session */
	bool done;		/* the handshake is complete */
	bool closed;		/* the peer will send no more */
	bool dead;
	struct buf error;
};

/* As tls_read() and tls_write(), but they wait until DEADLINE (clock_ms). */
enum tls_result tls_read_until(struct tls *t, void *p, size_t n, int64_t deadline,
    size_t *got) MUST_USE;
enum tls_result tls_write_until(struct tls *t, const void *p, size_t n, int64_t deadline,
    size_t *put) MUST_USE;

#endif
