/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * msg -- every message between barid's processes, both directions.
 *
 * A *_put and its *_get stand together and name the same tags in the same
 * order.  A getter takes a frame only whole: the right type, every field,
 * numbers in their range, nothing left over.  What the strings say is not
 * looked at here: the receiver treats them as foreign.
 */

#include "ipc/msg.h"

#include <errno.h>
#include <string.h>

#include "ipc/channel.h"
#include "lib/log.h"

#include "lib/name.h"

/* Tags count from one within each message; an enum would say no more. */
enum {
	TAG_1 = 1,
	TAG_2,
	TAG_3,
	TAG_4,
	TAG_5,
	TAG_6,
	TAG_7,
	TAG_8,
	TAG_9,
	TAG_10,
	TAG_11,
	TAG_12,
	TAG_13,
	TAG_14
};

void
msg_hint_put(struct buf *b, const struct msg_hint *m)
{
	frame_begin(b, MSG_HINT);
	frame_put(b, TAG_1, m->id);
	if (m->tray != 0)
		frame_put_u64(b, TAG_2, m->tray);
	frame_end(b);
}

bool
msg_hint_get(struct str packet, struct msg_hint *m)
{
	struct frame f;
	bool in_tray;

	if (!frame_open_as(&f, packet, MSG_HINT))
		return false;
	m->id = frame_get(&f, TAG_1);
	in_tray = frame_has(&f, TAG_2);
	m->tray = in_tray ? frame_get_u64(&f, TAG_2) : 0;
	/* What is in none does not say so. */
	return frame_close(&f) && in_tray == (m->tray != 0);
}

void
msg_etrn_put(struct buf *b, const struct msg_etrn *m)
{
	frame_begin(b, MSG_ETRN);
	frame_put(b, TAG_1, m->domain);
	frame_end(b);
}

bool
msg_etrn_get(struct str packet, struct msg_etrn *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_ETRN))
		return false;
	m->domain = frame_get(&f, TAG_1);
	return frame_close(&f);
}

void
msg_auth_put(struct buf *b, const struct msg_auth *m)
{
	frame_begin(b, MSG_AUTH);
	frame_put(b, TAG_1, m->service);
	frame_put(b, TAG_2, m->mechanism);
	frame_put(b, TAG_3, m->user);
	frame_put(b, TAG_4, m->password);
	frame_put(b, TAG_5, m->client);
	frame_put(b, TAG_6, m->challenge);
	frame_put(b, TAG_7, m->listener);
	frame_put(b, TAG_8, m->tls);
	frame_end(b);
}

bool
msg_auth_get(struct str packet, struct msg_auth *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_AUTH))
		return false;
	m->service = frame_get(&f, TAG_1);
	m->mechanism = frame_get(&f, TAG_2);
	m->user = frame_get(&f, TAG_3);
	m->password = frame_get(&f, TAG_4);
	m->client = frame_get(&f, TAG_5);
	m->challenge = frame_get(&f, TAG_6);
	m->listener = frame_get(&f, TAG_7);
	m->tls = frame_get(&f, TAG_8);
	return frame_close(&f);
}

void
msg_auth_result_put(struct buf *b, const struct msg_auth_result *m)
{
	frame_begin(b, MSG_AUTH_RESULT);
	frame_put_u64(b, TAG_1, (uint64_t)m->verdict);
	frame_put(b, TAG_2, m->user);
	frame_put(b, TAG_3, m->app);
	frame_put(b, TAG_4, m->said);
	frame_put(b, TAG_5, m->why);
	frame_end(b);
}

bool
msg_auth_result_get(struct str packet, struct msg_auth_result *m)
{
	struct frame f;
	uint64_t verdict;

	/* Whoever forgets to look at the result has not been let in. */
	m->verdict = AUTH_TEMPORARY;
	m->user = m->app = m->said = m->why = str_n("", 0);
	if (!frame_open_as(&f, packet, MSG_AUTH_RESULT))
		return false;
	verdict = frame_get_u64(&f, TAG_1);
	m->user = frame_get(&f, TAG_2);
	m->app = frame_get(&f, TAG_3);
	m->said = frame_get(&f, TAG_4);
	m->why = frame_get(&f, TAG_5);
	if (!frame_close(&f) || verdict > AUTH_MORE)
		return false;
	m->verdict = (enum auth_verdict)verdict;
	return true;
}

