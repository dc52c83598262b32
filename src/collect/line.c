/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * line -- the connection to a server: TCP, and TLS from the start or by STLS.
 *
 * A process that can wait has it.  What was read before the handshake is dropped,
 * so that nobody in between can put anything before what the server says
 * (CVE-2011-0411).
 */

#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fetch/fetch.h"
#include "lib/clock.h"
#include "net/connect.h"

/* ---- TLS as a stream ------------------------------------------------------------- */

/* Waits for FD until DEADLINE.  -1: errno. */
static int
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = deadline - clock_ms();
	int n = poll(&p, 1, left < 0 ? 0 : (int)left);

	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0 || (n < 0 && errno == EINTR) ? 0 : -1;
}

/* 1: try again; 0: the end; -1: errno. */
static int
settle(const struct line *l, enum tls_result r, int64_t deadline)
{
	switch (r) {
	case TLS_WANT_READ:
		return wait_for(l->fd, POLLIN, deadline) < 0 ? -1 : 1;
	case TLS_WANT_WRITE:
		return wait_for(l->fd, POLLOUT, deadline) < 0 ? -1 : 1;
	case TLS_CLOSED:
		return 0;
	case TLS_DONE:
	case TLS_FAILED:
		break;
	}
	errno = EPROTO;
	return -1;
}

static ssize_t
read_tls(void *ctx, void *p, size_t n, int64_t deadline)
{
	struct line *l = ctx;
	size_t got = 0;
	int go = 1;

	while (go == 1) {
		enum tls_result r = tls_read(l->tls, p, n, &got);

		if (r == TLS_DONE)
			return (ssize_t)got;
		go = settle(l, r, deadline);
	}
	return go;
}

static ssize_t
write_tls(void *ctx, const void *p, size_t n, int64_t deadline)
{
	struct line *l = ctx;
	size_t put = 0;
	int go = 1;

	while (go == 1) {
		enum tls_result r = tls_write(l->tls, p, n, &put);

		if (r == TLS_DONE)
			return (ssize_t)put;
		go = settle(l, r, deadline);
	}
	if (go == 0)
		errno = EPIPE;
	return -1;
}

static const struct stream_ops tls_ops = { read_tls, write_tls };

/* ---- the connection --------------------------------------------------------------- */

/* The addresses of HOST with PORT; those of dns-override may have one of their own. */
static size_t
addresses(const struct conf *c, const char *host, uint16_t port, struct addr *v)
{
	bool later;
	size_t n;

	if (addr_parse(str_c(host), port, v) == 0)
		return 1;
	n = fetch_look_up(c, host, v, &later);
	for (size_t i = 0; i < n; i++)
		if (addr_port(&v[i]) == 0)
			addr_set_port(&v[i], port);
	return n;
}

bool
line_open(struct line *l, const struct conf *c, const struct conf_collect *o,
    struct buf *why)
{
	struct addr v[FETCH_ADDR_MAX];
	size_t n = addresses(c, o->server, (uint16_t)o->port, v);

	*l = (struct line){ .fd = -1 };
	for (size_t i = 0; i < n && l->fd < 0; i++)
		l->fd = connect_until(&v[i], clock_ms() + o->timeout);
	if (l->fd < 0) {
		buf_adds(why, n == 0 ? "its name cannot be looked up" : strerror(errno));
		return false;
	}
	stream_fd_init(&l->plain, l->fd, l->fd);
	stream_init(&l->stream, &stream_fd_ops, &l->plain);
	return true;
}

bool
line_secure(struct line *l, struct tls_ctx *ctx, const struct conf_collect *o,
    int64_t deadline, struct buf *why)
{
	struct tls_peer peer = { .name = o->tls_name[0] ? o->tls_name : o->server,
		.verify = o->verify ? TLS_VERIFY_NAME : TLS_VERIFY_NONE };
	int go = fcntl(l->fd, F_SETFL, O_NONBLOCK) == 0 ? 1 : -1;
	enum tls_result r = TLS_FAILED;

	if (go == 1 && (l->tls = tls_connect(ctx, l->fd, &peer)) == NULL)
		go = -1;
	while (go == 1 && (r = tls_handshake(l->tls)) != TLS_DONE)
		go = settle(l, r, deadline);
	if (r == TLS_DONE) {
		stream_switch(&l->stream, &tls_ops, l);
		return true;
	}
	if (r == TLS_FAILED && l->tls != NULL)
		buf_addf(why, "TLS: %s", tls_error(l->tls));
	else
		buf_addf(why, "TLS: %s", go == 0 ? "it closed the connection" :
		    strerror(errno));
	return false;
}

void
line_close(struct line *l)
{
	if (l->fd < 0)
		return;
	stream_free(&l->stream);
	tls_free(l->tls);
	close(l->fd);
	l->fd = -1;
}
