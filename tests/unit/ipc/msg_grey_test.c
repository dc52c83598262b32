/* SPDX-License-Identifier: GPL-3.0-or-later */

/* msg_grey -- both messages there and back, and what is none. */

#include "ipc/msg_grey.h"

#include "unit.h"

START_TEST(both)
{
	struct msg_grey m = { STR("192.0.2.0"), STR(""), STR("b@x.example") };
	struct msg_grey_result r = { 86400 };
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_grey_put(&b, &m);
	m = (struct msg_grey){ STR(""), STR("x"), STR("") };
	ck_assert(msg_grey_get(buf_str(&b), &m));
	ck_str(m.client, STR("192.0.2.0"));
	ck_str(m.sender, STR(""));
	ck_str(m.recipient, STR("b@x.example"));
	ck_assert(!msg_grey_result_get(buf_str(&b), &r));
	buf_reset(&b);
	msg_grey_put(&b, &(struct msg_grey){ STR(""), STR("a"), STR("b") });
	ck_assert(!msg_grey_get(buf_str(&b), &m));
	buf_reset(&b);
	msg_grey_result_put(&b, &r);
	r.wait = 0;
	ck_assert(msg_grey_result_get(buf_str(&b), &r));
	ck_assert_uint_eq(r.wait, 86400);
	buf_reset(&b);
	msg_grey_result_put(&b, &(struct msg_grey_result){ UINT64_MAX });
	ck_assert(!msg_grey_result_get(buf_str(&b), &r));
	buf_free(&b);
}
END_TEST

UNIT_MAIN("ipc/msg_grey", both)