void
msg_sign_put(struct buf *b, const struct msg_sign *m)
{
	frame_begin(b, MSG_SIGN);
	frame_put(b, TAG_1, m->key);
	frame_put_u64(b, TAG_2, m->scheme);
	frame_put(b, TAG_3, m->content);
	frame_end(b);
}

bool
msg_sign_get(struct str packet, struct msg_sign *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_SIGN))
		return false;
	m->key = frame_get(&f, TAG_1);
	m->scheme = frame_get_u64(&f, TAG_2);
	m->content = frame_get(&f, TAG_3);
	return frame_close(&f);
}

void
msg_sign_result_put(struct buf *b, const struct msg_sign_result *m)
{
	frame_begin(b, MSG_SIGN_RESULT);
	frame_put(b, TAG_1, m->signature);
	frame_end(b);
}

bool
msg_sign_result_get(struct str packet, struct msg_sign_result *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_SIGN_RESULT))
		return false;
	m->signature = frame_get(&f, TAG_1);
	return frame_close(&f);
}

void
msg_control_put(struct buf *b, const struct msg_control *m)
{
	frame_begin(b, MSG_CONTROL);
	frame_put_u64(b, TAG_1, (uint64_t)m->op);
	frame_put(b, TAG_2, m->domain);
	frame_put(b, TAG_3, m->sender);
	frame_put_u64(b, TAG_4, m->form);
	frame_put(b, TAG_6, m->recipient);
	frame_put(b, TAG_7, m->reason);
	frame_put(b, TAG_8, m->route);
	frame_put_u64(b, TAG_9, m->states);
	frame_put_u64(b, TAG_10, m->before_us);
	frame_put_u64(b, TAG_11, m->after_us);
	frame_put_u64(b, TAG_12, m->limit);
	frame_put_u64(b, TAG_13, m->sort << 2 | (m->reverse ? 1 : 0) |
	    (m->by_sender ? 2 : 0));
	frame_put_u64(b, TAG_14, m->at);
	for (size_t i = 0; i < m->id_n && i < CONTROL_IDS_MAX; i++)
		frame_put(b, TAG_5, m->ids[i]);
	/* Never fewer ids than were meant. */
	if (m->id_n > CONTROL_IDS_MAX)
		b->err = true;
	frame_end(b);
}

bool
msg_control_get(struct str packet, struct msg_control *m)
{
	struct frame f;
	uint64_t op, sort;

	m->id_n = 0;
	if (!frame_open_as(&f, packet, MSG_CONTROL))
		return false;
	op = frame_get_u64(&f, TAG_1);
	m->domain = frame_get(&f, TAG_2);
	m->sender = frame_get(&f, TAG_3);
	m->form = frame_get_u64(&f, TAG_4);
	m->recipient = frame_get(&f, TAG_6);
	m->reason = frame_get(&f, TAG_7);
	m->route = frame_get(&f, TAG_8);
	m->states = frame_get_u64(&f, TAG_9);
	m->before_us = frame_get_u64(&f, TAG_10);
	m->after_us = frame_get_u64(&f, TAG_11);
	m->limit = frame_get_u64(&f, TAG_12);
	sort = frame_get_u64(&f, TAG_13);
	m->sort = sort >> 2;
	m->reverse = (sort & 1) != 0;
	m->by_sender = (sort & 2) != 0;
	m->at = frame_get_u64(&f, TAG_14);
	while (m->id_n < CONTROL_IDS_MAX && frame_has(&f, TAG_5))
		m->ids[m->id_n++] = frame_get(&f, TAG_5);
	if (!frame_close(&f) || op < CONTROL_STATUS || op > CONTROL_LAST)
		return false;
	m->op = (enum control_op)op;
	return true;
}

void
msg_control_result_put(struct buf *b, const struct msg_control_result *m)
{
	frame_begin(b, MSG_CONTROL_RESULT);
	frame_put_u64(b, TAG_1, m->ok ? 1 : 0);
	frame_put_u64(b, TAG_2, m->count);
	frame_put(b, TAG_3, m->text);
	frame_put_u64(b, TAG_4, m->more ? 1 : 0);
	frame_end(b);
}

