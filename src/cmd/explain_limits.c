/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain_limits -- how much at once, and in which time: by the destination
 * section that fits first, of the name of a destination and of its hosts, and
 * else by queue and limits.
 *
 * Domains that have all hosts in common share connections and, while there
 * is mail for several, the first section of any of them: that only the
 * runners know.
 */

#include "explain.h"

/* Of two sections the one that stands first in the file holds. */
static void
fit(const struct explain *x, const char *name,
    const struct conf_destination **section)
{
	const struct conf_destination *s = conf_destination(x->conf,
	    str_c(name), *section);

	if (s != NULL)
		*section = s;
}

static void
fit_servers(const struct explain *x, const struct conf_upstream *u,
    const struct conf_destination **section)
{
	for (size_t i = 0; u != NULL && i < u->server_n; i++)
		fit(x, strncmp(u->servers[i].host, "unix:", 5) == 0 ?
			"localhost" : u->servers[i].host, section);
}

/* A limit: by the section, where it says one, and else by the option at ALL. */
static void
say_number(struct explain *x, const struct conf_destination *s, uint64_t own,
    const uint64_t *all, const char *words)
{
	explain_say(x, "limits", own > 0 ? s->place :
	    conf_where(x->conf, all, CONF_NOWHERE), "%llu %s",
	    (unsigned long long)(own > 0 ? own : *all), words);
}

static void
say_rate(struct explain *x, struct conf_place place, uint64_t n, int64_t per,
    const char *whom)
{
	if (n > 0)
		explain_say(x, "limits", place,
		    "%llu messages in %lld s at most, %s",
		    (unsigned long long)n, (long long)per / 1000, whom);
}

void
explain_limits(struct explain *x, const char *name, const struct found *mx,
    const struct conf_upstream *u)
{
	const struct conf_queue *q = &x->conf->queue;
	const struct conf_destination *s = NULL;

	fit(x, name, &s);
	for (size_t i = 0; mx != NULL && i < mx->host_n; i++)
		fit(x, mx->host[i].name, &s);
	fit_servers(x, u, &s);
	if (s != NULL)
		explain_say(x, "destination", s->place, "\"%s\"", s->pattern);
	say_number(x, s, s != NULL ? s->per_destination : 0,
	    &q->per_destination, "connections at most");
	say_number(x, s, s != NULL ? s->per_connection : 0,
	    &q->per_connection, "messages over each");
	if (s != NULL)
		say_rate(x, s->place, s->rate, s->per, "to this destination");
	say_rate(x, conf_where(x->conf, &q->rate, CONF_NOWHERE), q->rate,
	    q->per, "to all");
	explain_say(x, "limits", conf_where(x->conf,
	    &x->conf->limits.connections_out, CONF_NOWHERE),
	    "%llu connections to all at most",
	    (unsigned long long)x->conf->limits.connections_out);
}
