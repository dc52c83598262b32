/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * route -- upstreams, and which mail goes where.
 *
 * Where no route is given mail goes to the MX hosts of its domain.  Where
 * some are, mail that none of them fits has no way out: that can be meant.
 */

#include "private.h"

/* Ways out that later releases know; each is the start of a via. */
static const char *const later_vias[] = {
	"lmtp:", "pipe:", "maildir:", "discard", "error:"
};

void
conf_route_finish(struct conf *c)
{
	struct conf_server *s;
	size_t i, j;

	/* A password is worth more than a server without TLS. */
	for (i = 0; i < c->upstream_n; i++) {
		for (j = 0; j < c->upstreams[i].server_n; j++) {
			s = &c->upstreams[i].servers[j];
			if (s->user[0] && !conf_place_get(c, &s->tls))
				s->tls = TLS_REQUIRED;
		}
	}
	if (c->route_n > 0)
		return;
	c->routes = arena_alloc(&c->arena, sizeof(*c->routes));
	c->routes[0].pattern = "*";
	c->routes[0].place.file = "";
	c->routes[0].via = "mx";
	c->routes[0].tls = TLS_MAY;
	c->route_n = 1;
}

/* A name may hold what host names do not: it is only looked up. */
static bool
is_server(struct str s)
{
	return conf_name_is_ip(s) || conf_name_is_domain(s) ||
	    (conf_name_is_word(s) && strspn(s.p, "0123456789.") < s.n);
}

static void
check_server(const struct conf *c, const struct conf_upstream *u,
    const struct conf_server *s, struct buf *error)
{
	if (!is_server(str_c(s->name)))
		conf_complain(error, s->place,
		    "upstream.%s.server: \"%s\" is no host, expected a "
		    "host name or an address",
		    u->name, s->name);
	if (s->user[0] && !s->password[0])
		conf_complain(error, conf_where(c, &s->user, s->place),
		    "upstream.%s.server.%s: a user without a password, "
		    "expected password = "
		    "\"...\" beside it",
		    u->name, s->name);
	if (s->password[0] && !s->user[0])
		conf_complain(error, conf_where(c, &s->password, s->place),
		    "upstream.%s.server.%s: a password without a user, "
		    "expected user = \"...\" "
		    "beside it",
		    u->name, s->name);
	if (s->tls == TLS_DANE)
		conf_not_yet(error, conf_where(c, &s->tls, s->place),
		    "tls = \"dane\" of a server");
}

/* Two on one host are two only by their ports. */
static void
check_again(const struct conf_upstream *u, const struct conf_server *s,
    struct buf *error)
{
	const struct conf_server *first;

	for (first = u->servers; first < s; first++) {
		if (first->port != s->port ||
		    !str_ieq(str_c(first->name), str_c(s->name)))
			continue;
		conf_complain(error, s->place,
		    "upstream.%s.server: \"%s\" with port %llu stands twice, "
		    "expected each host and port once; the first is at %s:%d",
		    u->name, s->name, (unsigned long long)s->port,
		    first->place.file, first->place.line);
		return;
	}
}

static void
check_upstream(
    const struct conf *c, const struct conf_upstream *u, struct buf *error)
{
	size_t i;

	if (strcmp(u->name, "mx") == 0)
		conf_complain(error, u->place,
		    "upstream: \"mx\" stands for the MX hosts, "
		    "expected another name");
	if (u->server_n == 0)
		conf_complain(error, u->place,
		    "upstream.%s: no server, expected "
		    "server \"host.example\" { }",
		    u->name);
	if (u->server_n > CONF_SERVERS_MAX)
		conf_complain(error, u->place,
		    "upstream.%s: %zu servers, expected at most %d; one may "
		    "be a name with several addresses",
		    u->name, u->server_n, CONF_SERVERS_MAX);
	for (i = 0; i < u->server_n; i++) {
		check_server(c, u, &u->servers[i], error);
		check_again(u, &u->servers[i], error);
	}
}

static bool
is_later_via(const char *via)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(later_vias); i++)
		if (strncmp(via, later_vias[i], strlen(later_vias[i])) == 0)
			return true;
	return false;
}

static void
check_via(const struct conf *c, const struct conf_route *r, struct buf *error)
{
	struct conf_place where = conf_where(c, &r->via, r->place);
	struct nearest near;
	struct buf hint;
	size_t i;

	if (is_later_via(r->via)) {
		conf_not_yet(error, where,
		    "a route by way of lmtp:, pipe:, maildir:, discard "
		    "or error:");
		return;
	}
	conf_nearest_init(&near, str_c(r->via));
	conf_nearest_try(&near, "mx");
	for (i = 0; i < c->upstream_n; i++)
		conf_nearest_try(&near, c->upstreams[i].name);
	buf_init(&hint, 1000);
	conf_nearest_hint(&near, &hint);
	conf_complain(error, where,
	    "route.%s.via: there is no upstream \"%s\", expected "
	    "mx or the name of an upstream%s",
	    r->pattern, r->via, buf_cstr(&hint));
	buf_free(&hint);
}

static void
check_pattern(const struct conf_route *r, struct buf *error)
{
	struct str s = str_c(r->pattern);

	if (str_eq(s, STR("*")))
		return;
	if (r->pattern[0] == '/') {
		conf_not_yet(error, r->place,
		    "a regular expression as a route's pattern");
		return;
	}
	if (str_starts(s, STR("*.")))
		s = str_skip(s, 2);
	else if (str_starts(s, STR(".")))
		s = str_skip(s, 1);
	if (!conf_name_is_domain(s))
		conf_complain(error, r->place,
		    "route: \"%s\" is no pattern, expected a domain, "
		    "\"*.domain\" or \"*\"",
		    r->pattern);
}

static void
check_route(const struct conf *c, const struct conf_route *r, struct buf *error)
{
	const struct conf_place *tls = conf_place_get(c, &r->tls);

	check_pattern(r, error);
	if (strcmp(r->via, "mx") == 0) {
		if (r->tls == TLS_DANE)
			conf_not_yet(error, conf_where(c, &r->tls, r->place),
			    "tls = \"dane\" of a route");
		return;
	}
	if (!conf_upstream(c, r->via))
		check_via(c, r, error);
	else if (tls)
		conf_complain(error, *tls,
		    "route.%s.tls: an upstream's servers have their own, "
		    "expected tls in the sections server of upstream \"%s\"",
		    r->pattern, r->via);
}

void
conf_route_check(const struct conf *c, struct buf *error)
{
	size_t i;

	for (i = 0; i < c->upstream_n; i++)
		check_upstream(c, &c->upstreams[i], error);
	for (i = 0; i < c->route_n; i++)
		check_route(c, &c->routes[i], error);
}
