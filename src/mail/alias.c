/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * alias -- the text of aliases(5) files and of what they include.
 *
 * A target may be in quotes as a whole ("|command, with a comma"), its command
 * may be (|"command"), or parts of an address are ("a b"@example.org).  Which
 * of these it is shows when it has been cut off: at the next comma that is in
 * no quotes, comment or brackets.
 */

#include "mail/alias.h"

#include "lib/buf.h"
#include "lib/hash.h"
#include "lib/name.h"

#define LINE_MAX_LEN (16u << 20)

/* ---- lines -------------------------------------------------------------- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* True if there is nothing in LINE but blanks, or a comment. */
static bool
says_nothing(struct str line)
{
	line = str_trim(line);
	return line.n == 0 || line.p[0] == '#';
}

/* The next line of the file that says something, and its number. */
static bool
take_line(struct str *text, struct str *line, int *number)
{
	while (text->n > 0) {
		++*number;
		str_cut(*text, '\n', line, text);
		if (!says_nothing(*line))
			return true;
	}
	return false;
}

bool
alias_line(struct str *text, struct arena *a, struct str *line, int *number,
    int *next)
{
	struct str more, rest;
	struct buf b;
	int at;

	if (!take_line(text, line, next))
		return false;
	*number = *next;
	buf_init(&b, LINE_MAX_LEN);
	buf_add(&b, str_trim(*line));
	for (;;) {
		rest = *text;
		at = *next;
		if (!take_line(&rest, &more, &at) || !is_blank(more.p[0]))
			break;
		buf_addc(&b, ' ');
		buf_add(&b, str_trim(more));
		*text = rest;
		*next = at;
	}
	*line = arena_str(a, buf_str(&b));
	buf_free(&b);
	return true;
}

/* ---- words -------------------------------------------------------------- */

/* S between its quotes, backslashes undone; or S if it has none around it. */
static struct str
unquote(struct arena *a, struct str s)
{
	char *p;
	size_t n = 0;

	if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
		return s;
	p = arena_alloc(a, s.n);
	for (size_t i = 1; i + 1 < s.n; i++) {
		if (s.p[i] == '\\' && i + 2 < s.n)
			i++;
		p[n++] = s.p[i];
	}
	return str_n(p, n);
}

/* Where quotes, a comment or brackets that begin at S end; 0: nowhere. */
static size_t
skip_group(struct str s)
{
	char close = s.p[0] == '(' ? ')' : s.p[0] == '<' ? '>' : '"';

	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == close)
			return i + 1;
	}
	return 0;
}

/*
 * The length of S up to the first STOP outside of groups, or its end;
 * SIZE_MAX: a group has no end.
 */
static size_t
span(struct str s, char stop)
{
	size_t i = 0, n;

	while (i < s.n && s.p[i] != stop) {
		if (s.p[i] == '\\' && i + 1 < s.n) {
			i += 2;
		} else if (strchr("\"(<", s.p[i]) != NULL && s.p[i] != '\0') {
			n = skip_group(str_skip(s, i));
			if (n == 0)
				return SIZE_MAX;
			i += n;
		} else {
			i++;
		}
	}
	return i;
}

/* "Name <address> (comment)": the address; what quotes or a comment hold is none. */
static struct str
bare_address(struct str s)
{
	size_t from = 0, to = s.n, n;

	for (size_t i = 0; i < s.n; i += n) {
		n = strchr("\"(<", s.p[i]) != NULL ? skip_group(str_skip(s, i)) : 0;
		if (n == 0)
			n = s.p[i] == '\\' ? 2 : 1;
		else if (s.p[i] == '<')
			return str_trim(str_n(s.p + i + 1, n - 2));
		else if (s.p[i] == '(' && i == from)
			from = i + n;
		else if (s.p[i] == '(' && to == s.n)
			to = i;
		if (i == from && is_blank(s.p[i]))
			from++;
	}
	return str_trim(str_n(s.p + from, to - from));
}

/* ---- names -------------------------------------------------------------- */

const char *
alias_split(struct str line, struct arena *a, struct str *name,
    struct str *targets)
{
	size_t n = span(line, ':');

