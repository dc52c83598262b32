/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * route -- which mail goes where.
 *
 * Where no route is given mail goes to the MX hosts of its domain.  Where
 * some are, mail that none of them fits has no way out: that can be meant.
 */

#include "private.h"
#include "recipients.h"

#include "conf/program.h"
#include "conf/reply.h"

#define MAILDIR_PREFIX "maildir:"

/* ---- via ---- */

static const char *
read_error(const char *text, struct arena *a, struct conf_via *v)
{
	struct conf_reply r;

	if (conf_reply_read(text, a, &r) != NULL)
		return "expected \"error:550 5.7.1 text\", with a code from 400 to 599 "
		    "and a text of ASCII, at most 480 characters";
	v->kind = VIA_ERROR;
	v->code = r.code;
	v->enhanced = r.enhanced;
	v->text = r.text[0] != '\0' ? r.text : "No mail is sent to this address from here";
	return NULL;
}

static const char *
no_upstream(const struct conf *c, const char *text, struct arena *a)
{
	struct nearest near;
	struct buf hint;
	const char *why;
	size_t i;

	conf_nearest_init(&near, str_c(text));
	conf_nearest_try(&near, "mx");
	conf_nearest_try(&near, "discard");
	for (i = 0; i < c->upstream_n; i++)
		conf_nearest_try(&near, c->upstreams[i].name);
	buf_init(&hint, 1000);
	conf_nearest_hint(&near, &hint);
	why = arena_printf(a, "there is no upstream \"%s\", expected mx, the "
	    "name of an upstream, smtp:host:port, lmtp:host:port, maildir:/path, "
	    "pipe:/path, discard or error:550 5.7.1 text%s", text, buf_cstr(&hint));
	buf_free(&hint);
	return why;
}

/* "mx", "mx:port", "mx:domain" and "mx:domain:port". */
static const char *
read_mx(const char *text, struct arena *a, struct conf_via *v)
{
	struct str domain = str_c(text), port = STR(""), mx;
	bool more = str_cut(domain, ':', &mx, &domain), has_port = false;
	uint64_t n = 0;

	v->kind = VIA_MX;
	if (!more)
		return NULL;
	if (str_cut(domain, ':', &domain, &port)) {
		has_port = true;
	} else if (str_u64(domain, UINT16_MAX, &n) == 0) {
		port = domain;
		domain = STR("");
		has_port = true;
	}
	if ((has_port && (str_u64(port, UINT16_MAX, &n) < 0 || n == 0)) ||
	    (domain.n > 0 ? !conf_name_is_host(domain) : !has_port || port.p != text + 3))
		return arena_printf(a, "\"%s\" leads nowhere, expected \"mx\", \"mx:domain\", "
		    "\"mx:port\" or \"mx:domain:port\"", text);
	v->port = (uint16_t)n;
	if (domain.n > 0)
		v->domain = arena_cstr(a, domain);
	return NULL;
}

/* What stands behind "pipe:". */
static const char *
read_pipe(const char *text, struct arena *a, struct conf_via *v)
{
	const char *why = program_read(str_c(text), a, &v->words, &v->all);

	v->kind = VIA_PIPE;
	return why == NULL ? NULL : arena_printf(a,
	    "\"%s\" is no command: %s", text, why);
}

const char *
conf_via_read(const struct conf *c, const char *text, int tls, struct arena *a,
    struct conf_via *v)
{
	struct str s = str_c(text);

	*v = (struct conf_via){ .kind = VIA_UPSTREAM };
	if (str_starts(s, STR(PROGRAM_PREFIX)))
		return "a program, which only a route of the configuration can run";
	if (str_eq(s, STR("mx")) || str_starts(s, STR("mx:")))
		return read_mx(text, a, v);
	if (str_eq(s, STR("discard"))) {
		v->kind = VIA_DISCARD;
		return NULL;
	}
	if (str_starts(s, STR(MAILDIR_PREFIX))) {
		v->kind = VIA_MAILDIR;
		s = str_skip(s, sizeof(MAILDIR_PREFIX) - 1);
		v->maildir = arena_cstr(a, s);
		return conf_name_is_path(s) ? NULL : arena_printf(a,
		    "\"%s\" names no Maildir, expected \"maildir:/path\"", text);
	}
	if (str_starts(s, STR("error:")))
		return read_error(text + 6, a, v);
	if (str_starts(s, STR("smtp:")) || str_starts(s, STR("lmtp:"))) {
		v->upstream = conf_upstream_of(a, text, tls);
		return v->upstream ? NULL : arena_printf(a,
		    "\"%s\" leads nowhere, expected \"%.5shost:port\" or "
		    "\"%.5sunix:/path\"", text, text, text);
	}
	v->upstream = conf_upstream(c, text);
	return v->upstream ? NULL : no_upstream(c, text, a);
}

