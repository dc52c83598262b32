/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * destination -- the sections that say how a destination is spared.
 *
 * Which of them holds is asked with each name that a destination has: its
 * domains, the names of its hosts, or the name of an upstream and its
 * servers.  The first in the file that fits one of them is the one.
 */

#include "private.h"

void
conf_destination_check(struct conf *c, struct buf *error)
{
	for (size_t i = 0; i < c->destination_n; i++) {
		struct conf_destination *d = &c->destinations[i];
		const char *why = pattern_name(&c->arena, str_c(d->pattern),
		    &d->name);

		if (why != NULL)
			conf_complain(error, d->place, "destination: \"%s\" "
			    "is no pattern, %s", d->pattern, why);
	}
}

const struct conf_destination *
conf_destination(const struct conf *c, struct str name,
    const struct conf_destination *limit)
{
	for (size_t i = 0; i < c->destination_n; i++) {
		const struct conf_destination *d = &c->destinations[i];

		if (d == limit)
			break;
		if (pattern_fits(&d->name, name, STR("")))
			return d;
	}
	return NULL;
}
