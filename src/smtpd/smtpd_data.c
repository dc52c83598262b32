/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_data -- DATA: the text of a message, from the client to the spool.
 *
 * Once 354 is said the text is read to its CRLF.CRLF, come what may: a
 * reason to refuse is kept until then, and what follows it is thrown away.
 * Only CRLF ends a line.  A bare CR or LF, or a NUL, refuses the message as
 * a whole, so that none can hold another one (CONFORMANCE S-13).
 *
 * The text passes through one bounded buffer.  The header is gathered in it
 * and looked at; the body is handed on as it comes.  Reading ends early for
 * a client that is silent, that sends slower than TEXT_RATE on the whole, or
 * that sends FLOOD_MAX more than it should.
 */

#include "smtpd.h"

#include <errno.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "mail/limits.h"

/* Octets a second that a client must manage (CONFORMANCE S-45). */
#define TEXT_RATE 500
/* What is read and thrown away of a message that is refused already. */
#define FLOOD_MAX (64u << 20)
/* A buffer that grew beyond this is not kept for the next message. */
#define TEXT_KEEP 32768

struct text {
	struct dot_decoder dot;
	struct queue_msg *msg;	/* NULL: header not whole, or refused */
	struct answer refusal;	/* code 0: none */
	struct header_facts header;
	uint64_t octets;	/* of the message so far */
	uint64_t wasted;	/* read after the refusal */
	int64_t start;		/* when it began */
	uint64_t octets_before;	/* and what the stream had read then */
};

struct answer
smtpd_data(struct session *s, const struct command *c)
{
	if (c->has_arg)
		return ANSWER(501, "5.5.4", "DATA takes no argument");
	/*
	 * RFC 2920 3.1: DATA ends a group.  Who goes on takes the answer for
	 * granted; had it been no, the text would be read as commands.  A
	 * program that feeds a whole dialogue to sendmail -bs smuggles nothing.
	 */
	if (stream_pending(s->stream) > 0 && !s->env->to_drop) {
		log_info(NULL, "improper command pipelining after DATA from %s",
		    s->client);
		return (struct answer){ .code = 503, .enhanced = "5.5.0",
			.text = STR("Wait for the answer to DATA"),
			.then = THEN_CLOSE };
	}
	return (struct answer){ .code = 354,
		.text = STR("End data with <CR><LF>.<CR><LF>"),
		.then = THEN_TEXT };
}

/* The first reason counts; nothing of the message is kept. */
static void
refuse(struct session *s, struct text *t, struct answer why)
{
	queue_abort(t->msg);
	t->msg = NULL;
	if (t->refusal.code == 0)
		t->refusal = why;
	buf_free(&s->text);
}

static struct answer
fault(unsigned faults)
{
	if ((faults & DOT_BARE_LF) != 0)
		return ANSWER(550, "5.6.11",
		    "Bare LF in the message text (RFC 5321 2.3.8)");
	if ((faults & DOT_BARE_CR) != 0)
		return ANSWER(550, "5.6.11",
		    "Bare CR in the message text (RFC 5321 2.3.8)");
	if ((faults & DOT_NUL) != 0)
		return ANSWER(550, "5.6.11",
		    "NUL in the message text (RFC 5322 2.2)");
	return ANSWER(554, "5.6.0",
	    "A line of the message text is too long (RFC 5322 2.1.1)");
}

static struct answer
too_large(void)
{
	return ANSWER(552, "5.3.4", "The message is too large");
}

static bool
is_too_large(const struct session *s, const struct text *t)
{
	uint64_t limit = s->conf->limits.message_size;

	return limit > 0 && t->octets > limit;
}

/* The header is known.  False: the message is refused. */
static bool
begin(struct session *s, struct text *t)
{
	struct answer a = { .code = 0 };

	if (t->header.received > s->conf->limits.received_hops)
		a = ANSWER(554, "5.4.6",
		    "Too many hops: this message goes in circles");
	if (a.code == 0)
		a = store_settings(s);
	if (a.code == 0) {
		t->msg = store_begin(s, &t->header);
		if (t->msg == NULL)
			a = store_failed(s, "queue_begin");
	}
	if (a.code != 0)
		refuse(s, t, a);
	return a.code == 0;
}

