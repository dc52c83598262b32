/* SPDX-License-Identifier: GPL-3.0-or-later */

/* checks -- the sections about checks of mail that comes in. */

#include "private.h"

void
conf_checks_finish(struct conf *c)
{
	struct conf_checks *k = &c->check;

	k->any = k->spf.enabled || k->dkim.enabled || k->dmarc.enabled || k->arc.enabled ||
	    k->iprev.enabled || k->helo.enabled || k->sender.enabled || k->spam.enabled ||
	    k->virus.enabled;
	if (k->authserv[0] == '\0')
		k->authserv = c->hostname;
	conf_domains_finish(c, &k->arc.trusted);
	for (size_t i = 0; i < k->results.n; i++) {
		if (str_eq(str_c(k->results.v[i]), STR("local")))
			k->results_for |= CONF_RESULTS_LOCAL;
		else if (str_eq(str_c(k->results.v[i]), STR("nonlocal")))
			k->results_for |= CONF_RESULTS_NONLOCAL;
	}
}

static void
check_results(const struct conf *c, struct buf *error)
{
	for (size_t i = 0; i < c->check.results.n; i++) {
		struct str s = str_c(c->check.results.v[i]);

		if (!str_eq(s, STR("local")) && !str_eq(s, STR("nonlocal")))
			conf_complain(error, conf_where(c, &c->check.results,
			    conf_place_top(c)), "authentication-results: \"" STR_FMT
			    "\" does not fit, expected local or nonlocal", STR_ARG(s));
	}
}

/*
 * One field of a header (RFC 5322 2.2), whose line end we add; of a name that no
 * field has which mail needs, for it is taken out of what strangers send.
 */
static bool
is_header_line(struct str line)
{
	struct str name, value;

	if (!str_cut(line, ':', &name, &value) || !str_istarts(name, STR("X-")) ||
	    str_has_ctl(line))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~')
			return false;
	return true;
}

static void
check_reports(const struct conf *c, struct buf *error)
{
	const struct conf_check_dmarc *d = &c->check.dmarc;

	if ((d->reports || d->report_from[0] != '\0') &&
	    (!conf_name_is_mailbox(str_c(d->report_from)) ||
		str_has_8bit(str_c(d->report_from))))
		conf_complain(error, conf_where(c, &d->report_from, d->place),
		    "check.dmarc.report-from: \"%s\" does not fit, expected an address "
		    "such as dmarc@example.org", d->report_from);
}

static void
check_dmarc(const struct conf *c, struct buf *error)
{
	const struct conf_check_dmarc *d = &c->check.dmarc;

	if (!d->enabled)
		return;
	if (!c->check.spf.enabled && !c->check.dkim.enabled)
		conf_complain(error, d->place, "check.dmarc: it goes by what other "
		    "checks find, expected a section check \"dkim\" or check \"spf\"");
	if (d->quarantine[0] != '\0' && !is_header_line(str_c(d->quarantine)))
		conf_complain(error, conf_where(c, &d->quarantine, d->place),
		    "check.dmarc.quarantine: \"%s\" does not fit, expected a "
		    "header line such as \"X-Quarantine: DMARC\"",
		    d->quarantine);
	check_reports(c, error);
}

static void
check_arc(const struct conf *c, struct buf *error)
{
	const struct conf_check_arc *k = &c->check.arc;

	for (size_t i = 0; i < k->trusted.n; i++)
		if (!conf_name_is_host(str_c(k->trusted.v[i])))
			conf_complain(error, conf_where(c, &k->trusted, k->place),
			    "check.arc.trusted: \"%s\" does not fit, expected a domain such "
			    "as example.org", k->trusted.v[i]);
}

static void
check_greylist(const struct conf *c, struct buf *error)
{
	const struct conf_greylist *g = &c->greylist;

	if (g->enabled && g->window <= g->delay)
		conf_complain(error, conf_where(c, &g->window, conf_place_top(c)),
		    "greylist.window: it has to be longer than greylist.delay, or who comes "
		    "again is always new");
}

void
conf_checks_check(const struct conf *c, struct buf *error)
{
	check_results(c, error);
	check_dmarc(c, error);
	check_arc(c, error);
	check_greylist(c, error);
	/* Of the host's own name there is a complaint already. */
	if (c->check.authserv != c->hostname && !conf_name_is_host(str_c(c->check.authserv)))
		conf_complain(error, conf_where(c, &c->check.authserv, conf_place_top(c)),
		    "authserv-id: \"%s\" does not fit, "
		    "expected a name such as mail.example.org", c->check.authserv);
}
