/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * tally -- what many processes count under keys, and time takes back.
 *
 * A key belongs to one set of eight cells.  A cell is taken for another key
 * by moving its time first, by compare and exchange, and then its key: of two
 * that want it, one goes and looks anew.  Between the two steps a little may
 * be counted under the wrong key, or a key may stand twice for a while; both
 * are gone when their time is over.  That is the price for having no lock.
 *
 * What keeps a flood of keys from making room for itself (CONFORMANCE S-66):
 * only a cell goes that has less against it than the new one.
 */

#include "ipc/tally.h"

/* splitmix64's last steps: each bit of X has a part in each of the result. */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t
tally_key(uint64_t seed, uint64_t salt, uint64_t value)
{
	uint64_t key = mix(mix(value ^ seed) + mix(seed + salt));

	return key != 0 ? key : 1;
}

uint64_t
tally_key_str(uint64_t seed, uint64_t salt, struct str text)
{
	uint64_t h = seed;

	for (size_t i = 0; i < text.n; i++)
		h = mix(h ^ (unsigned char)char_lower(text.p[i]));
	return tally_key(seed, salt, h ^ text.n);
}

static struct tally_cell *
set_of(struct tally *t, uint64_t key)
{
	return &t->cells[key % TALLY_SETS * TALLY_WAYS];
}

/* The cell of KEY in its set, or NULL. */
static struct tally_cell *
find(struct tally *t, uint64_t key)
{
	struct tally_cell *set = set_of(t, key);

	for (size_t i = 0; i < TALLY_WAYS; i++)
		if (atomic_load(&set[i].key) == key)
			return &set[i];
	return NULL;
}

/* The one of its set that has the least against it. */
static struct tally_cell *
least_of(struct tally *t, uint64_t key)
{
	struct tally_cell *set = set_of(t, key), *least = set;

	for (size_t i = 1; i < TALLY_WAYS; i++)
		if (atomic_load(&set[i].until) < atomic_load(&least->until))
			least = &set[i];
	return least;
}

int64_t
tally_level(struct tally *t, uint64_t key, int64_t now)
{
	struct tally_cell *c = find(t, key);
	int64_t until = c != NULL ? atomic_load(&c->until) : 0;

	return until > now ? until - now : 0;
}

/* Takes a cell for KEY, which has a level of COST. */
static void
begin(struct tally *t, uint64_t key, int64_t now, int64_t cost)
{
	struct tally_cell *c = least_of(t, key);
	int64_t was = atomic_load(&c->until);

	/* All have more against them: it is not known, rather than one of them. */
	if (was > now + cost)
		return;
	if (atomic_compare_exchange_strong(&c->until, &was, now + cost))
		atomic_store(&c->key, key);
}

/* Moves KEY's time by COST; the level then.  Above MOST: -1 if STRICT, else MOST. */
static int64_t
move(struct tally *t, uint64_t key, int64_t now, int64_t cost, int64_t most, bool strict)
{
	struct tally_cell *c = find(t, key);
	int64_t was = c != NULL ? atomic_load(&c->until) : 0, level;

	do {
		level = was > now ? was - now : 0;
		if (cost > most - level && strict)
			return -1;
		level = cost > most - level ? most : level + cost;
		if (c == NULL) {
			begin(t, key, now, level);
			return level;
		}
	} while (!atomic_compare_exchange_weak(&c->until, &was, now + level));
	return level;
}

int64_t
tally_add(struct tally *t, uint64_t key, int64_t now, int64_t cost, int64_t most)
{
	return move(t, key, now, cost, most, false);
}

bool
tally_take(struct tally *t, uint64_t key, int64_t now, int64_t cost, int64_t most)
{
	return move(t, key, now, cost, most, true) >= 0;
}

void
tally_clear(struct tally *t, uint64_t key)
{
	struct tally_cell *c = find(t, key);

	if (c != NULL)
		atomic_store(&c->until, 0);
}

size_t
tally_count(struct tally *t, int64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < TALLY_SETS * TALLY_WAYS; i++)
		n += atomic_load(&t->cells[i].until) > now;
	return n;
}

int64_t
tally_most(struct tally *t, int64_t now)
{
	int64_t most = now, until;

	for (size_t i = 0; i < TALLY_SETS * TALLY_WAYS; i++)
		if ((until = atomic_load(&t->cells[i].until)) > most)
			most = until;
	return most - now;
}
