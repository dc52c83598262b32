/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * msg_verify -- what sessions ask barid-verify, both directions; the rules are
 * those of msg.c.
 */

#include "ipc/msg_verify.h"

enum { TAG_1 = 1, TAG_2, TAG_3, TAG_4, TAG_5, TAG_6, TAG_7 };

void
msg_verify_put(struct buf *b, const struct msg_verify *m)
{
	frame_begin(b, MSG_VERIFY);
	frame_put(b, TAG_1, m->recipient);
	frame_put(b, TAG_2, m->sender);
	frame_put(b, TAG_3, m->client);
	frame_put(b, TAG_4, m->mechanism);
	frame_put(b, TAG_5, m->login);
	frame_put(b, TAG_6, m->mailbox);
	frame_put_u64(b, TAG_7, m->octets);
	frame_end(b);
}

bool
msg_verify_get(struct str packet, struct msg_verify *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_VERIFY))
		return false;
	m->recipient = frame_get(&f, TAG_1);
	m->sender = frame_get(&f, TAG_2);
	m->client = frame_get(&f, TAG_3);
	m->mechanism = frame_get(&f, TAG_4);
	m->login = frame_get(&f, TAG_5);
	m->mailbox = frame_get(&f, TAG_6);
	m->octets = frame_get_u64(&f, TAG_7);
	return frame_close(&f) && (m->mailbox.n == 0 || m->recipient.n == 0);
}

void
msg_verify_result_put(struct buf *b, const struct msg_verify_result *m)
{
	frame_begin(b, MSG_VERIFY_RESULT);
	frame_put_u64(b, TAG_1, m->verdict);
	frame_put(b, TAG_2, m->address);
	frame_put(b, TAG_3, m->text);
	frame_put(b, TAG_4, m->why);
	frame_end(b);
}

bool
msg_verify_result_get(struct str packet, struct msg_verify_result *m)
{
	struct frame f;
	uint64_t verdict;

	if (!frame_open_as(&f, packet, MSG_VERIFY_RESULT))
		return false;
	verdict = frame_get_u64(&f, TAG_1);
	m->address = frame_get(&f, TAG_2);
	m->text = frame_get(&f, TAG_3);
	m->why = frame_get(&f, TAG_4);
	if (verdict > VERIFY_ABORT)
		return false;
	m->verdict = (enum verify_verdict)verdict;
	return frame_close(&f);
}
