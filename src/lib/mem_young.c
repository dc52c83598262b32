/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * mem_young -- memory for a process that was forked a moment ago.
 *
 * What malloc() gives a forked child lies on the pages of its parent's heap,
 * and each of them is copied when the child first writes to it: a session
 * that asks for a dozen small pieces copies a dozen pages.  Here is memory
 * that the parent never touched.  It is taken from front to back and packed
 * close; only what was taken last can be given back, which is what a buffer
 * that grows and an arena do.  A short session needs no other, a long one
 * goes on with malloc() when this is used up.
 *
 * One for the process, and for one thread.  A sanitizer sees every piece on
 * its own only by malloc(), so that its build has no young memory.
 */

#include "mem_young.h"

#include <stdint.h>
#include <string.h>

#include "build.h"
#include "lib/attr.h"

#define YOUNG_SIZE ((size_t)256 * 1024)
#define PAGE 4096
#define ALIGN 16

/* Before each piece. */
struct head {
	_Alignas(ALIGN) size_t n;
};

static _Alignas(PAGE) unsigned char young[YOUNG_SIZE];
static SESSION_WRITES size_t used;
static SESSION_WRITES bool on;

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

void *
young_take(size_t n)
{
	struct head *h = (struct head *)(void *)(young + used);
	size_t room = sizeof(young) - used;

	if (!on || n > sizeof(young) - ALIGN)
		return NULL;
	n = (n + ALIGN - 1) / ALIGN * ALIGN;
	if (room < sizeof(*h) || room - sizeof(*h) < n)
		return NULL;
	h->n = n;
	used += sizeof(*h) + n;
	return h + 1;
}

void
young_give(void *p)
{
	struct head *h = head_of(p);
	unsigned char *start = (unsigned char *)h;

	if ((unsigned char *)p + h->n != young + used)
		return;
	used = (size_t)(start - young);
	/* Whoever takes it next finds zeroes, as at first. */
	memset(start, 0, sizeof(*h) + h->n);
}
