/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * index -- what is known to be in the spool, and when it is due.
 *
 * A slot of 32 octets for each message, addressed by number so that the
 * array may move; a hash table of slot numbers by id; and two heaps of slot
 * numbers by due time, one for first attempts and one for retries, which
 * are served in turn: neither a flood of new mail nor a thousand retries
 * that are due at once can hold up the other.  44 octets a message in all.
 * Nothing here looks at a clock or a file.
 */

#include "index.h"

#include "lib/mem.h"

#define TABLE_MIN 1024

struct heap {
	uint32_t *v;
	uint32_t n, size;
};

enum { HEAP_FIRST, HEAP_RETRY, HEAP_N };

struct index {
	struct known *slots;
	uint32_t slot_n, slot_size;
	uint32_t free_first;
	uint32_t count;
	uint32_t *table;	/* slot + 1, or 0; open addressing */
	uint32_t table_size;	/* a power of two */
	struct heap heaps[HEAP_N];
	unsigned turn;
};

struct index *
index_new(void)
{
	struct index *x = mem_alloc(sizeof(*x));

	x->free_first = INDEX_NONE;
	x->table_size = TABLE_MIN;
	x->table = mem_array(TABLE_MIN, sizeof(*x->table));
	return x;
}

void
index_free(struct index *x)
{
	if (x == NULL)
		return;
	mem_free(x->slots);
	mem_free(x->table);
	mem_free(x->heaps[HEAP_FIRST].v);
	mem_free(x->heaps[HEAP_RETRY].v);
	mem_free(x);
}

size_t
index_count(const struct index *x)
{
	return x->count;
}

size_t
index_octets(const struct index *x)
{
	size_t n = sizeof(*x) + x->slot_size * sizeof(*x->slots) +
	    x->table_size * sizeof(*x->table);

	for (unsigned i = 0; i < HEAP_N; i++)
		n += x->heaps[i].size * sizeof(*x->heaps[i].v);
	return n;
}

struct known *
index_at(struct index *x, uint32_t slot)
{
	return &x->slots[slot];
}

/* ---- ids --------------------------------------------------------------------- */

static struct queue_number
number_of(const struct known *k)
{
	return (struct queue_number){ .time = k->time, .process = k->process };
}

void
index_id(const struct index *x, uint32_t slot, char id[QUEUE_ID_SIZE])
{
	queue_number_id(number_of(&x->slots[slot]), id);
}

/* ---- the table --------------------------------------------------------------- */

/* Where the id stands in the table, or the empty place where it would. */
static uint32_t
table_find(const struct index *x, struct queue_number id)
{
	uint32_t mask = x->table_size - 1, at = queue_number_hash(id) & mask;

	while (x->table[at] != 0 &&
	    !queue_number_eq(number_of(&x->slots[x->table[at] - 1]), id))
		at = (at + 1) & mask;
	return at;
}

static void
table_grow(struct index *x)
{
	uint32_t old_size = x->table_size, *old = x->table;

	x->table_size *= 2;
	x->table = mem_array(x->table_size, sizeof(*x->table));
	for (uint32_t i = 0; i < old_size; i++) {
		if (old[i] != 0)
			x->table[table_find(x, number_of(&x->slots[old[i] - 1]))] = old[i];
	}
	mem_free(old);
}

/* Empties place AT and moves what stood behind it because of it. */
static void
table_del(struct index *x, uint32_t at)
{
	uint32_t mask = x->table_size - 1;

	for (uint32_t i = (at + 1) & mask; x->table[i] != 0;
	     i = (i + 1) & mask) {
		struct queue_number id = number_of(&x->slots[x->table[i] - 1]);
		uint32_t home = queue_number_hash(id) & mask;

		/* Still reachable from its home if AT is not between. */
		if (((i - home) & mask) < ((i - at) & mask))
			continue;
		x->table[at] = x->table[i];
		at = i;
	}
	x->table[at] = 0;
}

uint32_t
index_find(const struct index *x, const char *id)
{
	if (!queue_id_valid(str_c(id)))
		return INDEX_NONE;
	/* An empty place holds 0: one less is INDEX_NONE. */
	return x->table[table_find(x, queue_number(str_c(id)))] - 1;
}

/* ---- the heaps --------------------------------------------------------------- */

static struct heap *
heap_of(struct index *x, const struct known *k)
{
	return &x->heaps[k->place == QUEUE_NEW ? HEAP_FIRST : HEAP_RETRY];
}

/* By due time, then by age. */
static bool
before(const struct index *x, uint32_t a, uint32_t b)
{
	const struct known *p = &x->slots[a], *q = &x->slots[b];

	if (p->due != q->due)
		return p->due < q->due;
	return p->time < q->time;
}

static void
heap_set(struct index *x, struct heap *h, uint32_t at, uint32_t slot)
{
	h->v[at] = slot;
	x->slots[slot].heap_at = at;
}

