/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * group -- hosts, and the connections to them.
 *
 * Ten thousand domains may have their mail at the same few hosts.  What
 * matters to those hosts is theirs, not the domain's: how many connections
 * there are, whether they live, how much they are sent.  So the domains
 * whose MX hosts are the same in the same order of preference, an upstream,
 * or an address literal make a group, and everything but the line of mail is
 * the group's.  A connection takes mail of its domains in turn, one
 * message at a time, and the recipients of one domain in each transaction:
 * there are large hosts that refuse more.
 *
 * A domain joins the group that the look-up of its name says, for as long as
 * that is fresh; then it is looked up again and may be in another one.
 *
 * When the last connection fails to get through, the group is dead for a
 * while and its mail is put off at once (dead.c).  When the time is over,
 * one connection finds out.
 *
 * group_pump() may be reached from what it calls; it then only notes that it
 * has to look once more.
 */

#include "group.h"

#include "lib/clock.h"
#include "lib/map.h"
#include "lib/mem.h"
#include "runner.h"

#define UNUSED_MS 10000
/* How long it is known that hosts have worked. */
#define PROVEN_MS 3600000
/* Of so many nothing but what is in use is known. */
#define REMEMBERED_MAX 10000

/* ---- finding and forgetting ------------------------------------------------------- */

static void
on_poll(void *arg)
{
	runner_wake(arg);
}

void
groups_init(struct runner *r)
{
	r->groups.all = map_new();
	for (size_t i = 0; i < ARRAY_LEN(r->groups.wants); i++)
		r->groups.wants[i].last = &r->groups.wants[i].first;
	r->groups.poll = loop_timer_new(r->loop, on_poll, r);
	/* Of one that was killed, if nobody did it before. */
	share_forget(r->share, (unsigned)r->number);
}

static struct group *
group_new(const struct dest *d, struct str key)
{
	struct group *g = mem_alloc(sizeof(*g));

	g->r = d->r;
	g->key = mem_dup(key);
	g->name = mem_dup(str_c(d->name));
	g->way = way_take(d->way);
	g->turn_last = &g->turn_first;
	g->mates_last = &g->mates;
	window_init(&g->window, 1);
	spare_name(g, d->name, NULL);
	dead_init(&g->dead);
	map_put(d->r->groups.all, key, g);
	return g;
}

/* What makes hosts the same: which they are, and how they are spoken to. */
static struct group *
group_of(const struct dest *d, const struct hosts *h)
{
	struct group *g;
	struct buf b;

	buf_init(&b, 16384);
	/* The key of D without its name; that of an upstream whole. */
	buf_add(&b, str_n(d->key, (size_t)(d->name - d->key)));
	if (d->way->kind == DEST_UPSTREAM)
		buf_adds(&b, d->name);
	else
		hosts_add_key(h, &b);
	g = map_get(d->r->groups.all, buf_str(&b));
	if (g == NULL)
		g = group_new(d, buf_str(&b));
	buf_free(&b);
	g->used_ms = clock_ms();
	return g;
}

static void
group_free(struct group *g)
{
	hosts_free(g->hosts);
	way_drop(g->way);
	dead_free(&g->dead);
	spare_free(g);
	mem_free(g->name);
	mem_free(g->key);
	mem_free(g);
}

static bool
is_unused(const struct group *g, int64_t now)
{
	return g->mates == NULL && g->conn_n == 0 && !g->wants && !g->later &&
	    now - g->used_ms > UNUSED_MS;
}

/* True if something that was learnt would have to be learnt again. */
static bool
is_remembered(const struct group *g, int64_t now)
{
	return map_count(g->r->groups.all) <= REMEMBERED_MAX &&
	    (dead_is(&g->dead, now) || dead_remembered(&g->dead, now) ||
		(g->window.proven && now - g->used_ms < PROVEN_MS));
}

