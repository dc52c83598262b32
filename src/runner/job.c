/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * job -- a message that is loaded, and what becomes of its recipients.
 *
 * Each recipient that is still queued is asked for its way anew
 * (target_of), recipients with one destination share a delivery, and every
 * recipient gets exactly one outcome in this pass.  What is final is marked
 * in the spool at once where other recipients are still under way, so that
 * a crash repeats as little as it can; the rest is the business of finish.
 */

#include "job.h"

#include <errno.h>

#include "dest.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "policy/recipient.h"
#include "runner.h"

/* Room for an envelope and as much for what became of it. */
#define JOB_ARENA (ENVELOPE_ARENA + ((size_t)256 << 20))

static void
unmark(struct job *j)
{
	if (j->mark_at == NULL)
		return;
	*j->mark_at = j->mark_next;
	if (j->mark_next != NULL)
		j->mark_next->mark_at = j->mark_at;
	j->mark_at = NULL;
}

void
job_free(struct job *j)
{
	struct runner *r = j->r;

	unmark(j);
	*j->at = j->next;
	if (j->next != NULL)
		j->next->at = j->at;
	r->job_n--;
	score_add(r->score, COUNT_RUNNER_ACTIVE, -1);
	for (struct delivery *v = j->all; v != NULL; v = v->all_next)
		v->dest->users--;
	if (j->file.fd >= 0)
		queue_unload(&j->file);
	arena_free(&j->arena);
	mem_free(j);
	runner_wake(r);
}

/* ---- outcomes -------------------------------------------------------------------- */

struct delays
job_delays(const struct job *j, int64_t begun_ms, int64_t sent_ms)
{
	int64_t now = clock_ms();
	int64_t begun = begun_ms > j->begun_ms ? begun_ms : j->begun_ms;
	int64_t sent = sent_ms > begun ? sent_ms : begun;

	return (struct delays){ .before = j->before_ms,
		.queue = begun - j->begun_ms,
		.connect = sent - begun,
		.transmit = now - sent };
}

/* The shape is that of the field's tools: pflogsumm reads it. */
static void
log_result(const struct job *j, size_t rcpt, const struct result *res,
    const struct delays *d)
{
	static const char *const status[] = { [DELIVERED] = "sent",
		[TEMPFAIL] = "deferred", [PERMFAIL] = "bounced" };
	struct buf to, delay;

	buf_init(&to, 1024);
	path_add(&to, &j->file.env.rcpts[rcpt].path);
	buf_init(&delay, 128);
	buf_addc(&delay, '=');
	delay_add(&delay, d->before + d->queue + d->connect + d->transmit);
	buf_adds(&delay, ", delays=");
	delay_add(&delay, d->before);
	buf_addc(&delay, '/');
	delay_add(&delay, d->queue);
	buf_addc(&delay, '/');
	delay_add(&delay, d->connect);
	buf_addc(&delay, '/');
	delay_add(&delay, d->transmit);
	log_as(j->rcpts[rcpt].local ? "local" : "smtp", LOG_LEVEL_INFO, j->id,
	    "to=<%s>, relay=" STR_FMT ", delay%s, dsn=%s, status=%s (" STR_FMT
	    ")",
	    buf_cstr(&to), STR_ARG(res->relay.n ? res->relay : STR("none")),
	    buf_cstr(&delay), res->status, status[res->outcome],
	    STR_ARG(res->text));
	buf_free(&delay);
	buf_free(&to);
}

