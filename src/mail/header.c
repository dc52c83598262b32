/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * header -- the fields of a message, taken apart and made.
 *
 * Everything here is one pass over its input, without recursion, so that a
 * header of any size and depth costs time in proportion to its length.
 * What comes from a stranger is read leniently (RFC 5322 4); what is made
 * here holds no control character that could start another field.
 */

#include "mail/header.h"

#include "grammar.h"
#include "mail/text.h"

/* RFC 5322 2.1.1: where lines are folded. */
#define FOLD_AT 78
/* RFC 2047 2: a line with an encoded word has at most 76 characters. */
#define WORD_OCTETS 39
#define WORD_OCTETS_UNKNOWN 36

/* The length of the line end at the start of S: 0, 1 (LF) or 2 (CRLF). */
static size_t
line_end(struct str s)
{
	if (s.n > 0 && s.p[0] == '\n')
		return 1;
	return s.n > 1 && s.p[0] == '\r' && s.p[1] == '\n' ? 2 : 0;
}

/* The octets of the field that S starts with, folded lines included. */
static size_t
field_length(struct str s)
{
	size_t n = 0;

	do {
		const char *lf = memchr(s.p + n, '\n', s.n - n);

		if (lf == NULL)
			return s.n;
		n = (size_t)(lf - s.p) + 1;
	} while (n < s.n && is_wsp(s.p[n]));
	return n;
}

int
field_next(struct str *rest, struct field *f)
{
	struct str s = *rest;
	size_t name, colon;

	if (s.n == 0)
		return 0;
	if (line_end(s) > 0) {
		*rest = str_skip(s, line_end(s));
		return 0;
	}
	name = span_of(s, is_ftext);
	/* RFC 5322 4.5: white space before the colon is obsolete. */
	colon = name + span_of(str_skip(s, name), is_wsp);
	if (name == 0 || colon >= s.n || s.p[colon] != ':')
		return -1;
	f->name = str_head(s, name);
	f->raw = str_head(s, field_length(s));
	f->value = str_skip(f->raw, colon + 1);
	if (f->value.n > 0 && f->value.p[f->value.n - 1] == '\n') {
		f->value.n--;
		if (f->value.n > 0 && f->value.p[f->value.n - 1] == '\r')
			f->value.n--;
	}
	*rest = str_skip(s, f->raw.n);
	return 1;
}

bool
field_seek(struct str *rest, struct field *f)
{
	struct str line;
	int r;

	while ((r = field_next(rest, f)) < 0)
		(void)str_cut(*rest, '\n', &line, rest);
	return r > 0;
}

struct str
header_whole(struct str message)
{
	struct str rest = message;
	struct field f;

	while (field_seek(&rest, &f))
		;
	return str_head(message, (size_t)(rest.p - message.p));
}

size_t
header_strip(struct buf *out, struct str text, bool (*fn)(void *arg, const struct field *f),
    void *arg)
{
	struct str rest = text;
	const char *from = text.p;
	struct field f;
	size_t n = 0;

	while (field_seek(&rest, &f)) {
		if (!fn(arg, &f))
			continue;
		buf_add(out, str_n(from, (size_t)(f.raw.p - from)));
		from = f.raw.p + f.raw.n;
		n++;
	}
	if (n > 0)
		buf_add(out, str_n(from, (size_t)(text.p + text.n - from)));
	return n;
}

bool
header_find(struct str message, struct str name, struct field *f)
{
	struct field at;

	while (field_seek(&message, &at)) {
		if (str_ieq(at.name, name)) {
			*f = at;
			return true;
		}
	}
	return false;
}

/* RFC 5322 2.2.3: only the line end before white space goes. */
bool
field_needs_no_tls(const struct field *f)
{
	return str_ieq(f->name, STR("TLS-Required")) &&
	    str_ieq(str_trim(f->value), STR("No"));
}

struct str
field_unfold(struct arena *a, const struct field *f)
{
	struct str s = str_trim(f->value);
	char *to = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		size_t end = line_end(str_skip(s, i));

		if (end > 0 && i + end < s.n && is_wsp(s.p[i + end]))
			i += end;
		to[n++] = s.p[i];
	}
	return str_n(to, n);
}

/*
 * An address list is read as words, with comments and white space dropped.
 * TEXT collects the words of an addr-spec.  Two words without "." or "@"
 * between them (PHRASE) can only be a display name or a group's name.
 */
struct list {
	struct str in;
	bool (*fn)(void *arg, struct str addr, struct str where);
	void *arg;
	const char *first, *last;	/* where TEXT stands; behind it */
	bool group;
	bool angle;
	bool empty;			/* there was <> */
	bool phrase;
	bool after_word;
	bool too_long;
	size_t n;
	char text[512];
};

