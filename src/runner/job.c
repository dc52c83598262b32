/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * job -- a message that is loaded, and what becomes of its recipients.
 *
 * Every recipient that plan.c sends on its way gets exactly one outcome in
 * this pass.  What is final is marked in the spool at once where other
 * recipients are still under way, so that a crash repeats as little as it can;
 * the rest is the business of finish.
 */

#include "job.h"

#include <errno.h>

#include "dest.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mail/text.h"
#include "runner.h"
#include "signing.h"
#include "wish.h"

/*
 * Room for an envelope, and for what becomes of it.  Of each of ENVELOPE_RCPT_MAX
 * recipients a host may say 2 KB, and what is kept here besides is as much again;
 * what was noted of them before is read up to five times, 24 MiB each.  What grows
 * with anything else has no place in it: there is no message that may need more.
 */
#define JOB_ARENA (ENVELOPE_ARENA + ((size_t)512 << 20))

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
job_made(struct job *j, char (*ids)[QUEUE_ID_SIZE], size_t n)
{
	char (*made)[QUEUE_ID_SIZE] = j->made;

	if (n == 0)
		return;
	if (j->made_n + n > j->made_size) {
		j->made_size = 2 * (j->made_n + n);
		made = arena_alloc(&j->arena, j->made_size * sizeof(*made));
		if (j->made_n > 0)
			memcpy(made, j->made, j->made_n * sizeof(*made));
	}
	memcpy(made + j->made_n, ids, n * sizeof(*made));
	j->made = made;
	j->made_n += n;
}

/* Moves the index. */
static void
announce_made(struct job *j)
{
	for (size_t i = 0; i < j->made_n; i++)
		runner_announce(j->r, j->made[i]);
	j->made_n = 0;
}

