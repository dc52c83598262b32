/* SPDX-License-Identifier: GPL-3.0-or-later */

/* msg_grey -- both messages about senders that come again; the rules are those of msg.c. */

#include "ipc/msg_grey.h"

enum { TAG_1 = 1, TAG_2, TAG_3 };

/* Nobody waits longer than that. */
#define WAIT_MAX (366 * 24 * 3600)

void
msg_grey_put(struct buf *b, const struct msg_grey *m)
{
	frame_begin(b, MSG_GREY);
	frame_put(b, TAG_1, m->client);
	frame_put(b, TAG_2, m->sender);
	frame_put(b, TAG_3, m->recipient);
	frame_end(b);
}

bool
msg_grey_get(struct str packet, struct msg_grey *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_GREY))
		return false;
	m->client = frame_get(&f, TAG_1);
	m->sender = frame_get(&f, TAG_2);
	m->recipient = frame_get(&f, TAG_3);
	return frame_close(&f) && m->client.n > 0;
}

void
msg_grey_result_put(struct buf *b, const struct msg_grey_result *m)
{
	frame_begin(b, MSG_GREY_RESULT);
	frame_put_u64(b, TAG_1, m->wait);
	frame_end(b);
}

bool
msg_grey_result_get(struct str packet, struct msg_grey_result *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_GREY_RESULT))
		return false;
	m->wait = frame_get_u64(&f, TAG_1);
	return frame_close(&f) && m->wait <= WAIT_MAX;
}
