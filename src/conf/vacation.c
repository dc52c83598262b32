/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vacation -- the sections by which mailboxes answer while nobody reads them:
 * what they mean, and what is wrong with them.
 */

#include "conf/vacation.h"

#include "private.h"
#include "recipients.h"

static void
finish(struct conf *c, struct conf_vacation *v)
{
	size_t n = v->addresses.n;

	/* What is none is complained of. */
	if (pattern_name(&c->arena, str_c(v->pattern), &v->of) != NULL)
		v->of = (struct pattern){ .kind = PATTERN_NULL };
	v->own = (struct conf_patterns){ .n = n,
		.v = arena_alloc(&c->arena, (n + 1) * sizeof(*v->own.v)) };
	for (size_t i = 0; i < n; i++)
		if (pattern_address(&c->arena, str_c(v->addresses.v[i]),
			&v->own.v[i]) != NULL)
			v->own.v[i].kind = PATTERN_NULL;
}

void
conf_vacation_finish(struct conf *c)
{
	for (size_t i = 0; i < c->vacation_n; i++)
		finish(c, &c->vacations[i]);
}

void
conf_vacation_check(struct conf *c, struct buf *error)
{
	struct pattern p;

	for (size_t i = 0; i < c->vacation_n; i++) {
		const struct conf_vacation *v = &c->vacations[i];
		const char *why = pattern_name(&c->arena, str_c(v->pattern), &p);

		if (why != NULL)
			conf_complain(error, v->place, "vacation: \"%s\" is no "
			    "pattern, %s", v->pattern, why);
		if (!conf_name_is_path(str_c(v->message)))
			conf_complain(error, conf_where(c, &v->message, v->place),
			    "vacation.%s.message: \"%s\" is no path, expected "
			    "that of a text, such as "
			    "\"/etc/barid/vacation/*\", in which \"*\" is the "
			    "mailbox", v->pattern, v->message);
		for (size_t k = 0; k < v->addresses.n; k++) {
			why = pattern_address(&c->arena,
			    str_c(v->addresses.v[k]), &p);
			if (why != NULL)
				conf_complain(error,
				    conf_where(c, &v->addresses.v[k],
					conf_where(c, &v->addresses, v->place)),
				    "vacation.%s.addresses: \"%s\" is no "
				    "pattern, %s", v->pattern,
				    v->addresses.v[k], why);
		}
	}
}
