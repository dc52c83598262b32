/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * conn_connect -- from a hop to a socket on which its server speaks.
 *
 * A socket leaves from the source of its destination or not at all.  An
 * address that does not answer soon is raced by the next one of the other
 * family of the same host (RFC 8305 5): the first that is connected goes on,
 * the other is closed before a server could say anything on it.  In front of
 * a server there may be a proxy; then the hop's address is the proxy's.  A
 * source address may be a proxy's, too: that one is led to the hop's address.
 *
 * Whatever goes wrong here costs the hop and nothing else: the outcome is
 * temporary always.  What is said on the connection is the business of
 * conn_io and the engine.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mail/text.h"
#include "net/socks.h"
#include "policy/source.h"

/* RFC 8305 5: the Connection Attempt Delay. */
#define RACE_MS 250
/* The proxy connects in it. */
#define PROXY_MS 60000

/* The second attempt, beside the one that is the connection's own. */
struct conn_race {
	int fd;
	struct loop_io *io;
	size_t hop;
};

struct conn_proxy {
	struct socks_proxy facts;
	struct buf basic;	/* its login, as HTTP has it */
	struct buf address;	/* of the host, where it is led to that */
	struct socks socks;
};

/* What stands between, once there is a connection; NULL: nothing. */
static const struct conf_proxy *
proxy_of(const struct conn *c)
{
	const struct hop *hop = conn_hop(c);

	if (conn_is_sunk(c))
		return NULL;
	if (hop->from != NULL)
		return &hop->from->proxy;
	return hop->server != NULL && hop->server->proxy.version != 0 ?
	    &hop->server->proxy : NULL;
}

static void
set_relay(struct conn *c)
{
	const struct hop *hop = conn_hop(c);
	const struct conf_server *s = hop->server;
	bool proxy = s != NULL && s->proxy.version != 0;

	buf_reset(&c->relay);
	buf_adds(&c->relay, hop->host);
	if (conn_is_sunk(c)) {
		buf_adds(&c->relay, "[sink ");
		addr_add(&c->relay, &c->r->sink);
		buf_addf(&c->relay, "]:%u", (unsigned)addr_port(&c->r->sink));
		return;
	}
	if (addr_family(&hop->addr) == AF_UNIX) {
		buf_addf(&c->relay, "[%s]", s != NULL ? s->host + 5 : "unix");
		return;
	}
	buf_addc(&c->relay, '[');
	if (proxy)
		buf_adds(&c->relay, "by proxy ");
	addr_add(&c->relay, &hop->addr);
	buf_addf(&c->relay, "]:%u", proxy ? (unsigned)s->port :
			(unsigned)addr_port(&hop->addr));
}

/* The hop cannot be reached, for reason E. */
static void
say_unreachable(struct conn *c, const struct hop *hop, int e)
{
	struct buf where;

	buf_init(&where, 1024);
	if (hop->from != NULL)
		buf_addf(&where, "the proxy of %s for ", hop->from->address);
	buf_adds(&where, hop->host);
	buf_addc(&where, '[');
	addr_add(&where, &hop->addr);
	buf_addf(&where, "]:%u", (unsigned)addr_port(&hop->addr));
	conn_fail(c, "4.4.1", "connect to %s: %s",
	    addr_family(&hop->addr) == AF_UNIX ? buf_cstr(&c->relay) :
						 buf_cstr(&where),
	    strerror(e));
	buf_free(&where);
	bad_add(c->r, &hop->addr);
}

/* ---- where it leaves from -------------------------------------------------------------- */

/* Says so once a minute, and in the outcome of each message. */
static void
say_unbound(struct conn *c, const struct addr *a, int e)
{
	struct buf text;

	buf_init(&text, 256);
	addr_add(&text, a);
	conn_fail(c, "4.3.5", "bind: cannot leave from %s: %s",
	    buf_cstr(&text), strerror(e));
	if (!bad_is(c->r, a))
		log_error(NULL, "source address %s cannot be used: bind: %s",
		    buf_cstr(&text), strerror(e));
	bad_add(c->r, a);
	buf_free(&text);
}

/* True if the configuration or the message says where to leave from for TO. */
static bool
is_chosen(const struct conn *c, const struct addr *to)
{
	return addr_family(to) != AF_UNIX &&
	    (c->way->source[0] != '\0' ||
		c->r->conf->source.addresses.n > 0);
}

