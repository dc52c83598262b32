/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dest -- a destination: its line of deliveries, and where they go.
 *
 * A domain is looked up and then belongs to the group of its hosts (group.c)
 * for as long as the answer is fresh; an upstream is a group of its own; the
 * mailboxes are served by the pool, and programs by barid-spawn.  So many
 * look-ups are under way at once, and the others wait for their turn.
 *
 * The line is short: a destination that has enough to do parks further
 * messages, which then cost a slot of the index and little else.  They are
 * taken up by priority and in the order in which they came (parking.c), the
 * destinations in turn, and go into the line before what is less urgent.  A
 * message for several that are full is parked at each, so that which of them
 * is the slow one need not be known.  How
 * long a line may be depends on what all lines have in common: half of what
 * is left of it.  So a single one may be long, fifty slow ones are short,
 * and there is room for the fifty-first always; some more for what need not
 * stand in it.
 */

#include "dest.h"

#include "group.h"
#include "ipc/spawn.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "runner.h"

/* Deliveries that wait: a few before the hosts are known to live, more after. */
#define LINE_UNKNOWN 20
#define LINE_PER_CONN 10
#define LINE_LOCAL 100
/* The part of what is left of all lines that one may take. */
#define LINE_SHARE 2
/* Works of the pool at once: its threads are busy, and the others gather. */
#define LOCAL_WORKS 3
/* Messages of one list at once. */
#define LIST_WORKS 4
/* Nobody in a line is passed by more than so many. */
#define PASSED_MAX 20
#define UNUSED_MS 10000
/* Of so many nothing but what is in use is known. */
#define REMEMBERED_MAX 10000

static size_t
min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* ---- finding and forgetting ------------------------------------------------------- */

void
dests_init(struct runner *r)
{
	struct dests *all = &r->dests;

	all->all = map_new();
	all->asks_last = &all->asks_first;
	all->hungry_last = &all->hungry_first;
	all->turn_last = &all->turn_first;
	all->waiting_max = (r->job_max - min(r->conn_max, r->job_max / 2)) / 2;
	all->first_max = all->waiting_max / 2;
	all->local = dest_get(r, &(struct dest_way){ .kind = DEST_LOCAL,
	    .name = STR("mailboxes"), .source = STR("") });
}

/* The key; what stands behind NAME_AT in it is the name. */
static void
key_make(struct buf *b, const struct dest_way *way, size_t *name_at)
{
	buf_init(b, 2048);
	way_key(b, way);
	*name_at = b->n;
	buf_add_lower(b, way->name);
}

static struct dest *
dest_new(struct runner *r, const struct dest_way *way, struct str key,
    size_t name_at)
{
	struct dest *d = mem_alloc(sizeof(*d));

	d->r = r;
	d->key = mem_dup(key);
	d->name = d->key + name_at;
	d->way = way_new(r->conf, way);
	d->last = &d->first;
	d->left_last = &d->left_first;
	dead_init(&d->dead);
	map_put(r->dests.all, key, d);
	return d;
}

struct dest *
dest_get(struct runner *r, const struct dest_way *way)
{
	struct dest *d;
	struct buf b;
	size_t name_at;

	key_make(&b, way, &name_at);
	d = map_get(r->dests.all, buf_str(&b));
	if (d == NULL)
		d = dest_new(r, way, buf_str(&b), name_at);
	buf_free(&b);
	d->used_ms = clock_ms();
	return d;
}

static void
dest_free(struct dest *d)
{
	group_leave(d);
	way_drop(d->way);
	dead_free(&d->dead);
	mem_free(d->key);
	mem_free(d);
}

static bool
is_unused(const struct dest *d, int64_t now)
{
	return d->way->kind != DEST_LOCAL && d->first == NULL && d->parking.n == 0 &&
	    !d->resolving && !d->asks && !d->hungry && !d->later && !d->in_turn &&
	    d->filling == NULL &&
	    d->users == 0 && now - d->used_ms > UNUSED_MS;
}

static bool
is_remembered(const struct dest *d, int64_t now)
{
	return map_count(d->r->dests.all) <= REMEMBERED_MAX &&
	    (dead_is(&d->dead, now) || dead_remembered(&d->dead, now));
}

void
dests_tick(struct runner *r)
{
	int64_t now = clock_ms();
	size_t at = 0;
	struct str key;
	void *v;

	while (map_next(r->dests.all, &at, &key, &v)) {
		struct dest *d = v;

		if (!is_unused(d, now) || is_remembered(d, now))
			continue;
		map_del(r->dests.all, key);
		dest_free(d);
	}
}

