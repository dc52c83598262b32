/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * parse -- tokens to values, by libConfuse and the option table.
 *
 * libConfuse knows the grammar and which option stands in which section;
 * its option arrays are made from the table, all with text as their type.
 * The types are value.c's.  Titles come from the lexer as "TOKEN:text", so
 * that their place is known when the tree is walked; defaults as ":text".
 * Values do not go through libConfuse, which leaves what it read all over the
 * heap, and may be passwords: it gets a mark in their place, and what is kept
 * is "TOKEN:".
 * Which titles may stand again is the table's to say and not libConfuse's.
 *
 * libConfuse's scanner is one for the process and its callbacks carry no
 * context: the static pointer below is set while it runs, and nothing here
 * may be called from two threads at once.
 */

#include <confuse.h>
#include <stdlib.h>
#include <sysexits.h>

#include "lib/log.h"
#include "lib/map.h"
#include "lib/mem.h"

#include "private.h"

/* What each struct of a titled section starts with. */
struct titled {
	const char *title;
	struct conf_place place;
};
#define STARTS_TITLED(s) \
	_Static_assert( \
	    offsetof(struct s, place) == offsetof(struct titled, place), \
	    #s " starts with a title and its place")
STARTS_TITLED(conf_listen);
STARTS_TITLED(conf_tls_name);
STARTS_TITLED(conf_upstream);
STARTS_TITLED(conf_server);
STARTS_TITLED(conf_route);
STARTS_TITLED(conf_override);
STARTS_TITLED(conf_pool);
STARTS_TITLED(conf_source_name);
STARTS_TITLED(conf_destination);
STARTS_TITLED(conf_check_spf);
STARTS_TITLED(conf_check_dkim);
STARTS_TITLED(conf_check_dmarc);
STARTS_TITLED(conf_check_arc);
STARTS_TITLED(conf_collect);
STARTS_TITLED(conf_check_iprev);
STARTS_TITLED(conf_check_helo);
STARTS_TITLED(conf_check_sender);
STARTS_TITLED(conf_check_scan);

struct parse {
	struct conf *c;
	const struct lexer *lx;
	struct buf *error;
	bool complained;
	struct arena scratch; /* for values: overwritten at the end */
	struct buf name; /* of the option being walked: "listen.smtp.port" */
};

static struct parse *parsing;

/* Stands for a value: no text of the file can be this one. */
#define VALUE_MARK "\002"

static struct conf_place
place_of(const struct parse *p, long token)
{
	if (token < 1 || (size_t)token >= p->lx->token_n)
		return conf_place_top(p->c);
	return p->lx->tokens[token].place;
}

/* ---- the arrays of options ---- */

static cfg_opt_t *new_options(const struct option *o, size_t n);

static int
remember(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	const char **out = result;

	if (opt->nvalues > CONF_LIST_MAX) {
		conf_complain(parsing->error, place_of(parsing, cfg->line),
		    "%s: too many elements, expected at most %d", opt->name,
		    CONF_LIST_MAX);
		parsing->complained = true;
		return -1;
	}
	if (strcmp(value, VALUE_MARK) == 0)
		*out = arena_printf(&parsing->scratch, "%d:", cfg->line);
	else if (strcmp(value, LEX_LIST_MARK) == 0)
		*out = arena_printf(
		    &parsing->scratch, "%d:%s", cfg->line, value);
	else
		*out = arena_printf(&parsing->scratch, ":%s", value);
	return 0;
}

static cfg_opt_t
new_section(const struct option *o)
{
	cfg_opt_t *sub = new_options(o->sub, o->sub_n);

	if (o->count_offset == SIZE_MAX)
		return (cfg_opt_t)CFG_SEC(o->name, sub, CFGF_NONE);
	return (cfg_opt_t)CFG_SEC(o->name, sub, CFGF_MULTI | CFGF_TITLE);
}

/* The default of a list is libConfuse's, which += adds to; get_values() knows the others. */
static cfg_opt_t
new_option(const struct option *o)
{
	cfg_opt_t opt = {
		.name = o->name, .type = CFGT_STR, .parsecb = remember
	};
	bool list = conf_value_is_list(o->type);

	if (o->type == OPTION_SECTION)
		return new_section(o);
	if (list)
		opt.flags |= CFGF_LIST;
	if (list && o->fallback[0] != '\0')
		opt.def.parsed = mem_dup(str_c(o->fallback));
	else
		opt.flags |= CFGF_NODEFAULT;
	return opt;
}

/* How many of the N entries at O are for one section, each with a title of its own. */
static size_t
kind_count(const struct option *o, size_t n)
{
	size_t i = 1;

	while (o->title != NULL && i < n && strcmp(o[i].name, o->name) == 0)
		i++;
	return i;
}

static bool
has_name(const cfg_opt_t *opts, size_t n, const char *name)
{
	while (n > 0 && strcmp(opts[n - 1].name, name) != 0)
		n--;
	return n > 0;
}

/* The section of the N kinds at O, with whatever one of them has. */
static cfg_opt_t
new_kinds(const struct option *o, size_t n)
{
	size_t total = 0, k = 0;
	cfg_opt_t *sub;

	for (size_t i = 0; i < n; i++)
		total += o[i].sub_n;
	sub = mem_array(total + 1, sizeof(*sub));
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < o[i].sub_n; j++)
			if (!has_name(sub, k, o[i].sub[j].name))
				sub[k++] = new_option(&o[i].sub[j]);
	sub[k] = (cfg_opt_t)CFG_END();
	return (cfg_opt_t)CFG_SEC(o->name, sub, CFGF_MULTI | CFGF_TITLE);
}

