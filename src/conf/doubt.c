/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * doubt -- what a configuration says about the way of mail that leads nowhere:
 * addresses that no mail is for, ways that none goes, and mail that nobody
 * takes.  It may be meant so, and is no mistake.
 */

#include "private.h"
#include "sections.h"

static struct conf_place
place(const struct conf *c, const void *field)
{
	return conf_where(c, field, conf_place_top(c));
}

/* ---- who is here ------------------------------------------------------------- */

static bool
has_users(const struct conf *c)
{
	const struct conf_strs *who = &c->recipients.mailboxes;
	bool file = false;

	for (size_t i = 0; i < c->auth.backends.n; i++)
		file = file || str_starts(str_c(c->auth.backends.v[i]), STR("file://")) ||
		    str_starts(str_c(c->auth.backends.v[i]), STR("secrets://"));
	for (size_t i = 0; i < who->n; i++)
		if (file || strcmp(who->v[i], "file") != 0)
			return true;
	return false;
}

static void
doubt_domains(const struct conf *c, struct buf *out)
{
	if (c->domains.n == 0 && c->aliases.n > 0)
		conf_complain(out, place(c, &c->aliases),
		    "aliases: no address has one, expected those of domains, of which there are "
		    "none");
	/* Who is asked for recipients may name others; and reports for srs.domain go on. */
	if (c->domains.n > 0 && !has_users(c) && c->rule_n == 0 && c->aliases.n == 0 &&
	    c->recipients.asked.kind == VERIFY_NOBODY && c->srs.domain[0] == '\0')
		conf_complain(out, place(c, &c->domains),
		    "domains: nobody has a mailbox, and mail for them is refused, expected "
		    "auth { backends = {\"file:///path\"} }, recipients { mailboxes = "
		    "{\"system\"} } or sections recipient");
}

/* True if P names a domain, and no others with it, that is none of ours. */
static bool
is_elsewhere(const struct conf *c, const struct pattern *p)
{
	return (p->kind == PATTERN_DOMAIN || p->kind == PATTERN_ADDRESS) &&
	    str_find(p->domain, '*') < 0 && !conf_is_local(c, p->domain);
}

static void
doubt_recipient(const struct conf *c, const struct conf_recipient *r, struct buf *out)
{
	if (!is_elsewhere(c, &r->to))
		return;
	if (r->to.kind == PATTERN_DOMAIN)
		conf_complain(out, r->place,
		    "recipient.%s: it stands for a domain, which is none of domains, expected "
		    "\"%s@*\" for a name in all of them", r->pattern, r->pattern);
	else
		conf_complain(out, r->place,
		    "recipient.%s: no such mail is for mailboxes here, expected an address in "
		    "one of domains", r->pattern);
}

/* ---- ways -------------------------------------------------------------------- */

static bool
leads_to(const struct conf *c, const struct conf_upstream *u)
{
	for (size_t i = 0; i < c->route_n; i++)
		if (c->routes[i].way.upstream == u || c->routes[i].relay == u)
			return true;
	/* Of a table it is not known yet. */
	for (size_t i = 0; i < c->rule_n; i++)
		if (c->rules[i].way.upstream == u || c->rules[i].kind == RULE_TABLE)
			return true;
	/* A message may name it. */
	return c->extract_headers;
}

/* A domain that nobody has (RFC 6761) is taken by who takes all. */
static bool
takes_all(const struct conf_route *r)
{
	return r->sender.n + r->user.n + r->listener.n == 0 &&
	    pattern_fits(&r->to, STR("x"), STR("x.invalid"));
}

static void
doubt_routes(const struct conf *c, struct buf *out)
{
	bool all = c->route_n == 0;

	for (size_t i = 0; i < c->route_n; i++) {
		const struct conf_route *r = &c->routes[i];

		all = all || takes_all(r);
		if (r->to.kind == PATTERN_DOMAIN && conf_is_local(c, r->to.domain))
			conf_complain(out, r->place,
			    "route.%s: it is one of domains, for which no route is asked, expected "
			    "a section recipient, or another domain", r->pattern);
	}
	if (!all)
		conf_complain(out, c->routes[c->route_n - 1].place,
		    "route: mail that none of the routes takes is refused, expected "
		    "route \"*\" { } behind them if it is to go to MX hosts");
}

void
conf_way_doubts(const struct conf *c, struct buf *out)
{
	doubt_domains(c, out);
	for (size_t i = 0; i < c->rule_n; i++)
		doubt_recipient(c, &c->rules[i], out);
	for (size_t i = 0; i < c->upstream_n; i++)
		if (!leads_to(c, &c->upstreams[i]))
			conf_complain(out, c->upstreams[i].place,
			    "upstream.%s: no mail goes there, expected route \"*\" { via = "
			    "\"%s\" } or another", c->upstreams[i].name, c->upstreams[i].name);
	doubt_routes(c, out);
}