/* Marks a final outcome while other deliveries go on; see finish.c. */
static void
mark_early(struct job *j, size_t rcpt)
{
	const struct job_rcpt *jr = &j->rcpts[rcpt];
	bool sent = jr->result.outcome == DELIVERED;
	bool owed = bounce_wanted(j, rcpt,
	    sent ? DSN_DELIVERED : DSN_FAILED);
	struct queue_attempt a = { .time = jr->time, .rcpt = rcpt,
		.relay = jr->result.relay, .source = jr->result.source,
		.reply = jr->result.reply };
	enum rcpt_state state = sent ? (owed ? RCPT_SENT : RCPT_DONE) :
				       RCPT_FAILED;

	memcpy(a.status, jr->result.status, sizeof(a.status));
	if ((owed || !sent) && queue_note(&j->file, &a) < 0)
		log_warn(j->id, "cannot note an attempt: %s", strerror(errno));
	if (queue_mark(&j->file, rcpt, state) < 0)
		log_warn(j->id, "cannot mark a recipient: %s",
		    strerror(errno));
}

/* To be marked when the journal has what it tells. */
static void
mark_later(struct job *j, size_t rcpt)
{
	struct runner *r = j->r;

	j->rcpts[rcpt].mark = true;
	if (j->mark_at != NULL)
		return;
	j->mark_next = r->marking;
	j->mark_at = &r->marking;
	if (j->mark_next != NULL)
		j->mark_next->mark_at = &j->mark_next;
	r->marking = j;
	runner_wake(r);
}

void
job_mark_all(struct runner *r)
{
	while (r->marking != NULL) {
		struct job *j = r->marking;

		unmark(j);
		for (size_t i = 0; i < j->file.env.rcpt_n; i++) {
			if (j->rcpts[i].mark)
				mark_early(j, i);
			j->rcpts[i].mark = false;
		}
	}
}

void
job_result(struct job *j, size_t rcpt, const struct result *res,
    const struct delays *d)
{
	static const enum score_counter counter[] = {
		[DELIVERED] = COUNT_DELIVERED, [TEMPFAIL] = COUNT_DEFERRED,
		[PERMFAIL] = COUNT_BOUNCED };
	struct job_rcpt *jr = &j->rcpts[rcpt];

	if (!jr->todo)
		panic("two outcomes for a recipient of %s", j->id);
	jr->todo = false;
	jr->now = true;
	jr->time = clock_wall();
	jr->result = result_copy(&j->arena, res);
	log_result(j, rcpt, res, d);
	score_add(j->r->score, counter[res->outcome], 1);
	record_result(j, rcpt, res, d);
	if (jr->to != NULL)
		minute_add(&jr->to->minute, res->outcome, jr->time);
	jr->to = NULL;
	if (j->deliveries > 1 && res->outcome != TEMPFAIL)
		mark_later(j, rcpt);
}

/* What is left out waits in the spool: where it has its turn the soonest. */
static void
choose_park(struct job *j)
{
	for (struct delivery *v = j->all; v != NULL; v = v->all_next) {
		if (!v->left)
			continue;
		left_remove(v);
		if (j->park == NULL || dest_is_sooner(v->dest, j->park))
			j->park = v->dest;
	}
}

void
job_delivered(struct job *j)
{
	if (--j->open > 0)
		return;
	choose_park(j);
	/* The end of the pass marks what is not marked. */
	unmark(j);
	finish_job(j);
}

void
job_fail(struct delivery *v, const struct result *res)
{
	struct delays d = job_delays(v->job, clock_ms(), clock_ms());

	for (size_t i = 0; i < v->n; i++)
		job_result(v->job, v->rcpts[i], res, &d);
	job_delivered(v->job);
}

void
job_leave(struct delivery *v)
{
	left_add(v);
	job_delivered(v->job);
}

void
job_return(struct delivery *v)
{
	v->job->open++;
	dest_add(v->dest, v);
	dest_pump(v->dest);
}

/* ---- starting -------------------------------------------------------------------- */

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

static struct delivery *
delivery_new(struct job *j, struct dest *dest, size_t most)
{
	struct delivery *v = arena_alloc(&j->arena, sizeof(*v));

	v->job = j;
	v->dest = dest;
	v->rcpts = arena_alloc(&j->arena, most * sizeof(*v->rcpts));
	v->paths = arena_alloc(&j->arena, most * sizeof(*v->paths));
	v->results = arena_alloc(&j->arena, most * sizeof(*v->results));
	v->all_next = j->all;
	j->all = v;
	dest->users++;
	j->deliveries++;
	j->open++;
	return v;
}

