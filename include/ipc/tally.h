/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_TALLY_H
#define IPC_TALLY_H

/*
 * tally -- what many processes count under keys, and time takes back: wrong
 * passwords, messages, recipients.
 *
 * A number under a key is a point in time: that at which all that was counted
 * is forgotten again (the generic cell rate algorithm).  To count is to move
 * it on by a COST, so that a key that may have N of something in a time PER is
 * counted with a cost of PER/N.  All times are microseconds of one clock.
 *
 * The memory is fixed, and all zero at first; there are no locks, so that who
 * is killed holds none.  A key that is new takes the place of the one that
 * has the least against it among eight, or none: who comes with a million
 * names pushes nobody out that has more against him.
 */

#include <stdatomic.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/str.h"

#define TALLY_SETS 2048
#define TALLY_WAYS 8

struct tally_cell {
	_Atomic uint64_t key;		/* 0: free */
	_Atomic int64_t until;		/* from then on nothing is counted */
};

struct tally {
	_Alignas(64) struct tally_cell cells[TALLY_SETS * TALLY_WAYS];
};

/* A key that nobody can choose who does not know SEED; SALT tells kinds of things apart. */
uint64_t tally_key(uint64_t seed, uint64_t salt, uint64_t value);
/* The same of text, without case. */
uint64_t tally_key_str(uint64_t seed, uint64_t salt, struct str text);

/* How long it takes until KEY has nothing against it: 0 if it has nothing. */
int64_t tally_level(struct tally *t, uint64_t key, int64_t now);
/* Counts COST, up to a level of MOST.  The level after that. */
int64_t tally_add(struct tally *t, uint64_t key, int64_t now, int64_t cost, int64_t most);
/* Counts COST unless the level would be above MOST then: false, and nothing was counted. */
bool tally_take(struct tally *t, uint64_t key, int64_t now, int64_t cost, int64_t most) MUST_USE;
/* Forgets what there is against KEY. */
void tally_clear(struct tally *t, uint64_t key);
/* The highest level that a key has. */
int64_t tally_most(struct tally *t, int64_t now);
/* How many keys have something against them. */
size_t tally_count(struct tally *t, int64_t now);

#endif
