/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * pool -- the workers: how many of each place, how busy, and for how long.
 *
 * Each place has a bound of its own, so that a backend that hangs takes up its
 * own workers and nobody else's.  A worker that takes too long is ended by the
 * keeper, since only that may signal one that is root.  Workers stay for a
 * while after their question, unless they are for one only; a few are let go
 * with each round, so that what a library leaks is bounded.
 */

#include "auth.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

/* Of a place that computes, that waits for somebody else, and that may sleep. */
#define WORKERS_COMPUTE 4
#define WORKERS_WAIT 32
#define WORKERS_SLEEP 64
#define WORKERS_ALL 256
/* A backend stops by itself first, and can say why. */
#define GRACE_MS 1000
#define IDLE_MS 30000
#define QUESTIONS_MAX 500
/* An answer that has not come by now is a late one. */
#define SLOW_MS 1000

struct worker {
	int fd;			/* -1: this place is free */
	unsigned place;
	uint32_t serial;
	bool busy;
	bool old;		/* not for another question */
	uint64_t ticket;
	unsigned questions;
	int64_t since_ms;	/* it is busy, or idle */
};

struct pool {
	const struct auth *auth;
	int keeper;
	uint32_t serial;
	int64_t answered_ms[PLACES];
	int64_t lost_ms[PLACES];	/* when one took too long */
	size_t count[PLACES];
	struct worker workers[WORKERS_ALL];
};

struct pool *
pool_new(const struct auth *a, int keeper)
{
	struct pool *p = mem_alloc(sizeof(*p));

	p->auth = a;
	p->keeper = keeper;
	for (size_t i = 0; i < WORKERS_ALL; i++)
		p->workers[i].fd = -1;
	return p;
}

void
pool_free(struct pool *p)
{
	for (size_t i = 0; p && i < WORKERS_ALL; i++)
		if (p->workers[i].fd >= 0)
			close(p->workers[i].fd);
	mem_free(p);
}

/* ---- places -------------------------------------------------------------------- */

static size_t
bound_of(const struct pool *p, unsigned place)
{
	/* Homes may be somewhere else, and slow. */
	if (place == PLACE_HOME)
		return WORKERS_SLEEP;
	if (place >= p->auth->backend_n)
		return WORKERS_COMPUTE;
	switch (p->auth->backends[place].c.kind) {
	case BACKEND_FILE:
	case BACKEND_HARDCODED:
		return WORKERS_COMPUTE;
	case BACKEND_PAM:
	case BACKEND_USERS:
		return WORKERS_SLEEP;
	case BACKEND_LDAP:
	case BACKEND_RADIUS:
	case BACKEND_HTTP:
	case BACKEND_OAUTH:
	case BACKEND_EXEC:
		break;
	}
	return WORKERS_WAIT;
}

bool
pool_is_slow(const struct pool *p, unsigned place, int64_t now)
{
	if (p->lost_ms[place] > p->answered_ms[place])
		return true;
	for (size_t i = 0; i < WORKERS_ALL; i++) {
		const struct worker *w = &p->workers[i];

		if (w->fd >= 0 && w->place == place && w->busy &&
		    now - w->since_ms >= SLOW_MS && w->since_ms >= p->answered_ms[place])
			return true;
	}
	return false;
}

/* ---- workers -------------------------------------------------------------------- */

static void
let_go(struct pool *p, struct worker *w)
{
	close(w->fd);
	w->fd = -1;
	p->count[w->place]--;
}

static struct worker *
idle_one(struct pool *p, unsigned place)
{
	for (size_t i = 0; i < WORKERS_ALL; i++) {
		struct worker *w = &p->workers[i];

		if (w->fd >= 0 && w->place == place && !w->busy)
			return w;
	}
	return NULL;
}

/* A free slot; if there is none, that of whoever idles elsewhere. */
static struct worker *
free_slot(struct pool *p)
{
	struct worker *idle = NULL;

	for (size_t i = 0; i < WORKERS_ALL; i++) {
		if (p->workers[i].fd < 0)
			return &p->workers[i];
		if (!p->workers[i].busy)
			idle = &p->workers[i];
	}
	if (idle)
		let_go(p, idle);
	return idle;
}

bool
pool_has_room(struct pool *p, unsigned place)
{
	if (idle_one(p, place))
		return true;
	return p->count[place] < bound_of(p, place) && free_slot(p) != NULL;
}

static struct worker *
new_one(struct pool *p, unsigned place)
{
	struct worker *w = free_slot(p);
	int fd;

	if (!w || p->count[place] >= bound_of(p, place)) {
		errno = EAGAIN;
		return NULL;
	}
	fd = keeper_worker(p->keeper, place, ++p->serial);
	if (fd < 0)
		return NULL;
	*w = (struct worker){ .fd = fd, .place = place, .serial = p->serial };
	p->count[place]++;
	return w;
}