void
dests_free(struct runner *r)
{
	size_t at = 0;
	struct str key;
	void *v;

	while (map_next(r->dests.all, &at, &key, &v))
		dest_free(v);
	map_free(r->dests.all);
	r->dests.all = NULL;
	parking_free(&r->dests.lot);
}

void
dests_revive(struct runner *r)
{
	size_t at = 0;
	struct str key;
	void *v;

	while (map_next(r->dests.all, &at, &key, &v)) {
		struct dest *d = v;

		dead_try(&d->dead);
	}
	groups_revive(r);
	bad_clear(r);
}

/* ---- room in the line ------------------------------------------------------------- */

static bool
is_fresh(const struct dest *d, int64_t now)
{
	return d->group != NULL && now < d->fresh_until;
}

const struct dead *
dest_dead(const struct dest *d, int64_t now)
{
	if (dead_is(&d->dead, now))
		return &d->dead;
	if (d->group != NULL && dead_is(&d->group->dead, now))
		return &d->group->dead;
	return NULL;
}

static bool
may_look_up(const struct dest *d)
{
	/* An upstream is our own, and there are few of them. */
	return d->way->kind == DEST_UPSTREAM ||
	    d->r->dests.lookups < d->r->conf->dns.capacity;
}

/* True if whoever waited for D would only take a place from mail that can go. */
static bool
is_shut(const struct dest *d)
{
	if (d->way->kind == DEST_LOCAL || way_is_spawn(d->way->kind) ||
	    d->way->kind == DEST_LIST)
		return false;
	if (d->group != NULL)
		return group_is_shut(d->group);
	return !d->resolving && (d->asks || !may_look_up(d));
}

size_t
dest_most(const struct dest *d)
{
	size_t programs = d->r->conf->limits.programs;

	switch (d->way->kind) {
	case DEST_LOCAL: return DEST_LOCAL_ACTIVE;
	case DEST_PIPE: return programs;
	case DEST_FORWARD: return min(SPAWN_FORWARD_ACTIVE, programs);
	case DEST_LIST: return LIST_WORKS;
	default: return 0;
	}
}

/* What accounts have is bounded together, too: barid-spawn has a line for all of it. */
static bool
may_spawn(const struct dest *d)
{
	return d->active < dest_most(d) && (d->way->kind != DEST_FORWARD ||
	    d->r->dests.forwards < d->r->conf->limits.programs);
}

/* True if the next message is the first, and will hardly wait. */
static bool
is_free(const struct dest *d)
{
	if (d->waiting > 0)
		return false;
	if (d->way->kind == DEST_LOCAL)
		return d->works < LOCAL_WORKS;
	if (way_is_spawn(d->way->kind))
		return may_spawn(d);
	if (d->way->kind == DEST_LIST)
		return d->active < dest_most(d);
	return d->group == NULL || d->group->conn_n == 0 ||
	    conn_is_idle(d->group);
}

static bool
has_room(const struct dest *d)
{
	const struct dests *all = &d->r->dests;
	size_t most = d->way->kind == DEST_LOCAL ? LINE_LOCAL : LINE_UNKNOWN;
	size_t left;

	if (is_shut(d))
		return false;
	if (all->waiting >= all->waiting_max)
		return all->waiting < all->waiting_max + all->first_max &&
		    is_free(d);
	if (d->group != NULL)
		most += LINE_PER_CONN * d->group->ready_n;
	left = (all->waiting_max - all->waiting) / LINE_SHARE;
	return d->waiting < most && (d->waiting == 0 || d->waiting < left);
}

bool
dest_full(const struct dest *d)
{
	if (dest_dead(d, clock_ms()) != NULL)
		return false;
	/* What is parked, or left out, came before. */
	return d->parking.n > 0 || d->left_n > 0 || !has_room(d);
}

/* ---- accounts whose programs wait for others ---------------------------------- */

/* An account that only others are in the way of has its turn when one of theirs ends. */
static void
turn_wait(struct dest *d)
{
	struct dests *all = &d->r->dests;

	if (d->in_turn || d->way->kind != DEST_FORWARD ||
	    d->active >= dest_most(d) || may_spawn(d) ||
	    d->waiting + d->parking.n + d->left_n == 0)
		return;
	d->in_turn = true;
	d->turn_next = NULL;
	*all->turn_last = d;
	all->turn_last = &d->turn_next;
}

static struct dest *
turn_pop(struct dests *all)
{
	struct dest *d = all->turn_first;

	if (d == NULL)
		return NULL;
	all->turn_first = d->turn_next;
	if (all->turn_first == NULL)
		all->turn_last = &all->turn_first;
	d->in_turn = false;
	return d;
}

/* ---- parking ---------------------------------------------------------------------- */

