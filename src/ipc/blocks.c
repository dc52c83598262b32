/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * blocks -- networks that are refused for a time.
 *
 * No lock: who writes a place makes its version odd before and even again
 * behind, and who reads it and sees another version than before has read
 * nothing.  A process that is killed between the two leaves that place lost,
 * and no other.
 *
 * The master looks through all places at each connection; how many were ever
 * in use bounds that, and the times stand together, so that nothing is read
 * of places that are free or over.
 */

#include "ipc/blocks.h"

#include <string.h>

bool
blocks_at(struct blocks *t, size_t i, int64_t now, struct block *copy)
{
	uint64_t version = atomic_load(&t->version[i]);

	if (version % 2 == 1 || atomic_load(&t->until[i]) <= now)
		return false;
	*copy = t->v[i];
	copy->why[BLOCK_WHY_MAX] = '\0';
	atomic_thread_fence(memory_order_acquire);
	return atomic_load(&t->version[i]) == version && copy->until_ms > now;
}

/* The places that may hold something. */
static size_t
used(struct blocks *t)
{
	size_t n = atomic_load(&t->used);

	return n < BLOCKS_MAX ? n : BLOCKS_MAX;
}

bool
blocks_find(struct blocks *t, int family, const void *octets, int64_t now, struct block *copy)
{
	for (size_t i = 0, n = used(t); i < n; i++)
		if (atomic_load_explicit(&t->until[i], memory_order_relaxed) > now &&
		    blocks_at(t, i, now, copy) && ip_range_has(&copy->net, family, octets))
			return true;
	return false;
}

/* Writes B to place I, if nobody else does and its version is still the one that was seen. */
static bool
put(struct blocks *t, size_t i, uint64_t seen, const struct block *b)
{
	if (seen % 2 == 1 || !atomic_compare_exchange_strong(&t->version[i], &seen, seen + 1))
		return false;
	t->v[i] = *b;
	atomic_store(&t->until[i], b->until_ms);
	atomic_store(&t->version[i], seen + 2);
	return true;
}

/*
 * A place that is to be written: BLOCKS_MAX if there is none.  SEEN is its version
 * before it was looked at: who writes it by that writes over what was seen there,
 * and over nothing else.
 */
struct found {
	size_t i;
	uint64_t seen;
};

/* The place of NET; B gets what is there. */
static struct found
place_of(struct blocks *t, const struct ip_range *net, int64_t now, struct block *b)
{
	for (size_t i = 0, n = used(t); i < n; i++) {
		uint64_t seen = atomic_load(&t->version[i]);

		if (blocks_at(t, i, now, b) && ip_range_same(&b->net, net))
			return (struct found){ i, seen };
	}
	return (struct found){ BLOCKS_MAX, 0 };
}

/* A place for one more: what is over, or new, or else what a session put in and ends first. */
static struct found
room(struct blocks *t, int64_t now)
{
	struct found least = { BLOCKS_MAX, 0 };
	struct block b;

	/* Those that were never taken come last, and are free. */
	for (size_t i = 0; i < BLOCKS_MAX; i++) {
		uint64_t seen = atomic_load(&t->version[i]);

		if (seen % 2 == 0 && atomic_load(&t->until[i]) <= now)
			return (struct found){ i, seen };
	}
	for (size_t i = 0; i < BLOCKS_MAX; i++) {
		uint64_t seen = atomic_load(&t->version[i]);

		if (blocks_at(t, i, now, &b) && !b.by_hand && (least.i == BLOCKS_MAX ||
		    b.until_ms < atomic_load(&t->until[least.i])))
			least = (struct found){ i, seen };
	}
	return least;
}

/* Of those that want one place one gets it: the others try again. */
#define TRIES 1000

bool
blocks_add(struct blocks *t, const struct block *b, int64_t now)
{
	for (int try = 0; try < TRIES; try++) {
		struct block there, next = *b;
		struct found at = place_of(t, &b->net, now, &there);
		size_t n;

		/* It stays one by hand, which is kept over a restart, and ends no earlier. */
		if (at.i < BLOCKS_MAX && there.by_hand && !b->by_hand) {
			next = there;
			if (next.until_ms < b->until_ms)
				next.until_ms = b->until_ms;
		}
		if (at.i == BLOCKS_MAX)
			at = room(t, now);
		if (at.i == BLOCKS_MAX)
			return false;
		n = atomic_load(&t->used);
		while (n <= at.i && !atomic_compare_exchange_weak(&t->used, &n, at.i + 1))
			continue;
		if (put(t, at.i, at.seen, &next))
			return true;
	}
	return false;
}

bool
blocks_remove(struct blocks *t, const struct ip_range *net, int64_t now)
{
	const struct block none = { .until_ms = 0 };
	struct block there;
	struct found at;
	bool any = false;

	/* Two that came at once may both have put it in. */
	for (int try = 0; try < TRIES && (at = place_of(t, net, now, &there)).i < BLOCKS_MAX; try++)
		any = put(t, at.i, at.seen, &none) || any;
	return any;
}
