/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * steer -- orders that change what is in the queue.
 *
 * An order is carried out in steps: the loop lists whom it may concern, the
 * pool looks where they are and what is to be known of them, the loop claims
 * those that wait and writes into the journal what will be gone, the pool
 * moves, changes or removes them, and the loop answers.  A message that is
 * being attempted gets the order noted in its slot, and beside it in the spool
 * (queue/order.c), and it takes effect when the attempt ends; only a change of
 * its envelope is refused meanwhile.  Whoever got an answer can kill whatever
 * he likes: the order stands.
 *
 * Messages go on while the pool looks.  One that left the index meanwhile is
 * looked for once more, and one that was seen on hold or dead but is still in
 * the index is there in a moment: then it is its turn.
 *
 * Orders are carried out one after the other: what one moves another would
 * find where it is not for long.
 */

#include "control.h"

#include <errno.h>

#include "dest.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "queue/queue.h"
#include "runner.h"
#include "steer.h"

/* Received lines of what was never loaded, for one order. */
#define LINES_MAX ((size_t)256 << 20)

static void control_run(struct control *c);

void
steer_add(struct control *c, const char *id, enum queue_place place, bool known)
{
	if (c->n == c->size) {
		c->size = c->size ? c->size * 2 : 64;
		c->items = mem_grow(c->items, c->size, sizeof(*c->items));
	}
	c->items[c->n] = (struct item){ .todo = ITEM_LOOK,
		.place = (uint8_t)place,
		.known = known };
	memcpy(c->items[c->n++].id, id, QUEUE_ID_SIZE);
}

/* Orders that were carried out before they stood there, or came to nothing. */
static void
void_orders(const struct control *c)
{
	struct runner *r = c->r;

	for (size_t i = 0; i < c->n; i++) {
		const struct item *m = &c->items[i];
		uint32_t slot;

		if (!m->put && !c->stands)
			continue;
		slot = index_find(r->index, m->id);
		if (slot == INDEX_NONE || index_at(r->index, slot)->op == 0)
			standing_void(r, m->id);
	}
}

static void
control_end(struct control *c)
{
	struct runner *r = c->r;
	struct buf text;

	void_orders(c);
	buf_init(&text, 512);
	if (c->failed > 0)
		buf_addf(&text, "%llu messages could not be changed; see the "
		    "log\n", (unsigned long long)c->failed);
	if (c->busy > 0)
		buf_addf(&text, "%llu messages are being delivered now, and "
		    "stay as they are: ask again\n",
		    (unsigned long long)c->busy);
	control_reply(c->answer, c->failed + c->busy == 0, c->count,
	    buf_str(&text));
	buf_free(&text);
	r->controls = c->next;
	if (r->controls != NULL)
		control_run(r->controls);
	buf_free(&c->lines);
	mem_free(c->domain);
	mem_free(c->route);
	mem_free(c->items);
	mem_free(c);
}

/* It is over, unless there is something to be looked for once more. */
static void
control_next(struct control *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->items[i].todo == ITEM_LOOK) {
			c->idle = c->waits;
			if (!c->idle)
				control_run(c);
			return;
		}
	control_end(c);
}

/* ---- between: in the loop ----------------------------------------------------------------- */

static void
log_done(const struct control *c, const struct item *m)
{
	static const char *const words[] = { [CONTROL_HOLD] = "put on hold",
		[CONTROL_DELETE] = "deleted by the administrator",
		[CONTROL_RELEASE] = "released",
		[CONTROL_BOUNCE] = "to be returned to its sender",
		[CONTROL_FLUSH] = "to be tried now",
		[CONTROL_CHANGE] = "changed by the administrator" };

	log_as("qmgr", LOG_LEVEL_INFO, m->id, "%s", words[c->op]);
}

