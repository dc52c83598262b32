/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_MEM_H
#define LIB_MEM_H

/* mem -- the heap, for what outlives an arena.  Out of memory is fatal(). */

#include "lib/str.h"

void *mem_alloc(size_t n) MUST_USE;	/* zeroed */
/* The same without the zeroes, for what is written before it is read. */
void *mem_room(size_t n) MUST_USE;
void *mem_array(size_t n, size_t size) MUST_USE;
/* Grows P to hold N elements of SIZE; new bytes are not zeroed. */
void *mem_grow(void *p, size_t n, size_t size) MUST_USE;
char *mem_dup(struct str s) MUST_USE;	/* with a NUL behind it */
void mem_free(void *p);			/* NULL is fine */
/*
 * Called by a child that was forked and goes on without exec: what is
 * allocated from now on lies on pages that its parent never wrote to, so that
 * nothing has to be copied for it.
 */
void mem_forked(void);
/*
 * Children that are forked from now on have not the N octets of the mapping at P:
 * one that looked would end by a signal.
 */
void mem_withhold(void *p, size_t n);
/* Overwrites N bytes at P in a way the compiler keeps. */
void mem_wipe(void *p, size_t n);
/* Compares in a time that depends on N only. */
bool mem_same(const void *a, const void *b, size_t n);

#endif
