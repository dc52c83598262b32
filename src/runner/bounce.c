/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * bounce -- what a sender is told, and the message that tells it.
 *
 * RFC 3461 says who wants to hear what; a null sender never hears anything
 * (RFC 5321 4.5.5), so that no report can cause another.  One report has
 * all recipients of a pass.  It is a new message with a null sender, and
 * durable before the original forgets that it was owed.
 */

#include <errno.h>
#include <unistd.h>

#include "job.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mail/limits.h"
#include "mail/report.h"
#include "runner.h"
#include "wish.h"

/* The text of a report: the original, and for each recipient of an envelope up to 3.3 KiB. */
#define REPORT_MAX ((size_t)256 << 20)
/* What was tried, of as many recipients as an envelope can have. */
#define STORIES_MAX ((size_t)64 << 20)

/* RFC 3461 4.1: unsaid is FAILURE, and DELAY as we like; or as dsn.notify has it. */
static unsigned
unsaid(const struct conf_dsn *d, const struct envelope_rcpt *rcpt)
{
	unsigned notify = (d->failure ? NOTIFY_FAILURE : 0) |
	    (d->delay ? NOTIFY_DELAY : 0);

	/* Of whom an address led to the sender need not know (5.2.7). */
	if (d->success && rcpt->of.n == 0)
		notify |= NOTIFY_SUCCESS;
	return notify != 0 ? notify : NOTIFY_NEVER;
}

bool
bounce_wanted(const struct job *j, size_t i, enum dsn_action action)
{
	const struct envelope *e = &j->file.env;
	unsigned notify = e->rcpts[i].notify;

	if (envelope_tells_nobody(e))
		return false;
	if (notify == 0)
		notify = unsaid(&j->r->conf->dsn, &e->rcpts[i]);
	switch (action) {
	case DSN_FAILED:
		return (notify & NOTIFY_FAILURE) != 0;
	case DSN_DELAYED:
		return (notify & NOTIFY_DELAY) != 0 ||
		    (wish_by_is_late(e, runner_now_ms(j->r) * 1000) &&
			(notify & NOTIFY_NEVER) == 0);
	case DSN_DELIVERED:
	case DSN_RELAYED:
	case DSN_EXPANDED:
		break;
	}
	if (j->rcpts[i].result.by_ends && (notify & NOTIFY_NEVER) == 0)
		return true;
	/* The next host was told of no wish that was not said. */
	return (notify & NOTIFY_SUCCESS) != 0 &&
	    (e->rcpts[i].notify == 0 || !j->rcpts[i].result.relayed_dsn) &&
	    !j->rcpts[i].result.discarded;
}

void
bounce_add(struct bounce *b, struct job *j, size_t i, enum dsn_action action,
    int64_t until)
{
	const struct envelope *e = &j->file.env;
	const struct job_rcpt *jr = &j->rcpts[i];

	if (b->rcpts == NULL) {
		b->job = j;
		b->rcpts = arena_alloc(
		    &j->arena, e->rcpt_n * sizeof(*b->rcpts));
		b->numbers = arena_alloc(
		    &j->arena, e->rcpt_n * sizeof(*b->numbers));
	}
	b->failed = b->failed || action == DSN_FAILED;
	b->delayed = b->delayed || action == DSN_DELAYED;
	b->numbers[b->n] = i;
	b->rcpts[b->n++] = (struct dsn_rcpt){
		.action = action,
		.rcpt = e->rcpts[i].path,
		.orcpt = e->rcpts[i].orcpt,
		.status = jr->result.status,
		.remote_mta = jr->result.host,
		.diagnostic = jr->result.reply,
		.smtp_diagnostic = jr->result.remote,
		.last_attempt = jr->time,
		.retry_until = action == DSN_DELAYED ? until : 0,
	};
}

/* True if what was tried is more than the answer of one attempt. */
static bool
is_story(const struct bounce *b, size_t i)
{
	const struct dsn_rcpt *d = &b->rcpts[i];

	return d->action == DSN_DELAYED || (d->action == DSN_FAILED &&
	    (d->status[0] == '4' || b->job->rcpts[b->numbers[i]].expired));
}

static void
tell_story(struct dsn_rcpt *d, const struct queue_history *h, struct arena *a)
{
	struct dsn_try *tries;

	if (h->host_n == 0)
		return;
	tries = arena_alloc(a, h->host_n * sizeof(*tries));
	for (size_t i = 0; i < h->host_n; i++)
		tries[i] = (struct dsn_try){ .time = h->hosts[i].time,
			.host = h->hosts[i].relay, .reply = h->hosts[i].reply };
	d->tries = tries;
	d->try_n = h->host_n;
	d->attempts = h->attempts;
	d->first_attempt = h->first;
	/* It waits without one. */
	if (d->last_attempt == 0)
		d->last_attempt = h->hosts[h->host_n - 1].time;
}

