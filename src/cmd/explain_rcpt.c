/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain_rcpt -- what becomes of mail for an address: the answer to RCPT,
 * the target, its route, and what follows from it.
 *
 * The functions are those that sessions and runners call; nothing is
 * decided here.
 */

#include "explain.h"

#include <errno.h>

#include "conf/program.h"
#include "ctl.h"
#include "lib/mem.h"
#include "mailbox/members.h"
#include "mailbox/usage.h"
#include "policy/recipient.h"
#include "policy/sender.h"
#include "policy/source.h"
#include "policy/srs.h"
#include "policy/vacation.h"
#include "queue/archive.h"
#include "queue/remap.h"

/* RFC 5737: an address that is nobody's. */
#define STRANGER "192.0.2.1"

/* Who has a mailbox is for the daemon to know: it is asked, or every name could. */
static struct userset *
known_user(struct explain *x, struct str local)
{
	struct userset *users = userset_new();
	struct msg_control *m;
	struct msg_control_result r;
	struct buf answer;

	if (users == NULL)
		return NULL;
	m = mem_alloc(sizeof(*m));
	m->op = CONTROL_USER;
	m->domain = local;
	buf_init(&answer, FRAME_MAX);
	if (cmd_control(x->conf, m, &answer, &r) == 0 && r.ok) {
		/* The set of one, or of none. */
		explain_users(x, users, r.count > 0 ? r.text : STR(""));
	} else {
		x->running = false;
		explain_users(x, users, STR(""));
		userset_set_any(users, true);
	}
	buf_free(&answer);
	mem_free(m);
	return users;
}

/* ---- the answer to RCPT ---------------------------------------------------------- */

static void
say_answer(struct explain *x, const struct conf *c, const struct userset *users,
    const struct client_facts *f, const struct path *p, const char *who)
{
	struct rcpt_verdict v = rcpt_verdict(c, users, f, &x->facts, p);

	explain_say(x, "answer", v.place, "%s: %d %s %s", who, v.code,
	    v.enhanced, v.text);
}

/* RFC 6409 4.3: a stranger does not get as far as RCPT where mail is submitted. */
static bool
is_submission(const struct conf_listen *l)
{
	return l != NULL && l->service == SERVICE_SUBMISSION;
}

static void
say_answers(struct explain *x, const struct userset *users,
    const struct path *p)
{
	struct client_facts inside = { .authenticated = true,
		.submission = true };
	struct client_facts outside = { .authenticated = false };
	struct conf here = *x->conf;

	if (x->listen != NULL && x->listen->no_mail) {
		explain_say(x, "answer", conf_where(x->conf, &x->listen->no_mail,
		    x->listen->place), "to whoever comes: 521 5.3.2, in place of a greeting");
		return;
	}
	/* Neither can fail: both are constants. */
	if (addr_parse(STR(STRANGER), 0, &inside.peer) < 0 ||
	    addr_parse(STR(STRANGER), 0, &outside.peer) < 0)
		return;
	if (x->listen != NULL)
		conf_at_listener(x->conf, x->listen, &here);
	say_answer(x, &here, users, &inside, p, x->facts.user.n > 0 ?
	    "to that user" : "to who has logged in");
	if (is_submission(x->listen))
		explain_say(x, "answer", x->listen->place,
		    "to a stranger: 530 5.7.0 Authentication required, to MAIL");
	else
		say_answer(x, &here, users, &outside, p, "to a stranger");
	if (x->conf->recipients.asked.kind != VERIFY_NOBODY &&
	    conf_is_local(x->conf, p->domain) &&
	    !str_ieq(p->local, STR("postmaster")))
		explain_say(x, "verified", conf_where(x->conf,
		    &x->conf->recipients.verify, CONF_NOWHERE),
		    "before that, %s is asked whether there is such a "
		    "recipient, and decides", x->conf->recipients.verify);
}

/* S-40: whether the user may say that the mail is from there. */
static void
say_sender(struct explain *x)
{
	const struct path *from = path_is_null(&x->said) ? &x->facts.from :
							   &x->said;
	const int *login = x->listen != NULL ? &x->listen->sender_login :
					       &x->conf->access.sender_login;
	struct conf_place where, option;
	struct userset *users;
	bool own;

	if (x->facts.user.n == 0 || path_is_null(from))
		return;
	option = conf_where(x->conf, &x->conf->access.sender_login, CONF_NOWHERE);
	option = conf_where(x->conf, login, option);
	if (*login == SENDER_ANY) {
		explain_say(x, "sender", option, "who has logged in may send as anybody");
		return;
	}
	users = known_user(x, from->local);
	own = sender_is_own(x->conf, users, x->facts.user, from, &where);
	explain_say(x, "sender", own ? where : option, "%s", own ?
	    "that user may send as that address" :
	    "that user may not send as that address: 553 5.7.1");
	userset_free(users);
}

