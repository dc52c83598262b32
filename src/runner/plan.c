/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * plan -- where the recipients of a message go that was just loaded.
 *
 * Each recipient that is still queued is asked for its way anew (target_of),
 * and recipients with one destination share a delivery.  Those whose
 * destination has enough to do are left out, and a message of which all are is
 * parked.  What waits for its time, has none left, or was steered meanwhile is
 * not tried at all.
 */

#include <errno.h>

#include "conf/program.h"
#include "dest.h"
#include "homes.h"
#include "ipc/msg.h"
#include "job.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "list.h"
#include "mail/alias.h"
#include "mail/text.h"
#include "policy/recipient.h"
#include "policy/srs.h"
#include "published.h"
#include "runner.h"
#include "wish.h"

/* What becomes of an address is known: nothing is tried. */
static void
decide(struct job *j, size_t rcpt, enum outcome o, const char *status,
    const char *words)
{
	j->rcpts[rcpt].refused = true;
	j->rcpts[rcpt].result = result_words(o, status, str_c(words));
}

static void
refuse(struct job *j, size_t rcpt, const char *status, const char *words)
{
	decide(j, rcpt, PERMFAIL, status, words);
}

static void
fail_refused(struct job *j)
{
	struct delays d = job_delays(j, clock_ms(), clock_ms());

	for (size_t i = 0; i < j->file.env.rcpt_n; i++) {
		struct result res = j->rcpts[i].result;

		if (j->rcpts[i].refused)
			job_result(j, i, &res, &d);
	}
}

const struct target *
job_target(struct job *j, size_t rcpt, const struct mail_facts *f)
{
	struct job_rcpt *jr = &j->rcpts[rcpt];
	struct target *t;

	if (jr->target != NULL)
		return jr->target;
	t = arena_alloc(&j->arena, sizeof(*t));
	*t = jr->at_last ?
	    target_at_last(j->r->conf, j->r->users, f, &jr->path) :
	    target_of(j->r->conf, j->r->users, f, &jr->path);
	jr->target = t;
	return t;
}

/*
 * Room for another recipient.  It begins with one: there may be as many deliveries
 * as a message has recipients.
 */
static void
make_room(struct delivery *v)
{
	struct arena *a = &v->job->arena;
	size_t *rcpts = v->rcpts;
	struct path *paths = v->paths;

	if (v->n < v->room)
		return;
	v->room = v->room > 0 ? 2 * v->room : 1;
	v->rcpts = arena_alloc(a, v->room * sizeof(*v->rcpts));
	v->paths = arena_alloc(a, v->room * sizeof(*v->paths));
	v->results = arena_alloc(a, v->room * sizeof(*v->results));
	if (v->n == 0)
		return;
	memcpy(v->rcpts, rcpts, v->n * sizeof(*rcpts));
	memcpy(v->paths, paths, v->n * sizeof(*paths));
}

static void
delivery_add(struct delivery *v, size_t rcpt, struct path path)
{
	make_room(v);
	v->rcpts[v->n] = rcpt;
	v->paths[v->n++] = path;
}

/* A list of deliveries that are not yet in the line of their destination. */
struct plan {
	struct delivery *first, **last;
	struct mail_facts facts;
	struct conf_via way;	/* the message's own, which FACTS lead to */
	struct queue_attempt *last_tried;	/* of each recipient; NULL: nobody asked */
	const char *wrong;	/* with that, or NULL */
	const struct path *srs;	/* the sender of what is forwarded, once it was made */
};

static void
plan_add(struct plan *p, struct delivery *v)
{
	*p->last = v;
	p->last = &v->next;
}

/*
 * "Delivered-To: ..." of the address of ours that recipient RCPT was put in the
 * place of, for another host; empty: it was not, or goes to a program.
 */
