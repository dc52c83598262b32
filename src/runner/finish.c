/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * finish -- the end of a pass: every recipient has its outcome.
 *
 * A message that was delivered whole is taken off the spool, without more.
 * For all others the order is what makes promise and durability meet:
 *
 *   1. notes and marks: what happened; S and F say that a report is owed
 *   2. the report is committed as a message of its own
 *   3. S becomes D, F becomes B: nothing is owed any more
 *   4. the message is put off (durable with all of this), removed, or, where
 *      nobody can be told, moved to dead/
 *
 * A crash between 2 and 4 sends the report twice; one before 2 sends it at
 * the next attempt, since the marks say so.  Steps 1 to 4 run in the pool,
 * and nobody else touches the job then.  They begin when the journal has the
 * outcomes (record.c).
 *
 * A message of which recipients were left out, since their destination had
 * enough to do, is neither put off nor over: it is parked there, and its marks
 * are durable.
 */

#include <errno.h>

#include "control.h"
#include "dest.h"
#include "ipc/msg.h"
#include "job.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/random.h"
#include "result.h"
#include "runner.h"

/* A report that cannot be written, or a full disk, is tried again then. */
#define REPORT_RETRY_S 300

enum finish_end { END_REMOVE, END_DEFER, END_DEAD, END_HOLD, END_PARK };

struct finish {
	struct finish *next_one;	/* of those that wait for the journal */
	struct job *j;
	struct bounce bounce;
	struct life life;
	unsigned delays;	/* delay reports sent, after this one */
	int64_t next;		/* seconds */
	int64_t later;		/* the same, should something go wrong */
	enum finish_end end;
	bool reported, failed;	/* FAILED: it is as it was */
	bool hold, parks;
	unsigned op;		/* what was ordered when it began */
	uint64_t flushes;	/* and how many flushes had come by then */
};

static bool
null_sender(const struct job *j)
{
	return envelope_tells_nobody(&j->file.env);
}

/* ---- before: decisions, in the loop --------------------------------------------- */

/* What recipient I has now: as marked before, or by this pass. */
static enum dsn_action
action_of(const struct job *j, size_t i, bool *none)
{
	const struct job_rcpt *jr = &j->rcpts[i];
	enum rcpt_state state = j->file.env.rcpts[i].state;

	*none = state == RCPT_DONE || state == RCPT_BOUNCED ||
	    (state == RCPT_QUEUED && !jr->now);
	if (jr->result.outcome == TEMPFAIL)
		return DSN_DELAYED;
	if (jr->result.outcome == PERMFAIL)
		return DSN_FAILED;
	if (jr->result.expanded > 0)
		return DSN_EXPANDED;
	return jr->local ? DSN_DELIVERED : DSN_RELAYED;
}

/* Collects the report: failures and successes now, delays when it is time. */
static void
plan_report(struct finish *f)
{
	struct job *j = f->j;
	unsigned due = life_notices_due(&j->r->conf->queue, &j->file.env,
	    &f->life, runner_now_ms(j->r));
	bool delay = due > j->file.env.delays, none;

	for (size_t i = 0; i < j->file.env.rcpt_n; i++) {
		enum dsn_action action = action_of(j, i, &none);

		/* It counts for all who still wait. */
		if (delay && j->rcpts[i].todo && !f->hold) {
			patience_say(j, i);
			action = DSN_DELAYED;
			none = false;
		}
		if (none || (action == DSN_DELAYED && !delay) ||
		    !bounce_wanted(j, i, action))
			continue;
		bounce_add(&f->bounce, j, i, action, f->life.end / 1000);
	}
	f->delays = f->bounce.delayed ? due : j->file.env.delays;
	if (f->bounce.n > 0)
		queue_id_new(f->bounce.id);
}

/* True if every recipient is delivered and nobody wants to hear of it. */
static bool
all_done(const struct job *j)
{
	bool none;

	for (size_t i = 0; i < j->file.env.rcpt_n; i++) {
		enum dsn_action action = action_of(j, i, &none);

		if (j->rcpts[i].todo)
			return false;
		if (none)
			continue;
		if (action == DSN_DELAYED || action == DSN_FAILED ||
		    bounce_wanted(j, i, action))
			return false;
	}
	return true;
}

/* True if somebody who still waits wants to hear of a delay. */
static bool
delay_wanted(const struct job *j)
{
	bool none;

	if (j->file.env.by_mode == BY_NOTIFY)
		return true;

	for (size_t i = 0; i < j->file.env.rcpt_n; i++)
		if (action_of(j, i, &none) == DSN_DELAYED && !none &&
		    bounce_wanted(j, i, DSN_DELAYED))
			return true;
	return false;
}

/* In seconds. */
static int64_t
next_attempt(const struct finish *f)
{
	const struct job *j = f->j;
	int64_t next = life_next(&j->r->conf->queue, &j->file.env, &f->life,
	    runner_now_ms(j->r), delay_wanted(j), random_below);

	return (next + 999) / 1000;
}

/* ---- meanwhile: in the pool ----------------------------------------------------- */