void
groups_tick(struct runner *r)
{
	int64_t now = clock_ms();
	size_t at = 0;
	struct str key;
	void *v;

	while (map_next(r->groups.all, &at, &key, &v)) {
		struct group *g = v;

		if (!is_unused(g, now) || is_remembered(g, now))
			continue;
		map_del(r->groups.all, key);
		group_free(g);
	}
}

void
groups_free(struct runner *r)
{
	size_t at = 0;
	struct str key;
	void *v;

	while (map_next(r->groups.all, &at, &key, &v))
		group_free(v);
	loop_timer_free(r->groups.poll);
	map_free(r->groups.all);
	r->groups.all = NULL;
}

void
groups_revive(struct runner *r)
{
	size_t at = 0;
	struct str key;
	void *v;

	while (map_next(r->groups.all, &at, &key, &v)) {
		struct group *g = v;

		dead_try(&g->dead);
	}
}

/* ---- whose mail it takes ---------------------------------------------------------- */

static void
mate_add(struct group *g, struct dest *d)
{
	d->mate = NULL;
	d->mate_at = g->mates_last;
	*g->mates_last = d;
	g->mates_last = &d->mate;
}

static void
mate_remove(struct group *g, struct dest *d)
{
	*d->mate_at = d->mate;
	if (d->mate != NULL)
		d->mate->mate_at = d->mate_at;
	else
		g->mates_last = d->mate_at;
}

void
group_join(struct dest *d, struct hosts *h)
{
	struct group *g = group_of(d, h);

	/* An upstream of its own: the hosts are the servers of this copy. */
	way_drop(g->way);
	g->way = way_take(d->way);
	hosts_free(g->hosts);
	g->hosts = h;
	spare_name(g, d->name, h);
	d->group = g;
	mate_add(g, d);
	g->waiting += d->waiting;
	g->parked += d->parking.n + d->left_n;
	d->parking.total = &g->parked;
	group_turn(d);
}

static void
turn_remove(struct group *g, struct dest *d)
{
	struct dest **at = &g->turn_first;

	if (!d->in_turn)
		return;
	while (*at != d)
		at = &(*at)->turn_next;
	*at = d->turn_next;
	if (*at == NULL)
		g->turn_last = at;
	d->in_turn = false;
}

void
group_leave(struct dest *d)
{
	struct group *g = d->group;

	if (g == NULL)
		return;
	turn_remove(g, d);
	mate_remove(g, d);
	g->waiting -= d->waiting;
	g->parked -= d->parking.n + d->left_n;
	d->parking.total = NULL;
	d->group = NULL;
}

void
group_turn(struct dest *d)
{
	struct group *g = d->group;

	if (d->in_turn || d->waiting == 0)
		return;
	d->in_turn = true;
	d->turn_next = NULL;
	*g->turn_last = d;
	g->turn_last = &d->turn_next;
}

void
group_feed(struct group *g)
{
	if (g->parked == 0)
		return;
	for (struct dest *d = g->mates; d != NULL; d = d->mate)
		dest_feed(d);
}

void
group_fed(struct dest *d)
{
	struct group *g = d->group;

	if (g == NULL)
		return;
	mate_remove(g, d);
	mate_add(g, d);
}

struct delivery *
group_take(struct group *g)
{
	struct dest *d = g->turn_first;
	struct delivery *v;

	if (d == NULL) {
		group_feed(g);
		return NULL;
	}
	if (!spare_pass(g))
		return NULL;
	turn_remove(g, d);
	v = dest_take(d);
	group_turn(d);
	g->used_ms = clock_ms();
	return v;
}

/* ---- connections ------------------------------------------------------------------ */

bool
group_is_shut(const struct group *g)
{
	return g->conn_n == 0 && (g->wants || g->hold_until > clock_ms());
}

/* True if mail waits in the lines that none of the connections will take. */
static bool
is_short(const struct group *g)
{
	/* Those that are not ready yet will each take one. */
	return g->waiting > g->conn_n - g->ready_n;
}

/*
 * True if a connection more would have something to carry.  While all lines are full
 * nothing waits in them for hosts that take mail, but behind.
 */
