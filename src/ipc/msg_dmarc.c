/* SPDX-License-Identifier: GPL-3.0-or-later */

/* msg_dmarc -- what sessions tell of messages for reports; the rules are those of msg.c. */

#include "ipc/msg_dmarc.h"

enum { TAG_1 = 1 };

void
msg_dmarc_put(struct buf *b, const struct msg_dmarc *m)
{
	frame_begin(b, MSG_DMARC);
	frame_put(b, TAG_1, m->row);
	frame_end(b);
}

bool
msg_dmarc_get(struct str packet, struct msg_dmarc *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_DMARC))
		return false;
	m->row = frame_get(&f, TAG_1);
	return frame_close(&f) && m->row.n > 0;
}
