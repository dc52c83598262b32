/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dest -- a destination: its line of deliveries and how they get away.
 *
 * The line is short: a destination that has enough to do parks further
 * messages, which then cost a slot of the index and nothing else, so that a
 * slow one cannot take the places of all others.  Connections are opened
 * while there is more to do than they carry, up to a window that grows with
 * each success.  When the last connection fails to get through, the
 * destination is dead for a while, and all that waits for it is put off at
 * once for the same reason: ten thousand messages cost one time-out.
 *
 * dest_pump() may be reached from what it calls; it then only notes that it
 * has to look once more.
 */

#include "dest.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "runner.h"

/* Deliveries that wait: a few before it is known to live, more after. */
#define LINE_UNKNOWN 20
#define LINE_PER_CONN 10
#define LINE_LOCAL 100
/* Deliveries in the pool at once: its threads are busy, and not much more. */
#define LOCAL_ACTIVE 12
#define WINDOW_START 4
#define DEAD_MAX_MS 300000
#define DEAD_MIN_MS 1000
#define DEAD_PERM_MS 60000
#define UNUSED_MS 10000
#define OWN_ARENA 65536

/* ---- finding and forgetting ------------------------------------------------------- */

/* Upstreams of one name, and written where they are used, may differ in it. */
static int
way_tls(const struct dest_way *way)
{
	return way->upstream != NULL && way->upstream->server_n > 0 ?
	    way->upstream->servers[0].tls : way->tls;
}

