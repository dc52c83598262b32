/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * spare -- what the configuration says to spare a group: how many messages
 * in a time, how many connections, for how long.
 *
 * Of the sections that fit a name of the group the first in the file holds,
 * so that what is said of one domain is said of all that share its hosts, as
 * soon as there is mail for it.  A group that has sent enough waits for its
 * timer; what is parked meanwhile costs nothing.
 */

#include "group.h"

#include "client/client.h"
#include "lib/clock.h"
#include "runner.h"

/* The clock of rates runs in microseconds. */
#define US 1000

static void
set_limits(struct group *g)
{
	const struct conf_queue *q = &g->r->conf->queue;
	const struct conf_destination *s = g->section;

	g->per_destination = s != NULL && s->per_destination > 0 ?
	    s->per_destination : q->per_destination;
	g->per_connection = s != NULL && s->per_connection > 0 ?
	    s->per_connection : q->per_connection;
	g->idle_ms = s != NULL && s->idle_connection > 0 ?
	    s->idle_connection : q->idle_connection;
	g->connect_ms = s != NULL && s->connect_timeout > 0 ?
	    s->connect_timeout : q->connect_timeout;
	g->reply_ms = s != NULL && s->reply_timeout > 0 ?
	    s->reply_timeout : q->reply_timeout;
	g->ignore = 0;
	for (size_t i = 0; s != NULL && i < s->ignore.n; i++)
		g->ignore |= client_extension(str_c(s->ignore.v[i]));
	window_limit(&g->window, (size_t)g->per_destination);
}

static void
add_name(struct group *g, const char *name)
{
	const struct conf_destination *s = conf_destination(g->r->conf,
	    str_c(name), g->section);

	if (s != NULL)
		g->section = s;
}

void
spare_name(struct group *g, const char *name, const struct hosts *h)
{
	const char *host;

	if (g->r->conf->destination_n > 0) {
		add_name(g, name);
		for (size_t i = 0; h != NULL &&
		     (host = hosts_name(h, i)) != NULL; i++)
			add_name(g, host);
	}
	set_limits(g);
}

/* ---- rates ------------------------------------------------------------------ */

static void
on_timer(void *arg)
{
	struct group *g = arg;

	g->hold_until = 0;
	group_pump(g);
	group_feed(g);
}

static void
set_timer(struct group *g, int64_t ms)
{
	if (g->timer == NULL)
		g->timer = loop_timer_new(g->r->loop, on_timer, g);
	loop_timer_set(g->timer, ms);
}

/* Nothing is sent to G for so long. */
static void
hold(struct group *g, int64_t us)
{
	int64_t ms = (us + US - 1) / US;

	g->hold_until = clock_ms() + ms;
	set_timer(g, ms);
}

void
spare_poll(struct group *g, int64_t ms)
{
	/* What may go over the connections that there are goes on. */
	if (g->hold_until <= clock_ms())
		set_timer(g, ms);
}

void
spare_free(struct group *g)
{
	loop_timer_free(g->timer);
	g->timer = NULL;
}

/* The rate of G, and that of everything; n = 0: there is none. */
static struct share_rate
own_rate(const struct group *g)
{
	const struct conf_destination *s = g->section;

	return s == NULL ? (struct share_rate){ 0 } :
			   (struct share_rate){ .n = s->rate, .per = s->per };
}

static struct share_rate
rate_of_all(const struct group *g)
{
	const struct conf_queue *q = &g->r->conf->queue;

	return (struct share_rate){ .n = q->rate, .per = q->per };
}

bool
spare_may_pass(struct group *g)
{
	struct share_rate own = own_rate(g), all = rate_of_all(g);
	struct share_user u = runner_share(g->r);
	int64_t now = clock_ms() * US, wait = 0;

	if (own.n > 0)
		wait = share_wait(u, str_c(g->key), own, now);
	if (wait == 0 && all.n > 0)
		wait = share_wait(u, STR(""), all, now);
	if (wait > 0)
		hold(g, wait);
	return wait == 0;
}

bool
spare_pass(struct group *g)
{
	struct share_rate own = own_rate(g), all = rate_of_all(g);
	struct share_user u = runner_share(g->r);
	int64_t now = clock_ms() * US, wait = 0;

	if (all.n > 0)
		wait = share_pass(u, STR(""), all, now);
	if (wait == 0 && own.n > 0) {
		wait = share_pass(u, str_c(g->key), own, now);
		if (wait > 0 && all.n > 0)
			share_undo(u, STR(""), all);
	}
	if (wait > 0)
		hold(g, wait);
	return wait == 0;
}

void
spare_undo(struct group *g)
{
	struct share_rate own = own_rate(g), all = rate_of_all(g);
	struct share_user u = runner_share(g->r);

	if (own.n > 0)
		share_undo(u, str_c(g->key), own);
	if (all.n > 0)
		share_undo(u, STR(""), all);
}