/* A list of deliveries that are not yet in the line of their destination. */
struct plan {
	struct delivery *first, **last;
	size_t left;	/* recipients without a delivery */
	struct mail_facts facts;
	struct conf_via way;	/* the message's own, which FACTS lead to */
	struct queue_attempt *last_tried;	/* of each recipient; NULL: nobody asked */
	const char *wrong;	/* with that, or NULL */
};

static void
plan_add(struct plan *p, struct delivery *v)
{
	*p->last = v;
	p->last = &v->next;
}

static void
plan_remote(struct job *j, size_t rcpt, const struct target *t,
    struct plan *p)
{
	struct dest_way way = { .kind = DEST_MX, .name = t->domain,
		.tls = t->tls, .fallback = t->fallback };
	struct dest *dest;
	struct delivery *v;

	if (t->kind == TARGET_UPSTREAM)
		way = (struct dest_way){ .kind = DEST_UPSTREAM,
			.name = str_c(t->upstream->name),
			.upstream = t->upstream };
	way.source = again_source(j, rcpt, t->source, &p->last_tried);
	dest = dest_get(j->r, &way);
	v = dest->filling;
	if (v == NULL || v->n == DELIVERY_RCPT_MAX) {
		v = delivery_new(j, dest,
		    p->left < DELIVERY_RCPT_MAX ? p->left : DELIVERY_RCPT_MAX);
		dest->filling = v;
		plan_add(p, v);
	}
	j->rcpts[rcpt].to = dest;
	j->rcpts[rcpt].dest = arena_str(&j->arena, str_c(dest->key));
	v->rcpts[v->n] = rcpt;
	v->paths[v->n++] = path_copy(&j->arena, &t->path);
}

static void
plan_local(struct job *j, size_t rcpt, const struct target *t,
    struct plan *p)
{
	struct delivery *v = delivery_new(j, j->r->dests.local, 1);

	j->rcpts[rcpt].local = true;
	j->rcpts[rcpt].to = v->dest;
	memcpy(v->mailbox, t->mailbox, sizeof(v->mailbox));
	v->maildir = t->kind == TARGET_MAILDIR ? t->way->maildir : NULL;
	v->rcpts[0] = rcpt;
	v->paths[0] = t->path;
	v->n = 1;
	plan_add(p, v);
}

