/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * client -- what lists in DNS make of a client.
 *
 * All lists are asked at once, within one time.  Who asks about a client that
 * is being looked up waits for the same answer, and what was found is kept for
 * a while.  A list that is late counts nothing, and what was found without it
 * is not kept.
 */

#include "checkd.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "ipc/msg_check.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#define WAITERS_MAX 64
#define ARENA_MAX_OCTETS ((size_t)1 << 20)

struct inquiry {
	struct checkd *d;
	struct addr client;
	char *key;
	struct arena arena;
	struct dnsbl_answer *answers;	/* by zone */
	uint32_t ttl;			/* the lowest of all entries */
	size_t pending;			/* questions that DNS has */
	bool answered;
	struct loop_timer *timer;
	int waiters[WAITERS_MAX];
	size_t waiter_n;
};

/* A question to a zone. */
struct asked {
	struct inquiry *i;
	size_t zone;
};

/* ---- the answer ------------------------------------------------------------------ */

static bool
any_late(const struct inquiry *i)
{
	for (size_t k = 0; k < i->d->zone_n; k++)
		if (i->answers[k].late)
			return true;
	return false;
}

static void
say_late(const struct inquiry *i)
{
	for (size_t k = 0; k < i->d->zone_n; k++)
		if (i->answers[k].late)
			log_warn(NULL, "dnsbl %s does not answer for %s: it counts nothing",
			    i->d->zones[k].name, i->key);
}

/* What is in the log is what is found at once. */
static struct dnsbl_verdict
judge(struct inquiry *i)
{
	const struct conf_dnsbls *c = &i->d->conf->dnsbl;
	struct dnsbl_answer *by_list = arena_alloc(&i->arena,
	    (c->list_n + 1) * sizeof(*by_list));

	for (size_t k = 0; k < c->list_n; k++)
		by_list[k] = i->answers[i->d->zone_of[k]];
	return dnsbl_judge(c, &i->client, by_list, &i->arena);
}

static void
finish(struct inquiry *i)
{
	struct dnsbl_verdict v = judge(i);
	struct msg_client_result r = { .refused = v.refused, .text = v.text,
		.why = v.why, .enhanced = STR("") };
	struct checkd *d = i->d;
	struct buf b;

	if (v.by != NULL) {
		r.code = (uint64_t)v.by->refusal.code;
		r.enhanced = str_c(v.by->refusal.enhanced);
	}
	buf_init(&b, FRAME_MAX);
	msg_client_result_put(&b, &r);
	say_late(i);
	if (!any_late(i))
		answers_put(d->known, str_c(i->key), buf_str(&b), keep_until(i->ttl));
	for (size_t k = 0; k < i->waiter_n; k++)
		question_answer(i->waiters[k], buf_str(&b));
	buf_free(&b);
	i->waiter_n = 0;
	i->answered = true;
	(void)map_del(d->open, str_c(i->key));
	question_end(d);
}

/* Answers if all is there; the inquiry lives until DNS has nothing of it. */
static void
settle(struct inquiry *i)
{
	if (i->pending > 0)
		return;
	if (!i->answered)
		finish(i);
	loop_timer_free(i->timer);
	arena_free(&i->arena);
	mem_free(i->key);
	mem_free(i);
}

static void
on_time(void *arg)
{
	struct inquiry *i = arg;

	if (!i->answered)
		finish(i);
}

/* ---- DNS -------------------------------------------------------------------------- */

static struct asked *
asked_new(struct inquiry *i, size_t zone)
{
	struct asked *q = mem_alloc(sizeof(*q));

	*q = (struct asked){ .i = i, .zone = zone };
	i->pending++;
	return q;
}

static void
on_text(void *arg, const struct dns_txt_answer *a)
{
	struct asked *q = arg;
	struct inquiry *i = q->i;

	if (a->status == DNS_OK && a->text_n > 0)
		i->answers[q->zone].text = arena_str(&i->arena,
		    str_head(a->text[0], DNSBL_TEXT_MAX));
	mem_free(q);
	i->pending--;
	settle(i);
}

