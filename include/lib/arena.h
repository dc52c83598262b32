/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_ARENA_H
#define LIB_ARENA_H

/*
 * arena -- memory that is given back all at once.
 *
 * A session has one, a transaction a second: RSET, EHLO and the end of data
 * are one arena_reset().  Out of memory, or above the cap given at init, is
 * fatal(): callers bound what they keep long before.
 */

#include "lib/str.h"

struct arena_block;

struct arena {
	struct arena_block *first;
	size_t used;
	size_t max;
};

/* Nothing is allocated before the first use. */
void arena_init(struct arena *a, size_t max);
/* Forgets everything, keeping one block for the next use. */
void arena_reset(struct arena *a);
/* Forgets everything and gives all memory back. */
void arena_free(struct arena *a);
/* The same, and overwrites it: for secrets. */
void arena_wipe(struct arena *a);

/* Zeroed and aligned for any type. */
void *arena_alloc(struct arena *a, size_t n) MUST_USE;
/* A copy of S, with a NUL behind it. */
struct str arena_str(struct arena *a, struct str s) MUST_USE;
char *arena_cstr(struct arena *a, struct str s) MUST_USE;
/* The same with ASCII letters folded. */
struct str arena_lower(struct arena *a, struct str s) MUST_USE;
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3) MUST_USE;

#endif
