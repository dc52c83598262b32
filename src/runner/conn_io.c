/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * conn_io -- bytes between a socket, TLS and the client engine, in time.
 *
 * Every wait has an end: connecting, a handshake, each reply as RFC 5321
 * 4.5.3.2 says, and the session's start, a transaction, rest and QUIT as wholes,
 * so that a peer that sends an octet a second cannot keep a connection for ever.
 */

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "identity.h"
#include "lib/clock.h"
#include "lib/log.h"

#define HANDSHAKE_MS 60000
/* From the connection to the first message: greeting, EHLO, TLS, AUTH. */
#define SETUP_MS 900000
#define QUIT_MS 5000
/* RFC 8314 3.3: TLS from the first byte. */
#define SUBMISSIONS_PORT 465
/* Reads at one event, or else others wait too long. */
#define ROUNDS_MAX 64

int
conn_tls_level(const struct conn *c)
{
	if (conn_is_sunk(c))
		return conn_hop(c)->tls.demand == TLS_DEMAND_OFF ? TLS_OFF :
								   TLS_MAY;
	switch (conn_hop(c)->tls.demand) {
	case TLS_DEMAND_OFF:
		return TLS_OFF;
	case TLS_DEMAND_MAY:
		return TLS_MAY;
	case TLS_DEMAND_ANY:
		return TLS_REQUIRED;
	case TLS_DEMAND_NAME:
	case TLS_DEMAND_DANE:
	case TLS_DEMAND_SKIP:
		break;
	}
	return TLS_VERIFIED;
}

bool
conn_is_implicit(const struct conn *c)
{
	return conn_hop(c)->server != NULL && !conn_is_sunk(c) &&
	    conn_hop(c)->server->port == SUBMISSIONS_PORT &&
	    conn_tls_level(c) != TLS_OFF;
}

