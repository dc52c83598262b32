/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * archive -- who gets a copy of mail as it comes in.
 *
 * A copy is one recipient more, so that it is as durable as the message, and
 * is delivered by whatever its address leads to.  Copies of copies there are
 * none: all sections are asked about who sent it to whom.
 */

#include "queue/archive.h"

static bool
one_fits(const struct conf_patterns *p, struct str local, struct str domain)
{
	for (size_t i = 0; i < p->n; i++)
		if (pattern_fits(&p->v[i], local, domain))
			return true;
	return p->n == 0;
}

/* <postmaster>, and what sendmail takes, has no domain. */
static bool
rcpt_fits(const struct conf *c, const struct conf_archive *r,
    const struct path *p)
{
	struct str domain = p->domain;

	if (domain.n == 0)
		domain = str_c(c->domains.n > 0 ? c->domains.v[0] : c->hostname);
	return one_fits(&r->recipients, p->local, domain);
}

static bool
fits(const struct conf *c, const struct conf_archive *r,
    const struct envelope *e)
{
	bool any = r->listener.n == 0;

	for (size_t i = 0; i < r->listener.n; i++)
		any = any || str_eq(str_c(r->listener.v[i]), e->listener);
	if (!any || !one_fits(&r->senders, e->from.local, e->from.domain) ||
	    !(r->users.n == 0 || (e->user.n > 0 &&
		one_fits(&r->users, e->user, STR("")))))
		return false;
	for (size_t i = 0; i < e->rcpt_n; i++)
		if (rcpt_fits(c, r, &e->rcpts[i].path))
			return true;
	return false;
}

const struct conf_archive *
archive_next(const struct conf *c, const struct envelope *e, size_t *at)
{
	while (*at < c->archive_n) {
		const struct conf_archive *r = &c->archives[(*at)++];

		if (fits(c, r, e))
			return r;
	}
	return NULL;
}

/* ---- copies ------------------------------------------------------------- */

static bool
has(const struct envelope_rcpt *v, size_t n, const struct path *p)
{
	for (size_t i = 0; i < n; i++)
		if (path_eq(&v[i].path, p))
			return true;
	return false;
}

/* Those whom the sections that fit name, at most. */
static size_t
count(const struct conf *c, const struct envelope *e)
{
	const struct conf_archive *r;
	size_t at = 0, n = 0;

	while ((r = archive_next(c, e, &at)) != NULL)
		n += r->to.n;
	return n;
}

void
archive_add(const struct conf *c, struct arena *a, struct envelope *e)
{
	size_t more = c->archive_n > 0 ? count(c, e) : 0, n = e->rcpt_n, at = 0;
	const struct conf_archive *r;
	struct envelope_rcpt *v;

	if (more == 0)
		return;
	v = arena_alloc(a, (n + more) * sizeof(*v));
	memcpy(v, e->rcpts, n * sizeof(*v));
	while ((r = archive_next(c, e, &at)) != NULL)
		for (size_t i = 0; i < r->to.n && n < ENVELOPE_RCPT_MAX; i++) {
			struct envelope_rcpt copy = { .state = RCPT_QUEUED,
				.notify = NOTIFY_NEVER };

			if (path_parse_addr(str_c(r->to.v[i]), PATH_UTF8, a,
				&copy.path) == NULL && !has(v, n, &copy.path))
				v[n++] = copy;
		}
	e->rcpts = v;
	e->rcpt_n = n;
}