static void
complain(const struct job *j, const char *what)
{
	log_error(j->id, "cannot %s: %s", what, strerror(errno));
}

static void
note(struct job *j, size_t i)
{
	const struct job_rcpt *jr = &j->rcpts[i];
	struct queue_attempt a = { .time = jr->time,
		.rcpt = i,
		.relay = jr->result.relay,
		.source = jr->result.source,
		.reply = jr->result.reply };

	memcpy(a.status, jr->result.status, sizeof(a.status));
	if (queue_note(&j->file, &a) < 0)
		complain(j, "note an attempt");
}

static void
mark(struct job *j, size_t i, enum rcpt_state state)
{
	if (queue_mark(&j->file, i, state) < 0)
		complain(j, "mark a recipient");
}

/* Step 1: recipients that were not marked while others were under way. */
static void
write_outcomes(struct job *j)
{
	for (size_t i = 0; i < j->file.env.rcpt_n; i++) {
		const struct job_rcpt *jr = &j->rcpts[i];
		bool owed;

		if (!jr->now || j->file.env.rcpts[i].state != RCPT_QUEUED)
			continue;
		switch (jr->result.outcome) {
		case TEMPFAIL:
			note(j, i);
			break;
		case DELIVERED:
			owed = bounce_wanted(j, i, DSN_DELIVERED);
			if (owed)
				note(j, i);
			mark(j, i, owed ? RCPT_SENT : RCPT_DONE);
			break;
		case PERMFAIL:
			if (!jr->noted)
				note(j, i);
			mark(j, i, RCPT_FAILED);
			break;
		}
	}
}

/* Step 3, for what the report has and for what nobody wants to hear. */
static void
write_reported(struct finish *f)
{
	struct job *j = f->j;

	for (size_t i = 0; i < j->file.env.rcpt_n; i++) {
		enum rcpt_state state = j->file.env.rcpts[i].state;
		bool wanted = bounce_wanted(j, i,
		    state == RCPT_FAILED ? DSN_FAILED : DSN_DELIVERED);

		if (wanted && !f->reported)
			continue;
		if (state == RCPT_SENT)
			mark(j, i, RCPT_DONE);
		/* Of a null sender it stays F: that is what dead/ is for. */
		if (state == RCPT_FAILED && !null_sender(j))
			mark(j, i, RCPT_BOUNCED);
	}
	if (f->reported && f->delays != j->file.env.delays &&
	    queue_note_delay(&j->file, f->delays) < 0)
		complain(j, "note a delay report");
}

static enum finish_end
end_of(const struct finish *f)
{
	const struct job *j = f->j;
	bool dead = false;

	for (size_t i = 0; i < j->file.env.rcpt_n; i++) {
		enum rcpt_state state = j->file.env.rcpts[i].state;

		if (state == RCPT_QUEUED || state == RCPT_SENT ||
		    (state == RCPT_FAILED && !null_sender(j)))
			return f->hold ? END_HOLD :
			    f->parks   ? END_PARK :
					 END_DEFER;
		dead = dead || state == RCPT_FAILED;
	}
	return dead ? END_DEAD : END_REMOVE;
}

static void
finish_work(void *arg)
{
	struct finish *f = arg;
	struct job *j = f->j;
	int r = 0;

	write_outcomes(j);
	if (f->bounce.n > 0) {
		f->reported = bounce_commit(&f->bounce) == 0;
		if (!f->reported) {
			complain(j, "write a report to the sender");
			f->next = f->later;
			f->parks = false;
		}
	}
	write_reported(f);
	f->end = end_of(f);
	if (f->end == END_DEFER)
		r = queue_defer(j->r->queue, &j->file, f->next);
	else if (f->end == END_PARK)
		/* It may stand there for days, and is in flight no more. */
		r = queue_sync(&j->file);
	else if (f->end == END_DEAD)
		r = queue_move(j->r->queue, j->file.place, j->id, QUEUE_DEAD);
	else if (f->end == END_HOLD)
		r = queue_move(j->r->queue, j->file.place, j->id, QUEUE_HOLD);
	if (r < 0) {
		complain(j, f->end == END_DEFER ? "put it off" :
			f->end == END_PARK	? "make its marks durable" :
						  "move it");
		/* It is where it was: another time. */
		f->failed = true;
		f->end = END_DEFER;
		f->next = f->later;
	}
}

/* ---- after: in the loop ----------------------------------------------------------- */

static void
say_reported(const struct finish *f)
{
	const struct bounce *b = &f->bounce;

	log_as("bounce", LOG_LEVEL_INFO, f->j->id, "sender %s: %s",
	    b->failed	     ? "non-delivery notification" :
		b->delayed ? "delay notification" :
			       "delivery status notification",
	    b->id);
}

/* What was ordered before is carried out, if it could be. */
static void
end_order(const struct finish *f, struct known *k)
{
	if (k->op == 0 || k->op != f->op || f->failed)
		return;
	k->op = 0;
	standing_void(f->j->r, f->j->id);
}