void
conn_session_end(struct conn *c)
{
	if (c->ready)
		c->group->ready_n--;
	c->ready = c->ended = c->closed = c->starttls = false;
	c->tls_failed = c->tls_wants_write = c->blocked = false;
	c->messages = 0;
	c->broke = c->stale = c->more = c->resting = c->text.stopped = false;
	conn_text_end(&c->text);
	conn_split_end(&c->split);
	if (c->timer != NULL)
		loop_timer_clear(c->timer);
	conn_connect_end(c);
	loop_io_free(c->io);
	c->io = NULL;
	client_free(c->client);
	c->client = NULL;
	tls_free(c->tls);
	c->tls = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* ---- bytes -------------------------------------------------------------------------- */

/* As recv(2), over whatever there is; EAGAIN: later. */
static ssize_t
conn_read(struct conn *c, char *p, size_t n)
{
	size_t got = 0;

	if (c->tls == NULL)
		return recv(c->fd, p, n, 0);
	switch (tls_read(c->tls, p, n, &got)) {
	case TLS_DONE:
		return (ssize_t)got;
	case TLS_CLOSED:
		return 0;
	case TLS_WANT_WRITE:
		c->tls_wants_write = true;
		errno = EAGAIN;
		return -1;
	case TLS_WANT_READ:
		errno = EAGAIN;
		return -1;
	case TLS_FAILED:
		break;
	}
	errno = EPROTO;
	return -1;
}

static ssize_t
conn_write(struct conn *c, struct str out)
{
	size_t put = 0;

	if (c->tls == NULL)
		return send(c->fd, out.p, out.n, MSG_NOSIGNAL);
	switch (tls_write(c->tls, out.p, out.n, &put)) {
	case TLS_DONE:
		return (ssize_t)put;
	case TLS_WANT_READ:
	case TLS_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case TLS_CLOSED:
	case TLS_FAILED:
		break;
	}
	errno = EPIPE;
	return -1;
}

static bool
is_again(int e)
{
	return e == EAGAIN || e == EWOULDBLOCK || e == EINTR;
}

static const char *
broken(const struct conn *c, int e)
{
	if (c->tls != NULL && (e == EPROTO || e == EPIPE))
		return tls_error(c->tls);
	return strerror(e);
}

/*
 * Reads what has come and gives it to the engine, which says when it is too
 * much.  TLS is read until it wants more: what it holds makes no event.
 */
static void
fill(struct conn *c)
{
	for (int i = 0; !c->closed && !c->starttls; i++) {
		ssize_t n = conn_read(c, c->r->bytes, BYTES_MAX);

		if (n > 0)
			client_input(c->client, str_n(c->r->bytes, (size_t)n));
		else if (n == 0)
			client_eof(c->client, NULL);
		else if (is_again(errno))
			return;
		else
			client_eof(c->client, broken(c, errno));
		if (c->tls == NULL && n < BYTES_MAX)
			return;
		if (i >= ROUNDS_MAX) {
			c->more = c->tls != NULL;
			return;
		}
	}
}

void
conn_flush(struct conn *c)
{
	struct str out;

	c->blocked = false;
	while (!c->starttls && (out = client_output(c->client)).n > 0) {
		ssize_t n = conn_write(c, out);

		if (n > 0) {
			client_sent(c->client, (size_t)n);
			continue;
		}
		if (n < 0 && is_again(errno)) {
			c->blocked = true;
			return;
		}
		if (c->closed)
			return;
		/* A server that closes has often said why. */
		int e = errno;

		fill(c);
		if (!c->closed)
			client_eof(c->client, broken(c, e));
		return;
	}
}

/* ---- time --------------------------------------------------------------------------- */

static void
read_on(struct conn *c)
{
	c->more = false;
	fill(c);
	if (!c->starttls)
		conn_flush(c);
	conn_settle(c);
}

static void
on_timer(void *arg)
{
	struct conn *c = arg;

	switch (c->state) {
	case CONN_CONNECTING:
	case CONN_PROXY:
		conn_connect_expired(c);
		return;
	case CONN_TLS:
		if (c->client != NULL) {
			c->state = CONN_TALKING;
			c->tls_failed = true;
			client_secured(c->client, false, NULL);
			conn_settle(c);
			return;
		}
		conn_fail(c, "4.4.2", "TLS handshake with %s timed out",
		    buf_cstr(&c->relay));
		c->all_refused = false;
		conn_next_hop(c);
		return;
	case CONN_TALKING:
		if (c->more) {
			read_on(c);
			return;
		}
		if (client_ready(c->client) && !c->quitting)
			conn_quit(c);
		else
			client_expired(c->client);
		conn_settle(c);
		return;
	case CONN_NEW:
		/* A connection of its own for what was put off. */
		conn_same_hop(c);
		return;
	case CONN_TOKEN:
	case CONN_OVER:
		return;
	}
}

void
conn_timer(struct conn *c, int64_t ms)
{
	if (c->timer == NULL)
		c->timer = loop_timer_new(c->r->loop, on_timer, c);
	loop_timer_set(c->timer, ms);
}

void
conn_quit(struct conn *c)
{
	c->quitting = true;
	c->cap_ms = clock_ms() + QUIT_MS;
	client_quit(c->client);
	conn_flush(c);
}

void
conn_watch(struct conn *c)
{
	int64_t ms = client_timeout(c->client);
	int64_t left = c->cap_ms - clock_ms();

	loop_io_want(c->io, true, c->blocked || c->tls_wants_write);
	if (c->quitting || c->resting)
		ms = left;
	else if (ms == 0)
		ms = HANDSHAKE_MS;
	else if (c->group->reply_ms > 0 && ms > c->group->reply_ms)
		ms = c->group->reply_ms;
	if (c->more)
		ms = 0;
	conn_timer(c, ms < left ? ms : left);
}

/* ---- TLS ---------------------------------------------------------------------------- */

static void
talk_begin(struct conn *c)
{
	c->talk_ms = clock_ms();
	c->state = CONN_TALKING;
	c->client = conn_client_new(c);
	if (c->client == NULL) {
		c->all_refused = false;
		conn_next_hop(c);
		return;
	}
	conn_bind(c);
	c->cap_ms = clock_ms() + SETUP_MS;
	conn_settle(c);
}

static void
handshake_failed(struct conn *c)
{
	if (c->client != NULL) {
		/* The engine says it in its own words, and closes. */
		c->state = CONN_TALKING;
		c->tls_failed = true;
		client_secured(c->client, false, tls_error(c->tls));
		conn_settle(c);
		return;
	}
	conn_fail(c, "4.7.5", "TLS handshake with %s failed: %s",
	    buf_cstr(&c->relay), tls_error(c->tls));
	c->all_refused = false;
	bad_add(c->r, &conn_hop(c)->addr);
	conn_next_hop(c);
}

/* In the shape of the field's tools. */
static void
log_tls(const struct conn *c)
{
	static const char *const words[] = { [TLS_ANONYMOUS] = "Anonymous",
		[TLS_UNTRUSTED] = "Untrusted", [TLS_TRUSTED] = "Trusted",
		[TLS_AUTHENTICATED] = "Verified" };
	const struct hop *hop = conn_hop(c);
	const char *why;
	enum tls_trust trust = tls_trust(c->tls, &why);
	struct buf facts;

	buf_init(&facts, 256);
	tls_add_facts(&facts, c->tls);
	log_as("smtp", LOG_LEVEL_INFO, NULL,
	    "%s TLS connection established to %s: %s", words[trust],
	    buf_cstr(&c->relay), buf_cstr(&facts));
	buf_free(&facts);
	if (hop->tls.tell && (why != NULL || trust == TLS_ANONYMOUS))
		log_warn(NULL, "MTA-STS policy of %s in testing: %s would "
		    "not be used: %s", c->group->name, buf_cstr(&c->relay),
		    why != NULL ? why : "it shows no certificate");
}

static void
handshake(struct conn *c)
{
	switch (tls_handshake(c->tls)) {
	case TLS_WANT_READ:
		loop_io_want(c->io, true, false);
		return;
	case TLS_WANT_WRITE:
		loop_io_want(c->io, false, true);
		return;
	case TLS_CLOSED:
	case TLS_FAILED:
		handshake_failed(c);
		return;
	case TLS_DONE:
		break;
	}
	log_tls(c);
	if (c->client == NULL) {
		talk_begin(c);
		return;
	}
	c->state = CONN_TALKING;
	conn_bind(c);
	client_secured(c->client, true, NULL);
	conn_flush(c);
	conn_settle(c);
}

/* Whom the hop must prove to be, and who we are.  ADDRESS: room for one. */
static struct tls_peer
peer_of(const struct conn *c, struct buf *address)
{
	const struct hop *hop = conn_hop(c);
	const struct conf_server *s = hop->server;
	struct tls_peer peer = { .name = hop->host };

	if (conn_is_sunk(c))
		return peer;
	if (s != NULL) {
		peer.identity = identity_of(c->r, s);
		if (s->tls_name[0] != '\0')
			peer.name = s->tls_name;
	} else if (hop->host[0] == '[') {
		/* An address literal is the address itself. */
		addr_add(address, &hop->addr);
		peer.name = buf_cstr(address);
	}
	if (hop->tls.demand == TLS_DEMAND_NAME)
		peer.verify = TLS_VERIFY_NAME;
	if (hop->tls.tell)
		peer.verify = TLS_VERIFY_TRY;
	if (hop->tls.demand != TLS_DEMAND_DANE)
		return peer;
	peer.verify = TLS_VERIFY_DANE;
	peer.name = hop->dane->base;
	memcpy(peer.others, hop->dane->others, sizeof(peer.others));
	peer.tlsa = hop->dane->tlsa;
	peer.tlsa_n = hop->dane->tlsa_n;
	return peer;
}

void
conn_tls_begin(struct conn *c)
{
	struct buf address;
	struct tls_peer peer;

	buf_init(&address, 128);
	peer = peer_of(c, &address);
	c->starttls = false;
	c->state = CONN_TLS;
	c->tls = tls_connect(c->r->tls, c->fd, &peer);
	buf_free(&address);
	if (c->tls == NULL) {
		conn_fail(c, "4.7.5", "cannot start TLS with %s",
		    buf_cstr(&c->relay));
		c->all_refused = false;
		conn_next_hop(c);
		return;
	}
	conn_timer(c, HANDSHAKE_MS);
	handshake(c);
}

/* ---- events ------------------------------------------------------------------------- */

void
conn_begin(struct conn *c)
{
	if (conn_is_implicit(c))
		conn_tls_begin(c);
	else
		talk_begin(c);
}

static void
on_io(void *arg, bool readable, bool writable)
{
	struct conn *c = arg;

	switch (c->state) {
	case CONN_CONNECTING:
		conn_connected(c);
		return;
	case CONN_PROXY:
		conn_proxy(c);
		return;
	case CONN_TLS:
		handshake(c);
		return;
	case CONN_TALKING:
		/* TLS may read when it can write, and the other way round. */
		if (readable || (writable && c->tls_wants_write)) {
			c->tls_wants_write = c->more = false;
			fill(c);
		}
		if (!c->starttls)
			conn_flush(c);
		conn_settle(c);
		return;
	case CONN_NEW:
	case CONN_TOKEN:
	case CONN_OVER:
		return;
	}
}

void
conn_watch_connect(struct conn *c, int64_t ms)
{
	c->io = loop_io_new(c->r->loop, c->fd, on_io, c);
	loop_io_want(c->io, false, true);
	conn_timer(c, ms);
}
