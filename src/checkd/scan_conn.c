/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scan_conn -- the connection to a server of spam or viruses.
 *
 * One for each message: that is how these servers like it.  Its addresses are
 * tried in their order.  What is sent is read from the text as there is room;
 * what comes is taken at any time, also after the server hears no more.
 */

#include "scan_job.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/sys.h"

/* A head with all recipients, and a piece of the text. */
#define OUT_MAX (4 * SCAN_PIECE_MAX + FRAME_MAX)
/* Pieces sent in a turn: others have theirs. */
#define TURN_MAX 4
/* A socket of this host whose backlog is full. */
#define AGAIN_MS 20

static void connect_next(struct scan_job *j);

bool
conn_close(struct scan_job *j)
{
	struct scan_conn *c = &j->conn;

	loop_io_free(c->io);
	loop_timer_free(c->timer);
	if (c->fd >= 0)
		close(c->fd);
	buf_free(&c->out);
	scan_free(&c->scan);
	return !c->asking;
}

/* ---- what is said ------------------------------------------------------------------ */

/* Puts more into the buffer, which is empty.  False: the text cannot be read. */
static bool
fill(struct scan_job *j)
{
	struct scan_conn *c = &j->conn;
	char piece[SCAN_PIECE_MAX];
	uint64_t left = j->about.size - c->done;
	ssize_t n = 0;

	buf_reset(&c->out);
	c->out_at = 0;
	if (!c->head_sent)
		scan_head(&c->scan, &c->out);
	c->head_sent = true;
	if (left > 0) {
		n = sys_pread(j->text, piece, left < sizeof(piece) ? (size_t)left : sizeof(piece),
		    (off_t)(j->about.at + c->done));
		if (n <= 0)
			return false;
		scan_piece(&c->scan, &c->out, str_n(piece, (size_t)n));
		c->done += (uint64_t)n;
	}
	if (c->done == j->about.size) {
		scan_tail(&c->scan, &c->out);
		c->all_sent = true;
	}
	return buf_ok(&c->out);
}

/* Nothing more is sent. */
static void
hush(struct scan_job *j)
{
	loop_io_want(j->conn.io, true, false);
}

/* Sends what there is room for. */
static void
speak(struct scan_job *j)
{
	struct scan_conn *c = &j->conn;

	for (int turn = 0; turn < TURN_MAX; turn++) {
		ssize_t n;

		if (c->out_at == c->out.n && !c->all_sent && !fill(j)) {
			job_failed(j, "the text cannot be read");
			return;
		}
		if (c->out_at == c->out.n)
			break;
		n = send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			/* It may have said why before. */
			hush(j);
			return;
		}
		c->out_at += (size_t)n;
	}
	if (c->out_at < c->out.n || !c->all_sent)
		return;
	hush(j);
	/* As spamc does; the others take it for an end. */
	if (c->scan.server == SCAN_SPAMD)
		(void)shutdown(c->fd, SHUT_WR);
}

/* ---- what is heard ------------------------------------------------------------------ */

/* False: J is gone. */
static bool
hear(struct scan_job *j)
{
	struct scan_conn *c = &j->conn;
	char bytes[16384];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
	enum scan_state state;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n < 0 && c->scan.head.n == 0) {
		job_failed(j, strerror(errno));
		return false;
	}
	state = n > 0 ? scan_take(&c->scan, str_n(bytes, (size_t)n)) : scan_end(&c->scan);
	if (state == SCAN_MORE)
		return true;
	if (state == SCAN_DONE)
		job_done(j);
	else
		job_failed(j, c->scan.why);
	return false;
}

/* ---- the connection ----------------------------------------------------------------- */

static void
next_address(struct scan_job *j, int err)
{
	struct scan_conn *c = &j->conn;

	loop_io_free(c->io);
	c->io = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	if (++c->addr_i < c->addr_n)
		connect_next(j);
	else
		job_failed(j, strerror(err));
}

/* The same address again, or the next one: this one is silent. */
static void
on_timer(void *arg)
{
	struct scan_job *j = arg;

	if (j->conn.connecting)
		next_address(j, ETIMEDOUT);
	else
		connect_next(j);
}

/* False: it is not, and J may be gone. */
static bool
is_connected(struct scan_job *j)
{
	struct scan_conn *c = &j->conn;
	socklen_t n = sizeof(int);
	int err = 0;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0)
		err = errno;
	c->connecting = false;
	loop_timer_clear(c->timer);
	if (err != 0) {
		next_address(j, err);
		return false;
	}
	loop_io_want(c->io, true, true);
	return true;
}

static void
on_io(void *arg, bool readable, bool writable)
{
	struct scan_job *j = arg;

	if (j->conn.connecting && !is_connected(j))
		return;
	if (readable && !hear(j))
		return;
	if (writable)
		speak(j);
}

static void
connect_next(struct scan_job *j)
{
	struct scan_conn *c = &j->conn;
	const struct addr *a = &c->addr[c->addr_i];
	const int on = 1;
	int err = 0;

	c->fd = socket(addr_family(a), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The last octets are few, and nobody is to wait for them. */
	if (c->fd >= 0 && addr_family(a) != AF_UNIX)
		(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&a->ss, a->len) < 0)
		err = errno;
	if (err == EAGAIN && addr_family(a) == AF_UNIX) {
		close(c->fd);
		c->fd = -1;
		loop_timer_set(c->timer, AGAIN_MS);
	} else if (err != 0 && err != EINPROGRESS) {
		next_address(j, err);
	} else {
		c->connecting = true;
		c->io = loop_io_new(j->d->loop, c->fd, on_io, j);
		loop_io_want(c->io, false, true);
		if (c->addr_i + 1 < c->addr_n)
			loop_timer_set(c->timer, j->conf->timeout / 4);
	}
}

/* ---- its addresses -------------------------------------------------------------------- */

static void
on_addresses(void *arg, const struct dns_addr_answer *a)
{
	struct scan_job *j = arg;
	struct scan_conn *c = &j->conn;

	c->asking = false;
	if (j->over) {
		scan_job_free(j);
		return;
	}
	for (size_t i = 0; a->status == DNS_OK && i < a->addr_n && i < SCAN_ADDR_MAX; i++) {
		c->addr[i] = a->addr[i];
		if (addr_port(&c->addr[i]) == 0)
			addr_set_port(&c->addr[i], j->conf->port);
		c->addr_n = i + 1;
	}
	if (c->addr_n == 0)
		job_failed(j, "its name cannot be looked up");
	else
		connect_next(j);
}

/* True if HOST says by itself where it is. */
static bool
is_known(struct scan_conn *c, const char *host, uint16_t port)
{
	if (strncmp(host, "unix:", 5) == 0)
		c->addr_n = addr_unix(host + 5, &c->addr[0]) == 0;
	else if (addr_parse(str_c(host), port, &c->addr[0]) == 0)
		c->addr_n = 1;
	else if (str_ieq(str_c(host), STR("localhost")) &&
	    addr_parse(STR("127.0.0.1"), port, &c->addr[0]) == 0 &&
	    addr_parse(STR("::1"), port, &c->addr[1]) == 0)
		c->addr_n = 2;
	return c->addr_n > 0;
}

void
conn_start(struct scan_job *j)
{
	struct scan_conn *c = &j->conn;

	buf_init(&c->out, OUT_MAX);
	c->timer = loop_timer_new(j->d->loop, on_timer, j);
	if (is_known(c, j->conf->host, j->conf->port)) {
		connect_next(j);
	} else {
		c->asking = true;
		dns_addr(j->d->dns, j->conf->host, on_addresses, j);
	}
}
