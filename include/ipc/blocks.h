/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_BLOCKS_H
#define IPC_BLOCKS_H

/*
 * blocks -- networks that are refused for a time: a table of fixed size in
 * shared memory, all zero at first.
 *
 * Sessions put in who guesses passwords, baridctl whom somebody does not want;
 * the master looks at each client.  Times are clock_ms().
 */

#include <stdatomic.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/ip_range.h"

#define BLOCKS_MAX 4096
#define BLOCK_WHY_MAX 95

struct block {
	struct ip_range net;
	int64_t until_ms;	/* INT64_MAX: for ever */
	bool by_hand;
	char why[BLOCK_WHY_MAX + 1];	/* foreign to whoever reads it */
};

struct blocks {
	_Atomic size_t used;	/* places from here on were never taken */
	_Atomic int64_t until[BLOCKS_MAX];	/* 0: free */
	_Atomic uint64_t version[BLOCKS_MAX];	/* odd: being written */
	struct block v[BLOCKS_MAX];
};

/*
 * B is in force from now on, in the place of what there was for just that
 * network; but what was put in by hand stays that, and a session's only lets
 * it last longer.  When there is no room the one of a session goes that would end
 * first; false: all were put in by hand.
 */
bool blocks_add(struct blocks *t, const struct block *b, int64_t now) MUST_USE;
/* Takes out what there is for just that network; false: nothing. */
bool blocks_remove(struct blocks *t, const struct ip_range *net, int64_t now);
/* Whether the address (4 or 16 octets) is in one; COPY gets it. */
bool blocks_find(struct blocks *t, int family, const void *octets, int64_t now,
    struct block *copy);
/* Copies the one at place I; false: there is none.  For I < BLOCKS_MAX. */
bool blocks_at(struct blocks *t, size_t i, int64_t now, struct block *copy);

#endif
