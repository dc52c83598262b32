/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * overview -- the first page: what runs and since when, how much mail is where,
 * which clients are here, and what is near its limit.
 */

#include "answer.h"
#include "config.h"
#include "data.h"
#include "html.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "report/listing.h"
#include "report/view.h"

/* A longer queue is said to be longer. */
#define COUNT_MOST 100000
#define SESSIONS_SHOWN 50

/* The value of the first line "KEY value" of a status. */
static struct str
status_of(struct str status, const char *key)
{
	struct str line, name;

	while (status.n > 0) {
		str_cut(status, '\n', &line, &status);
		str_cut(line, ' ', &name, &line);
		if (str_eq(name, str_c(key)))
			return line;
	}
	return STR("");
}

static void
row(struct buf *b, const char *name, struct str status, const char *key)
{
	html_row(b, name, STR_FMT, STR_ARG(status_of(status, key)));
}

/* ---- what runs ---------------------------------------------------------------------- */

static void
add_times(struct buf *b, struct str status)
{
	uint64_t up;
	char since[64];
	struct tm tm;

	if (str_u64(status_of(status, "uptime"), INT32_MAX, &up) < 0 ||
	    !clock_local(clock_wall() - (int64_t)up, &tm) ||
	    strftime(since, sizeof(since), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		return;
	buf_adds(b, "<tr><th scope=\"row\">Running since</th><td>");
	html_textf(b, "%s, ", since);
	html_span(b, (int64_t)up);
	buf_adds(b, "</td></tr>\n");
}

/* "NAME INDEX pid=PID": one that has no pid does not run, and perhaps need not. */
static void
add_helpers(struct buf *b, struct str status)
{
	struct str line, name;
	size_t n = 0;

	buf_adds(b, "<tr><th scope=\"row\">Processes</th><td>");
	while (status.n > 0) {
		str_cut(status, '\n', &line, &status);
		if (!str_eq(str_word(&line), STR("helper")))
			continue;
		name = str_word(&line);
		(void)str_word(&line);
		if (str_eq(str_trim(line), STR("pid=0")))
			continue;
		html_textf(b, "%s" STR_FMT, n++ > 0 ? ", " : "", STR_ARG(name));
	}
	buf_adds(b, "</td></tr>\n");
}

static void
add_disabled(struct buf *b, struct str status)
{
	struct str line;

	while (status.n > 0) {
		str_cut(status, '\n', &line, &status);
		if (!str_eq(str_word(&line), STR("disabled")))
			continue;
		buf_adds(b, "<p class=\"bad\">");
		html_textf(b, STR_FMT " is turned off.", STR_ARG(line));
		buf_adds(b, "</p>\n");
	}
}

static void
add_running(struct buf *b, struct str status)
{
	add_disabled(b, status);
	buf_adds(b, "<table>\n");
	html_row(b, "Version", "barid " BARID_VERSION);
	row(b, "Process", status, "pid");
	row(b, "Configuration", status, "configuration");
	add_times(b, status);
	add_helpers(b, status);
	row(b, "Users", status, "users");
	buf_adds(b, "</table>\n");
}

/* ---- the queue ------------------------------------------------------------------------ */

static void
add_counts(struct visit *v, struct buf *b)
{
	static const struct {
		unsigned state;
		const char *name;
	} states[] = { { LISTING_ACTIVE, "active" }, { LISTING_NEW, "new" },
		{ LISTING_DEFERRED, "deferred" }, { LISTING_HOLD, "hold" },
		{ LISTING_DEAD, "dead" }, { LISTING_DROP, "drop" }, { LISTING_BAD, "bad" } };
	struct msg_control *m = mem_alloc(sizeof(*m));
	const char *why = NULL;
	uint64_t count;
	struct str text;

	buf_adds(b, "<h2>Queue</h2>\n<table>\n");
	m->op = CONTROL_LIST;
	m->form = LISTING_COUNT;
	m->limit = COUNT_MOST;
	for (size_t i = 0; i < ARRAY_LEN(states) && !why; i++) {
		m->states = states[i].state;
		if (data_ask(v, m, &text, &count, &why))
			html_row(b, states[i].name, "%llu%s", (unsigned long long)count,
			    count >= COUNT_MOST ? " or more" : "");
	}
	buf_adds(b, "</table>\n");
	if (why)
		html_trouble(b, why);
	mem_free(m);
}

/* ---- since the start -------------------------------------------------------------------- */

static void
add_counters(struct buf *b, struct str status)
{
	static const struct {
		const char *key, *name;
	} counters[] = { { "messages-in", "Messages accepted" },
		{ "rcpt-rejected", "Recipients refused" }, { "delivered", "Recipients delivered" },
		{ "deferred", "Recipients deferred" }, { "bounced", "Recipients bounced" },
		{ "connections", "Connections" }, { "refused", "Connections refused" },
		{ "rate-limited", "Limited by a rate" }, { "auth-ok", "Logins" },
		{ "auth-failed", "Wrong passwords" }, { "crashes", "Sessions that crashed" },
		{ "connections-out", "Connections to other servers, now" } };

	buf_adds(b, "<h2>Since the start</h2>\n<table>\n");
	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		row(b, counters[i].name, status, counters[i].key);
	buf_adds(b, "</table>\n");
}

/* ---- limits ------------------------------------------------------------------------------- */

static void
add_rates(struct buf *b, struct str text)
{
	struct view view;

	view_init(&view);
	view_read(&view, text);
	if (view.rate_n > 0 || view.from_n > 0)
		buf_adds(b, "<h2>Limits</h2>\n<table>\n");
	for (size_t i = 0; i < view.rate_n; i++) {
		const struct view_rate *r = &view.rates[i];
		struct buf name;

		buf_init(&name, 256);
		buf_addf(&name, "limits.rate." STR_FMT, STR_ARG(str_head(r->name, 100)));
		html_row(b, buf_cstr(&name), "%llu %% used%s" STR_FMT, (unsigned long long)r->used,
		    r->who.n > 0 ? " by " : "", STR_ARG(r->who));
		buf_free(&name);
	}
	for (size_t i = 0; i < view.from_n; i++)
		html_row(b, "Connections from", STR_FMT ": %llu of %llu",
		    STR_ARG(view.froms[i].address), (unsigned long long)view.froms[i].connections,
		    (unsigned long long)view.froms[i].most);
	if (view.rate_n > 0 || view.from_n > 0)
		buf_adds(b, "</table>\n");
	view_free(&view);
}

/* ---- sessions ------------------------------------------------------------------------------- */

/* The value of "KEY=value" among the words of LINE. */
static struct str
word_of(struct str line, const char *key)
{
	struct str word, name, value;

	while ((word = str_word(&line)).n > 0)
		if (str_cut(word, '=', &name, &value) && str_eq(name, str_c(key)))
			return value;
	return STR("");
}

static struct str
service_name(struct str number)
{
	static const char *const names[] = { "smtp", "submission", "pop3" };
	uint64_t n;

	return str_u64(number, ARRAY_LEN(names) - 1, &n) == 0 ? str_c(names[n]) : number;
}

static void
add_session(struct buf *b, struct str line)
{
	static const char *const keys[] = { "client", "state", "seconds", "messages" };

	buf_adds(b, "<tr><td>");
	html_text(b, service_name(word_of(line, "service")));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		buf_adds(b, i < 2 ? "</td><td>" : "</td><td class=\"n\">");
		html_text(b, word_of(line, keys[i]));
	}
	buf_adds(b, "</td></tr>\n");
}

static void
add_sessions(struct buf *b, struct str status)
{
	struct str line, rest = status;
	size_t n = 0;

	buf_adds(b, "<h2>Sessions</h2>\n<p>");
	html_text(b, status_of(status, "sessions"));
	buf_adds(b, " now.</p>\n<div class=\"wide\"><table><thead><tr><th>Service</th>"
		    "<th>Client</th><th>State</th><th class=\"n\">Seconds</th>"
		    "<th class=\"n\">Messages</th></tr></thead>\n");
	while (rest.n > 0 && n < SESSIONS_SHOWN) {
		str_cut(rest, '\n', &line, &rest);
		if (!str_eq(str_word(&line), STR("session")))
			continue;
		add_session(b, line);
		n++;
	}
	buf_adds(b, "</table></div>\n");
}

void
overview_page(struct visit *v, struct answer *answer)
{
	struct buf *b = &answer->body;
	struct str status, dests;
	const char *why;

	html_begin(v, b, "Overview");
	if (data_ask_plain(v, CONTROL_STATUS, &status, &why)) {
		add_running(b, status);
		add_counts(v, b);
		add_counters(b, status);
		if (data_ask_plain(v, CONTROL_DESTS, &dests, &why))
			add_rates(b, dests);
		else
			html_trouble(b, why);
		add_sessions(b, status);
	} else {
		answer->status = 503;
		html_trouble(b, why);
	}
	html_end(b);
}
