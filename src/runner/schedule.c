/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * schedule -- when a message is tried again.
 *
 * The points of retry are fixed by the arrival of a message and the
 * configuration: the sums of queue.retry, whose last interval repeats.  So
 * nothing has to be remembered of how often it was tried, a change of the
 * configuration takes effect at once, and a queue that stood still for a
 * day does not catch up on a day's attempts.  A tenth of jitter keeps what
 * came together from coming back together.  It only makes late: an attempt
 * before its point would have that same point ahead of it once more.
 */

#include "result.h"

/* The next attempt is at least this far away, unless the first is nearer. */
#define GAP_MIN_MS 10000
#define STEP_MIN_MS 100
/* After a start so many are taken up in a second, unless that took too long. */
#define START_PER_S 5000
#define START_MAX_S 300

static int64_t
step(const struct conf_times *retry, size_t i)
{
	int64_t ms = retry->n > 0 ? retry->v[i] : GAP_MIN_MS;

	return ms > STEP_MIN_MS ? ms : STEP_MIN_MS;
}

/* The first point after ARRIVAL that is beyond AFTER. */
static int64_t
point_after(const struct conf_times *retry, int64_t arrival, int64_t after)
{
	int64_t at = arrival, last;
	size_t i = 0;

	for (; i + 1 < retry->n; i++) {
		at += step(retry, i);
		if (at > after)
			return at;
	}
	last = step(retry, i);
	at += last;
	if (at <= after)
		at += ((after - at) / last + 1) * last;
	return at;
}

int64_t
schedule_next(const struct conf_times *retry, int64_t arrival, int64_t now,
    uint32_t (*random)(uint32_t below))
{
	int64_t gap = step(retry, 0), wait;

	if (gap > GAP_MIN_MS)
		gap = GAP_MIN_MS;
	/* The clock was set back since: as if it came in now. */
	if (arrival > now)
		arrival = now;
	wait = point_after(retry, arrival, now + gap - 1) - now;
	return now + wait + wait / 10 * (int64_t)random(1001) / 1000;
}

uint32_t
schedule_spread(size_t n)
{
	size_t s = n / START_PER_S;

	return s < START_MAX_S ? (uint32_t)s : START_MAX_S;
}

unsigned
schedule_delays(const struct conf_times *notice, int64_t age)
{
	unsigned n = 0;

	for (size_t i = 0; i < notice->n; i++)
		if (notice->v[i] > 0 && notice->v[i] <= age)
			n++;
	return n;
}
