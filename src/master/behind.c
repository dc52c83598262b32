/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * behind -- clients that come by a proxy (HAProxy's PROXY protocol).
 *
 * A listed proxy begins with a header that says who its client is; nothing
 * else is heard before it, and without it there is no banner.  It is read in
 * the session child, confined already: the acceptor never reads from a client.
 * From then on the session is one of that client: who may connect, relay and
 * be blocked, how many connections there may be, what logs and traces say.
 *
 * A client that the proxy does not know has no address, and so no right that
 * hangs on one.  Whoever is not listed cannot say who he is: his header is a
 * command that there is not.
 */

#include "door.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "net/proxied.h"
#include "policy/recipient.h"

/* A proxy has it ready when it connects. */
#define HEADER_MS 10000
#define PEEK_SIZE 512

bool
behind_trusted(const struct conf_listen *l, const struct addr *peer)
{
	return access_listed(&l->proxies, peer) || access_listed(&l->xclient, peer);
}

/* Takes what is there of the header, and not one octet more: what follows may be TLS. */
static enum proxied_result
take(int fd, struct proxied *p)
{
	char bytes[PEEK_SIZE];
	size_t taken = 0;
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return PROXIED_MORE;
	if (n <= 0)
		return PROXIED_BAD;
	enum proxied_result r = proxied_input(p, str_n(bytes, (size_t)n), &taken);
	return recv(fd, bytes, taken, MSG_DONTWAIT) == (ssize_t)taken ? r : PROXIED_BAD;
}

/* PROXIED_MORE: it took too long. */
static enum proxied_result
read_header(const struct session_env *env, int fd, struct proxied *p)
{
	int64_t wait = env->conf->limits.timeout < HEADER_MS ? env->conf->limits.timeout
							     : HEADER_MS;
	int64_t end = clock_ms() + wait, left;
	enum proxied_result r = PROXIED_MORE;

	proxied_init(p);
	/* The clock is read once: less than nothing is for ever to poll(). */
	while (r == PROXIED_MORE && !*env->stop && (left = end - clock_ms()) > 0) {
		struct pollfd w = { .fd = fd, .events = POLLIN };
		if (poll(&w, 1, (int)left) > 0)
			r = take(fd, p);
	}
	return r;
}

/* Why the client of ENV may not come in, or NULL. */
static const char *
unwelcome(const struct master *m, const struct session_env *env)
{
	const char *why = shut_out(m, env->listen, &env->peer);
	uint64_t key = addr_key(&env->peer);
	struct buf name;

	if (why)
		return why;
	buf_init(&name, 128);
	addr_add(&name, &env->peer);
	size_t others = score_speak_for(env->score, env->slot, key, buf_cstr(&name));
	buf_free(&name);
	return others >= env->conf->limits.connections_per_address
	    ? "too many connections from your address" : NULL;
}

static bool
welcome(const struct master *m, int fd, struct session_env *env, const char *proxy)
{
	const char *why = unwelcome(m, env);
	struct buf name;

	if (!why)
		return true;
	buf_init(&name, 128);
	addr_add(&name, &env->peer);
	log_warn(NULL, "refused a connection from unknown[%s], which came by %s: %s",
	    buf_cstr(&name), proxy, why);
	buf_free(&name);
	refuse(env->score, env->listen, env->hostname, fd, why);
	return false;
}

static bool
apply(const struct master *m, int fd, struct session_env *env, const struct proxied *p,
    const char *proxy)
{
	if (p->known) {
		env->peer = p->client;
		env->local = p->target;
		log_debug(NULL, "the client came by the proxy %s", proxy);
		return welcome(m, fd, env, proxy);
	}
	if (!p->own) {
		env->peer.len = 0;
		(void)score_speak_for(env->score, env->slot, 0, "unknown");
	}
	return true;
}

/* Apart: others need not have its pages of the stack. */
static NOINLINE bool
look(const struct master *m, int fd, struct session_env *env)
{
	struct proxied p;
	struct buf proxy;
	bool ok = false;

	enum proxied_result r = read_header(env, fd, &p);
	buf_init(&proxy, 128);
	addr_add(&proxy, &env->peer);
	if (r == PROXIED_DONE)
		ok = apply(m, fd, env, &p, buf_cstr(&proxy));
	else if (r == PROXIED_BAD && p.n == 0)
		/* A balancer looks whether we are here, every few seconds. */
		log_info(NULL, "the proxy %s went before it said anything", buf_cstr(&proxy));
	else
		log_warn(NULL, "the proxy %s did not begin with a PROXY header%s: closed",
		    buf_cstr(&proxy), r == PROXIED_MORE ? " in time" : "");
	buf_free(&proxy);
	return ok;
}

bool
behind_look(const struct master *m, int fd, struct session_env *env)
{
	/* Not behind_trusted(): who says XCLIENT says no PROXY. */
	return !access_listed(&env->listen->proxies, &env->peer) || look(m, fd, env);
}
