/* SPDX-License-Identifier: GPL-3.0-or-later */

/* eml -- plain messages: envelope from the header, text kept, line ends. */

#include "tmpspool.h"

#include <sys/time.h>

static void
took(void *arg, const char *id)
{
	struct tmpspool *t = arg;

	memcpy(t->env.id, id, QUEUE_ID_SIZE);
}

/* Drops TEXT; true if it became message t->env.id. */
static bool
import(struct tmpspool *t, struct str text)
{
	struct timeval then[2] = { { 1700000000, 0 }, { 1700000000, 0 } };
	const char *path = tmpspool_path(t, "drop", "a.EML");
	int n;

	tmpspool_file(path, text);
	ck_assert_int_eq(utimes(path, then), 0);
	n = queue_import(t->q, took, t);
	ck_assert_int_ge(n, 0);
	ck_assert(!tmpspool_has(t, "drop", "a.EML"));
	return n == 1;
}

static struct str
text_of(struct tmpspool *t, const struct queue_file *f)
{
	char *p = arena_alloc(&t->a, f->size + 1);

	ck_assert_int_eq(pread(f->fd, p, f->size, f->text_at),
	    (ssize_t)f->size);
	return str_n(p, f->size);
}

#define HEAD "To: a@b.example\nFrom: s@t.example\n"
#define HEAD_CRLF "To: a@b.example\r\nFrom: s@t.example\r\n"

START_TEST(texts)
{
	const struct {
		struct str in, out;
	} rows[] = {
		{ STR(HEAD "\nbody\n"), STR(HEAD_CRLF "\r\nbody\r\n") },
		{ STR(HEAD_CRLF "\r\nbody\r\n"),
		    STR(HEAD_CRLF "\r\nbody\r\n") },
		{ STR(HEAD "\n.\n..\n\n\n"),
		    STR(HEAD_CRLF "\r\n.\r\n..\r\n\r\n\r\n") },
		{ STR(HEAD "\nno end"), STR(HEAD_CRLF "\r\nno end\r\n") },
		{ STR(HEAD "\na\rb\r\rc\r\n"),
		    STR(HEAD_CRLF "\r\na\r\nb\r\n\r\nc\r\n") },
		{ STR(HEAD), STR(HEAD_CRLF "\r\n") },
		{ STR("To: a@b.example\nFrom: s@t.example"),
		    STR(HEAD_CRLF "\r\n") },
		{ STR("From x Mon\n" HEAD "\n\0\xff\n"),
		    STR(HEAD_CRLF "\r\n\0\xff\r\n") },
		{ STR("bCC: c@d.example,\n e@f.example\n" HEAD "\nx\n"),
		    STR(HEAD_CRLF "\r\nx\r\n") },
		{ STR("Return-Path: <q@r.example>\n" HEAD "\nx\n"),
		    STR(HEAD_CRLF "\r\nx\r\n") },
	};
	struct queue_file f;
	struct tmpspool t;

	tmpspool_begin(&t);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_msg(import(&t, rows[i].in), "row %zu", i);
		tmpspool_load(&t, QUEUE_NEW, &f);
		ck_str(text_of(&t, &f), rows[i].out);
		queue_unload(&f);
	}
	tmpspool_end(&t);
}
END_TEST