void
job_free(struct job *j)
{
	struct runner *r = j->r;

	unmark(j);
	announce_made(j);
	*j->at = j->next;
	if (j->next != NULL)
		j->next->at = j->at;
	r->job_n--;
	score_add(r->score, COUNT_RUNNER_ACTIVE, -1);
	for (struct delivery *v = j->all; v != NULL; v = v->all_next)
		v->dest->users--;
	signing_forget(j);
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

/* The program of Postfix that would have said it. */
static const char *
component(const struct job_rcpt *jr)
{
	if (jr->to != NULL && way_is_spawn(jr->to->way->kind))
		return "pipe";
	return jr->local ? "local" : "smtp";
}

/* "to=<alice@example.org>, orig_to=<root>": whom it was sent to, and for whom. */
static void
add_to(struct buf *b, const struct job *j, size_t rcpt)
{
	const struct envelope_rcpt *r = &j->file.env.rcpts[rcpt];
	const struct job_rcpt *jr = &j->rcpts[rcpt];

	buf_adds(b, "to=<");
	path_add(b, &jr->path);
	buf_addc(b, '>');
	if (!jr->at_last || (r->of.n == 0 && path_eq(&r->path, &jr->path)))
		return;
	buf_adds(b, ", orig_to=<");
	if (r->of.n == 0)
		path_add(b, &r->path);
	else if (xtext_decode(r->of, b) < 0)
		buf_add(b, r->of);
	buf_addc(b, '>');
}

/* The shape is that of the field's tools: pflogsumm reads it. */
static void
log_result(const struct job *j, size_t rcpt, const struct result *res,
    const struct delays *d)
{
	static const char *const status[] = { [DELIVERED] = "sent",
		[TEMPFAIL] = "deferred", [PERMFAIL] = "bounced" };
	struct buf to, delay;

	buf_init(&to, 4096);
	add_to(&to, j, rcpt);
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
	log_as(component(&j->rcpts[rcpt]), LOG_LEVEL_INFO, j->id,
	    "%s, relay=" STR_FMT ", delay%s, dsn=%s, status=%s (" STR_FMT
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
		announce_made(j);
	}
}

void
job_result(struct job *j, size_t rcpt, const struct result *given,
    const struct delays *d)
{
	static const enum score_counter counter[] = {
		[DELIVERED] = COUNT_DELIVERED, [TEMPFAIL] = COUNT_DEFERRED,
		[PERMFAIL] = COUNT_BOUNCED };
	struct job_rcpt *jr = &j->rcpts[rcpt];
	struct result settled = wish_settle(jr, given);
	const struct result *res = &settled;

	if (!jr->todo)
		panic("two outcomes for a recipient of %s", j->id);
	jr->todo = false;
	jr->now = true;
	jr->time = clock_wall();
	jr->result = result_copy(&j->arena, res);
	log_result(j, rcpt, res, d);
	if (res->expanded == 0)
		score_add(j->r->score, counter[res->outcome], 1);
	record_result(j, rcpt, res, d);
	if (jr->to != NULL)
		minute_add(&jr->to->minute, res->outcome, jr->time);
	jr->to = NULL;
	/*
	 * Others may be under way, of the same delivery, too: those whom this
	 * host put off.  If there are none the pass ends here, and marks it.
	 */
	if (j->deliveries > 0 && res->outcome != TEMPFAIL)
		mark_later(j, rcpt);
}

struct delivery *
job_delivery(struct job *j, struct dest *dest)
{
	struct delivery *v = arena_alloc(&j->arena, sizeof(*v));

	v->job = j;
	v->dest = dest;
	v->all_next = j->all;
	j->all = v;
	dest->users++;
	j->deliveries++;
	j->open++;
	return v;
}

/* What is left out waits in the spool. */
static void
park_left(struct job *j)
{
	for (struct delivery *v = j->all; v != NULL; v = v->all_next) {
		if (!v->left)
			continue;
		left_remove(v);
		v->parks = j->parks = true;
	}
}

void
job_delivered(struct job *j)
{
	if (--j->open > 0)
		return;
	park_left(j);
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

/* DEST among the first N of DESTS, or in place of the last of them to have room. */
static size_t
choose(struct dest **dests, size_t n, struct dest *dest)
{
	size_t late = 0;

	for (size_t i = 0; i < n; i++) {
		if (dests[i] == dest)
			return n;
		if (dest_is_sooner(dests[late], dests[i]))
			late = i;
	}
	if (n < PARKING_PLACES)
		dests[n++] = dest;
	else if (dest_is_sooner(dest, dests[late]))
		dests[late] = dest;
	return n;
}

void
job_park(struct job *j)
{
	struct dest *dests[PARKING_PLACES];
	size_t n = 0;

	for (struct delivery *v = j->all; v != NULL; v = v->all_next)
		if (v->parks)
			n = choose(dests, n, v->dest);
	for (size_t i = 0; i < n; i++)
		dest_park(dests[i], j);
	job_free(j);
}

/* ---- loading ---------------------------------------------------------------------- */

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
	jr->local = str_eq(res->relay, STR("local")) ||
	    str_eq(res->relay, STR("pipe"));
	jr->result.expanded = str_eq(res->relay, STR("alias")) ?
	    j->file.env.rcpt_n : 0;
	jr->time = a->time;
}

/* What an earlier pass decided and could not report: from the notes. */
void
job_recall_all(struct job *j)
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

	/* Somebody is making sure that it is no message, or wipes it. */
	if (error == EAGAIN) {
		index_wait(r->index, slot, runner_now(r) + 1);
		return;
	}
	if (error != ENOENT && error != EBADMSG) {
		log_warn(id, "cannot be read now: %s", strerror(error));
		index_wait(r->index, slot, runner_now(r) + 60);
		return;
	}
	if (error == ENOENT && reason) {
		log_warn(id, "a message that could not be made durable was "
		    "taken back: removed");
		done = queue_remove(r->queue, place, id);
	} else if (error == EBADMSG && place == QUEUE_NEW && k->verify && reason &&
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

struct job *
job_load(struct runner *r, uint32_t slot, const char **reason)
{
	struct job *j = mem_alloc(sizeof(*j));
	struct known *k = index_at(r->index, slot);
	int error;

	j->r = r;
	j->slot = slot;
	j->file.fd = -1;
	index_id(r->index, slot, j->id);
	arena_init(&j->arena, JOB_ARENA);
	job_link(j);
	if (queue_load(r->queue, k->place, j->id, k->verify != 0, &j->arena,
		&j->file, reason) == 0) {
		k->verify = false;
		return j;
	}
	error = errno;
	j->file.fd = -1;
	job_free(j);
	errno = error;
	return NULL;
}

void
job_start(struct runner *r, uint32_t slot, struct dest *from)
{
	const char *reason = NULL;
	struct job *j = job_load(r, slot, &reason);
	char id[QUEUE_ID_SIZE];

	if (j == NULL) {
		index_id(r->index, slot, id);
		unreadable(r, slot, id, errno, reason);
		return;
	}
	j->from = from;
	j->begun_ms = clock_ms();
	j->before_ms =
	    (clock_wall_us() - j->file.env.arrival_us) / 1000;
	record_received(j);
	job_plan(j);
}