void
dest_feed(struct dest *d)
{
	struct dests *all = &d->r->dests;

	if (d->hungry || d->parking.n + d->left_n == 0)
		return;
	d->hungry = true;
	d->hungry_next = NULL;
	*all->hungry_last = d;
	all->hungry_last = &d->hungry_next;
	runner_wake(d->r);
}

static void
hungry_pop(struct dests *all)
{
	struct dest *d = all->hungry_first;

	all->hungry_first = d->hungry_next;
	if (all->hungry_first == NULL)
		all->hungry_last = &all->hungry_first;
	d->hungry = false;
}

static uint32_t
parked_pop(struct dest *d)
{
	struct runner *r = d->r;
	uint32_t slot = parking_take(&r->dests.lot, &d->parking, r->index);

	/* When it was to be looked at there says nothing of an attempt. */
	index_at(r->index, slot)->due = 0;
	return slot;
}

void
dest_park(struct dest *d, const struct job *j)
{
	struct runner *r = d->r;

	if (!parking_add(&r->dests.lot, &d->parking, r->index,
		j->file.env.priority, j->slot))
		return;
	index_at(r->index, j->slot)->due = patience_until(j);
	/* With nothing in the line, nobody else would ask for it. */
	if (d->waiting == 0) {
		dest_feed(d);
		dest_pump(d);
	}
}

void
dests_unpark(struct runner *r, uint32_t slot)
{
	parking_leave(&r->dests.lot, r->index, slot);
	index_wait(r->index, slot, 0);
	runner_wake(r);
}

bool
dest_is_sooner(const struct dest *d, const struct dest *other)
{
	int64_t now = clock_wall();
	/* By how long it will take at the pace of the last minute. */
	uint64_t pace = 10ULL * minute_sum(&d->minute, DELIVERED, now) + 1;
	uint64_t others = 10ULL * minute_sum(&other->minute, DELIVERED, now) + 1;

	return (d->parking.n + 1) * others < (other->parking.n + 1) * pace;
}

uint32_t
dests_next_parked(struct runner *r, struct dest **from)
{
	struct dests *all = &r->dests;
	int64_t now = clock_ms();
	struct delivery *v;
	struct dest *d;

	while ((d = all->hungry_first) != NULL) {
		bool dead = dest_dead(d, now) != NULL;

		/* All others would have to wait as well. */
		if (!dead &&
		    all->waiting >= all->waiting_max + all->first_max)
			break;
		hungry_pop(all);
		/* It is fed again when its line gets shorter, or its way opens. */
		if (!dead && !has_room(d)) {
			turn_wait(d);
			continue;
		}
		group_fed(d);
		if ((v = left_take(d)) != NULL) {
			dest_feed(d);
			job_return(v);
		} else if (d->parking.n > 0) {
			uint32_t slot = parked_pop(d);

			*from = d;
			dest_feed(d);
			return slot;
		}
	}
	return INDEX_NONE;
}

/* ---- the line --------------------------------------------------------------------- */

static void
count_waiting(struct dest *d, int by)
{
	d->waiting += by;
	d->r->dests.waiting += by;
	if (d->group != NULL)
		d->group->waiting += by;
}

/* Where one of PRIORITY stands: before what is less urgent and may be passed. */
static struct delivery **
place_of(struct dest *d, int priority)
{
	struct delivery **place = &d->first;

	if (d->first == NULL || priority <= d->least)
		return d->last;
	for (struct delivery *v = d->first; v != NULL; v = v->next)
		if (v->job->file.env.priority >= priority ||
		    v->passed == PASSED_MAX)
			place = &v->next;
	for (struct delivery *v = *place; v != NULL; v = v->next)
		v->passed++;
	return place;
}

void
dest_add(struct dest *d, struct delivery *v)
{
	int priority = v->job->file.env.priority;
	struct delivery **place = place_of(d, priority);

	if (d->first == NULL || priority < d->least)
		d->least = priority;
	v->next = *place;
	*place = v;
	if (v->next == NULL)
		d->last = &v->next;
	count_waiting(d, 1);
	if (d->group != NULL)
		group_turn(d);
}

void
dest_return(struct delivery *v)
{
	struct dest *d = v->dest;

	dest_add(d, v);
	if (d->later)
		return;
	d->later = true;
	d->later_next = d->r->dests.later;
	d->r->dests.later = d;
	runner_wake(d->r);
}

struct delivery *
dest_take(struct dest *d)
{
	struct delivery *v = d->first;

	if (v == NULL)
		return NULL;
	d->first = v->next;
	if (d->first == NULL)
		d->last = &d->first;
	count_waiting(d, -1);
	d->used_ms = clock_ms();
	dest_feed(d);
	return v;
}

