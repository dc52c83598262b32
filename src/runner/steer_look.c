/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * steer_look -- whom an order concerns.
 *
 * Runs in the pool: opens what has to be looked into, and only that.  Messages
 * go on meanwhile, but in one direction, from new/ over cur/ to hold/ or dead/:
 * who looks in that order finds each that is not removed.  Nothing is changed
 * here.
 */

#include "steer.h"

#include <errno.h>

#include "ipc/journal.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "runner.h"

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

/* True if M is where PLACE says: then MEANT says if the order concerns it. */
static bool
look_at(struct control *c, struct item *m, enum queue_place place, bool *meant)
{
	struct queue_file f;
	struct arena a;
	const char *reason;
	bool there = true;

	arena_init(&a, ENVELOPE_ARENA);
	if (queue_load(c->r->queue, place, m->id, false, &a, &f, &reason) == 0) {
		m->place = (uint8_t)place;
		*meant = has_domain(c, &f.env);
		m->rcpts = (uint32_t)f.env.rcpt_n;
		m->appointed = f.env.not_before_us > clock_wall_us();
		if (*meant)
			keep_received(c, m, &f);
		queue_unload(&f);
	} else if (errno != ENOENT) {
		/* What cannot be read can be moved away all the same. */
		m->place = (uint8_t)place;
		*meant = c->domain[0] == '\0';
	} else
		there = false;
	arena_free(&a);
	return there;
}

/* True if M is there, and is meant.  It may have gone on since it was known. */
static bool
look_for(struct control *c, struct item *m)
{
	static const enum queue_place way[] = { QUEUE_NEW, QUEUE_CUR,
		QUEUE_HOLD, QUEUE_DEAD };
	size_t i = 0, n = sizeof(way) / sizeof(way[0]);
	bool meant = false;

	/* They do not concern what is on hold or dead. */
	if (c->op == CONTROL_FLUSH || c->op == CONTROL_HOLD)
		n = 2;
	while (m->known && way[i] != m->place)
		i++;
	while (i < n && !look_at(c, m, way[i], &meant))
		i++;
	return meant;
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
	case CONTROL_RELEASE:
	case CONTROL_CHANGE:
		/* It may be on hold or dead by now. */
		return !c->by_id || !m->busy;
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
	if (id != NULL)
		steer_add(c, id, QUEUE_HOLD, false);
	return true;
}

void
steer_look(void *arg)
{
	struct control *c = arg;
	struct queue_part part = runner_part(c->r, true);

	if (!c->by_id && !c->listed && c->op != CONTROL_FLUSH &&
	    c->op != CONTROL_HOLD &&
	    queue_scan_part(c->r->queue, QUEUE_HOLD, &part, on_held, c) < 0)
		log_warn(NULL, "cannot read hold/: %s", strerror(errno));
	c->listed = true;
	for (size_t i = 0; i < c->n; i++) {
		struct item *m = &c->items[i];

		if (m->todo == ITEM_LOOK)
			m->todo = is_plain(c, m) || look_for(c, m) ?
			    ITEM_MATCHED :
			    ITEM_NOTHING;
	}
}
