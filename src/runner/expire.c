/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * expire -- messages that wait for their time, and those whose time is over.
 *
 * A recipient that is given up keeps the answer of its last attempt: that is
 * what its sender wants to know.  The status says that it is the end: 4.4.7, a
 * failure that lasted too long (RFC 3463 3.5).
 */

#include <errno.h>

#include "ipc/msg.h"
#include "job.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "result.h"
#include "runner.h"

struct life
expire_life(const struct job *j)
{
	return life_of(&j->r->conf->queue, &j->file.env, &j->r->wall,
	    runner_now_ms(j->r));
}

int64_t
expire_waits(const struct job *j)
{
	int64_t due = index_at(j->r->index, j->slot)->due;

	/* What was to be tried at once does not ask the spool. */
	if (due != 0 && j->file.place == QUEUE_CUR)
		due = j->file.next;
	return life_waits(&j->file.env, due * 1000,
	    runner_now_ms(j->r));
}

bool
expire_is_over(const struct job *j)
{
	struct life l = expire_life(j);

	return l.deadline && runner_now_ms(j->r) >= l.end;
}

/* ---- after an attempt ---------------------------------------------------------- */

/* How often each of the N recipients in RCPTS was tried, this attempt counted. */
static struct queue_history *
count_attempts(struct job *j, const size_t *rcpts, size_t n)
{
	struct queue_history *h = arena_alloc(&j->arena, n * sizeof(*h));

	if (queue_history(&j->file, rcpts, n, &j->arena, h) < 0)
		log_warn(j->id, "cannot read the attempts: %s",
		    strerror(errno));
	/* The one that just was has no note yet. */
	for (size_t i = 0; i < n; i++)
		h[i].attempts++;
	return h;
}

static struct queue_history *
count_all(struct job *j)
{
	size_t n = j->file.env.rcpt_n;
	size_t *all = arena_alloc(&j->arena, n * sizeof(*all));

	for (size_t i = 0; i < n; i++)
		all[i] = i;
	return count_attempts(j, all, n);
}

bool
expire_may_wait(struct job *j, size_t rcpt, int64_t patience)
{
	const struct conf_queue *q = &j->r->conf->queue;
	struct life l = expire_life(j);
	unsigned attempts = life_attempts(q, &j->file.env) == 0 ? 0 :
	    (unsigned)count_attempts(j, &rcpt, 1)->attempts;

	return life_may_wait(q, &j->file.env, &l, runner_now_ms(j->r), attempts, patience);
}

/*
 * Time is up: 5.4.7 where the sender set it (RFC 2852 4).  But a mailbox that
 * stayed full is its owner's to see to.
 */
static void
set_status(const struct job *j, struct result *res)
{
	if (j->file.env.by_mode == BY_RETURN &&
	    runner_now_ms(j->r) >= j->file.env.by_us / 1000)
		memcpy(res->status, "5.4.7", sizeof("5.4.7"));
	else if (strcmp(res->status, "4.2.2") == 0)
		res->status[0] = '5';
	else
		memcpy(res->status, "4.4.7", sizeof("4.4.7"));
}

/*
 * Recipient I was not tried now.  What its last attempt came to is as good an
 * answer as if it had been: LAST has it, unless there never was one.
 */
static void
end_untried(struct job *j, size_t i, const struct queue_attempt *last)
{
	struct job_rcpt *jr = &j->rcpts[i];

	if (last != NULL && last[i].time != 0) {
		job_recall(j, i, PERMFAIL, &last[i]);
		jr->noted = true;
	} else {
		jr->result = result_words(PERMFAIL, "4.4.7",
		    STR("the time that was set for its delivery is over"));
		jr->time = clock_wall();
	}
	jr->todo = false;
	jr->now = true;
}

/* What was tried before; NULL if it cannot be read. */
static const struct queue_attempt *
last_attempts(struct job *j)
{
	struct queue_attempt *last;

	if (queue_notes(&j->file, &j->arena, &last) == 0)
		return last;
	log_warn(j->id, "cannot read the attempts: %s", strerror(errno));
	return NULL;
}

static void
give_up_one(struct job *j, size_t i)
{
	struct job_rcpt *jr = &j->rcpts[i];

	jr->result.outcome = PERMFAIL;
	set_status(j, &jr->result);
	jr->expired = true;
	score_add(j->r->score, COUNT_BOUNCED, 1);
	record_given_up(j, i);
}

static void
say_expired(const struct job *j)
{
	struct buf from;

	buf_init(&from, 1024);
	path_add(&from, &j->file.env.from);
	log_as("qmgr", LOG_LEVEL_INFO, j->id,
	    "from=<%s>, status=expired, returned to sender", buf_cstr(&from));
	buf_free(&from);
}

void
expire_job(struct job *j, const struct life *l)
{
	unsigned most = life_attempts(&j->r->conf->queue, &j->file.env);
	bool over = runner_now_ms(j->r) >= l->end, any = false;
	const struct queue_attempt *last = NULL;
	struct queue_history *h = NULL;

	if (!over && most == 0)
		return;
	for (size_t i = 0; i < j->file.env.rcpt_n; i++) {
		const struct job_rcpt *jr = &j->rcpts[i];

		/* Who was not tried is given up for a deadline only. */
		if (jr->todo ? !over || !l->deadline :
			       !jr->now || jr->result.outcome != TEMPFAIL)
			continue;
		if (!over && h == NULL)
			h = count_all(j);
		if (!over && h[i].attempts < most)
			continue;
		if (jr->todo && last == NULL)
			last = last_attempts(j);
		if (jr->todo)
			end_untried(j, i, last);
		give_up_one(j, i);
		any = true;
	}
	if (any)
		say_expired(j);
}

void
expire_by_order(struct job *j)
{
	for (size_t i = 0; i < j->file.env.rcpt_n; i++) {
		struct job_rcpt *jr = &j->rcpts[i];

		/* One that was left out of this pass has no outcome. */
		if (!jr->todo &&
		    (!jr->now || jr->result.outcome != TEMPFAIL))
			continue;
		jr->todo = false;
		jr->now = true;
		jr->time = clock_wall();
		jr->result = result_words(PERMFAIL, "5.7.0",
		    STR("returned by the administrator"));
		score_add(j->r->score, COUNT_BOUNCED, 1);
		record_given_up(j, i);
	}
}
