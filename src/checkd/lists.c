/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * lists -- what lists in DNS have of a client, or of domains that it names.
 *
 * All lists are asked at once, within one time.  Who asks what is being looked up
 * waits for the same answer, and what was found is kept for a while; but the hosts
 * of a message's URLs are nobody else's question.  A list that is late counts
 * nothing, and what was found without it is not kept.  What it comes to is for who
 * asks to say, by his configuration; here it is only seen which answers are entries.
 */

#include "checkd.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "check/dnsbl_terms.h"
#include "ipc/msg_lists.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#define WAITERS_MAX 64
#define ARENA_MAX_OCTETS ((size_t)4 << 20)

_Static_assert(DNSBL_TERMS_MAX >= 2 * MSG_LISTS_MAX, "a name, and what was registered of it");

struct inquiry;

struct asker {
	struct waiter waiter;
	struct inquiry *i;
};

struct inquiry {
	struct checkd *d;
	struct dnsbl_terms terms;
	char *key;		/* the question; NULL: it is not shared */
	size_t key_n;
	struct arena arena;
	struct dnsbl_answer *answers;	/* for each zone as many as there are terms */
	uint32_t ttl;			/* the lowest of all entries */
	size_t pending;			/* questions that DNS has */
	bool answered;
	bool left;			/* its place, since all were gone */
	struct loop_timer *timer;
	struct asker askers[WAITERS_MAX];
};

/* A question to a zone. */
struct asked {
	struct inquiry *i;
	size_t zone, term;
};

static struct dnsbl_answer *
answer_of(const struct inquiry *i, size_t zone, size_t term)
{
	return &i->answers[zone * i->terms.n + term];
}

/* ---- the answer ------------------------------------------------------------------ */

/* The first term that zone Z has not answered; NULL: there is none. */
static const struct dnsbl_term *
late_term(const struct inquiry *i, size_t z)
{
	for (size_t k = 0; k < i->terms.n; k++)
		if (answer_of(i, z, k)->late)
			return &i->terms.v[k];
	return NULL;
}

/* True if some list is late, which is said. */
static bool
any_late(const struct inquiry *i)
{
	const struct dnsbl_term *t;
	bool late = false;

	for (size_t z = 0; z < i->d->zone_n; z++)
		if ((t = late_term(i, z)) != NULL) {
			log_warn(NULL, "dnsbl %s does not answer for " STR_FMT
			    ": it counts nothing", i->d->zones[z].name, STR_ARG(t->text));
			late = true;
		}
	return late;
}

/* What each section counts first. */
static void
collect(struct inquiry *i, struct msg_lists_result *r)
{
	const struct conf_dnsbls *c = &i->d->conf->dnsbl;
	struct dnsbl_entry *found = arena_alloc(&i->arena, (c->list_n + 1) * sizeof(*found));

	memset(found, 0, (c->list_n + 1) * sizeof(*found));
	for (size_t z = 0; z < i->d->zone_n; z++)
		for (size_t k = 0; k < i->terms.n; k++)
			dnsbl_term_note(c, &i->terms.v[k], i->d->zones[z].name,
			    answer_of(i, z, k), found);
	r->n = 0;
	for (size_t k = 0; k < c->list_n && r->n < MSG_LISTS_ENTRIES_MAX; k++)
		if (found[k].answer != 0)
			r->v[r->n++] = (struct msg_lists_entry){ found[k].zone,
				found[k].of, found[k].listed, found[k].answer,
				found[k].text };
}

static void
finish(struct inquiry *i)
{
	struct checkd *d = i->d;
	struct str key = str_n(i->key, i->key_n);
	struct msg_lists_result r;
	bool late = any_late(i);
	struct buf b;

	collect(i, &r);
	buf_init(&b, FRAME_MAX);
	msg_lists_result_put(&b, &r);
	if (i->key != NULL) {
		if (!late)
			answers_put(d->known, key, buf_str(&b), keep_until(i->ttl));
		(void)map_del(d->open, key);
	}
	for (size_t k = 0; k < WAITERS_MAX; k++)
		if (i->askers[k].waiter.fd >= 0)
			waiter_answer(&i->askers[k].waiter, buf_str(&b));
	buf_free(&b);
	i->answered = true;
	if (!i->left)
		place_end(d, PLACE_LISTS);
}

