/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * admin -- the section about the pages for administrators: who is one, who
 * knows their passwords, and where the pages may be without TLS.
 */

#include "private.h"

void
conf_admin_finish(struct conf *c)
{
	struct conf_admin *a = &c->admin;

	a->who = (struct conf_patterns){ .n = a->users.n,
		.v = arena_alloc(&c->arena, (a->users.n + 1) * sizeof(*a->who.v)) };
	/* A pattern that is none fits nobody, and is complained about. */
	for (size_t i = 0; i < a->users.n; i++)
		if (pattern_name(&c->arena, str_c(a->users.v[i]), &a->who.v[i]) != NULL)
			a->who.v[i] = (struct pattern){ .kind = PATTERN_NULL };
}

bool
conf_is_admin(const struct conf_admin *a, struct str user)
{
	for (size_t i = 0; i < a->who.n; i++)
		if (pattern_fits(&a->who.v[i], user, STR("")))
			return true;
	return false;
}

const struct conf_strs *
conf_admin_backends(const struct conf *c)
{
	return c->admin.auth.n > 0 ? &c->admin.auth : &c->auth.backends;
}

/* ---- complaints -------------------------------------------------------------------- */

/* Whether only this host can come there; a descriptor that is handed over may be anything. */
static bool
is_of_this_host(const char *address)
{
	struct str s = str_c(address);

	return str_starts(s, STR("unix:")) || str_eq(s, STR("::1")) ||
	    (str_starts(s, STR("127.")) && conf_name_is_ip(s));
}

void
conf_admin_check_listen(const struct conf *c, const struct conf_listen *l, struct buf *error)
{
	struct conf_place where = conf_where(c, &l->tls, l->place);

	if (l->tls == LISTEN_TLS_STARTTLS || l->tls == LISTEN_TLS_REQUIRED)
		conf_complain(error, where,
		    "listen.%s: HTTP has no STARTTLS, expected tls = \"implicit\"", l->name);
	for (size_t i = 0; l->tls == LISTEN_TLS_OFF && i < l->address.n; i++)
		if (!is_of_this_host(l->address.v[i])) {
			conf_complain(error, where,
			    "listen.%s: passwords would come in the clear, expected tls = "
			    "\"implicit\", or address = {\"127.0.0.1\", \"::1\"}", l->name);
			break;
		}
}

void
conf_admin_check(struct conf *c, struct buf *error)
{
	const struct conf_strs *users = &c->admin.users;
	struct conf_place list = conf_where(c, users, conf_place_top(c));
	struct pattern p;

	for (size_t i = 0; i < users->n; i++) {
		const char *why = pattern_name(&c->arena, str_c(users->v[i]), &p);

		if (why != NULL)
			conf_complain(error, conf_where(c, &users->v[i], list),
			    "admin.users: \"%s\" is no pattern, %s", users->v[i], why);
	}
}

void
conf_admin_doubt(const struct conf *c, const struct conf_listen *l, struct buf *out)
{
	if (l->service == SERVICE_ADMIN && c->admin.users.n == 0)
		conf_complain(out, l->place,
		    "listen.%s: nobody is an administrator, expected admin { users = "
		    "{\"NAME\"} }", l->name);
}
