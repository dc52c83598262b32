/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The journal's reader: the order of files, going on, what is not complete. */

#include "tmpjournal.h"

struct got {
	struct buf lines;
	size_t n;
};

static void
on_line(void *arg, const char *file, uint64_t number, struct str line)
{
	struct got *g = arg;

	g->n++;
	buf_addf(&g->lines, "%.10s.%llu:" STR_FMT " ", file,
	    (unsigned long long)number, STR_ARG(str_head(line, 8)));
}

static const char *
more(struct journal_reader *r, struct got *g)
{
	buf_reset(&g->lines);
	g->n = 0;
	ck_assert_int_eq(journal_read(r, on_line, g), 0);
	return buf_cstr(&g->lines);
}

START_TEST(reads)
{
	struct tmpjournal t;
	struct journal_reader *r;
	struct got g = { .n = 0 };

	tmpjournal_begin(&t);
	buf_init(&g.lines, 4 << 20);
	ck_assert_ptr_null(journal_reader_open(t.dir, 0));
	ck_assert_int_eq(errno, ENOENT);
	journal_reader_close(NULL);
	ck_assert_int_eq(mkdir(tmpjournal_path(&t, ""), 0700), 0);
	r = journal_reader_open(t.dir, 0);
	ck_assert_ptr_nonnull(r);
	ck_assert_int_eq(journal_oldest(r), INT64_MAX);
	ck_assert_str_eq(more(r, &g), "");
	tmpjournal_put(&t, "2026-01-02.0.001.jsonl", "d1\nd2\n");
	tmpjournal_put(&t, "2026-01-02.0.000.jsonl", "c1\n\n");
	tmpjournal_put(&t, "2026-01-01.9.000.jsonl", "b1\nhalf");
	tmpjournal_put(&t, "2026-01-01.2.000.jsonl", "a1\n");
	tmpjournal_put(&t, "other", "x\n");
	/* Numbers as nobody here writes them: no file of the journal. */
	tmpjournal_put(&t, "2025-12-31.0.1.jsonl", "y\n");
	ck_assert_str_eq(more(r, &g),
	    "2026-01-01.1:a1 2026-01-01.1:b1 2026-01-02.1:c1 2026-01-02.1:d1 "
	    "2026-01-02.2:d2 ");
	ck_assert_uint_eq(journal_torn(r), 1);
	ck_assert_int_eq(journal_oldest(r),
	    INT64_C(1767225600) * 1000000);
	/* Only what came since. */
	ck_assert_str_eq(more(r, &g), "");
	tmpjournal_put(&t, "2026-01-01.9.000.jsonl", " a line\nmore\n");
	ck_assert_str_eq(more(r, &g), "2026-01-01.2:half a l 2026-01-01.3:more ");
	ck_assert_uint_eq(journal_torn(r), 0);
	journal_rewind(r);
	ck_assert_int_eq(unlink(tmpjournal_path(&t, "2026-01-01.2.000.jsonl")),
	    0);
	(void)more(r, &g);
	ck_assert_uint_eq(g.n, 6);
	journal_reader_close(r);
	/* From a day on. */
	r = journal_reader_open(t.dir, INT64_C(1767312000) * 1000000 + 5);
	(void)more(r, &g);
	ck_assert_uint_eq(g.n, 3);
	journal_reader_close(r);
	buf_free(&g.lines);
	tmpjournal_end(&t);
}
END_TEST

/* Files larger than a block, and what was never a journal. */
START_TEST(large)
{
	struct tmpjournal t;
	struct journal_reader *r;
	struct got g = { .n = 0 };
	FILE *f;

	tmpjournal_begin(&t);
	buf_init(&g.lines, 8 << 20);
	ck_assert_int_eq(mkdir(tmpjournal_path(&t, ""), 0700), 0);
	f = fopen(tmpjournal_path(&t, "2026-01-02.0.000.jsonl"), "w");
	for (int i = 0; i < 30000; i++)
		fprintf(f, "%099d\n", i);
	for (int i = 0; i < 3000000; i++)
		fputc('x', f);
	fputs("\nlast\n", f);
	fclose(f);
	r = journal_reader_open(t.dir, 0);
	(void)more(r, &g);
	ck_assert_uint_ge(g.n, 30001);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&g.lines), ":last "));
	journal_reader_close(r);
	buf_free(&g.lines);
	tmpjournal_end(&t);
}
END_TEST

UNIT_MAIN("ipc/journal_read", reads, large)
