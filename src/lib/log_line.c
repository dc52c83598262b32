/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * log_line -- the bytes of one line of the log, and the one place where
 * foreign text is made harmless for it.
 *
 * Pure: no target, no clock, no memory but the line's own.  A line that is
 * too long is cut between two characters and still ends as its shape asks.
 */

#include "log_line.h"

#include <stdarg.h>
#include <unistd.h>

#include "fmt.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "utf8.h"

/* A code point that would break a line or turn its reading order around. */
static bool
is_unsafe(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 ||
	    cp == 0x2029 || (cp >= 0x202a && cp <= 0x202e) ||
	    (cp >= 0x2066 && cp <= 0x2069);
}

size_t
log_escape(char *out, size_t max, struct str s)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = (const unsigned char *)s.p;
	size_t len, at = 0;
	uint32_t cp;

	for (size_t i = 0; i < s.n; i += len) {
		len = utf8_next(p + i, s.n - i, &cp);
		if (len > 0 && !is_unsafe(cp)) {
			if (max - at < len)
				break;
			memcpy(out + at, p + i, len);
			at += len;
			continue;
		}
		len = len > 0 ? len : 1;
		if (max - at < 4 * len)
			break;
		for (size_t k = 0; k < len; k++) {
			out[at++] = '\\';
			out[at++] = 'x';
			out[at++] = hex[p[i + k] >> 4];
			out[at++] = hex[p[i + k] & 15];
		}
	}
	return at;
}

/* The bytes that are kept free for the end of the line. */
#define LINE_END 4
/* Of a field that is no message: JSON must have room to close. */
#define FIELD_MAX 128

static size_t
line_room(const struct log_line *l)
{
	return l->max - LINE_END - l->n;
}

static void
line_add(struct log_line *l, struct str s)
{
	l->n += log_escape(l->p + l->n, line_room(l), s);
}

PRINTF(2, 3) static void
line_addf(struct log_line *l, const char *fmt, ...)
{
	char part[256];
	va_list ap;

	va_start(ap, fmt);
	fmt_put(part, sizeof(part), fmt, ap);
	va_end(ap);
	line_add(l, str_c(part));
}

static void
line_number(struct log_line *l, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	line_add(l, str_n(digits + at, sizeof(digits) - at));
}

/* The text of a JSON string (RFC 8259 7), after the sink's own escapes. */
static void
line_add_json(struct log_line *l, struct str s)
{
	char safe[LOG_LINE_MAX];
	size_t n = log_escape(safe, sizeof(safe), s);
	size_t from = 0;

	for (size_t i = 0; i <= n; i++) {
		if (i < n && safe[i] != '"' && safe[i] != '\\')
			continue;
		line_add(l, str_n(safe + from, i - from));
		from = i;
		/* Both bytes of an escape or none. */
		if (i == n || line_room(l) < 2)
			break;
		line_add(l, STR("\\"));
	}
}

static void
line_ident(struct log_line *l, const struct log_event *e)
{
	line_add(l, e->component[0] != '\0' ? STR("barid/") : STR("barid"));
	line_add(l, str_c(e->component));
	line_add(l, STR("["));
	line_number(l, (uint64_t)getpid());
	line_add(l, STR("]: "));
}

static void
line_message(struct log_line *l, const struct log_event *e)
{
	if (e->id != NULL) {
		line_add(l, str_c(e->id));
		line_add(l, STR(": "));
	}
	line_add(l, str_c(e->prefix));
	line_add(l, e->text);
}

/* V in so many digits. */
static void
line_digits(struct log_line *l, int64_t v, size_t digits)
{
	char text[8];

	for (size_t i = digits; i-- > 0; v /= 10)
		text[i] = (char)('0' + v % 10);
	line_add(l, str_n(text, digits));
}

/*
 * The day that is DAYS after 1970-01-01, as the calendar has it.  The year is
 * taken to begin in March, so that a leap day is its last, and is looked for
 * within 400 years, after which all repeats.  gmtime_r() would look for the
 * time zone, and a session would copy what it keeps of it.
 */
static void
line_day(struct log_line *l, int64_t days)
{
	/* From 0000-03-01 on. */
	int64_t of_era = (days += 719468) % 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	int64_t day = of_year - (153 * month + 2) / 5 + 1;

	month += month < 10 ? 3 : -9;
	line_digits(l, year + days / 146097 * 400 + (month <= 2), 4);
	line_add(l, STR("-"));
	line_digits(l, month, 2);
	line_add(l, STR("-"));
	line_digits(l, day, 2);
}

/* RFC 3339, in UTC, with the numeric zone that pflogsumm expects. */
static void
line_stamp(struct log_line *l, int64_t us)
{
	int64_t second = us > 0 ? us / 1000000 : 0;

	line_day(l, second / 86400);
	line_add(l, STR("T"));
	line_digits(l, second / 3600 % 24, 2);
	line_add(l, STR(":"));
	line_digits(l, second / 60 % 60, 2);
	line_add(l, STR(":"));
	line_digits(l, second % 60, 2);
	line_add(l, STR("."));
	line_digits(l, us > 0 ? us % 1000000 : 0, 6);
	line_add(l, STR("+00:00"));
}

void
log_line_text(struct log_line *l, const struct log_event *e)
{
	line_stamp(l, e->at);
	line_add(l, STR(" "));
	line_add(l, str_c(e->host));
	line_add(l, STR(" "));
	line_ident(l, e);
	line_message(l, e);
	l->p[l->n++] = '\n';
}

void
log_line_json(struct log_line *l, const struct log_event *e)
{
	line_add(l, STR("{\"time\":\""));
	line_stamp(l, e->at);
	line_add(l, STR("\",\"host\":\""));
	line_add_json(l, str_c(e->host));
	line_add(l, STR("\",\"component\":\""));
	line_add_json(l, str_head(str_c(e->component), FIELD_MAX));
	line_addf(l, "\",\"pid\":%d,\"level\":\"%s\",\"id\":", (int)getpid(),
	    e->word);
	if (e->id != NULL) {
		line_add(l, STR("\""));
		line_add_json(l, str_head(str_c(e->id), FIELD_MAX));
		line_add(l, STR("\""));
	} else {
		line_add(l, STR("null"));
	}
	line_add(l, STR(",\"message\":\""));
	line_add_json(l, e->text);
	memcpy(l->p + l->n, "\"}\n", 3);
	l->n += 3;
}

/* RFC 3164 4.1, as every /dev/log takes it: no host, local time. */
void
log_line_syslog(struct log_line *l, const struct log_event *e, int facility)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = { .tm_mday = 1 };

	(void)clock_local(e->at / 1000000, &tm);
	line_addf(l, "<%d>", facility | e->priority);
	line_add(l, str_n(months + 3 * tm.tm_mon, 3));
	line_addf(l, tm.tm_mday > 9 ? " %d" : "  %d", tm.tm_mday);
	line_addf(l, " %02d:%02d:%02d ", tm.tm_hour, tm.tm_min, tm.tm_sec);
	line_ident(l, e);
	line_message(l, e);
}
