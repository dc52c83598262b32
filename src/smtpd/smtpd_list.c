/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_list -- whether the mailing lists among the recipients take the text,
 * and whether those who forward had it before.
 *
 * It is asked once the header is there, so that who may not send is told by
 * the answer, and no report goes to a sender who may be forged.  One list that
 * refuses refuses the message, which is the same for all.  What is taken here
 * for another address that leads to a list is for the runner to decide.
 *
 * A stranger chooses how many fields and recipients there are: the header is read
 * once for all who forward, and once for each list.
 */

#include "smtpd.h"

#include "lib/map.h"
#include "mail/header.h"
#include "mail/limits.h"
#include "policy/list.h"

struct ask {
	const struct session *s;
	const struct conf_list *list;
	struct arena *arena;
};

static bool
is_member(void *arg, const struct path *p)
{
	const struct ask *q = arg;

	return userset_has_member(q->s->env->users, str_c(q->list->name),
	    path_str(q->arena, p));
}

/* What was read of the header. */
struct read {
	struct map *lists;		/* those that take it, by name */
	struct map *delivered;		/* values of Delivered-To in lower case; NULL: not yet */
};

static struct answer
ask_list(struct session *s, const struct path *p, const struct conf_list *l)
{
	struct list_mail m = { .from = s->txn.env.from, .text = text_header(s) };
	struct ask q = { .s = s, .list = l, .arena = &s->txn_arena };
	struct rcpt_verdict v = list_verdict(l, &m, is_member, &q);
	struct str to;

	if (v.code == 250)
		return (struct answer){ .code = 0 };
	to = path_str(&s->txn_arena, p);
	return (struct answer){ .code = v.code, .enhanced = v.enhanced,
		.text = str_c(arena_printf(&s->txn_arena, "<" STR_FMT ">: %s",
		    STR_ARG(to), v.text)) };
}

static struct answer
check_list(struct session *s, struct read *r, const struct path *p, const struct conf_list *l)
{
	struct answer a = { .code = 0 };

	if (map_get(r->lists, str_c(l->name)) != NULL)
		return a;
	a = ask_list(s, p, l);
	if (a.code == 0)
		(void)map_put(r->lists, str_c(l->name), r);
	return a;
}

static struct map *
delivered_to(const struct session *s)
{
	struct str rest = text_header(s);
	struct map *m = map_new();
	struct field f;
	struct buf b;

	buf_init(&b, MAIL_HEADER_MAX);
	while (field_seek(&rest, &f)) {
		if (!str_ieq(f.name, STR("Delivered-To")))
			continue;
		buf_reset(&b);
		buf_add_lower(&b, str_trim(f.value));
		(void)map_put(m, buf_str(&b), m);
	}
	buf_free(&b);
	return m;
}

/* True if the header in S->text says that it was sent on from ADDRESS. */
static bool
was_at(const struct session *s, struct read *r, struct str address)
{
	struct buf b;
	bool was;

	if (r->delivered == NULL)
		r->delivered = delivered_to(s);
	buf_init(&b, MAIL_HEADER_MAX);
	buf_add_lower(&b, address);
	was = map_get(r->delivered, buf_str(&b)) != NULL;
	buf_free(&b);
	return was;
}

/* Accounts of this host say in a .forward who gets their mail. */
static bool
reads_forward(const struct conf *c)
{
	return c->recipients.forward && conf_has_homes(c);
}

/* Nobody is asked for nothing. */
static bool
forwards(const struct conf *c)
{
	return c->list_n > 0 || c->aliases.n > 0 || c->rule_n > 0 ||
	    reads_forward(c);
}

/* RFC 5321 6.3; who has a .forward is not known here. */
static bool
may_forward(const struct session *s, const struct target *t)
{
	return t->kind == TARGET_FORWARD || t->kind == TARGET_ALIAS ||
	    (t->kind == TARGET_MAILBOX && reads_forward(s->conf));
}

static struct answer
check_loop(struct session *s, struct read *r, const struct path *p)
{
	struct str to = path_str(&s->txn_arena, p);

	if (!was_at(s, r, to))
		return (struct answer){ .code = 0 };
	return (struct answer){ .code = 554, .enhanced = "5.4.6",
		.text = str_c(arena_printf(&s->txn_arena, "<" STR_FMT ">: The "
		    "message was forwarded by this address already: it goes in "
		    "circles", STR_ARG(to))) };
}

struct answer
smtpd_list(struct session *s)
{
	struct mail_facts f = rcpt_facts(s, s->txn.env.from);
	struct answer a = { .code = 0 };
	struct read r = { .delivered = NULL };

	if (s->local || s->env->users == NULL || !forwards(s->conf))
		return a;
	r.lists = map_new();
	for (size_t i = 0; i < s->txn.env.rcpt_n && a.code == 0; i++) {
		const struct path *p = &s->txn.env.rcpts[i].path;
		struct target t = target_of(s->conf, s->env->users, &f, p);

		if (t.kind == TARGET_LIST)
			a = check_list(s, &r, p, t.rule->list_of);
		else if (may_forward(s, &t))
			a = check_loop(s, &r, p);
		arena_reset(&s->row_arena);
	}
	map_free(r.lists);
	map_free(r.delivered);
	return a;
}