/* Answers if all is there; the inquiry lives until DNS has nothing of it. */
static void
settle(struct inquiry *i)
{
	if (i->pending > 0)
		return;
	if (!i->answered)
		finish(i);
	place_forget(i->d, PLACE_LISTS);
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

/* Others may still come to ask the same. */
static void
on_gone(void *arg)
{
	struct asker *a = arg;
	struct inquiry *i = a->i;

	waiter_close(&a->waiter);
	for (size_t k = 0; k < WAITERS_MAX; k++)
		if (i->askers[k].waiter.fd >= 0)
			return;
	if (!i->left)
		place_end(i->d, PLACE_LISTS);
	i->left = true;
}

/* False: too many wait for this one. */
static bool
join(struct inquiry *i, int reply)
{
	for (size_t k = 0; k < WAITERS_MAX; k++) {
		struct asker *a = &i->askers[k];

		if (a->waiter.fd >= 0)
			continue;
		a->i = i;
		waiter_open(&a->waiter, i->d, reply, on_gone, a);
		return true;
	}
	return false;
}

/* ---- DNS -------------------------------------------------------------------------- */

static struct asked *
asked_new(struct inquiry *i, size_t zone, size_t term)
{
	struct asked *q = mem_alloc(sizeof(*q));

	*q = (struct asked){ .i = i, .zone = zone, .term = term };
	i->pending++;
	return q;
}

/* What a reply can hold of a TXT record; the rest is "?". */
static struct str
plain(struct arena *a, struct str text)
{
	text = str_head(text, DNSBL_TEXT_MAX);
	char *p = arena_cstr(a, text);

	for (size_t k = 0; k < text.n; k++)
		if (p[k] < ' ' || p[k] > '~')
			p[k] = '?';
	return str_n(p, text.n);
}

static void
on_text(void *arg, const struct dns_txt_answer *a)
{
	struct asked *q = arg;
	struct inquiry *i = q->i;

	if (a->status == DNS_OK && a->text_n > 0)
		answer_of(i, q->zone, q->term)->text = plain(&i->arena, a->text[0]);
	mem_free(q);
	i->pending--;
	settle(i);
}

static void
take_addresses(struct inquiry *i, size_t z, size_t term, const struct dns_addr_answer *a)
{
	struct dnsbl_answer *to = answer_of(i, z, term);

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
ask_text(struct inquiry *i, size_t z, size_t term)
{
	struct buf b;

	buf_init(&b, 512);
	if (dnsbl_term_add_name(&b, &i->terms.v[term], i->d->zones[z].name))
		dns_txt(i->d->dns, buf_cstr(&b), on_text, asked_new(i, z, term));
	buf_free(&b);
}

static void
on_addresses(void *arg, const struct dns_addr_answer *a)
{
	struct asked *q = arg;
	struct inquiry *i = q->i;
	size_t z = q->zone, term = q->term;

	answer_of(i, z, term)->late = a->status == DNS_TEMPORARY;
	if (a->status == DNS_OK)
		take_addresses(i, z, term, a);
	if (!i->answered && dnsbl_term_wants_text(&i->d->conf->dnsbl, &i->terms.v[term],
		i->d->zones[z].name, answer_of(i, z, term)))
		ask_text(i, z, term);
	mem_free(q);
	i->pending--;
	settle(i);
}

/* ---- the question ------------------------------------------------------------------- */

/* Asks zone Z for each term that it has entries of. */
static void
ask_zone(struct inquiry *i, size_t z)
{
	const struct zone *zone = &i->d->zones[z];
	struct buf b;

	buf_init(&b, 512);
	for (size_t k = 0; k < i->terms.n; k++) {
		buf_reset(&b);
		if ((i->terms.v[k].of & zone->of) == 0 ||
		    !dnsbl_term_add_name(&b, &i->terms.v[k], zone->name))
			continue;
		/* Until the answer comes. */
		answer_of(i, z, k)->late = true;
		dns_addr4(i->d->dns, buf_cstr(&b), on_addresses, asked_new(i, z, k));
	}
	buf_free(&b);
}

/* Takes REPLY, and the arena and the terms of FROM.  KEY: empty, or what others may ask, too. */
static void
start(struct checkd *d, const struct inquiry *from, struct str key, int reply)
{
	struct inquiry *i = mem_alloc(sizeof(*i));
	size_t n = d->zone_n * from->terms.n + 1;

	*i = *from;
	i->d = d;
	i->ttl = UINT32_MAX;
	for (size_t k = 0; k < WAITERS_MAX; k++)
		i->askers[k].waiter.fd = -1;
	(void)join(i, reply);
	if (key.n > 0) {
		i->key = mem_dup(key);
		i->key_n = key.n;
		(void)map_put(d->open, key, i);
	}
	i->answers = arena_alloc(&i->arena, n * sizeof(*i->answers));
	memset(i->answers, 0, n * sizeof(*i->answers));
	i->timer = loop_timer_new(d->loop, on_time, i);
	loop_timer_set(i->timer, d->conf->dnsbl.timeout);
	place_begin(d, PLACE_LISTS);
	for (size_t z = 0; z < d->zone_n; z++)
		if (d->zones[z].failed == 0)
			ask_zone(i, z);
	settle(i);
}

/* The terms of what M asks; false: something of it is none. */
static bool
take_terms(struct inquiry *i, const struct msg_lists *m, bool *shared)
{
	*shared = true;
	for (size_t k = 0; k < m->n; k++) {
		if (m->v[k].of >= DNSBL_OF_N ||
		    !dnsbl_terms_add(&i->terms, (enum conf_dnsbl_of)m->v[k].of, m->v[k].what,
			&i->arena))
			return false;
		*shared = *shared && m->v[k].of != DNSBL_URL;
	}
	return true;
}

void
lists_take(struct checkd *d, struct str packet, int reply)
{
	struct inquiry from = { .key = NULL }, *i;
	struct msg_lists m;
	struct str known;
	bool shared;

	arena_init(&from.arena, ARENA_MAX_OCTETS);
	if (!msg_lists_get(packet, &m) || !take_terms(&from, &m, &shared)) {
		log_error(NULL, "a question is broken");
		close(reply);
	} else if (shared &&
	    (known = answers_get(d->known, packet, clock_ms())).n > 0) {
		question_answer(reply, known);
	} else if (!shared || (i = map_get(d->open, packet)) == NULL) {
		start(d, &from, shared ? packet : STR(""), reply);
		return;
	} else if (!join(i, reply)) {
		close(reply);
	}
	arena_free(&from.arena);
}