static bool
needs_one(const struct group *g)
{
	return is_short(g) ||
	    (g->parked > 0 && g->conn_n == g->ready_n && !conn_is_idle(g));
}

/* Who waits for a connection takes no place from mail that needs none. */
static void
unload_all(struct group *g)
{
	struct dest *d;

	while ((d = g->turn_first) != NULL) {
		turn_remove(g, d);
		dest_unload(d);
	}
}

static void
open_more(struct group *g)
{
	enum slot got = SLOT_TAKEN;

	while (g->turn_first != NULL && conn_wake(g))
		;
	while (got == SLOT_TAKEN && needs_one(g) &&
	    g->conn_n < g->window.size && !dead_is(&g->dead, clock_ms()) &&
	    spare_may_pass(g)) {
		struct share_place place;

		got = slot_take(g, &place);
		if (got == SLOT_TAKEN) {
			conn_open(g, place);
			group_feed(g);
		}
	}
	/*
	 * For what is parked nobody else gives a connection up: the one that it has
	 * would be given up as well, as soon as it is through with its message.
	 */
	if (got == SLOT_NONE && (g->conn_n == 0 || is_short(g)))
		slot_want(g);
	if (group_is_shut(g))
		unload_all(g);
}

static void
suspend_all(struct group *g)
{
	struct dest *d;

	while ((d = g->turn_first) != NULL) {
		turn_remove(g, d);
		dest_suspend(d, &g->dead);
	}
	group_feed(g);
}

void
group_pump(struct group *g)
{
	if (g->pumping || g->r->stopping) {
		g->pump_again = true;
		return;
	}
	g->pumping = true;
	do {
		g->pump_again = false;
		if (dead_is(&g->dead, clock_ms()))
			suspend_all(g);
		else
			open_more(g);
	} while (g->pump_again);
	g->pumping = false;
}

static void
later(struct group *g)
{
	if (g->later || g->waiting == 0)
		return;
	g->later = true;
	g->later_next = g->r->groups.later;
	g->r->groups.later = g;
	runner_wake(g->r);
}

void
groups_pump(struct runner *r)
{
	struct group *g;

	while ((g = r->groups.later) != NULL) {
		r->groups.later = g->later_next;
		g->later = false;
		group_pump(g);
	}
}

static void
die(struct group *g, const struct result *why)
{
	struct dest *d;

	dead_set(&g->dead, why, &g->r->conf->queue.retry, clock_ms());
	window_again(&g->window);
	/* Before they are tried again, somebody may have mended the names. */
	for (d = g->mates; d != NULL; d = d->mate)
		d->fresh_until = 0;
	while ((d = g->turn_first) != NULL) {
		turn_remove(g, d);
		dest_fail(d, &g->dead.cause.result);
	}
	group_feed(g);
}

void
group_ready(struct group *g)
{
	g->ready_n++;
	dead_clear(&g->dead);
	window_ready(&g->window);
	group_feed(g);
	later(g);
}

/*
 * Whoever refuses one connection beside others has enough of them; and where
 * one of several machines behind an address is broken, the rest take mail.
 */
bool
group_lives(const struct group *g)
{
	return g->conn_n > 1 || (g->worked_ms != 0 &&
		clock_ms() - g->worked_ms < PROVEN_MS);
}

void
group_worked(struct group *g)
{
	size_t before = g->window.size;

	g->worked_ms = clock_ms();
	window_worked(&g->window, g->conn_n);
	if (g->window.size > before)
		later(g);
}

void
group_closed(struct group *g, const struct result *why)
{
	bool hopeless;

	g->used_ms = clock_ms();
	if (why != NULL) {
		/* Beside others that stand, or after a greeting. */
		hopeless = window_failed(&g->window,
		    why->remote && why->outcome == TEMPFAIL);
		if (g->conn_n == 0 || hopeless)
			die(g, why);
	}
	group_pump(g);
}
