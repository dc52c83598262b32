/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * srs -- when a reverse-path is rewritten, and by which secrets.
 *
 * Whose mail we forward did not say that we may send for him.  Those of our own
 * domains did.
 */

#include "policy/srs.h"

#define DAY_MS 86400000

struct srs
srs_of(const struct conf *c)
{
	return (struct srs){ .secrets = c->srs.secrets.v,
		.secret_n = c->srs.secrets.n, .domain = str_c(c->srs.domain),
		.days = c->srs.max_age / DAY_MS };
}

struct path
srs_sender(const struct conf *c, const struct path *from, int64_t now,
    struct arena *a)
{
	struct srs s = srs_of(c);
	struct path p;

	if (s.secret_n == 0 || path_is_null(from) || from->domain.n == 0 ||
	    conf_is_local(c, from->domain) ||
	    srs_forward(&s, from, now, a, &p) < 0)
		return *from;
	return p;
}
