/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * conn_connect -- from an address to a socket that is connected to it.
 *
 * One hop at a time is tried, and whatever goes wrong here costs the hop and
 * nothing else: the outcome is temporary always.  What is said on the
 * connection is the business of conn_io and the engine.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "conn.h"

#define CONNECT_MS 30000

static void
set_relay(struct conn *c)
{
	const struct hop *hop = conn_hop(c);

	buf_reset(&c->relay);
	buf_adds(&c->relay, hop->host);
	buf_addc(&c->relay, '[');
	addr_add(&c->relay, &hop->addr);
	buf_addf(&c->relay, "]:%u", (unsigned)addr_port(&hop->addr));
}

/* The hop cannot be reached, for reason E. */
static void
say_unreachable(struct conn *c, int e)
{
	conn_fail(c, "4.4.1", "connect to %s: %s", buf_cstr(&c->relay),
	    strerror(e));
	c->all_refused = false;
	bad_add(c->r, &conn_hop(c)->addr);
}

/* Starts to connect.  -1: errno. */
static int
start(struct conn *c)
{
	const struct addr *a = &conn_hop(c)->addr;
	int one = 1;

	c->state = CONN_CONNECTING;
	c->fd = socket(addr_family(a),
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -1;
	/* The last segment of a message must not wait for an answer. */
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(c->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	if (connect(c->fd, (const struct sockaddr *)&a->ss, a->len) < 0 &&
	    errno != EINPROGRESS)
		return -1;
	conn_watch_connect(c, CONNECT_MS);
	return 0;
}

bool
conn_connect(struct conn *c)
{
	set_relay(c);
	if (start(c) == 0)
		return true;
	say_unreachable(c, errno);
	conn_session_end(c);
	return false;
}

void
conn_connected(struct conn *c)
{
	int e = 0;
	socklen_t n = sizeof(e);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &n) < 0)
		e = errno;
	if (e == 0) {
		conn_begin(c);
		return;
	}
	say_unreachable(c, e);
	conn_next_hop(c);
}

void
conn_connect_expired(struct conn *c)
{
	say_unreachable(c, ETIMEDOUT);
	conn_next_hop(c);
}