static int
hand_over(struct worker *w, struct str packet, const int *files)
{
	for (size_t i = 0; i < BACKENDS_MAX; i++) {
		char about[2] = { WORKER_FILE, (char)i };

		if (files[i] >= 0 && channel_send(w->fd, str_n(about, 2), files[i]) < 0)
			return -1;
	}
	return channel_send(w->fd, packet, -1);
}

bool
pool_give(struct pool *p, unsigned place, uint64_t ticket, struct str packet,
    int *files, const char **why)
{
	struct worker *w;

	*why = NULL;
	while ((w = idle_one(p, place)) != NULL || (w = new_one(p, place)) != NULL) {
		if (hand_over(w, packet, files) == 0)
			break;
		/* It has ended meanwhile; of a new one that would be odd. */
		*why = strerror(errno);
		bool fresh = w->questions == 0;
		let_go(p, w);
		w = NULL;
		if (fresh)
			break;
	}
	for (size_t i = 0; i < BACKENDS_MAX; i++) {
		if (files[i] >= 0)
			close(files[i]);
		files[i] = -1;
	}
	if (!w) {
		*why = *why ? *why : strerror(errno);
		return false;
	}
	w->busy = true;
	w->ticket = ticket;
	w->questions++;
	w->since_ms = clock_ms();
	return true;
}

/* ---- events ---------------------------------------------------------------------- */

size_t
pool_poll(const struct pool *p, struct pollfd *fds, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < WORKERS_ALL && n < max; i++) {
		const struct worker *w = &p->workers[i];

		if (w->fd >= 0)
			fds[n++] = (struct pollfd){ .fd = w->fd, .events = POLLIN };
	}
	return n;
}

static struct worker *
worker_of(struct pool *p, int fd)
{
	for (size_t i = 0; i < WORKERS_ALL; i++)
		if (p->workers[i].fd == fd)
			return &p->workers[i];
	return NULL;
}

static void
rest(struct pool *p, struct worker *w, int64_t now)
{
	w->busy = false;
	w->since_ms = now;
	if (w->old || w->questions >= QUESTIONS_MAX ||
	    worker_is_for_one(p->auth, w->place))
		let_go(p, w);
}

static void
lose(struct pool *p, struct worker *w, struct pool_event *e, const char *why)
{
	e->ticket = w->ticket;
	e->place = w->place;
	e->lost = true;
	e->why = why;
	e->pass = -1;
	buf_reset(&e->answer);
	let_go(p, w);
}

/* W can be read.  True: that is an event. */
static bool
take(struct pool *p, struct worker *w, int64_t now, struct pool_event *e)
{
	int n = channel_recv(w->fd, &e->answer, &e->pass);

	if (n == 0)
		return false;
	if (n < 0 && w->busy) {
		p->answered_ms[w->place] = now;
		lose(p, w, e, "its worker died");
		return true;
	}
	if (n < 0 || !w->busy) {
		/* Who is idle has nothing to say. */
		if (e->pass >= 0)
			close(e->pass);
		let_go(p, w);
		return false;
	}
	e->ticket = w->ticket;
	e->place = w->place;
	e->lost = false;
	e->why = "";
	p->answered_ms[w->place] = now;
	rest(p, w, now);
	return true;
}

static int64_t
limit_of(const struct pool *p, const struct worker *w)
{
	return w->since_ms + (w->busy ? p->auth->conf->auth.timeout + GRACE_MS : IDLE_MS);
}

/* Workers whose time is up.  True: one was busy, and that is an event. */
static bool
expire(struct pool *p, int64_t now, struct pool_event *e)
{
	for (size_t i = 0; i < WORKERS_ALL; i++) {
		struct worker *w = &p->workers[i];

		if (w->fd < 0 || now < limit_of(p, w))
			continue;
		if (!w->busy) {
			let_go(p, w);
			continue;
		}
		p->lost_ms[w->place] = now;
		keeper_kill(p->keeper, w->serial);
		lose(p, w, e, "it did not answer in time");
		return true;
	}
	return false;
}

bool
pool_next(struct pool *p, struct pollfd *fds, size_t n, int64_t now, struct pool_event *e)
{
	for (size_t i = 0; i < n; i++) {
		struct worker *w = fds[i].revents ? worker_of(p, fds[i].fd) : NULL;

		fds[i].revents = 0;
		if (w && take(p, w, now, e))
			return true;
	}
	return expire(p, now, e);
}

int64_t
pool_due(const struct pool *p)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < WORKERS_ALL; i++) {
		const struct worker *w = &p->workers[i];

		if (w->fd >= 0 && limit_of(p, w) < due)
			due = limit_of(p, w);
	}
	return due;
}

void
pool_renew(struct pool *p)
{
	for (size_t i = 0; i < WORKERS_ALL; i++) {
		struct worker *w = &p->workers[i];

		w->old = true;
		if (w->fd >= 0 && !w->busy)
			let_go(p, w);
	}
}