static void
record_done(const struct control *c, const struct item *m)
{
	struct journal_line l = { .event = JOURNAL_CHANGED, .id = m->id };

	switch (c->op) {
	case CONTROL_HOLD:
		record_message(c->r, JOURNAL_HELD, m->id, m->rcpts, NULL);
		return;
	case CONTROL_RELEASE:
	case CONTROL_BOUNCE:
		record_message(c->r, JOURNAL_RELEASED, m->id, m->rcpts, NULL);
		return;
	case CONTROL_CHANGE:
	case CONTROL_FLUSH:
		l.kind = c->route[0] != '\0' ? STR("route") : STR("time");
		l.reason = str_c(c->route);
		l.due = c->due;
		journal_add(c->r->journal, &l);
		return;
	default:
		/* A deletion was told before. */
		return;
	}
}

/* What became of a message that is in the index. */
static void
known_done(struct control *c, const struct item *m, uint32_t slot, bool done)
{
	struct runner *r = c->r;
	int64_t due = index_at(r->index, slot)->due;

	if (!done)
		index_wait(r->index, slot, due);
	else if (c->op == CONTROL_CHANGE || c->op == CONTROL_FLUSH)
		index_wait(r->index, slot,
		    c->due != 0 ? c->due :
			c->route[0] != '\0' || c->op == CONTROL_FLUSH ? 0 :
			due);
	else
		runner_forget(r, slot);
	(void)m;
}

/* What was on hold, or dead, is in the queue again. */
static void
held_done(struct control *c, const struct item *m)
{
	struct runner *r = c->r;
	uint32_t slot;

	if (c->op != CONTROL_RELEASE && c->op != CONTROL_BOUNCE)
		return;
	runner_learn(r, m->id, QUEUE_CUR, 0, false);
	slot = index_find(r->index, m->id);
	if (slot != INDEX_NONE && c->op == CONTROL_BOUNCE)
		index_at(r->index, slot)->op = CONTROL_BOUNCE;
}

/*
 * What became of an order that was put beside its message.  The message may
 * have gone on meanwhile, and it may be carried out.
 */
static void
ordered_done(struct control *c, const struct item *m, uint32_t slot, bool done)
{
	struct known *k;

	c->count += done;
	if (done || slot == INDEX_NONE)
		return;
	k = index_at(c->r->index, slot);
	if (k->op != (c->op == CONTROL_RELEASE ? 0 : c->op))
		return;
	/* The one before it is in force again. */
	k->op = m->was;
	if (m->was != 0 &&
	    queue_order(c->r->queue, m->id, standing_order(c->op),
		standing_order(m->was)) < 0)
		log_warn(m->id, "cannot write an order: %s", strerror(errno));
}

static void
act_done(void *arg)
{
	struct control *c = arg;
	struct runner *r = c->r;

	for (size_t i = 0; i < c->n; i++) {
		struct item *m = &c->items[i];
		uint32_t slot = index_find(r->index, m->id);
		bool done = m->todo == ITEM_DONE;

		if (m->todo != ITEM_FAILED && !done)
			continue;
		m->todo = ITEM_NOTHING;
		if (m->ordered) {
			ordered_done(c, m, slot, done);
			continue;
		}
		c->count += done;
		/* To be tried a little sooner changes nothing. */
		if (done && (c->op != CONTROL_FLUSH || m->appointed)) {
			log_done(c, m);
			record_done(c, m);
		}
		if (m->known && slot != INDEX_NONE)
			known_done(c, m, slot, done);
		else if (done)
			held_done(c, m);
	}
	record_flush(r);
	runner_wake(r);
	control_next(c);
}

/*
 * A message that is being attempted, or will be returned by the next attempt:
 * OP is noted, 0 takes back what was.  True if that has to be made durable.
 */
static bool
give_order(struct control *c, struct item *m, struct known *k, enum control_op op)
{
	m->was = k->op;
	k->op = (uint8_t)op;
	m->ordered = m->was != op;
	/* It stands already. */
	if (!m->ordered)
		c->count++;
	return m->ordered;
}