/* True if A is what a proxy has, which is then the way to HOP: *TO. */
static bool
is_proxied(const struct conn *c, struct hop *hop, const struct addr *a,
    struct addr *to)
{
	const struct conf_source_name *name = source_name(c->r->conf, a);

	if (name == NULL || name->proxy.version == 0 || conn_is_sunk(c) ||
	    (hop->server != NULL && hop->server->proxy.version != 0))
		return false;
	hop->from = name;
	return addr_parse(str_c(name->proxy.host), name->proxy.port, to) == 0;
}

/*
 * Chooses the next source address that can reach TO, and binds FD to it; or
 * changes TO, if it is a proxy's.  False: WHY.
 */
static bool
leave_from(struct conn *c, struct hop *hop, int fd, struct addr *to)
{
	const struct conf *conf = c->r->conf;
	const char *source = c->way->source;
	int family = addr_family(to), one = 1;
	struct source_set set;
	size_t n;

	hop->from = NULL;
	if (!is_chosen(c, to))
		return true;
	if (!source_set(conf, str_c(source), &set)) {
		conn_fail(c, "4.3.5", "bind: \"%s\" is neither a pool nor an "
		    "address", source);
		return false;
	}
	n = source_count(&set, family);
	if (n == 0)
		conn_fail(c, "4.3.5", "bind: no source address can reach %s",
		    buf_cstr(&c->relay));
	/* The port comes with connect(2): else 28,000 are all there are. */
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
	    sizeof(one));
	for (; n > 0; n--) {
		struct addr a = source_pick(&set, family, c->group->source_turn++);

		if (is_proxied(c, hop, &a, to) ||
		    bind(fd, (const struct sockaddr *)&a.ss, a.len) == 0)
			return true;
		say_unbound(c, &a, errno);
	}
	return false;
}

/* For the journal, once a connection. */
static void
set_source(struct conn *c)
{
	struct addr local;

	buf_reset(&c->source);
	if (conn_hop(c)->from != NULL) {
		buf_adds(&c->source, conn_hop(c)->from->address);
		return;
	}
	if (!is_chosen(c, conn_is_sunk(c) ? &c->r->sink : &conn_hop(c)->addr))
		return;
	local = addr_local(c->fd);
	addr_add(&c->source, &local);
}

const char *
conn_ehlo(const struct conn *c)
{
	const struct conf_server *s = conn_hop(c)->server;
	const char *own = s != NULL ? s->ehlo : "";
	struct addr local;

	if (conn_hop(c)->from != NULL)
		return conn_hop(c)->from->hostname;
	if (!source_is_named(c->r->conf))
		return own[0] != '\0' ? own : c->r->conf->hostname;
	local = addr_local(c->fd);
	return source_ehlo(c->r->conf, &local, own);
}

/* ---- attempts ---------------------------------------------------------------------------- */

/* A socket that is being connected to HOP; -1: as WHY says. */
static int
hop_open(struct conn *c, struct hop *hop)
{
	struct addr to = conn_is_sunk(c) ? c->r->sink : hop->addr;
	int family = addr_family(&to), one = 1, fd;

	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !leave_from(c, hop, fd, &to)) {
		close(fd);
		return -1;
	}
	if (fd >= 0 && addr_family(&to) != family) {
		/* The proxy is of the other family than the host. */
		close(fd);
		fd = socket(addr_family(&to),
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	}
	if (fd < 0) {
		say_unreachable(c, hop, errno);
		return -1;
	}
	/* The last segment of a message must not wait for an answer. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)&to.ss, to.len) < 0 &&
	    errno != EINPROGRESS) {
		say_unreachable(c, hop, errno);
		close(fd);
		return -1;
	}
	return fd;
}

/* What became of FD's connecting: 0 or an errno. */
static int
connect_error(int fd)
{
	int e = 0;
	socklen_t n = sizeof(e);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) < 0 ? errno : e;
}

static bool
is_internet(const struct hop *hop)
{
	return addr_family(&hop->addr) == AF_INET ||
	    addr_family(&hop->addr) == AF_INET6;
}