/* ---- the way ----------------------------------------------------------------------- */

static void
say_route(struct explain *x, const struct target *t)
{
	const struct conf_route *r = t->route;
	struct buf b;

	if (r == NULL) {
		if (t->kind == TARGET_NO_ROUTE)
			explain_say(x, "route", CONF_NOWHERE,
			    "none fits, of %zu", x->conf->route_n);
		return;
	}
	buf_init(&b, 2048);
	buf_addf(&b, "\"%s\"", r->pattern);
	if (r->sender.n > 0)
		buf_adds(&b, ", by the sender");
	if (r->user.n > 0)
		buf_adds(&b, ", by the user");
	if (r->listener.n > 0)
		buf_adds(&b, ", by the listener");
	buf_addf(&b, ", via %s", r->via);
	explain_say(x, "route", r->place, "%s", buf_cstr(&b));
	buf_free(&b);
	if (x->facts.way != NULL)
		explain_say(x, "route", CONF_NOWHERE,
		    "the message has a way of its own, which counts");
}

static void
say_rule(struct explain *x, const struct target *t)
{
	if (t->rule != NULL)
		explain_say(x, "section", t->rule->place, "recipient \"%s\"%s%s",
		    t->rule->pattern, t->rule->table[0] != '\0' ? ", by its table" : "",
		    t->rule->last ? ", a catch-all" : "");
}

/* The line that chose the source. */
static struct conf_place
source_place(const struct explain *x, const struct target *t)
{
	if (x->facts.source.n > 0)
		return CONF_NOWHERE;
	if (t->route != NULL && t->route->source[0] != '\0')
		return t->route->place;
	return conf_where(x->conf, t->source.n > 0 ?
		&x->conf->source.mappable : &x->conf->source.addresses,
	    CONF_NOWHERE);
}

static void
say_source(struct explain *x, const struct target *t)
{
	struct source_set set;
	struct buf b;

	if (t->kind != TARGET_MX && t->kind != TARGET_UPSTREAM)
		return;
	if (!source_set(x->conf, t->source, &set)) {
		explain_say(x, "source", CONF_NOWHERE, STR_FMT ": neither a "
		    "pool nor an address: mail waits", STR_ARG(t->source));
		return;
	}
	if (set.n == 0) {
		explain_say(x, "source", CONF_NOWHERE,
		    "the address that the system chooses");
		return;
	}
	buf_init(&b, 4096);
	for (size_t i = 0; i < set.n; i++) {
		struct addr a = addr_from(set.v[i].family, set.v[i].first, 0);

		buf_adds(&b, i > 0 ? ", " : "");
		addr_add(&b, &a);
	}
	explain_say(x, "source", source_place(x, t), "%s%s" STR_FMT "%s",
	    buf_cstr(&b), t->source.n > 0 ? " (" : "", STR_ARG(t->source),
	    t->source.n > 0 ? ")" : "");
	buf_free(&b);
}

static void
say_remote(struct explain *x, const struct target *t)
{
	struct arena a;
	struct found *mx;
	const char *domain;

	if (x->conf->sink[0] != '\0')
		explain_say(x, "sink",
		    conf_where(x->conf, &x->conf->sink, CONF_NOWHERE),
		    "all mail for other hosts goes to %s, whatever follows "
		    "here, and none of it arrives", x->conf->sink);
	say_source(x, t);
	if (t->kind == TARGET_UPSTREAM) {
		explain_say(x, "upstream", t->upstream->place, "%s",
		    t->upstream->name);
		x->depth++;
		explain_upstream(x, t->upstream);
		x->depth--;
		explain_limits(x, t->upstream->name, NULL, t->upstream);
		explain_memory(x, "upstream", str_c(t->upstream->name));
		return;
	}
	arena_init(&a, 4096);
	domain = arena_cstr(&a, t->domain);
	if (t->way != NULL && (t->way->domain != NULL || t->port != 0))
		explain_say(x, "mx", t->place, "%s, at port %u", domain,
		    t->port != 0 ? t->port : (unsigned)x->conf->smtp_port);
	mx = mem_alloc(sizeof(*mx));
	explain_mx(x, domain, t->tls, mx);
	if (t->fallback != NULL) {
		explain_say(x, "fallback", t->fallback->place,
		    "upstream %s, when no MX host could be reached",
		    t->fallback->name);
		x->depth++;
		explain_upstream(x, t->fallback);
		x->depth--;
	}
	explain_limits(x, domain, mx, t->fallback);
	explain_memory(x, "mx", t->domain);
	mem_free(mx);
	arena_free(&a);
}