/* ---- a way of a message's own ---- */

static bool
is_maildir(const struct conf_via *v, const char *path)
{
	return v->kind == VIA_MAILDIR && strcmp(v->maildir, path) == 0;
}

static bool
is_socket(const struct conf_server *s)
{
	return str_starts(str_c(s->host), STR("unix:"));
}

/* Whether both are the same place; a socket has no port, and its path knows case. */
static bool
is_same(const struct conf_server *s, const struct conf_server *other)
{
	if (s->protocol != other->protocol)
		return false;
	if (is_socket(s))
		return strcmp(s->host, other->host) == 0;
	return s->port == other->port && str_ieq(str_c(s->host), str_c(other->host));
}

static bool
has_server(const struct conf_upstream *u, const struct conf_server *s)
{
	for (size_t i = 0; u != NULL && i < u->server_n; i++)
		if (is_same(s, &u->servers[i]))
			return true;
	return false;
}

/* Whether a way of the configuration leads where WANT does. */
static bool
leads_there(const struct conf_via *v, const struct conf_via *want)
{
	return want->kind == VIA_MAILDIR ? is_maildir(v, want->maildir) :
	    has_server(v->upstream, &want->upstream->servers[0]);
}

static bool
is_configured(const struct conf *c, const struct conf_via *want)
{
	for (size_t i = 0; i < c->route_n; i++)
		if (leads_there(&c->routes[i].way, want))
			return true;
	for (size_t i = 0; i < c->rule_n; i++)
		if (c->rules[i].kind == RULE_WAY &&
		    leads_there(&c->rules[i].way, want))
			return true;
	for (size_t i = 0; want->kind == VIA_UPSTREAM && i < c->upstream_n; i++)
		if (has_server(&c->upstreams[i], &want->upstream->servers[0]))
			return true;
	return false;
}

bool
conf_upstream_known(const struct conf *c, const struct conf_upstream *u)
{
	const struct conf_via want = { .kind = VIA_UPSTREAM, .upstream = u };

	return u->place.file[0] != '\0' || is_configured(c, &want);
}

static bool
is_mx_port(const struct conf_via *v, uint16_t port)
{
	return v->kind == VIA_MX && v->port == port;
}

bool
conf_mx_port_known(const struct conf *c, uint16_t port)
{
	bool known = port == c->smtp_port;

	for (size_t i = 0; i < c->route_n && !known; i++)
		known = is_mx_port(&c->routes[i].way, port);
	for (size_t i = 0; i < c->rule_n && !known; i++)
		known = c->rules[i].kind == RULE_WAY && is_mx_port(&c->rules[i].way, port);
	return known;
}

/* An upstream that stands in the words of a way, and is a socket of this host. */
static bool
is_own_socket(const struct conf_via *v)
{
	return v->kind == VIA_UPSTREAM && v->upstream->place.file[0] == '\0' &&
	    is_socket(&v->upstream->servers[0]);
}

/*
 * An envelope comes from a session, which may have been taken over: a Maildir
 * of its choice would be anybody's mailbox, and behind a socket of its choice
 * may be anything that obeys the runner's user.  So may be at a port of this host,
 * which is found out when its name is looked up (conf_upstream_known()).
 */
const char *
conf_via_own(const struct conf *c, struct str text, struct str user,
    struct str password, struct arena *a, struct conf_via *v)
{
	const char *why = conf_via_read(c, arena_cstr(a, text), TLS_MAY, a, v);

	if (why == NULL && v->kind == VIA_MAILDIR && !is_configured(c, v))
		why = "a Maildir that no route or recipient of the "
		    "configuration has";
	if (why == NULL && is_own_socket(v) && !is_configured(c, v))
		why = "a socket that no upstream, route or recipient of the "
		    "configuration has";
	if (why != NULL || user.n == 0)
		return why;
	if (v->kind != VIA_UPSTREAM || v->upstream->place.file[0] != '\0')
		return arena_printf(a, "\"" STR_FMT "\" has no login but its own",
		    STR_ARG(text));
	v->upstream = conf_upstream_login(v->upstream, user, password, a);
	return NULL;
}

