/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * published -- keys that sign only while DNS has them (dkim-sign.only-published).
 *
 * A signature whose key nobody finds is worse than none.  So such a key is asked
 * for when mail that it would sign is about to leave and what is known of it is out
 * of date: one question for all messages that wait for it, and none for others.
 * Where DNS does not have it, or gives no answer in dns.timeout, mail leaves without
 * its signature.  The log says so when that changes, not of each message.
 */

#include "published.h"

#include "check/published.h"
#include "conn_text.h"
#include "job.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mail/dkim.h"
#include "net/dkim_key.h"
#include "runner.h"
#include "signing.h"

/* Nothing is known for longer, whatever DNS says (seconds). */
#define TTL_MAX_S 3600
#define NAME_MAX_OCTETS 512

/* A key of the configuration. */
struct published {
	struct runner *r;
	size_t number;
	const char *why_not;	/* static; NULL: it is there */
	int64_t until;		/* clock_ms(); that is known so long */
	bool asked, asking;
};

/* A message that waits, and the keys that it waits for. */
struct published_wait {
	struct published_wait *next;
	struct job *job;
	struct delivery *first;
	struct signing_numbers keys;
};

static bool
is_watched(const struct runner *r, size_t i)
{
	return r->conf->dkim[i].only_published && r->dkim_keys[i] != NULL;
}

void
published_load(struct runner *r)
{
	const struct conf *c = r->conf;

	r->published = mem_array(c->dkim_n + 1, sizeof(*r->published));
	for (size_t i = 0; i < c->dkim_n; i++) {
		r->published[i] = (struct published){ .r = r, .number = i,
			.why_not = "it was not asked for" };
		r->published_any = r->published_any || is_watched(r, i);
	}
}

void
published_free(struct runner *r)
{
	struct published_wait *w;

	/* Their messages are freed, and stay in the spool. */
	while ((w = r->published_waits) != NULL) {
		r->published_waits = w->next;
		mem_free(w);
	}
	mem_free(r->published);
}

bool
published_signs(const struct runner *r, size_t i)
{
	return !r->conf->dkim[i].only_published || r->published[i].why_not == NULL;
}

/* ---- the answer --------------------------------------------------------- */

static bool
waits(const struct runner *r, const struct published_wait *w)
{
	for (size_t i = 0; i < w->keys.n; i++)
		if (r->published[w->keys.v[i]].asking)
			return true;
	return false;
}

/* Lets go who waits for nothing any more. */
static void
release(struct runner *r)
{
	struct published_wait **at = &r->published_waits, *w, *ready = NULL;

	while ((w = *at) != NULL) {
		if (waits(r, w)) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->next = ready;
		ready = w;
	}
	while ((w = ready) != NULL) {
		ready = w->next;
		r->finishing--;
		job_signed(w->job, w->first);
		mem_free(w);
	}
}

static void
say(const struct conf_dkim *d, const char *why_not)
{
	if (why_not == NULL)
		log_info(NULL, "%s._domainkey.%s is in DNS: dkim-sign \"%s\" signs",
		    d->selector, d->domain, d->domain);
	else
		log_warn(NULL, "%s._domainkey.%s: %s: dkim-sign \"%s\" does not sign",
		    d->selector, d->domain, why_not, d->domain);
}

static void
on_txt(void *arg, const struct dns_txt_answer *a)
{
	struct published *p = arg;
	struct runner *r = p->r;
	int64_t ttl = 0;
	const char *why;
	bool testing;

	p->asking = false;
	if (r->closing)
		return;
	if (a->status == DNS_TEMPORARY)
		why = "DNS gives no answer";
	else
		why = published_why_not(a->text, a->status == DNS_OK ? a->text_n : 0,
		    r->dkim_keys[p->number], &testing);
	if (a->status == DNS_OK)
		ttl = (int64_t)(a->ttl > TTL_MAX_S ? TTL_MAX_S : a->ttl) * 1000;
	p->until = clock_ms() + (ttl < r->conf->dns.min_ttl ? r->conf->dns.min_ttl : ttl);
	/* Each is one text in static storage. */
	if (why != p->why_not && (p->asked || why != NULL))
		say(&r->conf->dkim[p->number], why);
	p->why_not = why;
	p->asked = true;
	release(r);
}

/* ---- asking ------------------------------------------------------------- */

static void
ask(struct published *p)
{
	const struct conf_dkim *d = &p->r->conf->dkim[p->number];
	struct buf name;

	buf_init(&name, NAME_MAX_OCTETS);
	buf_addf(&name, "%s._domainkey.%s", d->selector, d->domain);
	p->asking = true;
	dns_txt(p->r->dns, buf_cstr(&name), on_txt, p);
	buf_free(&name);
}

/* The keys that may sign J, as its header has it; none if that cannot be read. */
static void
choose(struct job *j, struct signing_numbers *keys)
{
	struct dkim_text *t = dkim_text_new(false, false);

	keys->n = 0;
	conn_text_know(j);
	if (conn_text_header(j, signing_read, t) == 0 && dkim_text_end(t) == NULL)
		signing_candidates(j, t, keys);
	dkim_text_free(t);
}

bool
published_wait(struct job *j, struct delivery *first)
{
	struct runner *r = j->r;
	struct signing_numbers all;
	struct published_wait *w;
	bool wait = false;

	if (!r->published_any || !signing_wanted(j) || !job_leaves(first))
		return false;
	choose(j, &all);
	w = mem_alloc(sizeof(*w));
	*w = (struct published_wait){ .job = j, .first = first };
	for (size_t i = 0; i < all.n; i++) {
		struct published *p = &r->published[all.v[i]];

		if (!is_watched(r, all.v[i]))
			continue;
		if (!p->asking && (!p->asked || clock_ms() >= p->until))
			ask(p);
		if (p->asking)
			w->keys.v[w->keys.n++] = all.v[i];
		wait = wait || p->asking;
	}
	if (!wait) {
		mem_free(w);
		return false;
	}
	w->next = r->published_waits;
	r->published_waits = w;
	r->finishing++;
	return true;
}