void
dests_forget(struct runner *r)
{
	size_t at = 0;
	struct str key;
	void *v;

	while (map_next(r->dests.all, &at, &key, &v)) {
		struct dest *d = v;

		count_waiting(d, -(int)d->waiting);
		d->first = NULL;
		d->last = &d->first;
	}
}

void
dest_fail(struct dest *d, const struct result *res)
{
	struct delivery *v;

	while ((v = dest_take(d)) != NULL)
		job_fail(v, res);
}

void
dest_suspend(struct dest *d, const struct dead *dead)
{
	struct result res = dead->cause.result;
	struct buf words;

	if (d->first == NULL)
		return;
	buf_init(&words, 4096);
	buf_adds(&words, "delivery temporarily suspended: ");
	buf_add(&words, res.text);
	if (res.outcome == TEMPFAIL)
		res.text = buf_str(&words);
	dest_fail(d, &res);
	buf_free(&words);
}

void
dest_unload(struct dest *d)
{
	struct delivery *v;

	while ((v = dest_take(d)) != NULL)
		job_leave(v);
}

/* ---- looking up ------------------------------------------------------------------- */

static void
look_up(struct dest *d)
{
	d->resolving = true;
	d->r->dests.lookups++;
	hosts_resolve(d);
}

/* Asks where the hosts are, now or when it is its turn. */
static void
ask(struct dest *d)
{
	struct dests *all = &d->r->dests;

	group_leave(d);
	if (d->resolving || d->asks)
		return;
	if (may_look_up(d)) {
		look_up(d);
		return;
	}
	d->asks = true;
	d->asks_next = NULL;
	*all->asks_last = d;
	all->asks_last = &d->asks_next;
}

static void
next_look_up(struct dests *all)
{
	struct dest *d = all->asks_first;

	if (d == NULL || !may_look_up(d))
		return;
	all->asks_first = d->asks_next;
	if (all->asks_first == NULL)
		all->asks_last = &all->asks_first;
	d->asks = false;
	look_up(d);
	dest_feed(d);
}

void
dest_resolved(struct dest *d, struct hosts *h, const struct result *res)
{
	d->resolving = false;
	d->r->dests.lookups--;
	next_look_up(&d->r->dests);
	if (res != NULL) {
		dead_set(&d->dead, res, &d->r->conf->queue.retry, clock_ms());
		dest_fail(d, res);
	} else {
		dead_clear(&d->dead);
		d->fresh_until = hosts_expiry(h);
		group_join(d, h);
		group_pump(d->group);
	}
	dest_feed(d);
}

/* ---- getting away ----------------------------------------------------------------- */

/*
 * While all lines are full it has room for what may go at once and no more, so
 * that nobody comes for what is parked when its own line is empty.
 */
static void
feed_if_free(struct dest *d)
{
	if (is_free(d))
		dest_feed(d);
}

static void
pump_local(struct dest *d)
{
	while (d->works < LOCAL_WORKS && d->first != NULL)
		local_deliver(d);
	feed_if_free(d);
}

static void
pump_spawn(struct dest *d)
{
	while (may_spawn(d) && d->first != NULL)
		pipe_deliver(d);
	feed_if_free(d);
	turn_wait(d);
}

void
dest_spawning(struct dest *d)
{
	d->active++;
	if (d->way->kind == DEST_FORWARD)
		d->r->dests.forwards++;
}

void
dest_spawned(struct dest *d)
{
	struct dests *all = &d->r->dests;
	struct dest *next;

	d->active--;
	if (d->way->kind == DEST_FORWARD) {
		all->forwards--;
		while (all->forwards < d->r->conf->limits.programs &&
		    (next = turn_pop(all)) != NULL)
			dest_pump(next);
	}
	dest_pump(d);
}

static void
pump_list(struct dest *d)
{
	while (d->active < dest_most(d) && d->first != NULL)
		list_deliver(d);
	feed_if_free(d);
}

void
dest_pump(struct dest *d)
{
	int64_t now = clock_ms();
	const struct dead *dead = dest_dead(d, now);

	if (d->r->stopping)
		return;
	if (dead != NULL)
		dest_suspend(d, dead);
	else if (d->way->kind == DEST_LOCAL)
		pump_local(d);
	else if (way_is_spawn(d->way->kind))
		pump_spawn(d);
	else if (d->way->kind == DEST_LIST)
		pump_list(d);
	else if (is_fresh(d, now))
		group_pump(d->group);
	else
		ask(d);
}

void
dests_pump(struct runner *r)
{
	struct dest *d;

	while ((d = r->dests.later) != NULL) {
		r->dests.later = d->later_next;
		d->later = false;
		dest_pump(d);
	}
}
