/* SPDX-License-Identifier: GPL-3.0-or-later */

/* msg_dmarc -- there and back, and what is none. */

#include "ipc/msg_dmarc.h"

#include "unit.h"

START_TEST(both)
{
	struct msg_dmarc m = { STR("a.b *") };
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_dmarc_put(&b, &m);
	m.row = STR("");
	ck_assert(msg_dmarc_get(buf_str(&b), &m));
	ck_str(m.row, STR("a.b *"));
	ck_assert(!msg_dmarc_get(str_head(buf_str(&b), b.n - 1), &m));
	m.row = STR("");
	msg_dmarc_put(&b, &m);
	ck_assert(!msg_dmarc_get(buf_str(&b), &m));
	frame_begin(&b, MSG_GREY);
	frame_put(&b, 1, STR("x"));
	frame_end(&b);
	ck_assert(!msg_dmarc_get(buf_str(&b), &m));
	buf_free(&b);
}
END_TEST

UNIT_MAIN("ipc/msg_dmarc", both)
