/* SPDX-License-Identifier: GPL-3.0-or-later */

/* near -- a mailbox that is open for others: what it answers, and whom it does not. */

#include "tmpbox.h"

#include <sys/wait.h>

#include "ipc/channel.h"
#include "ipc/msg_box.h"
#include "lib/clock.h"
#include "lib/log.h"

#define LIMIT_MS 60000

struct served {
	struct tmpbox t;
	int way;
	pid_t pid;
	struct buf b;
	struct msg_box_result r;
	int pass;
};

static void
begin(struct served *s)
{
	int ways[2];

	log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
	ck_assert_int_eq(log_to("file:/dev/null"), 0);
	tmpbox_begin(&s->t);
	tmpbox_make(&s->t, "bob");
	tmpbox_file(&s->t, "bob/new/1.a,S=2,W=3", STR("a\n"));
	tmpbox_file(&s->t, "bob/cur/2.b:2,S", STR("b"));
	ck_assert_int_eq(channel_pair(ways), 0);
	s->pid = fork();
	if (s->pid == 0) {
		close(ways[0]);
		maildir_serve(maildir_root(s->t.base, "bob"), ways[1]);
		_exit(0);
	}
	close(ways[1]);
	s->way = ways[0];
	buf_init(&s->b, FRAME_MAX);
}

/* Ends when it is told so, or has nobody to listen to. */
static void
finish(struct served *s)
{
	int status;

	if (s->way >= 0)
		close(s->way);
	ck_assert_int_eq(waitpid(s->pid, &status, 0), s->pid);
	ck_assert_int_eq(status, 0);
	buf_free(&s->b);
	tmpbox_end(&s->t);
	log_reset();
}

static int
ask_octets(struct served *s, struct str packet)
{
	return channel_call_for(s->way, packet, clock_ms() + LIMIT_MS, &s->b, &s->pass);
}

static int
ask(struct served *s, struct msg_box q)
{
	struct buf packet;
	int r;

	buf_init(&packet, FRAME_MAX);
	msg_box_put(&packet, &q);
	r = ask_octets(s, buf_str(&packet));
	buf_free(&packet);
	if (r == 0)
		ck_assert(msg_box_result_get(buf_str(&s->b), &s->r));
	return r;
}

START_TEST(answers)
{
	struct served s;
	char text[10];

	begin(&s);
	ck_assert_int_eq(ask(&s, (struct msg_box){ .op = BOX_LIST }), 0);
	ck_assert_uint_eq(s.r.error, 0);
	ck_assert_uint_eq(s.r.n, 2);
	ck_str(s.r.lines, STR("1.1.a\n2.2.b\n"));
	ck_assert_int_eq(ask(&s, (struct msg_box){ .op = BOX_LIST, .first = 1 }), 0);
	ck_str(s.r.lines, STR("2.2.b\n"));
	ck_assert_int_eq(ask(&s, (struct msg_box){ .op = BOX_SIZES, .n = 9 }), 0);
	ck_str(s.r.lines, STR("3\n3\n"));
	ck_assert_int_eq(ask(&s, (struct msg_box){ .op = BOX_OPEN, .first = 1 }), 0);
	ck_assert_int_ge(s.pass, 0);
	ck_assert_int_eq(read(s.pass, text, sizeof(text)), 1);
	ck_assert_int_lt(write(s.pass, "x", 1), 0);
	close(s.pass);
	ck_assert_int_eq(unlink(tmpbox_path(&s.t, "bob/new/1.a,S=2,W=3")), 0);
	ck_assert_int_eq(ask(&s, (struct msg_box){ .op = BOX_OPEN }), 0);
	ck_assert_uint_eq(s.r.error, ENOENT);
	ck_assert_int_eq(s.pass, -1);
	/* The lock is free when it says so. */
	ck_assert_int_eq(ask(&s, (struct msg_box){ .op = BOX_CLOSE }), 0);
	tmpbox_make(&s.t, "bob");
	finish(&s);
}
END_TEST