/* An array for the N options at O, with libConfuse's end mark. */
static cfg_opt_t *
new_options(const struct option *o, size_t n)
{
	cfg_opt_t *opts = mem_array(n + 1, sizeof(*opts));
	size_t k = 0, kinds;

	for (; n > 0; n -= kinds, o += kinds) {
		kinds = kind_count(o, n);
		opts[k++] = o->title != NULL ? new_kinds(o, kinds) : new_option(o);
	}
	opts[k] = (cfg_opt_t)CFG_END();
	return opts;
}

static void
free_options(cfg_opt_t *opts)
{
	size_t i;

	for (i = 0; opts[i].name; i++) {
		if (opts[i].subopts)
			free_options(opts[i].subopts);
		mem_free(opts[i].def.parsed);
	}
	mem_free(opts);
}

/* ---- libConfuse's complaints ---- */

static bool
has_option(const struct option *section, const char *name)
{
	for (size_t i = 0; i < section->sub_n; i++)
		if (strcmp(section->sub[i].name, name) == 0)
			return true;
	return false;
}

/*
 * The section that knows an option called NAME, or NULL: one that stands once
 * rather than one of many, which has it as an exception.
 */
static const char *
home_of(const char *name)
{
	const char *other = NULL;

	for (size_t i = 0; i < conf_option_n; i++) {
		const struct option *o = &conf_options[i];

		if (!has_option(o, name))
			continue;
		if (o->count_offset == SIZE_MAX)
			return o->name;
		if (!other)
			other = o->name;
	}
	return other;
}

static void
unknown(struct parse *p, cfg_t *cfg, const char *name)
{
	struct nearest near;
	struct buf hint;
	size_t i;

	conf_nearest_init(&near, str_c(name));
	for (i = 0; cfg->opts[i].name; i++)
		conf_nearest_try(&near, cfg->opts[i].name);
	buf_init(&hint, 1000);
	conf_nearest_hint(&near, &hint);
	if (hint.n == 0 && home_of(name))
		buf_addf(
		    &hint, "; it belongs into a section \"%s\"", home_of(name));
	else if (hint.n == 0)
		buf_adds(&hint, ", expected one of those in barid.conf(5)");
	if (cfg->line > 0)
		lexer_unit_hint(p->lx, (size_t)cfg->line, &hint);
	if (strcmp(cfg->name, "root") == 0)
		conf_complain(p->error, place_of(p, cfg->line),
		    "unknown option \"%s\"%s", name, buf_cstr(&hint));
	else
		conf_complain(p->error, place_of(p, cfg->line),
		    "unknown option \"%s\" in \"%s\"%s", name, cfg->name,
		    buf_cstr(&hint));
	buf_free(&hint);
}

/* How libConfuse's messages start, and how ours go on behind the word. */
static const struct {
	const char *start;
	const char *ours;
} messages[] = {
	{ "unexpected token",
	    "is unexpected here, expected a value, or a comma between values" },
	{ "attempt to append", "is no list, expected = instead of +=" },
	{ "missing equal sign",
	    "is an option, expected = and a value behind it" },
	{ "missing opening brace", "is a section, expected { behind it" },
	{ "missing title",
	    "is a section with a name, expected it before the {" },
};

