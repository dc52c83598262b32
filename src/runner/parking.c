/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * parking -- messages that stand behind destinations, by priority.
 *
 * A message waits behind each destination that is full: whichever has room
 * first takes it up, and then it stands nowhere any more.  So it has a place
 * in the line of each; the places of one message are a chain that begins in
 * its slot of the index, and those of one line are chained both ways, so that
 * a message leaves all lines without a search.  A place is 24 octets, and a
 * message has few (PARKING_PLACES), so that with its slot it stays below 300
 * octets however the arrays have just grown.
 *
 * Each priority has a line.  Within one who came first goes first: each message
 * has a number, its turn, and keeps it when it leaves the lines and comes back,
 * since others of its recipients were tried meanwhile, or an order was given.
 * Between them the higher goes first; but every fourth time another has its
 * turn, all of them one after the other, so that neither a flood of urgent
 * mail can hold up the rest for ever, nor the rest what is urgent.
 */

#include "parking.h"

#include "lib/mem.h"

#define SHARED_TURN 4
#define NONE UINT32_MAX

struct parking_place {
	struct parking *at;
	uint32_t slot;
	uint32_t next, prev;	/* in the line */
	uint32_t other;		/* of the same message; or in the list of free ones */
};

void
parking_free(struct parking_lot *l)
{
	mem_free(l->places);
	*l = (struct parking_lot){ .n = 0 };
}

size_t
parking_octets(const struct parking_lot *l)
{
	return l->size * sizeof(*l->places);
}

/* ---- places ------------------------------------------------------------------ */

static uint32_t
place_new(struct parking_lot *l)
{
	uint32_t i = l->free_first;

	if (i != 0) {
		l->free_first = l->places[i - 1].other;
		return i - 1;
	}
	if (l->n == l->size) {
		l->size += l->size / 4 + 64;
		l->places = mem_grow(l->places, l->size, sizeof(*l->places));
	}
	return l->n++;
}

static void
count(struct parking *p, size_t by)
{
	p->n += by;
	if (p->total != NULL)
		*p->total += by;
}

/* The level whose line has I at the end that ENDS are. */
static unsigned
level_of(const struct parking *p, const uint32_t *ends, uint32_t i)
{
	unsigned level = 0;

	while ((p->used & 1u << level) == 0 || ends[level] != i)
		level++;
	return level;
}

static void
place_free(struct parking_lot *l, uint32_t i)
{
	struct parking_place *m = &l->places[i];
	struct parking *p = m->at;
	unsigned level;

	if (m->prev == NONE && m->next == NONE) {
		p->used &= ~(1u << level_of(p, p->first, i));
	} else if (m->prev == NONE) {
		level = level_of(p, p->first, i);
		p->first[level] = m->next;
		l->places[m->next].prev = NONE;
	} else if (m->next == NONE) {
		level = level_of(p, p->last, i);
		p->last[level] = m->prev;
		l->places[m->prev].next = NONE;
	} else {
		l->places[m->prev].next = m->next;
		l->places[m->next].prev = m->prev;
	}
	count(p, (size_t)-1);
	m->other = l->free_first;
	l->free_first = i + 1;
}

/* True if another place at P may be had, of those from I on. */
static bool
may_stand(const struct parking_lot *l, const struct parking *p, uint32_t i)
{
	unsigned n = 0;

	for (; i != NONE; i = l->places[i].other, n++)
		if (l->places[i].at == p)
			return false;
	return n < PARKING_PLACES;
}

/* Of two turns, the first; there are never so many that they come round. */
static bool
is_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static uint32_t
turn_of(const struct parking_lot *l, struct index *x, uint32_t i)
{
	return index_at(x, l->places[i].slot)->heap_at;
}

/* The turn of a message that is parked nowhere yet: as before, or a new one. */
static uint32_t
turn_new(struct parking_lot *l, const struct known *k)
{
	if (k->next != INDEX_NONE)
		return k->next;
	if (++l->turns == INDEX_NONE)
		l->turns = 0;
	return l->turns;
}