void
msg_control_answer(int fd, bool ok, uint64_t count, struct str text)
{
	struct msg_control_result r = { .ok = ok, .count = count,
		.text = str_head(text, CONTROL_TEXT_MAX) };
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_control_result_put(&b, &r);
	if (channel_send(fd, buf_str(&b), -1) < 0)
		log_debug(NULL, "nobody waits for the answer: %s", strerror(errno));
	buf_free(&b);
}

bool
msg_control_result_get(struct str packet, struct msg_control_result *m)
{
	struct frame f;
	uint64_t ok, more;

	m->ok = m->more = false;
	if (!frame_open_as(&f, packet, MSG_CONTROL_RESULT))
		return false;
	ok = frame_get_u64(&f, TAG_1);
	m->count = frame_get_u64(&f, TAG_2);
	m->text = frame_get(&f, TAG_3);
	more = frame_get_u64(&f, TAG_4);
	if (!frame_close(&f) || ok > 1 || more > 1)
		return false;
	m->ok = ok == 1;
	m->more = more == 1;
	return true;
}

void
msg_sts_put(struct buf *b, const struct msg_sts *m)
{
	frame_begin(b, MSG_STS);
	frame_put(b, TAG_1, m->domain);
	frame_put(b, TAG_2, m->id);
	frame_end(b);
}

bool
msg_sts_get(struct str packet, struct msg_sts *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_STS))
		return false;
	m->domain = frame_get(&f, TAG_1);
	m->id = frame_get(&f, TAG_2);
	return frame_close(&f);
}

void
msg_sts_result_put(struct buf *b, const struct msg_sts_result *m)
{
	frame_begin(b, MSG_STS_RESULT);
	frame_put_u64(b, TAG_1, m->ok ? 1 : 0);
	frame_put(b, TAG_2, m->id);
	frame_put(b, TAG_3, m->text);
	frame_end(b);
}

bool
msg_sts_result_get(struct str packet, struct msg_sts_result *m)
{
	struct frame f;
	uint64_t ok;

	m->ok = false;
	if (!frame_open_as(&f, packet, MSG_STS_RESULT))
		return false;
	ok = frame_get_u64(&f, TAG_1);
	m->id = frame_get(&f, TAG_2);
	m->text = frame_get(&f, TAG_3);
	if (!frame_close(&f) || ok > 1)
		return false;
	m->ok = ok == 1;
	return true;
}

void
msg_token_put(struct buf *b, const struct msg_token *m)
{
	frame_begin(b, MSG_TOKEN);
	frame_put(b, TAG_1, m->upstream);
	frame_put_u64(b, TAG_2, m->server);
	frame_put(b, TAG_3, m->refused);
	frame_end(b);
}

bool
msg_token_get(struct str packet, struct msg_token *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_TOKEN))
		return false;
	m->upstream = frame_get(&f, TAG_1);
	m->server = frame_get_u64(&f, TAG_2);
	m->refused = frame_get(&f, TAG_3);
	return frame_close(&f);
}

void
msg_token_result_put(struct buf *b, const struct msg_token_result *m)
{
	frame_begin(b, MSG_TOKEN_RESULT);
	frame_put_u64(b, TAG_1, m->ok ? 1 : 0);
	frame_put_u64(b, TAG_2, m->seconds);
	frame_put(b, TAG_3, m->text);
	frame_end(b);
}

bool
msg_token_result_get(struct str packet, struct msg_token_result *m)
{
	struct frame f;
	uint64_t ok;

	m->ok = false;
	if (!frame_open_as(&f, packet, MSG_TOKEN_RESULT))
		return false;
	ok = frame_get_u64(&f, TAG_1);
	m->seconds = frame_get_u64(&f, TAG_2);
	m->text = frame_get(&f, TAG_3);
	if (!frame_close(&f) || ok > 1)
		return false;
	m->ok = ok == 1;
	return true;
}

