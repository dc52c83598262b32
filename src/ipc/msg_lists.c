/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * msg_lists -- what lists in DNS have, both directions; the rules are those of
 * msg.c.
 *
 * Who answers has read what strangers publish.  So what he says is looked at
 * here, before it gets into a reply or a log.
 */

#include "ipc/msg_lists.h"

enum { TAG_OF = 1, TAG_WHAT, TAG_ZONE, TAG_ANSWER, TAG_TEXT };

/* RFC 1035 2.3.4, without the final dot; an address is shorter. */
#define NAME_MAX_OCTETS 253
#define TEXT_MAX 255
/* More kinds than there are; the taker knows his. */
#define OF_MAX 31

/* A name of hosts, or an address: nothing that would mean something in a log or a reply. */
static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = char_lower(s.p[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' &&
		    c != '_' && c != '.' && c != ':')
			return false;
	}
	return s.n > 0 && s.n <= NAME_MAX_OCTETS;
}

void
msg_lists_put(struct buf *b, const struct msg_lists *m)
{
	frame_begin(b, MSG_LISTS);
	for (size_t i = 0; i < m->n; i++) {
		frame_put_u64(b, TAG_OF, m->v[i].of);
		frame_put(b, TAG_WHAT, m->v[i].what);
	}
	frame_end(b);
}

bool
msg_lists_get(struct str packet, struct msg_lists *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_LISTS))
		return false;
	for (m->n = 0; frame_has(&f, TAG_OF); m->n++) {
		if (m->n == MSG_LISTS_MAX)
			return false;
		m->v[m->n].of = frame_get_u64(&f, TAG_OF);
		m->v[m->n].what = frame_get(&f, TAG_WHAT);
		if (m->v[m->n].of > OF_MAX || !is_plain(m->v[m->n].what))
			return false;
	}
	return frame_close(&f) && m->n > 0;
}

void
msg_lists_result_put(struct buf *b, const struct msg_lists_result *m)
{
	frame_begin(b, MSG_LISTS_RESULT);
	for (size_t i = 0; i < m->n; i++) {
		const struct msg_lists_entry *e = &m->v[i];

		frame_put(b, TAG_ZONE, e->zone);
		frame_put_u64(b, TAG_OF, e->of);
		frame_put(b, TAG_WHAT, e->listed);
		frame_put_u64(b, TAG_ANSWER, e->answer);
		frame_put(b, TAG_TEXT, e->text);
	}
	frame_end(b);
}

static bool
is_clean(struct str s)
{
	return !str_has_ctl(s) && !str_has_8bit(s);
}

static bool
entry_get(struct frame *f, struct msg_lists_entry *e)
{
	e->zone = frame_get(f, TAG_ZONE);
	e->of = frame_get_u64(f, TAG_OF);
	e->listed = frame_get(f, TAG_WHAT);
	e->answer = frame_get_u64(f, TAG_ANSWER);
	e->text = frame_get(f, TAG_TEXT);
	return is_plain(e->zone) && e->of <= OF_MAX && is_plain(e->listed) &&
	    e->answer <= UINT32_MAX && is_clean(e->text) && e->text.n <= TEXT_MAX;
}

bool
msg_lists_result_get(struct str packet, struct msg_lists_result *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_LISTS_RESULT))
		return false;
	for (m->n = 0; frame_has(&f, TAG_ZONE); m->n++)
		if (m->n == MSG_LISTS_ENTRIES_MAX || !entry_get(&f, &m->v[m->n]))
			return false;
	return frame_close(&f);
}
