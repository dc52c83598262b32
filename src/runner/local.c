/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * local -- deliveries into mailboxes, by the pool.
 *
 * What waits while others are delivered goes together: those of one work share
 * its hand-overs between threads and wait for the disk at the same time.
 * maildir_deliver_all() is durable when it returns, and knows a delivery that
 * is repeated after a crash.  What goes wrong here is temporary: a full disk
 * or a wrong owner is for the administrator to mend, and the sender hears of
 * it when the message expires.  Only a binary message that has no form in
 * lines (RFC 3030 3) is returned, and what a full mailbox does not take where
 * account.mailbox-reject says so.
 */

#include <errno.h>

#include "dest.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "local_text.h"
#include "mailbox/maildir.h"
#include "notice.h"
#include "reading.h"
#include "runner.h"
#include "vacation.h"

/* So many are delivered by one work of the pool, if so many wait. */
#define GROUP_MAX 16

struct local_work {
	struct delivery *v;
	struct local_text text;
	struct buf prefix;
	const char *why_not;	/* the mailbox cannot hold it */
	const struct conf_account *rule;	/* of its limit, or NULL */
	struct usage_limit limit;
	struct usage was, now;		/* in it, if there is one */
	char notice[QUEUE_ID_SIZE];	/* the owner was told by this one; "": not */
	int error;
	bool answered;		/* the sender, by ANSWER */
	char answer[QUEUE_ID_SIZE];
};

struct group_work {
	struct dest *dest;
	size_t n;
	struct local_work works[GROUP_MAX];
};

/* One file for several recipients, in which none of them can stand. */
static bool
is_shared(const struct delivery *v)
{
	return v->maildir == NULL && v->job->r->conf->recipients.link &&
	    v->job->file.env.rcpt_n > 1;
}

static void
fill(struct local_work *w, struct maildir_delivery *d)
{
	const struct delivery *v = w->v;
	const struct job *j = v->job;

	*d = (struct maildir_delivery){
		.base = j->r->mailboxes,
		.journal = v->maildir == NULL ? j->r->mailboxes_journal : 0,
		.mailbox = v->mailbox,
		.path = v->maildir,
		.id = j->id,
		.rcpt = v->rcpts[0],
		.arrival = j->file.env.arrival_us / 1000000,
		.hostname = j->r->conf->hostname,
		.fd = w->text.fd,
		.at = w->text.at,
		.size = w->text.size,
		.prefix = buf_str(&w->prefix),
		.shares = is_shared(v),
		.limit = w->limit,
		.was = &w->was,
		.now = &w->now,
	};
}

/* W's message was delivered. */
static void
warn(struct local_work *w)
{
	if (w->rule != NULL && notice_is_due(w->rule, &w->was, &w->now) &&
	    notice_write(w->v->job->r, w->rule, w->v->mailbox, &w->now,
		w->notice) < 0)
		w->notice[0] = '\0';
}

/* What is read for the journal is read when the message may be gone. */
static int
text_open(struct local_work *w)
{
	const struct job *j = w->v->job;

	return reading_is_wanted(j, w->v->rcpts[0]) ? local_text_lend(&j->file, &w->text) :
						      local_text_open(&j->file, &w->text);
}

static void
work(void *arg)
{
	struct group_work *g = arg;
	struct maildir_delivery d[GROUP_MAX] = { { 0 } };
	struct local_work *of[GROUP_MAX];
	int errors[GROUP_MAX] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		struct local_work *w = &g->works[i];

		if (text_open(w) < 0)
			w->error = errno;
		w->why_not = w->text.why_not;
		if (w->error != 0 || w->why_not != NULL)
			continue;
		fill(w, &d[n]);
		of[n++] = w;
	}
	if (n > 0)
		maildir_deliver_all(d, n, errors);
	for (size_t i = 0; i < n; i++) {
		of[i]->error = errors[i];
		if (errors[i] == 0)
			warn(of[i]);
		if (errors[i] == 0 && of[i]->v->maildir == NULL)
			of[i]->answered = vacation_answer(of[i]->v,
			    of[i]->answer);
	}
}

static const char *
status_of(int error)
{
	switch (error) {
	case EDQUOT:
		return "4.2.2";
	case ENOSPC:
		return "4.3.1";
	case EPERM:
	case EACCES:
	case ELOOP:
	case ENOTDIR:
		return "4.3.5";
	default:
		return "4.3.0";
	}
}

