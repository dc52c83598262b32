/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lex_text -- blanks, comments, strings and ${NAME}.
 *
 * Control characters and what is not UTF-8 end here, whether they were
 * written or came from a variable: no value can add a line to a protocol or
 * a log.
 */

#include <stdlib.h>

#include "lib/environ.h"
#include "conf/program.h"

#include "lex.h"

/* Filled in when the text is used, not here. */
static const char *const late_names[] = { "client", "zone", "text" };

/* ---- blanks and comments ---- */

static bool
skip_block_comment(struct lexer *lx, struct source *s)
{
	struct conf_place start = lex_here(s);
	int c;

	(void)lex_next(s);
	(void)lex_next(s);
	while ((c = lex_next(s)) >= 0) {
		if (c == '*' && lex_peek(s) == '/') {
			(void)lex_next(s);
			return true;
		}
	}
	conf_complain(
	    lx->error, start, "this comment does not end, expected */");
	return false;
}

bool
lex_blanks(struct lexer *lx, struct source *s)
{
	int c;

	for (;;) {
		c = lex_peek(s);
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			(void)lex_next(s);
		} else if (c == '#' || (c == '/' && lex_peek_after(s) == '/')) {
			while (lex_peek(s) >= 0 && lex_peek(s) != '\n')
				(void)lex_next(s);
		} else if (c == '/' && lex_peek_after(s) == '*') {
			if (!skip_block_comment(lx, s))
				return false;
		} else {
			return true;
		}
	}
}

/* ---- variables ---- */

static bool
is_late(struct str name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(late_names); i++)
		if (str_eq(name, str_c(late_names[i])))
			return true;
	return false;
}

static const char *
variable(const struct lexer *lx, const char *name)
{
	const struct lex_var *v;

	for (v = lx->vars; v; v = v->next)
		if (strcmp(v->name, name) == 0)
			return v->value;
	/* Not for a set-group-id sendmail: its caller would write the paths. */
	return is_late(str_c(name)) ? NULL : environ_get(name);
}

/* Adds the value of TEXT, what stands between ${ and }. */
static bool
expand(
    struct lexer *lx, const struct source *s, struct str text, struct buf *out)
{
	struct str name = text, otherwise = { NULL, 0 };
	const char *value, *key;
	size_t n = 0;

	while (n < text.n && lex_is_name((unsigned char)text.p[n]))
		n++;
	if (str_starts(str_skip(text, n), STR(":-"))) {
		name = str_head(text, n);
		otherwise = str_skip(text, n + 2);
	}
	if (n == 0 || n != name.n) {
		conf_complain(lx->error, lex_here(s),
		    "${" STR_FMT "} names no variable, expected "
		    "${NAME} or ${NAME:-default}",
		    STR_ARG(text));
		return false;
	}
	key = arena_cstr(&lx->scratch, name);
	value = variable(lx, key);
	if (value)
		buf_adds(out, value);
	else if (otherwise.p)
		buf_add(out, otherwise);
	else if (is_late(name))
		buf_addf(out, "${%s}", key);
	else {
		conf_complain(lx->error, lex_here(s),
		    "${%s} is not defined, expected "
		    "set(\"%s\", \"...\") before it, a variable of the "
		    "environment, or "
		    "${%s:-default}",
		    key, key, key);
		return false;
	}
	return true;
}

static bool
lex_variable(struct lexer *lx, struct source *s, struct buf *out)
{
	size_t start;

	s->at += 2;
	start = s->at;
	while (lex_peek(s) >= 0 && lex_peek(s) != '}' && lex_peek(s) != '\n' &&
	    lex_peek(s) != '"')
		(void)lex_next(s);
	if (lex_peek(s) != '}') {
		conf_complain(
		    lx->error, lex_here(s), "${ without }, expected ${NAME}");
		return false;
	}
	if (!expand(lx, s, str_n(s->text.p + start, s->at - start), out))
		return false;
	(void)lex_next(s);
	return true;
}

/* ---- words ---- */

static bool
lex_escape(struct lexer *lx, struct source *s, int quote, struct buf *out)
{
	int c = lex_next(s);

	if (c == '\n') /* the string goes on in the next line */
		return true;
	if (quote == '\'' && c != '\'' && c != '\\') {
		buf_addc(out, '\\');
		if (c >= 0)
			buf_addc(out, (char)c);
		return true;
	}
	if (lex_is_name(c) && c != '_') {
		conf_complain(lx->error, lex_here(s),
		    "\\%c means nothing in double quotes, "
		    "expected \\\\ for a backslash, or single quotes around "
		    "the text",
		    c);
		return false;
	}
	if (c >= 0)
		buf_addc(out, (char)c);
	return true;
}

static bool
lex_quoted(struct lexer *lx, struct source *s, struct buf *out)
{
	struct conf_place start = lex_here(s);
	int quote = lex_next(s), c;

	/* Of a command line ${...} are the facts of a message (conf/program.h). */
	while ((c = lex_peek(s)) != quote) {
		if (c < 0 || c == '\n') {
			conf_complain(lx->error, start,
			    "this string does not end on its line, "
			    "expected a closing %c",
			    quote);
			return false;
		}
		if (c == '$' && quote == '"' && lex_peek_after(s) == '{' &&
		    !str_starts(buf_str(out), STR(PROGRAM_PREFIX))) {
			if (!lex_variable(lx, s, out))
				return false;
			continue;
		}
		(void)lex_next(s);
		if (c == '\\') {
			if (!lex_escape(lx, s, quote, out))
				return false;
		} else {
			buf_addc(out, (char)c);
		}
	}
	(void)lex_next(s);
	return true;
}

/* What may not stand in a word without quotes. */
static bool
ends_word(const struct source *s)
{
	int c = lex_peek(s);

	return c < 0 || strchr(" \t\r\n#\"'={}(),+", c) != NULL ||
	    (c == '/' &&
		(lex_peek_after(s) == '/' || lex_peek_after(s) == '*'));
}

bool
lex_starts_text(const struct source *s)
{
	return lex_peek(s) == '"' || lex_peek(s) == '\'' || !ends_word(s);
}

static bool
lex_plain(struct lexer *lx, struct source *s, struct buf *out)
{
	while (!ends_word(s)) {
		if (lex_peek(s) == '$' && lex_peek_after(s) == '{') {
			conf_complain(lx->error, lex_here(s),
			    "${ stands outside of double quotes, "
			    "expected quotes around the whole value");
			return false;
		}
		buf_addc(out, (char)lex_next(s));
	}
	return true;
}

bool
lex_text(struct lexer *lx, struct source *s, struct buf *out)
{
	struct conf_place start = lex_here(s);
	bool ok;

	buf_reset(out);
	if (lex_peek(s) == '"' || lex_peek(s) == '\'')
		ok = lex_quoted(lx, s, out);
	else
		ok = lex_plain(lx, s, out);
	if (!ok)
		return false;
	if (!buf_ok(out)) {
		conf_complain(lx->error, start,
		    "this value is too long, expected at most %d "
		    "octets",
		    CONF_VALUE_MAX);
		return false;
	}
	if (str_has_ctl(buf_str(out)) || !str_is_utf8(buf_str(out))) {
		conf_complain(lx->error, start,
		    "this value holds a control character or is "
		    "not UTF-8, expected plain text");
		return false;
	}
	return true;
}
