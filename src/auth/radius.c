/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * radius -- servers of RADIUS, asked by UDP until one answers.
 *
 * Each server has a socket that is connected to it, a random id and a random
 * authenticator of its own; the same packet is sent again to who does not
 * answer, later each time (RFC 2865 2.5).  An answer that is not genuine is as
 * if nothing had come.  A challenge is a no: a password alone is not enough
 * for that server.
 */

#include "radius.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth.h"
#include "fetch/fetch.h"
#include "lib/clock.h"
#include "lib/random.h"

#define SERVERS_MAX 8
#define FIRST_WAIT_MS 1000
#define WAIT_MAX_MS 4000

struct server {
	int fd;			/* -1: it cannot be asked */
	struct radius_request request;
	struct buf packet;
};

struct asking {
	const struct auth_question *q;
	struct server servers[SERVERS_MAX];
	size_t n;
	const char *why;	/* nobody can be asked */
	bool bare;		/* an answer was not believed */
};

static int
open_socket(const struct auth_backend *b, const char *host, const char *port,
    const char **why)
{
	struct addr v[FETCH_ADDR_MAX];
	uint64_t number = 0;
	bool later;
	int fd = -1;

	*why = "its name has no address";
	if (str_u64(str_c(port), UINT16_MAX, &number) < 0 ||
	    fetch_look_up(b->conf, host, v, &later) == 0)
		return -1;
	addr_set_port(&v[0], (uint16_t)number);
	fd = socket(addr_family(&v[0]), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&v[0].ss, v[0].len) < 0) {
		*why = strerror(errno);
		close(fd);
		fd = -1;
	}
	return fd;
}

/* False: the question can be none of RADIUS. */
static bool
prepare(struct asking *a, const struct auth_backend *b)
{
	for (size_t i = 0; i + 1 < b->c.list.n && a->n < SERVERS_MAX; i += 2) {
		struct server *s = &a->servers[a->n++];

		s->request = (struct radius_request){ .secret = b->c.secret,
			.identifier = b->c.identifier, .client = a->q->client,
			.user = a->q->user, .password = a->q->password };
		random_bytes(&s->request.id, 1);
		random_bytes(s->request.random, RADIUS_RANDOM);
		s->fd = -1;
		buf_init(&s->packet, RADIUS_PACKET_MAX);
		if (!radius_put(&s->packet, &s->request))
			return false;
		s->fd = open_socket(b, b->c.list.v[i], b->c.list.v[i + 1], &a->why);
	}
	return true;
}

static void
finish(struct asking *a)
{
	for (size_t i = 0; i < a->n; i++) {
		if (a->servers[i].fd >= 0)
			close(a->servers[i].fd);
		buf_wipe(&a->servers[i].packet);
		buf_free(&a->servers[i].packet);
	}
}

static void
give_up(struct asking *a, struct server *s)
{
	a->why = strerror(errno);
	close(s->fd);
	s->fd = -1;
}

/* All that has come to S.  RADIUS_NOTHING: no answer. */
static enum radius_answer
receive(struct asking *a, struct server *s)
{
	enum radius_answer answer = RADIUS_NOTHING;
	char packet[RADIUS_PACKET_MAX + 1];

	while (answer == RADIUS_NOTHING) {
		ssize_t n = recv(s->fd, packet, sizeof(packet), 0);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			give_up(a, s);
		if (n < 0)
			break;
		answer = radius_get(str_n(packet, (size_t)n), &s->request);
		if (answer == RADIUS_BARE) {
			a->bare = true;
			answer = RADIUS_NOTHING;
		}
	}
	return answer;
}

/* Waits for an answer of anybody, until UNTIL or until nobody is left. */
static enum radius_answer
listen_until(struct asking *a, int64_t until)
{
	struct pollfd fds[SERVERS_MAX];
	int64_t left;

	while ((left = until - clock_ms()) > 0) {
		bool any = false;

		for (size_t i = 0; i < a->n; i++) {
			fds[i] = (struct pollfd){ .fd = a->servers[i].fd, .events = POLLIN };
			any = any || a->servers[i].fd >= 0;
		}
		if (!any || (poll(fds, a->n, (int)left) < 0 && errno != EINTR))
			break;
		for (size_t i = 0; i < a->n; i++) {
			enum radius_answer answer = fds[i].revents && fds[i].fd >= 0 ?
			    receive(a, &a->servers[i]) : RADIUS_NOTHING;

			if (answer != RADIUS_NOTHING)
				return answer;
		}
	}
	return RADIUS_NOTHING;
}

/* Sends to one server after the other, and begins again, until DEADLINE. */
static enum radius_answer
ask(struct asking *a, int64_t deadline)
{
	enum radius_answer answer = RADIUS_NOTHING;
	int64_t wait = FIRST_WAIT_MS;
	bool any = true;

	while (any && answer == RADIUS_NOTHING && clock_ms() < deadline) {
		any = false;
		for (size_t i = 0; i < a->n && answer == RADIUS_NOTHING; i++) {
			struct server *s = &a->servers[i];
			int64_t until = clock_ms() + wait;

			if (s->fd < 0)
				continue;
			if (send(s->fd, s->packet.p, s->packet.n, MSG_NOSIGNAL) < 0) {
				give_up(a, s);
				continue;
			}
			answer = listen_until(a, until < deadline ? until : deadline);
			any = any || s->fd >= 0;
		}
		wait = wait * 2 < WAIT_MAX_MS ? wait * 2 : WAIT_MAX_MS;
	}
	return answer;
}

enum auth_verdict
auth_radius(const struct auth_backend *b, const struct auth_question *q)
{
	int64_t deadline = clock_ms() + b->timeout_ms;
	struct asking a = { .q = q };
	enum auth_verdict verdict = AUTH_NO;

	if (prepare(&a, b))
		switch (ask(&a, deadline)) {
		case RADIUS_ACCEPT:
			verdict = AUTH_YES;
			break;
		case RADIUS_REJECT:
		case RADIUS_CHALLENGE:
			break;
		case RADIUS_BARE:
		case RADIUS_NOTHING:
			verdict = auth_cannot(q, "%s", a.bare ?
			    "its answer has no Message-Authenticator (CVE-2024-3596)" :
			    clock_ms() >= deadline || !a.why ? "no genuine answer has come" :
							       a.why);
			break;
		}
	finish(&a);
	return verdict;
}
