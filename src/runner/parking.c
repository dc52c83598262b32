/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * parking -- messages that stand behind a destination, by priority.
 *
 * Each priority has a list of slots of the index, linked there, so that a
 * message costs nothing more.  Within one priority who came first goes first.
 * Between them the higher goes first; but every fourth time another has its
 * turn, all of them one after the other, so that neither a flood of urgent
 * mail can hold up the rest for ever, nor the rest what is urgent.
 */

#include "parking.h"

#define SHARED_TURN 4

void
parking_add(struct parking *p, struct index *x, int priority, uint32_t slot)
{
	unsigned level = (unsigned)(priority + ENVELOPE_PRIORITY_MAX);

	index_at(x, slot)->state = KNOWN_PARKED;
	index_at(x, slot)->next = INDEX_NONE;
	if ((p->used & 1u << level) == 0)
		p->first[level] = slot;
	else
		index_at(x, p->last[level])->next = slot;
	p->last[level] = slot;
	p->used |= 1u << level;
}

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
parking_take(struct parking *p, struct index *x)
{
	unsigned level;
	uint32_t slot;

	if (p->used == 0)
		return INDEX_NONE;
	level = next_level(p);
	slot = p->first[level];
	p->first[level] = index_at(x, slot)->next;
	if (p->first[level] == INDEX_NONE)
		p->used &= ~(1u << level);
	index_at(x, slot)->state = KNOWN_BUSY;
	return slot;
}

static void
sweep_level(struct parking *p, struct index *x, unsigned level,
    bool (*fn)(void *arg, uint32_t slot), void *arg)
{
	uint32_t slot = p->first[level], last = INDEX_NONE, next;

	for (; slot != INDEX_NONE; slot = next) {
		next = index_at(x, slot)->next;
		if (!fn(arg, slot)) {
			last = slot;
			continue;
		}
		if (last == INDEX_NONE)
			p->first[level] = next;
		else
			index_at(x, last)->next = next;
	}
	p->last[level] = last;
	if (last == INDEX_NONE)
		p->used &= ~(1u << level);
}

void
parking_sweep(struct parking *p, struct index *x,
    bool (*fn)(void *arg, uint32_t slot), void *arg)
{
	for (unsigned level = 0; level < PARKING_LEVELS; level++)
		if ((p->used & 1u << level) != 0)
			sweep_level(p, x, level, fn, arg);
}
