/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * hosts -- the hosts of a destination, once they are known, and which of their
 * addresses an attempt tries.
 *
 * They are kept for as long as their answer is fresh (lookup.c), and chosen
 * from anew each time: at random within a preference, by weight within an
 * upstream, those that failed lately last, and behind all the fallback.
 */

#include "hosts.h"

#include "group.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/random.h"
#include "lookup.h"
#include "policy/source.h"
#include "policy/upstream.h"
#include "runner.h"

struct hosts *
hosts_hold(struct hosts *h)
{
	h->held++;
	return h;
}

void
hosts_free(struct hosts *h)
{
	if (h == NULL || --h->held > 0)
		return;
	arena_free(&h->arena);
	mem_free(h);
}

bool
hosts_unsure(const struct hosts *h)
{
	return h->unsure;
}

int64_t
hosts_expiry(const struct hosts *h)
{
	return h->expires;
}

const char *
hosts_name(const struct hosts *h, size_t i)
{
	return i < h->n ? h->v[i].name : NULL;
}

void
hosts_add_key(const struct hosts *h, struct buf *b)
{
	hosts_key(h->v, h->n, b);
}

/* ---- choosing -------------------------------------------------------------------- */

/* The upstream's order by weight, as indices of the N HOSTS. */
static size_t
order_upstream(const struct host *hosts, size_t host_n,
    const struct conf_upstream *u, size_t order[HOSTS_MAX])
{
	size_t *servers = mem_array(u->server_n, sizeof(*servers)), n = 0;

	upstream_order(u, random_below, servers);
	for (size_t i = 0; i < u->server_n; i++)
		for (size_t k = 0; k < host_n; k++)
			if (hosts[k].server == &u->servers[servers[i]])
				order[n++] = k;
	mem_free(servers);
	return n;
}

/* Fills in the hops of the N HOSTS: of U's servers, or of MX hosts. */
static size_t
choose_among(struct runner *r, const struct host *hosts, size_t n,
    const struct conf_upstream *u, const struct choice *choice,
    struct hop *hops)
{
	size_t order[HOSTS_MAX];

	if (u != NULL)
		n = order_upstream(hosts, n, u, order);
	else
		hosts_order(hosts, n, random_below, order);
	n = hosts_hops(hosts, order, n, choice, hops);
	bad_last(r, hops, n);
	return n;
}

size_t
hosts_choose(const struct group *g, struct hop hops[HOP_MAX])
{
	const struct hosts *h = g->hosts;
	bool up = g->way->kind == DEST_UPSTREAM;
	struct choice choice = { .max = up ? HOP_MAX : HOP_MX_MAX,
		.late = family_late(&g->r->families, clock_ms()) };
	struct source_set set;
	size_t first = 0, n;

	if (source_set(g->r->conf, str_c(g->way->source), &set) && set.n > 0) {
		choice.no_ipv4 = source_count(&set, AF_INET) == 0;
		choice.no_ipv6 = source_count(&set, AF_INET6) == 0;
	}
	/* Those of the fallback stand behind the others. */
	while (first < h->n && !h->v[first].fallback)
		first++;
	n = choose_among(g->r, h->v, first, g->way->upstream, &choice, hops);
	if (first == h->n)
		return n;
	choice.max = HOP_MAX - n;
	return n + choose_among(g->r, &h->v[first], h->n - first, g->way->fallback,
		       &choice, &hops[n]);
}