/* A route gives a reply, or throws the mail away. */
static void
plan_none(struct job *j, size_t rcpt, const struct target *t)
{
	const struct conf_via *way = t->way;
	const char *words;

	if (t->kind == TARGET_DISCARD) {
		words = arena_printf(&j->arena, "discarded by route %s",
		    t->route != NULL ? t->route->pattern : "of the message");
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
	const struct path *path = &j->file.env.rcpts[rcpt].path;
	struct target t = target_of(j->r->conf, j->r->users, &p->facts, path);

	if (t.route != NULL)
		j->rcpts[rcpt].route = str_c(t.route->pattern);
	if (p->wrong != NULL && t.kind != TARGET_MAILBOX &&
	    t.kind != TARGET_UNKNOWN) {
		decide(j, rcpt, TEMPFAIL, "4.3.5", p->wrong);
		p->left--;
		return;
	}
	switch (t.kind) {
	case TARGET_MAILBOX:
	case TARGET_MAILDIR:
		plan_local(j, rcpt, &t, p);
		break;
	case TARGET_MX:
	case TARGET_UPSTREAM:
		plan_remote(j, rcpt, &t, p);
		break;
	case TARGET_DISCARD:
	case TARGET_ERROR:
		plan_none(j, rcpt, &t);
		break;
	case TARGET_UNKNOWN:
		j->rcpts[rcpt].local = true;
		refuse(j, rcpt, "5.1.1", t.why);
		break;
	case TARGET_NO_ROUTE:
		refuse(j, rcpt, "5.4.4", t.why);
		break;
	}
	p->left--;
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

/* A note has no room for it, but a reply and a relay show it. */
static void
recall_remote(struct result *res)
{
	ptrdiff_t at = str_find(res->relay, '[');

	if (at <= 0 || res->reply.n < 3 || res->reply.p[0] < '2' ||
	    res->reply.p[0] > '5' || res->reply.p[1] < '0' ||
	    res->reply.p[1] > '9' || res->reply.p[2] < '0' ||
	    res->reply.p[2] > '9')
		return;
	res->remote = true;
	res->host = str_head(res->relay, (size_t)at);
}

void
job_recall(struct job *j, size_t rcpt, enum outcome o,
    const struct queue_attempt *a)
{
	struct job_rcpt *jr = &j->rcpts[rcpt];
	struct result *res = &jr->result;

	*res = result_words(o, o == DELIVERED ? "2.0.0" : "5.0.0", a->reply);
	if (a->status[0] != '\0')
		memcpy(res->status, a->status, sizeof(res->status));
	res->relay = a->relay;
	recall_remote(res);
	jr->local = str_eq(res->relay, STR("local"));
	jr->time = a->time;
}

/* What an earlier pass decided and could not report: from the notes. */
static void
recall(struct job *j)
{
	const struct envelope *e = &j->file.env;
	struct queue_attempt *last;

	if (queue_notes(&j->file, &j->arena, &last) < 0) {
		log_warn(j->id, "cannot read the attempts: %s",
		    strerror(errno));
		last = arena_alloc(&j->arena, e->rcpt_n * sizeof(*last));
	}
	for (size_t i = 0; i < e->rcpt_n; i++) {
		bool sent = e->rcpts[i].state == RCPT_SENT;

		if (sent || e->rcpts[i].state == RCPT_FAILED)
			job_recall(j, i, sent ? DELIVERED : PERMFAIL, &last[i]);
	}
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

/* Puts the plan's deliveries into their lines. */
static void
plan_go(struct job *j, struct plan *p)
{
	struct delivery *next;

	fail_refused(j);
	for (struct delivery *v = p->first; v != NULL; v = next) {
		struct dest *dest = v->dest;

		next = v->next;
		if (is_left(v)) {
			job_leave(v);
			continue;
		}
		dest_add(dest, v);
		dest_pump(dest);
	}
	job_delivered(j);
}

/* True if nobody is tried now: all of the message would only stand in lines. */
static bool
park(struct job *j, const struct plan *p)
{
	struct dest *dest = NULL;

	for (const struct delivery *v = p->first; v != NULL; v = v->next) {
		if (!is_left(v))
			return false;
		if (dest == NULL || dest_is_sooner(v->dest, dest))
			dest = v->dest;
	}
	if (dest == NULL)
		return false;
	dest_park(dest, j);
	job_free(j);
	return true;
}

/*
 * It was parked when some of its recipients had been tried already: these
 * wait for the next attempt, which the end of this pass will set.
 */
static void
skip_tried(struct job *j)
{
	struct queue_attempt *last;

	if (queue_notes(&j->file, &j->arena, &last) < 0)
		return;
	for (size_t i = 0; i < j->file.env.rcpt_n; i++)
		j->rcpts[i].tried = last[i].time != 0 &&
		    last[i].time >= j->file.next;
}

/* What the routes and the source go by. */
static void
plan_facts(struct job *j, struct plan *p)
{
	const struct envelope *e = &j->file.env;
	const char *why;

	p->facts = (struct mail_facts){ .from = e->from, .user = e->user,
		.listener = e->listener, .local = e->local,
		.source = e->source };
	if (e->route.n == 0)
		return;
	why = conf_via_read(j->r->conf, arena_cstr(&j->arena, e->route),
	    TLS_MAY, &j->arena, &p->way);
	if (why != NULL)
		p->wrong = arena_printf(&j->arena,
		    "the route of this message: %s", why);
	else
		p->facts.way = &p->way;
}

static void
plan_job(struct job *j)
{
	const struct envelope *e = &j->file.env;
	struct plan p = { .last = &p.first };
	int64_t until;

	j->rcpts = arena_alloc(&j->arena, e->rcpt_n * sizeof(*j->rcpts));
	for (size_t i = 0; i < e->rcpt_n; i++) {
		j->rcpts[i].todo = e->rcpts[i].state == RCPT_QUEUED;
		p.left += j->rcpts[i].todo;
	}
	if (owes(e))
		recall(j);
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
	if (j->partly)
		skip_tried(j);
	for (size_t i = 0; i < e->rcpt_n; i++)
		if (j->rcpts[i].todo && !j->rcpts[i].tried)
			plan_rcpt(j, i, &p);
	for (struct delivery *v = p.first; v != NULL; v = v->next)
		v->dest->filling = NULL;
	if (park(j, &p))
		return;
	log_active(j);
	plan_go(j, &p);
}

/*
 * A file in new/ that a power cut left short was never acknowledged, since
 * it was not durable (src/queue/README).
 */
static void
unreadable(struct runner *r, uint32_t slot, const char *id, int error,
    const char *reason)
{
	struct known *k = index_at(r->index, slot);
	enum queue_place place = k->place;
	int done;

	if (error != ENOENT && error != EBADMSG) {
		log_warn(id, "cannot be read now: %s", strerror(error));
		index_wait(r->index, slot, clock_wall() + 60);
		return;
	}
	if (error == EBADMSG && place == QUEUE_NEW && k->verify && reason &&
	    str_ends(str_c(reason), STR("cut short"))) {
		log_warn(id, "a message that was never acknowledged is cut "
		    "short: removed");
		done = queue_remove(r->queue, place, id);
	} else if (error == EBADMSG) {
		log_error(id, "this message cannot be read (%s): moved to bad/",
		    reason != NULL ? reason : "broken");
		done = queue_move(r->queue, place, id, QUEUE_BAD);
		if (done == 0)
			record_message(r, JOURNAL_BAD, id, 0, reason);
	} else
		done = 0;
	if (done < 0)
		log_error(id, "cannot be put away: %s", strerror(errno));
	runner_forget(r, slot);
}

static void
job_link(struct job *j)
{
	struct runner *r = j->r;

	j->next = r->jobs;
	j->at = &r->jobs;
	if (r->jobs != NULL)
		r->jobs->at = &j->next;
	r->jobs = j;
	r->job_n++;
	score_add(r->score, COUNT_RUNNER_ACTIVE, 1);
}

void
job_start(struct runner *r, uint32_t slot, struct dest *from)
{
	struct job *j = mem_alloc(sizeof(*j));
	struct known *k = index_at(r->index, slot);
	const char *reason = NULL;
	int error;

	j->r = r;
	j->slot = slot;
	j->from = from;
	j->file.fd = -1;
	index_id(r->index, slot, j->id);
	arena_init(&j->arena, JOB_ARENA);
	job_link(j);
	if (queue_load(r->queue, k->place, j->id, k->verify != 0, &j->arena,
		&j->file, &reason) < 0) {
		error = errno;
		j->file.fd = -1;
		unreadable(r, slot, j->id, error, reason);
		job_free(j);
		return;
	}
	k->verify = false;
	/* Unless it was called for another reason. */
	j->partly = k->partly && from != NULL;
	k->partly = false;
	j->begun_ms = clock_ms();
	j->before_ms =
	    (clock_wall_us() - j->file.env.arrival_us) / 1000;
	record_received(j);
	plan_job(j);
}
