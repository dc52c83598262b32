/* SPDX-License-Identifier: GPL-3.0-or-later */

/* note -- attempts: the last of each recipient, torn ones, hostile ones. */

#include "tmpspool.h"

static struct queue_attempt
attempt(size_t rcpt, int64_t time, struct str reply)
{
	return (struct queue_attempt){ .time = time, .rcpt = rcpt,
		.status = "4.4.1", .relay = STR("mx.example[192.0.2.1]:25"),
		.reply = reply };
}

static void
note(struct queue_file *f, struct queue_attempt a)
{
	ck_assert_int_eq(queue_note(f, &a), 0);
}

START_TEST(last_of_each)
{
	struct queue_attempt *last, from;
	struct queue_file f;
	struct tmpspool t;

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_assert_int_eq(queue_notes(&f, &t.a, &last), 0);
	ck_assert_int_eq(last[2].time, 0);
	ck_str(last[2].reply, STR(""));
	note(&f, attempt(0, 100, STR("old")));
	note(&f, attempt(2, 101, STR("450 4.2.0 two\nlines \\n")));
	from = attempt(1, 101, STR("x"));
	from.source = STR("2001:db8::5");
	note(&f, from);
	note(&f, attempt(0, 102, STR(" new ")));
	ck_assert(!f.changed);
	for (int again = 0; again < 2; again++) {
		ck_assert_int_eq(queue_notes(&f, &t.a, &last), 0);
		ck_assert_int_eq(last[0].time, 102);
		ck_str(last[0].reply, STR(" new "));
		ck_str(last[0].source, STR(""));
		ck_str(last[1].source, STR("2001:db8::5"));
		ck_str(last[1].relay, STR("mx.example[192.0.2.1]:25"));
		ck_assert_int_eq(last[2].time, 101);
		ck_assert_uint_eq(last[2].rcpt, 2);
		ck_str(last[2].reply, STR("450 4.2.0 two\nlines \\n"));
		ck_str(last[2].relay, STR("mx.example[192.0.2.1]:25"));
		ck_assert_str_eq(last[2].status, "4.4.1");
		queue_unload(&f);
		tmpspool_load(&t, QUEUE_NEW, &f);
	}
	queue_unload(&f);
	tmpspool_end(&t);
}
END_TEST

START_TEST(foreign_text)
{
	struct queue_attempt *last, a = attempt(0, 1, STR("a\rb\0c\x7f"));
	char big[2000];
	struct queue_file f;
	struct tmpspool t;

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	tmpspool_load(&t, QUEUE_NEW, &f);
	/* No address: it is not written, and what looks like one is. */
	a.source = STR("127.0.0.1 x");
	a.relay = STR("evil relay\nattempt: 9 1 2.0.0 - x");
	memset(a.status, 0, sizeof(a.status));
	note(&f, a);
	memset(big, '\\', sizeof(big));
	note(&f, attempt(1, 2, str_n(big, sizeof(big))));
	ck_assert_int_eq(queue_notes(&f, &t.a, &last), 0);
	ck_str(last[0].reply, STR("a?b?c?"));
	ck_str(last[0].relay, STR("evil?relay?attempt:?9?1?2.0.0?-?x"));
	ck_assert_str_eq(last[0].status, "");
	ck_assert_uint_eq(last[1].reply.n, 512);
	ck_assert_int_eq(last[1].time, 2);
	queue_unload(&f);
	tmpspool_end(&t);
}
END_TEST

/* A crash cuts the last note anywhere: it is skipped, the next one is not. */
START_TEST(torn)
{
	struct queue_attempt *last;
	struct queue_file f;
	struct tmpspool t;
	off_t one, two;

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	tmpspool_load(&t, QUEUE_NEW, &f);
	note(&f, attempt(0, 1, STR("whole")));
	one = f.end;
	note(&f, attempt(1, 2, STR("torn")));
	two = f.end;
	queue_unload(&f);
	for (off_t at = two - 1; at > one; at--) {
		ck_assert_int_eq(truncate(tmpspool_path(&t, "new", t.env.id),
		    at), 0);
		tmpspool_load(&t, QUEUE_NEW, &f);
		ck_assert(f.torn);
		ck_assert_int_eq(queue_notes(&f, &t.a, &last), 0);
		ck_assert_int_eq(last[0].time, 1);
		ck_assert_int_eq(last[1].time, 0);
		note(&f, attempt(2, 3, STR("next")));
		ck_assert_int_eq(queue_notes(&f, &t.a, &last), 0);
		ck_assert_int_eq(last[2].time, 3);
		ck_str(last[0].reply, STR("whole"));
		ck_str(last[2].reply, STR("next"));
		queue_unload(&f);
	}
	tmpspool_end(&t);
}
END_TEST

START_TEST(many)
{
	struct queue_attempt *last;
	struct queue_file f;
	struct tmpspool t;

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	tmpspool_load(&t, QUEUE_NEW, &f);
	for (int i = 1; i <= 3000; i++)
		note(&f, attempt((size_t)i % 2, i, STR("450 try again")));
	ck_assert_int_eq(queue_notes(&f, &t.a, &last), 0);
	ck_assert_int_eq(last[0].time, 3000);
	ck_assert_int_eq(last[1].time, 2999);
	ck_assert_int_eq(last[2].time, 0);
	queue_unload(&f);
	tmpspool_end(&t);
}
END_TEST

/* Rubbish behind the text is not taken for notes. */
START_TEST(rubbish)
{
	static const char *const lines[] = { "", "attempt: ", "attempt: x 0",
		"attempt: 5 3 4.0.0 - x", "attempt: 5 99999999999 4 - x",
		"attempt: -5 0 4 - x", "attempt:5 0 4.0.0 - x" };
	struct queue_attempt *last;
	struct queue_file f;
	struct tmpspool t;
	int fd;

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	fd = open(tmpspool_path(&t, "new", t.env.id), O_WRONLY | O_APPEND);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		dprintf(fd, "%s\n", lines[i]);
	dprintf(fd, "%0100000d\n", 0);
	dprintf(fd, "attempt: 7 2 4.0.0 x<y the reply\n");
	dprintf(fd, "attempt: 7 1 a-very-long-status-code relay the reply\n");
	close(fd);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_assert_int_eq(queue_notes(&f, &t.a, &last), 0);
	ck_assert_int_eq(last[0].time, 0);
	ck_assert_int_eq(last[1].time, 7);
	ck_assert_str_eq(last[1].status, "");
	ck_str(last[2].relay, STR("x<y"));
	ck_str(last[2].source, STR(""));
	ck_str(last[1].relay, STR("relay"));
	ck_str(last[1].reply, STR("the reply"));
	queue_unload(&f);
	tmpspool_end(&t);
}
END_TEST

UNIT_MAIN("queue/note", last_of_each, foreign_text, torn, many, rubbish)
