/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * msg_check -- what sessions ask barid-check, both directions; the rules are
 * those of msg.c.
 *
 * Who answers has read what strangers publish.  So what he says is looked at
 * here, before it gets into a reply or a log.
 */

#include "ipc/msg_check.h"

enum { TAG_1 = 1, TAG_2, TAG_3, TAG_4, TAG_5 };

#define TEXT_MAX 480

void
msg_client_put(struct buf *b, const struct msg_client *m)
{
	frame_begin(b, MSG_CLIENT);
	frame_put(b, TAG_1, m->address);
	frame_end(b);
}

bool
msg_client_get(struct str packet, struct msg_client *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_CLIENT))
		return false;
	m->address = frame_get(&f, TAG_1);
	return frame_close(&f);
}

void
msg_client_result_put(struct buf *b, const struct msg_client_result *m)
{
	frame_begin(b, MSG_CLIENT_RESULT);
	frame_put_u64(b, TAG_1, m->refused);
	frame_put_u64(b, TAG_2, m->code);
	frame_put(b, TAG_3, m->enhanced);
	frame_put(b, TAG_4, m->text);
	frame_put(b, TAG_5, m->why);
	frame_end(b);
}

static bool
is_clean(struct str s)
{
	return !str_has_ctl(s) && !str_has_8bit(s);
}

bool
msg_client_result_get(struct str packet, struct msg_client_result *m)
{
	struct frame f;
	uint64_t refused;

	if (!frame_open_as(&f, packet, MSG_CLIENT_RESULT))
		return false;
	refused = frame_get_u64(&f, TAG_1);
	m->refused = refused == 1;
	m->code = frame_get_u64(&f, TAG_2);
	m->enhanced = frame_get(&f, TAG_3);
	m->text = frame_get(&f, TAG_4);
	m->why = frame_get(&f, TAG_5);
	if (refused > 1 || (m->refused && (m->code < 400 || m->code > 599)))
		return false;
	return frame_close(&f) && is_clean(m->enhanced) && m->enhanced.n <= 11 &&
	    is_clean(m->text) && m->text.n <= TEXT_MAX && is_clean(m->why);
}