static void
list_put(struct list *l, struct str s)
{
	if (l->n == 0)
		l->first = s.p;
	l->last = s.p + s.n;
	for (size_t i = 0; i < s.n; i++) {
		if (l->n == sizeof(l->text)) {
			l->too_long = true;
			return;
		}
		/* Folding inside a quoted string is no part of it. */
		if (s.p[i] != '\r' && s.p[i] != '\n')
			l->text[l->n++] = s.p[i];
	}
}

static void
list_clear(struct list *l)
{
	l->n = 0;
	l->phrase = l->after_word = l->too_long = false;
}

/* The length of a quoted string or domain literal that ends with CLOSE. */
static size_t
quoted_length(struct str s, char close)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == close)
			return i + 1;
		if (s.p[i] == '\\')
			i++;
	}
	return 0;
}

/* Takes a word, "." or "@"; false if something else stands there. */
static bool
list_word(struct list *l)
{
	char c = l->in.p[0];
	size_t n;

	if (c == '.' || c == '@') {
		list_put(l, str_head(l->in, 1));
		l->in = str_skip(l->in, 1);
		l->after_word = false;
		return true;
	}
	if (c == '"')
		n = quoted_length(l->in, '"');
	else if (c == '[')
		n = quoted_length(l->in, ']');
	else
		n = span_of(l->in, is_atext);
	if (n == 0)
		return false;
	list_put(l, str_head(l->in, n));
	l->in = str_skip(l->in, n);
	l->phrase |= l->after_word;
	l->after_word = true;
	return true;
}

/* Reports what was collected; nothing for <>. */
static bool
list_report(struct list *l)
{
	if (l->phrase || l->too_long)
		return false;
	if (l->n == 0) {
		l->empty = l->empty || l->angle;
		return l->angle;
	}
	return l->fn(l->arg, str_n(l->text, l->n),
	    str_n(l->first, (size_t)(l->last - l->first)));
}

/*
 * What a special character does to the element: goes on (1), ends it well
 * (0), or breaks the list (-1).
 */
static int
list_special(struct list *l, char c)
{
	bool route = l->angle && l->n > 0 && l->text[0] == '@';

	if (c == '<' && !l->angle) {
		list_clear(l);
		l->angle = true;
	} else if (c == '>' && l->angle) {
		l->in = str_skip(l->in, 1);
		return list_report(l) ? 0 : -1;
	} else if (c == ':' && route) {
		/* RFC 5322 4.4: the obsolete route says nothing. */
		list_clear(l);
	} else if (c == ',' && route) {
		l->n = 1;
		l->after_word = false;
	} else if (c == ':' && !l->angle && !l->group) {
		l->in = str_skip(l->in, 1);
		l->group = true;
		return 0;
	} else {
		return -1;
	}
	l->in = str_skip(l->in, 1);
	return 1;
}

/* A mailbox, or the name of a group with its colon. */
static bool
list_element(struct list *l)
{
	int more = 1;

	list_clear(l);
	l->angle = false;
	while (more == 1) {
		if (!skip_cfws(&l->in))
			return false;
		if (!l->angle && (l->in.n == 0 || l->in.p[0] == ',' ||
		    l->in.p[0] == ';'))
			return list_report(l);
		if (l->in.n == 0)
			return false;
		if (!list_word(l))
			more = list_special(l, l->in.p[0]);
	}
	return more == 0;
}

/*
 * Skips what separates elements; false if nothing does.  Empty elements are
 * obsolete and fine (RFC 5322 4.4).
 */
static bool
list_separator(struct list *l, bool needed)
{
	for (;;) {
		if (!skip_cfws(&l->in))
			return false;
		if (l->in.n == 0)
			return true;
		if (l->in.p[0] == ';' && l->group)
			l->group = false;
		else if (l->in.p[0] != ',')
			return !needed;
		l->in = str_skip(l->in, 1);
		needed = false;
	}
}

static bool
list_walk(struct list *l)
{
	if (!list_separator(l, false))
		return false;
	while (l->in.n > 0) {
		bool in_group = l->group;

		if (!list_element(l))
			return false;
		/* A group's name is not followed by a separator. */
		if (!list_separator(l, in_group || !l->group))
			return false;
	}
	return true;
}

bool
address_list_at(struct str value,
    bool (*fn)(void *arg, struct str addr, struct str where), void *arg)
{
	struct list l = { .in = value, .fn = fn, .arg = arg };

	return list_walk(&l);
}

