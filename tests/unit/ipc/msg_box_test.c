/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What is asked of a mailbox: both round trips, and what is none. */

#include "ipc/msg_box.h"

#include "unit.h"

START_TEST(round_trips)
{
	struct msg_box in = { BOX_MARK, 7, 9, STR("\0\x80") }, out;
	struct msg_box_result r = { 11, 50000, STR("1.a\n2.b\n") }, got;
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_box_put(&b, &in);
	ck_assert(msg_box_get(buf_str(&b), &out));
	ck_assert_int_eq(out.op, BOX_MARK);
	ck_assert_uint_eq(out.first, 7);
	ck_assert_uint_eq(out.n, 9);
	ck_str(out.marks, in.marks);
	ck_assert(!msg_box_result_get(buf_str(&b), &got));
	msg_box_result_put(&b, &r);
	ck_assert(msg_box_result_get(buf_str(&b), &got));
	ck_assert_uint_eq(got.error, 11);
	ck_assert_uint_eq(got.n, 50000);
	ck_str(got.lines, r.lines);
	ck_assert(!msg_box_get(buf_str(&b), &out));
	/* A field more, and one less. */
	ck_assert(!msg_box_result_get(str_head(buf_str(&b), b.n - 1), &got));
	buf_free(&b);
}
END_TEST

START_TEST(unknown_questions)
{
	struct msg_box m = { .op = 0 }, out;
	struct buf b;

	buf_init(&b, FRAME_MAX);
	for (int op = 0; op <= BOX_CLOSE + 1; op++) {
		m.op = (enum box_op)op;
		msg_box_put(&b, &m);
		ck_assert_int_eq(msg_box_get(buf_str(&b), &out),
		    op >= BOX_LIST && op <= BOX_CLOSE);
	}
	buf_free(&b);
}
END_TEST

UNIT_MAIN("msg_box", round_trips, unknown_questions)