static void
heap_up(struct index *x, struct heap *h, uint32_t at)
{
	uint32_t slot = h->v[at];

	while (at > 0 && before(x, slot, h->v[(at - 1) / 2])) {
		heap_set(x, h, at, h->v[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_set(x, h, at, slot);
}

static void
heap_down(struct index *x, struct heap *h, uint32_t at)
{
	uint32_t slot = h->v[at], child;

	while ((child = 2 * at + 1) < h->n) {
		if (child + 1 < h->n && before(x, h->v[child + 1], h->v[child]))
			child++;
		if (!before(x, h->v[child], slot))
			break;
		heap_set(x, h, at, h->v[child]);
		at = child;
	}
	heap_set(x, h, at, slot);
}

static void
heap_add(struct index *x, struct heap *h, uint32_t slot)
{
	if (h->n == h->size) {
		h->size = h->size ? h->size * 2 : 256;
		h->v = mem_grow(h->v, h->size, sizeof(*h->v));
	}
	h->v[h->n] = slot;
	heap_up(x, h, h->n++);
}

static void
heap_del(struct index *x, struct heap *h, uint32_t at)
{
	uint32_t last = h->v[--h->n];

	if (at == h->n)
		return;
	heap_set(x, h, at, last);
	heap_up(x, h, at);
	heap_down(x, h, x->slots[last].heap_at);
}

/* ---- slots ------------------------------------------------------------------- */

static uint32_t
slot_new(struct index *x)
{
	uint32_t slot = x->free_first;

	if (slot != INDEX_NONE) {
		x->free_first = x->slots[slot].next;
		return slot;
	}
	if (x->slot_n == x->slot_size) {
		x->slot_size = x->slot_size ? x->slot_size * 2 : 256;
		x->slots = mem_grow(x->slots, x->slot_size, sizeof(*x->slots));
	}
	return x->slot_n++;
}

uint32_t
index_add(struct index *x, const char *id, enum queue_place place,
    int64_t due)
{
	uint32_t slot = index_find(x, id);
	struct queue_number q;

	if (slot != INDEX_NONE || !queue_id_valid(str_c(id)))
		return slot;
	if (x->count >= x->table_size / 2)
		table_grow(x);
	slot = slot_new(x);
	q = queue_number(str_c(id));
	x->slots[slot] = (struct known){
		.time = q.time, .process = q.process,
		.next = INDEX_NONE, .state = KNOWN_BUSY,
		.place = (uint8_t)place };
	x->table[table_find(x, q)] = slot + 1;
	x->count++;
	index_wait(x, slot, due);
	return slot;
}

void
index_del(struct index *x, uint32_t slot)
{
	struct known *k = &x->slots[slot];

	index_claim(x, slot);
	table_del(x, table_find(x, number_of(k)));
	k->state = KNOWN_FREE;
	k->next = x->free_first;
	x->free_first = slot;
	x->count--;
}

void
index_claim(struct index *x, uint32_t slot)
{
	struct known *k = &x->slots[slot];

	if (k->state == KNOWN_WAITING)
		heap_del(x, heap_of(x, k), k->heap_at);
	k->state = KNOWN_BUSY;
}

void
index_wait(struct index *x, uint32_t slot, int64_t due)
{
	struct known *k = &x->slots[slot];

	index_claim(x, slot);
	k->due = due;
	k->state = KNOWN_WAITING;
	heap_add(x, heap_of(x, k), slot);
}

static bool
is_due(const struct index *x, unsigned heap, int64_t now)
{
	const struct heap *h = &x->heaps[heap];

	return h->n > 0 && x->slots[h->v[0]].due <= now;
}

uint32_t
index_take(struct index *x, int64_t now)
{
	uint32_t slot;

	x->turn = !x->turn;
	if (!is_due(x, x->turn, now))
		x->turn = !x->turn;
	if (!is_due(x, x->turn, now))
		return INDEX_NONE;
	slot = x->heaps[x->turn].v[0];
	index_claim(x, slot);
	return slot;
}

int64_t
index_next_due(const struct index *x)
{
	int64_t due = INT64_MAX;

	for (unsigned i = 0; i < HEAP_N; i++)
		if (x->heaps[i].n > 0 && x->slots[x->heaps[i].v[0]].due < due)
			due = x->slots[x->heaps[i].v[0]].due;
	return due;
}

void
index_shift(struct index *x, int64_t by)
{
	/* From the front, so that a child finds its parent in its place. */
	for (uint32_t i = 0; i < HEAP_N; i++) {
		struct heap *h = &x->heaps[i];

		for (uint32_t at = 0; at < h->n; at++) {
			struct known *k = &x->slots[h->v[at]];

			if (k->due <= 0)
				continue;
			k->due = k->due + by > 0 ? k->due + by : 1;
			heap_up(x, h, at);
		}
	}
	for (uint32_t i = 0; i < x->slot_n; i++) {
		struct known *k = &x->slots[i];

		if (k->state == KNOWN_PARKED && k->due > 0 &&
		    k->due != INT64_MAX)
			k->due += by;
	}
}

void
index_clamp(struct index *x, int64_t latest)
{
	/* Lowering a parent never breaks a heap; from the front, all hold. */
	for (uint32_t i = 0; i < x->slot_n; i++) {
		struct known *k = &x->slots[i];

		if (k->state != KNOWN_WAITING || k->due <= latest)
			continue;
		k->due = latest;
		heap_up(x, heap_of(x, k), k->heap_at);
	}
}

bool
index_next(const struct index *x, uint32_t *at, uint32_t *slot)
{
	while (*at < x->slot_n) {
		*slot = (*at)++;
		if (x->slots[*slot].state != KNOWN_FREE)
			return true;
	}
	return false;
}
