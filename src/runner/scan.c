/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scan -- what hints have missed: new/ and cur/ are read now and then.
 *
 * At the start, once a minute, and at once when a hint found no room or may
 * have been lost with a runner.  The pool reads; the loop learns.  A file of new/ that
 * is young is left alone: its session may still be about to commit it, and
 * its hint is on the way.  After a start every text is compared with its
 * checksum before it is sent: the start may follow a power cut.  What is due
 * by then is spread over some time, in no order, so that a long queue does
 * not begin with a burst (CONFORMANCE C-16).
 */

#include <errno.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "queue/queue.h"
#include "lib/mem.h"
#include "lib/random.h"
#include "runner.h"
#include "trays.h"

#define SCAN_MS 60000
/* A large cur/ is read more seldom: it takes this part of the time at most. */
#define SCAN_SHARE 20
#define YOUNG_S 30
/* Of what was found, so much is learnt before others get their turn. */
#define LEARN_MAX 20000
/* No message takes that long to come in. */
#define ORPHAN_S 86400
/* After a start hints may have been lost with the old process. */
#define YOUNG_START_S 5

struct found {
	char id[QUEUE_ID_SIZE];
	int64_t mtime;
	enum queue_place place;
};

struct scan {
	struct runner *r;
	bool running, first, with_cur;
	int64_t next_new, next_cur;	/* clock_ms() */
	int64_t took;			/* ms, of the last one */
	int64_t young;			/* seconds that a file is let be */
	uint64_t wanted;
	enum queue_place place;
	struct found *v;
	size_t n, size;
	size_t at;			/* of them, those that are learnt */
	uint32_t spread;		/* seconds for what is due at a start */
	struct loop_timer *more;
	bool foreign;			/* said once */
	struct trays_bad bad;
};

static bool
on_message(void *arg, const char *id, int64_t mtime, uint64_t size)
{
	struct scan *s = arg;

	(void)size;
	if (id == NULL) {
		if (!s->foreign)
			log_warn(NULL, "%s/ has files that are no messages",
			    s->place == QUEUE_NEW ? "new" : "cur");
		s->foreign = true;
		return true;
	}
	if (s->n == s->size) {
		s->size = s->size ? s->size * 2 : 256;
		s->v = mem_grow(s->v, s->size, sizeof(*s->v));
	}
	memcpy(s->v[s->n].id, id, QUEUE_ID_SIZE);
	s->v[s->n].mtime = mtime;
	s->v[s->n++].place = s->place;
	return true;
}

static void
read_place(struct scan *s, enum queue_place place)
{
	/* What is in new/ is due; at a start its name says how old it is. */
	struct queue_part part = runner_part(s->r,
	    s->first && place == QUEUE_NEW);

	s->place = place;
	if (queue_scan_part(s->r->queue, place, &part, on_message, s) < 0)
		log_error(NULL, "cannot read %s/: %s",
		    place == QUEUE_NEW ? "new" : "cur", strerror(errno));
}

static void
work(void *arg)
{
	struct scan *s = arg;
	int64_t begun = clock_ms();

	read_place(s, QUEUE_NEW);
	if (s->with_cur)
		read_place(s, QUEUE_CUR);
	s->took = clock_ms() - begun;
	trays_mend(s->r, &s->bad);
	/* What was begun and never finished, by whoever died over it. */
	if (s->with_cur && s->r->number == 0 &&
	    queue_clean(s->r->queue, ORPHAN_S) < 0)
		log_warn(NULL, "cannot tidy tmp/ and drop/: %s",
		    strerror(errno));
}

static void
learn(const struct scan *s, const struct found *f, int64_t now)
{
	int64_t due = f->mtime, latest = runner_latest_due(s->r);
	bool young = f->mtime <= now && now - f->mtime < s->young;

	if (f->place == QUEUE_NEW && young && !s->first)
		return;
	if (f->place == QUEUE_NEW)
		due = young ? f->mtime + s->young : 0;
	/* What waited for our start does not come all at once. */
	if (s->first && due <= now && s->spread > 0)
		due = now + random_below(s->spread);
	runner_learn(s->r, f->id, f->place, due < latest ? due : latest,
	    s->first);
}

static void
finish(struct scan *s)
{
	int64_t now = clock_ms();

	if (s->first && s->r->once)
		once_begin(s->r);
	if (s->first) {
		standing_rest(s->r);
		control_take_orders(s->r);
		record_start(s->r);
		log_info(NULL, "runner %zu of %zu is ready: %zu messages in "
		    "the queue", s->r->number, s->r->count,
		    index_count(s->r->index));
	}
	mem_free(s->v);
	s->v = NULL;
	s->n = s->size = s->at = 0;
	s->next_new = now + SCAN_MS;
	if (s->with_cur)
		s->next_cur = now + SCAN_MS + s->took * SCAN_SHARE;
	s->running = s->first = false;
	s->young = YOUNG_S;
}

/* Learns a part of what was found, and lets others have their turn. */
static void
learn_some(void *arg)
{
	struct scan *s = arg;
	int64_t wall = runner_now(s->r);
	size_t end = s->n - s->at > LEARN_MAX ? s->at + LEARN_MAX : s->n;

	for (; s->at < end; s->at++)
		learn(s, &s->v[s->at], wall);
	if (s->at < s->n)
		loop_timer_set(s->more, 0);
	else
		finish(s);
	runner_wake(s->r);
}

static void
done(void *arg)
{
	struct scan *s = arg;

	trays_tell(s->r, &s->bad);
	s->spread = schedule_spread(s->n);
	learn_some(s);
}

static void
run(struct scan *s)
{
	if (s->running)
		return;
	s->with_cur = clock_ms() >= s->next_cur;
	s->running = true;
	loop_pool_run(s->r->disk, work, done, s);
}

void
scan_start(struct runner *r)
{
	r->scan = mem_alloc(sizeof(*r->scan));
	r->scan->r = r;
	r->scan->more = loop_timer_new(r->loop, learn_some, r->scan);
	r->scan->first = true;
	r->scan->young = YOUNG_START_S;
	/* What was asked of the runner before this one may not have been done. */
	r->scan->wanted = 0;
	run(r->scan);
}

void
scan_tick(struct runner *r)
{
	struct scan *s = r->scan;
	uint64_t wanted = score_get(r->score, COUNT_SCAN_WANTED);

	if (s->running)
		return;
	if (wanted != s->wanted) {
		s->wanted = wanted;
		/* Whoever asks has committed: nothing is too young. */
		s->young = 0;
		run(s);
	} else if (clock_ms() >= s->next_new)
		run(s);
}

void
scan_stop(struct runner *r)
{
	loop_timer_free(r->scan->more);
	mem_free(r->scan->v);
	mem_free(r->scan);
	r->scan = NULL;
}

bool
scan_idle(const struct runner *r)
{
	return !r->scan->running;
}
