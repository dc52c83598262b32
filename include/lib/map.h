/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_MAP_H
#define LIB_MAP_H

/*
 * map -- a hash table from byte strings to pointers.
 *
 * Keys are copied; values are the caller's.  Open addressing, seeded hash,
 * grows by doubling.  Out of memory is fatal().
 */

#include "lib/str.h"

struct map;

struct map *map_new(void) MUST_USE;
void map_free(struct map *m);
size_t map_count(const struct map *m);
/* The value under KEY, or NULL. */
void *map_get(const struct map *m, struct str key);
/* Puts VALUE (not NULL) under KEY; returns what was there, or NULL. */
void *map_put(struct map *m, struct str key, void *value);
/* Removes KEY; returns its value, or NULL. */
void *map_del(struct map *m, struct str key);
/*
 * Visits every pair: start with *AT = 0 and go on while it returns true.
 * Between calls only the key just returned may be deleted.
 */
bool map_next(const struct map *m, size_t *at, struct str *key, void **value);

#endif
