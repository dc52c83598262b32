/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * msg_txt -- records of keys and policies, both directions; the rules are
 * those of msg.c.
 *
 * The question is looked at as if its sender were hostile, for a session may
 * be by the time that it has read a message; so is the answer, which is made
 * of what strangers publish.
 */

#include "ipc/msg_txt.h"

enum { TAG_1 = 1, TAG_2 };

/* RFC 1035 2.3.4, without the final dot. */
#define NAME_MAX_OCTETS 253
#define LABEL_MAX 63

static bool
is_label(struct str label)
{
	for (size_t i = 0; i < label.n; i++) {
		char c = char_lower(label.p[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
	}
	return label.n > 0 && label.n <= LABEL_MAX;
}

bool
msg_txt_may_ask(struct str name)
{
	struct str rest = name, label;
	bool may = false, more = true;

	if (name.n > NAME_MAX_OCTETS)
		return false;
	for (size_t i = 0; more; i++) {
		more = str_cut(rest, '.', &label, &rest);
		if (!is_label(label))
			return false;
		may = may || (more && i == 0 && str_ieq(label, STR("_dmarc"))) ||
		    (more && i > 0 && str_ieq(label, STR("_domainkey")));
	}
	return may;
}

void
msg_txt_put(struct buf *b, const struct msg_txt *m)
{
	frame_begin(b, MSG_TXT);
	frame_put_u64(b, TAG_1, m->wait_ms);
	for (size_t i = 0; i < m->name_n; i++)
		frame_put(b, TAG_2, m->names[i]);
	frame_end(b);
}

bool
msg_txt_get(struct str packet, struct msg_txt *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_TXT))
		return false;
	m->wait_ms = frame_get_u64(&f, TAG_1);
	for (m->name_n = 0; m->name_n < MSG_TXT_NAMES_MAX && frame_has(&f, TAG_2); m->name_n++) {
		m->names[m->name_n] = frame_get(&f, TAG_2);
		if (!msg_txt_may_ask(m->names[m->name_n]))
			return false;
	}
	return frame_close(&f) && m->name_n > 0 && m->wait_ms > 0 &&
	    m->wait_ms <= MSG_TXT_WAIT_MAX_MS;
}

static size_t
octets_of(const struct txt_answer *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->text_n; i++)
		n += a->texts[i].n;
	return n;
}

void
msg_txt_result_put(struct buf *b, const struct msg_txt_result *m)
{
	frame_begin(b, MSG_TXT_RESULT);
	for (size_t i = 0; i < m->answer_n; i++) {
		const struct txt_answer *a = &m->answers[i];
		bool fits = octets_of(a) <= MSG_TXT_NAME_MAX;

		frame_put_u64(b, TAG_1, fits ? a->status : TXT_LARGE);
		for (size_t k = 0; fits && k < a->text_n; k++)
			frame_put(b, TAG_2, a->texts[k]);
	}
	frame_end(b);
}

/* Takes one answer off F; false if it is none. */
static bool
take_answer(struct frame *f, struct txt_answer *a)
{
	uint64_t status = frame_get_u64(f, TAG_1);

	if (status > TXT_LARGE)
		return false;
	a->status = (enum txt_status)status;
	for (a->text_n = 0; a->text_n < MSG_TXT_RECORDS_MAX && frame_has(f, TAG_2); a->text_n++)
		a->texts[a->text_n] = frame_get(f, TAG_2);
	return (a->text_n > 0) == (a->status == TXT_OK) && octets_of(a) <= MSG_TXT_NAME_MAX;
}

bool
msg_txt_result_get(struct str packet, struct msg_txt_result *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_TXT_RESULT))
		return false;
	for (m->answer_n = 0; m->answer_n < MSG_TXT_NAMES_MAX && frame_has(&f, TAG_1);
	    m->answer_n++)
		if (!take_answer(&f, &m->answers[m->answer_n]))
			return false;
	return frame_close(&f) && m->answer_n > 0;
}
