/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * mime -- walks through the parts of a message.
 *
 * A delimiter is a line that is a boundary's and nothing more but white
 * space: a boundary that begins another one confuses nobody.  It ends all
 * parts within, wherever it stands (RFC 2046 5.1.2).  Time is linear: a
 * line that begins with two hyphens is held against the open boundaries, of
 * which there are a hundred at most; what is nested deeper is taken for a
 * leaf that must be left as it is.
 */

#include "mail/mime.h"

#include "grammar.h"
#include "lib/mem.h"

/* BEHIND: at the first line of the message that a part holds. */
enum { IN_HEADER, IN_LEAF, IN_OUTSIDE, BEHIND_HEADER };
enum { FIELD_OTHER, FIELD_TYPE, FIELD_ENCODING, FIELD_VERSION };

void
mime_walk_init(struct mime_walk *w)
{
	*w = (struct mime_walk){ .state = IN_HEADER, .parts = 1 };
	w->part.top = true;
	buf_init(&w->value, MIME_LINE_KEPT);
}

void
mime_walk_free(struct mime_walk *w)
{
	buf_free(&w->value);
	mem_free(w->stack);
	w->stack = NULL;
}

/* ---- fields ----------------------------------------------------------------- */

static bool
is_token(char c)
{
	return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

/* A comment that does not end has eaten up the rest. */
static void
skip(struct str *s)
{
	if (!skip_cfws(s))
		*s = str_skip(*s, s->n);
}

static struct str
take_token(struct str *s)
{
	struct str t;

	skip(s);
	t = str_head(*s, span_of(*s, is_token));
	*s = str_skip(*s, t.n);
	skip(s);
	return t;
}

/* Takes C off *S. */
static bool
take_char(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_skip(*s, 1);
	skip(s);
	return true;
}

/* A token or a quoted string of at most MIME_BOUNDARY_MAX octets; -1: longer. */
static int
take_value(struct str *s, char out[MIME_BOUNDARY_MAX], size_t *n)
{
	struct str t;

	*n = 0;
	if (s->n == 0 || s->p[0] != '"') {
		t = take_token(s);
		if (t.n > MIME_BOUNDARY_MAX)
			return -1;
		memcpy(out, t.p, t.n);
		*n = t.n;
		return 0;
	}
	for (*s = str_skip(*s, 1); s->n > 0; *s = str_skip(*s, 1)) {
		if (s->p[0] == '"') {
			(void)take_char(s, '"');
			return 0;
		}
		if (s->p[0] == '\\' && s->n > 1)
			*s = str_skip(*s, 1);
		if (*n == MIME_BOUNDARY_MAX)
			return -1;
		out[(*n)++] = s->p[0];
	}
	return -1;
}

/* Looks for the parameter boundary. */
static void
read_boundary(struct mime_walk *w, struct str rest)
{
	char value[MIME_BOUNDARY_MAX];
	size_t n;

	while (take_char(&rest, ';')) {
		struct str name = take_token(&rest);

		if (name.n == 0 && rest.n > 0 && rest.p[0] == ';')
			continue;
		if (!take_char(&rest, '=') || take_value(&rest, value, &n) < 0)
			return;
		if (!str_ieq(name, STR("boundary")))
			continue;
		/* RFC 2046 5.1.1: it does not end with white space. */
		while (n > 0 && is_wsp(value[n - 1]))
			n--;
		memcpy(w->boundary, value, n);
		w->boundary_n = n;
		return;
	}
}

static void
read_message(struct mime_walk *w, struct str sub)
{
	/* RFC 6532 3.7: its text is UTF-8, so that any encoding is allowed. */
	if (w->global && str_ieq(sub, STR("global")))
		w->part.kind = MIME_MESSAGE;
	else if (str_istarts(sub, STR("global")))
		w->part.kind = MIME_TEXT;
	else if (str_ieq(sub, STR("rfc822")) || str_ieq(sub, STR("news")))
		w->part.kind = MIME_MESSAGE;
	else
		/* RFC 2046 5.2: none but 7bit. */
		w->part.kind = MIME_OPAQUE;
}

static void
read_type(struct mime_walk *w, struct str rest)
{
	struct str type = take_token(&rest), sub = STR("");

	if (take_char(&rest, '/'))
		sub = take_token(&rest);
	if (str_ieq(type, STR("multipart"))) {
		w->part.kind = MIME_MULTIPART;
		w->seals = str_ieq(sub, STR("signed"));
		w->has_digest = str_ieq(sub, STR("digest"));
		read_boundary(w, rest);
	} else if (str_ieq(type, STR("message"))) {
		read_message(w, sub);
	} else {
		/* RFC 2045 5.2: what is no type is text/plain. */
		w->part.kind = type.n == 0 || sub.n == 0 ||
			str_ieq(type, STR("text")) ? MIME_TEXT : MIME_OTHER;
	}
}

static void
read_encoding(struct mime_walk *w, struct str rest)
{
	static const struct {
		struct str name;
		enum mime_encoding encoding;
	} names[] = {
		{ { "7bit", 4 }, MIME_7BIT },
		{ { "8bit", 4 }, MIME_8BIT },
		{ { "binary", 6 }, MIME_BINARY },
		{ { "quoted-printable", 16 }, MIME_QP },
		{ { "base64", 6 }, MIME_BASE64 },
	};
	struct str word = take_token(&rest);

	w->part.encoding = MIME_UNKNOWN;
	for (size_t i = 0; rest.n == 0 && i < ARRAY_LEN(names); i++)
		if (str_ieq(word, names[i].name))
			w->part.encoding = names[i].encoding;
}

/*
 * True if all lines of the field were whole, and are not too many.  Where it is
 * folded changes nothing: what could not be read is no more than it was.
 */
static bool
is_readable(const struct mime_walk *w)
{
	return w->octets < MIME_LINE_KEPT - 1;
}

static void
end_field(struct mime_walk *w)
{
	bool *seen[] = { NULL, &w->part.has_type, &w->part.has_encoding,
		&w->part.has_version };
	int field = w->field;

	w->field = FIELD_OTHER;
	if (field == FIELD_OTHER)
		return;
	if (*seen[field]) {
		w->part.twice = true;
		return;
	}
	*seen[field] = true;
	/* One that is too long to be read is none that we know. */
	if (field == FIELD_TYPE && !is_readable(w))
		w->part.kind = MIME_OPAQUE;
	else if (field == FIELD_TYPE)
		read_type(w, buf_str(&w->value));
	else if (field == FIELD_ENCODING && !is_readable(w))
		w->part.encoding = MIME_UNKNOWN;
	else if (field == FIELD_ENCODING)
		read_encoding(w, buf_str(&w->value));
}

static enum mime_line
begin_field(struct mime_walk *w, struct str line)
{
	size_t n = span_of(line, is_ftext);
	struct str name = str_head(line, n);

	n += span_of(str_skip(line, n), is_wsp);
	if (name.n == 0 || n >= line.n || line.p[n] != ':')
		return MIME_BROKEN;
	if (str_ieq(name, STR("content-type")))
		w->field = FIELD_TYPE;
	else if (str_ieq(name, STR("content-transfer-encoding")))
		w->field = FIELD_ENCODING;
	else if (str_ieq(name, STR("mime-version")))
		w->field = FIELD_VERSION;
	buf_reset(&w->value);
	w->octets = line.n;
	if (w->field != FIELD_OTHER)
		buf_add(&w->value, str_skip(line, n + 1));
	return MIME_FIELD;
}

/* ---- parts -------------------------------------------------------------------- */

static void
begin_part(struct mime_walk *w, bool sealed, bool digest)
{
	w->part = (struct mime_part){ .sealed = sealed };
	w->digest = digest;
	w->seals = w->has_digest = false;
	w->boundary_n = 0;
	w->field = FIELD_OTHER;
	w->state = IN_HEADER;
	w->parts++;
}

static void
push_frame(struct mime_walk *w)
{
	struct mime_frame *f;

	w->stack = mem_grow(w->stack, w->frames + 1, sizeof(*w->stack));
	f = &w->stack[w->frames++];
	memcpy(f->boundary, w->boundary, w->boundary_n);
	f->boundary_n = (unsigned char)w->boundary_n;
	f->depth = (unsigned char)++w->depth;
	f->sealed = w->part.sealed || w->seals;
	f->digest = w->has_digest;
}

/* The header is over: what follows? */
static void
end_header(struct mime_walk *w)
{
	end_field(w);
	if (!w->part.has_type && w->digest)
		w->part.kind = MIME_MESSAGE;
	w->state = IN_LEAF;
	if (w->part.kind != MIME_MULTIPART && w->part.kind != MIME_MESSAGE)
		return;
	/* A message that is encoded, which none may be, is not looked into. */
	if (w->depth >= MIME_DEPTH_MAX ||
	    (w->part.kind == MIME_MULTIPART && w->boundary_n == 0) ||
	    (w->part.kind == MIME_MESSAGE && w->part.encoding > MIME_BINARY)) {
		w->part.kind = MIME_OPAQUE;
	} else if (w->part.kind == MIME_MULTIPART) {
		push_frame(w);
		w->state = IN_OUTSIDE;
	} else {
		w->depth++;
		w->state = BEHIND_HEADER;
	}
}

static bool
is_end(struct str s)
{
	return span_of(s, is_wsp) == s.n;
}

/* True if LINE is a delimiter, and what follows it has begun. */
static bool
take_delimiter(struct mime_walk *w, struct str line)
{
	size_t i = w->frames;

	if (i == 0 || !str_starts(line, STR("--")))
		return false;
	line = str_skip(line, 2);
	while (i-- > 0) {
		struct mime_frame *f = &w->stack[i];
		struct str rest = str_skip(line, f->boundary_n);

		if (!str_starts(line, str_n(f->boundary, f->boundary_n)))
			continue;
		if (is_end(rest)) {
			w->frames = i + 1;
			w->depth = f->depth;
			begin_part(w, f->sealed, f->digest);
			return true;
		}
		if (str_starts(rest, STR("--")) && is_end(str_skip(rest, 2))) {
			w->frames = i;
			w->depth = f->depth - 1U;
			w->state = IN_OUTSIDE;
			w->part = (struct mime_part){ .sealed = i > 0 &&
				w->stack[i - 1].sealed };
			return true;
		}
	}
	return false;
}

static enum mime_line
header_line(struct mime_walk *w, struct str line)
{
	if (line.n > 0 && is_wsp(line.p[0])) {
		if (w->field != FIELD_OTHER)
			buf_add(&w->value, line);
		w->octets += line.n;
		return MIME_MORE;
	}
	end_field(w);
	if (line.n > 0)
		return begin_field(w, line);
	end_header(w);
	return MIME_BLANK;
}

enum mime_line
mime_walk_line(struct mime_walk *w, struct str line)
{
	/* As much as a first piece has in any case: how a text is cut says nothing of it. */
	line = str_head(line, MIME_LINE_KEPT - 1);
	if (w->state == BEHIND_HEADER)
		begin_part(w, w->part.sealed, false);
	if (take_delimiter(w, line))
		return MIME_DELIMITER;
	switch (w->state) {
	case IN_HEADER:
		return header_line(w, line);
	case IN_LEAF:
		return MIME_BODY;
	default:
		return MIME_OUTSIDE;
	}
}

bool
mime_walk_at_encoding(const struct mime_walk *w)
{
	return w->field == FIELD_ENCODING;
}

/* ---- lines -------------------------------------------------------------------- */

void
mime_lines_init(struct mime_lines *l)
{
	*l = (struct mime_lines){ .in = STR("") };
	buf_init(&l->kept, MIME_LINE_KEPT);
}

void
mime_lines_free(struct mime_lines *l)
{
	buf_free(&l->kept);
}

void
mime_lines_add(struct mime_lines *l, struct str bytes)
{
	l->in = bytes;
}

/* Makes a piece of BYTES, whose last octet may be the CR of the line end. */
static bool
give(struct mime_lines *l, struct mime_piece *p, struct str bytes, bool lf)
{
	bool cr = bytes.n > 0 && bytes.p[bytes.n - 1] == '\r';

	*p = (struct mime_piece){ .first = !l->inside, .last = lf, .lf = lf,
		.cr = cr && lf, .bytes = str_head(bytes, bytes.n - cr) };
	l->inside = !lf;
	l->cr = cr && !lf;
	return true;
}

/* Goes on with a line of which a piece was given. */
static bool
next_inside(struct mime_lines *l, struct mime_piece *p)
{
	const char *lf;
	size_t n;

	if (l->cr && l->in.p[0] != '\n') {
		/* It was none of a line end. */
		*p = (struct mime_piece){ .bytes = STR("\r") };
		l->cr = false;
		return true;
	}
	lf = memchr(l->in.p, '\n', l->in.n);
	n = lf != NULL ? (size_t)(lf - l->in.p) : l->in.n;
	if (l->cr) {
		l->in = str_skip(l->in, 1);
		(void)give(l, p, STR("\r"), true);
		return true;
	}
	(void)give(l, p, str_head(l->in, n), lf != NULL);
	l->in = str_skip(l->in, n + (lf != NULL));
	return true;
}

/* What is left at the end of the text. */
static bool
next_end(struct mime_lines *l, struct mime_piece *p)
{
	if (l->kept.n == 0 && !l->inside)
		return false;
	*p = (struct mime_piece){ .first = !l->inside, .last = true,
		.bytes = l->cr ? STR("\r") : buf_str(&l->kept) };
	l->given = true;
	l->inside = l->cr = false;
	return true;
}

bool
mime_lines_next(struct mime_lines *l, bool end, struct mime_piece *p)
{
	const char *lf;
	size_t n, room;

	if (l->given)
		buf_reset(&l->kept);
	l->given = false;
	if (l->in.n == 0)
		return end && next_end(l, p);
	if (l->inside)
		return next_inside(l, p);
	lf = memchr(l->in.p, '\n', l->in.n);
	n = lf != NULL ? (size_t)(lf - l->in.p) : l->in.n;
	if (l->kept.n == 0 && (lf != NULL || n >= MIME_LINE_KEPT)) {
		(void)give(l, p, str_head(l->in, n), lf != NULL);
		l->in = str_skip(l->in, n + (lf != NULL));
		return true;
	}
	room = MIME_LINE_KEPT - l->kept.n;
	if (n > room || (n == room && lf == NULL)) {
		lf = NULL;
		n = room;
	}
	buf_add(&l->kept, str_head(l->in, n));
	l->in = str_skip(l->in, n + (lf != NULL));
	if (lf == NULL && l->kept.n < MIME_LINE_KEPT)
		return mime_lines_next(l, end, p);
	l->given = true;
	return give(l, p, buf_str(&l->kept), lf != NULL);
}
