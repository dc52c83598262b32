/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * steer_act -- what an order does to the messages that it concerns.
 *
 * Runs in the pool, on messages that the loop has claimed: nobody else touches
 * them.  All that is said to be done is durable.  What nobody may touch, since
 * it is being attempted, gets the order beside it, and so does what is to be
 * returned: these are written first, and made durable by one flush.
 */

#include "steer.h"

#include <errno.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "runner.h"

/* Writes route and time into the envelope. */
static int
change_at(const struct control *c, struct item *m)
{
	struct queue_file f;
	struct arena a;
	const char *reason;
	int64_t next;
	int r;

	arena_init(&a, ENVELOPE_ARENA);
	r = queue_load(c->r->queue, m->place, m->id, false, &a, &f, &reason);
	if (r == 0) {
		next = f.next;
		if (c->route[0] != '\0') {
			f.env.route = str_c(c->route);
			next = clock_wall();
		}
		if (c->due != 0) {
			next = c->due;
			f.env.not_before_us = c->due * 1000000;
		} else if (c->op == CONTROL_FLUSH) {
			next = clock_wall();
			f.env.not_before_us = 0;
		}
		r = queue_rewrite(c->r->queue, &f, next);
	}
	arena_free(&a);
	return r;
}

/* What was dead is tried anew: those who failed have a chance. */
static int
revive_at(const struct control *c, const struct item *m)
{
	struct queue_file f;
	struct arena a;
	const char *reason;
	int r;

	arena_init(&a, ENVELOPE_ARENA);
	r = queue_load(c->r->queue, m->place, m->id, false, &a, &f, &reason);
	for (size_t i = 0; r == 0 && i < f.env.rcpt_n; i++)
		if (f.env.rcpts[i].state == RCPT_FAILED)
			r = queue_mark(&f, i, RCPT_QUEUED);
	queue_unload(&f);
	arena_free(&a);
	return r;
}

static int
release_at(const struct control *c, const struct item *m)
{
	struct queue *q = c->r->queue;

	if (c->op == CONTROL_RELEASE && m->place == QUEUE_DEAD &&
	    revive_at(c, m) < 0)
		return -1;
	if (queue_set_next(q, m->place, m->id, clock_wall()) < 0)
		return -1;
	return queue_move(q, m->place, m->id, QUEUE_CUR);
}

/* -1: errno, ENOENT if it is not there. */
static int
act_at(const struct control *c, struct item *m)
{
	struct queue *q = c->r->queue;

	switch (c->op) {
	case CONTROL_HOLD:
		return queue_move(q, m->place, m->id, QUEUE_HOLD);
	case CONTROL_DELETE:
		return queue_remove(q, m->place, m->id);
	case CONTROL_RELEASE:
	case CONTROL_BOUNCE:
		return release_at(c, m);
	case CONTROL_CHANGE:
	case CONTROL_FLUSH:
		return change_at(c, m);
	case CONTROL_STATUS:
	case CONTROL_RELOAD:
	case CONTROL_STOP:
	case CONTROL_LIST:
	case CONTROL_ACTIVE:
	case CONTROL_DESTS:
	case CONTROL_USER:
		break;
	}
	errno = EINVAL;
	return -1;
}

static void
fail(struct control *c, const struct item *m)
{
	log_error(m->id, "cannot be changed: %s", strerror(errno));
	c->failed++;
}

/* Puts the orders beside the messages.  False if that cannot be durable. */
static bool
put_orders(struct control *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n; i++) {
		struct item *m = &c->items[i];

		if (m->todo != ITEM_ACT ||
		    (!m->ordered && c->op != CONTROL_BOUNCE))
			continue;
		any = m->put = true;
		if (queue_order(c->r->queue, m->id, standing_order(m->was),
			standing_order(c->op)) < 0) {
			fail(c, m);
			m->todo = ITEM_FAILED;
		}
	}
	return !any || queue_sync_orders(c->r->queue) == 0;
}

static void
act_on(struct control *c, struct item *m, bool durable)
{
	if (m->put && !durable) {
		fail(c, m);
		m->todo = ITEM_FAILED;
	} else if (m->ordered || act_at(c, m) == 0) {
		m->todo = ITEM_DONE;
	} else {
		if (errno != ENOENT)
			fail(c, m);
		m->todo = ITEM_FAILED;
	}
}

void
steer_act(void *control)
{
	struct control *c = control;
	bool durable = put_orders(c);
	int e = errno;

	for (size_t i = 0; i < c->n; i++) {
		errno = e;
		if (c->items[i].todo == ITEM_ACT)
			act_on(c, &c->items[i], durable);
	}
}