static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct parse *p = parsing;
	struct conf_place place = place_of(p, cfg->line);
	/* Of "name = {", where the brace is. */
	size_t name_token = cfg->line > 2 ? (size_t)cfg->line - 2 : 0;
	const char *word;
	size_t i;

	if (p->complained)
		return;
	p->complained = true;
	if (str_starts(str_c(fmt), STR("no such option"))) {
		unknown(p, cfg, va_arg(ap, const char *));
		return;
	}
	for (i = 0; i < ARRAY_LEN(messages); i++) {
		if (!str_starts(str_c(fmt), str_c(messages[i].start)))
			continue;
		word = va_arg(ap, const char *);
		if (strcmp(word, VALUE_MARK) == 0)
			word = lexer_text(p->lx, (size_t)cfg->line, &p->scratch);
		if (i == 0 && strcmp(word, "{") == 0)
			conf_complain(p->error, place,
			    "\"" STR_FMT "\" takes one value, expected "
			    "it without braces",
			    STR_ARG(lexer_word(p->lx, name_token)));
		else
			conf_complain(p->error, place, "\"%s\" %s", word,
			    messages[i].ours);
		return;
	}
	conf_complain(p->error, place,
	    "this can not be understood, expected what barid.conf(5) "
	    "describes");
}

/* ---- the tree to values ---- */

/* "TOKEN:text" to both; the text may be the token's. */
static struct value
split_value(struct parse *p, const char *s)
{
	char *colon;
	long token = strtol(s, &colon, 10);
	const char *text = colon + 1;

	if (token > 0 && text[0] == '\0')
		text = lexer_text(p->lx, (size_t)token, &p->scratch);
	return (struct value){ text, place_of(p, token) };
}

/*
 * True of S, a value of the list O, if it is the default of another kind's
 * option of that name: O has none.
 */
static bool
is_others(const struct option *o, const char *s)
{
	return s[0] == ':' && (o->fallback[0] == '\0' || strcmp(o->fallback, "{}") == 0);
}

static void
get_values(struct parse *p, cfg_t *cfg, const struct option *o,
    struct conf_place place, struct values *l)
{
	cfg_opt_t *opt = cfg_getopt(cfg, o->name);
	unsigned i, n = cfg_opt_size(opt);
	bool mark, list = conf_value_is_list(o->type);
	struct value v;

	l->set = (opt->flags & CFGF_MODIFIED) != 0;
	l->place = place;
	l->n = 0;
	l->v = mem_array(n + 1, sizeof(*l->v));
	if (n == 0 && !list && o->fallback[0] != '\0')
		l->v[l->n++] = (struct value){ o->fallback, conf_place_top(p->c) };
	for (i = 0; i < n; i++) {
		if (list && is_others(o, cfg_opt_getnstr(opt, i)))
			continue;
		v = split_value(p, cfg_opt_getnstr(opt, i));
		mark = strcmp(v.text, LEX_LIST_MARK) == 0;
		/* += puts a second mark behind the default's values. */
		if (l->set && (mark || !list || n == 1))
			l->place = v.place;
		if (!mark)
			l->v[l->n++] = v;
	}
}

/* An option of a later release must be what it is in this one. */
static void
refuse_later(struct parse *p, const struct option *o, const struct values *l)
{
	union value_field field;
	struct buf text;

	memset(&field, 0, sizeof(field));
	if (!conf_value_set(
		o, buf_cstr(&p->name), &field, l, &p->c->arena, p->error))
		return;
	if (o->when == OPTION_IDLE)
		return;
	buf_init(&text, 2 * CONF_VALUE_MAX);
	conf_value_show(o, &field, &text);
	if (!buf_ok(&text) || strcmp(buf_cstr(&text), o->off) != 0) {
		buf_reset(&text);
		buf_addf(&text, "%s = %s", buf_cstr(&p->name),
		    l->n == 0	  ? "{}" :
			l->n > 1  ? "{...}" :
			o->secret ? "********" :
				    l->v[0].text);
		conf_complain(p->error, l->place,
		    "not yet: %s comes with a later release, "
		    "expected %s",
		    buf_cstr(&text), o->off);
	}
	buf_free(&text);
}

/* Each element has a place of its own: += may be in another file. */
static void
put_elements(struct conf *c, const struct option *o, const void *field,
    const struct values *l)
{
	const struct conf_strs *strs = field;
	const struct conf_times *times = field;
	const struct conf_nets *nets = field;
	size_t i;

	for (i = 0; i < l->n && o->type == OPTION_STRINGS; i++)
		conf_place_put(c, &strs->v[i], l->v[i].place);
	for (i = 0; i < l->n && o->type == OPTION_TIMES; i++)
		conf_place_put(c, &times->v[i], l->v[i].place);
	for (i = 0; i < l->n && o->type == OPTION_NETS; i++)
		conf_place_put(c, &nets->v[i], l->v[i].place);
}

