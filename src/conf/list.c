/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * list -- the sections of mailing lists: what they mean, and what is wrong
 * with them.
 */

#include "conf/list.h"

#include "private.h"
#include "recipients.h"

static bool
is_plain(const char *pattern)
{
	return strpbrk(pattern, "*/<") == NULL && strchr(pattern, '@') != NULL;
}

/* The first section that leads to L, if it has one address. */
static const char *
address_of(const struct conf *c, const struct conf_list *l)
{
	for (size_t i = 0; i < c->rule_n; i++)
		if (strcmp(c->rules[i].list, l->name) == 0 &&
		    is_plain(c->rules[i].pattern))
			return c->rules[i].pattern;
	return "";
}

/* RFC 2919: what stands in List-Id looks like a domain. */
static const char *
id_of(struct arena *a, const char *address)
{
	struct buf b;
	const char *id;

	buf_init(&b, CONF_VALUE_MAX);
	for (; *address != '\0'; address++)
		buf_addc(&b, *address == '@' ? '.' : char_lower(*address));
	id = arena_cstr(a, buf_str(&b));
	buf_free(&b);
	return id;
}

static void
finish(struct conf *c, struct conf_list *l)
{
	if (l->address[0] == '\0')
		l->address = address_of(c, l);
	l->id = id_of(&c->arena, l->address);
	l->poster_patterns = conf_patterns_read(&c->arena, &l->posters, pattern_address);
	l->subject_patterns = conf_patterns_read(&c->arena, &l->subjects, pattern_name);
}

void
conf_list_finish(struct conf *c)
{
	for (size_t i = 0; i < c->list_n; i++)
		finish(c, &c->lists[i]);
}

const struct conf_list *
conf_list(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->list_n; i++)
		if (strcmp(c->lists[i].name, name) == 0)
			return &c->lists[i];
	return NULL;
}

/* ---- mistakes ---- */

static void
check_addresses(const struct conf *c, const struct conf_list *l,
    struct buf *error)
{
	struct conf_place at = conf_where(c, &l->address, l->place);

	if (l->address[0] == '\0')
		conf_complain(error, l->place, "list.%s.address: no recipient "
		    "with one address leads here, expected the address of the "
		    "list", l->name);
	else if (!conf_name_is_mailbox(str_c(l->address)))
		conf_complain(error, at, "list.%s.address: \"%s\" is no "
		    "address, expected one such as \"dev@example.org\"",
		    l->name, l->address);
	at = conf_where(c, &l->return_path, l->place);
	if (!conf_name_is_mailbox(str_c(l->return_path)))
		conf_complain(error, at, "list.%s.return-path: \"%s\" is no "
		    "address, expected that of who is told what could not be "
		    "delivered, such as \"dev-owner@example.org\"", l->name,
		    l->return_path);
	else if (str_ieq(str_c(l->return_path), str_c(l->address)))
		conf_complain(error, at, "list.%s.return-path: reports would "
		    "come to the list itself, expected another address",
		    l->name);
}

/* What is given may be no other field than one of a list. */
static bool
is_list_field(struct str s)
{
	struct str name, value;

	if (!str_cut(s, ':', &name, &value) || str_has_ctl(s) ||
	    str_trim(value).n == 0 || !str_istarts(name, STR("List-")))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~')
			return false;
	return !str_ieq(name, STR("List-Id")) && !str_ieq(name, STR("List-Post"));
}

static void
check_headers(const struct conf *c, const struct conf_list *l,
    struct buf *error)
{
	for (size_t i = 0; i < l->headers.n; i++)
		if (!is_list_field(str_c(l->headers.v[i])))
			conf_complain(error, conf_where(c, &l->headers.v[i],
			    conf_where(c, &l->headers, l->place)),
			    "list.%s.headers: \"%s\" is none, expected one such "
			    "as \"List-Help: <mailto:help@example.org>\"; "
			    "List-Id and List-Post are made", l->name,
			    l->headers.v[i]);
	if (str_has_ctl(str_c(l->subject_prefix)))
		conf_complain(error, conf_where(c, &l->subject_prefix, l->place),
		    "list.%s.subject-prefix: it has a control character",
		    l->name);
}

static void
check_patterns(struct conf *c, const struct conf_list *l, const char *name,
    const struct conf_strs *texts, conf_pattern_read *read, struct buf *error)
{
	struct buf b;

	buf_init(&b, CONF_VALUE_MAX);
	buf_addf(&b, "list.%s.%s", l->name, name);
	conf_patterns_check(c, buf_cstr(&b), conf_where(c, texts, l->place), texts, read,
	    error);
	buf_free(&b);
}

void
conf_list_check(struct conf *c, struct buf *error)
{
	for (size_t i = 0; i < c->list_n; i++) {
		const struct conf_list *l = &c->lists[i];

		if (!conf_name_is_word(str_c(l->name)))
			conf_complain(error, l->place, "list: \"%s\" is no name, "
			    "expected letters, digits, \"_\", \".\" and, but "
			    "not first, \"-\"", l->name);
		if (!conf_name_is_path(str_c(l->members)))
			conf_complain(error, conf_where(c, &l->members, l->place),
			    "list.%s.members: \"%s\" is no path, expected that "
			    "of the file of its members, such as "
			    "\"/etc/barid/lists/dev\"", l->name, l->members);
		check_addresses(c, l, error);
		check_patterns(c, l, "posters", &l->posters, pattern_address, error);
		check_patterns(c, l, "subjects", &l->subjects, pattern_name, error);
		check_headers(c, l, error);
	}
	for (size_t i = 0; i < c->rule_n; i++)
		if (c->rules[i].list[0] != '\0' && c->rules[i].list_of == NULL)
			conf_complain(error,
			    conf_where(c, &c->rules[i].list, c->rules[i].place),
			    "recipient.%s.list: there is no list \"%s\"",
			    c->rules[i].pattern, c->rules[i].list);
}
