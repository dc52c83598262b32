/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * patience -- what is parked is not forgotten.
 *
 * A message behind a destination that takes only so much waits there without
 * being tried, and it may be long.  Its sender hears of the delay all the same
 * when it is time, and its deadline holds; and who was put off is tried again,
 * though another recipient waits.  While it is parked its slot of the
 * index says when that is the next time.  It keeps its place in the line: for
 * a notice it is loaded aside, and only the count of notices in its file is
 * changed, in place, as an attempt would that may begin meanwhile.  What has no
 * time left leaves the line, and job_plan() gives it up; so does what has
 * somebody to be tried, and has its turn all the same when it comes back.
 */

#include <errno.h>

#include "dest.h"
#include "job.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/random.h"
#include "result.h"
#include "runner.h"

/* Messages that are loaded in a tick, and notices that are written at once. */
#define LOOKS_MAX 64
/* One that could not be written is tried again then. */
#define AGAIN_S 300

struct notice {
	struct job *j;
	struct bounce bounce;
	unsigned delays;
	bool written;
};

/*
 * True if recipient I waits, in the line or for its next attempt, and its sender
 * wants to hear of that.  A notice counts for the whole message, so it has both.
 */
static bool
is_waiting(const struct job *j, size_t i)
{
	return j->rcpts[i].todo && bounce_wanted(j, i, DSN_DELAYED);
}

void
patience_say(struct job *j, size_t i)
{
	/* What the last attempt came to says more, if there was one. */
	if (j->rcpts[i].time == 0)
		j->rcpts[i].result = result_words(TEMPFAIL, "4.4.5",
		    STR("it waits for its turn: no more is sent there now"));
}

/* How many notices there should have been by now; 0: nobody wants another. */
static unsigned
notices_due(const struct job *j, const struct life *l)
{
	unsigned n = life_notices_due(&j->r->conf->queue, &j->file.env, l,
	    runner_now_ms(j->r));

	for (size_t i = 0; n > j->file.env.delays && i < j->file.env.rcpt_n;
	     i++)
		if (is_waiting(j, i))
			return n;
	return 0;
}

/* When those who were put off are tried again; INT64_MAX: there are none. */
static int64_t
next_try(const struct job *j, const struct life *l)
{
	int64_t now = runner_now_ms(j->r), first = INT64_MAX, at;

	if (j->r->once)
		return first;
	for (size_t i = 0; i < j->file.env.rcpt_n; i++) {
		const struct job_rcpt *jr = &j->rcpts[i];

		if (jr->result.outcome != TEMPFAIL || (jr->todo ? !jr->tried : !jr->now))
			continue;
		at = wall_recall(&j->r->wall, jr->time * 1000, now);
		first = at < first ? at : first;
	}
	return first == INT64_MAX ? first :
	    life_next(&j->r->conf->queue, &j->file.env, l, first, false, random_below);
}

/* In seconds, as the index has it. */
static int64_t
next_look(const struct job *j, const struct life *l)
{
	int64_t at = life_look(&j->r->conf->queue, &j->file.env, l,
	    runner_now_ms(j->r));
	int64_t try = next_try(j, l);

	at = try < at ? try : at;
	return at == INT64_MAX ? at : (at + 999) / 1000;
}

int64_t
patience_until(const struct job *j)
{
	struct life l = expire_life(j);

	return notices_due(j, &l) > 0 ? 0 : next_look(j, &l);
}

/* ---- a notice ------------------------------------------------------------- */

static void
notice_work(void *arg)
{
	struct notice *n = arg;
	struct job *j = n->j;

	n->written = bounce_commit(&n->bounce) == 0;
	if (!n->written)
		log_error(j->id, "cannot write a report to the sender: %s",
		    strerror(errno));
	else if (queue_note_delay(&j->file, n->delays) < 0 ||
	    queue_sync(&j->file) < 0)
		log_warn(j->id, "cannot note a delay report: %s",
		    strerror(errno));
}

static void
notice_done(void *arg)
{
	struct notice *n = arg;
	struct job *j = n->j;
	struct runner *r = j->r;
	uint32_t slot = index_find(r->index, j->id);
	bool parked = slot != INDEX_NONE &&
	    index_at(r->index, slot)->state == KNOWN_PARKED;

	r->finishing--;
	r->looks--;
	if (n->written) {
		log_as("bounce", LOG_LEVEL_INFO, j->id,
		    "sender delay notification: %s", n->bounce.id);
		record_dsn(j, &n->bounce);
	}
	if (parked && !n->written) {
		index_at(r->index, slot)->due = runner_now(r) + AGAIN_S;
	} else if (parked && j->again) {
		index_at(r->index, slot)->due = 0;
		r->looking = true;
	}
	job_free(j);
	/* May move the index. */
	if (n->written)
		runner_announce(r, n->bounce.id);
	mem_free(n);
}

static void
notice_start(struct job *j, const struct life *l, unsigned delays)
{
	struct notice *n = mem_alloc(sizeof(*n));

	n->j = j;
	n->delays = delays;
	for (size_t i = 0; i < j->file.env.rcpt_n; i++) {
		if (!is_waiting(j, i))
			continue;
		patience_say(j, i);
		bounce_add(&n->bounce, j, i, DSN_DELAYED, l->end / 1000);
	}
	queue_id_new(n->bounce.id);
	j->r->finishing++;
	j->r->looks++;
	loop_pool_run(j->r->disk, notice_work, notice_done, n);
}

/* ---- looking -------------------------------------------------------------- */

/*
 * True if the message must leave the line: there is no time left for it, or there
 * is somebody to be tried, though not before a notice that is due is written.
 */
static bool
look_at(struct runner *r, uint32_t slot)
{
	struct known *k = index_at(r->index, slot);
	const char *reason;
	struct job *j = job_load(r, slot, &reason);
	unsigned delays;
	struct life l;
	bool leaves;

	/* Whoever tries it will see. */
	k->due = INT64_MAX;
	if (j == NULL) {
		/* It may be that there are no descriptors now. */
		k->due = runner_now(r) + AGAIN_S;
		return false;
	}
	job_rcpts(j);
	l = expire_life(j);
	leaves = expire_is_over(j);
	delays = leaves ? 0 : notices_due(j, &l);
	leaves = leaves || (j->again && delays == 0);
	if (!leaves)
		k->due = next_look(j, &l);
	if (delays > 0)
		notice_start(j, &l, delays);
	else
		job_free(j);
	return leaves;
}

struct sweep {
	struct runner *r;
	int64_t now;
	size_t n;	/* loaded so far */
};

static void
sweep_one(void *arg, uint32_t slot)
{
	struct sweep *s = arg;
	struct runner *r = s->r;

	if (index_at(r->index, slot)->due > s->now)
		return;
	if (s->n >= LOOKS_MAX || r->looks >= LOOKS_MAX || r->job_n >= r->job_max) {
		r->looking = true;
		return;
	}
	s->n++;
	if (look_at(r, slot))
		dests_unpark(r, slot);
}

void
patience_tick(struct runner *r)
{
	struct sweep s = { .r = r, .now = runner_now(r) };
	size_t at = 0;
	struct str key;
	void *v;

	r->looking = false;
	while (map_next(r->dests.all, &at, &key, &v)) {
		const struct dest *d = v;

		if (d->parking.n > 0)
			parking_sweep(&r->dests.lot, &d->parking, sweep_one, &s);
	}
}
