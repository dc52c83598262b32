/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_LEX_H
#define CONF_LEX_H

/* lex -- what lex.c (tokens) and lex_text.c (blanks and words) share. */

#include "private.h"

static inline struct conf_place
lex_here(const struct source *s)
{
	return (struct conf_place){ s->name, s->line };
}

/* The next byte, or -1 at the end. */
static inline int
lex_peek(const struct source *s)
{
	return s->at < s->text.n ? (unsigned char)s->text.p[s->at] : -1;
}

static inline int
lex_peek_after(const struct source *s)
{
	return s->at + 1 < s->text.n ? (unsigned char)s->text.p[s->at + 1] : -1;
}

static inline int
lex_next(struct source *s)
{
	int c = lex_peek(s);

	if (c >= 0)
		s->at++;
	if (c == '\n')
		s->line++;
	return c;
}

/* What the name of a variable is made of. */
static inline bool
lex_is_name(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_';
}

/* Skips blanks and comments; false after a complaint. */
bool lex_blanks(struct lexer *lx, struct source *s) MUST_USE;
/* True if a word or a string starts here. */
bool lex_starts_text(const struct source *s);
/* Reads it into OUT, which is reset first; false after a complaint. */
bool lex_text(struct lexer *lx, struct source *s, struct buf *out) MUST_USE;

#endif