/* Whether what zone Z has said may refuse the client, so that it matters why. */
static bool
wants_text(const struct inquiry *i, size_t z)
{
	const struct conf_dnsbls *c = &i->d->conf->dnsbl;

	for (size_t k = 0; k < c->list_n; k++)
		if (i->d->zone_of[k] == z && c->lists[k].weight > 0 &&
		    strstr(c->lists[k].reply, "${text}") != NULL &&
		    dnsbl_has(&c->lists[k], &i->answers[z]))
			return true;
	return false;
}

static void
take_addresses(struct inquiry *i, size_t z, const struct dns_addr_answer *a)
{
	struct dnsbl_answer *to = &i->answers[z];

	for (size_t k = 0; k < a->addr_n && to->n < DNSBL_ANSWERS_MAX; k++) {
		const void *octets = addr_octets(&a->addr[k]);
		uint32_t v;

		if (octets == NULL || addr_family(&a->addr[k]) != AF_INET)
			continue;
		memcpy(&v, octets, sizeof(v));
		to->v[to->n++] = ntohl(v);
		if (dnsbl_is_error(ntohl(v)))
			zone_complain(&i->d->zones[z], ntohl(v));
	}
	if (a->ttl < i->ttl)
		i->ttl = a->ttl;
}

static void
ask_text(struct inquiry *i, size_t z)
{
	struct buf b;

	buf_init(&b, 512);
	dnsbl_add_name(&b, &i->client, i->d->zones[z].name);
	dns_txt(i->d->dns, buf_cstr(&b), on_text, asked_new(i, z));
	buf_free(&b);
}

static void
on_addresses(void *arg, const struct dns_addr_answer *a)
{
	struct asked *q = arg;
	struct inquiry *i = q->i;
	size_t z = q->zone;

	i->answers[z].late = a->status == DNS_TEMPORARY;
	if (a->status == DNS_OK)
		take_addresses(i, z, a);
	if (!i->answered && wants_text(i, z))
		ask_text(i, z);
	mem_free(q);
	i->pending--;
	settle(i);
}

/* ---- the question ------------------------------------------------------------------- */

static void
start(struct checkd *d, const struct addr *client, struct str key, int reply)
{
	struct inquiry *i = mem_alloc(sizeof(*i));
	struct buf b;

	*i = (struct inquiry){ .d = d, .client = *client, .key = mem_dup(key),
		.ttl = UINT32_MAX, .waiters = { reply }, .waiter_n = 1 };
	arena_init(&i->arena, ARENA_MAX_OCTETS);
	i->answers = arena_alloc(&i->arena, (d->zone_n + 1) * sizeof(*i->answers));
	memset(i->answers, 0, (d->zone_n + 1) * sizeof(*i->answers));
	i->timer = loop_timer_new(d->loop, on_time, i);
	loop_timer_set(i->timer, d->conf->dnsbl.timeout);
	(void)map_put(d->open, key, i);
	question_begin(d);
	buf_init(&b, 512);
	for (size_t z = 0; z < d->zone_n; z++) {
		if (d->zones[z].lists_all)
			continue;
		/* Until the answer comes. */
		i->answers[z].late = true;
		buf_reset(&b);
		dnsbl_add_name(&b, client, d->zones[z].name);
		dns_addr4(d->dns, buf_cstr(&b), on_addresses, asked_new(i, z));
	}
	buf_free(&b);
	settle(i);
}

void
client_take(struct checkd *d, struct str packet, int reply)
{
	struct inquiry *i;
	struct msg_client m;
	struct addr client;
	struct str known;
	struct buf key;

	if (!msg_client_get(packet, &m) || addr_parse(m.address, 0, &client) < 0 ||
	    !dnsbl_is_public(&client)) {
		log_error(NULL, "a question is broken");
		close(reply);
		return;
	}
	/* In one spelling. */
	buf_init(&key, 64);
	addr_add(&key, &client);
	known = answers_get(d->known, buf_str(&key), clock_ms());
	i = map_get(d->open, buf_str(&key));
	if (known.n > 0)
		question_answer(reply, known);
	else if (i == NULL)
		start(d, &client, buf_str(&key), reply);
	else if (i->waiter_n < WAITERS_MAX)
		i->waiters[i->waiter_n++] = reply;
	else
		close(reply);
	buf_free(&key);
}