/* Without a value, since another option has the one that is used then. */
static bool
is_left_out(const struct option *o, const struct values *l)
{
	return !l->set && o->fallback[0] == '\0' &&
	    (o->type == OPTION_BOOL || o->type == OPTION_NUMBER ||
		o->type == OPTION_SIGNED || o->type == OPTION_SIZE || o->type == OPTION_TIME ||
		o->type == OPTION_CHOICE);
}

static void
walk_option(struct parse *p, cfg_t *cfg, const struct option *o, char *base,
    struct conf_place place)
{
	struct values l;
	void *field = o->when == OPTION_NOW ? base + o->offset : NULL;

	get_values(p, cfg, o, place, &l);
	if (o->when != OPTION_NOW) {
		refuse_later(p, o, &l);
	} else if (!is_left_out(o, &l)) {
		if (l.set)
			conf_place_put(p->c, field, l.place);
		/* A complaint is in p->error; the rest is still looked at. */
		if (conf_value_set(o, buf_cstr(&p->name), field, &l,
			&p->c->arena, p->error) &&
		    l.set)
			put_elements(p->c, o, field, &l);
	}
	mem_free(l.v);
}

static void walk_options(struct parse *p, cfg_t *cfg, const struct option *o,
    size_t n, char *base, struct conf_place place);

/* False after a complaint: T is none of the titles that O allows. */
static bool
is_allowed(struct parse *p, const struct option *o, const struct titled *t)
{
	const char *const *word = o->choices;
	struct buf expected;

	while (word && *word && strcmp(*word, t->title) != 0)
		word++;
	if (!word || *word)
		return true;
	buf_init(&expected, 500);
	conf_words_expected(&expected, o->choices, str_c(t->title));
	conf_complain(p->error, t->place, "%s: \"%s\" is unknown, expected %s",
	    buf_cstr(&p->name), t->title, buf_cstr(&expected));
	buf_free(&expected);
	return false;
}

/* False after a complaint: SEEN has T's title, and only one may. */
static bool
is_first(struct parse *p, const struct option *o, const struct titled *t,
    struct map *seen)
{
	struct conf_place *copy, *first;

	if (o->repeats)
		return true;
	copy = arena_alloc(&p->c->arena, sizeof(*copy));
	*copy = t->place;
	first = map_put(seen, str_c(t->title), copy);
	if (!first)
		return true;
	conf_complain(p->error, t->place,
	    "%s \"%s\" stands twice, expected each name once; "
	    "the first is at %s:%d",
	    buf_cstr(&p->name), t->title, first->file, first->line);
	return false;
}

/* The sections called O->name in CFG that take a title. */
static void
walk_titled(struct parse *p, cfg_t *cfg, const struct option *o, char *base)
{
	unsigned i, n = cfg_size(cfg, o->name);
	char *array = n && o->size ? arena_alloc(&p->c->arena, n * o->size) :
				     NULL;
	size_t name_n = p->name.n, count = n;
	struct map *seen = map_new();
	struct titled *t, nothing;
	struct value title;
	cfg_t *sec;

	if (o->size) {
		memcpy(base + o->offset, &array, sizeof(array));
		memcpy(base + o->count_offset, &count, sizeof(count));
	}
	for (i = 0; i < n; i++) {
		sec = cfg_getnsec(cfg, o->name, i);
		t = array ? (void *)(array + i * o->size) : &nothing;
		title = split_value(p, cfg_title(sec));
		t->title = arena_cstr(&p->c->arena, str_c(title.text));
		t->place = title.place;
		if (!is_first(p, o, t, seen) || !is_allowed(p, o, t))
			continue;
		if (o->when == OPTION_LATER) {
			buf_addf(&p->name, " \"%s\"", t->title);
			conf_not_yet(p->error, t->place, buf_cstr(&p->name));
			buf_cut(&p->name, name_n);
			continue;
		}
		buf_addf(&p->name, ".%s", t->title);
		walk_options(p, sec, o->sub, o->sub_n, (char *)t, t->place);
		buf_cut(&p->name, name_n);
	}
	map_free(seen);
}

/* Complains of what stands in SEC and is another kind's. */
static void
refuse_strange(struct parse *p, cfg_t *sec, const struct option *kind)
{
	for (cfg_opt_t *opt = sec->opts; opt->name; opt++)
		if ((opt->flags & CFGF_MODIFIED) != 0 && !has_option(kind, opt->name))
			conf_complain(p->error,
			    split_value(p, cfg_opt_getnstr(opt, 0)).place,
			    "%s: there is no \"%s\" in this one, expected one of those "
			    "in barid.conf(5)", buf_cstr(&p->name), opt->name);
}

