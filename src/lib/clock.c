/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * clock -- the two clocks; neither costs a system call (vDSO).
 *
 * Local time is the C library's, which looks at four of its pages for it.  A
 * forked session would map them for a single line of the log; so its parent
 * asks beforehand, for the quarter of an hour that it is in.
 */

#include "lib/clock.h"

#include <time.h>

#define QUARTER 900

/* A quarter of an hour in which local time goes on evenly; empty at first. */
static struct {
	int64_t from, to;
	struct tm tm;		/* at its beginning */
} quarter;

int64_t
clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
clock_wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
clock_wall(void)
{
	return clock_wall_us() / 1000000;
}

static bool
local(int64_t seconds, struct tm *tm)
{
	time_t t = (time_t)seconds;

	return localtime_r(&t, tm) != NULL;
}

bool
clock_local(int64_t seconds, struct tm *tm)
{
	if (seconds < quarter.from || seconds >= quarter.to)
		return local(seconds, tm);
	*tm = quarter.tm;
	tm->tm_min += (int)(seconds - quarter.from) / 60;
	tm->tm_sec = (int)(seconds - quarter.from) % 60;
	return true;
}

void
clock_local_prepare(int64_t now)
{
	int64_t from = now - now % QUARTER;
	struct tm last;

	if (now < 0 || (from == quarter.from && quarter.to > 0))
		return;
	quarter.from = quarter.to = 0;
	/* Where an hour begins at an odd minute, or the clocks change, it is asked each time. */
	if (!local(from, &quarter.tm) || !local(from + QUARTER - 1, &last) ||
	    quarter.tm.tm_sec != 0 || quarter.tm.tm_min % 15 != 0 ||
	    last.tm_min != quarter.tm.tm_min + 14 || last.tm_hour != quarter.tm.tm_hour ||
	    last.tm_gmtoff != quarter.tm.tm_gmtoff || last.tm_isdst != quarter.tm.tm_isdst)
		return;
	quarter.from = from;
	quarter.to = from + QUARTER;
}