void
msg_spawn_put(struct buf *b, const struct msg_spawn *m)
{
	frame_begin(b, MSG_SPAWN);
	frame_put_u64(b, TAG_1, m->command);
	frame_put(b, TAG_2, m->via);
	frame_put(b, TAG_3, m->id);
	frame_put_u64(b, TAG_4, m->at);
	frame_put_u64(b, TAG_5, m->size);
	frame_put(b, TAG_6, m->sender);
	frame_put(b, TAG_7, m->client);
	frame_put(b, TAG_8, m->login);
	for (size_t i = 0; i < m->rcpt_n; i++)
		frame_put(b, TAG_9, m->rcpts[i]);
	frame_put_u64(b, TAG_10, m->kind);
	frame_put_u64(b, TAG_11, m->arrival);
	frame_put_u64(b, TAG_12, m->rcpt);
	frame_put(b, TAG_13, m->who);
	frame_end(b);
}

bool
msg_spawn_get(struct str packet, struct msg_spawn *m)
{
	struct frame f;
	uint64_t kind;

	if (!frame_open_as(&f, packet, MSG_SPAWN))
		return false;
	m->command = frame_get_u64(&f, TAG_1);
	m->via = frame_get(&f, TAG_2);
	m->id = frame_get(&f, TAG_3);
	m->at = frame_get_u64(&f, TAG_4);
	m->size = frame_get_u64(&f, TAG_5);
	m->sender = frame_get(&f, TAG_6);
	m->client = frame_get(&f, TAG_7);
	m->login = frame_get(&f, TAG_8);
	for (m->rcpt_n = 0; frame_has(&f, TAG_9); m->rcpt_n++) {
		if (m->rcpt_n == SPAWN_RCPTS_MAX)
			return false;
		m->rcpts[m->rcpt_n] = frame_get(&f, TAG_9);
	}
	kind = frame_get_u64(&f, TAG_10);
	m->kind = (enum spawn_kind)kind;
	m->arrival = frame_get_u64(&f, TAG_11);
	m->rcpt = frame_get_u64(&f, TAG_12);
	m->who = frame_get(&f, TAG_13);
	return frame_close(&f) && m->rcpt_n > 0 && kind <= SPAWN_HOME;
}

void
msg_spawn_result_put(struct buf *b, const struct msg_spawn_result *m)
{
	frame_begin(b, MSG_SPAWN_RESULT);
	frame_put_u64(b, TAG_1, m->end);
	frame_put_u64(b, TAG_2, m->code);
	frame_put(b, TAG_3, m->text);
	frame_end(b);
}

bool
msg_spawn_result_get(struct str packet, struct msg_spawn_result *m)
{
	struct frame f;
	uint64_t end;

	if (!frame_open_as(&f, packet, MSG_SPAWN_RESULT))
		return false;
	end = frame_get_u64(&f, TAG_1);
	m->code = frame_get_u64(&f, TAG_2);
	m->text = frame_get(&f, TAG_3);
	if (end > SPAWN_FAILED || m->code > 255)
		return false;
	m->end = (enum spawn_end)end;
	return frame_close(&f);
}

void
msg_forward_put(struct buf *b, const struct msg_forward *m)
{
	frame_begin(b, MSG_FORWARD);
	frame_put(b, TAG_1, m->user);
	frame_end(b);
}

bool
msg_forward_get(struct str packet, struct msg_forward *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_FORWARD))
		return false;
	m->user = frame_get(&f, TAG_1);
	return frame_close(&f) && name_is_plain(m->user);
}

void
msg_forward_result_put(struct buf *b, const struct msg_forward_result *m)
{
	frame_begin(b, MSG_FORWARD_RESULT);
	frame_put_u64(b, TAG_1, m->state);
	frame_put(b, TAG_2, m->text);
	frame_put_u64(b, TAG_3, m->account);
	frame_end(b);
}

bool
msg_forward_result_get(struct str packet, struct msg_forward_result *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_FORWARD_RESULT))
		return false;
	m->state = frame_get_u64(&f, TAG_1);
	m->text = frame_get(&f, TAG_2);
	m->account = frame_get_u64(&f, TAG_3) != 0;
	return frame_close(&f) && m->state <= 2;
}
