/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * date -- RFC 5322 dates, written in local time and read from anybody.
 *
 * Writing depends on no locale.  The time zone is loaded by the C library
 * at the first date of a process and kept: a process that will be confined
 * to a chroot makes a date before.  Reading takes the obsolete forms of
 * RFC 5322 4.3 and does not check that the day of the week is right.
 */

#include "mail/date.h"

#include <time.h>

#include "grammar.h"
#include "lib/clock.h"

#define SECONDS_DAY 86400

static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri",
	"Sat" };
static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* Writes V as N digits at P. */
static char *
put_digits(char *p, int v, int n)
{
	for (int i = n - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

static char *
put_text(char *p, const char *text, size_t n)
{
	memcpy(p, text, n);
	return p + n;
}

/* "Fri, 20 Nov 2026 12:00:00 ", the day with so many DIGITS. */
static char *
put_time(char *p, const struct tm *tm, int digits)
{
	p = put_text(p, days[tm->tm_wday], 3);
	p = put_text(p, ", ", 2);
	p = put_digits(p, tm->tm_mday, digits);
	*p++ = ' ';
	p = put_text(p, months[tm->tm_mon], 3);
	*p++ = ' ';
	p = put_digits(p, tm->tm_year + 1900, 4);
	*p++ = ' ';
	p = put_digits(p, tm->tm_hour, 2);
	*p++ = ':';
	p = put_digits(p, tm->tm_min, 2);
	*p++ = ':';
	p = put_digits(p, tm->tm_sec, 2);
	*p++ = ' ';
	return p;
}

/* What a clock that says no year of four digits is taken for. */
static const struct tm begin = { .tm_mday = 1, .tm_year = 70, .tm_wday = 4 };

static bool
is_year(const struct tm *tm)
{
	return tm->tm_year >= 0 && tm->tm_year <= 9999 - 1900;
}

void
date_add_http(struct buf *b, int64_t t)
{
	time_t seconds = (time_t)t;
	struct tm tm;
	char text[40];
	char *p;

	if (gmtime_r(&seconds, &tm) == NULL || !is_year(&tm))
		tm = begin;
	p = put_text(put_time(text, &tm, 2), "GMT", 3);
	buf_add(b, str_n(text, (size_t)(p - text)));
}

void
date_add(struct buf *b, int64_t t)
{
	struct tm tm;
	char text[40];
	char *p;
	long offset;

	if (!clock_local(t, &tm) || !is_year(&tm))
		tm = begin;
	offset = tm.tm_gmtoff / 60;
	p = put_time(text, &tm, tm.tm_mday > 9 ? 2 : 1);
	*p++ = offset < 0 ? '-' : '+';
	offset = offset < 0 ? -offset : offset;
	p = put_digits(p, (int)(offset / 60 * 100 + offset % 60), 4);
	buf_add(b, str_n(text, (size_t)(p - text)));
}

/* Takes a number of MIN to MAX digits; its digits, or 0 if there is none. */
static size_t
take_number(struct str *s, size_t min, size_t max, int *v)
{
	size_t n = span_of(*s, is_digit);

	if (n < min || n > max)
		return 0;
	*v = 0;
	for (size_t i = 0; i < n; i++)
		*v = *v * 10 + (s->p[i] - '0');
	*s = str_skip(*s, n);
	return n;
}

/* Takes letters and says which of the N three-letter NAMES they are; or -1. */
static int
take_name(struct str *s, const char (*names)[4], int n)
{
	struct str word = str_head(*s, span_of(*s, is_alpha));

	*s = str_skip(*s, word.n);
	for (int i = 0; i < n; i++)
		if (str_ieq(word, str_n(names[i], 3)))
			return i;
	return -1;
}

static bool
take_char(struct str *s, char c)
{
	if (!skip_cfws(s) || s->n == 0 || s->p[0] != c)
		return false;
	*s = str_skip(*s, 1);
	return skip_cfws(s);
}

/* RFC 5322 4.3: two digits are 1950 to 2049, three count from 1900. */
static bool
take_year(struct str *s, int *year)
{
	size_t n = take_number(s, 2, 4, year);

	if (n == 2)
		*year += *year < 50 ? 2000 : 1900;
	else if (n == 3)
		*year += 1900;
	return n > 0 && *year >= 1900;
}

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
month_days(int year, int month)
{
	static const int n[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };

	return n[month] + (month == 1 && is_leap(year));
}

/* [day-of-week ","] day month year, as days since 1970. */
static bool
take_date(struct str *s, int64_t *since)
{
	int day, month, year;

	if (!skip_cfws(s))
		return false;
	if (s->n > 0 && is_alpha(s->p[0])) {
		if (take_name(s, days, 7) < 0)
			return false;
		take_char(s, ',');
	}
	if (take_number(s, 1, 2, &day) == 0 || !skip_cfws(s) ||
	    (month = take_name(s, months, 12)) < 0 || !skip_cfws(s) ||
	    !take_year(s, &year))
		return false;
	if (day < 1 || day > month_days(year, month))
		return false;
	*since = day - 1;
	for (int m = 0; m < month; m++)
		*since += month_days(year, m);
	for (int y = 1970; y < year; y++)
		*since += 365 + is_leap(y);
	for (int y = year; y < 1970; y++)
		*since -= 365 + is_leap(y);
	return true;
}

/* hour ":" minute [":" second], as seconds. */
static bool
take_time(struct str *s, int64_t *seconds)
{
	int hour, minute, second = 0;

	if (take_number(s, 1, 2, &hour) == 0 || !take_char(s, ':') ||
	    take_number(s, 1, 2, &minute) == 0)
		return false;
	if (take_char(s, ':') && take_number(s, 1, 2, &second) == 0)
		return false;
	*seconds = hour * 3600 + minute * 60 + second;
	return hour < 24 && minute < 60 && second <= 60;
}

/*
 * A zone, as seconds to be taken away.  The military letters were defined
 * wrongly once, so that they, and names nobody knows, say nothing
 * (RFC 5322 4.3).
 */
static bool
take_zone(struct str *s, int64_t *seconds)
{
	static const char names[10][4] = { "EDT", "EST", "CDT", "CST", "MDT",
		"MST", "PDT", "PST", "GMT", "UTC" };
	static const int hours[10] = { -4, -5, -5, -6, -6, -7, -7, -8, 0, 0 };
	int v;

	*seconds = 0;
	if (s->n > 0 && (s->p[0] == '+' || s->p[0] == '-')) {
		int sign = s->p[0] == '-' ? -1 : 1;

		*s = str_skip(*s, 1);
		if (take_number(s, 4, 4, &v) == 0 || v % 100 > 59)
			return false;
		*seconds = sign * (v / 100 * 3600 + v % 100 * 60);
		return true;
	}
	if (s->n == 0 || !is_alpha(s->p[0]))
		return false;
	v = take_name(s, names, 10);
	if (v >= 0)
		*seconds = (int64_t)hours[v] * 3600;
	return true;
}

int64_t
date_parse(struct str s)
{
	int64_t day, second, zone;

	if (!take_date(&s, &day) || !skip_cfws(&s) || !take_time(&s, &second) ||
	    !skip_cfws(&s) || !take_zone(&s, &zone) || !skip_cfws(&s) ||
	    s.n > 0)
		return -1;
	return day * SECONDS_DAY + second - zone;
}