static bool
list_any(void *arg UNUSED, struct str addr UNUSED, struct str where UNUSED)
{
	return true;
}

bool
address_list_lacks(struct str value)
{
	struct list l = { .in = value, .fn = list_any };

	return list_walk(&l) && l.empty;
}

struct list_plain {
	bool (*fn)(void *arg, struct str addr);
	void *arg;
};

static bool
list_plain(void *arg, struct str addr, struct str where UNUSED)
{
	const struct list_plain *p = arg;

	return p->fn(p->arg, addr);
}

bool
address_list(struct str value, bool (*fn)(void *arg, struct str addr),
    void *arg)
{
	struct list_plain p = { fn, arg };

	return address_list_at(value, list_plain, &p);
}

/* Adds S with every control character but HT replaced by '?'. */
static void
add_clean(struct buf *b, struct str s)
{
	char *p = buf_room(b, s.n);

	if (p == NULL)
		return;
	for (size_t i = 0; i < s.n; i++)
		p[i] = is_ctl(s.p[i]) && s.p[i] != '\t' ? '?' : s.p[i];
	buf_grew(b, s.n);
}

static bool
is_not_wsp(char c)
{
	return !is_wsp(c);
}

/* The part of S before a line end that folds it. */
static struct str
until_fold(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		size_t end = line_end(str_skip(s, i));

		if (end > 0 && i + end < s.n && is_wsp(s.p[i + end]))
			return str_head(s, i);
		if (end > 0)
			i += end - 1;
	}
	return s;
}

/* Adds white space and words of one line; COL is where the line stands. */
static void
add_words(struct buf *b, struct str s, size_t *col, bool *first)
{
	while (s.n > 0) {
		size_t space = span_of(s, is_wsp);
		size_t word = span_of(str_skip(s, space), is_not_wsp);

		if (space > 0 && word > 0 && !*first &&
		    *col + space + word > FOLD_AT) {
			buf_add(b, STR("\r\n"));
			*col = 0;
		}
		add_clean(b, str_head(s, space + word));
		*col += space + word;
		*first = *first && word == 0;
		s = str_skip(s, space + word);
	}
}

/*
 * A fold that VALUE has is dropped and made anew; any other control
 * character becomes '?', so that no value can begin another field.
 */
void
field_add(struct buf *b, const char *name, struct str value)
{
	size_t col = strlen(name) + 2;
	bool first = true;

	buf_adds(b, name);
	buf_add(b, STR(": "));
	while (value.n > 0) {
		struct str line = until_fold(value);

		add_words(b, line, &col, &first);
		value = str_skip(value, line.n);
		value = str_skip(value, line_end(value));
	}
	buf_add(b, STR("\r\n"));
}

/* Adds TEXT as encoded words, none of which splits a character. */
static void
add_encoded(struct buf *b, struct str text)
{
	bool utf8 = str_is_utf8(text);
	size_t max = utf8 ? WORD_OCTETS : WORD_OCTETS_UNKNOWN;
	char word[WORD_OCTETS];

	while (text.n > 0) {
		size_t n = text.n < max ? text.n : max;

		while (utf8 && n < text.n &&
		    ((unsigned char)text.p[n] & 0xc0) == 0x80)
			n--;
		for (size_t i = 0; i < n; i++)
			word[i] = is_ctl(text.p[i]) ? ' ' : text.p[i];
		buf_adds(b, utf8 ? "=?utf-8?B?" : "=?unknown-8bit?B?");
		base64_add(b, str_n(word, n));
		text = str_skip(text, n);
		buf_adds(b, text.n > 0 ? "?= " : "?=");
	}
}

/* True if TEXT is atoms with single spaces between them. */
static bool
is_atoms(struct str text)
{
	bool space = true;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == ' ' ? space : !is_atext(text.p[i]))
			return false;
		/* It would be taken for an encoded word. */
		if (i > 0 && text.p[i] == '?' && text.p[i - 1] == '=')
			return false;
		space = text.p[i] == ' ';
	}
	return !space;
}

void
phrase_add(struct buf *b, struct str text)
{
	if (str_has_8bit(text)) {
		add_encoded(b, text);
		return;
	}
	if (is_atoms(text)) {
		buf_add(b, text);
		return;
	}
	buf_addc(b, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, is_ctl(text.p[i]) ? ' ' : text.p[i]);
	}
	buf_addc(b, '"');
}

void
unstructured_add(struct buf *b, struct str text)
{
	if (str_has_8bit(text)) {
		add_encoded(b, text);
		return;
	}
	for (size_t i = 0; i < text.n; i++)
		buf_addc(b, is_ctl(text.p[i]) ? ' ' : text.p[i]);
}
