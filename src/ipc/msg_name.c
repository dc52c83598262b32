/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * msg_name -- whether a client has a name, and a name somebody behind it; the
 * rules are those of msg.c.  What comes of it stands in traces and logs, so it is
 * looked at on both sides.
 */

#include "ipc/msg_name.h"

enum { TAG_1 = 1, TAG_2 };

/* RFC 1035 2.3.4, without the final dot. */
#define NAME_MAX_OCTETS 253

/* Letters, digits, "-", "_" and dots that are not side by side. */
static bool
is_name(struct str s)
{
	char before = '.';

	for (size_t i = 0; i < s.n; i++) {
		char c = char_lower(s.p[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' &&
		    c != '_' && (c != '.' || before == '.'))
			return false;
		before = c;
	}
	return s.n > 0 && s.n <= NAME_MAX_OCTETS && before != '.';
}

void
msg_iprev_put(struct buf *b, const struct msg_iprev *m)
{
	frame_begin(b, MSG_IPREV);
	frame_put(b, TAG_1, m->address);
	frame_end(b);
}

bool
msg_iprev_get(struct str packet, struct msg_iprev *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_IPREV))
		return false;
	m->address = frame_get(&f, TAG_1);
	return frame_close(&f);
}

void
msg_iprev_result_put(struct buf *b, const struct msg_iprev_result *m)
{
	frame_begin(b, MSG_IPREV_RESULT);
	frame_put_u64(b, TAG_1, m->result);
	frame_put(b, TAG_2, m->name);
	frame_end(b);
}

bool
msg_iprev_result_get(struct str packet, struct msg_iprev_result *m)
{
	struct frame f;
	uint64_t result;

	if (!frame_open_as(&f, packet, MSG_IPREV_RESULT))
		return false;
	result = frame_get_u64(&f, TAG_1);
	m->name = frame_get(&f, TAG_2);
	if (!frame_close(&f) || result >= IPREV_N)
		return false;
	m->result = (enum iprev)result;
	return is_name(m->name) || (m->name.n == 0 && m->result != IPREV_PASS);
}

void
msg_exists_put(struct buf *b, const struct msg_exists *m)
{
	frame_begin(b, MSG_EXISTS);
	frame_put(b, TAG_1, m->domain);
	frame_put_u64(b, TAG_2, m->at_all);
	frame_end(b);
}

bool
msg_exists_get(struct str packet, struct msg_exists *m)
{
	struct frame f;
	uint64_t at_all;

	if (!frame_open_as(&f, packet, MSG_EXISTS))
		return false;
	m->domain = frame_get(&f, TAG_1);
	at_all = frame_get_u64(&f, TAG_2);
	m->at_all = at_all == 1;
	return frame_close(&f) && at_all <= 1 && is_name(m->domain);
}

void
msg_exists_result_put(struct buf *b, const struct msg_exists_result *m)
{
	frame_begin(b, MSG_EXISTS_RESULT);
	frame_put_u64(b, TAG_1, m->result);
	frame_put_u64(b, TAG_2, m->null_mx);
	frame_end(b);
}

bool
msg_exists_result_get(struct str packet, struct msg_exists_result *m)
{
	struct frame f;
	uint64_t result, null_mx;

	if (!frame_open_as(&f, packet, MSG_EXISTS_RESULT))
		return false;
	result = frame_get_u64(&f, TAG_1);
	null_mx = frame_get_u64(&f, TAG_2);
	if (!frame_close(&f) || result >= EXISTS_N || null_mx > 1)
		return false;
	m->result = (enum exists)result;
	m->null_mx = null_mx == 1;
	return true;
}