const char *
conf_own_via_read(const struct conf *c, const char *text, int tls,
    struct arena *a, struct conf_via *v)
{
	*v = (struct conf_via){ .kind = VIA_PIPE };
	if (str_starts(str_c(text), STR(PROGRAM_PREFIX)))
		return read_pipe(text + sizeof(PROGRAM_PREFIX) - 1, a, v);
	return conf_via_read(c, text, tls, a, v);
}

/* ---- what they mean ---- */

/* Patterns that are none fit nothing, and are complained about. */
static struct conf_patterns
read_patterns(struct arena *a, const struct conf_strs *texts,
    const char *(*read)(struct arena *a, struct str text, struct pattern *p))
{
	struct conf_patterns p = { .n = texts->n };
	size_t i;

	if (p.n > 0)
		p.v = arena_alloc(a, p.n * sizeof(*p.v));
	for (i = 0; i < p.n; i++)
		if (read(a, str_c(texts->v[i]), &p.v[i]))
			p.v[i] = (struct pattern){ .kind = PATTERN_NULL };
	return p;
}

struct conf_patterns
conf_senders_read(struct arena *a, const struct conf_strs *texts)
{
	return read_patterns(a, texts, pattern_address);
}

static void
finish_route(struct conf *c, struct conf_route *r)
{
	if (pattern_address(&c->arena, str_c(r->pattern), &r->to))
		r->to = (struct pattern){ .kind = PATTERN_NULL };
	r->senders = conf_senders_read(&c->arena, &r->sender);
	r->users = read_patterns(&c->arena, &r->user, pattern_name);
	if (conf_own_via_read(c, r->via, r->tls, &c->arena, &r->way))
		r->way = (struct conf_via){ .kind = VIA_MX };
	r->way.command = (size_t)(r - c->routes);
	r->relay = conf_upstream(c, r->fallback);
}

void
conf_route_finish(struct conf *c)
{
	struct conf_route *r;
	size_t i;

	conf_upstream_finish(c);
	if (c->route_n == 0) {
		c->routes = r = arena_alloc(&c->arena, sizeof(*c->routes));
		r->pattern = "*";
		r->place.file = "";
		r->via = "mx";
		r->source = r->fallback = r->run_as = "";
		r->tls = TLS_MAY;
		c->route_n = 1;
	}
	for (i = 0; i < c->route_n; i++)
		finish_route(c, &c->routes[i]);
}

/* ---- mistakes ---- */

/*
 * What is wrong is found again and not kept: it is text of a moment, in an
 * arena that goes.
 */
static void
check_patterns(const struct conf *c, const struct conf_route *r,
    const char *name, const struct conf_strs *texts, struct buf *error,
    const char *(*read)(struct arena *a, struct str text, struct pattern *p))
{
	struct pattern p;
	struct arena a;
	const char *why;
	size_t i;

	arena_init(&a, CONF_ARENA_MAX);
	for (i = 0; i < texts->n; i++) {
		why = read(&a, str_c(texts->v[i]), &p);
		if (why)
			conf_complain(error,
			    conf_where(c, &texts->v[i],
				conf_where(c, texts, r->place)),
			    "route.%s.%s: \"%s\" is no pattern, %s",
			    r->pattern, name, texts->v[i], why);
	}
	arena_free(&a);
}

static void
check_pattern(const struct conf_route *r, struct buf *error)
{
	struct pattern p;
	struct arena a;
	const char *why;

	arena_init(&a, CONF_ARENA_MAX);
	why = pattern_address(&a, str_c(r->pattern), &p);
	if (!why && p.kind == PATTERN_NULL)
		why = "expected one that a recipient can have";
	if (why)
		conf_complain(error, r->place,
		    "route: \"%s\" is no pattern, %s", r->pattern, why);
	arena_free(&a);
}

/* Complains of names in LISTENER, an option of SECTION, that no listener has. */
void
conf_listeners_check(const struct conf *c, const char *section,
    const struct conf_strs *listener, struct conf_place where,
    struct buf *error)
{
	struct nearest near;
	struct buf hint;
	size_t i, k;