/* The hop that may race the one that is being tried; hop_n: none. */
static size_t
rival(const struct conn *c)
{
	const struct hop *own = conn_hop(c);
	size_t i = c->hop_at + 1;

	while (i < c->hop_n &&
	    (c->hops[i].tried || !is_internet(&c->hops[i]) ||
		addr_family(&c->hops[i].addr) == addr_family(&own->addr) ||
		c->hops[i].server != own->server ||
		strcmp(c->hops[i].host, own->host) != 0))
		i++;
	return is_internet(own) && !conn_is_sunk(c) ? i : c->hop_n;
}

bool
conn_connect(struct conn *c)
{
	int64_t ms;

	set_relay(c);
	c->state = CONN_CONNECTING;
	c->fd = hop_open(c, &c->hops[c->hop_at]);
	if (c->fd < 0) {
		c->all_refused = false;
		conn_session_end(c);
		return false;
	}
	ms = c->group->connect_ms;
	c->connect_by = clock_ms() + ms;
	conn_watch_connect(c, ms > RACE_MS && rival(c) < c->hop_n ? RACE_MS :
									   ms);
	return true;
}

/* ---- the race ---------------------------------------------------------------------------- */

static void
race_end(struct conn *c)
{
	struct conn_race *race = c->race;

	if (race == NULL)
		return;
	c->race = NULL;
	loop_io_free(race->io);
	if (race->fd >= 0)
		close(race->fd);
	mem_free(race);
}

/* What the race has becomes the connection's own; its hop becomes AT. */
static void
race_take(struct conn *c, size_t at)
{
	struct hop hop = c->hops[at];

	c->hops[at] = c->hops[c->race->hop];
	c->hops[c->race->hop] = hop;
	c->hop_at = at;
	loop_io_free(c->io);
	c->io = NULL;
	close(c->fd);
	c->fd = c->race->fd;
	c->race->fd = -1;
	race_end(c);
	set_relay(c);
	conn_watch_connect(c, c->connect_by - clock_ms());
}

/* The first of the family that this is true of is worth a line in the log. */
static void
say_lost(struct conn *c, int family)
{
	struct family_memory *m = &c->r->families;
	int64_t now = clock_ms();
	int before = family_late(m, now);

	family_lost(m, family, now);
	if (family_late(m, now) == family && before != family)
		log_info(NULL, "%s does not seem to lead anywhere: it is tried "
		    "last for a while", family == AF_INET ? "IPv4" : "IPv6");
}

static void connected(struct conn *c);

static void
on_race(void *arg, bool readable, bool writable)
{
	struct conn *c = arg;
	struct hop *hop = &c->hops[c->race->hop];
	int e = connect_error(c->race->fd);

	(void)readable;
	(void)writable;
	if (e != 0) {
		say_unreachable(c, hop, e);
		c->all_refused = false;
		hop->tried = true;
		race_end(c);
		return;
	}
	say_lost(c, addr_family(&conn_hop(c)->addr));
	/* The one that was too slow may have its turn later. */
	race_take(c, c->hop_at);
	connected(c);
}

static void
race_start(struct conn *c)
{
	size_t i = rival(c);
	int fd;

	if (i == c->hop_n)
		return;
	fd = hop_open(c, &c->hops[i]);
	if (fd < 0) {
		c->all_refused = false;
		c->hops[i].tried = true;
		return;
	}
	c->race = mem_alloc(sizeof(*c->race));
	c->race->fd = fd;
	c->race->hop = i;
	c->race->io = loop_io_new(c->r->loop, fd, on_race, c);
	loop_io_want(c->race->io, false, true);
}

/* ---- the proxy --------------------------------------------------------------------------- */

static void
proxy_failed(struct conn *c, const char *why)
{
	conn_fail(c, "4.4.1", "connect to %s: %s", buf_cstr(&c->relay), why);
	c->all_refused = false;
	conn_next_hop(c);
}

static void
proxy_end(struct conn *c)
{
	if (c->proxy == NULL)
		return;
	buf_wipe(&c->proxy->basic);
	buf_free(&c->proxy->basic);
	buf_free(&c->proxy->address);
	mem_free(c->proxy);
	c->proxy = NULL;
}

/* RFC 7617 2: "user:password" in base64. */
static void
add_basic(struct buf *b, const struct conf_proxy *proxy)
{
	struct buf login;

	if (proxy->version != CONF_PROXY_HTTP || proxy->user[0] == '\0')
		return;
	buf_init(&login, 1024);
	buf_addf(&login, "%s:%s", proxy->user, proxy->password);
	base64_add(b, buf_str(&login));
	buf_wipe(&login);
	buf_free(&login);
}

