/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * bad -- addresses that did not answer lately.
 *
 * A host that is down would cost each connection its time-out before the
 * next one is tried; so for a while it is tried last.  Nothing is ever left
 * out because of this: it is memory for speed, and forgets freely.
 */

#include "hosts.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "runner.h"

#define BAD_MS 60000
#define BAD_MAX 4096

static void
key(struct buf *b, const struct addr *a)
{
	buf_init(b, 256);
	addr_add_port(b, a);
}

void
bad_clear(struct runner *r)
{
	struct str k;
	void *v;
	size_t at = 0;

	while (map_next(r->bad, &at, &k, &v)) {
		mem_free(v);
		map_del(r->bad, k);
	}
}

void
bad_add(struct runner *r, const struct addr *a)
{
	int64_t *until;
	struct buf b;

	if (map_count(r->bad) >= BAD_MAX)
		bad_clear(r);
	key(&b, a);
	until = map_get(r->bad, buf_str(&b));
	if (until == NULL) {
		until = mem_alloc(sizeof(*until));
		map_put(r->bad, buf_str(&b), until);
	}
	*until = clock_ms() + BAD_MS;
	buf_free(&b);
}

void
bad_del(struct runner *r, const struct addr *a)
{
	struct buf b;

	if (map_count(r->bad) == 0)
		return;
	key(&b, a);
	mem_free(map_del(r->bad, buf_str(&b)));
	buf_free(&b);
}

bool
bad_is(const struct runner *r, const struct addr *a)
{
	const int64_t *until;
	struct buf b;

	if (map_count(r->bad) == 0)
		return false;
	key(&b, a);
	until = map_get(r->bad, buf_str(&b));
	buf_free(&b);
	return until != NULL && *until > clock_ms();
}

void
bad_last(const struct runner *r, struct hop *hops, size_t n)
{
	struct hop bad[HOP_MAX];
	size_t bad_n = 0, good_n = 0;

	if (map_count(r->bad) == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (bad_is(r, &hops[i].addr))
			bad[bad_n++] = hops[i];
		else
			hops[good_n++] = hops[i];
	}
	memcpy(&hops[good_n], bad, bad_n * sizeof(*bad));
}
