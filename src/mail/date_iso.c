/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * date_iso -- the dates of RFC 3339, which machines write.
 *
 * What they mean is asked of date_parse(), which knows the calendar; here is
 * only their form.  A fraction of a second is dropped.
 */

#include <time.h>

#include "grammar.h"
#include "mail/date.h"

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void
date_add_iso(struct buf *b, int64_t t)
{
	time_t when = (time_t)t;
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL || tm.tm_year < 0 ||
	    tm.tm_year > 9999 - 1900) {
		when = 0;
		tm = (struct tm){ .tm_mday = 1, .tm_year = 70 };
	}
	buf_addf(b, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* True if S begins with SHAPE, in which d is a digit and _ what parts date and time. */
static bool
has_shape(struct str s, const char *shape)
{
	for (size_t i = 0; shape[i] != '\0'; i++) {
		if (i == s.n)
			return false;
		if (shape[i] == 'd' ? !is_digit(s.p[i]) :
		    shape[i] == '_' ? strchr("Tt ", s.p[i]) == NULL :
				      s.p[i] != shape[i])
			return false;
	}
	return true;
}

/* The zone in the form of RFC 5322 into ZONE; false if S is none. */
static bool
take_zone(struct str s, char zone[6])
{
	if (s.n == 0 || str_ieq(s, STR("Z"))) {
		memcpy(zone, "+0000", 6);
		return true;
	}
	if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') ||
	    !has_shape(str_skip(s, 1), "dd:dd"))
		return false;
	memcpy(zone, s.p, 3);
	memcpy(zone + 3, s.p + 4, 2);
	zone[5] = '\0';
	return true;
}

int64_t
date_parse_iso(struct str s)
{
	static const char shape[] = "dddd-dd-dd_dd:dd:dd";
	struct str zone = str_skip(s, sizeof(shape) - 1);
	char zone_text[6];
	struct buf b;
	int month;
	int64_t t;

	if (!has_shape(s, shape) || s.p[10] == '\0')
		return -1;
	if (zone.n > 1 && zone.p[0] == '.' && is_digit(zone.p[1]))
		zone = str_skip(zone, 1 + span_of(str_skip(zone, 1), is_digit));
	month = (s.p[5] - '0') * 10 + s.p[6] - '0';
	if (month < 1 || month > 12 || !take_zone(zone, zone_text))
		return -1;
	buf_init(&b, 100);
	buf_addf(&b, "%.2s %.3s %.4s %.8s %s", s.p + 8,
	    months + (month - 1) * 3, s.p, s.p + 11, zone_text);
	t = date_parse(buf_str(&b));
	buf_free(&b);
	return t;
}