static struct str
from_whom(struct job *j, size_t rcpt, const struct dest *dest)
{
	const struct envelope_rcpt *r = &j->file.env.rcpts[rcpt];
	struct str field;
	struct buf b;

	if (!j->rcpts[rcpt].at_last || way_is_spawn(dest->way->kind) ||
	    dest->way->kind == DEST_LIST)
		return STR("");
	buf_init(&b, 2048);
	buf_adds(&b, "Delivered-To: ");
	if (r->of.n == 0)
		path_add(&b, &r->path);
	else if (xtext_decode(r->of, &b) < 0)
		buf_reset(&b);
	buf_adds(&b, "\r\n");
	/* As long as it cannot be more than one line of seven bits. */
	field = buf_ok(&b) && b.n > 20 && !str_has_8bit(buf_str(&b)) &&
	    !str_has_ctl(str_head(buf_str(&b), b.n - 2)) ?
	    arena_str(&j->arena, buf_str(&b)) : STR("");
	buf_free(&b);
	return field;
}

/*
 * Recipient RCPT, as PATH, goes to DEST together with those before it, from
 * FROM; NULL: from the sender.
 */
static void
plan_to(struct job *j, size_t rcpt, struct dest *dest, const struct path *path,
    const struct path *from, struct plan *p)
{
	struct delivery *v = dest->filling;
	struct str via = from_whom(j, rcpt, dest);

	if (v == NULL || v->n == DELIVERY_RCPT_MAX || v->from != from ||
	    !str_eq(v->via, via)) {
		v = job_delivery(j, dest);
		v->from = from;
		v->via = via;
		dest->filling = v;
		plan_add(p, v);
	}
	j->rcpts[rcpt].to = dest;
	j->rcpts[rcpt].dest = arena_str(&j->arena, str_c(dest->key));
	delivery_add(v, rcpt, path_copy(&j->arena, path));
}

/* Who is forwarded to is sent mail that we answer for (policy/srs.h). */
static const struct path *
sender_for(struct job *j, size_t rcpt, struct plan *p)
{
	const struct path *from = &j->file.env.from;
	struct path *made;

	if (!j->rcpts[rcpt].at_last)
		return NULL;
	if (p->srs == NULL) {
		made = arena_alloc(&j->arena, sizeof(*made));
		*made = srs_sender(j->r->conf, from, clock_wall(), &j->arena);
		p->srs = made;
	}
	return path_eq(p->srs, from) ? NULL : p->srs;
}

static void
plan_remote(struct job *j, size_t rcpt, const struct target *t,
    struct plan *p)
{
	struct dest_way way = { .kind = DEST_MX, .name = t->domain,
		.port = t->port, .tls = t->tls, .fallback = t->fallback };

	if (t->kind == TARGET_UPSTREAM)
		way = (struct dest_way){ .kind = DEST_UPSTREAM,
			.name = str_c(t->upstream->name),
			.upstream = t->upstream };
	wish_way(&j->file.env, &way);
	way.source = again_source(j, rcpt, t->source, &p->last_tried);
	plan_to(j, rcpt, dest_get(j->r, &way), &t->path,
	    sender_for(j, rcpt, p), p);
}

/* A program takes them one by one, or as they come. */
static void
plan_pipe(struct job *j, size_t rcpt, const struct target *t, struct plan *p)
{
	struct dest_way way = { .kind = DEST_PIPE,
		.name = str_c(t->rule != NULL ? t->rule->pattern :
						t->route->pattern),
		.source = STR(""), .command = t->way->command };
	struct dest *dest = dest_get(j->r, &way);

	if (!t->way->all)
		dest->filling = NULL;
	j->rcpts[rcpt].local = true;
	plan_to(j, rcpt, dest, &t->path, NULL, p);
}

/*
 * A program or a file that an alias or a .forward has: one by one.  Those of
 * aliases are in one line, those of each account in one of its own: how long
 * its programs take is up to the account, and nobody else waits for them.
 */
