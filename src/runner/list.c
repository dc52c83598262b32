/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * list -- recipients that are mailing lists.
 *
 * Whether the list takes the message was asked when it came in (smtpd_list.c);
 * it is asked again here, for what came by another way or leads here by
 * another address.  Then the author's domain is asked whether it wants its
 * mail refused that others changed (DMARC), and the members get a message of
 * their own (list_copy.c), which is durable before this recipient is done.
 * Who may not send is told; a report is nobody's to send, and is thrown away.
 *
 * Its works are in the pool of the mailboxes, as it ends before the other.
 */

#include "list.h"

#include <errno.h>

#include "author.h"
#include "dest.h"
#include "lib/clock.h"
#include "lib/idn.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mail/header.h"
#include "mail/list.h"
#include "policy/list.h"
#include "runner.h"

#define WORDS_MAX 4096
/* So long is DNS asked what an author's domain wants; then it is the worst. */
#define PATIENCE_MS (INT64_C(60) * 60 * 1000)

struct listing {
	struct runner *r;
	struct delivery *v;
	struct list_copy copy;
	struct members *members;
	struct buf complaints;
	struct rcpt_verdict verdict;	/* code 0: it could not be asked */
	char domain[256];	/* of the author; "": nobody knows */
	int error;
};

static void
listing_free(struct listing *g)
{
	g->r->piped--;
	members_free(g->members);
	buf_free(&g->complaints);
	mem_free(g);
}

/* This process ends: it is the next one's. */
static bool
is_over(struct listing *g)
{
	if (!g->r->stopping && !g->r->closing)
		return false;
	listing_free(g);
	return true;
}

static void
end(struct listing *g, const struct result *given)
{
	struct delivery *v = g->v;
	struct dest *dest = v->dest;
	struct delays d = job_delays(v->job, v->begun_ms, v->begun_ms);
	struct result res = *given;

	res.relay = STR("list");
	dest->active--;
	job_result(v->job, v->rcpts[0], &res, &d);
	job_delivered(v->job);
	listing_free(g);
	dest_pump(dest);
}

static void
fail(struct listing *g, enum outcome o, const char *status, const char *words)
{
	struct result res = result_words(o, status, str_c(words));

	end(g, &res);
}

/* ---- the copy ----------------------------------------------------------- */

static void
copy_work(void *arg)
{
	struct listing *g = arg;

	if (list_copy(&g->copy) < 0)
		g->error = errno;
}

static void
copy_done(void *arg)
{
	struct listing *g = arg;
	struct list_copy *c = &g->copy;
	struct result res;
	struct buf words;

	buf_init(&words, WORDS_MAX);
	if (g->error != 0) {
		buf_addf(&words, "cannot write the message of list %s: %s",
		    c->list->name, strerror(g->error));
		res = result_words(TEMPFAIL,
		    g->error == ENOSPC ? "4.3.1" : "4.3.0", buf_str(&words));
	} else if (c->n == 0) {
		buf_addf(&words, "list %s has nobody to send it to",
		    c->list->name);
		res = result_words(DELIVERED, "2.0.0", buf_str(&words));
		res.discarded = true;
	} else {
		buf_addf(&words, "sent to list %s, %zu members, as %s",
		    c->list->name, c->to, c->ids[0]);
		if (c->n > 1)
			buf_addf(&words, " and %zu more", c->n - 1);
		res = result_words(DELIVERED, "2.0.0", buf_str(&words));
	}
	job_made(g->v->job, c->ids, c->n);
	end(g, &res);
	buf_free(&words);
}

static void
copy(struct listing *g, bool from_list)
{
	g->copy.from_list = from_list;
	loop_pool_run(g->r->local_pool, copy_work, copy_done, g);
}

static void
put_off(struct listing *g)
{
	struct buf words;

	buf_init(&words, WORDS_MAX);
	buf_addf(&words, "DNS does not say now what %s wants of mail that a list changes (DMARC)",
	    g->domain);
	fail(g, TEMPFAIL, "4.4.3", buf_cstr(&words));
	buf_free(&words);
}

/*
 * What cannot be learned now is asked for again.  But no message is returned for
 * that: in the end it is taken for the worst, which harms nobody.
 */
