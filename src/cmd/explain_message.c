/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain_message -- a message of the queue: what is said of it, when it is
 * tried and why then, how long, and what becomes of each recipient.
 */

#include "explain.h"

#include <errno.h>
#include <sysexits.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/mem.h"

static const enum queue_place places[] = { QUEUE_NEW, QUEUE_CUR, QUEUE_HOLD,
	QUEUE_DEAD, QUEUE_DROP, QUEUE_BAD };

/* Recipients that are explained one by one. */
#define RCPTS_MAX 50

static void
add_time(struct buf *b, int64_t seconds)
{
	char text[64];
	time_t t = (time_t)seconds;
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%a %b %e %H:%M:%S", &tm);
	buf_adds(b, text);
}

/* A step whose text is a time, and what is to be said of it. */
static void
say_time(struct explain *x, const char *name, struct conf_place place,
    int64_t seconds, const char *words)
{
	struct buf b;

	buf_init(&b, 1024);
	add_time(&b, seconds);
	explain_say(x, name, place, "%s%s", buf_cstr(&b), words);
	buf_free(&b);
}

/* ---- the envelope ---------------------------------------------------------------- */

static void
say_word(struct explain *x, const char *name, struct str s)
{
	if (s.n > 0)
		explain_say(x, name, CONF_NOWHERE, STR_FMT, STR_ARG(s));
}

static size_t
chain_length(struct str chain)
{
	size_t n = 1;

	for (size_t i = 0; i < chain.n; i++)
		n += chain.p[i] == ' ';
	return n;
}

static void
say_envelope(struct explain *x, const struct queue_file *f)
{
	const struct envelope *e = &f->env;
	struct buf b;

	buf_init(&b, 2048);
	path_add(&b, &e->from);
	explain_say(x, "sender", CONF_NOWHERE, "<%s>", buf_cstr(&b));
	buf_free(&b);
	say_time(x, "arrival", CONF_NOWHERE, e->arrival_us / 1000000, "");
	explain_say(x, "size", CONF_NOWHERE, "%llu octets, %zu recipients",
	    (unsigned long long)f->size, e->rcpt_n);
	say_word(x, "client", e->client);
	say_word(x, "certificate", e->certificate);
	if (e->chain.n > 0)
		explain_say(x, "chain", CONF_NOWHERE, "%zu certificates shown",
		    chain_length(e->chain));
	say_word(x, "user", e->user);
	say_word(x, "listener", e->listener);
	say_word(x, "own-route", e->route);
	say_word(x, "own-route-user", e->route_user);
	say_word(x, "own-source", e->source);
	say_word(x, "own-retry", e->retry);
	if (e->tls_wish != TLS_UNSAID)
		explain_say(x, "requiretls", CONF_NOWHERE, "%s",
		    e->tls_wish == TLS_WISH_REQUIRED ? "yes" :
		    "no, also where the domain demands TLS");
	if (e->priority != 0)
		explain_say(x, "priority", CONF_NOWHERE, "%d", e->priority);
	if (e->max_attempts != 0)
		explain_say(x, "own-limit", CONF_NOWHERE,
		    "%u attempts at most", e->max_attempts);
}

/* ---- when ------------------------------------------------------------------------ */

static void
say_schedule(struct explain *x, const struct queue_file *f)
{
	const struct conf_queue *q = &x->conf->queue;
	const struct envelope *e = &f->env;
	int64_t now = clock_wall();

	if (e->not_before_us / 1000000 > now) {
		say_time(x, "next", CONF_NOWHERE, e->not_before_us / 1000000,
		    ": not before, as the message says");
		return;
	}
	say_time(x, "next", e->retry.n > 0 ? CONF_NOWHERE :
	    conf_where(x->conf, &q->retry, CONF_NOWHERE), f->next,
	    f->next <= now ? ": now, as soon as it has its turn" :
		e->retry.n > 0 ? ": by the message's own retry" :
				 ": by queue.retry");
}

static void
say_next(struct explain *x, const struct queue_file *f)
{
	const struct conf_queue *q = &x->conf->queue;

	switch (f->place) {
	case QUEUE_NEW:
		explain_say(x, "next", CONF_NOWHERE,
		    "now: it was not tried yet");
		break;
	case QUEUE_CUR:
		say_schedule(x, f);
		break;
	case QUEUE_HOLD:
		explain_say(x, "next", CONF_NOWHERE,
		    "never, until it is released");
		break;
	case QUEUE_DEAD:
		explain_say(x, "next", CONF_NOWHERE, "never: it can be neither "
		    "delivered nor returned, and is kept");
		break;
	case QUEUE_DROP:
		explain_say(x, "next", CONF_NOWHERE,
		    "when barid takes it from drop/");
		break;
	case QUEUE_BAD:
		break;
	}
	if (!q->deliver)
		explain_say(x, "next", conf_where(x->conf, &q->deliver,
		    CONF_NOWHERE), "queue.deliver is off: nothing is tried");
}

