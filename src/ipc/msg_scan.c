/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * msg_scan -- messages that are looked at by a server of spam or viruses, both
 * directions; the rules are those of msg.c.
 *
 * The question is made of what a client said, and a session may be hostile by
 * the time that it has read a message: nothing in it begins another line of a
 * protocol.  The answer is made of what a server said, and goes into a header,
 * a reply and the log.
 */

#include "ipc/msg_scan.h"

enum {
	TAG_KIND = 1,
	TAG_AT,
	TAG_SIZE,
	TAG_ID,
	TAG_FROM,
	TAG_CLIENT,
	TAG_NAME,
	TAG_HELO,
	TAG_LOGIN,
	TAG_RCPT,
	TAG_RESULT,
	TAG_SCORED,
	TAG_SCORE,
	TAG_REQUIRED,
	TAG_SYMBOLS,
	TAG_WHAT,
	TAG_EDITED
};

#define WORD_MAX 1024
#define SIZE_TOP ((uint64_t)1 << 40)

void
msg_scan_put(struct buf *b, const struct msg_scan *m)
{
	frame_begin(b, MSG_SCAN);
	frame_put_u64(b, TAG_KIND, m->kind);
	frame_put_u64(b, TAG_AT, m->at);
	frame_put_u64(b, TAG_SIZE, m->size);
	frame_put(b, TAG_ID, m->id);
	frame_put(b, TAG_FROM, m->from);
	frame_put(b, TAG_CLIENT, m->client);
	frame_put(b, TAG_NAME, m->name);
	frame_put(b, TAG_HELO, m->helo);
	frame_put(b, TAG_LOGIN, m->login);
	for (size_t i = 0; i < m->rcpt_n; i++)
		frame_put(b, TAG_RCPT, m->rcpts[i]);
	frame_end(b);
}

static bool
is_word(struct str s)
{
	return s.n <= WORD_MAX && !str_has_ctl(s);
}

bool
msg_scan_get(struct str packet, struct msg_scan *m)
{
	struct frame f;
	uint64_t kind;
	bool ok;

	if (!frame_open_as(&f, packet, MSG_SCAN))
		return false;
	kind = frame_get_u64(&f, TAG_KIND);
	m->kind = kind == SCAN_KIND_VIRUS ? SCAN_KIND_VIRUS : SCAN_KIND_SPAM;
	m->at = frame_get_u64(&f, TAG_AT);
	m->size = frame_get_u64(&f, TAG_SIZE);
	m->id = frame_get(&f, TAG_ID);
	m->from = frame_get(&f, TAG_FROM);
	m->client = frame_get(&f, TAG_CLIENT);
	m->name = frame_get(&f, TAG_NAME);
	m->helo = frame_get(&f, TAG_HELO);
	m->login = frame_get(&f, TAG_LOGIN);
	ok = is_word(m->id) && is_word(m->from) && is_word(m->client) &&
	    is_word(m->name) && is_word(m->helo) && is_word(m->login);
	for (m->rcpt_n = 0; m->rcpt_n < MSG_SCAN_RCPTS_MAX && frame_has(&f, TAG_RCPT);
	    m->rcpt_n++) {
		m->rcpts[m->rcpt_n] = frame_get(&f, TAG_RCPT);
		ok = ok && is_word(m->rcpts[m->rcpt_n]);
	}
	return frame_close(&f) && ok && kind <= SCAN_KIND_VIRUS && m->at < SIZE_TOP &&
	    m->size < SIZE_TOP;
}

void
msg_scan_text_put(struct buf *b)
{
	frame_begin(b, MSG_SCAN_TEXT);
	frame_end(b);
}

bool
msg_scan_text_get(struct str packet)
{
	struct frame f;

	return frame_open_as(&f, packet, MSG_SCAN_TEXT) && frame_close(&f);
}

void
msg_scan_result_put(struct buf *b, const struct msg_scan_result *m)
{
	frame_begin(b, MSG_SCAN_RESULT);
	frame_put_u64(b, TAG_RESULT, m->result);
	frame_put_u64(b, TAG_SCORED, m->scored);
	frame_put_u64(b, TAG_SCORE, (uint64_t)m->score);
	frame_put_u64(b, TAG_REQUIRED, (uint64_t)m->required);
	frame_put(b, TAG_SYMBOLS, m->symbols);
	frame_put(b, TAG_WHAT, m->what);
	frame_put_u64(b, TAG_EDITED, m->edited);
	frame_end(b);
}

static bool
is_clean(struct str s, size_t max)
{
	return s.n <= max && !str_has_ctl(s) && !str_has_8bit(s);
}

static bool
is_score(int64_t v)
{
	return v >= -MSG_SCAN_SCORE_MAX && v <= MSG_SCAN_SCORE_MAX;
}

bool
msg_scan_result_get(struct str packet, struct msg_scan_result *m)
{
	struct frame f;
	uint64_t result, scored;

	if (!frame_open_as(&f, packet, MSG_SCAN_RESULT))
		return false;
	result = frame_get_u64(&f, TAG_RESULT);
	m->result = result <= SCAN_VIRUS ? (enum scan_result)result : SCAN_FAILED;
	scored = frame_get_u64(&f, TAG_SCORED);
	m->scored = scored == 1;
	m->score = (int64_t)frame_get_u64(&f, TAG_SCORE);
	m->required = (int64_t)frame_get_u64(&f, TAG_REQUIRED);
	m->symbols = frame_get(&f, TAG_SYMBOLS);
	m->what = frame_get(&f, TAG_WHAT);
	m->edited = frame_get_u64(&f, TAG_EDITED);
	return frame_close(&f) && result <= SCAN_VIRUS && scored <= 1 &&
	    is_score(m->score) && is_score(m->required) && m->edited < SIZE_TOP &&
	    is_clean(m->symbols, MSG_SCAN_SYMBOLS_MAX) && is_clean(m->what, MSG_SCAN_WHAT_MAX) &&
	    (m->symbols.n == 0 || str_find(m->symbols, ' ') < 0);
}
