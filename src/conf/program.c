/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * program -- a command line that the configuration names.
 *
 * It is taken apart here and never again by a shell: whatever an address has in
 * it stays inside of its word.  What is no fact is a mistake, so that a word
 * that was read can be walked through without one.
 */

#include "conf/program.h"

#include "private.h"

#define WORDS_MAX 100

static const char *const names[PROGRAM_FACTS] = {
	[PROGRAM_SENDER] = "sender",
	[PROGRAM_RECIPIENT] = "recipient",
	[PROGRAM_RECIPIENTS] = "recipients",
	[PROGRAM_USER] = "user",
	[PROGRAM_EXTENSION] = "extension",
	[PROGRAM_MAILBOX] = "mailbox",
	[PROGRAM_DOMAIN] = "domain",
	[PROGRAM_NEXTHOP] = "nexthop",
	[PROGRAM_QUEUE_ID] = "queue_id",
	[PROGRAM_SIZE] = "size",
	[PROGRAM_CLIENT_ADDRESS] = "client_address",
	[PROGRAM_SASL_USERNAME] = "sasl_username",
};

static bool
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_';
}

/* The name behind a dollar at the start of *REST, which goes on behind it. */
static bool
take_name(struct str *rest, struct str *name)
{
	bool braces = rest->n > 1 && rest->p[1] == '{';
	size_t start = braces ? 2 : 1, end = start;

	while (end < rest->n && is_name(rest->p[end]))
		end++;
	*name = str_n(rest->p + start, end - start);
	if (name->n == 0 || (braces && (end == rest->n || rest->p[end] != '}')))
		return false;
	*rest = str_skip(*rest, end + braces);
	return true;
}

static enum program_fact
fact_of(struct str name)
{
	unsigned i = 0;

	while (i < PROGRAM_FACTS && !str_eq(name, str_c(names[i])))
		i++;
	return (enum program_fact)i;
}

bool
program_next(struct str *rest, enum program_fact *fact, struct str *text)
{
	struct str name;
	size_t n = 0;

	*fact = PROGRAM_FACTS;
	if (rest->n == 0)
		return false;
	while (n < rest->n && rest->p[n] != '$')
		n++;
	if (n > 0) {
		*text = str_head(*rest, n);
		*rest = str_skip(*rest, n);
	} else if (take_name(rest, &name)) {
		*fact = fact_of(name);
		*text = name;
	} else {
		/* "$$"; what else a dollar might be was complained about. */
		*text = str_head(*rest, 1);
		*rest = str_skip(*rest, rest->n > 1 ? 2 : 1);
	}
	return true;
}

static const char *
no_fact(struct str name, struct arena *a)
{
	struct nearest near;
	struct buf hint;
	const char *why;

	conf_nearest_init(&near, name);
	for (unsigned i = 0; i < PROGRAM_FACTS; i++)
		conf_nearest_try(&near, names[i]);
	buf_init(&hint, 1000);
	conf_nearest_hint(&near, &hint);
	why = arena_printf(a, "there is no ${" STR_FMT "}, expected ${sender}, "
	    "${recipient} or another fact of a message%s", STR_ARG(name),
	    buf_cstr(&hint));
	buf_free(&hint);
	return why;
}

/* What is wrong with WORD, or NULL; *ALL if it stands for all recipients. */
static const char *
check_word(struct str word, struct arena *a, bool *all)
{
	struct str rest = word, name;

	while (rest.n > 0) {
		if (rest.p[0] != '$') {
			rest = str_skip(rest, 1);
			continue;
		}
		if (rest.n > 1 && rest.p[1] == '$') {
			rest = str_skip(rest, 2);
			continue;
		}
		if (!take_name(&rest, &name))
			return arena_printf(a, "in \"" STR_FMT "\" a dollar names "
			    "nothing, expected ${sender}, or $$ for a dollar",
			    STR_ARG(word));
		if (fact_of(name) == PROGRAM_FACTS)
			return no_fact(name, a);
		if (fact_of(name) != PROGRAM_RECIPIENTS)
			continue;
		if (!str_eq(word, STR("${recipients}")) &&
		    !str_eq(word, STR("$recipients")))
			return "${recipients} is part of a word, expected it to "
			    "be a word of its own, or ${recipient}";
		*all = true;
	}
	return NULL;
}

