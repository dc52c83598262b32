/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * steer -- orders that change what is in the queue.
 *
 * An order is carried out in steps: the loop lists whom it may concern, the
 * pool looks where they are and what is to be known of them, the loop claims
 * those that wait and writes into the journal what will be gone, the pool
 * moves, changes or removes them, and the loop answers.  A message that is
 * being attempted gets the order noted in its slot, and it takes effect when
 * the attempt ends; only a change of its envelope is refused meanwhile.
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

/* Received lines of what was never loaded, for one order. */
#define LINES_MAX ((size_t)256 << 20)

enum item_do { ITEM_NOTHING, ITEM_MATCHED, ITEM_ACT, ITEM_DONE };

struct item {
	char id[QUEUE_ID_SIZE];
	uint8_t todo;		/* enum item_do */
	uint8_t place;		/* enum queue_place */
	bool known;		/* in the index; else in hold/ or dead/ */
	bool appointed;		/* not to be tried before a time */
	uint32_t rcpts;		/* 0: not known */
	size_t line, line_n;	/* its received line, in LINES */
};

struct control {
	struct control *next;
	struct runner *r;
	int answer;
	enum control_op op;
	char *domain;		/* "": any */
	char *route;		/* CONTROL_CHANGE; "": as it is */
	int64_t due;		/* CONTROL_CHANGE, seconds; 0: as it is */
	bool by_id;
	struct item *items;
	size_t n, size;
	struct buf lines;
	uint64_t count, failed, busy;
};

static void control_run(struct control *c);

static void
item_add(struct control *c, const char *id, enum queue_place place, bool known)
{
	if (c->n == c->size) {
		c->size = c->size ? c->size * 2 : 64;
		c->items = mem_grow(c->items, c->size, sizeof(*c->items));
	}
	c->items[c->n] = (struct item){ .todo = ITEM_NOTHING,
		.place = (uint8_t)place,
		.known = known };
	memcpy(c->items[c->n++].id, id, QUEUE_ID_SIZE);
}

