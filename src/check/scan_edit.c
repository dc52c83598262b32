/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scan_edit -- a text that a server of spam has edited.
 *
 * It comes from another program, and goes into the spool as a message: so it is
 * one.  What we wrote before the text stays what comes first, wherever the
 * server has put it.
 */

#include "check/scan.h"
#include "mail/header.h"
#include "mail/limits.h"

/* Adds LINE, which has no LF and, but for its end, no CR. */
static void
add_lines(struct buf *out, struct str line)
{
	struct str part;

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	while (str_cut(line, '\r', &part, &line)) {
		buf_add(out, part);
		buf_adds(out, "\r\n");
	}
	buf_add(out, part);
	buf_adds(out, "\r\n");
}

/* Octets of the header of TEXT, whose lines end in CRLF; 0: it is none, or too long. */
static size_t
header_length(struct str text)
{
	struct str rest = text;
	struct field f;
	size_t n;

	if (field_next(&rest, &f) != 1)
		return 0;
	/* A line that is no field was in the text before, if it is the sender's. */
	n = header_whole(text).n;
	return n > MAIL_HEADER_MAX ? 0 : n;
}

/* Takes the octets from AT to AT + N out of B. */
static void
cut_out(struct buf *b, size_t at, size_t n)
{
	memmove(b->p + at, b->p + at + n, b->n - at - n);
	buf_cut(b, b->n - n);
}

/* Adds TEXT in lines; if BINARY only its header is, and what is behind stays as it is. */
static void
add_text(struct buf *out, struct str text, bool binary)
{
	struct str line;

	while (text.n > 0) {
		(void)str_cut(text, '\n', &line, &text);
		add_lines(out, line);
		if (binary && (line.n == 0 || str_eq(line, STR("\r"))))
			break;
	}
	buf_add(out, text);
}

const char *
scan_edited(struct buf *out, struct str text, struct str trace, bool binary)
{
	const char *again;
	size_t header;

	buf_reset(out);
	buf_add(out, trace);
	add_text(out, text, binary);
	if (!buf_ok(out))
		return "the text that it sends back is too long";
	header = header_length(str_skip(buf_str(out), trace.n));
	if (header == 0)
		return "the text that it sends back has no header";
	if (memchr(out->p, '\0', binary ? trace.n + header : out->n) != NULL)
		return "the text that it sends back has octets that no message has";
	if (trace.n > 0 &&
	    (again = memmem(out->p + trace.n, header, trace.p, trace.n)) != NULL &&
	    again[-1] == '\n')
		cut_out(out, (size_t)(again - out->p), trace.n);
	return NULL;
}

struct str
scan_edited_symbols(struct str text, struct arena *a)
{
	struct field f;
	struct str value, word;
	struct buf b;
	bool in = false;

	if (!header_find(text, STR("X-Spam-Status"), &f))
		return STR("");
	value = field_unfold(a, &f);
	buf_init(&b, MSG_SCAN_SYMBOLS_MAX);
	while ((word = str_word(&value)).n > 0) {
		bool starts = str_starts(word, STR("tests="));

		/* Names go on behind white space, up to the next "key=". */
		if (in && str_find(word, '=') >= 0)
			break;
		in = in || starts;
		if (!in)
			continue;
		word = starts ? str_skip(word, 6) : word;
		for (size_t i = 0; i < word.n && b.n < b.max; i++)
			buf_addc(&b, word.p[i] > ' ' && word.p[i] <= '~' ? word.p[i] : '?');
	}
	value = arena_str(a, str_eq(buf_str(&b), STR("none")) ? STR("") : buf_str(&b));
	buf_free(&b);
	return value;
}
