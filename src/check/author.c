/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * author -- whose mail it says that it is.
 *
 * People are shown the first author, or the last, or the other From.  So a
 * message that has authors of two domains has none.
 */

#include "check/author.h"

#include "mail/header.h"
#include "mail/limits.h"
#include "mail/path.h"

struct reading {
	struct arena *a;
	struct str domain;
	const char *why;
};

static const char broken[] = "its From cannot be read";

static bool
take(void *arg, struct str addr)
{
	struct reading *r = arg;
	struct str domain = STR("");
	struct buf b;

	buf_init(&b, MAIL_DOMAIN_MAX);
	if (address_domain(&b, addr) && buf_ok(&b))
		domain = arena_str(r->a, buf_str(&b));
	if (domain.n == 0)
		r->why = "its From has an address without a domain";
	else if (r->domain.n > 0 && !str_eq(r->domain, domain))
		r->why = "its From has authors of several domains";
	r->domain = domain;
	buf_free(&b);
	return r->why == NULL;
}

const char *
author_domain(struct str header, struct arena *a, struct str *domain)
{
	struct reading r = { .a = a, .domain = STR("") };
	struct field f, from = { .name = STR("") };
	unsigned n = 0;

	*domain = STR("");
	while (field_seek(&header, &f))
		if (str_ieq(f.name, STR("From"))) {
			from = f;
			n++;
		}
	if (n != 1)
		return n == 0 ? "it has no From" : "it has more than one From";
	if (!address_list(from.value, take, &r) && r.why == NULL)
		return broken;
	if (r.why != NULL)
		return r.why;
	/* People are shown the name, and nobody vouches for it. */
	if (address_list_lacks(from.value))
		return "its From has a name without an address";
	*domain = r.domain;
	return r.domain.n > 0 ? NULL : broken;
}