static void
plan_part(struct job *j, size_t rcpt, struct plan *p)
{
	struct job_rcpt *jr = &j->rcpts[rcpt];
	bool home = alias_part_is_home(jr->part);
	struct dest_way way = { .kind = DEST_PIPE, .source = STR(""),
		.name = STR("aliases"),
		.command = program_commands(j->r->conf) + home };
	const struct target *t = job_target(j, rcpt, &p->facts);
	struct dest *dest;

	jr->local = true;
	if (!home && j->r->conf->recipients.run_as[0] == '\0') {
		refuse(j, rcpt, "5.7.1", alias_part_is_file(jr->part) ?
		    "mail to a file is restricted" :
		    "mail to a command is restricted");
		return;
	}
	if (home && t->kind != TARGET_MAILBOX) {
		refuse(j, rcpt, "5.1.1", "there is no such mailbox any more");
		return;
	}
	if (home) {
		way.kind = DEST_FORWARD;
		way.name = str_c(t->mailbox);
	}
	dest = dest_get(j->r, &way);
	dest->filling = NULL;
	plan_to(j, rcpt, dest, &jr->path, NULL, p);
	if (home)
		memcpy(dest->filling->mailbox, t->mailbox, sizeof(t->mailbox));
}

/* The mailbox of an account, in its home directory: only the account writes there. */
static void
plan_home(struct job *j, size_t rcpt, const struct target *t, struct plan *p)
{
	struct dest_way way = { .kind = DEST_PIPE, .source = STR(""),
		.name = STR("homes"),
		.command = program_commands(j->r->conf) + 1 };
	struct dest *dest = dest_get(j->r, &way);

	dest->filling = NULL;
	j->rcpts[rcpt].local = true;
	plan_to(j, rcpt, dest, &j->rcpts[rcpt].path, NULL, p);
	memcpy(dest->filling->mailbox, t->mailbox, sizeof(t->mailbox));
}

static void
plan_local(struct job *j, size_t rcpt, const struct target *t,
    struct plan *p)
{
	struct delivery *v = job_delivery(j, j->r->dests.local);

	j->rcpts[rcpt].local = true;
	j->rcpts[rcpt].to = v->dest;
	memcpy(v->mailbox, t->mailbox, sizeof(v->mailbox));
	v->maildir = t->kind == TARGET_MAILDIR ? t->way->maildir : NULL;
	delivery_add(v, rcpt, t->path);
	plan_add(p, v);
}

/* One by one: the members of each get a message of their own. */
static void
plan_list(struct job *j, size_t rcpt, const struct target *t, struct plan *p)
{
	struct dest_way way = { .kind = DEST_LIST, .source = STR(""),
		.name = str_c(t->rule->list) };
	struct dest *dest = dest_get(j->r, &way);

	dest->filling = NULL;
	j->rcpts[rcpt].local = true;
	plan_to(j, rcpt, dest, &t->path, NULL, p);
	dest->filling->list = t->rule->list_of;
}

/* A route gives a reply, or throws the mail away. */
static void
plan_none(struct job *j, size_t rcpt, const struct target *t)
{
	const struct conf_via *way = t->way;
	const char *words;

	if (t->kind == TARGET_DISCARD) {
		words = t->rule != NULL ?
		    arena_printf(&j->arena, "discarded by recipient %s",
			t->rule->pattern) :
		    arena_printf(&j->arena, "discarded by route %s",
			t->route != NULL ? t->route->pattern :
					   "of the message");
		decide(j, rcpt, DELIVERED, "2.0.0", words);
		j->rcpts[rcpt].result.discarded = true;
		return;
	}
	words = arena_printf(&j->arena, "%d %s %s", way->code, way->enhanced,
	    way->text);
	decide(j, rcpt, way->code < 500 ? TEMPFAIL : PERMFAIL, way->enhanced,
	    words);
}

