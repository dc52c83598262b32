/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * runner -- takes up what is due, and keeps the clock.
 *
 * Waiting is by the monotonic clock; only what stands in the spool (when a
 * message is due, how old it is) is wall time.  A wall clock that jumps takes
 * all that waits along: nothing is tried earlier or later for it, and nothing
 * is older (life.c).
 */

#include <errno.h>
#include <unistd.h>

#include "group.h"
#include "ipc/channel.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "homes.h"
#include "lists.h"
#include "queue/queue.h"
#include "reading.h"
#include "runner.h"
#include "texts.h"

/* Messages that are loaded before others get their turn. */
#define TAKE_UP_MAX 64
#define TICK_MS 1000
#define ONCE_TICK_MS 100
#define STOP_MS 10000
#define STOP_TICK_MS 20
/* A clock that goes so far ahead or back within a tick was set. */
#define JUMP_MS 60000
#define SWEEP_TICKS 10

struct share_user
runner_share(const struct runner *r)
{
	return (struct share_user){ .share = r->share,
		.i = (unsigned)r->number, .count = (unsigned)r->count };
}

struct queue_part
runner_part(const struct runner *r, bool names)
{
	return (struct queue_part){ .number = r->number, .count = r->count,
		.names = names };
}

void
runner_wake(struct runner *r)
{
	if (r->awake)
		return;
	r->awake = true;
	loop_timer_set(r->wake, 0);
}

/*
 * The next message: one that is due, of first attempts and retries in turn,
 * and one that is parked and has its place now, in turn.
 */
static uint32_t
next_one(struct runner *r, int64_t now, struct dest **from)
{
	uint32_t slot;

	r->turn = !r->turn;
	if (r->turn && (slot = dests_next_parked(r, from)) != INDEX_NONE)
		return slot;
	slot = index_take(r->index, now);
	if (slot == INDEX_NONE && !r->turn)
		slot = dests_next_parked(r, from);
	return slot;
}

void
runner_take_up(struct runner *r)
{
	int64_t now = once_now(r);
	int taken = 0;

	if (!r->conf->queue.deliver && !r->once)
		return;
	while (!r->stopping && r->job_n < r->job_max) {
		struct dest *from = NULL;
		uint32_t slot = next_one(r, now, &from);

		if (slot == INDEX_NONE)
			return;
		job_start(r, slot, from);
		if (++taken == TAKE_UP_MAX) {
			runner_wake(r);
			return;
		}
	}
}

static void
on_wake(void *arg)
{
	struct runner *r = arg;

	r->awake = false;
	conn_reap(r);
	slots_serve(r);
	groups_pump(r);
	dests_pump(r);
	runner_take_up(r);
	record_list(r);
	record_settle(r);
}

/* ---- the clock -------------------------------------------------------------------------- */

int64_t
runner_now_ms(const struct runner *r)
{
	if (r->last_ms == 0)
		return clock_wall_us() / 1000;
	return r->last_wall + (clock_ms() - r->last_ms);
}

int64_t
runner_now(const struct runner *r)
{
	return runner_now_ms(r) / 1000;
}

static void
watch_clock(struct runner *r)
{
	int64_t now = clock_ms(), wall = clock_wall_us() / 1000;
	int64_t jump = (wall - r->last_wall) - (now - r->last_ms);
	bool jumped = r->last_ms != 0 && (jump > JUMP_MS || jump < -JUMP_MS);

	r->last_ms = now;
	r->last_wall = wall;
	if (!jumped)
		return;
	log_warn(NULL, "the clock %s by %lld s: what waits goes along",
	    jump > 0 ? "jumped ahead" : "was set back",
	    (long long)(jump > 0 ? jump : -jump) / 1000);
	wall_jumped(&r->wall, wall - jump, jump);
	index_shift(r->index, jump / 1000);
	index_clamp(r->index, runner_latest_due(r));
}

/* ---- what is known -------------------------------------------------------------------- */

int64_t
runner_latest_due(const struct runner *r)
{
	const struct conf_times *retry = &r->conf->queue.retry;
	int64_t longest = 0;

	for (size_t i = 0; i < retry->n; i++)
		if (retry->v[i] > longest)
			longest = retry->v[i];
	/* With the jitter, and more. */
	return runner_now(r) + longest / 1000 * 6 / 5 + 60;
}

