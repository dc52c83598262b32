/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Reports of others, as messages and as they stand in files: whatever it is,
 * what is made of it is clean, has its bounds, and passes from process to process.
 *
 * Parsers: report/feedback_read.c report/feedback_fields.c report/feedback_dmarc.c
 * report/feedback_tls.c report/feedback_unpack.c report/xml.c mail/parts.c
 * ipc/feedback.c.
 */

#include "fuzz.h"

#include "ipc/frame.h"
#include "report/feedback_read.h"

#define ROWS 20

static void
check_row(const struct feedback_row *row)
{
	check(row->n <= FEEDBACK_FACTS_MAX);
	for (size_t i = 0; i < row->n; i++)
		check(row->facts[i].value.n > 0 &&
		    row->facts[i].value.n <= FEEDBACK_VALUE_MAX &&
		    !str_has_ctl(row->facts[i].value) && str_is_utf8(row->facts[i].value));
}

static void
check_all(const struct feedback *f)
{
	check(f->row_n <= ROWS && f->row_n <= f->row_total);
	check(f->kind[0] != '\0' || f->why != NULL);
	check_row(&f->head);
	for (size_t i = 0; i < f->row_n; i++)
		check_row(&f->rows[i]);
}

/* As barid-check answers barid-runner. */
static void
go_on(const struct feedback *f)
{
	struct feedback again;
	struct arena a;
	struct buf b;

	arena_init(&a, 1 << 22);
	buf_init(&b, FRAME_MAX);
	msg_feedback_result_put(&b, f);
	check(buf_ok(&b));
	feedback_init(&again, &a, ROWS);
	check(msg_feedback_result_get(buf_str(&b), &again));
	check(again.row_total == f->row_total && again.head.n == f->head.n &&
	    strcmp(again.kind, f->kind) == 0);
	buf_free(&b);
	arena_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = str_n((const char *)data, n);
	struct msg_feedback question;
	struct feedback f;
	struct arena a;

	arena_init(&a, 1 << 22);
	feedback_init(&f, &a, ROWS);
	feedback_read(&f, text, STR("mail.example.test"));
	check_all(&f);
	go_on(&f);
	/* And the packets themselves. */
	(void)!msg_feedback_get(text, &question);
	feedback_init(&f, &a, ROWS);
	if (msg_feedback_result_get(text, &f))
		check_row(&f.head);
	arena_free(&a);
	return 0;
}
