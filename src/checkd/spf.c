/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * spf -- whether domains let a client send mail (RFC 7208).
 *
 * What its name and its sender's domain say is evaluated side by side from the
 * same answers of DNS.  Each answer is followed by another evaluation, which
 * says what it lacks (check/spf.h).  Both together have a time (4.6.4); what
 * is not decided by then is a temporary error.  What is decided is kept for a
 * while.
 */

#include "checkd.h"

#include <unistd.h>

#include "check/spf.h"
#include "ipc/channel.h"
#include "ipc/msg_spf.h"
#include "lib/clock.h"
#include "lib/mem.h"

#define ARENA_MAX_OCTETS ((size_t)1 << 16)

/* One of the two. */
struct identity {
	struct spf_client client;
	struct spf_verdict verdict;
	bool done;
};

struct inquiry {
	struct checkd *d;
	struct arena arena;
	struct spf_facts *facts;
	struct identity helo, from;
	struct str key;
	uint32_t ttl;		/* the lowest of all */
	size_t pending;		/* questions that DNS has */
	struct loop_timer *timer;
	struct waiter waiter;
};

static void advance(struct inquiry *i);

/* ---- the answer ---------------------------------------------------------------------- */

static struct msg_spf_verdict
told(const struct spf_verdict *v)
{
	return (struct msg_spf_verdict){ .code = v->code, .mechanism = v->mechanism,
		.problem = v->problem, .explanation = v->explanation };
}

static bool
is_certain(const struct inquiry *i)
{
	return i->helo.verdict.code != SPF_TEMPERROR && i->from.verdict.code != SPF_TEMPERROR;
}

static void
finish(struct inquiry *i)
{
	const struct msg_spf_result r = { told(&i->helo.verdict), told(&i->from.verdict) };
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_spf_result_put(&b, &r);
	if (is_certain(i))
		answers_put(i->d->verdicts, i->key, buf_str(&b), keep_until(i->ttl));
	waiter_answer(&i->waiter, buf_str(&b));
	buf_free(&b);
	place_end(i->d, PLACE_SPF);
}

/* The inquiry lives until nobody waits for it and DNS has nothing of it. */
static void
settle(struct inquiry *i)
{
	if (i->pending > 0 || i->waiter.fd >= 0)
		return;
	place_forget(i->d, PLACE_SPF);
	loop_timer_free(i->timer);
	spf_facts_free(i->facts);
	arena_free(&i->arena);
	mem_free(i);
}

static void
give_up(struct identity *id)
{
	if (id->done)
		return;
	id->done = true;
	id->verdict = (struct spf_verdict){ .code = SPF_TEMPERROR, .mechanism = STR(""),
		.problem = STR("DNS has not answered in time"), .explanation = STR("") };
}

static void
on_time(void *arg)
{
	struct inquiry *i = arg;

	if (i->waiter.fd < 0)
		return;
	give_up(&i->helo);
	give_up(&i->from);
	finish(i);
}

static void
on_gone(void *arg)
{
	struct inquiry *i = arg;

	waiter_close(&i->waiter);
	place_end(i->d, PLACE_SPF);
	settle(i);
}

/* ---- the question ------------------------------------------------------------------------ */

/* DNS has nothing more of one question, whose answer is a fact now. */
static void
on_answer(void *arg, uint32_t ttl)
{
	struct inquiry *i = arg;

	i->pending--;
	if (ttl < i->ttl)
		i->ttl = ttl;
	if (i->waiter.fd >= 0)
		advance(i);
	settle(i);
}

static void
evaluate(struct inquiry *i, struct identity *id)
{
	if (!id->done)
		id->done = spf_check(&id->client, i->facts, &id->verdict);
}

/* As far as the answers go. */
static void
advance(struct inquiry *i)
{
	evaluate(i, &i->helo);
	if (i->from.client.domain.n > 0)
		evaluate(i, &i->from);
	else
		i->from = i->helo;
	if (i->helo.done && i->from.done) {
		finish(i);
		return;
	}
	i->pending += spf_ask(i->d->dns, i->facts, on_answer, i);
}

static void
start(struct checkd *d, const struct msg_spf *m, const struct addr *client, struct str key,
    int reply)
{
	struct inquiry *i = mem_alloc(sizeof(*i));

	*i = (struct inquiry){ .d = d, .ttl = UINT32_MAX };
	waiter_open(&i->waiter, d, reply, on_gone, i);
	arena_init(&i->arena, ARENA_MAX_OCTETS);
	i->facts = spf_facts_new();
	i->key = arena_str(&i->arena, key);
	i->helo.client = (struct spf_client){ .address = *client,
		.helo = arena_str(&i->arena, m->helo), .local = STR("postmaster"),
		.receiver = arena_str(&i->arena, m->receiver),
		.explanation = str_c(d->conf->check.spf.explanation),
		.now = clock_wall_us() / 1000000 };
	i->helo.client.domain = i->helo.client.helo;
	i->from.client = i->helo.client;
	i->from.client.local = arena_str(&i->arena, m->local);
	i->from.client.domain = spf_domain(m->domain, &i->arena);
	i->timer = loop_timer_new(d->loop, on_time, i);
	loop_timer_set(i->timer, d->conf->check.spf.timeout);
	place_begin(d, PLACE_SPF);
	advance(i);
	settle(i);
}

/* Two questions with one key are the same. */
static void
add_key(struct buf *b, const struct msg_spf *m)
{
	const struct str *const parts[] = { &m->address, &m->helo, &m->local, &m->domain,
		&m->receiver };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		buf_addf(b, "%zu:", parts[i]->n);
		buf_add(b, *parts[i]);
	}
}

void
spf_take(struct checkd *d, struct str packet, int reply)
{
	struct msg_spf m;
	struct addr client;
	struct str known;
	struct buf key;

	if (!msg_spf_get(packet, &m) || addr_parse(m.address, 0, &client) < 0) {
		channel_complain("a question about a sender");
		close(reply);
		return;
	}
	buf_init(&key, FRAME_MAX);
	add_key(&key, &m);
	known = answers_get(d->verdicts, buf_str(&key), clock_ms());
	if (known.n > 0)
		question_answer(reply, known);
	else
		start(d, &m, &client, buf_str(&key), reply);
	buf_free(&key);
}
