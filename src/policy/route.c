/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * route -- which route a piece of mail takes.
 *
 * A route without a condition of a kind does not ask for it; one with some
 * wants one of them to hold.  Routes are asked in their order.
 */

#include "policy/route.h"

bool
any_fits(const struct conf_patterns *patterns, struct str local,
    struct str domain)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (pattern_fits(&patterns->v[i], local, domain))
			return true;
	return patterns->n == 0;
}

static bool
is_one_of(const struct conf_strs *names, struct str name)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_ieq(str_c(names->v[i]), name))
			return true;
	return names->n == 0;
}

/* Who did not log in has no name that a pattern could fit. */
static bool
user_fits(const struct conf_route *r, struct str user)
{
	return r->users.n == 0 ||
	    (user.n > 0 && any_fits(&r->users, user, STR("")));
}

const struct conf_route *
route_of(const struct conf *c, const struct mail_facts *f,
    const struct path *to)
{
	for (size_t i = 0; i < c->route_n; i++) {
		const struct conf_route *r = &c->routes[i];

		if (pattern_fits(&r->to, to->local, to->domain) &&
		    any_fits(&r->senders, f->from.local, f->from.domain) &&
		    user_fits(r, f->user) &&
		    is_one_of(&r->listener, f->listener))
			return r;
	}
	return NULL;
}
