/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * view -- what a runner says of its destinations, for `baridctl top` and
 * `baridctl explain`.
 *
 * A line for each, its fields separated by tabs, as ipc/msg.h has them.
 * The busiest come first; what has no room in an answer is counted.
 */

#include "control.h"

#include <stdlib.h>

#include "group.h"
#include "ipc/channel.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "runner.h"

/* Of the reason why a destination is dead. */
#define CAUSE_SHOWN 300
#define KEY_SHOWN 800
#define NAME_SHOWN 300
/* No line is longer. */
#define LINE_MAX_OCTETS 2048

static size_t
weight(const struct dest *d)
{
	return d->waiting + d->parking.n + d->active +
	    (d->group != NULL ? d->group->conn_n : 0);
}

static int
by_weight(const void *a, const void *b)
{
	const struct dest *p = *(const struct dest *const *)a;
	const struct dest *q = *(const struct dest *const *)b;

	if (weight(p) != weight(q))
		return weight(p) > weight(q) ? -1 : 1;
	return strcmp(p->key, q->key);
}

/* A field: what would end it becomes a space. */
static void
add_field(struct buf *b, struct str s, size_t most)
{
	s = str_head(s, most);
	for (size_t i = 0; i < s.n; i++)
		buf_addc(b, s.p[i] == '\t' || s.p[i] == '\n' ? ' ' : s.p[i]);
}

static void
add_dest(struct buf *b, const struct dest *d)
{
	static const char *const kinds[] = { [DEST_LOCAL] = "local",
		[DEST_MX] = "mx", [DEST_UPSTREAM] = "upstream",
		[DEST_PIPE] = "pipe", [DEST_FORWARD] = "forward",
		[DEST_LIST] = "list" };
	const struct group *g = d->group;
	const struct dead *dead = dest_dead(d, clock_ms());
	int64_t now = clock_wall();

	buf_adds(b, "dest\t");
	add_field(b, str_c(d->key), KEY_SHOWN);
	buf_addf(b, "\t%s\t", kinds[d->way->kind]);
	add_field(b, str_c(d->name), NAME_SHOWN);
	buf_addf(b,
	    "\t%zu\t%zu\t%zu\t%zu\t%zu\t%llu\t%u\t%u\t%u\t%lld\t",
	    d->waiting, d->parking.n,
	    g != NULL ? g->conn_n : d->active,
	    g != NULL ? g->ready_n : d->active,
	    g != NULL ? g->window.size : dest_most(d),
	    g != NULL ? (unsigned long long)g->per_destination : 0,
	    minute_sum(&d->minute, DELIVERED, now),
	    minute_sum(&d->minute, TEMPFAIL, now),
	    minute_sum(&d->minute, PERMFAIL, now),
	    (long long)(dead != NULL ? dead->until - clock_ms() : 0));
	if (dead != NULL)
		add_field(b, dead->cause.result.text, CAUSE_SHOWN);
	buf_addc(b, '\n');
}

/* The destinations called NAME, or all, the busiest first. */
static struct dest **
sorted(const struct runner *r, struct str name, size_t *n)
{
	struct dest **v = mem_array(map_count(r->dests.all) + 1,
	    sizeof(struct dest *));
	struct str key;
	size_t at = 0;
	void *d;

	*n = 0;
	while (map_next(r->dests.all, &at, &key, &d))
		if (name.n == 0 ||
		    str_ieq(name, str_c(((const struct dest *)d)->name)))
			v[(*n)++] = d;
	qsort(v, *n, sizeof(struct dest *), by_weight);
	return v;
}

void
view_answer(const struct runner *r, struct str name, int fd)
{
	struct dest **v;
	struct buf b;
	size_t n, i = 0;

	buf_init(&b, CONTROL_TEXT_MAX);
	buf_addf(&b, "runner\t%zu\t%zu\t%zu\t%zu\n", r->number,
	    index_count(r->index), r->job_n, r->conn_n);
	v = sorted(r, name, &n);
	while (i < n && b.n + 2 * LINE_MAX_OCTETS < CONTROL_TEXT_MAX)
		add_dest(&b, v[i++]);
	if (i < n)
		buf_addf(&b, "more\t%zu\n", n - i);
	mem_free(v);
	control_reply(fd, true, n, buf_str(&b));
	buf_free(&b);
}
