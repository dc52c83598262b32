/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * author -- what the domain of an author asks for by DMARC.
 *
 * Whose record that is check/dmarc.c says; here DNS is asked for the names that it
 * wants, all at once.
 */

#include "author.h"

#include "check/dmarc.h"
#include "lib/mem.h"

#define DOMAIN_SIZE 256

/* A name that DNS is asked for. */
struct asked {
	struct walk *w;
	struct str domain;	/* a part of the walk's */
	enum dmarc_known known;
	struct dmarc record;
};

struct walk {
	struct runner *r;
	void (*fn)(void *arg, bool known, enum dmarc_policy p);
	void *arg;
	char domain[DOMAIN_SIZE];
	struct asked asked[DMARC_WALK_MAX];
	size_t asked_n, pending;
};

static enum dmarc_known
look(void *arg, struct str domain, struct dmarc *d)
{
	const struct walk *w = arg;

	for (size_t i = 0; i < w->asked_n; i++)
		if (str_eq(w->asked[i].domain, domain)) {
			*d = w->asked[i].record;
			return w->asked[i].known;
		}
	/* More than a walk has are not looked up. */
	return w->asked_n < DMARC_WALK_MAX ? DMARC_UNASKED : DMARC_ABSENT;
}

/* All that is wanted is there: the record, and what it asks for. */
static void
end(struct walk *w)
{
	struct str domain = str_c(w->domain);
	struct dmarc_wants wants = { .n = 0 };
	struct dmarc_found found;
	enum dmarc_known k = dmarc_discover(domain, look, w, &wants, &found);
	enum dmarc_policy p = DMARC_NONE;

	/* Its own record holds, whatever there is above it. */
	if (k == DMARC_UNKNOWN && str_eq(found.holder, domain))
		k = DMARC_PRESENT;
	if (k == DMARC_PRESENT)
		p = dmarc_asks(&found.record, str_eq(found.holder, domain) ?
		    DMARC_ITSELF : DMARC_BELOW);
	w->fn(w->arg, k != DMARC_UNKNOWN, p);
	mem_free(w);
}

static void
on_txt(void *arg, const struct dns_txt_answer *a)
{
	struct asked *q = arg;

	q->known = DMARC_ABSENT;
	if (a->status == DNS_TEMPORARY)
		q->known = DMARC_UNKNOWN;
	else if (a->status == DNS_OK && dmarc_parse_only(a->text, a->text_n, &q->record))
		q->known = DMARC_PRESENT;
	/* It views the answer. */
	q->record.rua = STR("");
	if (--q->w->pending == 0)
		end(q->w);
}

static void
ask(struct walk *w, struct str domain)
{
	struct asked *q = &w->asked[w->asked_n++];
	struct buf b;

	*q = (struct asked){ .w = w, .domain = domain };
	w->pending++;
	buf_init(&b, DOMAIN_SIZE + sizeof("_dmarc."));
	buf_adds(&b, "_dmarc.");
	buf_add(&b, domain);
	dns_txt(w->r->dns, buf_cstr(&b), on_txt, q);
	buf_free(&b);
}

void
author_asks(struct runner *r, struct str domain,
    void (*fn)(void *arg, bool known, enum dmarc_policy p), void *arg)
{
	struct walk *w = mem_alloc(sizeof(*w));
	struct str at = str_head(domain, DOMAIN_SIZE - 1);

	*w = (struct walk){ .r = r, .fn = fn, .arg = arg };
	memcpy(w->domain, at.p, at.n);
	at = str_n(w->domain, at.n);
	/* No name is no walk, but an answer comes later in any case. */
	do {
		ask(w, at);
		at = dmarc_next(at, (unsigned)w->asked_n);
	} while (at.n > 0);
}
