/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * msg_spf -- whether domains let a client send mail, both directions; the
 * rules are those of msg.c.
 *
 * The answer is made of what strangers publish, and gets into replies, logs
 * and header fields: what has no place there makes it none.
 */

#include "ipc/msg_spf.h"

enum { TAG_1 = 1, TAG_2, TAG_3, TAG_4, TAG_5 };

/* RFC 5321 4.5.3.1; a domain in UTF-8 may be longer than in ASCII. */
#define ADDRESS_MAX 64
#define NAME_MAX_OCTETS 1024
#define CODES 7

void
msg_spf_put(struct buf *b, const struct msg_spf *m)
{
	frame_begin(b, MSG_SPF);
	frame_put(b, TAG_1, m->address);
	frame_put(b, TAG_2, m->helo);
	frame_put(b, TAG_3, m->local);
	frame_put(b, TAG_4, m->domain);
	frame_put(b, TAG_5, m->receiver);
	frame_end(b);
}

bool
msg_spf_get(struct str packet, struct msg_spf *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_SPF))
		return false;
	m->address = frame_get(&f, TAG_1);
	m->helo = frame_get(&f, TAG_2);
	m->local = frame_get(&f, TAG_3);
	m->domain = frame_get(&f, TAG_4);
	m->receiver = frame_get(&f, TAG_5);
	return frame_close(&f) && m->address.n <= ADDRESS_MAX &&
	    m->helo.n <= NAME_MAX_OCTETS && m->local.n <= NAME_MAX_OCTETS &&
	    m->domain.n <= NAME_MAX_OCTETS && m->receiver.n <= NAME_MAX_OCTETS;
}

static void
put_verdict(struct buf *b, const struct msg_spf_verdict *v)
{
	frame_put_u64(b, TAG_1, v->code);
	frame_put(b, TAG_2, v->mechanism);
	frame_put(b, TAG_3, v->problem);
	frame_put(b, TAG_4, v->explanation);
}

void
msg_spf_result_put(struct buf *b, const struct msg_spf_result *m)
{
	frame_begin(b, MSG_SPF_RESULT);
	put_verdict(b, &m->helo);
	put_verdict(b, &m->from);
	frame_end(b);
}

static bool
is_clean(struct str s)
{
	return s.n <= MSG_SPF_TEXT_MAX && !str_has_ctl(s) && !str_has_8bit(s);
}

static bool
get_verdict(struct frame *f, struct msg_spf_verdict *v)
{
	v->code = frame_get_u64(f, TAG_1);
	v->mechanism = frame_get(f, TAG_2);
	v->problem = frame_get(f, TAG_3);
	v->explanation = frame_get(f, TAG_4);
	return v->code < CODES && is_clean(v->mechanism) && is_clean(v->problem) &&
	    is_clean(v->explanation);
}

bool
msg_spf_result_get(struct str packet, struct msg_spf_result *m)
{
	struct frame f;

	return frame_open_as(&f, packet, MSG_SPF_RESULT) && get_verdict(&f, &m->helo) &&
	    get_verdict(&f, &m->from) && frame_close(&f);
}
