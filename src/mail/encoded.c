/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * encoded -- the meaning of encoded words in a header (RFC 2047).
 *
 * One pass.  White space between two encoded words is none (6.2); what only
 * looks like one stays as it is.  What comes out is UTF-8 without control
 * characters, so that nothing that was hidden can become a field of its own.
 */

#include "mail/encoded.h"

#include "grammar.h"
#include "mail/text.h"

enum charset { CHARSET_UTF8, CHARSET_LATIN1, CHARSET_UNKNOWN };

struct word {
	enum charset charset;
	char encoding;		/* 'Q' or 'B' */
	struct str text;
	size_t n;		/* all of it */
};

static enum charset
charset_of(struct str name)
{
	/* RFC 2231 5: a language may stand behind it. */
	str_cut(name, '*', &name, &(struct str){ NULL, 0 });
	if (str_ieq(name, STR("utf-8")) || str_ieq(name, STR("us-ascii")))
		return CHARSET_UTF8;
	return str_ieq(name, STR("iso-8859-1")) ? CHARSET_LATIN1 :
						  CHARSET_UNKNOWN;
}

/* True if S begins with an encoded word. */
static bool
word_at(struct str s, struct word *w)
{
	struct str rest = str_skip(s, 2), charset, encoding;
	ptrdiff_t end;

	if (!str_starts(s, STR("=?")) || !str_cut(rest, '?', &charset, &rest) ||
	    !str_cut(rest, '?', &encoding, &rest) || encoding.n != 1)
		return false;
	end = str_find(rest, '?');
	if (end < 0 || (size_t)end + 1 >= rest.n || rest.p[end + 1] != '=')
		return false;
	w->text = str_head(rest, (size_t)end);
	w->n = (size_t)(w->text.p + w->text.n + 2 - s.p);
	w->charset = charset_of(charset);
	w->encoding = (char)(char_lower(encoding.p[0]) - 'a' + 'A');
	return (w->encoding == 'Q' || w->encoding == 'B') &&
	    str_find(str_head(s, w->n), ' ') < 0;
}

static int
hex(char c)
{
	if (is_digit(c))
		return c - '0';
	c = char_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
q_decode(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '_') {
			buf_addc(out, ' ');
		} else if (s.p[i] != '=') {
			buf_addc(out, s.p[i]);
		} else {
			if (s.n - i < 3 || hex(s.p[i + 1]) < 0 ||
			    hex(s.p[i + 2]) < 0)
				return false;
			buf_addc(out, (char)(hex(s.p[i + 1]) * 16 +
			    hex(s.p[i + 2])));
			i += 2;
		}
	}
	return true;
}

static void
add_clean(struct buf *b, struct str s, enum charset charset)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_ctl(s.p[i])) {
			buf_addc(b, ' ');
		} else if (charset == CHARSET_LATIN1 && c >= 0x80) {
			buf_addc(b, (char)(0xc0 | c >> 6));
			buf_addc(b, (char)(0x80 | (c & 0x3f)));
		} else {
			buf_addc(b, s.p[i]);
		}
	}
}

static bool
word_add(struct buf *b, const struct word *w)
{
	struct buf octets;
	bool ok;

	if (w->charset == CHARSET_UNKNOWN)
		return false;
	buf_init(&octets, w->text.n + 4);
	ok = w->encoding == 'Q' ? q_decode(w->text, &octets) :
				  base64_decode(w->text, &octets) == 0;
	if (ok)
		add_clean(b, buf_str(&octets), w->charset);
	buf_free(&octets);
	return ok;
}

bool
encoded_decode(struct buf *b, struct str text)
{
	size_t was = b->n;
	bool after = false, ok = true;

	while (text.n > 0 && ok) {
		size_t blank = span_of(text, is_wsp);
		struct word w;

		if (word_at(str_skip(text, blank), &w)) {
			if (!after)
				buf_add(b, str_head(text, blank));
			ok = word_add(b, &w);
			text = str_skip(text, blank + w.n);
			after = true;
		} else {
			/* To the next blank: no word begins within another. */
			size_t n = blank;

			while (n < text.n && !is_wsp(text.p[n]))
				n++;
			add_clean(b, str_head(text, n), CHARSET_UTF8);
			text = str_skip(text, n);
			after = false;
		}
	}
	if (ok && buf_ok(b) && str_is_utf8(str_skip(buf_str(b), was)))
		return true;
	buf_cut(b, was);
	return false;
}
