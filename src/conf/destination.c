/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * destination -- the sections that say how a destination is spared.
 *
 * Which of them holds is asked with each name that a destination has: its
 * domains, the names of its hosts, or the name of an upstream and its
 * servers.  The first in the file that fits one of them is the one.
 */

#include "private.h"

/* What a client of ours uses; without ENHANCEDSTATUSCODES it does the same. */
static const char *const extensions[] = { "PIPELINING", "SIZE", "8BITMIME",
	"DSN", "STARTTLS", "AUTH", "CHUNKING", "SMTPUTF8", "BINARYMIME",
	"LIMITS" };

static bool
is_extension(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(extensions); i++)
		if (str_ieq(str_c(extensions[i]), str_c(name)))
			return true;
	return false;
}

static void
check_ignore(const struct conf *c, const struct conf_destination *d,
    struct buf *error)
{
	for (size_t i = 0; i < d->ignore.n; i++)
		if (!is_extension(d->ignore.v[i]))
			conf_complain(error,
			    conf_where(c, &d->ignore.v[i], d->place),
			    "destination.%s.ignore: \"%s\" is unknown, "
			    "expected a keyword of EHLO such as PIPELINING, "
			    "CHUNKING or DSN", d->pattern, d->ignore.v[i]);
}

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
		check_ignore(c, d, error);
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
