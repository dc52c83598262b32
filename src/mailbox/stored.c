/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * stored -- the form of a message in a Maildir, and its size on the wire.
 *
 * The spool has CRLF, a Maildir has LF.  A CR without LF stays where it is:
 * whoever sends the message makes a line end of it, as room mail does, and
 * wire_count() counts so.  The result does not depend on how the text was
 * split, so that a delivery that is repeated gives the same file and name.
 */

#include "mailbox.h"

static const char return_path[] = "return-path:";
#define RETURN_PATH_LEN (sizeof(return_path) - 1)

/* Puts out what was held back, as it turned out to be no Return-Path. */
static void
let_go(struct stored *s, struct buf *out)
{
	buf_add(out, str_n(s->held, s->matched));
	s->matched = 0;
}

/* One octet of the header, line ends being LF already. */
static void
header_octet(struct stored *s, char c, struct buf *out)
{
	if (!s->in_line && s->matched == 0) {
		/* The start of a line: a field goes on, begins, or none does. */
		if (s->dropping && (c == ' ' || c == '\t')) {
			s->in_line = true;
			return;
		}
		s->dropping = false;
		s->body = c == '\n';
	}
	if (!s->in_line && char_lower(c) == return_path[s->matched]) {
		s->held[s->matched++] = c;
		if (s->matched < RETURN_PATH_LEN)
			return;
		s->matched = 0;
		s->dropping = true;
		s->in_line = true;
		return;
	}
	let_go(s, out);
	if (!s->dropping)
		buf_addc(out, c);
	s->in_line = c != '\n';
}

/* Adds text of the body up to its next CR; returns what it took. */
static size_t
body_span(struct str text, struct buf *out)
{
	ptrdiff_t cr = str_find(text, '\r');
	size_t n = cr < 0 ? text.n : (size_t)cr;

	buf_add(out, str_head(text, n));
	return n;
}

void
stored_add(struct stored *s, struct str text, struct buf *out)
{
	while (text.n > 0) {
		char c = text.p[0];
		bool bare = s->cr && c != '\n';

		s->cr = c == '\r';
		if (bare && s->body)
			buf_addc(out, '\r');
		else if (bare)
			header_octet(s, '\r', out);
		if (s->cr) {
			text = str_skip(text, 1);
		} else if (s->body) {
			text = str_skip(text, body_span(text, out));
		} else {
			header_octet(s, c, out);
			text = str_skip(text, 1);
		}
	}
}

void
stored_end(struct stored *s, struct buf *out)
{
	if (s->cr && s->body)
		buf_addc(out, '\r');
	else if (s->cr)
		header_octet(s, '\r', out);
	let_go(s, out);
	s->cr = false;
}

/* How often C stands in S. */
static size_t
occurrences(struct str s, char c)
{
	const char *p = s.p, *end = s.p + s.n;
	size_t n = 0;

	while (p < end && (p = memchr(p, c, (size_t)(end - p))) != NULL) {
		n++;
		p++;
	}
	return n;
}

void
wire_count(struct wire *w, struct str text)
{
	size_t lone;

	if (text.n == 0)
		return;
	/* Each CR and LF gets its partner, but for those that have it. */
	lone = occurrences(text, '\n');
	if (str_find(text, '\r') >= 0) {
		for (size_t i = 0; i < text.n; i++) {
			if (text.p[i] != '\r')
				continue;
			if (i + 1 < text.n && text.p[i + 1] == '\n')
				lone--;
			else
				lone++;
		}
	}
	/* The CR that ended the text before was taken for a lone one. */
	w->octets += text.n + lone;
	if (w->last == '\r' && text.p[0] == '\n')
		w->octets -= 2;
	w->last = text.p[text.n - 1];
}

uint64_t
wire_octets(const struct wire *w)
{
	bool ended = w->octets == 0 || w->last == '\n' || w->last == '\r';

	return w->octets + (ended ? 0 : 2);
}
