/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * listing_summary -- how many recipients wait for each domain, and how long.
 *
 * The form is that of qshape: a line for each domain, most first, columns by
 * age in minutes that double.  A message counts once for each recipient that
 * is left, or once for its sender's domain.
 */

#include <stdlib.h>

#include "lib/json.h"
#include "lib/log.h"
#include "lib/map.h"
#include "lib/mem.h"
#include "listing_forms.h"

#define MINUTE_US INT64_C(60000000)
#define AGES 10
#define FIRST_MINUTES 5	/* the end of the first column; each next is twice that */

struct summary_row {
	struct str domain;
	uint64_t n;
	uint64_t ages[AGES];
};

struct summary {
	bool by_sender;
	int64_t now_us;
	struct map *rows;	/* struct summary_row, by lower-case domain */
	struct summary_row total;
};

struct summary *
summary_new(bool by_sender, int64_t now_us)
{
	struct summary *s = mem_alloc(sizeof(*s));

	s->by_sender = by_sender;
	s->now_us = now_us;
	s->rows = map_new();
	return s;
}

void
summary_free(struct summary *s)
{
	struct str key;
	void *row;
	size_t at = 0;

	if (s == NULL)
		return;
	while (map_next(s->rows, &at, &key, &row))
		mem_free(row);
	map_free(s->rows);
	mem_free(s);
}

/* The column of an age: the first whose end is beyond it. */
static size_t
column(int64_t age_us)
{
	int64_t end = FIRST_MINUTES * MINUTE_US;
	size_t i = 0;

	for (; i + 1 < AGES && age_us >= end; i++)
		end *= 2;
	return i;
}

static struct summary_row *
row_of(struct summary *s, struct str domain)
{
	struct summary_row *row;
	struct buf b;

	buf_init(&b, 1024);
	buf_add_lower(&b, domain);
	if (domain.n == 0)
		buf_adds(&b, s->by_sender ? "MAILER-DAEMON" : "(no domain)");
	row = map_get(s->rows, buf_str(&b));
	if (row == NULL) {
		row = mem_alloc(sizeof(*row));
		map_put(s->rows, buf_str(&b), row);
	}
	buf_free(&b);
	return row;
}

static void
add(struct summary *s, struct str domain, size_t age)
{
	struct summary_row *row = row_of(s, domain);

	row->n++;
	row->ages[age]++;
	s->total.n++;
	s->total.ages[age]++;
}

void
summary_add(struct summary *s, const struct queue_file *f)
{
	size_t age = column(s->now_us - f->env.arrival_us);

	if (s->by_sender) {
		add(s, f->env.from.domain, age);
		return;
	}
	for (size_t i = 0; i < f->env.rcpt_n; i++)
		if (listing_open(f, &f->env.rcpts[i]))
			add(s, f->env.rcpts[i].path.domain, age);
}

static int
by_count(const void *a, const void *b)
{
	const struct summary_row *p = a, *q = b;

	if (p->n != q->n)
		return p->n > q->n ? -1 : 1;
	return str_cmp(p->domain, q->domain);
}

static void
print_row(FILE *out, const struct summary_row *row)
{
	char name[LOG_LINE_MAX];
	size_t n = log_escape(name, 512, row->domain);

	fprintf(out, "%*.*s %8llu", 38, (int)n, name,
	    (unsigned long long)row->n);
	for (size_t i = 0; i < AGES; i++)
		fprintf(out, " %6llu", (unsigned long long)row->ages[i]);
	fputc('\n', out);
}

static void
print_head(FILE *out)
{
	int minutes = FIRST_MINUTES;

	fprintf(out, "%38s %8s", "", "T");
	for (size_t i = 0; i + 1 < AGES; i++, minutes *= 2)
		fprintf(out, " %6d", minutes);
	fprintf(out, " %5d+\n", minutes / 2);
}

static struct json *
row_json(const struct summary_row *row)
{
	struct json *o = json_new_object(), *ages = json_new_array();

	for (size_t i = 0; i < AGES; i++)
		json_add_number(ages, row->ages[i]);
	json_set_text(o, "domain", row->domain);
	json_set_number(o, "count", row->n);
	json_set(o, "ages", ages);
	return o;
}

static void
print_json(const struct summary_row *rows, size_t n, bool by_sender, FILE *out)
{
	struct json *o = json_new_object(), *ends = json_new_array(), *list = json_new_array();
	unsigned minutes = FIRST_MINUTES;

	for (size_t i = 0; i + 1 < AGES; i++, minutes *= 2)
		json_add_number(ends, minutes);
	for (size_t i = 0; i < n; i++)
		json_add(list, row_json(&rows[i]));
	json_set_text(o, "by", by_sender ? STR("sender") : STR("recipient"));
	json_set(o, "minutes", ends);
	json_set(o, "domains", list);
	json_print(o, JSON_ONE_LINE, out);
}

void
summary_write(const struct summary *s, bool json, FILE *out)
{
	size_t n = map_count(s->rows), at = 0, i = 0;
	struct summary_row *rows = mem_array(n + 1, sizeof(*rows));
	struct str key;
	void *row;

	while (map_next(s->rows, &at, &key, &row)) {
		rows[i] = *(const struct summary_row *)row;
		rows[i++].domain = key;
	}
	qsort(rows, n, sizeof(*rows), by_count);
	if (json) {
		print_json(rows, n, s->by_sender, out);
	} else {
		struct summary_row total = s->total;

		total.domain = STR("TOTAL");
		print_head(out);
		print_row(out, &total);
		for (i = 0; i < n; i++)
			print_row(out, &rows[i]);
	}
	mem_free(rows);
}