static void
control_end(struct control *c)
{
	struct runner *r = c->r;
	struct buf text;

	buf_init(&text, 512);
	if (c->failed > 0)
		buf_addf(&text, "%llu messages could not be changed; see the "
		    "log\n", (unsigned long long)c->failed);
	if (c->busy > 0)
		buf_addf(&text, "%llu messages are being delivered now, and "
		    "stay as they are: ask again\n",
		    (unsigned long long)c->busy);
	control_answer(c->answer, c->failed + c->busy == 0, c->count,
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

/* ---- what is concerned: in the pool -------------------------------------------------- */

/* True if a recipient that is not dealt with is of the domain. */
static bool
has_domain(const struct control *c, const struct envelope *e)
{
	if (c->domain[0] == '\0')
		return true;
	for (size_t k = 0; k < e->rcpt_n; k++)
		if (e->rcpts[k].state == RCPT_QUEUED &&
		    str_ieq(e->rcpts[k].path.domain, str_c(c->domain)))
			return true;
	return false;
}

/* The journal may not know yet that it was received: see record.c. */
static void
keep_received(struct control *c, struct item *m, const struct queue_file *f)
{
	struct journal_line l;
	struct buf scratch;

	if (m->place != QUEUE_NEW || c->r->journal == NULL)
		return;
	buf_init(&scratch, 4096);
	record_received_line(&l, f, &scratch);
	m->line = c->lines.n;
	journal_format(&c->lines, &l, clock_wall_us());
	m->line_n = c->lines.n - m->line;
	buf_free(&scratch);
}

/* True if M is where it should be, and is meant. */
static bool
look_inside(struct control *c, struct item *m)
{
	struct queue_file f;
	struct arena a;
	const char *reason;
	bool meant = false;

	arena_init(&a, ENVELOPE_ARENA);
	if (queue_load(c->r->queue, m->place, m->id, false, &a, &f, &reason) ==
	    0) {
		meant = has_domain(c, &f.env);
		m->rcpts = (uint32_t)f.env.rcpt_n;
		m->appointed = f.env.not_before_us > clock_wall_us();
		if (meant)
			keep_received(c, m, &f);
		queue_unload(&f);
	} else if (errno != ENOENT)
		/* What cannot be read can be moved away all the same. */
		meant = c->domain[0] == '\0';
	arena_free(&a);
	return meant;
}

/* What is not in the index is on hold, or dead. */
static bool
look_for(struct control *c, struct item *m)
{
	if (m->known || look_inside(c, m))
		return true;
	m->place = QUEUE_DEAD;
	return c->op != CONTROL_FLUSH && c->op != CONTROL_HOLD &&
	    look_inside(c, m);
}

/* True if there is nothing to be known of M but its name. */
static bool
is_plain(const struct control *c, const struct item *m)
{
	if (c->domain[0] != '\0' || !m->known)
		return false;
	switch (c->op) {
	case CONTROL_HOLD:
	case CONTROL_DELETE:
		return m->place != QUEUE_NEW;
	case CONTROL_FLUSH:
		return !c->by_id;
	default:
		return true;
	}
}

static bool
on_held(void *arg, const char *id, int64_t mtime, uint64_t size)
{
	struct control *c = arg;

	(void)mtime;
	(void)size;
	if (id != NULL && runner_of(id, c->r->count) == c->r->number)
		item_add(c, id, QUEUE_HOLD, false);
	return true;
}

static void
match_work(void *arg)
{
	struct control *c = arg;

	if (!c->by_id && c->op != CONTROL_FLUSH && c->op != CONTROL_HOLD &&
	    queue_scan(c->r->queue, QUEUE_HOLD, on_held, c) < 0)
		log_warn(NULL, "cannot read hold/: %s", strerror(errno));
	for (size_t i = 0; i < c->n; i++) {
		struct item *m = &c->items[i];

		if (is_plain(c, m) ||
		    (m->known ? look_inside(c, m) : look_for(c, m)))
			m->todo = ITEM_MATCHED;
	}
}

/* ---- what is done: in the pool --------------------------------------------------------- */

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
		if (queue_set_next(q, m->place, m->id, clock_wall()) < 0)
			return -1;
		return queue_move(q, m->place, m->id, QUEUE_CUR);
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
act_work(void *arg)
{
	struct control *c = arg;

	for (size_t i = 0; i < c->n; i++) {
		struct item *m = &c->items[i];

		if (m->todo != ITEM_ACT)
			continue;
		if (act_at(c, m) == 0)
			m->todo = ITEM_DONE;
		else if (errno != ENOENT) {
			log_error(m->id, "cannot be changed: %s",
			    strerror(errno));
			c->failed++;
		}
	}
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
	/* What was dead is tried anew: see job.c. */
	if (slot != INDEX_NONE &&
	    (c->op == CONTROL_BOUNCE || m->place == QUEUE_DEAD))
		index_at(r->index, slot)->op = (uint8_t)c->op;
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

		if (m->todo != ITEM_ACT && !done)
			continue;
		if (done) {
			log_done(c, m);
			record_done(c, m);
			c->count++;
		}
		if (m->known && slot != INDEX_NONE)
			known_done(c, m, slot, done);
		else if (done)
			held_done(c, m);
	}
	record_flush(r);
	runner_wake(r);
	control_end(c);
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
	if (c->op == CONTROL_RELEASE) {
		/* It would have been put on hold when its attempt is over. */
		if (k->op == CONTROL_HOLD) {
			k->op = 0;
			c->count++;
		}
		return false;
	}
	if (k->state != KNOWN_WAITING) {
		if (c->op == CONTROL_CHANGE) {
			c->busy++;
			return false;
		}
		if (c->op != CONTROL_FLUSH)
			k->op = (uint8_t)c->op;
		c->count++;
		return false;
	}
	if ((c->op == CONTROL_FLUSH && !m->appointed) ||
	    c->op == CONTROL_BOUNCE) {
		if (c->op == CONTROL_BOUNCE)
			k->op = CONTROL_BOUNCE;
		index_wait(x, slot, 0);
		c->count++;
		return false;
	}
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

static bool
any_parked(const struct control *c)
{
	struct index *x = c->r->index;

	for (size_t i = 0; i < c->n; i++) {
		uint32_t slot = c->items[i].todo == ITEM_MATCHED ?
		    index_find(x, c->items[i].id) : INDEX_NONE;

		if (slot != INDEX_NONE &&
		    index_at(x, slot)->state == KNOWN_PARKED)
			return true;
	}
	return false;
}

static void
match_done(void *arg)
{
	struct control *c = arg;
	bool act = false;

	if (c->op != CONTROL_FLUSH && any_parked(c))
		dests_unpark_all(c->r);
	for (size_t i = 0; i < c->n; i++) {
		struct item *m = &c->items[i];

		if (m->todo != ITEM_MATCHED)
			continue;
		m->todo = ITEM_NOTHING;
		if (m->known ? !claim(c, m) : c->op == CONTROL_FLUSH ||
			    c->op == CONTROL_HOLD)
			continue;
		m->todo = ITEM_ACT;
		tell(c, m);
		act = true;
	}
	runner_wake(c->r);
	if (!act) {
		control_end(c);
		return;
	}
	record_flush(c->r);
	loop_pool_run(c->r->disk, act_work, act_done, c);
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
			item_add(c, id, QUEUE_HOLD, false);
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

		slot = index_find(x, m->id);
		m->known = slot != INDEX_NONE;
		if (m->known)
			m->place = index_at(x, slot)->place;
	}
	while (!c->by_id && index_next(x, &at, &slot)) {
		index_id(x, slot, id);
		item_add(c, id, index_at(x, slot)->place, true);
	}
}

static void
control_run(struct control *c)
{
	if (c->op == CONTROL_FLUSH)
		dests_revive(c->r);
	list_known(c);
	loop_pool_run(c->r->disk, match_work, match_done, c);
}

void
steer_start(struct runner *r, const struct msg_control *m, int answer)
{
	struct control *c = mem_alloc(sizeof(*c)), **last = &r->controls;

	c->r = r;
	c->answer = answer;
	c->op = m->op;
	c->domain = mem_dup(m->domain);
	c->route = mem_dup(m->route);
	c->due = m->at <= INT64_MAX / 1000000 ? (int64_t)m->at : 0;
	c->by_id = m->id_n > 0;
	buf_init(&c->lines, LINES_MAX);
	list_named(c, m);
	while (*last != NULL)
		last = &(*last)->next;
	*last = c;
	if (r->controls == c)
		control_run(c);
}

bool
control_idle(const struct runner *r)
{
	return r->controls == NULL;
}
