/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_list -- whether the mailing lists among the recipients take the text.
 *
 * It is asked once the header is there, so that who may not send is told by
 * the answer, and no report goes to a sender who may be forged.  One list that
 * refuses refuses the message, which is the same for all.  What is taken here
 * for another address that leads to a list is for the runner to decide.
 */

#include "smtpd.h"

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

static struct answer
check(struct session *s, const struct path *p, const struct conf_list *l)
{
	struct list_mail m = { .from = s->txn.env.from, .text = buf_str(&s->text) };
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

struct answer
smtpd_list(struct session *s)
{
	struct mail_facts f = { .arena = &s->txn_arena, .from = s->txn.env.from,
		.user = str_c(s->user) };
	struct answer a = { .code = 0 };

	if (s->conf->list_n == 0 || s->local || s->env->users == NULL)
		return a;
	for (size_t i = 0; i < s->txn.env.rcpt_n && a.code == 0; i++) {
		const struct path *p = &s->txn.env.rcpts[i].path;
		struct target t = target_of(s->conf, s->env->users, &f, p);

		if (t.kind == TARGET_LIST)
			a = check(s, p, t.rule->list_of);
	}
	return a;
}
