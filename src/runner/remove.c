/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * remove -- messages that are dealt with leave the spool, many at a time.
 *
 * Taking a name out of a directory may wait for the journal of the file
 * system, so the pool does it, one batch after the other.  Whoever is killed has
 * what is delivered but still stands there delivered once more: so the loop
 * helps a pool that does not keep up.  A removal is made durable by a flush once
 * a second, and the journal before it: a power cut brings at most the last
 * second's messages back.  A message whose removal fails stays known and busy, so
 * that it is not sent again, and is tried once a second.
 */

#include <errno.h>
#include <limits.h>

#include "job.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "queue/dropped.h"
#include "runner.h"

/* So many at most wait for the pool. */
#define WAITING_MAX 32

struct removal {
	struct removal *next;
	uint32_t slot;
	enum queue_place place;
	int error;
	bool gone;
	char *dropped;			/* its name in drop/; NULL: none */
	char (*made)[QUEUE_ID_SIZE];	/* of it, to be taken up when it is gone */
	size_t made_n;
	char id[QUEUE_ID_SIZE];
};

/* What one work of the pool does. */
struct batch {
	struct runner *r;
	struct removal *first;
	bool flush;
	int error;
};

static void
take_out(struct queue *q, struct removal *m)
{
	m->gone = queue_remove_dropped(q, m->place, m->id, m->dropped) == 0 ||
	    errno == ENOENT;
	m->error = m->gone ? 0 : errno;
}

static void
batch_work(void *arg)
{
	struct batch *b = arg;

	for (struct removal *m = b->first; m != NULL; m = m->next)
		if (!m->gone)
			take_out(b->r->queue, m);
	if (!b->flush)
		return;
	/* The journal first: it must not know less than the spool. */
	if (journal_sync(b->r->journal) < 0)
		b->error = errno;
	if (queue_sync_removals(b->r->queue) < 0)
		b->error = errno;
}

static void
line_up(struct runner *r, struct removal *m)
{
	m->next = r->removals;
	r->removals = m;
	r->removal_n++;
}

static void
batch_done(void *arg)
{
	struct batch *b = arg;
	struct runner *r = b->r;
	struct removal *next;
	bool failed = false;

	for (struct removal *m = b->first; m != NULL; m = next) {
		next = m->next;
		if (m->error != 0) {
			/* EAGAIN: it is looked at, or imported, which is soon over. */
			if (m->error != EAGAIN)
				log_error(m->id, "cannot be removed: %s",
				    strerror(m->error));
			m->error = 0;
			line_up(r, m);
			failed = true;
			continue;
		}
		log_as("qmgr", LOG_LEVEL_INFO, m->id, "removed");
		runner_forget(r, m->slot);
		for (size_t i = 0; i < m->made_n; i++)
			runner_announce(r, m->made[i]);
		mem_free(m->made);
		mem_free(m->dropped);
		mem_free(m);
	}
	if (b->flush && b->error != 0)
		log_warn(NULL, "cannot flush removals: %s",
		    strerror(b->error));
	r->removed = !b->flush || b->error != 0;
	r->removing = false;
	mem_free(b);
	/* What failed waits for the tick. */
	if (r->removals != NULL && !failed)
		runner_wake(r);
	if (r->closing && !failed)
		record_settle(r);
}

static void
batch_start(struct runner *r, bool flush)
{
	struct batch *b = mem_alloc(sizeof(*b));

	b->r = r;
	b->first = r->removals;
	b->flush = flush;
	r->removals = NULL;
	r->removal_n = 0;
	r->removing = true;
	loop_pool_run(r->disk, batch_work, batch_done, b);
}

static char *
name_in_drop(const struct envelope *e)
{
	struct buf b;
	char *name;

	buf_init(&b, NAME_MAX);
	queue_dropped_as(e, &b);
	name = b.n > 0 ? mem_dup(buf_str(&b)) : NULL;
	buf_free(&b);
	return name;
}

void
remove_job(struct job *j)
{
	struct runner *r = j->r;
	struct removal *m = mem_alloc(sizeof(*m));

	m->slot = j->slot;
	m->place = j->file.place;
	memcpy(m->id, j->id, sizeof(m->id));
	m->dropped = name_in_drop(&j->file.env);
	if (j->made_n > 0) {
		m->made = mem_array(j->made_n, sizeof(*m->made));
		memcpy(m->made, j->made, j->made_n * sizeof(*m->made));
		m->made_n = j->made_n;
		j->made_n = 0;
	}
	line_up(r, m);
	record_message(r, JOURNAL_REMOVED, j->id, j->file.env.rcpt_n, NULL);
	index_at(r->index, j->slot)->gone = true;
	job_free(j);
	if (r->closing)
		record_settle(r);
}

bool
remove_waits(const struct runner *r)
{
	return r->removals != NULL &&
	    (!r->removing || r->removal_n >= WAITING_MAX);
}

/* What fails here the pool tries again, and complains of. */
static void
help(struct runner *r)
{
	for (struct removal *m = r->removals; m != NULL; m = m->next)
		if (!m->gone)
			take_out(r->queue, m);
	r->removal_n = 0;
}

void
remove_all(struct runner *r)
{
	if (!remove_waits(r))
		return;
	if (r->removing)
		help(r);
	else
		batch_start(r, false);
}

void
remove_tick(struct runner *r)
{
	if (r->removing || (r->removals == NULL && !r->removed))
		return;
	record_flush(r);
	batch_start(r, true);
}

bool
remove_idle(const struct runner *r)
{
	return r->removals == NULL && !r->removing;
}
