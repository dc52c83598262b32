/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * table -- numbers under numbers, of a fixed capacity.
 *
 * Open addressing with linear probing; at most half of the cells are in
 * use, and a removal moves later cells up, so that there are no tombstones
 * and a look-up stays short for ever.  The keys are chosen by whoever
 * connects: a random seed keeps him from choosing a collision.  A session
 * has no copy of it: it is the master's, who writes to it at each fork.
 */

#include "table.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/random.h"

struct table_cell {
	uint64_t key;
	size_t value;	/* 0: the cell is empty */
};

void
table_init(struct table *t, size_t capacity)
{
	size_t cells = 4;

	while (cells < capacity * 2)
		cells *= 2;
	t->cells = mem_unshared(cells * sizeof(*t->cells));
	t->mask = cells - 1;
	random_bytes(&t->seed, sizeof(t->seed));
}

void
table_free(struct table *t)
{
	mem_unshared_free(t->cells, (t->mask + 1) * sizeof(*t->cells));
}

/* The cell where a search for KEY begins. */
static size_t
home(const struct table *t, uint64_t key)
{
	uint64_t h = key ^ t->seed;

	h = (h ^ h >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 29 ^ t->seed) * UINT64_C(0xd6e8feb86659fd93);
	return (size_t)(h ^ h >> 32) & t->mask;
}

/* The cell of KEY, or the empty one where it would go. */
static size_t
seek(const struct table *t, uint64_t key)
{
	size_t at = home(t, key);

	for (size_t i = 0; i <= t->mask; i++, at = (at + 1) & t->mask)
		if (t->cells[at].value == 0 || t->cells[at].key == key)
			return at;
	panic("table: full");
}

size_t
table_get(const struct table *t, uint64_t key)
{
	return t->cells[seek(t, key)].value;
}

/* Empties cell AT and closes the gap in the run behind it. */
static void
empty(struct table *t, size_t at)
{
	size_t next = at;

	for (;;) {
		t->cells[at].value = 0;
		for (;;) {
			next = (next + 1) & t->mask;
			if (t->cells[next].value == 0)
				return;
			/* May move up only if its home is not behind AT. */
			size_t from = home(t, t->cells[next].key);

			if (((next - from) & t->mask) >= ((next - at) & t->mask))
				break;
		}
		t->cells[at] = t->cells[next];
		at = next;
	}
}

void
table_put(struct table *t, uint64_t key, size_t value)
{
	size_t at = seek(t, key);

	if (value > 0)
		t->cells[at] = (struct table_cell){ key, value };
	else if (t->cells[at].value > 0)
		empty(t, at);
}
