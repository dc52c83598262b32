/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lex -- the text of a configuration to tokens that libConfuse can not
 * misread.
 *
 * Comments go, also inside of lists; set() and include() are carried out;
 * ${NAME} in double quotes is replaced by what set() or the environment
 * says, and an unknown name is an error.  What is left is written as one
 * token a line, every word in single quotes, so that libConfuse's count of
 * lines is the number of the token: lexer.tokens says where that was
 * written.  Nothing is put into the environment.
 *
 * What a token means is libConfuse's business; here only quotes, braces
 * and parentheses are held to be complete, because libConfuse reports
 * these far from the mistake.
 */

#include "lib/mem.h"

#include "lex.h"

/* What a token was, as far as the next one depends on it. */
enum {
	SEEN_NOTHING, /* a statement begins */
	SEEN_NAME, /* of an option or a section */
	SEEN_TITLE,
	SEEN_EQUAL, /* = or += */
	SEEN_LIST, /* the opening brace of a list */
	SEEN_COMMA,
	SEEN_VALUE
};

static bool lex_directive(
    struct lexer *lx, struct source *s, const char *name) MUST_USE;

void
lexer_init(struct lexer *lx, struct arena *a, struct buf *error)
{
	memset(lx, 0, sizeof(*lx));
	lx->arena = a;
	arena_init(&lx->scratch, CONF_ARENA_MAX);
	lx->error = error;
	lx->token_size = 256;
	lx->tokens = mem_array(lx->token_size, sizeof(*lx->tokens));
	lx->tokens[0].place.file = "";
	lx->token_n = 1;
	buf_init(&lx->text, CONF_TEXT_MAX);
}

void
lexer_free(struct lexer *lx)
{
	buf_wipe(&lx->text);
	buf_free(&lx->text);
	arena_wipe(&lx->scratch);
	mem_free(lx->tokens);
	lx->tokens = NULL;
}

/* ---- tokens out ---- */

static void
add_token(struct lexer *lx, struct conf_place place, size_t at)
{
	if (lx->token_n == lx->token_size) {
		lx->token_size *= 2;
		lx->tokens = mem_grow(
		    lx->tokens, lx->token_size, sizeof(*lx->tokens));
	}
	lx->tokens[lx->token_n++] = (struct lex_token){ place, at };
}

void
lexer_put(struct lexer *lx, struct conf_place place, struct str token)
{
	size_t at = lx->text.n;

	buf_add(&lx->text, token);
	buf_addc(&lx->text, '\n');
	add_token(lx, place, at);
}

static void
emit_punct(struct lexer *lx, struct conf_place place, const char *text)
{
	lexer_put(lx, place, str_c(text));
}

/* A title carries its number, so that libConfuse takes none for another. */
static void
emit_word(struct lexer *lx, struct conf_place place, const char *word)
{
	size_t at = lx->text.n;

	buf_addc(&lx->text, '\'');
	if (lx->prev == SEEN_TITLE)
		buf_addf(&lx->text, "%zu:", lx->token_n);
	for (; *word; word++) {
		if (*word == '\'' || *word == '\\')
			buf_addc(&lx->text, '\\');
		buf_addc(&lx->text, *word);
	}
	buf_adds(&lx->text, "'\n");
	add_token(lx, place, at);
}

static bool
is_option_name(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!lex_is_name((unsigned char)s.p[i]) && s.p[i] != '-')
			return false;
	return s.n > 0;
}

/* True if a section SECTION has an option called OPTION. */
static bool
is_known(struct str section, struct str option)
{
	for (size_t i = 0; i < conf_option_n; i++) {
		const struct option *o = &conf_options[i];

		for (size_t k = 0; str_eq(str_c(o->name), section) && k < o->sub_n; k++)
			if (str_eq(str_c(o->sub[k].name), option))
				return true;
	}
	return false;
}

/* WORD is no name, where one is wanted. */
static void
blame_name(struct lexer *lx, struct conf_place place, struct str word)
{
	struct str section, option;
	bool after_value = lx->prev == SEEN_VALUE;

	if (str_starts(word, STR("\xef\xbb\xbf")))
		conf_complain(lx->error, place, "this begins with a byte order mark, "
		    "expected UTF-8 without one");
	else if (str_cut(word, '.', &section, &option) && is_known(section, option))
		conf_complain(lx->error, place, "unexpected \"" STR_FMT "\", expected "
		    STR_FMT " { " STR_FMT " = ... }", STR_ARG(word), STR_ARG(section),
		    STR_ARG(option));
	else
		conf_complain(lx->error, place, "unexpected \"" STR_FMT "\", expected the "
		    "name of an option or a section%s", STR_ARG(word),
		    after_value ? ", or a comma before another value" : "");
}

