/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_data -- DATA: a text that ends with a dot.
 *
 * Once 354 is said the text is read to its CRLF.CRLF, come what may: a
 * reason to refuse is kept until then, and what follows it is thrown away, up
 * to TEXT_FLOOD.  Only CRLF ends a line.  A bare CR or LF, or a NUL, refuses
 * the message as a whole, so that none can hold another one (CONFORMANCE
 * S-13).  What becomes of the text is smtpd_text.c's to say.
 */

#include "smtpd.h"

#include "lib/log.h"

struct answer
smtpd_data(struct session *s, const struct command *c)
{
	if (c->has_arg)
		return ANSWER(501, "5.5.4", "DATA takes no argument");
	/* RFC 3030 3: a dot cannot end what is binary. */
	if (s->txn.env.body == BODY_BINARYMIME)
		return ANSWER(503, "5.5.1", "BODY=BINARYMIME needs BDAT");
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

static struct answer
fault(unsigned faults)
{
	if (faults == 0)
		return (struct answer){ .code = 0 };
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

struct answer
smtpd_text(struct session *s)
{
	const struct text *t = &s->txn.text;
	struct dot_decoder dot;
	uint64_t wasted = 0;

	dot_decoder_init(&dot);
	text_begin(s);
	text_await(s);
	while (!dot.done) {
		size_t before = s->text.n, used;
		struct str bytes;
		enum stream_result r = session_fill(s, text_deadline(s),
		    &bytes);

		if (r != STREAM_OK)
			return text_cut_off(s, "DATA", r);
		used = dot_decode(&dot, bytes, &s->text);
		stream_consume(s->stream, used);
		wasted += t->refusal.code != 0 ? used : 0;
		text_more(s, s->text.n - before, fault(dot.faults), dot.done);
		if (wasted > TEXT_FLOOD)
			return text_flood(s);
	}
	s->last = "END-OF-MESSAGE";
	return text_end(s);
}
