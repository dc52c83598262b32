/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_bdat -- BDAT: a text in chunks whose octets are counted (RFC 3030).
 *
 * What a chunk was said to have is never read as commands, whatever is wrong
 * with the command before it: it is read and thrown away, or, where its size
 * is not known or beyond all measure, the line is closed.  Only where no number
 * stands at all there are no octets either.
 *
 * A chunk that is refused ends the transaction, so that those behind it in a
 * pipeline find none and are thrown away as well.  The text of a message that
 * is not BODY=BINARYMIME has to hold what DATA has: lines, and nothing that
 * could be taken for the end of one.
 */

#include "smtpd.h"

#include "lib/log.h"
#include "mail/limits.h"

/* "BDAT " and any number that is one, with leading zeros, and " LAST". */
#define ARG_MAX 64

struct chunk {
	uint64_t size;
	bool last;
};

static struct answer
closing(int code, const char *enhanced, struct str text)
{
	return (struct answer){ .code = code, .enhanced = enhanced,
		.text = text, .then = THEN_CLOSE };
}

/* Code 0; or a refusal, with which C has the size if the line goes on. */
static struct answer
parse(const struct command *cmd, struct chunk *c)
{
	struct str rest = cmd->arg, word = str_word(&rest);

	if (word.n == 0 || ((word.p[0] < '0' || word.p[0] > '9') &&
		word.p[0] != '-' && word.p[0] != '+'))
		return ANSWER(501, "5.5.4", "BDAT takes a size, and LAST");
	if (cmd->arg.n > ARG_MAX || str_u64(word, INT64_MAX, &c->size) < 0)
		return closing(501, "5.5.4",
		    STR("This is not the size of a chunk"));
	word = str_word(&rest);
	c->last = str_ieq(word, STR("LAST"));
	if ((word.n > 0 && !c->last) || str_trim(rest).n > 0)
		return ANSWER(501, "5.5.4",
		    "Behind the size of a chunk stands LAST, or nothing");
	if (c->size == 0 && !c->last)
		return ANSWER(501, "5.5.4", "Only the last chunk is empty");
	return (struct answer){ .code = 0 };
}

/* Whether there is a message that the chunk can be of. */
static struct answer
in_order(const struct session *s)
{
	if (smtpd_tls_missing(s))
		return ANSWER(530, "5.7.0",
		    "Must issue a STARTTLS command first");
	if (s->state == S_RCPT || s->state == S_BDAT)
		return s->esmtp ? (struct answer){ .code = 0 } :
				  ANSWER(503, "5.5.1", "BDAT needs EHLO");
	if (s->state == S_START)
		return ANSWER(503, "5.5.1", "EHLO first");
	if (s->state == S_MAIL && s->txn.rejected > 0)
		return ANSWER(554, "5.5.1", "There is no valid recipient");
	return s->state == S_MAIL ?
	    ANSWER(503, "5.5.1", "RCPT first") :
	    ANSWER(503, "5.5.1", "MAIL first");
}

/* What DATA would not have taken; FOUND: of all the text so far. */
static struct answer
fault(const struct session *s, unsigned found)
{
	if (s->txn.env.body == BODY_BINARYMIME)
		return (struct answer){ .code = 0 };
	if ((found & FACT_BARE) != 0)
		return ANSWER(550, "5.6.11",
		    "Bare CR or LF in the message text (RFC 5321 2.3.8)");
	if ((found & FACT_NUL) != 0)
		return ANSWER(550, "5.6.11",
		    "NUL in the message text (RFC 5322 2.2)");
	if ((found & FACT_HUGE) != 0)
		return ANSWER(554, "5.6.0",
		    "A line of the message text is too long (RFC 5322 2.1.1)");
	return (struct answer){ .code = 0 };
}

/* The last line of a text in lines has an end, also where nobody sent it. */
static void
end_line(struct session *s)
{
	struct text *t = &s->txn.text;
	struct answer a;

	if (s->txn.env.body == BODY_BINARYMIME || t->refusal.code != 0 ||
	    t->facts.line == 0) {
		text_more(s, 0, (struct answer){ .code = 0 }, true);
		return;
	}
	a = t->facts.cr ? fault(s, FACT_BARE) : fault(s, 0);
	buf_adds(&s->text, "\r\n");
	text_more(s, 2, a, true);
}

/* Reads N octets.  Code 0, or what ends the session. */
static struct answer
read_chunk(struct session *s, uint64_t n)
{
	struct text *t = &s->txn.text;
	uint64_t wasted = 0;

	text_await(s);
	while (n > 0) {
		struct str bytes;
		enum stream_result r = session_fill(s, text_deadline(s),
		    &bytes);

		if (r != STREAM_OK)
			return text_cut_off(s, "BDAT", r);
		if (bytes.n > n)
			bytes.n = (size_t)n;
		n -= bytes.n;
		if (t->open && t->refusal.code == 0) {
			buf_add(&s->text, bytes);
			facts_add(&t->facts, bytes);
		}
		stream_consume(s->stream, bytes.n);
		wasted += t->refusal.code != 0 ? bytes.n : 0;
		if (wasted > TEXT_FLOOD)
			return text_flood(s);
		if (t->open)
			text_more(s, bytes.n, fault(s, t->facts.found), false);
	}
	return (struct answer){ .code = 0 };
}

/* A chunk of no message: read, and forgotten. */
static struct answer
throw_away(struct session *s, uint64_t n, struct answer why)
{
	struct answer a;

	if (s->state == S_RCPT || s->state == S_BDAT)
		session_enter(s, S_GREETED);
	if (n > TEXT_FLOOD) {
		why.then = THEN_CLOSE;
		return why;
	}
	a = read_chunk(s, n);
	return a.code != 0 || a.then != THEN_NEXT ? a : why;
}

static struct answer
receive(struct session *s, const struct chunk *c)
{
	struct text *t = &s->txn.text;
	struct answer a;

	if (!t->open)
		text_begin(s);
	/* RFC 3030 2, RFC 1870 6.2: the sum counts. */
	if (text_is_too_large(s, t->octets) ||
	    text_is_too_large(s, c->size) ||
	    text_is_too_large(s, t->octets + c->size))
		text_refuse(s, text_too_large());
	if (t->refusal.code != 0 && c->size > TEXT_FLOOD) {
		t->octets += c->size;
		a = text_end(s);
		a.then = THEN_CLOSE;
		return a;
	}
	a = read_chunk(s, c->size);
	if (a.code != 0 || a.then != THEN_NEXT)
		return a;
	if (c->last)
		end_line(s);
	if (c->last || t->refusal.code != 0)
		return text_end(s);
	session_enter(s, S_BDAT);
	return (struct answer){ .code = 250, .enhanced = "2.0.0",
		.text = str_c(arena_printf(&s->line_arena,
		    "Ok: %llu octets so far", (unsigned long long)t->octets)) };
}

struct answer
smtpd_bdat(struct session *s, const struct command *cmd)
{
	struct chunk c = { 0 };
	struct answer a;

	/* Where LF may end lines, octets are not what they were (smtpd_lines.c). */
	if (s->env->to_drop)
		return (struct answer){ .code = 502, .enhanced = "5.5.1",
			.text = STR("There are no chunks here"), .then = THEN_CLOSE };
	a = parse(cmd, &c);
	if (a.code == 0)
		a = in_order(s);
	if (a.code == 0)
		return receive(s, &c);
	return a.then == THEN_CLOSE ? a : throw_away(s, c.size, a);
}
