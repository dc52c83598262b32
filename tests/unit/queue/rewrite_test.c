/* SPDX-License-Identifier: GPL-3.0-or-later */

/* rewrite -- an envelope that is changed; all else stays. */

#include "tmpspool.h"

/* A message with a mark, a count and notes. */
static void
begin(struct tmpspool *t, struct str text, struct queue_file *f)
{
	struct queue_attempt a = { .time = 100, .rcpt = 1, .status = "4.4.1",
		.relay = STR("mx[192.0.2.1]:25"), .reply = STR("450 later") };

	tmpspool_begin(t);
	tmpspool_put(t, text, false);
	tmpspool_load(t, QUEUE_NEW, f);
	ck_assert_int_eq(queue_mark(f, 0, RCPT_DONE), 0);
	ck_assert_int_eq(queue_note(f, &a), 0);
	ck_assert_int_eq(queue_note_delay(f, 2), 0);
	ck_assert_int_eq(queue_defer(t->q, f, 5000000000), 0);
}

static void
check(struct tmpspool *t, struct queue_file *f, struct str text)
{
	struct queue_attempt *last;
	char *p = malloc(text.n + 1);

	tmpspool_load(t, QUEUE_CUR, f);
	ck_assert_uint_eq(f->size, text.n);
	ck_assert_int_eq(pread(f->fd, p, text.n, f->text_at),
	    (ssize_t)text.n);
	ck_str(str_n(p, text.n), text);
	ck_assert_int_eq(f->env.rcpts[0].state, RCPT_DONE);
	ck_assert_int_eq(f->env.rcpts[1].state, RCPT_QUEUED);
	ck_assert_uint_eq(f->env.delays, 2);
	ck_assert_int_eq(queue_notes(f, &t->a, &last), 0);
	ck_str(last[1].reply, STR("450 later"));
	ck_str(f->env.client, STR("host.example[192.0.2.1]:2525"));
	free(p);
}

/* What a rewrite leaves when it is killed. */
static void
left_behind(struct tmpspool *t)
{
	char *name = tmpspool_tmp(t, "set.");

	tmpspool_file(tmpspool_path(t, "tmp", name), STR("left behind"));
	free(name);
}

START_TEST(settings)
{
	static char big[200000];
	struct str texts[] = { STR(TEXT1), { big, sizeof(big) }, STR("") };

	memset(big, 'x', sizeof(big));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct queue_file f;
		struct tmpspool t;

		begin(&t, texts[i], &f);
		f.env.not_before_us = 5000000001000000;
		f.env.deadline_us = 6000000000000000;
		f.env.retry = STR("60,120");
		f.env.route = STR("another");
		f.env.source = STR("192.0.2.7");
		ck_assert_int_eq(queue_rewrite(t.q, &f, 5000000001), 0);
		ck_assert_int_eq(f.fd, -1);
		check(&t, &f, texts[i]);
		ck_assert_int_eq(f.next, 5000000001);
		ck_assert_int_eq(f.env.not_before_us, 5000000001000000);
		ck_str(f.env.route, STR("another"));
		ck_str(f.env.source, STR("192.0.2.7"));
		ck_str(f.env.retry, STR("60,120"));
		/* And back again; an orphan of an earlier one is no hindrance. */
		f.env.not_before_us = f.env.deadline_us = 0;
		f.env.retry = f.env.route = f.env.source = STR("");
		left_behind(&t);
		ck_assert_int_eq(queue_rewrite(t.q, &f, 7), 0);
		check(&t, &f, texts[i]);
		ck_assert_int_eq(f.next, 7);
		ck_assert_int_eq(f.env.not_before_us, 0);
		ck_str(f.env.route, STR(""));
		/* It goes on as before. */
		ck_assert_int_eq(queue_mark(&f, 1, RCPT_DONE), 0);
		ck_assert_int_eq(queue_defer(t.q, &f, 8), 0);
		queue_unload(&f);
		tmpspool_end(&t);
	}
}
END_TEST

START_TEST(refused)
{
	struct queue_file f;
	struct tmpspool t;

	begin(&t, STR(TEXT1), &f);
	f.env.route = STR("a\nrcpt: Q <x@y>");
	ck_assert_int_eq(queue_rewrite(t.q, &f, 9), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(f.fd, -1);
	check(&t, &f, STR(TEXT1));
	ck_assert_int_eq(f.next, 5000000000);
	queue_unload(&f);
	tmpspool_end(&t);
}
END_TEST

UNIT_MAIN("queue/rewrite", settings, refused)
