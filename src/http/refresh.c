/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * refresh -- which policies are fetched anew without being asked for.
 *
 * A policy that runs out between two messages leaves the second one without
 * it, for whoever keeps us from DNS or from its server at that moment.  So
 * what mail goes by is fetched each day (RFC 8461 3.3, 10.2), whether there
 * is mail or not.  The directory is looked through from time to time; what is
 * due then comes out one after the other, so that a large one makes no storm.
 * What nobody has used for a month, and what is over, is left to the next
 * message.
 */

#include "refresh.h"

#include <errno.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mail/sts.h"

#define DAY_S 86400
#define UNUSED_S (30 * (int64_t)DAY_S)
#define LOOK_MS 600000
#define ARENA_MAX ((size_t)1 << 30)

struct refresh {
	int dir;
	int64_t look;		/* clock_ms() of the next one */
	struct arena names;
	const char **v;		/* what is due */
	size_t n, size, at;
};

bool
refresh_is_due(const struct policy_file *f, int64_t max_age, int64_t now)
{
	int64_t age = now - f->fetched;
	int64_t old = max_age / 2 < DAY_S ? max_age / 2 : DAY_S;

	return age >= old && age <= max_age && now - f->used <= UNUSED_S;
}

struct refresh *
refresh_new(int dir)
{
	struct refresh *r = mem_alloc(sizeof(*r));

	r->dir = dir;
	r->look = clock_ms();
	arena_init(&r->names, ARENA_MAX);
	return r;
}

void
refresh_free(struct refresh *r)
{
	if (r == NULL)
		return;
	arena_free(&r->names);
	mem_free(r->v);
	mem_free(r);
}

static bool
is_due(const struct refresh *r, const char *domain)
{
	struct policy_file f;
	struct sts_policy p;
	struct arena a;
	bool due;

	arena_init(&a, (size_t)1 << 20);
	due = policies_look(r->dir, str_c(domain), &f) == 0 &&
	    sts_policy_parse(buf_str(&f.text), &a, &p) == NULL &&
	    p.mode != STS_NONE && refresh_is_due(&f, p.max_age, clock_wall());
	buf_free(&f.text);
	arena_free(&a);
	return due;
}

static void
look_at(void *arg, const char *domain, int64_t used)
{
	struct refresh *r = arg;

	(void)used;
	if (!is_due(r, domain))
		return;
	if (r->n == r->size) {
		r->size = r->size > 0 ? r->size * 2 : 64;
		r->v = mem_grow(r->v, r->size, sizeof(*r->v));
	}
	r->v[r->n++] = arena_cstr(&r->names, str_c(domain));
}

static void
look(struct refresh *r)
{
	arena_reset(&r->names);
	r->n = r->at = 0;
	r->look = clock_ms() + LOOK_MS;
	if (r->dir >= 0 && policies_each(r->dir, look_at, r) < 0)
		log_warn(NULL, "cannot look through the policies: %s",
		    strerror(errno));
}

const char *
refresh_next(struct refresh *r)
{
	if (r->at == r->n && clock_ms() >= r->look)
		look(r);
	return r->at < r->n ? r->v[r->at++] : NULL;
}

int64_t
refresh_wait(const struct refresh *r)
{
	int64_t now = clock_ms();

	return r->at < r->n || r->look <= now ? 0 : r->look - now;
}