static void
walk_kind(struct parse *p, cfg_t *sec, const struct option *kind, char *base,
    const struct titled *t)
{
	size_t name_n = p->name.n;

	base = kind->when == OPTION_NOW ? base + kind->offset : NULL;
	if (base != NULL)
		memcpy(base, t, sizeof(*t));
	buf_addf(&p->name, ".%s", t->title);
	refuse_strange(p, sec, kind);
	walk_options(p, sec, kind->sub, kind->sub_n, base, t->place);
	buf_cut(&p->name, name_n);
}

/* The sections of the N kinds at O. */
static void
walk_kinds(struct parse *p, cfg_t *cfg, const struct option *o, size_t n, char *base)
{
	struct map *seen = map_new();

	for (unsigned i = 0; i < cfg_size(cfg, o->name); i++) {
		cfg_t *sec = cfg_getnsec(cfg, o->name, i);
		struct value title = split_value(p, cfg_title(sec));
		struct titled t = { arena_cstr(&p->c->arena, str_c(title.text)),
			title.place };

		if (!is_first(p, o, &t, seen) || !is_allowed(p, o, &t))
			continue;
		for (size_t k = 0; k < n; k++)
			if (strcmp(o[k].title, t.title) == 0)
				walk_kind(p, sec, &o[k], base, &t);
	}
	map_free(seen);
}

static void
walk_options(struct parse *p, cfg_t *cfg, const struct option *o, size_t n,
    char *base, struct conf_place place)
{
	size_t kinds, name_n = p->name.n;

	for (; n > 0; n -= kinds, o += kinds) {
		kinds = kind_count(o, n);
		if (name_n)
			buf_addc(&p->name, '.');
		buf_adds(&p->name, o->name);
		if (o->type != OPTION_SECTION)
			walk_option(p, cfg, o, base, place);
		else if (o->title != NULL)
			walk_kinds(p, cfg, o, kinds, base);
		else if (o->count_offset != SIZE_MAX)
			walk_titled(p, cfg, o, base);
		else
			walk_options(p, cfg_getsec(cfg, o->name), o->sub,
			    o->sub_n, base + o->offset, place);
		buf_cut(&p->name, name_n);
	}
}

/* What libConfuse is given: the canonical text with VALUE_MARK for values. */
static void
add_grammar(struct buf *b, const struct lexer *lx)
{
	struct str token, rest = buf_str(&lx->text);
	bool value = false;

	while (str_cut(rest, '\n', &token, &rest)) {
		if (value && str_starts(token, STR("'")))
			buf_adds(b, "'" VALUE_MARK "'");
		else
			buf_add(b, token);
		buf_addc(b, '\n');
		value = str_eq(token, STR("=")) || str_eq(token, STR("+=")) ||
		    str_eq(token, STR(","));
	}
}

/* Runs libConfuse over the tokens; its tree, or NULL after a complaint. */
static cfg_t *
build_tree(struct parse *p, cfg_opt_t *opts)
{
	cfg_t *cfg = cfg_init(opts, CFGF_NONE);
	struct buf grammar;
	bool ok;

	if (!cfg)
		fatal(EX_OSERR, "out of memory");
	cfg_set_error_function(cfg, on_error);
	buf_init(&grammar, 2 * CONF_TEXT_MAX);
	add_grammar(&grammar, p->lx);
	ok = buf_ok(&grammar) &&
	    cfg_parse_buf(cfg, buf_cstr(&grammar)) == CFG_SUCCESS;
	buf_free(&grammar);
	if (ok && !p->complained)
		return cfg;
	if (!p->complained)
		conf_complain(p->error, place_of(p, cfg->line),
		    "this can not be understood, "
		    "expected what barid.conf(5) describes");
	cfg_free(cfg);
	return NULL;
}

bool
conf_fill(struct conf *c, struct lexer *lx, struct buf *error)
{
	struct parse p = { .c = c, .lx = lx, .error = error };
	cfg_opt_t *opts;
	cfg_t *cfg;
	size_t before = error->n;

	parsing = &p;
	buf_init(&p.name, 3 * CONF_VALUE_MAX);
	arena_init(&p.scratch, CONF_ARENA_MAX);
	opts = new_options(conf_options, conf_option_n);
	cfg = build_tree(&p, opts);
	if (cfg) {
		walk_options(&p, cfg, conf_options, conf_option_n, (char *)c,
		    conf_place_top(c));
		cfg_free(cfg);
	}
	free_options(opts);
	buf_free(&p.name);
	arena_wipe(&p.scratch);
	parsing = NULL;
	return cfg && error->n == before && buf_ok(error);
}