/* It is on hold or dead; what was ordered while it got there is done to it there. */
static void
leave(const struct finish *f, uint32_t slot, bool steered)
{
	struct runner *r = f->j->r;
	struct known *k = index_at(r->index, slot);
	unsigned op = k->op;

	/* It was to be held, and was taken back too late. */
	if (steered && op == 0 && f->end == END_HOLD)
		op = CONTROL_RELEASE;
	/* So that the order stands until then. */
	k->op = 0;
	runner_forget(r, slot);
	if (op != 0 && !r->closing)
		steer_again(r, op, f->j->id);
}

static void
log_end(const struct finish *f)
{
	const struct job *j = f->j;

	if (f->end == END_DEAD)
		log_error(j->id, "this message can neither be delivered nor "
		    "returned: kept in dead/");
	else
		log_as("qmgr", LOG_LEVEL_INFO, j->id, "put on hold");
	record_message(j->r, f->end == END_DEAD ? JOURNAL_DEAD : JOURNAL_HELD,
	    j->id, j->file.env.rcpt_n, NULL);
}

static void
finish_done(void *arg)
{
	struct finish *f = arg;
	struct job *j = f->j;
	struct runner *r = j->r;
	struct known *k = index_at(r->index, j->slot);
	uint32_t slot = j->slot;
	/* While the pool was at it: then that is what comes next. */
	bool steered = k->op != f->op;

	r->finishing--;
	if (f->reported) {
		say_reported(f);
		record_dsn(j, &f->bounce);
	}
	k->place = (uint8_t)j->file.place;
	end_order(f, k);
	if (steered && f->end == END_PARK)
		f->end = END_DEFER;
	switch (f->end) {
	case END_REMOVE:
		remove_job(j);
		break;
	case END_PARK:
		/* Who has ordered a flush meanwhile means all of them. */
		k->partly = f->flushes == r->flushes;
		job_park(j);
		break;
	case END_DEFER:
		/* All of it has a time: it stands in no line. */
		k->partly = false;
		parking_forget(r->index, slot);
		/* Who has ordered a flush meanwhile did not know that it waits. */
		index_wait(r->index, slot, steered || f->flushes != r->flushes ? 0 : f->next);
		job_free(j);
		break;
	case END_DEAD:
	case END_HOLD:
		log_end(f);
		leave(f, slot, steered);
		job_free(j);
		break;
	}
	steer_moved(r);
	/* May move the index. */
	if (f->reported)
		runner_announce(r, f->bounce.id);
	mem_free(f);
}

/* The rest is done in the pool, once the journal has its lines. */
static void
finish_later(struct finish *f)
{
	struct runner *r = f->j->r;

	f->later = runner_now(r) + REPORT_RETRY_S;
	f->flushes = r->flushes;
	r->finishing++;
	f->next_one = r->finishes;
	r->finishes = f;
	runner_wake(r);
	if (r->closing)
		record_settle(r);
}

/* True if there are recipients that were left out, and nobody was tried. */
static bool
only_parks(const struct job *j)
{
	if (!j->parks || index_at(j->r->index, j->slot)->op != 0)
		return false;
	for (size_t i = 0; i < j->file.env.rcpt_n; i++)
		if (j->rcpts[i].now)
			return false;
	return true;
}

static bool
any_todo(const struct job *j)
{
	for (size_t i = 0; i < j->file.env.rcpt_n; i++)
		if (j->rcpts[i].todo)
			return true;
	return false;
}

void
finish_job(struct job *j)
{
	const struct known *k = index_at(j->r->index, j->slot);
	struct life life = expire_life(j);
	struct finish *f;

	if (only_parks(j)) {
		job_park(j);
		return;
	}
	if (k->op == CONTROL_DELETE) {
		log_as("qmgr", LOG_LEVEL_INFO, j->id,
		    "deleted by the administrator");
		record_message(j->r, JOURNAL_DELETED, j->id,
		    j->file.env.rcpt_n, NULL);
		remove_job(j);
		return;
	}
	if (k->op == CONTROL_BOUNCE)
		expire_by_order(j);
	if (k->op != CONTROL_HOLD)
		expire_job(j, &life);
	if (all_done(j)) {
		remove_job(j);
		return;
	}
	f = mem_alloc(sizeof(*f));
	f->j = j;
	f->life = life;
	f->op = k->op;
	f->hold = k->op == CONTROL_HOLD;
	f->parks = j->parks && any_todo(j);
	plan_report(f);
	f->next = next_attempt(f);
	finish_later(f);
}

void
finish_wait(struct job *j, int64_t until)
{
	int64_t next = (until + 999) / 1000;
	struct finish *f;

	/* The spool says so already. */
	if (j->file.place == QUEUE_CUR && j->file.next == next) {
		index_wait(j->r->index, j->slot, next);
		job_free(j);
		return;
	}
	f = mem_alloc(sizeof(*f));
	f->j = j;
	f->delays = j->file.env.delays;
	f->next = next;
	finish_later(f);
}

void
finish_all(struct runner *r)
{
	while (r->finishes != NULL) {
		struct finish *f = r->finishes;

		r->finishes = f->next_one;
		loop_pool_run(r->disk, finish_work, finish_done, f);
	}
}
