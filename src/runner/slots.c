/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * slots -- the connections that all groups share, and who waits for one.
 *
 * First come, first served, but for a reserve that only hosts get that have
 * taken mail before, and upstreams: were all connections to hang in the
 * greetings of strangers, mail to those would still go.  Who has its part
 * of the reserve stands in the line like everybody.
 *
 * The numbers are those of all runners (ipc/share.h).  A runner that has more
 * than its part of them gives one back after some messages, when another
 * waits.  Clients that are there, and these, are bounded together: where there
 * could be too many it is looked at how many clients there are, and one
 * connection is left whatever they do, so that a flood of them stops no mail.
 */

#include "group.h"

#include "lib/clock.h"
#include "runner.h"

/* One in eight is kept back, but not too many; nobody gets more than a quarter. */
#define RESERVE_PART 8
#define RESERVE_MAX 32
#define RESERVE_SHARE 4
/* How often another runner is looked at, by who waits for its connections. */
#define POLL_MS 100
/* So many messages are worth a connection, before another runner has it. */
#define OWED_AFTER 10

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

/* Of all connections, as many as G may make use of. */
static size_t
most(const struct group *g)
{
	return is_favoured(g) ? g->r->conn_max : g->r->conn_max - reserve(g->r);
}

static bool
is_free(const struct group *g)
{
	return g->r->conn_n < most(g);
}

static struct wants *
line_of(const struct group *g)
{
	return &g->r->groups.wants[is_favoured(g)];
}

/* Of all connections, as many as the clients leave. */
static uint64_t
beside_clients(const struct runner *r)
{
	const struct conf_limits *l = &r->conf->limits;
	uint64_t live;

	if (share_total(runner_share(r), SHARE_ALL) + l->connections_in < l->connections)
		return l->connections_out;
	live = score_live(r->score);
	if (live >= l->connections)
		return 1;
	live = l->connections - live;
	return live < l->connections_out ? live : l->connections_out;
}

/* Whoever has one may be another runner, or a client, who tells nobody. */
static void
poll_others(struct runner *r)
{
	if (r->count > 1 || beside_clients(r) < r->conf->limits.connections_out)
		loop_timer_set(r->groups.poll, POLL_MS);
}

/* Counts a connection more in all and of G; false: there are enough. */
static enum slot
take(struct group *g, uint64_t most_all, uint64_t most_own,
    struct share_place *place)
{
	struct share_user u = runner_share(g->r);
	struct share_place all;
	int64_t now = clock_ms();

	if (!share_take(u, STR(""), most_all, now, &all)) {
		poll_others(g->r);
		return SLOT_NONE;
	}
	if (share_take(u, str_c(g->key), most_own, now, place)) {
		score_add(g->r->score, COUNT_CONNECTIONS_OUT, 1);
		return SLOT_TAKEN;
	}
	share_give(u, all);
	spare_poll(g, POLL_MS);
	return SLOT_NONE_HERE;
}

enum slot
slot_take(struct group *g, struct share_place *place)
{
	uint64_t all = g->r->conf->limits.connections_out, left;

	/* Not before those who came earlier. */
	if ((line_of(g)->n > 0 && g->r->groups.serving != g) || !is_free(g))
		return SLOT_NONE;
	if (!is_favoured(g))
		all -= reserve(g->r);
	left = beside_clients(g->r);
	return take(g, left < all ? left : all, g->per_destination, place);
}

bool
slot_may_force(const struct group *g)
{
	struct share_user u = runner_share(g->r);

	return is_free(g) && g->conn_n < g->per_destination &&
	    share_total(u, SHARE_ALL) < beside_clients(g->r);
}

struct share_place
slot_force(struct group *g)
{
	struct share_place place;

	if (take(g, UINT64_MAX, UINT64_MAX, &place) != SLOT_TAKEN)
		place = SHARE_NONE;
	return place;
}

void
slot_give(const struct group *g, struct share_place place)
{
	struct share_user u = runner_share(g->r);

	if (place.at == SHARE_NONE.at)
		return;
	score_add(g->r->score, COUNT_CONNECTIONS_OUT, -1);
	share_give(u, SHARE_ALL);
	share_give(u, place);
}

bool
slot_owed(const struct group *g, struct share_place place, size_t messages)
{
	struct share_user u = runner_share(g->r);
	int64_t now;

	if (u.count < 2 || messages == 0 || messages % OWED_AFTER != 0)
		return false;
	now = clock_ms();
	return share_wanted(u, SHARE_ALL, g->r->conf->limits.connections_out,
		   now) ||
	    share_wanted(u, place, g->per_destination, now);
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

void
slots_hurry(struct runner *r)
{
	size_t n = r->groups.wants[0].n + r->groups.wants[1].n;

	if (n > 0)
		conn_hurry(r, n);
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
