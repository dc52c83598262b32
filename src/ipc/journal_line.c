/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * journal_line -- one line of the journal: written, and read again.
 *
 * A line is a JSON object without nesting but for one list of numbers, and
 * is valid UTF-8 whatever came in: what is none, and control characters,
 * are escaped as in the log.  The writer allocates nothing; the reader takes
 * what this writer makes and refuses the rest, never looking beyond the
 * line.  Keys that it does not know are skipped: a later release may add
 * some.
 */

#include "ipc/journal.h"

#include "lib/log.h"

/* Of a string, so many octets are kept. */
#define STRING_MAX 2048

static const char *const names[JOURNAL_N] = {
	[JOURNAL_START] = "start",
	[JOURNAL_STOP] = "stop",
	[JOURNAL_GAP] = "gap",
	[JOURNAL_QUEUED] = "queued",
	[JOURNAL_RECEIVED] = "received",
	[JOURNAL_HELD] = "held",
	[JOURNAL_RELEASED] = "released",
	[JOURNAL_CHANGED] = "changed",
	[JOURNAL_DEAD] = "dead",
	[JOURNAL_BAD] = "bad",
	[JOURNAL_DELETED] = "deleted",
	[JOURNAL_REMOVED] = "removed",
	[JOURNAL_DSN] = "dsn",
	[JOURNAL_REPORT] = "report",
	[JOURNAL_REPORT_ROW] = "report-row",
	[JOURNAL_DELIVERED] = "delivered",
	[JOURNAL_RELAYED] = "relayed",
	[JOURNAL_DEFERRED] = "deferred",
	[JOURNAL_BOUNCED] = "bounced",
	[JOURNAL_EXPIRED] = "expired",
	[JOURNAL_DISCARDED] = "discarded",
	[JOURNAL_EXPANDED] = "expanded",
};

const char *
journal_event_name(enum journal_event e)
{
	return (unsigned)e < JOURNAL_N ? names[e] : "unknown";
}

/* ---- writing ------------------------------------------------------------ */

static void
add_key(struct buf *b, const char *key)
{
	buf_adds(b, ",\"");
	buf_adds(b, key);
	buf_adds(b, "\":");
}

/* RFC 8259 7; what is left after log_escape() are two octets to escape. */
static void
add_string(struct buf *b, const char *key, struct str s)
{
	char safe[STRING_MAX];
	size_t n, from = 0;

	if (s.n == 0)
		return;
	n = log_escape(safe, sizeof(safe), s);
	add_key(b, key);
	buf_addc(b, '"');
	for (size_t i = 0; i < n; i++) {
		if (safe[i] != '"' && safe[i] != '\\')
			continue;
		buf_add(b, str_n(safe + from, i - from));
		buf_addc(b, '\\');
		from = i;
	}
	buf_add(b, str_n(safe + from, n - from));
	buf_addc(b, '"');
}

static void
add_number(struct buf *b, const char *key, uint64_t v)
{
	if (v == 0)
		return;
	add_key(b, key);
	buf_addu(b, v);
}

/* Seconds with six digits behind the point. */
static void
add_time(struct buf *b, int64_t us)
{
	uint64_t part = 1000000 + (uint64_t)(us > 0 ? us % 1000000 : 0);
	char digits[7];

	buf_addu(b, (uint64_t)(us > 0 ? us / 1000000 : 0));
	for (size_t i = sizeof(digits); i > 0; part /= 10)
		digits[--i] = (char)('0' + part % 10);
	digits[0] = '.';
	buf_add(b, str_n(digits, sizeof(digits)));
}

static void
add_moment(struct buf *b, const char *key, int64_t us)
{
	if (us == 0)
		return;
	add_key(b, key);
	add_time(b, us);
}

static bool
is_rcpt_event(enum journal_event e)
{
	return e >= JOURNAL_DELIVERED;
}

static void
add_delays(struct buf *b, const struct journal_line *l)
{
	if (!l->has_delays)
		return;
	add_key(b, "delays");
	for (size_t i = 0; i < ARRAY_LEN(l->delays); i++) {
		buf_addc(b, i == 0 ? '[' : ',');
		buf_addu(b, (uint64_t)(l->delays[i] > 0 ? l->delays[i] : 0));
	}
	buf_addc(b, ']');
}

static void
add_runner(struct buf *b, const struct journal_line *l)
{
	add_key(b, "runner");
	buf_addu(b, l->runner);
	add_number(b, "of", l->of);
	add_number(b, "lost", l->lost);
	add_moment(b, "since", l->since_us);
}

static void
add_attempt(struct buf *b, const struct journal_line *l)
{
	add_string(b, "relay", l->relay);
	add_string(b, "host", l->host);
	add_string(b, "status", l->status);
	add_string(b, "reply", l->reply);
	add_string(b, "destination", l->dest);
	add_string(b, "route", l->route);
	add_string(b, "source", l->source);
	add_string(b, "tls", l->tls);
	add_delays(b, l);
	if (l->last) {
		add_key(b, "last");
		buf_adds(b, "true");
	}
}

/* Names of facts are none that stand in such a line already (a test looks). */
static void
add_facts(struct buf *b, const struct feedback_row *row)
{
	for (size_t i = 0; row != NULL && i < row->n; i++) {
		const struct feedback_fact *f = &row->facts[i];
		uint64_t v;

		if (!feedback_is_number(f->name))
			add_string(b, feedback_name(f->name), f->value);
		else if (str_u64(f->value, UINT64_MAX, &v) == 0) {
			/* Of these 0 says something. */
			add_key(b, feedback_name(f->name));
			buf_addu(b, v);
		}
	}
}