static void
proxy_begin(struct conn *c, const struct conf_proxy *proxy)
{
	const struct hop *hop = conn_hop(c);
	struct conn_proxy *p = mem_alloc(sizeof(*p));
	struct str host;
	uint16_t port;

	c->proxy = p;
	buf_init(&p->basic, 2048);
	buf_init(&p->address, 128);
	add_basic(&p->basic, proxy);
	p->facts = (struct socks_proxy){ .version = proxy->version,
		.user = proxy->user, .password = proxy->password,
		.basic = buf_cstr(&p->basic) };
	if (hop->from != NULL) {
		addr_add(&p->address, &hop->addr);
		host = buf_str(&p->address);
		port = addr_port(&hop->addr);
	} else {
		host = str_c(hop->server->host);
		port = (uint16_t)hop->server->port;
	}
	if (!socks_init(&p->socks, &p->facts, host, port)) {
		proxy_failed(c, "the proxy cannot be asked for this name");
		return;
	}
	c->state = CONN_PROXY;
	conn_timer(c, PROXY_MS);
	conn_proxy(c);
}

/* One turn of writing or reading.  False: not now, errno; 0: the end. */
static bool
proxy_turn(struct conn *c, enum socks_result *r)
{
	struct socks *s = &c->proxy->socks;
	struct str out = socks_output(s);
	char in[SOCKS_IN_MAX];
	ssize_t n;

	if (out.n > 0) {
		n = send(c->fd, out.p, out.n, MSG_NOSIGNAL);
		if (n > 0)
			socks_sent(s, (size_t)n);
		return n > 0;
	}
	/* Never more than is the proxy's: what follows is the server's. */
	n = recv(c->fd, in, socks_want(s), 0);
	if (n == 0)
		errno = 0;
	if (n <= 0)
		return false;
	*r = socks_input(s, str_n(in, (size_t)n));
	return true;
}

void
conn_proxy(struct conn *c)
{
	enum socks_result r = SOCKS_MORE;

	while (r == SOCKS_MORE && proxy_turn(c, &r))
		;
	if (r == SOCKS_MORE) {
		if (errno == EAGAIN || errno == EINTR) {
			bool write = socks_output(&c->proxy->socks).n > 0;

			loop_io_want(c->io, !write, write);
		} else
			proxy_failed(c, errno == 0 ?
				"the proxy closed the connection" :
				strerror(errno));
		return;
	}
	if (r == SOCKS_FAILED) {
		proxy_failed(c, socks_error(&c->proxy->socks));
		return;
	}
	proxy_end(c);
	conn_begin(c);
}

/* ---- events ------------------------------------------------------------------------------ */

static void
connected(struct conn *c)
{
	const struct conf_proxy *proxy = proxy_of(c);

	family_reached(&c->r->families, addr_family(&conn_hop(c)->addr));
	set_source(c);
	if (proxy != NULL)
		proxy_begin(c, proxy);
	else
		conn_begin(c);
}

void
conn_connected(struct conn *c)
{
	int e = connect_error(c->fd);

	if (e == 0) {
		race_end(c);
		connected(c);
		return;
	}
	say_unreachable(c, conn_hop(c), e);
	c->all_refused = false;
	if (c->race == NULL) {
		conn_next_hop(c);
		return;
	}
	c->hops[c->hop_at].tried = true;
	race_take(c, c->hop_at + 1);
}

void
conn_connect_expired(struct conn *c)
{
	int64_t left = c->connect_by - clock_ms();

	if (c->state == CONN_PROXY) {
		proxy_failed(c, "the proxy did not connect in time");
		return;
	}
	if (left > 0) {
		if (c->race == NULL)
			race_start(c);
		conn_timer(c, left);
		return;
	}
	if (c->race != NULL) {
		say_unreachable(c, &c->hops[c->race->hop], ETIMEDOUT);
		c->hops[c->race->hop].tried = true;
	}
	say_unreachable(c, conn_hop(c), ETIMEDOUT);
	c->all_refused = false;
	conn_next_hop(c);
}

void
conn_connect_end(struct conn *c)
{
	race_end(c);
	proxy_end(c);
}
