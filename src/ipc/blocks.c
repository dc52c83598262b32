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

/* The place of NET; BLOCKS_MAX if there is none. */
static size_t
place_of(struct blocks *t, const struct ip_range *net, int64_t now)
{
	struct block b;

	for (size_t i = 0, n = used(t); i < n; i++)
		if (blocks_at(t, i, now, &b) && ip_range_same(&b.net, net))
			return i;
	return BLOCKS_MAX;
}

/* A place for one more: what is over, or new, or else what a session put in and ends first. */
static size_t
room(struct blocks *t, int64_t now)
{
	size_t n = used(t), least = BLOCKS_MAX;
	struct block b;

	for (size_t i = 0; i < n; i++)
		if (atomic_load(&t->until[i]) <= now && atomic_load(&t->version[i]) % 2 == 0)
			return i;
	if (n < BLOCKS_MAX)
		return n;
	for (size_t i = 0; i < n; i++)
		if (blocks_at(t, i, now, &b) && !b.by_hand && (least == BLOCKS_MAX ||
		    b.until_ms < atomic_load(&t->until[least])))
			least = i;
	return least;
}

/* Of two that want one place, one gets it: the other tries again. */
#define TRIES 16

bool
blocks_add(struct blocks *t, const struct block *b, int64_t now)
{
	for (int try = 0; try < TRIES; try++) {
		size_t i = place_of(t, &b->net, now);
		if (i == BLOCKS_MAX)
			i = room(t, now);
		if (i == BLOCKS_MAX)
			return false;
		uint64_t seen = atomic_load(&t->version[i]);
		size_t n = atomic_load(&t->used);
		while (n <= i && !atomic_compare_exchange_weak(&t->used, &n, i + 1))
			continue;
		if (put(t, i, seen, b))
			return true;
	}
	return false;
}

bool
blocks_remove(struct blocks *t, const struct ip_range *net, int64_t now)
{
	const struct block none = { .until_ms = 0 };
	size_t i;
	bool any = false;

	/* Two that came at once may both have put it in. */
	for (int try = 0; try < TRIES && (i = place_of(t, net, now)) < BLOCKS_MAX; try++)
		any = put(t, i, atomic_load(&t->version[i]), &none) || any;
	return any;
}
