/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * S-49.  Any header in UTF-8: what is made of it is ASCII as long as it is fields,
 * ends as it did, and has as many fields as before, none of which has come
 * from within another.
 *
 * Parsers: mail/surrogate.c.
 */

#include <stdlib.h>

#include "mail/header.h"
#include "mail/surrogate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

/* How many fields HEADER has before what is none. */
static size_t
fields(struct str header, bool *whole)
{
	struct field f;
	size_t n = 0;
	int r;

	while ((r = field_next(&header, &f)) == 1)
		n++;
	*whole = r == 0 && header.n == 0;
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = str_n((const char *)data, n);
	struct arena arena;
	struct buf out;
	bool before, after;
	size_t count;

	if (n > 100000 || !surrogate_needed(in))
		return 0;
	arena_init(&arena, 32u << 20);
	buf_init(&out, 32u << 20);
	surrogate_add(&arena, in, &out);
	check(buf_ok(&out));
	count = fields(in, &before);
	check(fields(buf_str(&out), &after) == count || !before);
	check(!before || after);
	check(!before || !str_has_8bit(buf_str(&out)));
	buf_free(&out);
	arena_free(&arena);
	return 0;
}
