/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recipient -- the sections that say what becomes of addresses of ours.
 *
 * Each has a pattern and one thing that is done.  What is written as a
 * refusal, as nothing at all, or as a way out is a route's via in the end, so
 * that the same code reads it and carries it out.
 */

#include "lib/map.h"
#include "lib/name.h"

#include "private.h"
#include "recipients.h"

/* What REJECT would be as a route's via. */
static const char *
reject_via(const struct conf_recipient *r, struct arena *a)
{
	return arena_printf(a, "error:%s", r->reject);
}

/* A pattern of all that a domain has. */
static bool
is_catch_all(const struct pattern *p)
{
	return p->kind == PATTERN_DOMAIN ||
	    (p->kind == PATTERN_ADDRESS && str_eq(p->local, STR("*")));
}

static size_t
actions(const struct conf_recipient *r)
{
	return (r->mailbox[0] != '\0') + (r->forward.n > 0) +
	    (r->reject[0] != '\0') + (r->via[0] != '\0') +
	    (r->list[0] != '\0') + (r->table[0] != '\0') + r->discard;
}

/* The via that R comes to; NULL: it has none. */
static const char *
via_of(const struct conf_recipient *r, struct arena *a)
{
	if (r->discard)
		return "discard";
	if (r->reject[0] != '\0')
		return reject_via(r, a);
	return r->via[0] != '\0' ? r->via : NULL;
}

static void
finish(struct conf *c, struct conf_recipient *r)
{
	const char *via = via_of(r, &c->arena);

	if (pattern_address(&c->arena, str_c(r->pattern), &r->to) != NULL)
		r->to = (struct pattern){ .kind = PATTERN_NULL };
	r->senders = conf_senders_read(&c->arena, &r->sender);
	if (via != NULL) {
		r->kind = RULE_WAY;
		if (conf_own_via_read(c, via, TLS_MAY, &c->arena, &r->way) !=
		    NULL)
			r->kind = RULE_NONE;
		r->way.command = c->route_n + (size_t)(r - c->rules);
	} else if (r->mailbox[0] != '\0') {
		r->kind = RULE_MAILBOX;
	} else if (r->forward.n > 0) {
		r->kind = RULE_FORWARD;
	} else if (r->list[0] != '\0') {
		r->list_of = conf_list(c, r->list);
		r->kind = r->list_of != NULL ? RULE_LIST : RULE_NONE;
	} else if (r->table[0] != '\0') {
		r->kind = RULE_TABLE;
	}
	/* Of a table its lines say it. */
	r->all = r->kind != RULE_TABLE && is_catch_all(&r->to);
	r->last = r->all && r->kind != RULE_WAY;
}

void
conf_recipient_finish(struct conf *c)
{
	for (size_t i = 0; i < c->rule_n; i++)
		finish(c, &c->rules[i]);
}

/* ---- mistakes ---- */

struct pattern *
conf_patterns_read(struct arena *a, const struct conf_strs *texts, conf_pattern_read *read)
{
	struct pattern *v = arena_alloc(a, (texts->n + 1) * sizeof(*v));

	for (size_t i = 0; i < texts->n; i++)
		if (read(a, str_c(texts->v[i]), &v[i]) != NULL)
			v[i] = (struct pattern){ .kind = PATTERN_NULL };
	return v;
}

void
conf_patterns_check(struct conf *c, const char *name, struct conf_place place,
    const struct conf_strs *texts, conf_pattern_read *read, struct buf *error)
{
	struct pattern p;

	for (size_t i = 0; i < texts->n; i++) {
		const char *why = read(&c->arena, str_c(texts->v[i]), &p);

		if (why != NULL)
			conf_complain(error, conf_where(c, &texts->v[i], place),
			    "%s: \"%s\" is no pattern, %s", name, texts->v[i], why);
	}
}

void
conf_pattern_check(const char *section, const char *pattern,
    struct conf_place place, const char *null_why, struct buf *error)
{
	struct pattern p;
	struct arena a;
	const char *why;

	arena_init(&a, CONF_ARENA_MAX);
	why = pattern_address(&a, str_c(pattern), &p);
	if (why == NULL && p.kind == PATTERN_NULL)
		why = null_why;
	if (why != NULL)
		conf_complain(error, place, "%s: \"%s\" is no pattern, %s",
		    section, pattern, why);
	arena_free(&a);
}

static void
check_via(const struct conf *c, const struct conf_recipient *r,
    struct buf *error)
{
	const char *name = r->reject[0] != '\0' ? "reject" : "via", *via, *why;
	const void *field = r->reject[0] != '\0' ? &r->reject : &r->via;
	struct conf_via way;
	struct arena a;

	arena_init(&a, CONF_ARENA_MAX);
	via = via_of(r, &a);
	why = via == NULL ? NULL :
	    conf_own_via_read(c, via, TLS_MAY, &a, &way);
	if (why != NULL && name[0] == 'r')
		why = "expected a reply such as \"550 5.1.1 nobody reads "
		      "this\", with a code from 400 to 599";
	if (why != NULL)
		conf_complain(error, conf_where(c, field, r->place),
		    "recipient.%s.%s: %s", r->pattern, name, why);
	arena_free(&a);
}

