/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * when -- ages and moments as people type them.
 *
 * An age is a number and a unit; a moment is an age (that long ago), one
 * with a plus (from now on), or a date with or without a time of the day.
 * Whatever is neither is refused whole: a time that was guessed would choose
 * the wrong messages.
 */

#include "ctl.h"

#include <time.h>

#define YEARS_MAX_MS (INT64_C(100) * 366 * 86400000)

int
when_age(struct str s, int64_t *ms)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 },
		{ 'd', 86400000 }, { 'w', 604800000 } };
	uint64_t n;

	if (s.n < 2)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (s.p[s.n - 1] != units[i].unit)
			continue;
		if (str_u64(str_head(s, s.n - 1),
			(uint64_t)(YEARS_MAX_MS / units[i].ms), &n) < 0)
			return -1;
		*ms = (int64_t)n * units[i].ms;
		return 0;
	}
	return -1;
}

/* Two digits, or four, up to MAX. */
static bool
number(struct str *s, size_t digits, uint64_t max, int *to)
{
	uint64_t v;

	if (s->n < digits || str_u64(str_head(*s, digits), max, &v) < 0)
		return false;
	*s = str_skip(*s, digits);
	*to = (int)v;
	return true;
}

static bool
mark(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_skip(*s, 1);
	return true;
}

/* What stands behind the date; nothing is midnight. */
static bool
time_of_day(struct str *s, struct tm *tm)
{
	if (s->n == 0 || s->p[0] == 'Z')
		return true;
	if (!mark(s, ' ') && !mark(s, 'T'))
		return false;
	if (!number(s, 2, 23, &tm->tm_hour) || !mark(s, ':') ||
	    !number(s, 2, 59, &tm->tm_min))
		return false;
	return !mark(s, ':') || number(s, 2, 60, &tm->tm_sec);
}

static int
date(struct str s, int64_t *us)
{
	struct tm tm = { .tm_isdst = -1 }, again;
	bool utc;
	time_t t;

	if (!number(&s, 4, 9999, &tm.tm_year) || !mark(&s, '-') ||
	    !number(&s, 2, 12, &tm.tm_mon) || !mark(&s, '-') ||
	    !number(&s, 2, 31, &tm.tm_mday) || !time_of_day(&s, &tm))
		return -1;
	utc = mark(&s, 'Z');
	if (s.n > 0 || tm.tm_year < 1970 || tm.tm_mon == 0 || tm.tm_mday == 0)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	again = tm;
	t = utc ? timegm(&again) : mktime(&again);
	/* 31 February became another day. */
	if (t < 0 || again.tm_mday != tm.tm_mday)
		return -1;
	*us = (int64_t)t * 1000000;
	return 0;
}

int
when_moment(struct str s, int64_t now_us, int64_t *us)
{
	int64_t ms;

	s = str_trim(s);
	if (str_eq(s, STR("now"))) {
		*us = now_us;
		return 0;
	}
	if (s.n > 0 && s.p[0] == '+') {
		if (when_age(str_skip(s, 1), &ms) < 0)
			return -1;
		*us = now_us + ms * 1000;
		return 0;
	}
	if (when_age(s, &ms) == 0) {
		*us = now_us - ms * 1000;
		return 0;
	}
	return date(s, us);
}