static void
plan_rcpt(struct job *j, size_t rcpt, struct plan *p)
{
	const struct target *t;

	/* Whatever it was at the last attempt. */
	j->rcpts[rcpt].local = false;
	if (j->rcpts[rcpt].part.n > 0) {
		plan_part(j, rcpt, p);
		return;
	}
	t = job_target(j, rcpt, &p->facts);
	if (t->route != NULL)
		j->rcpts[rcpt].route = str_c(t->route->pattern);
	if (p->wrong != NULL && t->kind != TARGET_MAILBOX &&
	    t->kind != TARGET_UNKNOWN) {
		decide(j, rcpt, TEMPFAIL, "4.3.5", p->wrong);
		return;
	}
	switch (t->kind) {
	case TARGET_MAILBOX:
		if (homes_has_maildir(j->r, t->mailbox))
			plan_home(j, rcpt, t, p);
		else
			plan_local(j, rcpt, t, p);
		break;
	case TARGET_MAILDIR:
		plan_local(j, rcpt, t, p);
		break;
	case TARGET_MX:
	case TARGET_UPSTREAM:
		plan_remote(j, rcpt, t, p);
		break;
	case TARGET_PIPE:
		plan_pipe(j, rcpt, t, p);
		break;
	case TARGET_LIST:
		plan_list(j, rcpt, t, p);
		break;
	case TARGET_DISCARD:
	case TARGET_ERROR:
		plan_none(j, rcpt, t);
		break;
	case TARGET_UNKNOWN:
		j->rcpts[rcpt].local = true;
		refuse(j, rcpt, "5.1.1", t->why);
		break;
	case TARGET_NO_ROUTE:
		refuse(j, rcpt, "5.4.4", t->why);
		break;
	case TARGET_FORWARD:
	case TARGET_ALIAS:
		/* The configuration knows none, and the names do: it is being read anew. */
		decide(j, rcpt, TEMPFAIL, "4.3.0", "the aliases have changed");
		break;
	}
}

static void
log_active(const struct job *j)
{
	struct buf from;

	buf_init(&from, 1024);
	path_add(&from, &j->file.env.from);
	log_as("qmgr", LOG_LEVEL_INFO, j->id,
	    "from=<%s>, size=%llu, nrcpt=%zu (queue active)", buf_cstr(&from),
	    (unsigned long long)j->file.size, j->file.env.rcpt_n);
	buf_free(&from);
}

static bool
owes(const struct envelope *e)
{
	for (size_t i = 0; i < e->rcpt_n; i++)
		if (e->rcpts[i].state == RCPT_SENT ||
		    e->rcpts[i].state == RCPT_FAILED)
			return true;
	return false;
}

/* `baridctl queue bounce`: nobody is tried any more. */
static void
bounce_all(struct job *j)
{
	for (size_t i = 0; i < j->file.env.rcpt_n; i++)
		if (j->rcpts[i].todo)
			refuse(j, i, "5.7.0",
			    "returned by the administrator");
}

/* True if V would only stand in a long line, and was not called from there. */
static bool
is_left(const struct delivery *v)
{
	return v->dest != v->job->from && dest_full(v->dest);
}

void
job_go(struct job *j, struct delivery *first)
{
	struct dest *local = j->r->dests.local;
	struct delivery *next;
	bool together = false;

	fail_refused(j);
	for (struct delivery *v = first; v != NULL; v = next) {
		struct dest *dest = v->dest;

		next = v->next;
		if (is_left(v)) {
			job_leave(v);
			continue;
		}
		dest_add(dest, v);
		/* What may be one file begins together. */
		if (dest == local && j->r->conf->recipients.link)
			together = true;
		else
			dest_pump(dest);
	}
	if (together)
		dest_pump(local);
	job_delivered(j);
}

void
job_signed(struct job *j, struct delivery *first)
{
	if (!ahead_begin(j, first))
		job_go(j, first);
}

