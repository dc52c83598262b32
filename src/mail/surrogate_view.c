/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * surrogate_view -- a message as a reader of ASCII gets it.
 *
 * A header is held back until it ends, then it goes as surrogate.c makes it;
 * all else goes as it is.  A header that is larger than any that we take, is
 * not UTF-8, or would become many times as large, stays what it is: the
 * message can be read in any case.
 */

#include "mail/surrogate.h"

#include "lib/mem.h"
#include "mail/limits.h"
#include "mail/mime.h"

/* Each address of a list takes a little. */
#define ARENA_MAX (32u << 20)

struct surrogate_view {
	struct mime_lines lines;
	struct mime_walk walk;
	struct buf header;	/* of the part, as far as it was read */
	struct buf made;	/* what it becomes */
	enum mime_line what;	/* is the line that is being read */
	bool as_it_is;		/* the rest of this header, too */
};

struct surrogate_view *
surrogate_view_new(void)
{
	struct surrogate_view *v = mem_alloc(sizeof(*v));

	mime_lines_init(&v->lines);
	mime_walk_init(&v->walk);
	v->walk.global = true;
	buf_init(&v->header, SURROGATE_HEADER_MAX);
	buf_init(&v->made, SURROGATE_MADE_MAX);
	return v;
}

void
surrogate_view_free(struct surrogate_view *v)
{
	if (v == NULL)
		return;
	mime_lines_free(&v->lines);
	mime_walk_free(&v->walk);
	buf_free(&v->header);
	buf_free(&v->made);
	mem_free(v);
}

static bool
is_in_header(enum mime_line what)
{
	return what == MIME_FIELD || what == MIME_MORE ||
	    what == MIME_BROKEN || what == MIME_BLANK;
}

static void
piece_add(struct buf *out, const struct mime_piece *p)
{
	buf_add(out, p->bytes);
	if (p->cr)
		buf_addc(out, '\r');
	if (p->lf)
		buf_addc(out, '\n');
}

/* The header is over, or as much as there is of it. */
static void
end_header(struct surrogate_view *v, struct buf *out)
{
	struct str header = buf_str(&v->header);
	struct arena a;

	v->as_it_is = false;
	if (header.n == 0)
		return;
	/* What is signed would not be what was signed. */
	if (!v->walk.part.sealed && surrogate_needed(header)) {
		arena_init(&a, ARENA_MAX);
		surrogate_add(&a, header, &v->made);
		arena_free(&a);
		if (buf_ok(&v->made) &&
		    v->made.n / SURROGATE_GROWTH <= header.n)
			header = buf_str(&v->made);
	}
	buf_add(out, header);
	buf_reset(&v->header);
	buf_reset(&v->made);
}

static void
add_piece(struct surrogate_view *v, const struct mime_piece *p, struct buf *out)
{
	if (p->first) {
		v->what = mime_walk_line(&v->walk, p->bytes);
		if (!is_in_header(v->what))
			end_header(v, out);
	}
	if (!is_in_header(v->what)) {
		piece_add(out, p);
		return;
	}
	if (v->header.n + p->bytes.n + 2 > SURROGATE_HEADER_MAX) {
		buf_add(out, buf_str(&v->header));
		buf_reset(&v->header);
		v->as_it_is = true;
	}
	piece_add(v->as_it_is ? out : &v->header, p);
	if (p->last && v->what == MIME_BLANK)
		end_header(v, out);
}

void
surrogate_view_add(struct surrogate_view *v, struct str text, struct buf *out)
{
	struct mime_piece p;

	mime_lines_add(&v->lines, text);
	while (mime_lines_next(&v->lines, false, &p))
		add_piece(v, &p, out);
}

void
surrogate_view_end(struct surrogate_view *v, struct buf *out)
{
	struct mime_piece p;

	while (mime_lines_next(&v->lines, true, &p))
		add_piece(v, &p, out);
	end_header(v, out);
}
