/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * tls_stream -- a blocking TLS session as a stream reads and writes it.
 *
 * A time-out and a failure are an errno, as they are without TLS.
 */

#include "tls_session.h"

#include <errno.h>

/* The errno of a session's end, as a stream reports it. */
static ssize_t
stream_error(const struct tls *t, enum tls_result r)
{
	if (r == TLS_WANT_READ || r == TLS_WANT_WRITE)
		errno = ETIMEDOUT;
	else
		errno = t->wire.error ? t->wire.error : EPROTO;
	return -1;
}

static ssize_t
ops_read(void *ctx, void *p, size_t n, int64_t deadline)
{
	struct tls *t = ctx;
	enum tls_result r;
	size_t got;

	if (t->closed)
		return 0;
	if (t->dead) {
		errno = EPROTO;
		return -1;
	}
	r = tls_read_until(t, p, n, deadline, &got);
	if (r == TLS_DONE)
		return (ssize_t)got;
	return r == TLS_CLOSED ? 0 : stream_error(t, r);
}

static ssize_t
ops_write(void *ctx, const void *p, size_t n, int64_t deadline)
{
	struct tls *t = ctx;
	enum tls_result r;
	size_t put;

	if (t->dead) {
		errno = EPROTO;
		return -1;
	}
	r = tls_write_until(t, p, n, deadline, &put);
	return r == TLS_DONE ? (ssize_t)put : stream_error(t, r);
}

const struct stream_ops tls_stream_ops = { ops_read, ops_write };