/* Who goes before TURN at LEVEL of P, which has somebody; NONE: nobody does. */
static uint32_t
find_before(const struct parking_lot *l, const struct parking *p,
    struct index *x, unsigned level, uint32_t turn)
{
	uint32_t i = p->first[level], last = p->last[level];
	uint32_t before = turn - turn_of(l, x, i);
	uint32_t behind = turn_of(l, x, last) - turn;

	if (is_before(turn, turn_of(l, x, i)))
		return NONE;
	/* From the end that is nearer, as it seems. */
	if (is_before(turn, turn_of(l, x, last)) && before < behind) {
		while (is_before(turn_of(l, x, l->places[i].next), turn))
			i = l->places[i].next;
		return i;
	}
	while (is_before(turn, turn_of(l, x, last)))
		last = l->places[last].prev;
	return last;
}

/* Puts I into the line of LEVEL. */
static void
place_link(struct parking_lot *l, struct parking *p, struct index *x,
    unsigned level, uint32_t i)
{
	struct parking_place *m = &l->places[i];

	m->prev = m->next = NONE;
	if ((p->used & 1u << level) == 0) {
		p->used |= 1u << level;
		p->first[level] = p->last[level] = i;
		return;
	}
	m->prev = find_before(l, p, x, level, turn_of(l, x, i));
	if (m->prev == NONE) {
		m->next = p->first[level];
		p->first[level] = i;
	} else {
		m->next = l->places[m->prev].next;
		l->places[m->prev].next = i;
	}
	if (m->next == NONE)
		p->last[level] = i;
	else
		l->places[m->next].prev = i;
}

bool
parking_add(struct parking_lot *l, struct parking *p, struct index *x,
    int priority, uint32_t slot)
{
	unsigned level = (unsigned)(priority + ENVELOPE_PRIORITY_MAX);
	struct known *k = index_at(x, slot);
	uint32_t i, others = k->state == KNOWN_PARKED ? k->next : NONE;

	if (!may_stand(l, p, others))
		return false;
	if (k->state != KNOWN_PARKED)
		k->heap_at = turn_new(l, k);
	i = place_new(l);
	l->places[i] = (struct parking_place){ .at = p, .slot = slot, .other = others };
	place_link(l, p, x, level, i);
	count(p, 1);
	k->state = KNOWN_PARKED;
	k->next = i;
	return true;
}

void
parking_leave(struct parking_lot *l, struct index *x, uint32_t slot)
{
	struct known *k = index_at(x, slot);
	uint32_t next;

	for (uint32_t i = k->next; i != NONE; i = next) {
		next = l->places[i].other;
		place_free(l, i);
	}
	k->next = k->heap_at;
	k->state = KNOWN_BUSY;
}

void
parking_forget(struct index *x, uint32_t slot)
{
	index_at(x, slot)->next = INDEX_NONE;
}

/* ---- whose turn it is -------------------------------------------------------- */

static unsigned
next_level(struct parking *p)
{
	unsigned level = PARKING_LEVELS - 1;

	if (++p->turn % SHARED_TURN != 0) {
		while ((p->used & 1u << level) == 0)
			level--;
		return level;
	}
	do
		p->shared = (p->shared + 1) % PARKING_LEVELS;
	while ((p->used & 1u << p->shared) == 0);
	return p->shared;
}

uint32_t
parking_take(struct parking_lot *l, struct parking *p, struct index *x)
{
	uint32_t slot;

	if (p->used == 0)
		return INDEX_NONE;
	slot = l->places[p->first[next_level(p)]].slot;
	parking_leave(l, x, slot);
	return slot;
}

void
parking_sweep(const struct parking_lot *l, const struct parking *p,
    void (*fn)(void *arg, uint32_t slot), void *arg)
{
	uint32_t i, next;

	for (unsigned level = 0; level < PARKING_LEVELS; level++) {
		i = (p->used & 1u << level) != 0 ? p->first[level] : NONE;
		for (; i != NONE; i = next) {
			/* A message stands in a line once: the next is another's. */
			next = l->places[i].next;
			fn(arg, l->places[i].slot);
		}
	}
}
