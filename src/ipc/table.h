/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_TABLE_H
#define IPC_TABLE_H

/*
 * table -- numbers under numbers, of a fixed capacity: the scoreboard's
 * private index.  A value of 0 is the same as no entry.
 */

#include <stddef.h>
#include <stdint.h>

struct table_cell;

struct table {
	struct table_cell *cells;
	size_t mask;
	uint64_t seed;
};

/* Holds CAPACITY entries; one more is a bug. */
void table_init(struct table *t, size_t capacity);
void table_free(struct table *t);
size_t table_get(const struct table *t, uint64_t key);
void table_put(struct table *t, uint64_t key, size_t value);

#endif