/* The mailbox is full, which its section may call the end. */
static struct result
full(const struct local_work *w, struct buf *words)
{
	bool for_good = w->rule != NULL && w->rule->mailbox_reject;

	buf_addf(words, "mailbox %s is full (account.%s)", w->v->mailbox,
	    w->rule != NULL ? w->rule->pattern : "");
	return result_words(for_good ? PERMFAIL : TEMPFAIL,
	    for_good ? "5.2.2" : "4.2.2", buf_str(words));
}

/* Reports for people here are counted, and named in log and journal. */
static void
count_report(const struct job *j, struct buf *words)
{
	struct str kind = j->file.env.report;

	if (kind.n == 0)
		return;
	buf_addf(words, ", a report (" STR_FMT ")", STR_ARG(kind));
	score_add(j->r->score, COUNT_REPORTS_IN, 1);
}

static void
tell(struct local_work *w)
{
	struct delivery *v = w->v;
	struct delays d = job_delays(v->job, v->begun_ms, v->begun_ms);
	const char *what = v->maildir != NULL ? "Maildir" : "mailbox";
	const char *name = v->maildir != NULL ? v->maildir : v->mailbox;
	struct result res;
	struct buf words;

	buf_init(&words, 8192);
	if (w->error == 0 && w->why_not != NULL) {
		buf_addf(&words, "the message is binary, which a mailbox does "
		    "not take, and cannot be converted: %s", w->why_not);
		res = result_words(PERMFAIL, "5.6.1", buf_str(&words));
	} else if (w->error == 0) {
		buf_addf(&words, "delivered to %s %s", what, name);
		if (w->answered)
			buf_addf(&words, ", answered by %s", w->answer);
		count_report(v->job, &words);
		res = result_words(DELIVERED, "2.0.0", buf_str(&words));
	} else if (w->error == MAILDIR_FULL) {
		res = full(w, &words);
	} else {
		buf_addf(&words, "cannot deliver to %s %s: %s", what,
		    name, strerror(w->error));
		if (w->error == EPERM)
			buf_addf(&words, ", expected a directory that only "
			    "\"%s\" can write", v->job->r->conf->user);
		res = result_words(TEMPFAIL, status_of(w->error),
		    buf_str(&words));
	}
	if (res.outcome == DELIVERED)
		reading_start(v->job, v->rcpts[0], &w->text);
	local_text_close(&w->text);
	res.relay = STR("local");
	buf_free(&w->prefix);
	v->dest->active--;
	if (w->notice[0] != '\0')
		runner_announce(v->job->r, w->notice);
	if (w->answered)
		job_made(v->job, &w->answer, 1);
	job_result(v->job, v->rcpts[0], &res, &d);
	job_delivered(v->job);
	buf_free(&words);
}

static void
done(void *arg)
{
	struct group_work *g = arg;
	struct dest *dest = g->dest;

	dest->works--;
	for (size_t i = 0; i < g->n; i++)
		tell(&g->works[i]);
	mem_free(g);
	dest_pump(dest);
}

static void
add(struct group_work *g, struct delivery *v)
{
	struct local_work *w = &g->works[g->n++];
	const struct envelope *e = &v->job->file.env;

	w->v = v;
	if (v->maildir == NULL)
		w->rule = usage_rule(v->job->r->conf, v->mailbox);
	w->limit = usage_limit_of(w->rule);
	v->begun_ms = clock_ms();
	v->dest->active++;
	buf_init(&w->prefix, 4096);
	buf_adds(&w->prefix, "Return-Path: <");
	path_add(&w->prefix, &e->from);
	buf_adds(&w->prefix, ">\r\n");
	if (is_shared(v))
		return;
	buf_adds(&w->prefix, "Delivered-To: ");
	path_add(&w->prefix, &v->job->rcpts[v->rcpts[0]].path);
	buf_adds(&w->prefix, "\r\n");
}

void
local_deliver(struct dest *dest)
{
	struct group_work *g = mem_alloc(sizeof(*g));
	struct delivery *v;

	g->dest = dest;
	while (g->n < GROUP_MAX && (v = dest_take(dest)) != NULL)
		add(g, v);
	dest->works++;
	loop_pool_run(dest->r->local_pool, work, done, g);
}