/* The key; what stands behind NAME_AT in it is the name. */
static void
key_make(struct buf *b, const struct dest_way *way, size_t *name_at)
{
	static const char *const words[] = { "local", "mx", "upstream" };

	buf_init(b, 2048);
	buf_addf(b, "%s/%d/" STR_FMT "/", words[way->kind], way_tls(way),
	    STR_ARG(way->source));
	if (way->fallback != NULL)
		buf_addf(b, "%s/", way->fallback->name);
	*name_at = b->n;
	for (size_t i = 0; i < way->name.n; i++) {
		char c = way->name.p[i];

		buf_addc(b, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
	}
}

/* An upstream that a message brought along goes with the message. */
static const struct conf_upstream *
own_upstream(struct dest *d, const struct dest_way *way)
{
	struct conf_via via;

	if (way->upstream == NULL || way->upstream->place.file[0] != '\0')
		return way->upstream;
	if (conf_via_read(d->r->conf, way->upstream->name,
		way->upstream->servers[0].tls, &d->own, &via) != NULL)
		panic("the way %s was one", way->upstream->name);
	return via.upstream;
}

static struct dest *
dest_new(struct runner *r, const struct dest_way *way, struct str key,
    size_t name_at)
{
	struct dest *d = mem_alloc(sizeof(*d));

	d->r = r;
	d->kind = way->kind;
	d->key = mem_dup(key);
	d->name = d->key + name_at;
	arena_init(&d->own, OWN_ARENA);
	d->upstream = own_upstream(d, way);
	d->fallback = way->fallback;
	d->tls = way->tls;
	d->source = mem_dup(way->source);
	d->last = &d->first;
	d->parked_first = d->parked_last = INDEX_NONE;
	d->window = WINDOW_START;
	cause_init(&d->cause);
	return d;
}

struct dest *
dest_get(struct runner *r, const struct dest_way *way)
{
	struct dest *d;
	struct buf b;
	size_t name_at;

	key_make(&b, way, &name_at);
	d = map_get(r->dests, buf_str(&b));
	if (d == NULL) {
		d = dest_new(r, way, buf_str(&b), name_at);
		map_put(r->dests, buf_str(&b), d);
	}
	buf_free(&b);
	d->used_ms = clock_ms();
	return d;
}

static void
dest_free(struct dest *d)
{
	hosts_free(d->hosts);
	cause_free(&d->cause);
	arena_free(&d->own);
	mem_free(d->source);
	mem_free(d->key);
	mem_free(d);
}

static bool
is_dead(const struct dest *d, int64_t now)
{
	return now < d->dead_until;
}

static bool
is_unused(const struct dest *d, int64_t now)
{
	return d != d->r->local && d->first == NULL && d->parked == 0 &&
	    d->conn_n == 0 && d->active == 0 && !d->resolving && !d->wants &&
	    d->filling == NULL && !d->pumping && !is_dead(d, now) &&
	    now - d->used_ms > UNUSED_MS;
}

void
dest_tick(struct runner *r)
{
	int64_t now = clock_ms();
	size_t at = 0;
	struct str key;
	void *v;

	while (map_next(r->dests, &at, &key, &v)) {
		struct dest *d = v;

		if (!is_unused(d, now))
			continue;
		map_del(r->dests, key);
		dest_free(d);
	}
}

void
dest_free_all(struct runner *r)
{
	size_t at = 0;
	struct str key;
	void *v;

	while (map_next(r->dests, &at, &key, &v))
		dest_free(v);
	map_free(r->dests);
	r->dests = NULL;
}

void
dest_revive(struct runner *r)
{
	size_t at = 0;
	struct str key;
	void *v;

	while (map_next(r->dests, &at, &key, &v)) {
		struct dest *d = v;

		d->dead_until = 0;
	}
	bad_clear(r);
}

/* ---- the line --------------------------------------------------------------------- */

static size_t
line_max(const struct dest *d)
{
	if (d->kind == DEST_LOCAL)
		return LINE_LOCAL;
	return LINE_UNKNOWN + LINE_PER_CONN * d->ready_n;
}

/*
 * True if D has no connection and none is to be had: whoever waited for it
 * would only take a place from mail that can go.
 */
static bool
has_no_way(const struct dest *d)
{
	return d->kind != DEST_LOCAL && d->conn_n == 0 &&
	    d->r->conn_n >= d->r->conn_max;
}

/* Puts D into the line of those that wait for a connection to end. */
static void
want(struct dest *d)
{
	struct runner *r = d->r;

	conn_yield(r);
	if (d->wants)
		return;
	d->wants = true;
	d->wants_next = NULL;
	*r->wants_last = d;
	r->wants_last = &d->wants_next;
}

bool
dest_full(const struct dest *d)
{
	return (d->waiting >= line_max(d) || has_no_way(d)) &&
	    !is_dead(d, clock_ms());
}

void
dest_park(struct dest *d, uint32_t slot)
{
	struct index *x = d->r->index;

	index_at(x, slot)->state = KNOWN_PARKED;
	index_at(x, slot)->next = INDEX_NONE;
	if (d->parked_first == INDEX_NONE)
		d->parked_first = slot;
	else
		index_at(x, d->parked_last)->next = slot;
	d->parked_last = slot;
	d->parked++;
	if (has_no_way(d))
		want(d);
}

/* Sends up to N parked messages back to be loaded: they are the next. */
static void
unpark(struct dest *d, size_t n)
{
	struct index *x = d->r->index;

	for (; n > 0 && d->parked > 0; n--) {
		uint32_t slot = d->parked_first;

		d->parked_first = index_at(x, slot)->next;
		d->parked--;
		index_at(x, slot)->state = KNOWN_BUSY;
		index_wait(x, slot, 0);
		runner_wake(d->r);
	}
	if (d->parked == 0)
		d->parked_first = d->parked_last = INDEX_NONE;
}

/* Keeps the line from running dry. */
static void
refill(struct dest *d)
{
	if (d->parked == 0 || d->waiting >= line_max(d) / 2)
		return;
	if (has_no_way(d) && !is_dead(d, clock_ms()))
		want(d);
	else
		unpark(d, line_max(d) - d->waiting);
}

void
dest_unpark_all(struct runner *r)
{
	size_t at = 0;
	struct str key;
	void *v;

	while (map_next(r->dests, &at, &key, &v)) {
		struct dest *d = v;

		unpark(d, d->parked);
	}
}

void
dest_add(struct dest *d, struct delivery *v)
{
	v->next = NULL;
	*d->last = v;
	d->last = &v->next;
	d->waiting++;
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
	d->waiting--;
	d->used_ms = clock_ms();
	refill(d);
	return v;
}

/* ---- death ------------------------------------------------------------------------ */

/* All that waits gets RES; what is parked will ask and get it too. */
static void
fail_all(struct dest *d, const struct result *res)
{
	struct delivery *v;

	while ((v = dest_take(d)) != NULL)
		job_fail(v, res);
	unpark(d, d->parked);
}

static int64_t
dead_ms(const struct dest *d, const struct result *why)
{
	const struct conf_times *retry = &d->r->conf->queue.retry;
	int64_t ms = retry->n > 0 ? retry->v[0] : DEAD_MAX_MS;

	if (why->outcome == PERMFAIL)
		return DEAD_PERM_MS;
	/* Shorter than the first retry, which is the one that finds out. */
	ms = ms / 10 * 8;
	return ms > DEAD_MAX_MS ? DEAD_MAX_MS :
	    ms < DEAD_MIN_MS	? DEAD_MIN_MS :
				  ms;
}

static void
die(struct dest *d, const struct result *why)
{
	cause_set(&d->cause, why);
	d->dead_until = clock_ms() + dead_ms(d, why);
	d->window = WINDOW_START;
	hosts_free(d->hosts);
	d->hosts = NULL;
	fail_all(d, &d->cause.result);
}

/* Puts off what came since, without another attempt. */
static void
fail_suspended(struct dest *d)
{
	struct result res = d->cause.result;
	struct buf words;

	if (d->first == NULL)
		return;
	buf_init(&words, 4096);
	buf_adds(&words, "delivery temporarily suspended: ");
	buf_add(&words, res.text);
	if (res.outcome == TEMPFAIL)
		res.text = buf_str(&words);
	fail_all(d, &res);
	buf_free(&words);
}

/* ---- getting away ------------------------------------------------------------------ */

void
dest_give_slots(struct runner *r)
{
	size_t n = r->conn_max > r->conn_n ? r->conn_max - r->conn_n : 0;

	for (; n > 0 && r->wants_first != NULL && r->conn_n < r->conn_max;
	     n--) {
		struct dest *d = r->wants_first;

		r->wants_first = d->wants_next;
		if (r->wants_first == NULL)
			r->wants_last = &r->wants_first;
		d->wants = false;
		/* One whose messages are all parked takes its slot later. */
		dest_pump(d);
	}
}

static void
pump_remote(struct dest *d)
{
	while (d->first != NULL && conn_wake(d))
		;
	/* Connections that are not ready yet will each take one. */
	while (d->waiting > d->conn_n - d->ready_n && d->conn_n < d->window &&
	    d->conn_n < d->r->per_destination && !is_dead(d, clock_ms())) {
		if (d->r->conn_n >= d->r->conn_max) {
			want(d);
			break;
		}
		conn_open(d);
	}
}

static void
pump_local(struct dest *d)
{
	while (d->active < LOCAL_ACTIVE && d->first != NULL) {
		d->active++;
		local_deliver(dest_take(d));
	}
}

void
dest_pump(struct dest *d)
{
	if (d->pumping || d->r->stopping) {
		d->pump_again = true;
		return;
	}
	d->pumping = true;
	do {
		d->pump_again = false;
		if (is_dead(d, clock_ms()))
			fail_suspended(d);
		else if (d->kind == DEST_LOCAL)
			pump_local(d);
		else
			pump_remote(d);
	} while (d->pump_again);
	d->pumping = false;
	refill(d);
}

void
dest_resolved(struct dest *d, struct hosts *h, const struct result *res)
{
	d->resolving = false;
	hosts_free(d->hosts);
	d->hosts = h;
	conn_resolved(d, res);
}

void
dest_closed(struct dest *d, const struct result *why)
{
	if (why != NULL && d->conn_n == 0)
		die(d, why);
	else if (why != NULL)
		d->window = d->conn_n;
	dest_pump(d);
}

void
dest_worked(struct dest *d)
{
	d->dead_until = 0;
	if (d->window < d->r->per_destination)
		d->window++;
}