static void
on_policy(void *arg, bool known, enum dmarc_policy p)
{
	struct listing *g = arg;

	if (is_over(g))
		return;
	if (!known && expire_may_wait(g->v->job, g->v->rcpts[0], PATIENCE_MS))
		put_off(g);
	else
		copy(g, !known || p != DMARC_NONE);
}

/* ---- whether it takes the message --------------------------------------- */

static bool
is_member(void *arg, const struct path *p)
{
	const struct listing *g = arg;

	return members_have(g->members, p);
}

static void
find_domain(struct listing *g, struct str text)
{
	struct str author, display;
	struct arena a;
	struct buf b;
	ptrdiff_t at;

	arena_init(&a, 16 * text.n + 65536);
	author = list_author(text, &a, &display);
	at = str_rfind(author, '@');
	buf_init_in(&b, g->domain, sizeof(g->domain));
	if (at < 0 || domain_is_literal(str_skip(author, (size_t)at + 1)) ||
	    idn_add(&b, str_skip(author, (size_t)at + 1)) != NULL || !buf_ok(&b))
		g->domain[0] = '\0';
	arena_free(&a);
}

/* True if TEXT, with which a message of SIZE octets begins, has all of its header. */
static bool
is_whole(struct str text, uint64_t size)
{
	struct str rest = text;
	struct field f;
	int r;

	while ((r = field_next(&rest, &f)) == 1)
		;
	/* With a line that is no field it is refused; what was cut off in a name is none either. */
	return text.n == size ||
	    (rest.n > 0 && (r == 0 || str_find(rest, '\n') >= 0));
}

static void
ask_work(void *arg)
{
	struct listing *g = arg;
	const struct job *j = g->v->job;
	struct list_mail m = { .from = j->file.env.from };
	struct buf header;

	buf_init(&header, LIST_HEADER_MAX);
	g->members = members_load(g->copy.list->members, &g->complaints);
	g->copy.members = g->members;
	if (queue_read(&j->file, LIST_HEADER_MAX, &header) < 0)
		g->error = errno;
	else if (!is_whole(buf_str(&header), j->file.size))
		g->verdict = (struct rcpt_verdict){ .code = 552,
			.enhanced = "5.3.4",
			.text = "The header is too long for a list" };
	else if (g->members != NULL) {
		m.text = buf_str(&header);
		g->verdict = list_verdict(g->copy.list, &m, is_member, g);
		find_domain(g, m.text);
	}
	buf_free(&header);
}

static void
refuse(struct listing *g)
{
	const struct rcpt_verdict *v = &g->verdict;
	struct result res;
	struct buf words;

	buf_init(&words, WORDS_MAX);
	buf_addf(&words, "%d %s %s", v->code, v->enhanced, v->text);
	if (path_is_null(&g->v->job->file.env.from)) {
		res = result_words(DELIVERED, "2.0.0", buf_str(&words));
		res.discarded = true;
	} else
		res = result_words(PERMFAIL, v->enhanced, buf_str(&words));
	end(g, &res);
	buf_free(&words);
}

static void
ask_done(void *arg)
{
	struct listing *g = arg;
	const struct conf_list *l = g->copy.list;

	if (is_over(g))
		return;
	log_lines(LOG_LEVEL_WARNING, "list: ", buf_str(&g->complaints));
	if (g->error != 0)
		fail(g, TEMPFAIL, "4.3.0", "cannot read the message");
	else if (g->members == NULL)
		fail(g, TEMPFAIL, "4.3.5",
		    "the members of the list cannot be read");
	else if (g->verdict.code != 250)
		refuse(g);
	else if (l->from != LIST_FROM_AUTO || g->domain[0] == '\0')
		copy(g, l->from == LIST_FROM_LIST);
	else
		author_asks(g->r, str_c(g->domain), on_policy, g);
}

void
list_deliver(struct dest *dest)
{
	struct listing *g = mem_alloc(sizeof(*g));

	g->r = dest->r;
	g->v = dest_take(dest);
	g->v->begun_ms = clock_ms();
	g->copy.job = g->v->job;
	g->copy.rcpt = g->v->rcpts[0];
	g->copy.list = g->v->list;
	buf_init(&g->complaints, 65536);
	dest->active++;
	g->r->piped++;
	loop_pool_run(g->r->local_pool, ask_work, ask_done, g);
}
