/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * slots -- the connections that all groups share, and who waits for one.
 *
 * First come, first served, but for a reserve that only hosts get that have
 * taken mail before, and upstreams: were all connections to hang in the
 * greetings of strangers, mail to those would still go.  Who has its part
 * of the reserve stands in the line like everybody.
 */

#include "group.h"
#include "runner.h"

/* One in eight is kept back, but not too many; nobody gets more than a quarter. */
#define RESERVE_PART 8
#define RESERVE_MAX 32
#define RESERVE_SHARE 4

static size_t
reserve(const struct runner *r)
{
	size_t n = r->conn_max / RESERVE_PART;

	return n < RESERVE_MAX ? n : RESERVE_MAX;
}

/* True if G may have one of the reserve. */
static bool
is_favoured(const struct group *g)
{
	return (g->window.proven || g->way->kind == DEST_UPSTREAM) &&
	    g->conn_n < 1 + reserve(g->r) / RESERVE_SHARE;
}

static bool
is_free(const struct group *g)
{
	const struct runner *r = g->r;

	if (r->conn_n >= r->conn_max)
		return false;
	return is_favoured(g) || r->conn_n < r->conn_max - reserve(r);
}

static struct wants *
line_of(const struct group *g)
{
	return &g->r->groups.wants[is_favoured(g)];
}

bool
slot_take(struct group *g)
{
	/* Not before those who came earlier. */
	if (line_of(g)->n > 0 && g->r->groups.serving != g)
		return false;
	return is_free(g);
}

void
slot_want(struct group *g)
{
	struct wants *line = line_of(g);

	conn_yield(g->r);
	if (g->wants)
		return;
	g->wants = true;
	g->wants_next = NULL;
	*line->last = g;
	line->last = &g->wants_next;
	line->n++;
}

bool
slot_wanted(const struct runner *r)
{
	return r->groups.wants[0].n + r->groups.wants[1].n > 0;
}

static struct group *
wants_pop(struct wants *line)
{
	struct group *g = line->first;

	line->first = g->wants_next;
	if (line->first == NULL)
		line->last = &line->first;
	line->n--;
	g->wants = false;
	return g;
}

static void
serve(struct groups *all, struct wants *line)
{
	/* Who still wants more stands in the line again, at its end. */
	for (size_t n = line->n; n > 0 && is_free(line->first); n--) {
		all->serving = wants_pop(line);
		group_pump(all->serving);
		all->serving = NULL;
	}
}

void
slots_serve(struct runner *r)
{
	serve(&r->groups, &r->groups.wants[true]);
	serve(&r->groups, &r->groups.wants[false]);
}
