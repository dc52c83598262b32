/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * view -- the destinations of all runners, added up.
 *
 * The runners' answers are lines with tabs between their fields.  One
 * destination may be in the answer of each of them: counts are added, and
 * it is as dead as for the one that thinks so longest.  What the terminal
 * gets is escaped, and cut where the line ends.
 */

#include "report/view.h"

#include <stdlib.h>
#include <time.h>

#include "lib/buf.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/map.h"
#include "lib/mem.h"

#define ARENA_MAX ((size_t)256 << 20)
#define NUMBERS 10	/* of a destination */
#define NAME_COLUMNS 30

void
view_init(struct view *v)
{
	*v = (struct view){ .rows = NULL };
	arena_init(&v->arena, ARENA_MAX);
}

void
view_free(struct view *v)
{
	arena_free(&v->arena);
	mem_free(v->rows);
	v->rows = NULL;
}

/* ---- reading ------------------------------------------------------------ */

static bool
take_number(struct str *line, uint64_t *to)
{
	struct str field;

	str_cut(*line, '\t', &field, line);
	return str_u64(field, INT64_MAX, to) == 0;
}

static bool
take_numbers(struct str *line, uint64_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!take_number(line, &to[i]))
			return false;
	return true;
}

static struct view_row *
row_of(struct view *v, struct map *known, struct str key, struct str kind,
    struct str name)
{
	uintptr_t at = (uintptr_t)map_get(known, key);
	struct view_row *row;

	if (at != 0)
		return &v->rows[at - 1];
	if (v->n == v->size) {
		v->size = v->size ? v->size * 2 : 64;
		v->rows = mem_grow(v->rows, v->size, sizeof(*v->rows));
	}
	row = &v->rows[v->n++];
	*row = (struct view_row){ .key = arena_str(&v->arena, key),
		.kind = arena_str(&v->arena, kind),
		.name = arena_str(&v->arena, name) };
	map_put(known, key, (void *)(uintptr_t)v->n);
	return row;
}

static void
take_dest(struct view *v, struct map *known, struct str line)
{
	uint64_t n[NUMBERS];
	struct view_row *row;
	struct str key, kind, name;

	if (!str_cut(line, '\t', &key, &line) || key.n == 0 ||
	    !str_cut(line, '\t', &kind, &line) ||
	    !str_cut(line, '\t', &name, &line) ||
	    !take_numbers(&line, n, NUMBERS))
		return;
	row = row_of(v, known, key, kind, name);
	row->waiting += n[0];
	row->parked += n[1];
	row->connections += n[2];
	row->ready += n[3];
	row->wanted += n[4];
	/* Each finds its own by trial, but what they may have is one. */
	row->window = n[5] > 0 && row->wanted > n[5] ? n[5] : row->wanted;
	row->sent += n[6];
	row->deferred += n[7];
	row->bounced += n[8];
	if (n[9] > row->dead_ms) {
		row->dead_ms = n[9];
		row->why = arena_str(&v->arena, line);
	}
}

static void
take_runner(struct view *v, struct str line)
{
	uint64_t n[4];

	if (!take_numbers(&line, n, ARRAY_LEN(n)))
		return;
	v->runners++;
	v->queued += n[1];
	v->active += n[2];
	v->connections += n[3];
}

static void
take_rate(struct view *v, struct str line)
{
	struct view_rate *r = &v->rates[v->rate_n];
	struct str name;
	uint64_t n[4];

	if (v->rate_n == VIEW_RATES_MAX || !str_cut(line, '\t', &name, &line) ||
	    !take_numbers(&line, n, ARRAY_LEN(n)))
		return;
	*r = (struct view_rate){ .name = arena_str(&v->arena, name), .messages = n[0],
		.recipients = n[1], .per = n[2], .used = n[3],
		.who = arena_str(&v->arena, line) };
	v->rate_n++;
}

static void
take_from(struct view *v, struct str line)
{
	struct view_from *f = &v->froms[v->from_n];
	uint64_t n[2];

	if (v->from_n == VIEW_FROMS_MAX || !take_numbers(&line, n, ARRAY_LEN(n)) || line.n == 0)
		return;
	*f = (struct view_from){ .connections = n[0], .most = n[1],
		.address = arena_str(&v->arena, line) };
	v->from_n++;
}

static uint64_t
weight(const struct view_row *r)
{
	return r->waiting + r->parked + r->connections;
}

static int
by_weight(const void *a, const void *b)
{
	const struct view_row *p = a, *q = b;
	uint64_t done_p = p->sent + p->deferred + p->bounced;
	uint64_t done_q = q->sent + q->deferred + q->bounced;

	if (weight(p) != weight(q))
		return weight(p) > weight(q) ? -1 : 1;
	if (done_p != done_q)
		return done_p > done_q ? -1 : 1;
	return str_cmp(p->key, q->key);
}