/* True if nobody is tried now: all of the message would only stand in lines. */
static bool
park(struct job *j, const struct plan *p)
{
	if (p->first == NULL)
		return false;
	for (const struct delivery *v = p->first; v != NULL; v = v->next)
		if (!is_left(v))
			return false;
	for (struct delivery *v = p->first; v != NULL; v = v->next)
		v->parks = true;
	job_park(j);
	return true;
}

/* What the routes and the source go by. */
static void
plan_facts(struct job *j, struct plan *p)
{
	const struct envelope *e = &j->file.env;
	const char *why;

	p->facts = (struct mail_facts){ .arena = &j->arena, .from = e->from,
		.user = e->user,
		.listener = e->listener, .local = e->local,
		.source = e->source };
	if (e->route.n == 0)
		return;
	why = conf_via_own(j->r->conf, e->route, e->route_user,
	    e->route_password, &j->arena, &p->way);
	if (why != NULL)
		p->wrong = arena_printf(&j->arena,
		    "the route of this message: %s", why);
	else
		p->facts.way = &p->way;
}

/*
 * It was parked when some of its recipients had been tried already: these
 * wait for the point that queue.retry has behind their last attempt.
 */
static void
skip_tried(struct job *j)
{
	struct life l = expire_life(j);
	int64_t now = runner_now_ms(j->r), at;
	struct queue_attempt *last;

	if (queue_notes(&j->file, &j->arena, &last) < 0)
		return;
	for (size_t i = 0; i < j->file.env.rcpt_n; i++) {
		if (!j->rcpts[i].todo || last[i].time == 0)
			continue;
		at = wall_recall(&j->r->wall, last[i].time * 1000, now);
		job_recall(j, i, TEMPFAIL, &last[i]);
		if (life_again(&j->r->conf->queue, &j->file.env, &l, at) <= now)
			j->again = true;
		else
			j->rcpts[i].tried = true;
	}
}

void
job_rcpts(struct job *j)
{
	const struct envelope *e = &j->file.env;

	j->rcpts = arena_alloc(&j->arena, e->rcpt_n * sizeof(*j->rcpts));
	for (size_t i = 0; i < e->rcpt_n; i++) {
		j->rcpts[i].todo = e->rcpts[i].state == RCPT_QUEUED;
		j->rcpts[i].path = e->rcpts[i].path;
		j->rcpts[i].part = e->rcpts[i].part;
		j->rcpts[i].at_last = e->rcpts[i].of.n > 0;
	}
	if (index_at(j->r->index, j->slot)->partly)
		skip_tried(j);
}

void
job_plan(struct job *j)
{
	const struct envelope *e = &j->file.env;
	struct plan p = { .last = &p.first };
	int64_t until;

	job_rcpts(j);
	if (list_waits(j)) {
		index_wait(j->r->index, j->slot, runner_now(j->r) + 1);
		job_free(j);
		return;
	}
	if (owes(e))
		job_recall_all(j);
	/* One more than there are: nothing ends while it starts. */
	j->open = 1;
	if (index_at(j->r->index, j->slot)->op == 0 &&
	    (until = expire_waits(j)) != 0) {
		finish_wait(j, until);
		return;
	}
	if (index_at(j->r->index, j->slot)->op != 0 || expire_is_over(j)) {
		/* Steered while it was parked, or now, or too late. */
		if (index_at(j->r->index, j->slot)->op == CONTROL_BOUNCE)
			bounce_all(j);
		fail_refused(j);
		job_delivered(j);
		return;
	}
	plan_facts(j, &p);
	if (expand_job(j, &p.facts))
		return;
	for (size_t i = 0; i < e->rcpt_n; i++)
		if (j->rcpts[i].todo && !j->rcpts[i].tried &&
		    !j->rcpts[i].refused)
			plan_rcpt(j, i, &p);
	for (struct delivery *v = p.first; v != NULL; v = v->next)
		v->dest->filling = NULL;
	if (park(j, &p))
		return;
	log_active(j);
	if (!published_wait(j, p.first))
		job_signed(j, p.first);
}
