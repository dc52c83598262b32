/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * control -- hints that come in by the channel, and orders by another.
 *
 * Every session can send hints; an order to delete comes by a channel that no
 * session has, so that one that was taken over can steer nothing.
 *
 * An order is carried out in steps: the loop lists whom it may concern, the
 * pool looks into the envelopes (for a domain) and into hold/, the loop
 * claims those that wait, the pool moves or removes them, and the loop
 * answers.  A message that is being attempted gets the order noted in its
 * slot; it takes effect when the attempt ends.  Whatever is no valid frame is
 * dropped: sessions share the channel, and a bad one must not silence the
 * rest.
 */

#include <errno.h>
#include <unistd.h>

#include "dest.h"
#include "ipc/channel.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "queue/queue.h"
#include "lib/mem.h"
#include "runner.h"

/* Packets taken at one event: deliveries want their turn too. */
#define PACKETS_MAX 256

enum item_do { ITEM_NOTHING, ITEM_MATCHED, ITEM_ACT, ITEM_DONE };

struct item {
	char id[QUEUE_ID_SIZE];
	uint8_t todo;	/* enum item_do */
	uint8_t place;	/* enum queue_place */
	bool known;	/* in the index; else in hold/ or dead/ */
};

struct control {
	struct control *next, **at;
	struct runner *r;
	int answer;
	enum control_op op;
	char *domain;	/* "": any */
	bool by_id;
	struct item *items;
	size_t n, size;
	uint64_t count, failed;
};

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

/* ---- the answer ----------------------------------------------------------------------- */

static void
answer(int fd, bool ok, uint64_t count, struct str text)
{
	struct msg_control_result m = { .ok = ok, .count = count,
		.text = text };
	struct buf b;

	if (fd < 0)
		return;
	buf_init(&b, FRAME_MAX);
	msg_control_result_put(&b, &m);
	if (channel_send(fd, buf_str(&b), -1) < 0)
		log_debug(NULL, "nobody waits for the answer: %s",
		    strerror(errno));
	buf_free(&b);
	close(fd);
}

static void
control_end(struct control *c)
{
	struct buf text;

	buf_init(&text, 256);
	if (c->failed > 0)
		buf_addf(&text, "%llu messages could not be changed; see the "
		    "log\n", (unsigned long long)c->failed);
	answer(c->answer, c->failed == 0, c->count, buf_str(&text));
	buf_free(&text);
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	mem_free(c->domain);
	mem_free(c->items);
	mem_free(c);
}

/* ---- what is concerned: in the pool -------------------------------------------------- */

/* True if a recipient that is not dealt with is of the domain. */
static bool
has_domain(const struct control *c, const struct item *i)
{
	struct queue_file f;
	struct arena a;
	const char *reason;
	bool has = false;

	arena_init(&a, ENVELOPE_ARENA);
	if (queue_load(c->r->queue, i->place, i->id, false, &a, &f, &reason) ==
	    0) {
		for (size_t k = 0; k < f.env.rcpt_n && !has; k++)
			has = f.env.rcpts[k].state == RCPT_QUEUED &&
			    str_ieq(f.env.rcpts[k].path.domain,
				str_c(c->domain));
		queue_unload(&f);
	}
	arena_free(&a);
	return has;
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
	for (size_t i = 0; i < c->n; i++)
		if (c->by_id || c->domain[0] == '\0' ||
		    has_domain(c, &c->items[i]))
			c->items[i].todo = ITEM_MATCHED;
}

/* ---- what is done: in the pool --------------------------------------------------------- */

