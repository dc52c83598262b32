/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * arena -- memory that is given back all at once.
 *
 * A list of blocks; the first is the one that is being filled.  A request
 * that is large for a block gets one of its own behind it, so that the rest
 * of the first is not lost.  The cap counts what was asked for, rounded up
 * to the alignment, since the last reset.
 */

#include "lib/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <sysexits.h>

#include "build.h"
#include "fmt.h"
#include "lib/log.h"
#include "lib/mem.h"

#define ARENA_BLOCK 4064	/* with its head and malloc's: a page */
#define ARENA_ALIGN _Alignof(max_align_t)

struct arena_block {
	struct arena_block *next;
	size_t size;
	size_t at;
	_Alignas(max_align_t) unsigned char data[];
};

void
arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){ .max = max };
}

static void
free_from(struct arena_block *b)
{
	while (b != NULL) {
		struct arena_block *next = b->next;

		mem_free(b);
		b = next;
	}
}

void
arena_reset(struct arena *a)
{
	struct arena_block *keep = a->first;

	a->used = 0;
	if (keep == NULL)
		return;
	if (BUILD_ASAN || keep->size > ARENA_BLOCK) {
		arena_free(a);
		return;
	}
	free_from(keep->next);
	keep->next = NULL;
	memset(keep->data, 0, keep->at);
	keep->at = 0;
}

void
arena_free(struct arena *a)
{
	free_from(a->first);
	arena_init(a, a->max);
}

void
arena_wipe(struct arena *a)
{
	for (struct arena_block *b = a->first; b != NULL; b = b->next)
		mem_wipe(b->data, b->at);
	arena_free(a);
}

static struct arena_block *
block_new(size_t size)
{
	struct arena_block *b = mem_alloc(sizeof(*b) + size);

	b->size = size;
	return b;
}

/* A block with at least N bytes free, put where it belongs in the list. */
static struct arena_block *
block_for(struct arena *a, size_t n)
{
	struct arena_block *b = a->first;

	if (b != NULL && b->size - b->at >= n)
		return b;
	if (b != NULL && (BUILD_ASAN || n > ARENA_BLOCK / 4)) {
		struct arena_block *own = block_new(n);

		own->next = b->next;
		b->next = own;
		return own;
	}
	b = block_new(BUILD_ASAN || n > ARENA_BLOCK ? n : ARENA_BLOCK);
	b->next = a->first;
	a->first = b;
	return b;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *b;
	size_t round = n > 0 ? n : 1;
	void *p;

	if (n > a->max || a->max - n < a->used)
		fatal(EX_TEMPFAIL, "out of memory (arena of %zu bytes)",
		    a->max);
	/* ASan watches the bytes behind the request, not behind the block. */
	if (!BUILD_ASAN)
		round = (round + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
	b = block_for(a, round);
	p = b->data + b->at;
	b->at += round;
	a->used += n;
	return p;
}

struct str
arena_str(struct arena *a, struct str s)
{
	return str_n(arena_cstr(a, s), s.n);
}

char *
arena_cstr(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

struct str
arena_lower(struct arena *a, struct str s)
{
	char *p = arena_cstr(a, s);

	for (size_t i = 0; i < s.n; i++)
		p[i] = char_lower(p[i]);
	return str_n(p, s.n);
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	int len;
	char *p;

	va_start(ap, fmt);
	len = fmt_put(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		panic("arena_printf: bad format \"%s\"", fmt);
	p = arena_alloc(a, (size_t)len + 1);
	va_start(ap, fmt);
	fmt_put(p, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return p;
}