static void
say_program(struct explain *x, const struct target *t)
{
	struct program_command command;

	if (!program_command(x->conf, t->way->command, &command))
		return;
	explain_say(x, "target", t->place, "%s: %s, as \"%s\", %s", t->why,
	    command.via + sizeof(PROGRAM_PREFIX) - 1,
	    command.run_as[0] != '\0' ? command.run_as : x->conf->user,
	    t->way->all ? "once for all recipients" :
			  "once for each recipient");
}

/* The members are read here as the runner reads them, by whoever asks. */
static void
say_list(struct explain *x, const struct target *t)
{
	const struct conf_list *l = t->rule->list_of;
	struct buf complaints;
	struct members *m;
	struct str rest, line;
	size_t silent = 0;

	buf_init(&complaints, 65536);
	explain_say(x, "target", l->place, "%s: %s <%s>, reports to <%s>",
	    t->why, l->name, l->address, l->return_path);
	m = members_load(l->members, &complaints);
	for (rest = buf_str(&complaints); rest.n > 0;) {
		str_cut(rest, '\n', &line, &rest);
		explain_say(x, "members", conf_where(x->conf, &l->members,
		    l->place), STR_FMT, STR_ARG(line));
	}
	for (size_t i = 0; m != NULL && i < members_count(m); i++)
		silent += members_at(m, i)->no_mail;
	if (m != NULL)
		explain_say(x, "members", conf_where(x->conf, &l->members,
		    l->place), "%zu, of whom %zu get no mail; %s",
		    members_count(m), silent, l->members_only ?
			"they alone may send" : "everybody may send");
	members_free(m);
	buf_free(&complaints);
}

/* What the mailbox may hold, and how much that is of it now. */
static void
say_limit(struct explain *x, const char *mailbox)
{
	const struct conf_account *rule = usage_rule(x->conf, mailbox);
	struct usage_limit l = usage_limit_of(rule);
	struct usage u = { 0, 0 };
	struct buf b;

	if (rule == NULL)
		return;
	buf_init(&b, 256);
	(void)cmd_mailbox_usage(x->conf, mailbox, &u);
	usage_words(&l, &u, &b);
	explain_say(x, "limit", rule->place, "%s", buf_cstr(&b));
	buf_free(&b);
}

static void
say_vacation(struct explain *x, const struct target *t)
{
	const struct conf_vacation *v = vacation_of(x->conf, str_c(t->mailbox));

	if (v != NULL)
		explain_say(x, "vacation", v->place, "it answers the sender if "
		    "there is a file %s, and as RFC 3834 allows", v->message);
}

static void
say_mailbox(struct explain *x, const struct userset *users,
    const struct target *t, bool at_last)
{
	const char *home;
	struct arena a;

	arena_init(&a, 8192);
	home = explain_home(x, t, &a);
	if (home != NULL)
		explain_say(x, "target", t->place, "%s: %s, as \"%s\"", t->why,
		    home, t->mailbox);
	else {
		explain_say(x, "target", t->place, "%s: %s/%s", t->why,
		    x->conf->mailboxes, t->mailbox);
		say_limit(x, t->mailbox);
	}
	arena_free(&a);
	say_vacation(x, t);
	if (!x->running)
		explain_say(x, "target", CONF_NOWHERE, "whether there is such "
		    "a mailbox only a barid that runs can say");
	if (at_last || !explain_forward(x, t))
		return;
	explain_say(x, "forward", CONF_NOWHERE, "the account has a .forward");
	explain_lists(x, users, &t->path);
}

