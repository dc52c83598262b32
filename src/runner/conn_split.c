/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * conn_split -- what a server said that it takes, kept (RFC 9422).
 *
 * A delivery with more recipients than a transaction may have, or to more
 * domains than a session, is divided: what may go now goes, the rest is a
 * delivery of its own and stands in the line of its destination.  So do those
 * whom the server refuses because they are too many (RFC 5321 4.5.3.1.10).
 */

#include "conn.h"
#include "conn_split.h"
#include "lib/mem.h"

/* A server that allows more may as well allow any. */
#define DOMAINS_MAX 1000

bool
conn_is_spent(const struct conn *c)
{
	size_t max = c->group->per_connection;

	if (c->client != NULL && client_limits(c->client)->mail_max > 0 &&
	    client_limits(c->client)->mail_max < max)
		max = client_limits(c->client)->mail_max;
	return c->split.spent || c->messages >= max;
}

void
conn_split_end(struct conn_split *s)
{
	mem_free(s->domains);
	*s = (struct conn_split){ 0 };
}

/* True if the session has had, or may yet have, a recipient of DOMAIN. */
static bool
may_have(struct conn_split *s, struct str domain, size_t max)
{
	uint64_t hash = str_ihash(domain);

	for (size_t i = 0; i < s->domain_n; i++)
		if (s->domains[i] == hash)
			return true;
	if (s->domain_n == max)
		return false;
	s->domains = mem_grow(s->domains, s->domain_n + 1,
	    sizeof(*s->domains));
	s->domains[s->domain_n++] = hash;
	return true;
}

static void
swap(struct delivery *v, size_t a, size_t b)
{
	size_t rcpt = v->rcpts[a];
	struct path path = v->paths[a];
	struct result result = v->results[a];

	v->rcpts[a] = v->rcpts[b];
	v->paths[a] = v->paths[b];
	v->results[a] = v->results[b];
	v->rcpts[b] = rcpt;
	v->paths[b] = path;
	v->results[b] = result;
}

/* Puts those who may go first; how many these are. */
static size_t
share(struct conn *c, struct delivery *v)
{
	const struct client_limits *l = client_limits(c->client);
	size_t rcpts = l->rcpt_max > 0 ? l->rcpt_max : v->n, n = 0;

	if (l->rcpt_domain_max == 0 || l->rcpt_domain_max > DOMAINS_MAX)
		return rcpts < v->n ? rcpts : v->n;
	for (size_t i = 0; i < v->n && n < rcpts; i++)
		if (may_have(&c->split, v->paths[i].domain,
			l->rcpt_domain_max))
			swap(v, n++, i);
	return n;
}

/* What is behind the first N, as a delivery of its own. */
static struct delivery *
rest_of(struct delivery *v, size_t n)
{
	struct delivery *r = job_delivery(v->job, v->dest);

	r->rcpts = v->rcpts + n;
	r->paths = v->paths + n;
	r->results = v->results + n;
	r->n = v->n - n;
	r->from = v->from;
	r->via = v->via;
	v->n = n;
	return r;
}

bool
conn_split(struct conn *c, struct delivery *v)
{
	size_t n = share(c, v);

	if (n == 0) {
		/* Other domains than this session may have. */
		c->split.spent = true;
		dest_return(v);
		return false;
	}
	if (n < v->n)
		dest_return(rest_of(v, n));
	return true;
}

void
conn_split_many(struct delivery *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		if (!v->results[i].too_many)
			swap(v, n++, i);
	if (n < v->n)
		dest_return(rest_of(v, n));
}