static void
say_end(struct explain *x, const struct queue_file *f)
{
	const struct conf_queue *q = &x->conf->queue;
	const struct envelope *e = &f->env;
	int64_t begun = e->arrival_us / 1000, length = q->lifetime;
	const int64_t *option = &q->lifetime;

	if (f->place == QUEUE_DEAD || f->place == QUEUE_BAD)
		return;
	if (e->deadline_us != 0) {
		say_time(x, "expires", CONF_NOWHERE, e->deadline_us / 1000000,
		    ": the message's own deadline");
		return;
	}
	if (e->not_before_us / 1000 > begun)
		begun = e->not_before_us / 1000;
	if (path_is_null(&e->from) && q->bounce_lifetime < length) {
		length = q->bounce_lifetime;
		option = &q->bounce_lifetime;
	}
	say_time(x, "expires", conf_where(x->conf, option, CONF_NOWHERE),
	    (begun + length) / 1000, f->place == QUEUE_HOLD ?
		": when it is tried after that" : "");
}

/* ---- recipients -------------------------------------------------------------------- */

static void
say_last(struct explain *x, const struct queue_attempt *a)
{
	struct buf b;

	if (a->time == 0)
		return;
	buf_init(&b, 2048);
	add_time(&b, a->time);
	if (a->relay.n > 0)
		buf_addf(&b, " at " STR_FMT, STR_ARG(a->relay));
	buf_addf(&b, ": %s " STR_FMT, a->status, STR_ARG(a->reply));
	x->depth++;
	explain_say(x, "last", CONF_NOWHERE, "%s", buf_cstr(&b));
	x->depth--;
	buf_free(&b);
}

static void
say_rcpt(struct explain *x, const struct envelope_rcpt *r,
    const struct queue_attempt *last)
{
	struct buf b;

	if (r->state == RCPT_QUEUED) {
		explain_rcpt(x, &r->path, r->of.n > 0);
		say_last(x, last);
		return;
	}
	buf_init(&b, 2048);
	path_add(&b, &r->path);
	explain_say(x, "recipient", CONF_NOWHERE, "<%s>: %s", buf_cstr(&b),
	    r->state == RCPT_DONE   ? "done" :
		r->state == RCPT_SENT ? "done; a report is owed" :
		r->state == RCPT_FAILED ? "failed; a report is owed" :
					  "failed, and reported");
	buf_free(&b);
	say_last(x, last);
}

/* The ways of recipients go by what the message says of itself. */
static void
take_facts(struct explain *x, const struct envelope *e, struct arena *a)
{
	struct conf_via *way = arena_alloc(a, sizeof(*way));

	x->facts = (struct mail_facts){ .arena = x->facts.arena, .from = e->from, .user = e->user,
		.listener = e->listener, .local = e->local,
		.source = e->source };
	if (e->route.n == 0)
		return;
	x->wrong = conf_via_own(x->conf, e->route, e->route_user,
	    e->route_password, a, way);
	if (x->wrong == NULL)
		x->facts.way = way;
}

static void
say_all(struct explain *x, const struct queue_file *f, struct arena *a)
{
	const struct envelope *e = &f->env;
	struct queue_attempt *last;
	size_t n = e->rcpt_n < RCPTS_MAX ? e->rcpt_n : RCPTS_MAX;

	explain_say(x, "message", CONF_NOWHERE, "%s", e->id);
	x->depth++;
	say_envelope(x, f);
	say_next(x, f);
	say_end(x, f);
	explain_sign_message(x, f, a);
	if (queue_notes(f, a, &last) < 0)
		last = arena_alloc(a, e->rcpt_n * sizeof(*last));
	take_facts(x, e, a);
	for (size_t i = 0; i < n; i++)
		say_rcpt(x, &e->rcpts[i], &last[i]);
	if (n < e->rcpt_n)
		explain_say(x, "recipient", CONF_NOWHERE, "and %zu more",
		    e->rcpt_n - n);
	x->depth--;
}

static int
load(struct queue *q, const char *id, struct arena *a, struct queue_file *f)
{
	const char *reason = NULL;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (queue_load(q, places[i], id, false, a, f, &reason) == 0)
			return EX_OK;
		if (errno != ENOENT) {
			fprintf(stderr, "%s cannot be read: %s\n", id,
			    errno == EBADMSG && reason != NULL ?
				reason : strerror(errno));
			return EX_DATAERR;
		}
	}
	fprintf(stderr, "%s: no such message in the queue\n", id);
	return EX_DATAERR;
}

int
explain_message(struct explain *x, const char *id)
{
	struct queue_file f;
	struct queue *q;
	struct arena a;
	int code;

	if ((q = cmd_queue(x->conf)) == NULL)
		return EX_NOPERM;
	arena_init(&a, (size_t)64 << 20);
	code = load(q, id, &a, &f);
	if (code == EX_OK) {
		say_all(x, &f, &a);
		queue_unload(&f);
	}
	arena_free(&a);
	queue_close(q);
	return code;
}
