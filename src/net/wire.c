/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * wire -- the bytes under a TLS session, as a BIO on stream_fd_ops.
 *
 * A read waits in one recv() until the deadline of whoever called.  At the
 * deadline the BIO says "again", as a non-blocking socket would, so that
 * the session is not spoilt by it; every other failure is kept in ERROR.
 */

#include "wire.h"

#include <errno.h>
#include <openssl/bio.h>

void
wire_init(struct wire *w, int fd)
{
	*w = (struct wire){ .fd = { .rfd = fd,
				.wfd = fd,
				.rcv_timeout = -1,
				.snd_timeout = -1,
				.socket = true } };
}

static int
wire_read(BIO *bio, char *p, int n)
{
	struct wire *w = BIO_get_data(bio);
	ssize_t got;

	BIO_clear_retry_flags(bio);
	got = stream_fd_ops.read(&w->fd, p, (size_t)n, w->deadline);
	if (got == 0)
		w->eof = true;
	if (got < 0) {
		w->error = errno;
		if (errno == ETIMEDOUT)
			BIO_set_retry_read(bio);
	}
	return (int)got;
}

static int
wire_write(BIO *bio, const char *p, int n)
{
	struct wire *w = BIO_get_data(bio);
	ssize_t put;

	BIO_clear_retry_flags(bio);
	put = stream_fd_ops.write(&w->fd, p, (size_t)n, w->deadline);
	if (put < 0) {
		w->error = errno;
		if (errno == ETIMEDOUT)
			BIO_set_retry_write(bio);
	}
	return (int)put;
}

static long
wire_ctrl(BIO *bio, int cmd, long number, void *p)
{
	const struct wire *w = BIO_get_data(bio);

	(void)number;
	(void)p;
	switch (cmd) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return w->eof;
	default:
		return 0;
	}
}

BIO_METHOD *
wire_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
	    "wire");

	if (m) {
		BIO_meth_set_read(m, wire_read);
		BIO_meth_set_write(m, wire_write);
		BIO_meth_set_ctrl(m, wire_ctrl);
	}
	return m;
}

BIO *
wire_bio(BIO_METHOD *m, struct wire *w)
{
	BIO *bio = BIO_new(m);

	if (bio) {
		BIO_set_data(bio, w);
		BIO_set_init(bio, 1);
	}
	return bio;
}
