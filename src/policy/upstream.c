/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * upstream -- the order in which servers are tried.
 *
 * Each place is drawn from the servers that are left, with a chance in
 * proportion to their weight, so that the load is spread by weight and the
 * second choice is spread as well.  A server of weight 0 comes after all
 * others of its kind.
 */

#include "policy/upstream.h"

/* More is no finer: the sum of any list of servers stays below 2^32. */
#define WEIGHT_MAX 65535

static uint32_t
weight(const struct conf_server *s)
{
	return s->weight < WEIGHT_MAX ? (uint32_t)s->weight : WEIGHT_MAX;
}

/* The index within ORDER[0..N) of the next to try; N > 0. */
static size_t
draw(const struct conf_upstream *u, uint32_t (*random)(uint32_t below),
    const size_t *order, size_t n)
{
	uint64_t sum = 0;
	uint32_t at;

	for (size_t i = 0; i < n; i++)
		sum += weight(&u->servers[order[i]]);
	if (sum == 0)
		return random((uint32_t)n);
	at = random(sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX);
	for (size_t i = 0; i < n; i++) {
		uint32_t w = weight(&u->servers[order[i]]);

		if (at < w)
			return i;
		at -= w;
	}
	return n - 1;
}

/* Puts ORDER[0..N) into the order of the draws. */
static void
shuffle(const struct conf_upstream *u, uint32_t (*random)(uint32_t below),
    size_t *order, size_t n)
{
	for (; n > 1; order++, n--) {
		size_t i = draw(u, random, order, n), first = order[0];

		order[0] = order[i];
		order[i] = first;
	}
}

void
upstream_order(const struct conf_upstream *u,
    uint32_t (*random)(uint32_t below), size_t *order)
{
	size_t n = 0, mains;

	for (size_t i = 0; i < u->server_n; i++)
		if (!u->servers[i].backup)
			order[n++] = i;
	mains = n;
	for (size_t i = 0; i < u->server_n; i++)
		if (u->servers[i].backup)
			order[n++] = i;
	shuffle(u, random, order, mains);
	shuffle(u, random, order + mains, n - mains);
}