void
runner_learn(struct runner *r, const char *id, enum queue_place place,
    int64_t due, bool verify)
{
	uint32_t slot = index_find(r->index, id);
	struct known *k;
	unsigned op;

	if (slot == INDEX_NONE) {
		op = standing_take(r, id);
		slot = index_add(r->index, id, place, op != 0 ? 0 : due);
		if (slot == INDEX_NONE)
			return;
		index_at(r->index, slot)->verify = verify;
		index_at(r->index, slot)->op = (uint8_t)op;
		score_add(r->score, COUNT_RUNNER_QUEUED, 1);
		return;
	}
	k = index_at(r->index, slot);
	if (k->state == KNOWN_WAITING && k->place == QUEUE_NEW && due < k->due)
		index_wait(r->index, slot, due);
}

void
runner_forget(struct runner *r, uint32_t slot)
{
	char id[QUEUE_ID_SIZE];

	if (index_at(r->index, slot)->op != 0) {
		index_id(r->index, slot, id);
		standing_void(r, id);
	}
	index_del(r->index, slot);
	score_add(r->score, COUNT_RUNNER_QUEUED, -1);
}

/* False if there was no room for it: then a scan is asked for. */
static bool
hint(struct runner *r, size_t to, const char *id)
{
	struct msg_hint m = { .id = str_c(id) };
	struct buf b;
	bool sent;

	buf_init(&b, FRAME_MAX);
	msg_hint_put(&b, &m);
	sent = r->send[to] >= 0 &&
	    channel_send(r->send[to], buf_str(&b), -1) == 0;
	if (!sent)
		score_add(r->score, COUNT_SCAN_WANTED, 1);
	buf_free(&b);
	return sent;
}

void
runner_announce(struct runner *r, const char *id)
{
	size_t to = runner_of(id, r->count);

	if (to != r->number) {
		(void)hint(r, to, id);
		return;
	}
	runner_learn(r, id, QUEUE_NEW, 0, false);
	runner_wake(r);
}

void
runner_hand_over(struct runner *r)
{
	char id[QUEUE_ID_SIZE];
	uint32_t at = 0, slot;
	int64_t now = runner_now(r);
	bool room = true;

	while (room && index_next(r->index, &at, &slot)) {
		const struct known *k = index_at(r->index, slot);

		if (k->place != QUEUE_NEW ||
		    (k->state == KNOWN_WAITING && k->due > now))
			continue;
		index_id(r->index, slot, id);
		room = hint(r, r->number, id);
	}
}

/* ---- the tick --------------------------------------------------------------------------- */

static bool
is_idle(const struct runner *r)
{
	return r->conn_n == 0 && r->finishing == 0 &&
	    r->dests.local->active == 0 && r->piped == 0 && reading_idle(r) &&
	    remove_idle(r) && record_idle(r) && control_idle(r) && scan_idle(r);
}

static void
stop_tick(struct runner *r)
{
	if (is_idle(r) || clock_ms() >= r->stop_by) {
		loop_stop(r->loop);
		return;
	}
	conn_reap(r);
	record_settle(r);
	loop_timer_set(r->tick, STOP_TICK_MS);
}

static void
on_tick(void *arg)
{
	struct runner *r = arg;

	if (getppid() != r->parent && !r->stopping) {
		log_warn(NULL, "the master is gone: this runner ends");
		runner_stop(r);
		return;
	}
	if (r->stopping) {
		stop_tick(r);
		return;
	}
	/* Before the next look into drop/ begins. */
	if (r->once && once_over(r)) {
		r->once_done = true;
		runner_stop(r);
		return;
	}
	watch_clock(r);
	scan_tick(r);
	lists_tick(r);
	homes_tick(r);
	record_tick(r);
	remove_tick(r);
	drop_tick(r);
	texts_tick(r);
	slots_hurry(r);
	if (++r->ticks % SWEEP_TICKS == 0 || r->looking)
		patience_tick(r);
	if (r->ticks % SWEEP_TICKS == 0) {
		dests_tick(r);
		groups_tick(r);
	}
	runner_wake(r);
	loop_timer_set(r->tick, r->once ? ONCE_TICK_MS : TICK_MS);
}

void
runner_stop(void *arg)
{
	struct runner *r = arg;

	if (r->stopping)
		return;
	r->stopping = true;
	r->stop_by = clock_ms() + STOP_MS;
	control_leave_hints(r);
	conn_stop_all(r, false);
	loop_timer_set(r->tick, 0);
}

void
runner_begin(struct runner *r)
{
	r->wake = loop_timer_new(r->loop, on_wake, r);
	r->tick = loop_timer_new(r->loop, on_tick, r);
	loop_timer_set(r->tick, 0);
}
