/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * mem_young -- memory for a process that was forked a moment ago.
 *
 * What malloc() gives a forked child lies in the holes of its parent's heap,
 * and each page of it is copied when the child first writes to it: a TLS
 * handshake copies fifty.  Here is memory that the parent never touched.  It
 * is taken from front to back and packed close; what is given back is kept
 * by its size for the next who wants as much.  A short session needs no
 * other, a long one goes on with malloc() when this is used up.
 *
 * One for the process, and for one thread.  A sanitizer sees every piece on
 * its own only by malloc(), so that its build has no young memory.
 */

#include "mem_young.h"

#include <stdint.h>
#include <string.h>

#include "build.h"
#include "lib/attr.h"
#include "lib/log.h"

#define YOUNG_SIZE ((size_t)1024 * 1024)
/* What is larger would leave too little to others. */
#define PIECE_MAX (YOUNG_SIZE / 4)
#define PAGE 4096
#define ALIGN 16

/* Sizes in steps of ALIGN to SMALL_MAX, then four to each doubling. */
#define SMALL_MAX 1024
#define SMALL_BITS 10
#define SMALL_CLASSES (SMALL_MAX / ALIGN)
#define CLASSES (SMALL_CLASSES + 4 * 9)

/* Before each piece. */
struct head {
	_Alignas(ALIGN) size_t n;
};

/* In a piece that was given back. */
struct gone {
	struct gone *next;
};

static _Alignas(PAGE) unsigned char young[YOUNG_SIZE];
/* Behind USED all is zero. */
static SESSION_WRITES size_t used;
static SESSION_WRITES bool on;
static SESSION_WRITES struct gone *given[CLASSES];

void
young_begin(void)
{
	on = !BUILD_ASAN;
}

bool
young_has(const void *p)
{
	const unsigned char *c = p;

	return c >= young && c < young + sizeof(young);
}

static struct head *
head_of(void *p)
{
	return (struct head *)p - 1;
}

size_t
young_size(void *p)
{
	return head_of(p)->n;
}

/* The class of N octets; they become as many as all of that class have. */
static size_t
class_of(size_t *n)
{
	size_t bits = SMALL_BITS, step;

	if (*n <= SMALL_MAX) {
		*n = *n > 0 ? (*n + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
		return *n / ALIGN - 1;
	}
	while (*n > (size_t)2 << bits)
		bits++;
	step = (size_t)1 << (bits - 2);
	*n = (*n + step - 1) / step * step;
	return SMALL_CLASSES + 4 * (bits - SMALL_BITS) +
	    (*n - ((size_t)1 << bits)) / step - 1;
}

static void *
take_again(size_t class)
{
	struct gone *g = given[class];

	/* Whoever wrote to it after he gave it back is not to lead us elsewhere. */
	if (g->next != NULL && !young_has(g->next))
		panic("memory was written to after it was given back");
	given[class] = g->next;
	return g;
}

void *
young_take(size_t n, bool zeroed)
{
	struct head *h = (struct head *)(void *)(young + used);
	size_t wanted = n, class;
	void *p;

	if (!on || n > PIECE_MAX)
		return NULL;
	class = class_of(&n);
	if (given[class] != NULL) {
		p = take_again(class);
		return zeroed ? memset(p, 0, wanted) : p;
	}
	if (sizeof(young) - used < sizeof(*h) + n)
		return NULL;
	h->n = n;
	used += sizeof(*h) + n;
	return h + 1;
}

void
young_give(void *p)
{
	size_t n = young_size(p), class = class_of(&n);
	struct gone *g = p;

	g->next = given[class];
	given[class] = g;
}