/* A word, by what stands before it: a name, a title or a value. */
static bool
take_word(struct lexer *lx, struct source *s, struct buf *word)
{
	struct conf_place start = lex_here(s);
	bool quoted = lex_peek(s) == '"' || lex_peek(s) == '\'';
	const char *text;

	if (!lex_text(lx, s, word))
		return false;
	text = buf_cstr(word);
	switch (lx->prev) {
	case SEEN_EQUAL:
	case SEEN_LIST:
	case SEEN_COMMA:
		lx->prev = SEEN_VALUE;
		break;
	case SEEN_NAME:
		if (text[0] == '\0') {
			conf_complain(lx->error, start,
			    "this title is empty, expected a name");
			return false;
		}
		lx->prev = SEEN_TITLE;
		break;
	default:
		if (quoted || !is_option_name(buf_str(word))) {
			blame_name(lx, start, buf_str(word));
			return false;
		}
		if (!lex_blanks(lx, s))
			return false;
		if (lex_peek(s) == '(')
			return lex_directive(lx, s, text);
		lx->prev = SEEN_NAME;
	}
	emit_word(lx, start, text);
	return true;
}

/* ---- set() and include() ---- */

/* Reads "(A)" or "(A, B)" into ARG; the count, or -1 after a complaint. */
static int
lex_arguments(
    struct lexer *lx, struct source *s, const char *form, const char *arg[2])
{
	struct buf word;
	int n = 0;

	buf_init(&word, CONF_VALUE_MAX);
	(void)lex_next(s); /* the parenthesis */
	while (n >= 0) {
		if (!lex_blanks(lx, s)) {
			n = -1;
		} else if (lex_peek(s) == ')') {
			(void)lex_next(s);
			break;
		} else if (n == 2 || !lex_starts_text(s)) {
			conf_complain(lx->error, lex_here(s),
			    "unexpected text, expected %s", form);
			n = -1;
		} else if (!lex_text(lx, s, &word) || !lex_blanks(lx, s)) {
			n = -1;
		} else {
			arg[n++] = arena_cstr(&lx->scratch, buf_str(&word));
			if (lex_peek(s) == ',')
				(void)lex_next(s);
		}
	}
	buf_wipe(&word);
	buf_free(&word);
	return n;
}

static bool
lex_set(struct lexer *lx, struct conf_place place, const char *name,
    const char *value)
{
	struct lex_var *v;
	size_t i;

	for (i = 0; lex_is_name((unsigned char)name[i]); i++)
		;
	if (i == 0 || name[i] != '\0') {
		conf_complain(lx->error, place,
		    "set(): \"%s\" is no name, expected letters, "
		    "digits and _",
		    name);
		return false;
	}
	if (lx->var_n++ == CONF_VARS_MAX) {
		conf_complain(lx->error, place,
		    "too many variables, expected at most %d", CONF_VARS_MAX);
		return false;
	}
	v = arena_alloc(&lx->scratch, sizeof(*v));
	v->name = name;
	v->value = value;
	v->next = lx->vars;
	lx->vars = v;
	return true;
}

static bool
lex_directive(struct lexer *lx, struct source *s, const char *name)
{
	struct conf_place place = lex_here(s);
	const char *arg[2] = { "", "" }, *form;
	bool set = strcmp(name, "set") == 0;
	int n;

	if (!set && strcmp(name, "include") != 0) {
		conf_complain(lx->error, place,
		    "unknown function \"%s\", expected set or "
		    "include",
		    name);
		return false;
	}
	form = set ? "set(\"NAME\", \"value\")" : "include(\"file\")";
	n = lex_arguments(lx, s, form, arg);
	if (n < 0)
		return false;
	if (n != (set ? 2 : 1)) {
		conf_complain(lx->error, place,
		    "%s() is not complete, expected %s", name, form);
		return false;
	}
	lx->prev = SEEN_NOTHING;
	if (set)
		return lex_set(lx, place, arg[0], arg[1]);
	return conf_source_include(lx, s, place, arg[0]);
}

/* ---- punctuation ---- */

static bool
open_brace(struct lexer *lx, struct conf_place place)
{
	bool list = lx->prev == SEEN_EQUAL;

	if (!list && lx->prev != SEEN_NAME && lx->prev != SEEN_TITLE) {
		conf_complain(lx->error, place,
		    "unexpected {, expected it after = or after the "
		    "name of a section");
		return false;
	}
	if (lx->depth == CONF_NEST_MAX) {
		conf_complain(lx->error, place,
		    "braces are nested too deeply, expected at most "
		    "%d",
		    CONF_NEST_MAX);
		return false;
	}
	lx->open[lx->depth++] = place;
	emit_punct(lx, place, "{");
	if (list) {
		lx->prev = SEEN_LIST;
		emit_word(lx, place, LEX_LIST_MARK);
	} else {
		lx->prev = SEEN_NOTHING;
	}
	return true;
}

static bool
close_brace(struct lexer *lx, struct conf_place place, size_t floor)
{
	if (lx->depth == floor) {
		conf_complain(lx->error, place,
		    "unexpected }, expected an option: no section or "
		    "list is open here");
		return false;
	}
	lx->depth--;
	emit_punct(lx, place, "}");
	lx->prev = SEEN_NOTHING;
	return true;
}