/* Adds what was tried so far to those who wait, or were given up. */
static void
tell_stories(const struct bounce *b, struct arena *a)
{
	const struct queue_file *f = &b->job->file;
	struct queue_history *h = arena_alloc(a, b->n * sizeof(*h));
	bool any = false;

	for (size_t i = 0; i < b->n; i++)
		any = any || is_story(b, i);
	if (!any)
		return;
	/* The report is as good without. */
	if (queue_history(f, b->numbers, b->n, a, h) < 0)
		log_warn(b->job->id, "cannot read the attempts: %s",
		    strerror(errno));
	for (size_t i = 0; i < b->n; i++)
		if (is_story(b, i))
			tell_story(&b->rcpts[i], &h[i], a);
}

/* Reads the original, or as much as its header may take. */
static int
read_original(const struct job *j, bool full, struct buf *b)
{
	const struct queue_file *f = &j->file;

	return queue_read(f, full && f->size <= DSN_FULL_MAX ? DSN_FULL_MAX :
							       MAIL_HEADER_MAX, b);
}

static int
write_report(const struct bounce *b, struct str text, bool smtputf8)
{
	const struct envelope *o = &b->job->file.env;
	struct envelope_rcpt rcpt = { .state = RCPT_QUEUED, .path = o->from };
	struct envelope e = { .arrival_us = clock_wall_us(),
		.client = STR("barid"),
		.proto = STR("DSN"),
		.ours = true,
		.body = str_has_8bit(text) ? BODY_8BITMIME : BODY_7BIT,
		.smtputf8 = smtputf8,
		.report = str_c(report_name(REPORT_DSN)),
		.tls_wish = o->tls_wish == TLS_WISH_REQUIRED ?
		    TLS_WISH_REQUIRED : TLS_UNSAID,
		.priority = (int)b->job->r->conf->dsn.priority,
		.rcpts = &rcpt,
		.rcpt_n = 1 };

	memcpy(e.id, b->id, sizeof(e.id));
	return queue_put(b->job->r->queue, &e, false, text);
}

int
bounce_commit(const struct bounce *b)
{
	const struct job *j = b->job;
	const struct envelope *o = &j->file.env;
	const struct conf *c = j->r->conf;
	enum dsn_ret ret = o->ret != RET_UNSAID ? o->ret :
						  (enum dsn_ret)c->dsn.ret;
	struct buf original, text, id;
	struct arena arena;
	bool smtputf8;
	int done = -1;

	/* RFC 8689 5. */
	if (o->tls_wish == TLS_WISH_REQUIRED)
		ret = RET_HDRS;
	buf_init(&original, MAIL_HEADER_MAX + DSN_FULL_MAX);
	buf_init(&text, REPORT_MAX);
	buf_init(&id, 512);
	arena_init(&arena, STORIES_MAX);
	buf_addf(&id, "%s@%s", b->id, c->hostname);
	if (read_original(j, ret == RET_FULL, &original) < 0)
		goto out;
	tell_stories(b, &arena);
	struct dsn d = { .reporting_mta = str_c(c->hostname),
		.queue_id = str_c(j->id),
		.message_id = buf_str(&id),
		.postmaster = str_c(c->postmaster),
		.to = o->from,
		.envid = o->envid,
		.received_from = o->helo,
		.client = o->client,
		.arrival = o->arrival_us / 1000000,
		.now = clock_wall(),
		.rcpts = b->rcpts,
		.rcpt_n = b->n,
		.original = buf_str(&original),
		/*
		 * RFC 3461 4.3: of failures only; the header else, and of
		 * what cannot stand in a report (RFC 3030 3).
		 */
		.full = ret == RET_FULL && b->failed &&
		    o->body != BODY_BINARYMIME &&
		    j->file.size <= DSN_FULL_MAX,
		.smtputf8 = o->smtputf8 };

	smtputf8 = dsn_add(&text, &d);
	if (!buf_ok(&text))
		errno = EMSGSIZE;
	else
		done = write_report(b, buf_str(&text), smtputf8);
	if (done == 0)
		log_as("cleanup", LOG_LEVEL_INFO, b->id, "message-id=<%s>",
		    buf_cstr(&id));
out:
	arena_free(&arena);
	buf_free(&id);
	buf_free(&text);
	buf_free(&original);
	return done;
}
