/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_GRAMMAR_H
#define MAIL_GRAMMAR_H

/* grammar -- the character classes of RFC 5322 3.2, for this room only. */

#include "lib/str.h"

/* How deep comments may nest; nobody nests them. */
#define COMMENT_DEPTH_MAX 50

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
is_alnum(char c)
{
	return is_alpha(c) || is_digit(c);
}

static inline bool
is_8bit(char c)
{
	return ((unsigned char)c & 0x80) != 0;
}

static inline bool
is_ctl(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static inline bool
is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* RFC 5322 3.2.3; what is not ASCII counts too (RFC 6531 3.3). */
static inline bool
is_atext(char c)
{
	return is_alnum(c) || is_8bit(c) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* RFC 5322 3.6.8. */
static inline bool
is_ftext(char c)
{
	return c > ' ' && c < 0x7f && c != ':';
}

/* The length of the run of one class at the start of S. */
static inline size_t
span_of(struct str s, bool (*is)(char c))
{
	size_t n = 0;

	while (n < s.n && is(s.p[n]))
		n++;
	return n;
}

/* Skips a comment; false if it is not closed or nested too deeply. */
static inline bool
skip_comment(struct str *s)
{
	unsigned depth = 0;
	size_t i = 0;

	for (; i < s->n; i++) {
		char c = s->p[i];

		if (c == '\\')
			i++;
		else if (c == '(' && ++depth > COMMENT_DEPTH_MAX)
			return false;
		else if (c == ')' && --depth == 0)
			break;
	}
	if (i >= s->n)
		return false;
	*s = str_skip(*s, i + 1);
	return true;
}

/* RFC 5322 3.2.2 CFWS, line ends included; false if a comment is broken. */
static inline bool
skip_cfws(struct str *s)
{
	while (s->n > 0) {
		char c = s->p[0];

		if (c == '(') {
			if (!skip_comment(s))
				return false;
		} else if (is_wsp(c) || c == '\r' || c == '\n') {
			*s = str_skip(*s, 1);
		} else {
			break;
		}
	}
	return true;
}

#endif