/* libConfuse wants a comma behind the mark only if something follows. */
static void
after_mark(struct lexer *lx, struct source *s)
{
	if (lx->prev == SEEN_LIST && lex_peek(s) != '}')
		emit_punct(lx, lex_here(s), ",");
}

static bool
take_token(struct lexer *lx, struct source *s, struct buf *word, size_t floor)
{
	struct conf_place place = lex_here(s);
	int c = lex_peek(s);

	after_mark(lx, s);
	switch (c) {
	case '{':
		(void)lex_next(s);
		return open_brace(lx, place);
	case '}':
		(void)lex_next(s);
		return close_brace(lx, place, floor);
	case '=':
	case ',':
		(void)lex_next(s);
		emit_punct(lx, place, c == '=' ? "=" : ",");
		lx->prev = c == '=' ? SEEN_EQUAL : SEEN_COMMA;
		return true;
	case '+':
		(void)lex_next(s);
		if (lex_next(s) == '=') {
			emit_punct(lx, place, "+=");
			lx->prev = SEEN_EQUAL;
			return true;
		}
		conf_complain(lx->error, place,
		    "unexpected +, expected += or a value in quotes");
		return false;
	case '(':
	case ')':
		conf_complain(lx->error, place,
		    "unexpected %c, expected it only in set() and "
		    "include()",
		    c);
		return false;
	default:
		return take_word(lx, s, word);
	}
}

struct str
lexer_word(const struct lexer *lx, size_t n)
{
	struct str line, rest;

	if (n == 0 || n >= lx->token_n)
		return str_n(NULL, 0);
	str_cut(str_skip(buf_str(&lx->text), lx->tokens[n].at), '\n', &line,
	    &rest);
	if (line.n >= 2 && line.p[0] == '\'')
		line = str_n(line.p + 1, line.n - 2);
	return line;
}

const char *
lexer_text(const struct lexer *lx, size_t n, struct arena *a)
{
	struct str word = lexer_word(lx, n);
	char *text = arena_alloc(a, word.n + 1), *to = text;

	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] == '\\' && i + 1 < word.n)
			i++;
		*to++ = word.p[i];
	}
	return text;
}

void
lexer_unit_hint(const struct lexer *lx, size_t n, struct buf *b)
{
	struct str number = n > 1 ? lexer_word(lx, n - 1) : str_n("", 0);
	uint64_t v;

	if (str_u64(number, UINT64_MAX, &v) == 0)
		buf_addf(b, "; a unit stands right behind its number: \"" STR_FMT STR_FMT "\"",
		    STR_ARG(number), STR_ARG(lexer_word(lx, n)));
}

/* A name at the end: of an option without a value, or no name at all. */
static void
complain_of_name(struct lexer *lx, const struct source *s)
{
	struct buf hint;

	buf_init(&hint, 2 * CONF_VALUE_MAX);
	lexer_unit_hint(lx, lx->token_n - 1, &hint);
	conf_complain(lx->error, lex_here(s),
	    "the file ends behind \"" STR_FMT "\", expected = after the name "
	    "of an option, or { after that of a section%s",
	    STR_ARG(lexer_word(lx, lx->token_n - 1)), buf_cstr(&hint));
	buf_free(&hint);
}

/* What is open at the end of a file was opened there. */
static bool
at_end(struct lexer *lx, const struct source *s, size_t floor)
{
	if (lx->depth > floor) {
		conf_complain(lx->error, lx->open[lx->depth - 1],
		    "this { is not closed, expected } before the end of the "
		    "file");
		return false;
	}
	if (lx->prev == SEEN_NAME) {
		complain_of_name(lx, s);
		return false;
	}
	if (lx->prev != SEEN_NOTHING && lx->prev != SEEN_VALUE) {
		conf_complain(lx->error, lex_here(s),
		    "the file ends too early, expected %s",
		    lx->prev == SEEN_TITLE ? "{ after the name of a section" :
					     "a value");
		return false;
	}
	lx->prev = SEEN_NOTHING;
	return true;
}

bool
lexer_run(struct lexer *lx, struct source *s)
{
	size_t floor = lx->depth;
	struct buf word;
	bool ok = true;

	if (str_find(s->text, '\0') >= 0) {
		conf_complain(lx->error, lex_here(s),
		    "the file holds a NUL, expected text");
		return false;
	}
	buf_init(&word, CONF_VALUE_MAX);
	while (ok && (ok = lex_blanks(lx, s)) && lex_peek(s) >= 0) {
		ok = take_token(lx, s, &word, floor);
		if (ok && !buf_ok(&lx->text)) {
			conf_complain(lx->error, lex_here(s),
			    "the configuration is too large, "
			    "expected at most %zu octets in all",
			    CONF_TEXT_MAX);
			ok = false;
		}
	}
	buf_wipe(&word);
	buf_free(&word);
	return ok && at_end(lx, s, floor);
}