/* -1: errno, ENOENT if it is not there. */
static int
act_at(const struct control *c, enum queue_place place, const char *id)
{
	struct queue *q = c->r->queue;

	switch (c->op) {
	case CONTROL_HOLD:
		return queue_move(q, place, id, QUEUE_HOLD);
	case CONTROL_DELETE:
		return queue_remove(q, place, id);
	case CONTROL_RELEASE:
	case CONTROL_BOUNCE:
		if (queue_set_next(q, place, id, clock_wall()) < 0)
			return -1;
		return queue_move(q, place, id, QUEUE_CUR);
	case CONTROL_STATUS:
	case CONTROL_RELOAD:
	case CONTROL_STOP:
	case CONTROL_FLUSH:
	case CONTROL_LIST:
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
		int r;

		if (m->todo != ITEM_ACT)
			continue;
		r = act_at(c, m->place, m->id);
		/* Not on hold: what is dead may be released or deleted. */
		if (r < 0 && errno == ENOENT && !m->known && c->by_id) {
			m->place = QUEUE_DEAD;
			r = act_at(c, QUEUE_DEAD, m->id);
		}
		if (r == 0)
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
		[CONTROL_BOUNCE] = "to be returned to its sender" };

	log_as("qmgr", LOG_LEVEL_INFO, m->id, "%s", words[c->op]);
	if (c->op == CONTROL_HOLD)
		record_message(c->r, JOURNAL_HELD, m->id, 0, NULL);
	else if (c->op == CONTROL_RELEASE || c->op == CONTROL_BOUNCE)
		record_message(c->r, JOURNAL_RELEASED, m->id, 0, NULL);
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
			c->count++;
		}
		if (m->known && slot != INDEX_NONE) {
			if (done)
				runner_forget(r, slot);
			else
				index_wait(r->index, slot,
				    index_at(r->index, slot)->due);
		} else if (done && (c->op == CONTROL_RELEASE ||
			       c->op == CONTROL_BOUNCE)) {
			runner_learn(r, m->id, QUEUE_CUR, 0, false);
			slot = index_find(r->index, m->id);
			/* What was dead is tried anew: see job.c. */
			if (slot != INDEX_NONE && (c->op == CONTROL_BOUNCE ||
					m->place == QUEUE_DEAD))
				index_at(r->index, slot)->op = (uint8_t)c->op;
		}
	}
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

	if (slot == INDEX_NONE || c->op == CONTROL_RELEASE)
		return false;
	k = index_at(x, slot);
	if (k->state != KNOWN_WAITING) {
		if (c->op != CONTROL_FLUSH)
			k->op = (uint8_t)c->op;
		c->count++;
		return false;
	}
	if (c->op == CONTROL_FLUSH || c->op == CONTROL_BOUNCE) {
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

static void
match_done(void *arg)
{
	struct control *c = arg;
	bool act = false;

	if (c->op != CONTROL_FLUSH)
		dest_unpark_all(c->r);
	for (size_t i = 0; i < c->n; i++) {
		struct item *m = &c->items[i];

		if (m->todo != ITEM_MATCHED)
			continue;
		m->todo = ITEM_NOTHING;
		if (m->known ? !claim(c, m) : c->op == CONTROL_FLUSH ||
			    c->op == CONTROL_HOLD)
			continue;
		m->todo = ITEM_ACT;
		act = true;
	}
	runner_wake(c->r);
	if (act)
		loop_pool_run(c->r->disk, act_work, act_done, c);
	else
		control_end(c);
}

/* ---- orders --------------------------------------------------------------------------- */

static void
list_known(struct control *c, const struct msg_control *m)
{
	struct index *x = c->r->index;
	char id[QUEUE_ID_SIZE];
	uint32_t at = 0, slot;

	for (size_t i = 0; i < m->id_n; i++) {
		if (!queue_id_valid(m->ids[i]))
			continue;
		memcpy(id, m->ids[i].p, QUEUE_ID_LEN);
		id[QUEUE_ID_LEN] = '\0';
		if (runner_of(id, c->r->count) != c->r->number)
			continue;
		slot = index_find(x, id);
		item_add(c, id,
		    slot != INDEX_NONE ? index_at(x, slot)->place : QUEUE_HOLD,
		    slot != INDEX_NONE);
	}
	while (m->id_n == 0 && index_next(x, &at, &slot)) {
		index_id(x, slot, id);
		item_add(c, id, index_at(x, slot)->place, true);
	}
}

static void
status_answer(const struct runner *r, int fd)
{
	struct buf b;

	buf_init(&b, 1024);
	buf_addf(&b,
	    "runner.%zu.queued %zu\nrunner.%zu.active %zu\n"
	    "runner.%zu.connections %zu\nrunner.%zu.destinations %zu\n",
	    r->number, index_count(r->index), r->number, r->job_n, r->number,
	    r->conn_n, r->number, map_count(r->dests));
	answer(fd, true, 0, buf_str(&b));
	buf_free(&b);
}

static void
order(struct runner *r, const struct msg_control *m, int fd)
{
	struct control *c;

	switch (m->op) {
	case CONTROL_STATUS:
		status_answer(r, fd);
		return;
	case CONTROL_FLUSH:
		dest_revive(r);
		break;
	case CONTROL_HOLD:
	case CONTROL_RELEASE:
	case CONTROL_DELETE:
	case CONTROL_BOUNCE:
		break;
	case CONTROL_RELOAD:
	case CONTROL_STOP:
	case CONTROL_LIST:
		answer(fd, false, 0, STR("a runner cannot do that\n"));
		return;
	}
	c = mem_alloc(sizeof(*c));
	c->r = r;
	c->answer = fd;
	c->op = m->op;
	c->domain = mem_dup(m->domain);
	c->by_id = m->id_n > 0;
	c->next = r->controls;
	c->at = &r->controls;
	if (c->next != NULL)
		c->next->at = &c->next;
	r->controls = c;
	list_known(c, m);
	loop_pool_run(r->disk, match_work, match_done, c);
}

static void
take_hint(struct runner *r, struct str bytes, int fd)
{
	struct msg_hint hint;
	char id[QUEUE_ID_SIZE] = "";

	if (!msg_hint_get(bytes, &hint))
		log_warn(NULL, "a packet of %zu octets is no hint", bytes.n);
	else if (queue_id_valid(hint.id))
		memcpy(id, hint.id.p, QUEUE_ID_LEN);
	if (id[0] != '\0' && runner_of(id, r->count) == r->number)
		runner_learn(r, id, QUEUE_NEW, 0, false);
	if (fd >= 0)
		close(fd);
}

static void
take_order(struct runner *r, struct str bytes, int fd)
{
	struct msg_control *m = mem_alloc(sizeof(*m));

	if (msg_control_get(bytes, m) && m->op >= CONTROL_STATUS &&
	    m->op <= CONTROL_BOUNCE) {
		order(r, m, fd);
	} else {
		log_warn(NULL, "a packet of %zu octets is no order", bytes.n);
		if (fd >= 0)
			close(fd);
	}
	mem_free(m);
}

/* False at the end of the channel. */
static bool
take_packets(struct runner *r, int from,
    void (*take)(struct runner *r, struct str bytes, int fd))
{
	int fd, got = 1;

	for (int i = 0; i < PACKETS_MAX && got > 0; i++) {
		got = channel_recv(from, &r->packet, &fd);
		if (got > 0)
			take(r, buf_str(&r->packet), fd);
	}
	return got >= 0;
}

static void
on_channel(void *arg, bool readable UNUSED, bool writable UNUSED)
{
	struct runner *r = arg;

	if (!take_packets(r, r->channel, take_hint)) {
		log_warn(NULL, "the channel is closed: only scans find mail");
		loop_io_want(r->channel_io, false, false);
	}
	runner_take_up(r);
}

static void
on_orders(void *arg, bool readable UNUSED, bool writable UNUSED)
{
	struct runner *r = arg;

	/* Only the master has the other end; it may have died before main(). */
	if (!take_packets(r, r->orders, take_order)) {
		loop_io_want(r->orders_io, false, false);
		if (!r->stopping)
			log_warn(NULL, "the master is gone: this runner ends");
		runner_stop(r);
	}
	runner_take_up(r);
}

void
control_start(struct runner *r)
{
	buf_init(&r->packet, FRAME_MAX);
	if (r->channel < 0)
		return;
	r->channel_io = loop_io_new(r->loop, r->channel, on_channel, r);
	loop_io_want(r->channel_io, true, false);
	r->orders_io = loop_io_new(r->loop, r->orders, on_orders, r);
}

void
control_take_orders(struct runner *r)
{
	if (r->orders_io != NULL)
		loop_io_want(r->orders_io, true, false);
}

void
control_stop(struct runner *r)
{
	loop_io_free(r->channel_io);
	loop_io_free(r->orders_io);
	r->channel_io = r->orders_io = NULL;
	buf_free(&r->packet);
}

bool
control_idle(const struct runner *r)
{
	return r->controls == NULL;
}