static void
check_forward(const struct conf *c, const struct conf_recipient *r,
    struct buf *error)
{
	for (size_t i = 0; i < r->forward.n; i++)
		if (!conf_name_is_mailbox(str_c(r->forward.v[i])))
			conf_complain(error,
			    conf_where(c, &r->forward.v[i],
				conf_where(c, &r->forward, r->place)),
			    "recipient.%s.forward: \"%s\" is no address, "
			    "expected one such as \"alice@example.org\"",
			    r->pattern, r->forward.v[i]);
}

static void
check_mailbox(const struct conf *c, const struct conf_recipient *r,
    struct buf *error)
{
	struct str s = str_c(r->mailbox);

	if (s.n == 0 || name_is_plain(s))
		return;
	conf_complain(error, conf_where(c, &r->mailbox, r->place),
	    "recipient.%s.mailbox: \"%s\" is no name of a mailbox, expected 1 "
	    "to 64 letters, digits and any of \"._=+@-\", the first of them "
	    "neither \".\" nor \"-\"", r->pattern, r->mailbox);
}

static void
check_table(const struct conf *c, const struct conf_recipient *r, struct buf *error)
{
	if (r->table[0] != '\0' && !conf_name_is_path(str_c(r->table)))
		conf_complain(error, conf_where(c, &r->table, r->place),
		    "recipient.%s.table: \"%s\" is no path, expected one such as "
		    "\"/etc/barid/recipients\"", r->pattern, r->table);
}

static void
check_sender(const struct conf *c, const struct conf_recipient *r, struct buf *error)
{
	struct pattern p;
	struct arena a;
	const char *why;

	arena_init(&a, CONF_ARENA_MAX);
	for (size_t i = 0; i < r->sender.n; i++) {
		why = pattern_address(&a, str_c(r->sender.v[i]), &p);
		if (why != NULL)
			conf_complain(error, conf_where(c, &r->sender.v[i],
			    conf_where(c, &r->sender, r->place)),
			    "recipient.%s.sender: \"%s\" is no pattern, %s",
			    r->pattern, r->sender.v[i], why);
	}
	arena_free(&a);
}

static void
check_aliases(const struct conf *c, struct buf *error)
{
	for (size_t i = 0; i < c->aliases.n; i++)
		if (!conf_name_is_path(str_c(c->aliases.v[i])))
			conf_complain(error,
			    conf_where(c, &c->aliases.v[i],
				conf_where(c, &c->aliases, CONF_NOWHERE)),
			    "aliases: \"%s\" is no path, expected one such as "
			    "\"/etc/aliases\"", c->aliases.v[i]);
}

/* Below the home directory, and nowhere else. */
static void
check_home(const struct conf *c, struct buf *error)
{
	struct str s = str_c(c->recipients.home_maildir);

	if (s.n == 0 || (name_is_plain(s) && str_find(s, '/') < 0))
		return;
	conf_complain(error, conf_where(c, &c->recipients.home_maildir,
	    CONF_NOWHERE), "recipients.home-maildir: \"%s\" is no name of a "
	    "directory, expected one such as \"Maildir\"",
	    c->recipients.home_maildir);
}

/* Behind a section for everybody's mail another of its pattern would never be asked. */
static void
check_twice(const struct conf *c, struct buf *error)
{
	struct map *met = map_new();

	for (size_t i = 0; i < c->rule_n; i++) {
		const struct conf_recipient *r = &c->rules[i];
		struct str pattern = str_c(r->pattern);

		if (map_get(met, pattern) != NULL)
			conf_complain(error, r->place, "recipient.%s: there is one "
			    "before it, expected other senders there, or one of "
			    "both", r->pattern);
		else if (r->sender.n == 0 && r->table[0] == '\0')
			(void)map_put(met, pattern, met);
	}
	map_free(met);
}

void
conf_recipient_check(const struct conf *c, struct buf *error)
{
	check_twice(c, error);
	check_aliases(c, error);
	check_home(c, error);
	for (size_t i = 0; i < c->rule_n; i++) {
		const struct conf_recipient *r = &c->rules[i];

		conf_pattern_check("recipient", r->pattern, r->place,
		    "expected one that a recipient can have", error);
		if (actions(r) != 1)
			conf_complain(error, r->place,
			    "recipient.%s: %s, expected one of mailbox, "
			    "forward, list, reject, discard, via and table", r->pattern,
			    actions(r) == 0 ? "nothing is said of it" :
					      "it has more than one end");
		check_via(c, r, error);
		check_forward(c, r, error);
		check_mailbox(c, r, error);
		check_table(c, r, error);
		check_sender(c, r, error);
		conf_run_as_check("recipient", r->pattern, r->via, r->run_as,
		    conf_where(c, &r->run_as, r->place), error);
	}
}

static bool
has_accounts(const struct conf *c)
{
	for (size_t i = 0; i < c->recipients.mailboxes.n; i++)
		if (strcmp(c->recipients.mailboxes.v[i], "system") == 0)
			return true;
	return false;
}

bool
conf_has_homes(const struct conf *c)
{
	return has_accounts(c) && (c->recipients.forward ||
	    c->recipients.home_maildir[0] != '\0');
}

bool
conf_has_home_maildirs(const struct conf *c)
{
	return has_accounts(c) && c->recipients.home_maildir[0] != '\0';
}
