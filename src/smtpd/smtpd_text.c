/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_text -- the text of a message on its way to the spool, by DATA or by
 * BDAT.
 *
 * It passes through one bounded buffer.  The header is gathered in it and
 * looked at; the body is handed on as it comes.  The first reason to refuse
 * counts: from then on nothing of the message is kept, and what still comes
 * is thrown away.  What a line is, and which octets may not be there, is the
 * business of who reads (smtpd_data.c, smtpd_bdat.c); but no header, not even
 * that of a binary message, has more than lines in it.
 *
 * The text lives in the transaction, over as many commands as it takes.
 */

#include "smtpd.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/sys.h"
#include "mail/facts.h"
#include "mail/limits.h"
#include "policy/sender.h"

/* Octets a second that a client must manage (CONFORMANCE S-45). */
#define TEXT_RATE 500
/* A buffer that grew beyond this is not kept for the next message. */
#define TEXT_KEEP 32768

void
text_begin(struct session *s)
{
	s->txn.text = (struct text){ .open = true };
	buf_reset(&s->text);
	queue_id_new(s->txn.env.id);
	session_score(s, SCORE_DATA);
}

void
text_await(struct session *s)
{
	s->txn.text.start = clock_ms();
	s->txn.text.octets_before = s->stream->bytes_in;
}

int64_t
text_deadline(const struct session *s)
{
	const struct text *t = &s->txn.text;
	int64_t next = session_deadline(s);
	int64_t whole = t->start + session_timeout(s) +
	    (int64_t)(s->stream->bytes_in - t->octets_before) * 1000 /
		TEXT_RATE;

	return next < whole ? next : whole;
}

void
text_refuse(struct session *s, struct answer why)
{
	struct text *t = &s->txn.text;

	queue_abort(t->msg);
	t->msg = NULL;
	if (t->refusal.code == 0)
		t->refusal = why;
	buf_free(&s->text);
}

void
text_abort(struct session *s)
{
	queue_abort(s->txn.text.msg);
	s->txn.text.msg = NULL;
	s->txn.text.open = false;
	checks_free(s);
}

struct answer
text_too_large(void)
{
	return ANSWER(552, "5.3.4", "The message is too large");
}

bool
text_is_too_large(const struct session *s, uint64_t octets)
{
	uint64_t limit = s->conf->limits.message_size;

	return limit > 0 && octets > limit;
}

struct str
text_header(const struct session *s)
{
	return s->txn.text.header.none ? STR("") : header_whole(buf_str(&s->text));
}

void
text_strip(struct session *s, bool (*fn)(void *arg, const struct field *f))
{
	struct buf rest;

	buf_init(&rest, s->text.max);
	if (s->txn.text.header.none || header_strip(&rest, buf_str(&s->text), fn, s) == 0) {
		buf_free(&rest);
		return;
	}
	buf_free(&s->text);
	s->text = rest;
}

/* RFC 3030 3: the body may be binary; a header is what it always was. */
static bool
header_is_lines(struct str text)
{
	const char *end = memmem(text.p, text.n, "\r\n\r\n", 4);
	struct facts f;

	if (str_starts(text, STR("\r\n")))
		return true;
	facts_init(&f);
	if (end != NULL)
		text = str_head(text, (size_t)(end - text.p) + 4);
	facts_add(&f, text);
	return (facts_end(&f) & (FACT_BARE | FACT_NUL)) == 0;
}

/* CONFORMANCE S-40: who is logged in may be asked to say who he is. */
static struct answer
check_from(const struct session *s)
{
	const char *why = NULL;

	if (s->user[0] != '\0' && s->conf->access.sender_login == SENDER_FROM)
		why = sender_in_header(s->conf, s->env->users, str_c(s->user),
		    text_header(s));
	return why == NULL ? (struct answer){ .code = 0 } :
	    (struct answer){ .code = 550, .enhanced = "5.7.1", .text = str_c(why) };
}