START_TEST(envelopes)
{
	/* clang-format off */
	static const struct {
		const char *head, *from, *rcpts;
	} rows[] = {
		{ HEAD, "s@t.example", "a@b.example " },
		{ "Return-Path: <r@r.example>\nSender: x@y.example\n" HEAD, "r@r.example", "a@b.example " },
		{ HEAD "Return-Path: <>\n", "", "a@b.example " },
		{ HEAD "Sender: x@y.example\n", "x@y.example", "a@b.example " },
		{ "Return-Path: not one\n" HEAD, "s@t.example", "a@b.example " },
		{ HEAD "Cc: \"C, D\" <c@d.example>, a@b.example,\n\tG: e@f.example;\nBcc: z@z.example\n",
		    "s@t.example", "a@b.example c@d.example e@f.example z@z.example " },
		{ "To:\nCc: local\nFrom: me\n", "me", "local " },
	};
	/* clang-format on */
	struct queue_file f;
	struct tmpspool t;
	struct buf b;

	buf_init(&b, 1000);
	tmpspool_begin(&t);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_msg(import(&t, str_c(arena_printf(&t.a, "%s\nx\n",
		    rows[i].head))), "row %zu", i);
		tmpspool_load(&t, QUEUE_NEW, &f);
		ck_str(path_str(&t.a, &f.env.from), str_c(rows[i].from));
		buf_reset(&b);
		for (size_t k = 0; k < f.env.rcpt_n; k++) {
			path_add(&b, &f.env.rcpts[k].path);
			buf_addc(&b, ' ');
		}
		ck_str(buf_str(&b), str_c(rows[i].rcpts));
		/* When it was put there, whatever time its owner gave it. */
		ck_assert_int_gt(f.env.arrival_us, clock_wall_us() - 60000000);
		ck_assert_int_eq(f.env.not_before_us, 0);
		queue_unload(&f);
	}
	buf_free(&b);
	tmpspool_end(&t);
}
END_TEST

START_TEST(refused)
{
	/* clang-format off */
	static const char *const rows[] = {
		"",
		"\nno header\n",
		"From: s@t.example\n\nno recipient\n",
		"To: a@b.example\n\nno sender\n",
		"To: a@b.example\nFrom: @@\n\nx\n",
		"To: a@b.example, <broken\nFrom: s@t.example\n\nx\n",
		"To: a@b..example\nFrom: s@t.example\n\nx\n",
		HEAD "no field\n\nx\n",
		HEAD "X: a\rBcc: evil@b.example\n\nx\n",
	};
	/* clang-format on */
	struct tmpspool t;
	struct buf b;

	tmpspool_begin(&t);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(!import(&t, str_c(rows[i])), "row %zu", i);
	buf_init(&b, 1 << 20);
	buf_adds(&b, HEAD);
	for (int i = 0; i < 2000; i++)
		buf_addf(&b, "X-%d: %060d\n", i, i);
	buf_adds(&b, "\nx\n");
	ck_assert(!import(&t, buf_str(&b)));
	buf_reset(&b);
	buf_adds(&b, "From: s@t.example\nTo: x@y.example");
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, ",\n %d@b.example", i);
	buf_adds(&b, "\n\nx\n");
	ck_assert(!import(&t, buf_str(&b)));
	buf_free(&b);
	tmpspool_end(&t);
}
END_TEST

/* A large body, whose line ends fall on every place in a chunk. */
START_TEST(large)
{
	struct queue_file f;
	struct tmpspool t;
	struct buf in, out;
	struct str text;

	tmpspool_begin(&t);
	buf_init(&in, 4 << 20);
	buf_init(&out, 8 << 20);
	buf_adds(&in, HEAD "\n");
	buf_adds(&out, HEAD_CRLF "\r\n");
	for (int i = 0; i < 30000; i++) {
		static const char *const ends[] = { "\n", "\r\n", "\r" };

		buf_addf(&in, "line %d%s", i, ends[i % 3]);
		buf_addf(&out, "line %d\r\n", i);
	}
	ck_assert(import(&t, buf_str(&in)));
	tmpspool_load(&t, QUEUE_NEW, &f);
	text = text_of(&t, &f);
	ck_assert_uint_eq(text.n, out.n);
	ck_assert_int_eq(memcmp(text.p, out.p, out.n), 0);
	queue_unload(&f);
	buf_free(&in);
	buf_free(&out);
	tmpspool_end(&t);
}
END_TEST

UNIT_MAIN("queue/eml", texts, envelopes, refused, large)