START_TEST(removes_at_the_end)
{
	struct served s;

	begin(&s);
	ck_assert_int_eq(ask(&s, (struct msg_box){ .op = BOX_LIST }), 0);
	ck_assert_int_eq(ask(&s, (struct msg_box){ .op = BOX_MARK, .first = 1,
	    .marks = STR("\1") }), 0);
	ck_assert_uint_eq(tmpbox_count(&s.t, "bob/cur", NULL), 1);
	ck_assert_int_eq(ask(&s, (struct msg_box){ .op = BOX_REMOVE }), 0);
	ck_assert_uint_eq(s.r.n, 0);
	ck_assert_uint_eq(tmpbox_count(&s.t, "bob/cur", NULL), 0);
	ck_assert_uint_eq(tmpbox_count(&s.t, "bob/new", NULL), 1);
	finish(&s);
}
END_TEST

START_TEST(marks_alone_remove_nothing)
{
	struct served s;

	begin(&s);
	ck_assert_int_eq(ask(&s, (struct msg_box){ .op = BOX_LIST }), 0);
	ck_assert_int_eq(ask(&s, (struct msg_box){ .op = BOX_MARK, .marks = STR("\3") }), 0);
	close(s.way);
	s.way = -1;
	ck_assert_int_eq(waitpid(s.pid, NULL, 0), s.pid);
	ck_assert_uint_eq(tmpbox_count(&s.t, "bob/cur", NULL), 1);
	ck_assert_uint_eq(tmpbox_count(&s.t, "bob/new", NULL), 1);
	buf_free(&s.b);
	tmpbox_end(&s.t);
	log_reset();
}
END_TEST

START_TEST(in_use)
{
	struct served s;
	struct maildir m;

	begin(&s);
	ck_assert_int_eq(maildir_open(&m, s.t.base, "bob"), 0);
	ck_assert_int_eq(ask(&s, (struct msg_box){ .op = BOX_LIST }), 0);
	ck_assert_uint_eq(s.r.error, EBUSY);
	maildir_close(&m);
	finish(&s);
}
END_TEST

/* P-09: whatever it is that a session that was taken over sends is its own end. */
START_TEST(hostile)
{
	const struct {
		struct msg_box q;
		bool before;	/* the list was asked for */
	} bad[] = {
		{ { .op = BOX_SIZES, .n = 1 }, false },
		{ { .op = BOX_OPEN }, false },
		{ { .op = BOX_MARK, .marks = STR("\1") }, false },
		{ { .op = BOX_REMOVE }, false },
		{ { .op = BOX_CLOSE }, false },
		{ { .op = BOX_OPEN, .first = 2 }, true },
		{ { .op = BOX_OPEN, .first = UINT64_MAX }, true },
		{ { .op = BOX_MARK, .first = 3, .marks = STR("\1") }, true },
		{ { .op = BOX_MARK, .first = UINT64_MAX, .marks = STR("\1") }, true },
		{ { .op = BOX_MARK, .marks = STR("\4") }, true },
		{ { .op = BOX_MARK, .first = 2, .marks = STR("\1") }, true },
		{ { .op = (enum box_op)(BOX_CLOSE + 1) }, true },
	};
	struct served s;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		begin(&s);
		if (bad[i].before)
			ck_assert_int_eq(ask(&s, (struct msg_box){ .op = BOX_LIST }), 0);
		ck_assert_int_eq(ask(&s, bad[i].q), -1);
		ck_assert_uint_eq(tmpbox_count(&s.t, "bob/new", NULL), 1);
		finish(&s);
	}
	begin(&s);
	ck_assert_int_eq(ask_octets(&s, STR("no frame")), -1);
	finish(&s);
	/* Far behind the end there is nothing, and that is no harm. */
	begin(&s);
	ck_assert_int_eq(ask(&s, (struct msg_box){ .op = BOX_LIST, .first = UINT64_MAX }), 0);
	ck_assert_uint_eq(s.r.lines.n, 0);
	ck_assert_int_eq(ask(&s, (struct msg_box){ .op = BOX_SIZES, .first = 7, .n = UINT64_MAX }), 0);
	ck_assert_uint_eq(s.r.lines.n, 0);
	finish(&s);
}
END_TEST

UNIT_MAIN("near", answers, removes_at_the_end, marks_alone_remove_nothing, in_use, hostile)