/* A message in the index: true if the pool has something to do for it. */
static bool
claim(struct control *c, struct item *m)
{
	struct index *x = c->r->index;
	uint32_t slot = index_find(x, m->id);
	struct known *k;

	if (slot == INDEX_NONE)
		return false;
	k = index_at(x, slot);
	/* It would have been put on hold when its attempt is over. */
	if (c->op == CONTROL_RELEASE)
		return k->op == CONTROL_HOLD && give_order(c, m, k, 0);
	if (c->op == CONTROL_CHANGE &&
	    (k->state != KNOWN_WAITING || k->op != 0)) {
		c->busy++;
		return false;
	}
	/* Whoever was put off lately is tried as well. */
	if (c->op == CONTROL_FLUSH || c->op == CONTROL_CHANGE)
		k->partly = false;
	if (c->op == CONTROL_BOUNCE && k->state == KNOWN_WAITING)
		index_wait(x, slot, 0);
	/* What was never tried is due at a start, too; nothing need be written. */
	if (c->op == CONTROL_FLUSH && (k->state != KNOWN_WAITING ||
		(k->place == QUEUE_NEW && !m->appointed))) {
		if (k->state == KNOWN_WAITING)
			index_wait(x, slot, 0);
		else
			c->r->flushes++;
		c->count++;
		return false;
	}
	if (k->state != KNOWN_WAITING || c->op == CONTROL_BOUNCE)
		return give_order(c, m, k, c->op);
	m->place = k->place;
	index_claim(x, slot);
	return true;
}

/* The journal has it before it is gone. */
static void
tell(struct control *c, const struct item *m)
{
	struct runner *r = c->r;
	uint32_t slot = m->known ? index_find(r->index, m->id) : INDEX_NONE;
	struct known *k = slot != INDEX_NONE ? index_at(r->index, slot) : NULL;

	if (k != NULL && !k->told && k->place == QUEUE_NEW && m->line_n > 0) {
		journal_add_line(r->journal,
		    str_n(c->lines.p + m->line, m->line_n));
		k->told = true;
	}
	if (c->op == CONTROL_DELETE)
		record_message(r, JOURNAL_DELETED, m->id, m->rcpts, NULL);
}

/*
 * What is parked waits again, so that the order finds it.  To be tried now is
 * nothing for it, but for those of it who were put off; and it is not on hold.
 */
static void
unpark(struct control *c, uint32_t slot)
{
	const struct known *k = index_at(c->r->index, slot);

	if (k->state == KNOWN_PARKED && c->op != CONTROL_RELEASE &&
	    (c->op != CONTROL_FLUSH || k->partly))
		dests_unpark(c->r, slot);
}

/* What is on hold or dead, and in nobody's hands. */
static enum item_do
settle_kept(struct control *c, struct item *m)
{
	m->known = false;
	if (c->op == CONTROL_FLUSH || c->op == CONTROL_HOLD)
		return ITEM_NOTHING;
	return ITEM_ACT;
}

/* What is to be done to M, which was found, and may have gone on since. */
static enum item_do
settle(struct control *c, struct item *m)
{
	struct index *x = c->r->index;
	bool kept = m->place == QUEUE_HOLD || m->place == QUEUE_DEAD;
	uint32_t slot = index_find(x, m->id);

	if (slot != INDEX_NONE)
		unpark(c, slot);
	if (slot == INDEX_NONE && kept)
		return settle_kept(c, m);
	if (slot == INDEX_NONE && m->known)
		return ITEM_LOOK;
	/* No hint of it came yet. */
	if (slot == INDEX_NONE)
		runner_learn(c->r, m->id, m->place, 0, false);
	else if (kept &&
	    (c->op == CONTROL_RELEASE || c->op == CONTROL_CHANGE)) {
		if (index_at(x, slot)->state != KNOWN_WAITING) {
			c->waits = true;
			return ITEM_LOOK;
		}
		/* Whoever moved it was told that it could not be. */
		runner_forget(c->r, slot);
		return settle_kept(c, m);
	}
	m->known = true;
	return claim(c, m) ? ITEM_ACT : ITEM_NOTHING;
}