/* Hands on what was gathered once the header is known; END: it never will be. */
static void
hand_on(struct session *s, struct text *t, bool end)
{
	struct str text = buf_str(&s->text);

	if (t->msg == NULL) {
		int r = header_look(s, text, end, &t->header);

		if (r == 0)
			return;
		if (r < 0) {
			refuse(s, t, ANSWER(554, "5.6.0",
			    "The header of the message is too large"));
			return;
		}
		if (!begin(s, t))
			return;
		text = buf_str(&s->text);
	}
	if (queue_write(t->msg, text) < 0) {
		refuse(s, t, store_failed(s, "queue_write"));
		return;
	}
	buf_reset(&s->text);
}

/* Takes what came; what stands behind the end of the text is left. */
static void
take(struct session *s, struct text *t, struct str bytes)
{
	size_t before = s->text.n;
	size_t used = dot_decode(&t->dot, bytes, &s->text);

	stream_consume(s->stream, used);
	t->octets += s->text.n - before;
	if (t->refusal.code != 0) {
		t->wasted += used;
		buf_reset(&s->text);
		return;
	}
	if (is_too_large(s, t))
		refuse(s, t, too_large());
	else if (t->dot.faults != 0)
		refuse(s, t, fault(t->dot.faults));
	else if (!buf_ok(&s->text))
		panic("smtpd: the text buffer of %zu is full", s->text.max);
	else
		hand_on(s, t, t->dot.done);
}

/* The client has until then for its next octets. */
static int64_t
deadline(const struct session *s, const struct text *t)
{
	int64_t next = session_deadline(s);
	int64_t whole = t->start + s->conf->limits.timeout +
	    (int64_t)(s->stream->bytes_in - t->octets_before) * 1000 /
		TEXT_RATE;

	return next < whole ? next : whole;
}

/* The connection ended within the text. */
static struct answer
cut_off(struct session *s, const struct text *t, enum stream_result r)
{
	queue_abort(t->msg);
	s->last = arena_printf(&s->line_arena, "DATA (%llu bytes)",
	    (unsigned long long)t->octets);
	return session_gone(s, r);
}

static struct answer
finish(struct session *s, struct text *t)
{
	struct answer a;

	/* Of two reasons it is this one, however the octets arrived. */
	if (is_too_large(s, t))
		a = too_large();
	else if (t->refusal.code != 0)
		a = t->refusal;
	else
		a = store_commit(s, t->msg, t->header.message_id);
	if (a.code != 250)
		log_reject(s, "END-OF-MESSAGE", &a, &s->txn.env.from,
		    &s->txn.env.rcpts[0].path);
	return a;
}

struct answer
smtpd_text(struct session *s)
{
	struct text t = { .start = clock_ms(),
		.octets_before = s->stream->bytes_in };
	struct answer a;

	dot_decoder_init(&t.dot);
	buf_reset(&s->text);
	queue_id_new(s->txn.env.id);
	session_score(s, SCORE_DATA);
	while (!t.dot.done) {
		struct str bytes;
		enum stream_result r = session_fill(s, deadline(s, &t),
		    &bytes);

		if (r != STREAM_OK)
			return cut_off(s, &t, r);
		take(s, &t, bytes);
		if (t.wasted > FLOOD_MAX) {
			log_warn(NULL, "too much text from %s: closing",
			    s->client);
			return (struct answer){ .code = 421,
				.enhanced = "4.7.0",
				.text = STR("That was far too much"),
				.then = THEN_CLOSE };
		}
	}
	s->last = "END-OF-MESSAGE";
	a = finish(s, &t);
	if (s->text.size > TEXT_KEEP)
		buf_free(&s->text);
	session_enter(s, S_GREETED);
	return a;
}