/* The header is known.  False: the message is refused. */
static bool
begin(struct session *s)
{
	struct text *t = &s->txn.text;
	struct answer a = { .code = 0 };

	if (t->header.received > s->conf->limits.received_hops)
		a = ANSWER(554, "5.4.6",
		    "Too many hops: this message goes in circles");
	else if (s->txn.env.body == BODY_BINARYMIME && !t->header.none &&
	    !header_is_lines(buf_str(&s->text)))
		a = ANSWER(550, "5.6.11",
		    "Bare CR, bare LF or NUL in the header (RFC 5322 2.2)");
	if (a.code == 0)
		a = check_from(s);
	if (a.code == 0)
		a = smtpd_list(s);
	if (a.code == 0) {
		/* What is signed is what came. */
		checks_begin(s);
		a = store_settings(s);
	}
	if (a.code == 0)
		a = remap_text(s);
	if (a.code == 0) {
		scan_strip(s);
		store_archive(s);
		t->msg = store_begin(s, &t->header);
		if (t->msg == NULL)
			a = store_failed(s, "queue_begin");
	}
	if (a.code != 0)
		text_refuse(s, a);
	return a.code == 0;
}

/* Hands on what was gathered once the header is known; END: it never will be. */
static void
hand_on(struct session *s, bool end)
{
	struct text *t = &s->txn.text;
	struct str text = buf_str(&s->text);

	if (t->msg == NULL) {
		int r = header_look(s, text, end, &t->header);

		if (r == 0)
			return;
		if (r < 0) {
			text_refuse(s, ANSWER(554, "5.6.0",
			    "The header of the message is too large"));
			return;
		}
		if (!begin(s))
			return;
		text = buf_str(&s->text);
	} else {
		checks_body(s, text);
	}
	if (queue_write(t->msg, text) < 0) {
		text_refuse(s, store_failed(s, "queue_write"));
		return;
	}
	buf_reset(&s->text);
}

void
text_more(struct session *s, size_t octets, struct answer fault, bool end)
{
	struct text *t = &s->txn.text;

	t->octets += octets;
	if (t->refusal.code != 0) {
		buf_reset(&s->text);
		return;
	}
	if (text_is_too_large(s, t->octets))
		text_refuse(s, text_too_large());
	else if (fault.code != 0)
		text_refuse(s, fault);
	else if (!buf_ok(&s->text))
		panic("smtpd: the text buffer of %zu is full", s->text.max);
	else
		hand_on(s, end);
}

struct answer
text_end(struct session *s)
{
	struct text *t = &s->txn.text;
	struct queue_msg *m = t->msg;
	struct answer a;

	t->msg = NULL;
	/* Of two reasons it is this one, however the octets arrived. */
	if (text_is_too_large(s, t->octets))
		a = text_too_large();
	else if (t->refusal.code != 0)
		a = t->refusal;
	else
		a = checks_end(s, &m);
	if (a.code == 0)
		a = store_commit(s, m, t->header.message_id);
	else
		queue_abort(m);
	dmarc_tell(s, &a);
	if (a.code != 250)
		log_reject(s, "END-OF-MESSAGE", &a, &s->txn.env.from,
		    &s->txn.env.rcpts[0].path);
	if (s->text.size > TEXT_KEEP)
		buf_free(&s->text);
	/* It may be of the transaction, which is over. */
	a.text = arena_str(&s->line_arena, a.text);
	session_enter(s, S_GREETED);
	return a;
}

struct answer
text_cut_off(struct session *s, const char *verb, enum stream_result r)
{
	s->last = arena_printf(&s->line_arena, "%s (%llu bytes)", verb,
	    (unsigned long long)s->txn.text.octets);
	text_abort(s);
	return session_gone(s, r);
}

struct answer
text_flood(const struct session *s)
{
	log_warn(NULL, "too much text from %s: closing", s->client);
	return (struct answer){ .code = 421, .enhanced = "4.7.0",
		.text = STR("That was far too much"), .then = THEN_CLOSE };
}

bool
text_is_for_desk(const struct session *s)
{
	const struct envelope *e = &s->txn.env;

	for (size_t i = 0; i < e->rcpt_n; i++)
		if (!str_ieq(e->rcpts[i].path.local, STR("postmaster")) &&
		    !str_ieq(e->rcpts[i].path.local, STR("abuse")))
			return false;
	return true;
}

bool
text_read(int fd, off_t at, size_t n, struct buf *b)
{
	size_t have = 0;

	while (have < n) {
		char *room = buf_room(b, 65536);
		ssize_t got = room != NULL ? sys_pread(fd, room, 65536, at + (off_t)have) : -1;

		if (got <= 0)
			return false;
		buf_grew(b, (size_t)got);
		have += (size_t)got;
	}
	buf_cut(b, n);
	return buf_ok(b);
}