static void
say_target(struct explain *x, const struct userset *users,
    const struct target *t, bool at_last)
{
	switch (t->kind) {
	case TARGET_MAILBOX:
		say_mailbox(x, users, t, at_last);
		return;
	case TARGET_MAILDIR:
		explain_say(x, "target", t->place, "%s: %s", t->why,
		    t->way->maildir);
		return;
	case TARGET_PIPE:
		say_program(x, t);
		return;
	case TARGET_DISCARD:
	case TARGET_NO_ROUTE:
	case TARGET_UNKNOWN:
		explain_say(x, "target", t->place, "%s", t->why);
		return;
	case TARGET_ERROR:
		explain_say(x, "target", t->place, "%s: %d %s %s", t->why,
		    t->way->code, t->way->enhanced, t->way->text);
		return;
	case TARGET_LIST:
		say_list(x, t);
		return;
	case TARGET_FORWARD:
	case TARGET_ALIAS:
	case TARGET_MX:
	case TARGET_UPSTREAM:
		break;
	}
	explain_say(x, "target", t->place, "%s", t->why);
	if (t->kind == TARGET_FORWARD || t->kind == TARGET_ALIAS)
		explain_lists(x, users, &t->path);
	else if (x->wrong != NULL)
		explain_say(x, "target", CONF_NOWHERE, "the way that the "
		    "message itself has is none: %s: it waits", x->wrong);
	else
		say_remote(x, t);
}

/* Says what P becomes at that time, where it stands, for who is NAME. */
static void
say_remap(struct explain *x, enum conf_rewrite_at at, unsigned what,
    const char *name, struct path *p)
{
	struct remap r = { .conf = x->conf, .at = at, .listener = x->facts.listener };
	const struct conf_rewrite *w = remap_find(&r, what, p);
	struct path was = *p;
	struct buf b;

	if (w == NULL)
		return;
	*p = remap_by(&r, w, x->facts.arena, &was);
	if (path_eq(p, &was))
		return;
	buf_init(&b, 2048);
	path_add(&b, p);
	explain_say(x, "rewritten", remap_place(&r, w, &was), "%s is <%s>%s", name, buf_cstr(&b),
	    at == REWRITE_AT_SEND ? " for the host that gets it" : "");
	buf_free(&b);
}

void
explain_remap(struct explain *x, struct path *p)
{
	x->said = x->facts.from;
	say_remap(x, REWRITE_AT_RECEIVE, REWRITE_ENVELOPE_SENDER,
	    "the sender", &x->facts.from);
	say_remap(x, REWRITE_AT_RECEIVE, REWRITE_ENVELOPE_RECIPIENT,
	    "the recipient", p);
}

static void
say_sent(struct explain *x, const struct target *t)
{
	struct path from = x->facts.from, to = t->path;

	if (t->kind != TARGET_MX && t->kind != TARGET_UPSTREAM)
		return;
	say_remap(x, REWRITE_AT_SEND, REWRITE_ENVELOPE_SENDER, "the sender", &from);
	say_remap(x, REWRITE_AT_SEND, REWRITE_ENVELOPE_RECIPIENT, "the recipient", &to);
}

/* Who gets a copy of mail from that sender, user and listener. */
static void
say_archive(struct explain *x, const struct path *p)
{
	struct envelope_rcpt rcpt = { .path = *p };
	struct envelope e = { .from = x->facts.from, .user = x->facts.user,
		.listener = x->facts.listener, .rcpts = &rcpt, .rcpt_n = 1 };
	const struct conf_archive *r;
	size_t at = 0;

	while ((r = archive_next(x->conf, &e, &at)) != NULL)
		for (size_t i = 0; i < r->to.n; i++)
			explain_say(x, "archive", r->place, "<%s> gets a copy "
			    "(%s)", r->to.v[i], r->name);
}

void
explain_rcpt(struct explain *x, const struct path *p, bool at_last)
{
	struct userset *users = known_user(x, p->local);
	struct target t = at_last ?
	    target_at_last(x->conf, users, &x->facts, p) :
	    target_of(x->conf, users, &x->facts, p);
	struct buf b;

	buf_init(&b, 2048);
	path_add(&b, p);
	explain_say(x, "recipient", CONF_NOWHERE, "<%s>", buf_cstr(&b));
	x->depth++;
	if (!at_last) {
		say_answers(x, users, p);
		say_sender(x);
		explain_sender(x, p);
		say_archive(x, p);
	}
	if (!str_eq(t.path.local, p->local) ||
	    !str_eq(t.path.domain, p->domain)) {
		buf_reset(&b);
		path_add(&b, &t.path);
		if (t.path.local.n > 0)
			explain_say(x, "rewritten",
			    conf_where(x->conf, srs_looks_so(p->local) ?
				&x->conf->srs.domain : &x->conf->postmaster,
				CONF_NOWHERE), "it goes to <%s>", buf_cstr(&b));
	}
	say_route(x, &t);
	say_rule(x, &t);
	say_sent(x, &t);
	say_target(x, users, &t, at_last);
	x->depth--;
	buf_free(&b);
	userset_free(users);
}
