/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * vacation -- which mail a mailbox answers by itself.
 *
 * RFC 3834 2: a person is answered who wrote to this person.  Not a list, not
 * a machine, not who has no address, and not who wrote to many of whom this
 * one is not named.  In doubt there is no answer.
 */

#include "policy/vacation.h"

#include "mail/header.h"

#define ROOM ((size_t)4 << 20)
#define VALUE_MAX 65536

struct ask {
	const struct conf *conf;
	const struct conf_vacation *vacation;
	const struct vacation_mail *mail;
	struct arena arena;
	bool named;	/* in To or Cc */
};

const struct conf_vacation *
vacation_of(const struct conf *c, struct str mailbox)
{
	for (size_t i = 0; i < c->vacation_n; i++)
		if (pattern_fits(&c->vacations[i].of, mailbox, STR("")))
			return &c->vacations[i];
	return NULL;
}

/* ---- whose address it is ------------------------------------------------ */

static bool
is_own(const struct ask *q, const struct path *p)
{
	const struct path *to = &q->mail->to;

	if (str_ieq(p->local, to->local) && str_ieq(p->domain, to->domain))
		return true;
	if (str_ieq(p->local, q->mail->mailbox) &&
	    conf_is_local(q->conf, p->domain))
		return true;
	for (size_t i = 0; i < q->vacation->own.n; i++)
		if (pattern_fits(&q->vacation->own.v[i], p->local, p->domain))
			return true;
	return false;
}

static bool
look_at_address(void *arg, struct str addr)
{
	struct ask *q = arg;
	struct path p;

	if (path_parse_addr(addr, PATH_UTF8, &q->arena, &p) == NULL)
		q->named = q->named || is_own(q, &p);
	return !q->named;
}

/* RFC 3834 2: addresses behind which nobody reads. */
static bool
is_machine(struct str local)
{
	static const char *const names[] = { "mailer-daemon", "listserv",
		"majordomo", "mailman", "noreply", "no-reply", "donotreply",
		"do-not-reply", "bounce", "bounces", "postmaster", "root" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_ieq(local, str_c(names[i])))
			return true;
	return str_istarts(local, STR("owner-")) ||
	    str_iends(local, STR("-owner")) ||
	    str_iends(local, STR("-request")) ||
	    str_iends(local, STR("-bounces")) ||
	    str_istarts(local, STR("bounce-")) ||
	    str_istarts(local, STR("bounces+")) ||
	    str_istarts(local, STR("srs0=")) || str_istarts(local, STR("srs1="));
}

/* ---- what it is --------------------------------------------------------- */

static bool
is_bulk(struct str value)
{
	return str_ieq(value, STR("bulk")) || str_ieq(value, STR("list")) ||
	    str_ieq(value, STR("junk"));
}

static const char *
look_at_field(struct ask *q, const struct field *f)
{
	struct str value = str_trim(f->value), first;

	str_cut(value, ';', &first, &(struct str){ NULL, 0 });
	first = str_trim(first);
	if (str_ieq(f->name, STR("Auto-Submitted")))
		return str_ieq(first, STR("no")) ? NULL : "a machine sent it";
	if (str_istarts(f->name, STR("List-")))
		return "it is of a mailing list";
	if (str_ieq(f->name, STR("Precedence")) && is_bulk(first))
		return "it is bulk mail";
	if (str_ieq(f->name, STR("X-Auto-Response-Suppress")) &&
	    !str_ieq(first, STR("None")))
		return "it asks for no answer";
	if (str_ieq(f->name, STR("X-Spam-Flag")) && str_ieq(first, STR("YES")))
		return "it is taken for spam";
	if ((str_ieq(f->name, STR("To")) || str_ieq(f->name, STR("Cc")) ||
		str_ieq(f->name, STR("Resent-To")) ||
		str_ieq(f->name, STR("Resent-Cc"))) &&
	    f->value.n < VALUE_MAX && !q->named)
		(void)address_list(f->value, look_at_address, q);
	return NULL;
}

const char *
vacation_why_not(const struct conf *c, const struct conf_vacation *v,
    const struct vacation_mail *m)
{
	struct ask q = { .conf = c, .vacation = v, .mail = m };
	struct str rest = m->text;
	const char *why = NULL;
	struct field f;

	if (path_is_null(&m->from) || m->from.domain.n == 0)
		return "it has no sender";
	if (is_machine(m->from.local))
		return "nobody reads the address that it is from";
	if (is_own(&q, &m->from))
		return "it is from the same person";
	arena_init(&q.arena, ROOM);
	while (why == NULL && field_seek(&rest, &f))
		why = look_at_field(&q, &f);
	arena_free(&q.arena);
	if (why == NULL && !q.named)
		why = "neither To nor Cc names the recipient";
	return why;
}
