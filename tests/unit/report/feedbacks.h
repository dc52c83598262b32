/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_REPORT_FEEDBACKS_H
#define TESTS_REPORT_FEEDBACKS_H

/* feedbacks -- a report that is read, as one line: "kind why|name=value ...|name=value ...|+LEFT". */

#include "ipc/feedback.h"
#include "lib/mem.h"
#include "unit.h"

static struct arena feedback_arena;

static inline void
feedback_begin(struct feedback *f, size_t rows)
{
	arena_reset(&feedback_arena);
	feedback_arena.max = (size_t)8 << 20;
	feedback_init(f, &feedback_arena, rows);
}

static inline void
feedback_line_row(struct buf *b, const struct feedback_row *row)
{
	for (size_t i = 0; i < row->n; i++) {
		buf_adds(b, i > 0 ? " " : "");
		buf_adds(b, feedback_name(row->facts[i].name));
		buf_addc(b, '=');
		buf_add(b, row->facts[i].value);
	}
}

static inline void
feedback_is(const struct feedback *f, const char *want)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_adds(&b, f->kind);
	buf_addc(&b, '|');
	feedback_line_row(&b, &f->head);
	for (size_t i = 0; i < f->row_n; i++) {
		buf_addc(&b, '|');
		feedback_line_row(&b, &f->rows[i]);
	}
	if (f->row_total > f->row_n) {
		buf_adds(&b, "|+");
		buf_addu(&b, f->row_total - f->row_n);
	}
	ck_str(buf_str(&b), str_c(want));
	buf_free(&b);
}

#endif
