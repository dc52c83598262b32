/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * life -- how long a message is tried, and when.
 *
 * A life begins with the arrival, or when the envelope allows the first
 * attempt, and has the length that the configuration gives; mail of a null
 * sender, which nobody waits for, a shorter one.  The envelope may set its
 * end, a schedule of its own, and a number of attempts.
 *
 * What was taken down of the wall clock is only as good as the clock was.  So
 * each jump that is seen is remembered, and times from before are moved along:
 * a clock that goes ten years ahead ends no life, and one that is set back
 * makes none endless.  In doubt a message is taken for younger than it is.
 */

#include "life.h"

#include <string.h>

#include "result.h"

/* A notice is late by at most this, so that not all come at one moment. */
#define NOTICE_JITTER_MS 60000
/* No wait is beyond the one that was written down, and its jitter. */
#define WAIT_SLACK(ms) ((ms) / 10 + 1000)

void
wall_jumped(struct wall *w, int64_t before, int64_t by)
{
	if (w->n == WALL_JUMPS_MAX) {
		memmove(w->jumps, w->jumps + 1,
		    (WALL_JUMPS_MAX - 1) * sizeof(*w->jumps));
		w->n--;
	}
	w->jumps[w->n].before = before;
	w->jumps[w->n++].by = by;
}

int64_t
wall_recall(const struct wall *w, int64_t t, int64_t now)
{
	for (size_t i = 0; i < w->n; i++) {
		int64_t by = w->jumps[i].by;

		/*
		 * Forward, what was before moved along.  Backward, only what
		 * is still to come can be known to be from before.
		 */
		if (by > 0 ? t <= w->jumps[i].before : t > now)
			t += by;
	}
	return t < now ? t : now;
}

struct life
life_of(const struct conf_queue *q, const struct envelope *e,
    const struct wall *w, int64_t now)
{
	int64_t arrival = e->arrival_us / 1000, deadline = e->deadline_us / 1000;
	int64_t length = q->lifetime;
	struct life l = { .begun = wall_recall(w, arrival, now) };
	int64_t moved = l.begun - arrival;

	if (path_is_null(&e->from) && q->bounce_lifetime < length)
		length = q->bounce_lifetime;
	if (e->not_before_us / 1000 > l.begun)
		l.begun = e->not_before_us / 1000;
	l.end = l.begun + length;
	if (deadline == 0)
		return l;
	/* It moves along, but not beyond what is the end of all others. */
	if (moved > 0 && deadline < l.end)
		deadline = moved < l.end - deadline ? deadline + moved : l.end;
	l.end = deadline;
	l.deadline = true;
	return l;
}

unsigned
life_attempts(const struct conf_queue *q, const struct envelope *e)
{
	return e->max_attempts != 0 ? e->max_attempts :
				      (unsigned)q->max_attempts;
}

/* The first notice that is still to come; INT64_MAX: none. */
static int64_t
notice_after(const struct conf_times *notice, int64_t begun, int64_t now)
{
	int64_t at = INT64_MAX;

	for (size_t i = 0; i < notice->n; i++)
		if (notice->v[i] > 0 && begun + notice->v[i] > now &&
		    begun + notice->v[i] < at)
			at = begun + notice->v[i];
	return at;
}

struct conf_times
life_notices(const struct conf_queue *q, const struct envelope *e,
    const struct life *l, int64_t times[LIFE_NOTICES_MAX])
{
	struct conf_times t = { times, 0 };
	int64_t by = e->by_us / 1000 - l->begun;

	while (t.n < q->delay_notice.n && t.n < LIFE_NOTICES_MAX - 1) {
		times[t.n] = q->delay_notice.v[t.n];
		t.n++;
	}
	if (e->by_mode == BY_NOTIFY)
		times[t.n++] = by > 0 ? by : 1;
	return t;
}

unsigned
life_notices_due(const struct conf_queue *q, const struct envelope *e,
    const struct life *l, int64_t now)
{
	int64_t times[LIFE_NOTICES_MAX];
	struct conf_times notices = life_notices(q, e, l, times);

	return schedule_delays(&notices, now - l->begun);
}

int64_t
life_next(const struct conf_queue *q, const struct envelope *e,
    const struct life *l, int64_t now, bool notice,
    uint32_t (*random)(uint32_t below))
{
	int64_t own[ENVELOPE_RETRY_MAX], times[LIFE_NOTICES_MAX], at, next;
	struct conf_times notices = life_notices(q, e, l, times);
	struct conf_times retry = { own, envelope_retry(e->retry, own) };

	if (e->retry.n == 0 || retry.n == 0)
		retry = q->retry;
	next = schedule_next(&retry, l->begun, now, random);
	/* The sender is told of a delay when it is time, not some hours later. */
	if (notice && (at = notice_after(&notices, l->begun, now)) <
	    next) {
		int64_t most = (at - l->begun) / 100;

		most = most < NOTICE_JITTER_MS ? most : NOTICE_JITTER_MS;
		at += (int64_t)random((uint32_t)most + 1);
		next = at < next ? at : next;
	}
	/* The last attempt is when its life ends. */
	return next > l->end && l->end > now ? l->end : next;
}

/* The number that makes the earliest of all attempts. */
static uint32_t
least_below(uint32_t below UNUSED)
{
	return 0;
}

int64_t
life_again(const struct conf_queue *q, const struct envelope *e,
    const struct life *l, int64_t at)
{
	return life_next(q, e, l, at, false, least_below);
}

/* The number that makes the latest of all attempts. */
static uint32_t
most_below(uint32_t below)
{
	return below - 1;
}

bool
life_may_wait(const struct conf_queue *q, const struct envelope *e,
    const struct life *l, int64_t now, unsigned attempts, int64_t patience)
{
	int64_t half = (l->end - l->begun) / 2;
	unsigned most = life_attempts(q, e);

	if (now >= l->begun + (half < patience ? half : patience) ||
	    (most != 0 && attempts >= most))
		return false;
	/* At a deadline nobody is tried any more. */
	return !l->deadline || life_next(q, e, l, now, false, most_below) < l->end;
}

int64_t
life_look(const struct conf_queue *q, const struct envelope *e,
    const struct life *l, int64_t now)
{
	int64_t times[LIFE_NOTICES_MAX];
	struct conf_times notices = life_notices(q, e, l, times);
	int64_t at = notice_after(&notices, l->begun, now);

	return l->deadline && l->end < at ? l->end : at;
}

int64_t
life_waits(const struct envelope *e, int64_t due, int64_t now)
{
	int64_t own[ENVELOPE_RETRY_MAX], longest = 0;
	int64_t until = e->not_before_us / 1000;
	size_t n = envelope_retry(e->retry, own);

	if (until > now)
		return until;
	/*
	 * Others never wait longer than queue.retry says, whatever the spool
	 * says: the clock may have jumped.  This one may.
	 */
	for (size_t i = 0; i < n; i++)
		longest = own[i] > longest ? own[i] : longest;
	longest += WAIT_SLACK(longest);
	if (n == 0 || due <= now)
		return 0;
	return due - now < longest ? due : now + longest;
}
