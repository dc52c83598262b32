/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * S-49.  Any header in UTF-8: what is made of it is ASCII as long as it is fields,
 * ends as it did, and has as many fields as before, none of which has come
 * from within another.  And any message: it becomes the same in whatever pieces
 * it comes, within the bound, and stays the same if it is ASCII.
 *
 * Parsers: mail/surrogate.c mail/surrogate_view.c.
 */

#include "fuzz.h"

#include "mail/header.h"
#include "mail/surrogate.h"

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

static void
view(struct str in, size_t step, struct buf *out)
{
	struct surrogate_view *v = surrogate_view_new();

	buf_init(out, 32u << 20);
	for (size_t at = 0; at < in.n; at += step)
		surrogate_view_add(v, str_head(str_skip(in, at), step), out);
	surrogate_view_end(v, out);
	surrogate_view_free(v);
	check(buf_ok(out) && out->n <= SURROGATE_GROWTH * in.n);
}

static void
views(struct str in)
{
	struct buf whole, pieces;

	view(in, in.n + 1, &whole);
	view(in, 1 + in.n % 7, &pieces);
	check(str_eq(buf_str(&whole), buf_str(&pieces)));
	check(str_has_8bit(in) || str_eq(buf_str(&whole), in));
	buf_free(&whole);
	buf_free(&pieces);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = str_n((const char *)data, n);
	struct arena arena;
	struct buf out;
	bool before, after;
	size_t count;

	if (n > 100000)
		return 0;
	views(in);
	if (!surrogate_needed(in))
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