void
journal_format(struct buf *b, const struct journal_line *l, int64_t time_us)
{
	buf_adds(b, "{\"time\":");
	add_time(b, time_us);
	add_key(b, "event");
	buf_addc(b, '"');
	buf_adds(b, journal_event_name(l->event));
	buf_addc(b, '"');
	if (l->id == NULL)
		add_runner(b, l);
	else
		add_string(b, "id", str_c(l->id));
	add_string(b, "cause", str_c(l->cause));
	if (is_rcpt_event(l->event)) {
		add_key(b, "rcpt");
		buf_addu(b, l->rcpt);
	}
	add_number(b, "rcpts", l->rcpts);
	add_string(b, "from", l->from);
	add_string(b, "to", l->to);
	add_moment(b, "arrival", l->arrival_us);
	add_number(b, "size", l->size);
	add_string(b, "client", l->client);
	add_string(b, "helo", l->helo);
	add_string(b, "user", l->user);
	add_string(b, "listener", l->listener);
	add_string(b, "proto", l->proto);
	add_string(b, "tls", l->tls_in);
	add_attempt(b, l);
	add_string(b, "kind", l->kind);
	add_number(b, "rows", l->rows);
	add_facts(b, l->facts);
	add_string(b, "reason", l->reason);
	add_number(b, "due", (uint64_t)(l->due > 0 ? l->due : 0));
	buf_adds(b, "}\n");
}

/* ---- reading ------------------------------------------------------------ */

/* Takes C from the front of *S. */
static bool
take(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_skip(*s, 1);
	return true;
}

/* A string as it stands, escapes and all. */
static bool
take_string(struct str *s, struct str *value)
{
	size_t n = 0;

	if (!take(s, '"'))
		return false;
	while (n < s->n && s->p[n] != '"')
		n += s->p[n] == '\\' ? 2 : 1;
	if (n >= s->n)
		return false;
	*value = str_head(*s, n);
	*s = str_skip(*s, n + 1);
	return true;
}

/* A number, true, false, null, or a list of those. */
static bool
take_bare(struct str *s, struct str *value)
{
	bool list = s->n > 0 && s->p[0] == '[';
	size_t n = 0;

	if (list)
		while (n < s->n && s->p[n] != ']')
			n++;
	else
		while (n < s->n && s->p[n] != ',' && s->p[n] != '}')
			n++;
	n += list;
	if (n > s->n || n == 0)
		return false;
	*value = str_head(*s, n);
	*s = str_skip(*s, n);
	return true;
}

static bool
read_number(struct str value, uint64_t *to)
{
	return str_u64(value, INT64_MAX, to) == 0;
}

/* "SECONDS.MICROSECONDS" */
static bool
read_time(struct str value, int64_t *to)
{
	struct str head, tail;
	uint64_t s, us;

	if (!str_cut(value, '.', &head, &tail) || tail.n != 6 ||
	    str_u64(head, INT64_MAX / 1000000 - 1, &s) < 0 ||
	    str_u64(tail, 999999, &us) < 0)
		return false;
	*to = (int64_t)(s * 1000000 + us);
	return true;
}

static bool
read_event(struct str value, enum journal_event *to)
{
	for (size_t i = 0; i < JOURNAL_N; i++)
		if (str_eq(value, str_c(names[i]))) {
			*to = (enum journal_event)i;
			return true;
		}
	return false;
}

/* Keeps what is of interest; false if its value is not what it should be. */
static bool
keep_string(struct journal_entry *e, struct str key, struct str value)
{
	if (str_eq(key, STR("id")))
		e->id = value;
	else if (str_eq(key, STR("cause")))
		e->cause = value;
	else if (str_eq(key, STR("event")))
		return read_event(value, &e->event);
	return true;
}

static bool
keep_bare(struct journal_entry *e, struct str key, struct str value)
{
	if (str_eq(key, STR("time")))
		return read_time(value, &e->time_us);
	else if (str_eq(key, STR("since")))
		return read_time(value, &e->since_us);
	else if (str_eq(key, STR("rcpts")))
		return read_number(value, &e->rcpts);
	else if (str_eq(key, STR("runner")))
		return read_number(value, &e->runner);
	else if (str_eq(key, STR("lost")))
		return read_number(value, &e->lost);
	else if (str_eq(key, STR("rcpt"))) {
		e->has_rcpt = true;
		return read_number(value, &e->rcpt);
	}
	return true;
}

static bool
take_pair(struct str *line, struct journal_entry *e)
{
	struct str key, value;

	if (!take_string(line, &key) || !take(line, ':'))
		return false;
	if (line->n > 0 && line->p[0] == '"')
		return take_string(line, &value) && keep_string(e, key, value);
	return take_bare(line, &value) && keep_bare(e, key, value);
}

bool
journal_parse(struct str line, struct journal_entry *e)
{
	*e = (struct journal_entry){ .event = JOURNAL_N };
	if (!take(&line, '{'))
		return false;
	do
		if (!take_pair(&line, e))
			return false;
	while (take(&line, ','));
	return take(&line, '}') && line.n == 0 && e->event < JOURNAL_N &&
	    e->time_us != 0 && e->has_rcpt == is_rcpt_event(e->event);
}
