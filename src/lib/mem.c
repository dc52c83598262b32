/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * mem -- the heap.
 *
 * No caller sees a failed allocation: a process that is out of memory says
 * so and ends with EX_TEMPFAIL, and its peer, or the caller of sendmail,
 * tries again.  A size that overflows is treated the same.  A forked child
 * begins with memory of its own (mem_young.c).
 */

#include "lib/mem.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>

#include "lib/log.h"
#include "mem_young.h"

NORETURN static void
out_of_memory(size_t n, size_t size)
{
	fatal(EX_TEMPFAIL, "out of memory (%zu times %zu bytes)", n, size);
}

void *
mem_alloc(size_t n)
{
	return mem_array(1, n);
}

void
mem_forked(void)
{
	young_begin();
}

/* N pieces of SIZE; NULL: malloc's business. */
static void *
take_young(size_t n, size_t size, bool zeroed)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all))
		return NULL;
	return young_take(all, zeroed);
}

void *
mem_room(size_t n)
{
	void *p = take_young(1, n, false);

	if (p != NULL)
		return p;
	p = malloc(n > 0 ? n : 1);

	if (p == NULL)
		out_of_memory(1, n);
	return p;
}

void *
mem_array(size_t n, size_t size)
{
	void *p = take_young(n, size, true);

	if (p != NULL)
		return p;
	/* calloc(0) may give NULL, and callers need not ask. */
	p = n > 0 && size > 0 ? calloc(n, size) : calloc(1, 1);
	if (p == NULL)
		out_of_memory(n, size);
	return p;
}

/* What young memory at P holds, in a piece of N times SIZE. */
static void *
grow_young(void *p, size_t n, size_t size)
{
	size_t had = young_size(p), all;
	void *q;

	if (__builtin_mul_overflow(n, size, &all))
		out_of_memory(n, size);
	if (all <= had)
		return p;
	q = mem_room(all);
	memcpy(q, p, had);
	young_give(p);
	return q;
}

void *
mem_grow(void *p, size_t n, size_t size)
{
	void *q;

	if (young_has(p))
		return grow_young(p, n, size);
	q = p == NULL ? take_young(n, size, false) : NULL;
	if (q != NULL)
		return q;
	q = n > 0 && size > 0 ? reallocarray(p, n, size) : realloc(p, 1);
	if (q == NULL)
		out_of_memory(n, size);
	return q;
}

char *
mem_dup(struct str s)
{
	char *p = mem_alloc(s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

void
mem_free(void *p)
{
	if (young_has(p))
		young_give(p);
	else if (p != NULL)
		free(p);
}

void
mem_withhold(void *p, size_t n)
{
	/* Where that is not to be had, it is only slower. */
	(void)madvise(p, n, MADV_DONTFORK);
}

void
mem_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

bool
mem_same(const void *a, const void *b, size_t n)
{
	const volatile unsigned char *x = a;
	const volatile unsigned char *y = b;
	unsigned char differ = 0;

	for (size_t i = 0; i < n; i++)
		differ |= x[i] ^ y[i];
	return differ == 0;
}
