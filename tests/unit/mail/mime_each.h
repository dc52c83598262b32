/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_MIME_EACH_H
#define TESTS_MIME_EACH_H

/* mime_each -- the lines of a message, one after the other. */

#include "mail/mime.h"

/* Has FN told what each line of TEXT is, and W what is known with it. */
static inline void
mime_each(struct str text, void (*fn)(struct buf *out, const struct mime_walk *w, enum mime_line what),
    struct buf *out)
{
	struct mime_walk w;
	struct mime_lines l;
	struct mime_piece p;

	mime_walk_init(&w);
	mime_lines_init(&l);
	mime_lines_add(&l, text);
	while (mime_lines_next(&l, true, &p))
		if (p.first) {
			enum mime_line what = mime_walk_line(&w, p.bytes);

			fn(out, &w, what);
		}
	mime_walk_free(&w);
	mime_lines_free(&l);
}

#endif