/* The next word of *REST, without its quotes.  False: they do not end. */
static bool
take_word(struct str *rest, struct buf *word)
{
	bool quoted = false;
	size_t i = 0;

	buf_reset(word);
	for (; i < rest->n && (quoted || rest->p[i] != ' '); i++) {
		if (rest->p[i] == '\'')
			quoted = !quoted;
		else
			buf_addc(word, rest->p[i]);
	}
	*rest = str_trim(str_skip(*rest, i));
	return !quoted;
}

static bool
names_one(const struct conf_strs *words)
{
	static const enum program_fact of_one[] = { PROGRAM_RECIPIENT, PROGRAM_USER,
		PROGRAM_EXTENSION, PROGRAM_MAILBOX, PROGRAM_DOMAIN, PROGRAM_NEXTHOP };
	enum program_fact fact;
	struct str rest, text;

	for (size_t i = 0; i < words->n; i++) {
		rest = str_c(words->v[i]);
		while (program_next(&rest, &fact, &text))
			for (size_t k = 0; k < ARRAY_LEN(of_one); k++)
				if (fact == of_one[k])
					return true;
	}
	return false;
}

static const char *
read_words(struct str text, struct arena *a, struct conf_strs *words, bool *all)
{
	const char **v = arena_alloc(a, WORDS_MAX * sizeof(*v)), *why;
	struct buf word;
	size_t n = 0;

	buf_init(&word, CONF_VALUE_MAX);
	for (why = NULL; why == NULL && text.n > 0; n++) {
		if (n == WORDS_MAX)
			why = "it has too many words, expected at most 100";
		else if (!take_word(&text, &word))
			why = "a quote does not end, expected another '";
		else if ((why = check_word(buf_str(&word), a, all)) == NULL)
			v[n] = arena_cstr(a, buf_str(&word));
	}
	buf_free(&word);
	*words = (struct conf_strs){ .v = v, .n = why == NULL ? n : 0 };
	return why;
}

const char *
program_read(struct str text, struct arena *a, struct conf_strs *words, bool *all)
{
	const char *why;
	enum program_fact fact;
	struct str first, piece;

	*all = false;
	*words = (struct conf_strs){ .n = 0 };
	text = str_trim(text);
	if (str_has_ctl(text))
		return "it has control characters, expected none";
	why = read_words(text, a, words, all);
	if (why != NULL)
		return why;
	first = str_c(words->n > 0 ? words->v[0] : "");
	if (!conf_name_is_path(first) || !program_next(&first, &fact, &piece) ||
	    fact != PROGRAM_FACTS || first.n > 0)
		return "expected the absolute path of a program first";
	if (*all && names_one(words))
		return "expected either ${recipients} or what is said of one "
		    "recipient, since it is run once for all or once for each";
	return NULL;
}

/* ---- those that there are --------------------------------------------------- */

size_t
program_commands(const struct conf *c)
{
	return c->route_n + c->rule_n;
}

bool
program_command(const struct conf *c, uint64_t n,
    struct program_command *command)
{
	const struct conf_recipient *rule;
	const struct conf_route *route;

	if (n >= program_commands(c))
		return false;
	if (n < c->route_n) {
		route = &c->routes[n];
		*command = (struct program_command){ "route", route->pattern,
			route->place, route->via, route->run_as, &route->way };
	} else {
		rule = &c->rules[n - c->route_n];
		*command = (struct program_command){ "recipient",
			rule->pattern, rule->place, rule->via, rule->run_as,
			&rule->way };
		if (rule->kind != RULE_WAY)
			return false;
	}
	return command->way->kind == VIA_PIPE && command->way->words.n > 0;
}
