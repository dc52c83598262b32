/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * parts -- what the parts of a message hold, for who reads some of them.
 *
 * The message is in memory, and mime.c says what its lines are.  A body is the
 * text from the end of its header to the line end before the delimiter, which
 * belongs to that (RFC 2046 5.1.1).  Time is linear, and what is decoded is never
 * longer than what it was.  Nothing is refused: a reader finds what there is.
 */

#include "mail/parts.h"

#include "grammar.h"
#include "mail/header.h"
#include "mail/mime.h"

/* Of the header of a part; what is more is not looked at. */
#define HEADER_MAX ((size_t)64 << 10)
#define TYPE_MAX 100

struct walk {
	struct mime_walk mime;
	struct buf header;	/* of the part, as it comes */
	char type[TYPE_MAX];
	struct buf decoded;
	const char *body;	/* of a leaf; NULL: there is none open */
	unsigned sealed;	/* the depth of a message within; 0: none */
	bool shows_header;	/* the part is that message */
	size_t shown;
	bool (*fn)(void *arg, const struct part *p);
	void *arg;
};

/* ---- encodings ------------------------------------------------------------------ */

static int
digit64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 2045 6.8: what is no digit means nothing, and "=" is the end. */
static void
decode_base64(struct buf *b, struct str s)
{
	char *out = buf_room(b, s.n / 4 * 3 + 3);
	unsigned long bits = 0;
	size_t n = 0, have = 0;

	for (size_t i = 0; out != NULL && i < s.n && s.p[i] != '='; i++) {
		int v = digit64(s.p[i]);

		if (v < 0)
			continue;
		bits = (bits << 6 | (unsigned)v) & 0xffffff;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		out[n++] = (char)(bits >> have & 0xff);
	}
	buf_grew(b, n);
}

static int
digit16(char c)
{
	c = char_lower(c);
	return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Octets of a soft line break at the beginning of S, behind its "="; 0: it is none. */
static size_t
soft_break(struct str s)
{
	size_t n = 0;

	while (n < s.n && is_wsp(s.p[n]))
		n++;
	if (n < s.n && s.p[n] == '\r')
		n++;
	return n < s.n && s.p[n] == '\n' ? n + 1 : 0;
}

/* RFC 2045 6.7: an "=" that is none of an encoding stands for itself. */
static void
decode_qp(struct buf *b, struct str s)
{
	while (s.n > 0) {
		size_t n;

		if (s.p[0] != '=') {
			buf_addc(b, s.p[0]);
			s = str_skip(s, 1);
			continue;
		}
		s = str_skip(s, 1);
		n = soft_break(s);
		if (n == 0 && s.n > 1 && digit16(s.p[0]) >= 0 && digit16(s.p[1]) >= 0) {
			buf_addc(b, (char)(digit16(s.p[0]) << 4 | digit16(s.p[1])));
			n = 2;
		} else if (n == 0) {
			buf_addc(b, '=');
		}
		s = str_skip(s, n);
	}
}

static struct str
decode(struct walk *w, struct str body)
{
	buf_reset(&w->decoded);
	if (w->mime.part.encoding == MIME_BASE64)
		decode_base64(&w->decoded, body);
	else if (w->mime.part.encoding == MIME_QP)
		decode_qp(&w->decoded, body);
	else
		return body;
	return buf_str(&w->decoded);
}

/* ---- parts ---------------------------------------------------------------------- */

/* "Text/Plain; charset=..." is text/plain; what is none is text/plain, too (RFC 2045 5.2). */
static struct str
type_of(struct walk *w)
{
	struct buf b;
	struct field f;
	struct str type;

	buf_init_in(&b, w->type, sizeof(w->type));
	if (header_find(buf_str(&w->header), STR("Content-Type"), &f)) {
		(void)str_cut(f.value, ';', &type, &f.value);
		buf_add_lower(&b, str_trim(type));
	}
	if (!buf_ok(&b) || str_find(buf_str(&b), '/') < 0) {
		buf_reset(&b);
		buf_adds(&b, "text/plain");
	}
	return buf_str(&b);
}

static bool
show(struct walk *w, struct str type, struct str body, bool top)
{
	struct part p = { .type = type, .body = body, .top = top };

	return ++w->shown <= PARTS_MAX && w->fn(w->arg, &p);
}

/* The body that is open ends before END. */
static bool
end_body(struct walk *w, const char *end)
{
	struct str body = str_n(w->body, (size_t)(end - w->body));

	w->body = NULL;
	return show(w, str_c(w->type), decode(w, body), w->mime.part.top);
}

/* The header is over; NEXT is the line behind. */
static bool
end_header(struct walk *w, const char *next)
{
	struct str header = buf_str(&w->header);

	if (w->shows_header) {
		w->shows_header = false;
		return show(w, STR("message/rfc822"), header, false);
	}
	if (w->sealed > 0)
		return true;
	if (w->mime.part.kind == MIME_MESSAGE) {
		w->sealed = w->mime.depth;
		w->shows_header = true;
	} else if (w->mime.part.kind != MIME_MULTIPART) {
		w->body = next;
		(void)type_of(w);
	}
	return true;
}

/* Where the text before the delimiter at LINE ends. */
static const char *
before(const struct walk *w, const char *line)
{
	if (line > w->body && line[-1] == '\n')
		line--;
	if (line > w->body && line[-1] == '\r')
		line--;
	return line;
}

/* A delimiter; what it ends is shown as the part that it was. */
static bool
on_delimiter(struct walk *w, const struct mime_part *was, const char *line)
{
	struct mime_part now = w->mime.part;
	bool more = true;

	if (w->body != NULL) {
		w->mime.part = *was;
		more = end_body(w, before(w, line));
		w->mime.part = now;
	} else if (w->shows_header && w->header.n > 0) {
		/* What is returned often ends with its header. */
		more = show(w, STR("message/rfc822"), buf_str(&w->header), false);
	}
	if (w->mime.depth < w->sealed)
		w->sealed = 0;
	w->shows_header = false;
	buf_reset(&w->header);
	return more;
}

static bool
on_line(struct walk *w, struct str line, const char *next)
{
	struct mime_part was = w->mime.part;

	switch (mime_walk_line(&w->mime, line)) {
	case MIME_FIELD:
	case MIME_MORE:
		/* Where a message within begins there is no delimiter before it. */
		if (w->header.n + line.n < HEADER_MAX) {
			buf_add(&w->header, line);
			buf_addc(&w->header, '\n');
		}
		return true;
	case MIME_BLANK:
		if (!end_header(w, next))
			return false;
		if (w->body == NULL)
			buf_reset(&w->header);
		return true;
	case MIME_DELIMITER:
		return on_delimiter(w, &was, line.p);
	default:
		return true;
	}
}

void
parts_each(struct str message, bool (*fn)(void *arg, const struct part *p), void *arg)
{
	struct walk w = { .fn = fn, .arg = arg };
	struct str rest = message, line;
	bool more = true;

	mime_walk_init(&w.mime);
	w.mime.global = true;
	buf_init(&w.header, HEADER_MAX + MIME_LINE_KEPT);
	buf_init(&w.decoded, message.n + 4);
	while (more && rest.n > 0) {
		(void)str_cut(rest, '\n', &line, &rest);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		more = on_line(&w, line, rest.n > 0 ? rest.p : message.p + message.n);
	}
	if (more && w.body != NULL)
		(void)end_body(&w, message.p + message.n);
	else if (more && w.shows_header)
		(void)show(&w, STR("message/rfc822"), buf_str(&w.header), false);
	buf_free(&w.decoded);
	buf_free(&w.header);
	mime_walk_free(&w.mime);
}
