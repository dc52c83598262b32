/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * steer_act -- what an order does to the messages that it concerns.
 *
 * Runs in the pool, on messages that the loop has claimed: nobody else touches
 * them.  All that is said to be done is durable.  What nobody may touch, since
 * it is being attempted, gets the order beside it, and so does what is to be
 * returned: these are written first, and made durable by one flush.  So is what
 * is moved, or changed, if it is much.
 */

#include "steer.h"

#include <errno.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "runner.h"

/* ---- another route or time -------------------------------------------------- */

/* Messages whose envelopes are written at once; each has a file open. */
#define CHANGES_MAX 128
/* Not so many if their envelopes are large. */
#define CHANGES_OCTETS ((size_t)16 << 20)

struct changes {
	struct arena a;
	struct item *items[CHANGES_MAX];
	struct queue_file files[CHANGES_MAX];
	struct queue_rewrite v[CHANGES_MAX];
	size_t n;
};

/* What an order makes of envelope and time of F. */
static int64_t
change(const struct control *c, struct queue_file *f)
{
	int64_t next = f->next;

	if (c->route[0] != '\0') {
		f->env.route = str_c(c->route);
		f->env.route_user = f->env.route_password = STR("");
		next = clock_wall();
	}
	if (c->due != 0) {
		next = c->due;
		f->env.not_before_us = c->due * 1000000;
	} else if (c->op == CONTROL_FLUSH) {
		next = clock_wall();
		f->env.not_before_us = 0;
	}
	return next;
}

static void
item_done(struct control *c, struct item *m, int error)
{
	m->todo = error == 0 ? ITEM_DONE : ITEM_FAILED;
	/* What is not there any more was dealt with. */
	if (error == 0 || error == ENOENT)
		return;
	log_error(m->id, "cannot be changed: %s", strerror(error));
	c->failed++;
}

static void
changes_write(struct control *c, struct changes *h)
{
	queue_rewrite_all(c->r->queue, h->v, h->n);
	for (size_t i = 0; i < h->n; i++)
		item_done(c, h->items[i], h->v[i].error);
	h->n = 0;
	arena_reset(&h->a);
}

static void
changes_add(struct control *c, struct changes *h, struct item *m)
{
	struct queue_file *f = &h->files[h->n];
	const char *reason;

	if (queue_load(c->r->queue, m->place, m->id, false, &h->a, f,
		&reason) < 0) {
		item_done(c, m, errno);
		return;
	}
	h->items[h->n] = m;
	h->v[h->n] = (struct queue_rewrite){ f, change(c, f), 0 };
	if (++h->n == CHANGES_MAX || h->a.used > CHANGES_OCTETS)
		changes_write(c, h);
}

/*
 * It is due, also for a runner that starts now.  Not durable: a power cut would
 * only have it tried when it was to be tried before.
 */
static void
hurry(struct control *c, struct item *m)
{
	item_done(c, m, queue_set_next(c->r->queue, m->place, m->id,
	    clock_wall()) < 0 ? errno : 0);
}

static void
change_all(struct control *c)
{
	struct changes *h = mem_alloc(sizeof(*h));

	arena_init(&h->a, CHANGES_OCTETS + ENVELOPE_ARENA);
	for (size_t i = 0; i < c->n; i++) {
		struct item *m = &c->items[i];

		if (m->todo != ITEM_ACT)
			continue;
		if (c->op == CONTROL_FLUSH && !m->appointed)
			hurry(c, m);
		else
			changes_add(c, h, m);
	}
	changes_write(c, h);
	arena_free(&h->a);
	mem_free(h);
}

/* ---- another place ---------------------------------------------------------- */

/* From so many on, one flush of everything costs less than one of each. */
#define MOVES_MANY 8

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
	return queue_set_next(q, m->place, m->id, clock_wall());
}

/* -1: errno, ENOENT if it is not there.  MANY: not durable yet. */
static int
act_at(const struct control *c, const struct item *m, bool many)
{
	struct queue *q = c->r->queue;
	enum queue_place to = c->op == CONTROL_HOLD ? QUEUE_HOLD : QUEUE_CUR;

	if (c->op == CONTROL_DELETE)
		return queue_remove(q, m->place, m->id);
	if (c->op != CONTROL_HOLD && release_at(c, m) < 0)
		return -1;
	return many ? queue_move_early(q, m->place, m->id, to) :
		      queue_move(q, m->place, m->id, to);
}

/* Hold, release, return, delete: of those whose orders stand, if they need one. */
static void
move_all(struct control *c)
{
	struct queue *q = c->r->queue;
	size_t n = 0;
	bool many;
	int e = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->items[i].todo == ITEM_ACT;
	many = n >= MOVES_MANY;
	for (size_t i = 0; i < c->n; i++) {
		struct item *m = &c->items[i];

		if (m->todo == ITEM_ACT)
			item_done(c, m, act_at(c, m, many) < 0 ? errno : 0);
	}
	if (n > 0 && c->op == CONTROL_DELETE)
		e = queue_sync_removals(q) < 0 ? errno : 0;
	else if (many)
		e = queue_sync_moves(q) < 0 ? errno : 0;
	for (size_t i = 0; e != 0 && i < c->n; i++)
		if (c->items[i].todo == ITEM_DONE)
			item_done(c, &c->items[i], e);
}

/* ---- orders that stand beside their messages -------------------------------- */

/* Gives them; what needs no more is done when they are durable. */
static void
order_all(struct control *c)
{
	struct queue *q = c->r->queue;
	bool any = false;
	int e;

	for (size_t i = 0; i < c->n; i++) {
		struct item *m = &c->items[i];

		if (m->todo != ITEM_ACT ||
		    (!m->ordered && c->op != CONTROL_BOUNCE))
			continue;
		any = m->put = true;
		if (queue_order(q, m->id, standing_order(m->was),
			standing_order(c->op)) < 0)
			item_done(c, m, errno);
	}
	if (!any)
		return;
	e = queue_sync_orders(q) < 0 ? errno : 0;
	for (size_t i = 0; i < c->n; i++) {
		struct item *m = &c->items[i];

		if (m->put && m->todo == ITEM_ACT && (m->ordered || e != 0))
			item_done(c, m, e);
	}
}

void
steer_act(void *control)
{
	struct control *c = control;

	order_all(c);
	if (c->op == CONTROL_CHANGE || c->op == CONTROL_FLUSH)
		change_all(c);
	else
		move_all(c);
}