void
view_read(struct view *v, struct str text)
{
	struct map *known = map_new();
	struct str line, word;
	uint64_t n;

	for (size_t i = 0; i < v->n; i++)
		map_put(known, v->rows[i].key, (void *)(uintptr_t)(i + 1));
	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		str_cut(line, '\t', &word, &line);
		if (str_eq(word, STR("dest")))
			take_dest(v, known, line);
		else if (str_eq(word, STR("runner")))
			take_runner(v, line);
		else if (str_eq(word, STR("rate")))
			take_rate(v, line);
		else if (str_eq(word, STR("from")))
			take_from(v, line);
		else if (str_eq(word, STR("more")) && take_number(&line, &n))
			v->more += n;
	}
	map_free(known);
	if (v->n > 0)
		qsort(v->rows, v->n, sizeof(*v->rows), by_weight);
}

const struct view_row *
view_find(const struct view *v, struct str kind, struct str name)
{
	for (size_t i = 0; i < v->n; i++)
		if (str_eq(v->rows[i].kind, kind) &&
		    str_ieq(v->rows[i].name, name))
			return &v->rows[i];
	return NULL;
}

/* ---- a page ------------------------------------------------------------- */

/* At most COLUMNS octets of S: of UTF-8 that may be fewer columns. */
static void
put(FILE *out, struct str s, size_t columns)
{
	char safe[LOG_LINE_MAX];
	size_t n = log_escape(safe,
	    columns < sizeof(safe) ? columns : sizeof(safe), s);

	fwrite(safe, 1, n, out);
}

static void
put_line(FILE *out, const struct buf *line, size_t columns)
{
	put(out, buf_str(line), columns);
	fputc('\n', out);
}

static void
add_name(struct buf *b, const struct view_row *r)
{
	struct str shown = str_eq(r->kind, STR("local")) ? STR("(mailboxes)") :
							   r->name;
	struct buf name;

	buf_init(&name, 2048);
	if (str_eq(r->kind, STR("upstream")))
		buf_adds(&name, "via ");
	if (str_eq(r->kind, STR("pipe")))
		buf_adds(&name, "program for ");
	buf_add(&name, shown);
	/* What is special of a name stands at its end. */
	if (name.n > NAME_COLUMNS)
		buf_addf(b, "..%s",
		    buf_cstr(&name) + name.n - (NAME_COLUMNS - 2));
	else
		buf_addf(b, "%-*s", NAME_COLUMNS, buf_cstr(&name));
	buf_free(&name);
}

static void
row_line(struct buf *b, const struct view_row *r)
{
	buf_reset(b);
	add_name(b, r);
	buf_addf(b, " %7llu %7llu %5llu/%-5llu %7llu %7llu %7llu  ",
	    (unsigned long long)r->waiting, (unsigned long long)r->parked,
	    (unsigned long long)r->connections, (unsigned long long)r->window,
	    (unsigned long long)r->sent, (unsigned long long)r->deferred,
	    (unsigned long long)r->bounced);
	if (r->dead_ms == 0)
		return;
	buf_addf(b, "dead for %llu s: ",
	    (unsigned long long)(r->dead_ms + 999) / 1000);
	buf_add(b, r->why);
}

void
view_page(const struct view *v, size_t rows, size_t columns, int64_t now,
    FILE *out)
{
	size_t shown = v->n, left = rows > 3 ? rows - 3 : 1;
	time_t t = (time_t)now;
	char clock[16] = "";
	struct buf b;
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	buf_init(&b, LOG_LINE_MAX);
	buf_addf(&b, "%s  %llu in the queue, %llu being delivered, "
	    "%llu connections, %llu destinations", clock,
	    (unsigned long long)v->queued, (unsigned long long)v->active,
	    (unsigned long long)v->connections,
	    (unsigned long long)(v->n + v->more));
	put_line(out, &b, columns);
	buf_reset(&b);
	put_line(out, &b, columns);
	buf_addf(&b, "%-*s %7s %7s %5s/%-5s %7s %7s %7s", NAME_COLUMNS,
	    "DESTINATION", "WAITING", "PARKED", "CONN", "MAX", "SENT/m",
	    "DEFER/m", "BOUNCE");
	put_line(out, &b, columns);
	if (rows > 0 && shown > left)
		shown = left;
	for (size_t i = 0; i < shown; i++) {
		row_line(&b, &v->rows[i]);
		put_line(out, &b, columns);
	}
	buf_free(&b);
}

static void
add_number(struct buf *b, uint64_t n)
{
	if (n > 0)
		buf_addf(b, " %10llu", (unsigned long long)n);
	else
		buf_addf(b, " %10s", "-");
}

