/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * msg_box -- what a POP3 session asks of a mailbox that another process has
 * open, both directions; the rules are those of msg.c.
 */

#include "ipc/msg_box.h"

enum { TAG_1 = 1, TAG_2, TAG_3, TAG_4 };

void
msg_box_put(struct buf *b, const struct msg_box *m)
{
	frame_begin(b, MSG_BOX);
	frame_put_u64(b, TAG_1, m->op);
	frame_put_u64(b, TAG_2, m->first);
	frame_put_u64(b, TAG_3, m->n);
	frame_put(b, TAG_4, m->marks);
	frame_end(b);
}

bool
msg_box_get(struct str packet, struct msg_box *m)
{
	struct frame f;
	uint64_t op;

	if (!frame_open_as(&f, packet, MSG_BOX))
		return false;
	op = frame_get_u64(&f, TAG_1);
	m->first = frame_get_u64(&f, TAG_2);
	m->n = frame_get_u64(&f, TAG_3);
	m->marks = frame_get(&f, TAG_4);
	if (op < BOX_LIST || op > BOX_CLOSE)
		return false;
	m->op = (enum box_op)op;
	return frame_close(&f);
}

void
msg_box_result_put(struct buf *b, const struct msg_box_result *m)
{
	frame_begin(b, MSG_BOX_RESULT);
	frame_put_u64(b, TAG_1, m->error);
	frame_put_u64(b, TAG_2, m->n);
	frame_put(b, TAG_3, m->lines);
	frame_end(b);
}

bool
msg_box_result_get(struct str packet, struct msg_box_result *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_BOX_RESULT))
		return false;
	m->error = frame_get_u64(&f, TAG_1);
	m->n = frame_get_u64(&f, TAG_2);
	m->lines = frame_get(&f, TAG_3);
	return frame_close(&f);
}
