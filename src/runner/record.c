/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * record -- what the runner writes into the journal, and what waits for it.
 *
 * Lines are collected while the loop turns.  Whatever makes the spool forget
 * something (a mark, a removal, the end of a pass) is put off until
 * record_settle(), which writes the lines with one call and then lets all of
 * it go: so a kill at any point leaves the journal with as much as the spool
 * has forgotten, or more.  More is a message whose lines are there and that
 * is in the spool still: it is delivered again, and told again.
 *
 * The received line is written when a message is first loaded from new/.
 * After a start that may be a second time.  At each start, and when a day
 * begins, every message of the queue gets a line, so that no file of the
 * journal needs an older one.
 */

#include <errno.h>

#include "dest.h"
#include "ipc/journal.h"
#include "job.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "result.h"
#include "runner.h"

/* Lines that wait for nothing are written at the next tick, or from here on. */
#define WAITING_MAX 65536
/* A disk that is full is complained of so often. */
#define COMPLAIN_MS 60000
/* Messages that are listed before others get their turn. */
#define LIST_MAX 1000

/* What is told at a start and when a day begins. */
struct record_list {
	struct runner *r;
	uint32_t at;		/* in the index */
	bool looked;		/* hold/ and dead/ were read */
	char (*ids)[QUEUE_ID_SIZE];	/* of those */
	size_t n, size, told;
};

/* ---- lines -------------------------------------------------------------- */

static struct str
address(struct buf *b, const struct path *p)
{
	buf_reset(b);
	if (path_is_null(p))
		buf_adds(b, "<>");
	else
		path_add(b, p);
	return buf_str(b);
}

void
record_received_line(struct journal_line *l, const struct queue_file *f,
    struct buf *scratch)
{
	const struct envelope *e = &f->env;

	*l = (struct journal_line){ .event = JOURNAL_RECEIVED,
		.id = e->id,
		.from = address(scratch, &e->from),
		.rcpts = e->rcpt_n,
		.arrival_us = e->arrival_us,
		.size = f->size,
		.client = e->client,
		.helo = e->helo,
		.user = e->user,
		.listener = e->listener,
		.proto = e->proto,
		.tls_in = e->tls };
}

void
record_received(const struct job *j)
{
	struct runner *r = j->r;
	struct known *k = index_at(r->index, j->slot);
	struct journal_line l;

	if (r->journal == NULL || k->told || k->place != QUEUE_NEW)
		return;
	k->told = true;
	record_received_line(&l, &j->file, &r->said_from);
	journal_add(r->journal, &l);
}

/* A line about recipient number RCPT. */
static struct journal_line
rcpt_line(const struct job *j, size_t rcpt, enum journal_event event,
    const struct result *res)
{
	const struct envelope *e = &j->file.env;
	struct runner *r = j->r;

	return (struct journal_line){ .event = event,
		.id = j->id,
		.rcpt = rcpt,
		.rcpts = e->rcpt_n,
		.from = address(&r->said_from, &e->from),
		.to = address(&r->said_to, &e->rcpts[rcpt].path),
		.relay = res->relay,
		.host = res->host,
		.status = str_c(res->status),
		.reply = res->reply,
		.source = res->source,
		.tls = res->tls };
}

void
record_result(const struct job *j, size_t rcpt, const struct result *res,
    const struct delays *d)
{
	static const enum journal_event events[] = {
		[DELIVERED] = JOURNAL_RELAYED, [TEMPFAIL] = JOURNAL_DEFERRED,
		[PERMFAIL] = JOURNAL_BOUNCED };
	const struct job_rcpt *jr = &j->rcpts[rcpt];
	struct journal_line l;

	if (j->r->journal == NULL)
		return;
	l = rcpt_line(j, rcpt, events[res->outcome], res);
	if (res->discarded)
		l.event = JOURNAL_DISCARDED;
	else if (res->expanded > 0)
		l.event = JOURNAL_EXPANDED;
	else if (res->outcome == DELIVERED && jr->local)
		l.event = JOURNAL_DELIVERED;
	if (res->expanded > 0)
		l.rcpts = res->expanded;
	if (l.event == JOURNAL_DELIVERED)
		l.kind = j->file.env.report;
	l.dest = jr->dest;
	l.route = jr->route;
	l.has_delays = true;
	l.delays[0] = d->before;
	l.delays[1] = d->queue;
	l.delays[2] = d->connect;
	l.delays[3] = d->transmit;
	journal_add(j->r->journal, &l);
}

void
record_given_up(const struct job *j, size_t rcpt)
{
	const struct job_rcpt *jr = &j->rcpts[rcpt];
	struct journal_line l;

	if (j->r->journal == NULL)
		return;
	l = rcpt_line(j, rcpt,
	    jr->expired ? JOURNAL_EXPIRED : JOURNAL_BOUNCED, &jr->result);
	l.last = true;
	journal_add(j->r->journal, &l);
}

void
record_message(struct runner *r, enum journal_event event, const char *id,
    size_t rcpts, const char *reason)
{
	struct journal_line l = { .event = event, .id = id, .rcpts = rcpts,
		.reason = str_c(reason) };

	journal_add(r->journal, &l);
}

void
record_dsn(const struct job *j, const struct bounce *b)
{
	struct journal_line l = { .event = JOURNAL_DSN,
		.id = b->id,
		.rcpts = 1,
		.cause = j->id,
		.to = STR(""),
		.kind = b->failed ? STR("failed") :
		    b->delayed	  ? STR("delayed") :
				    STR("delivered") };

	if (j->r->journal == NULL)
		return;
	l.to = address(&j->r->said_to, &j->file.env.from);
	journal_add(j->r->journal, &l);
}