	if (n == SIZE_MAX || n >= line.n)
		return "there is no \":\" behind a name";
	*name = arena_str(a, unquote(a, str_trim(str_head(line, n))));
	*targets = str_trim(str_skip(line, n + 1));
	if (name->n == 0)
		return "there is no name before the \":\"";
	if (str_has_ctl(*name) || name->n > ALIAS_TARGET_LEN_MAX)
		return "the name is none";
	return NULL;
}

/* Those of an address. */
bool
alias_any(struct str marks, const struct path *p,
    bool (*fn)(void *arg, struct str name), void *arg)
{
	char text[NAME_LEN_MAX + 1];
	struct buf b;

	buf_init_in(&b, text, sizeof(text));
	buf_add(&b, p->local);
	buf_addc(&b, '@');
	buf_add(&b, p->domain);
	if ((buf_ok(&b) && fn(arg, buf_str(&b))) || fn(arg, p->local))
		return true;
	/* RFC 5233: detail behind the first mark that has an alias before it. */
	for (size_t i = 1; i < p->local.n; i++)
		if (str_find(marks, p->local.p[i]) >= 0 &&
		    fn(arg, str_head(p->local, i)))
			return true;
	return false;
}

/* ---- targets ------------------------------------------------------------ */

static const char *
sort_out(struct str s, struct arena *a, struct alias_target *t)
{
	static const struct str include = { ":include:", 9 };
	struct str inner = unquote(a, s);

	if (str_istarts(inner, include)) {
		t->kind = ALIAS_INCLUDE;
		t->text = unquote(a, str_trim(str_skip(inner, include.n)));
		if (!str_starts(t->text, STR("/")))
			return "behind \":include:\" the path of a file is expected";
		return NULL;
	}
	if (str_starts(inner, STR("|"))) {
		t->kind = ALIAS_PROGRAM;
		t->text = unquote(a, str_trim(str_skip(inner, 1)));
		return t->text.n > 0 ? NULL : "behind \"|\" a command is expected";
	}
	if (str_starts(inner, STR("/"))) {
		t->kind = ALIAS_FILE;
		t->text = inner;
		return NULL;
	}
	t->kind = ALIAS_ADDRESS;
	t->text = bare_address(s);
	return t->text.n > 0 ? NULL : "an address is expected";
}

const char *
alias_next(struct str *list, struct arena *a, struct alias_target *t)
{
	struct str s;
	const char *why;
	size_t n;

	*t = (struct alias_target){ .text = STR("") };
	do {
		*list = str_trim(*list);
		n = span(*list, ',');
		if (n == SIZE_MAX)
			return "a quote, a bracket or a comment has no end";
		s = str_trim(str_head(*list, n));
		*list = str_skip(*list, n + 1);
	} while (s.n == 0 && list->n > 0);
	if (s.n == 0)
		return NULL;
	if (s.n > ALIAS_TARGET_LEN_MAX || str_has_ctl(s))
		return "a target is longer than 4096 octets, or has a control "
		       "character";
	why = sort_out(s, a, t);
	t->text = arena_str(a, t->text);
	return why;
}

const char *
alias_address(struct str text, struct arena *a, struct path *p)
{
	if (str_starts(text, STR("\\")))
		text = str_skip(text, 1);
	return path_parse_addr(text, PATH_BARE | PATH_UTF8, a, p);
}

void
alias_part(const struct alias_target *t, char part[ALIAS_PART_SIZE])
{
	struct buf b;

	/* Whoever writes two that collide has written both. */
	buf_init_in(&b, part, ALIAS_PART_SIZE);
	buf_addf(&b, "%c%08x%04x", t->kind == ALIAS_FILE ?
	    (t->home ? 'F' : 'f') : (t->home ? 'P' : 'p'),
	    (unsigned)crc32c(0, t->text.p, t->text.n), (unsigned)t->text.n);
}

bool
alias_part_is_file(struct str part)
{
	return part.p[0] == 'f' || part.p[0] == 'F';
}

bool
alias_part_is_home(struct str part)
{
	return part.p[0] == 'F' || part.p[0] == 'P';
}