	for (i = 0; i < listener->n; i++) {
		conf_nearest_init(&near, str_c(listener->v[i]));
		conf_nearest_try(&near, CONF_LISTEN_DROP);
		conf_nearest_try(&near, CONF_LISTEN_COLLECT);
		for (k = 0; k < c->listen_n; k++)
			conf_nearest_try(&near, c->listens[k].name);
		if (near.distance == 0)
			continue;
		buf_init(&hint, 1000);
		conf_nearest_hint(&near, &hint);
		conf_complain(error,
		    conf_where(c, &listener->v[i],
			conf_where(c, listener, where)),
		    "%s.listener: there is no listener \"%s\", "
		    "expected the name of one%s",
		    section, listener->v[i], buf_cstr(&hint));
		buf_free(&hint);
	}
}

static void
check_listeners(
    const struct conf *c, const struct conf_route *r, struct buf *error)
{
	struct buf section;

	buf_init(&section, 2048);
	buf_addf(&section, "route.%s", r->pattern);
	conf_listeners_check(c, buf_cstr(&section), &r->listener, r->place, error);
	buf_free(&section);
}

static void
check_via(const struct conf *c, const struct conf_route *r, struct buf *error)
{
	struct conf_place where = conf_where(c, &r->via, r->place);
	struct conf_via way;
	struct arena a;
	const char *why;

	arena_init(&a, CONF_ARENA_MAX);
	why = conf_own_via_read(c, r->via, r->tls, &a, &way);
	if (why)
		conf_complain(
		    error, where, "route.%s.via: %s", r->pattern, why);
	arena_free(&a);
}

/* TLS is said where the server is said. */
static void
check_tls(const struct conf *c, const struct conf_route *r, struct buf *error)
{
	const struct conf_place *tls = conf_place_get(c, &r->tls);

	if (tls && conf_upstream(c, r->via))
		conf_complain(error, *tls,
		    "route.%s.tls: an upstream's servers have their own, "
		    "expected tls in the sections server of upstream \"%s\"",
		    r->pattern, r->via);
}

static void
check_fallback(
    const struct conf *c, const struct conf_route *r, struct buf *error)
{
	struct conf_place where = conf_where(c, &r->fallback, r->place);

	if (r->fallback[0] == '\0')
		return;
	if (!r->relay)
		conf_complain(error, where,
		    "route.%s.fallback: there is no upstream \"%s\", expected "
		    "the name of one",
		    r->pattern, r->fallback);
	else if (r->way.kind != VIA_MX)
		conf_complain(error, where,
		    "route.%s.fallback: it is for via = \"mx\", expected "
		    "servers with backup = true in the upstream instead",
		    r->pattern);
}

void
conf_run_as_check(const char *section, const char *pattern, const char *via,
    const char *run_as, struct conf_place where, struct buf *error)
{
	if (run_as[0] == '\0')
		return;
	if (!str_starts(str_c(via), STR(PROGRAM_PREFIX)))
		conf_complain(error, where,
		    "%s.%s.run-as: it is for a program, expected via = "
		    "\"pipe:/path\"", section, pattern);
	else if (strcmp(run_as, "root") == 0)
		conf_complain(error, where,
		    "%s.%s.run-as: no program is run as root, expected "
		    "another account", section, pattern);
}

static void
check_route(const struct conf *c, const struct conf_route *r, struct buf *error)
{
	check_pattern(r, error);
	check_patterns(
	    c, r, "sender", &r->sender, error, pattern_address);
	check_patterns(c, r, "user", &r->user, error, pattern_name);
	check_listeners(c, r, error);
	check_via(c, r, error);
	check_tls(c, r, error);
	check_fallback(c, r, error);
	conf_run_as_check("route", r->pattern, r->via, r->run_as,
	    conf_where(c, &r->run_as, r->place), error);
	if (r->source[0] && !conf_pool(c, r->source) &&
	    !conf_name_is_ip(str_c(r->source)))
		conf_complain(error, conf_where(c, &r->source, r->place),
		    "route.%s.source: \"%s\" is neither a pool nor an "
		    "address, expected one of them",
		    r->pattern, r->source);
}

void
conf_route_check(const struct conf *c, struct buf *error)
{
	size_t i;

	conf_upstream_check(c, error);
	for (i = 0; i < c->route_n; i++)
		check_route(c, &c->routes[i], error);
}