/* ---- writing ------------------------------------------------------------ */

static void
complain(struct runner *r, int error)
{
	int64_t now = clock_ms();

	if (r->complained_ms != 0 && now - r->complained_ms < COMPLAIN_MS)
		return;
	r->complained_ms = now;
	log_error(NULL, "the journal cannot be written: %s: mail goes on, and "
	    "`baridctl audit` will find a gap", strerror(error));
}

static void
count_lost(struct runner *r)
{
	uint64_t lost = journal_lost(r->journal);

	if (lost == r->lost_counted)
		return;
	score_add(r->score, COUNT_JOURNAL_LOST,
	    (int64_t)(lost - r->lost_counted));
	r->lost_counted = lost;
}

void
record_flush(struct runner *r)
{
	if (journal_flush(r->journal) < 0)
		complain(r, errno);
	else if (r->complained_ms != 0 && journal_waiting(r->journal) == 0) {
		log_info(NULL, "the journal can be written again");
		r->complained_ms = 0;
	}
	count_lost(r);
}

void
record_settle(struct runner *r)
{
	if (r->marking == NULL && r->finishes == NULL &&
	    !remove_waits(r) && journal_waiting(r->journal) < WAITING_MAX)
		return;
	record_flush(r);
	job_mark_all(r);
	finish_all(r);
	remove_all(r);
}

/* ---- what there is ------------------------------------------------------ */

static bool
on_held(void *arg, const char *id, int64_t mtime, uint64_t size)
{
	struct record_list *s = arg;

	(void)mtime;
	(void)size;
	if (id == NULL)
		return true;
	if (s->n == s->size) {
		s->size = s->size ? s->size * 2 : 256;
		s->ids = mem_grow(s->ids, s->size, sizeof(*s->ids));
	}
	memcpy(s->ids[s->n++], id, QUEUE_ID_SIZE);
	return true;
}

static void
look_work(void *arg)
{
	struct record_list *s = arg;
	struct queue_part part = runner_part(s->r, true);

	if (queue_scan_part(s->r->queue, QUEUE_HOLD, &part, on_held, s) < 0 ||
	    queue_scan_part(s->r->queue, QUEUE_DEAD, &part, on_held, s) < 0)
		log_warn(NULL, "cannot read hold/ and dead/: %s",
		    strerror(errno));
}

static void
look_done(void *arg)
{
	struct record_list *s = arg;

	s->looked = true;
	runner_wake(s->r);
}

static void
list_begin(struct runner *r)
{
	if (r->list != NULL)
		return;
	r->list = mem_alloc(sizeof(*r->list));
	r->list->r = r;
	loop_pool_run(r->disk, look_work, look_done, r->list);
}

void
record_list(struct runner *r)
{
	struct record_list *s = r->list;
	char id[QUEUE_ID_SIZE];
	uint32_t slot;
	int n = 0;

	/* The next start begins again. */
	if (s == NULL || !s->looked || r->stopping)
		return;
	for (; n < LIST_MAX && s->told < s->n; n++)
		record_message(r, JOURNAL_QUEUED, s->ids[s->told++], 0, NULL);
	while (n < LIST_MAX && index_next(r->index, &s->at, &slot)) {
		const struct known *k = index_at(r->index, slot);

		n++;
		/*
		 * What is new gets its received line; and that something is
		 * removed may stand in a file that is older than this line.
		 */
		if ((k->place == QUEUE_NEW && !k->told) || k->gone)
			continue;
		index_id(r->index, slot, id);
		record_message(r, JOURNAL_QUEUED, id, 0, NULL);
	}
	record_flush(r);
	if (n == LIST_MAX) {
		runner_wake(r);
		return;
	}
	mem_free(s->ids);
	mem_free(s);
	r->list = NULL;
}

/* ---- life --------------------------------------------------------------- */

void
record_open(struct runner *r, uid_t owner)
{
	const struct conf *c = r->conf;

	buf_init(&r->said_from, 4096);
	buf_init(&r->said_to, 4096);
	if (!c->journal.enabled)
		return;
	r->journal = journal_open(c->spool, r->number, owner, c->journal.keep);
	if (r->journal == NULL)
		log_error(NULL, "%s/" JOURNAL_DIR ": %s: there is no journal",
		    c->spool, strerror(errno));
}

static void
say_runner(struct runner *r, enum journal_event event)
{
	struct journal_line l = { .event = event, .runner = r->number,
		.of = r->count };

	journal_add(r->journal, &l);
	record_flush(r);
}

void
record_start(struct runner *r)
{
	if (r->journal == NULL)
		return;
	say_runner(r, JOURNAL_START);
	list_begin(r);
}

void
record_tick(struct runner *r)
{
	/* A batch of removals may be at the file. */
	if (r->journal == NULL || r->removing)
		return;
	if (journal_turn(r->journal)) {
		say_runner(r, JOURNAL_START);
		list_begin(r);
	}
	if (journal_waiting(r->journal) > 0)
		record_flush(r);
}

bool
record_idle(const struct runner *r)
{
	return r->marking == NULL && r->finishes == NULL;
}

void
record_stop(struct runner *r)
{
	if (r->journal != NULL)
		say_runner(r, JOURNAL_STOP);
	journal_close(r->journal);
	r->journal = NULL;
	if (r->list != NULL)
		mem_free(r->list->ids);
	mem_free(r->list);
	r->list = NULL;
	buf_free(&r->said_from);
	buf_free(&r->said_to);
}