/* The kinds of rates have short names, and who is near may have a long one. */
#define RATE_COLUMNS 10

size_t
view_rates(const struct view *v, size_t columns, FILE *out)
{
	struct buf b;

	if (v->rate_n == 0)
		return 0;
	buf_init(&b, LOG_LINE_MAX);
	put_line(out, &b, columns);
	buf_addf(&b, "%-*s %10s %10s %12s %7s", RATE_COLUMNS, "RATE", "MESSAGES", "RECIPIENTS",
	    "PER", "USED");
	buf_adds(&b, "  BY");
	put_line(out, &b, columns);
	for (size_t i = 0; i < v->rate_n; i++) {
		const struct view_rate *r = &v->rates[i];

		buf_reset(&b);
		buf_addf(&b, "%-*.*s", RATE_COLUMNS, STR_ARG(r->name));
		add_number(&b, r->messages);
		add_number(&b, r->recipients);
		buf_addf(&b, " %10llu s %5llu %%", (unsigned long long)r->per,
		    (unsigned long long)r->used);
		if (r->who.n > 0)
			buf_addf(&b, "  " STR_FMT, STR_ARG(r->who));
		put_line(out, &b, columns);
	}
	buf_free(&b);
	return v->rate_n + 2;
}

size_t
view_froms(const struct view *v, size_t columns, FILE *out)
{
	struct buf b;

	if (v->from_n == 0)
		return 0;
	buf_init(&b, LOG_LINE_MAX);
	put_line(out, &b, columns);
	buf_addf(&b, "%-*s %12s %7s", NAME_COLUMNS, "CONNECTIONS FROM", "CONNECTIONS", "MAX");
	put_line(out, &b, columns);
	for (size_t i = 0; i < v->from_n; i++) {
		const struct view_from *f = &v->froms[i];

		buf_reset(&b);
		buf_addf(&b, "%-*.*s %12llu %7llu", NAME_COLUMNS, STR_ARG(f->address),
		    (unsigned long long)f->connections, (unsigned long long)f->most);
		put_line(out, &b, columns);
	}
	buf_free(&b);
	return v->from_n + 2;
}

/* ---- for programs ---------------------------------------------------------------- */

static struct json *
row_json(const struct view_row *r)
{
	struct json *o = json_new_object();

	json_set_text(o, "kind", r->kind);
	json_set_text(o, "name", r->name);
	json_set_text(o, "destination", r->key);
	json_set_number(o, "waiting", r->waiting);
	json_set_number(o, "parked", r->parked);
	json_set_number(o, "connections", r->connections);
	json_set_number(o, "ready", r->ready);
	json_set_number(o, "window", r->window);
	json_set_number(o, "sent", r->sent);
	json_set_number(o, "deferred", r->deferred);
	json_set_number(o, "bounced", r->bounced);
	if (r->dead_ms > 0) {
		json_set_number(o, "dead_ms", r->dead_ms);
		json_set_text(o, "dead_reason", r->why);
	}
	return o;
}

static struct json *
rate_json(const struct view_rate *r)
{
	struct json *o = json_new_object();

	json_set_text(o, "rate", r->name);
	json_set_number(o, "messages", r->messages);
	json_set_number(o, "recipients", r->recipients);
	json_set_number(o, "per", r->per);
	json_set_number(o, "used", r->used);
	if (r->who.n > 0)
		json_set_text(o, "by", r->who);
	else
		json_set_null(o, "by");
	return o;
}

static struct json *
from_json(const struct view_from *f)
{
	struct json *o = json_new_object();

	json_set_text(o, "address", f->address);
	json_set_number(o, "connections", f->connections);
	json_set_number(o, "most", f->most);
	return o;
}

void
view_json(const struct view *v, int64_t now, FILE *out)
{
	struct json *o = json_new_object(), *list = json_new_array(), *rates = json_new_array();
	struct json *froms = json_new_array();

	for (size_t i = 0; i < v->n; i++)
		json_add(list, row_json(&v->rows[i]));
	for (size_t i = 0; i < v->rate_n; i++)
		json_add(rates, rate_json(&v->rates[i]));
	for (size_t i = 0; i < v->from_n; i++)
		json_add(froms, from_json(&v->froms[i]));
	json_set_integer(o, "time", now);
	json_set_number(o, "runners", v->runners);
	json_set_number(o, "queued", v->queued);
	json_set_number(o, "active", v->active);
	json_set_number(o, "connections", v->connections);
	json_set(o, "destinations", list);
	json_set_number(o, "more", v->more);
	json_set(o, "rates", rates);
	json_set(o, "from", froms);
	json_print(o, JSON_ONE_LINE, out);
}