static void
match_done(void *arg)
{
	struct control *c = arg;
	bool act = false;

	for (size_t i = 0; i < c->n; i++) {
		struct item *m = &c->items[i];

		if (m->todo != ITEM_MATCHED)
			continue;
		m->todo = (uint8_t)settle(c, m);
		if (m->todo != ITEM_ACT)
			continue;
		if (!m->ordered)
			tell(c, m);
		act = true;
	}
	runner_wake(c->r);
	if (!act) {
		control_next(c);
		return;
	}
	record_flush(c->r);
	loop_pool_run(c->r->disk, steer_act, act_done, c);
}

/* ---- orders --------------------------------------------------------------------------- */

/* Those that were named, if they are this runner's. */
static void
list_named(struct control *c, const struct msg_control *m)
{
	char id[QUEUE_ID_SIZE];

	for (size_t i = 0; i < m->id_n; i++) {
		if (!queue_id_valid(m->ids[i]))
			continue;
		memcpy(id, m->ids[i].p, QUEUE_ID_LEN);
		id[QUEUE_ID_LEN] = '\0';
		if (runner_of(id, c->r->count) == c->r->number)
			steer_add(c, id, QUEUE_HOLD, false);
	}
}

/* Which of them are in the index; or all that are. */
static void
list_known(struct control *c)
{
	struct index *x = c->r->index;
	char id[QUEUE_ID_SIZE];
	uint32_t at = 0, slot;

	for (size_t i = 0; i < c->n; i++) {
		struct item *m = &c->items[i];

		if (m->todo != ITEM_LOOK)
			continue;
		slot = index_find(x, m->id);
		m->known = slot != INDEX_NONE;
		m->busy = m->known && index_at(x, slot)->state == KNOWN_BUSY;
		if (m->known)
			m->place = index_at(x, slot)->place;
	}
	while (!c->by_id && !c->listed && index_next(x, &at, &slot)) {
		index_id(x, slot, id);
		steer_add(c, id, index_at(x, slot)->place, true);
	}
}

static void
control_run(struct control *c)
{
	c->waits = c->idle = false;
	if (c->op == CONTROL_FLUSH)
		dests_revive(c->r);
	list_known(c);
	loop_pool_run(c->r->disk, steer_look, match_done, c);
}

void
steer_moved(struct runner *r)
{
	struct control *c = r->controls;

	if (c == NULL)
		return;
	c->waits = false;
	if (c->idle)
		control_run(c);
}

static struct control *
control_new(struct runner *r, enum control_op op, int answer)
{
	struct control *c = mem_alloc(sizeof(*c));

	c->r = r;
	c->answer = answer;
	c->op = op;
	buf_init(&c->lines, LINES_MAX);
	return c;
}

/* It is its turn when those before it are done. */
static void
control_queue(struct control *c)
{
	struct control **last = &c->r->controls;

	while (*last != NULL)
		last = &(*last)->next;
	*last = c;
	if (c->r->controls == c)
		control_run(c);
}

void
steer_start(struct runner *r, const struct msg_control *m, int answer)
{
	struct control *c = control_new(r, m->op, answer);

	c->domain = mem_dup(m->domain);
	c->route = mem_dup(m->route);
	c->due = m->at <= INT64_MAX / 1000000 ? (int64_t)m->at : 0;
	c->by_id = m->id_n > 0;
	list_named(c, m);
	control_queue(c);
}

void
steer_again(struct runner *r, enum control_op op, const char *id)
{
	struct control *c = control_new(r, op, -1);

	c->domain = mem_dup(STR(""));
	c->route = mem_dup(STR(""));
	c->by_id = c->stands = true;
	steer_add(c, id, QUEUE_HOLD, false);
	control_queue(c);
}

size_t
steer_waiting(const struct runner *r)
{
	size_t n = 0;

	for (const struct control *c = r->controls; c != NULL; c = c->next)
		n++;
	return n;
}

bool
control_idle(const struct runner *r)
{
	return r->controls == NULL;
}
