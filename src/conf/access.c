/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * access -- what the sections auth, access and limits and the listeners say
 * that can have no effect, or another one than was meant.
 *
 * A contradiction is a mistake.  What may be meant for another host that has
 * the same file, or for later, is a doubt: it is said, and the configuration
 * is taken.  Only what was written is looked at, never a default.
 */

#include <sys/socket.h>

#include "private.h"

static struct conf_place
place(const struct conf *c, const void *field)
{
	return conf_where(c, field, conf_place_top(c));
}

static bool
is_set(const struct conf *c, const void *field)
{
	return conf_place_get(c, field) != NULL;
}

/* ---- mechanisms ------------------------------------------------------------------ */

static bool
has_name(const struct conf_strs *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_ieq(str_c(names->v[i]), str_c(name)))
			return true;
	return false;
}

/* Whether some listener that takes auth.without-tls has NAME on offer. */
static bool
is_offered_somewhere(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->listen_n; i++)
		if (!is_set(c, &c->listens[i].without_tls) &&
		    has_name(&c->listens[i].mechanisms, name))
			return true;
	return has_name(&c->auth.mechanisms, name);
}

static void
check_without_tls(const struct conf *c, struct buf *error)
{
	const struct conf_strs *names = &c->auth.without_tls;

	for (size_t i = 0; i < names->n; i++)
		if (!is_offered_somewhere(c, names->v[i]))
			conf_complain(error,
			    conf_where(c, &names->v[i], place(c, names)),
			    "auth.without-tls: \"%s\" is not on offer, expected it in "
			    "auth.mechanisms, too", names->v[i]);
}

static void
check_listener_without_tls(const struct conf *c, const struct conf_listen *l, struct buf *error)
{
	const struct conf_strs *names = &l->without_tls;
	struct conf_place where = conf_where(c, names, l->place);

	if (!is_set(c, names))
		return;
	if (names->n > 0 && (l->tls == LISTEN_TLS_REQUIRED || l->tls == LISTEN_TLS_IMPLICIT))
		conf_complain(error, where,
		    "listen.%s.without-tls: nobody logs in without TLS here, expected "
		    "tls = \"starttls\" or \"off\", or no without-tls", l->name);
	for (size_t i = 0; i < names->n; i++)
		if (!has_name(&l->mechanisms, names->v[i]))
			conf_complain(error, conf_where(c, &names->v[i], where),
			    "listen.%s.without-tls: \"%s\" is not on offer here, expected it "
			    "in listen.%s.mechanisms or auth.mechanisms, too",
			    l->name, names->v[i], l->name);
}

/* ---- options that a service has not ------------------------------------------------ */

enum { AT_SMTP = 1, AT_SUBMISSION = 2, AT_POP3 = 4, AT_MAIL = AT_SMTP | AT_SUBMISSION };

static void
check_service(const struct conf *c, const struct conf_listen *l, struct buf *error)
{
	/* In the order of enum conf_service. */
	static const char *const names[] = { "smtp", "submission", "pop3", "admin" };
	const struct {
		const char *name;
		const void *field;
		unsigned at;
	} t[] = { { "no-mail", &l->no_mail, AT_SMTP },
		{ "relay", &l->relay, AT_MAIL },
		{ "relay-certificates", &l->relay_certificates, AT_MAIL },
		{ "auth-required", &l->auth_required, AT_MAIL },
		{ "sender-login", &l->sender_login, AT_MAIL },
		{ "proxies", &l->proxies, AT_MAIL | AT_POP3 },
		{ "xclient", &l->xclient, AT_MAIL },
		{ "xforward", &l->xforward, AT_MAIL },
		{ "etrn", &l->etrn, AT_MAIL },
		{ "verify", &l->verify, AT_MAIL },
		{ "mechanisms", &l->mechanisms, AT_MAIL | AT_POP3 },
		{ "without-tls", &l->without_tls, AT_MAIL | AT_POP3 },
		{ "message-size", &l->message_size, AT_MAIL },
		{ "recipients", &l->recipients, AT_MAIL },
		{ "errors", &l->errors, AT_MAIL | AT_POP3 },
		{ "timeout", &l->timeout, AT_MAIL | AT_POP3 },
		{ "greet-delay", &l->greet_delay, AT_MAIL },
		{ "early-talkers", &l->early_talkers, AT_MAIL },
		{ "tarpit-delay", &l->tarpit_delay, AT_MAIL },
		{ "login-delay", &l->login_delay, AT_POP3 },
		{ "expire", &l->expire, AT_POP3 },
		{ "no-delete", &l->no_delete, AT_POP3 } };

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if ((t[i].at & 1u << l->service) == 0 && is_set(c, t[i].field))
			conf_complain(error, conf_where(c, t[i].field, l->place),
			    "listen.%s.%s: this has no meaning with service = \"%s\", "
			    "expected it at another listener", l->name, t[i].name,
			    names[l->service]);
	/* RFC 6409 4.3: to be in a network is not to be somebody. */
	if (l->service == SERVICE_SUBMISSION && is_set(c, &l->relay) && l->relay.n > 0)
		conf_complain(error, conf_where(c, &l->relay, l->place),
		    "listen.%s.relay: who submits mail logs in, from wherever, expected "
		    "service = \"smtp\" for networks that need not", l->name);
}

/* ---- networks ------------------------------------------------------------------------ */

static bool
is_everybody(const struct ip_range *r)
{
	size_t n = r->family == AF_INET ? 4 : 16;

	for (size_t i = 0; i < n; i++)
		if (r->first[i] != 0 || r->last[i] != 0xff)
			return false;
	return r->family != AF_UNIX;
}

static bool
meet(const struct ip_range *a, const struct ip_range *b)
{
	return a->family == b->family && a->family != AF_UNIX &&
	    (ip_range_has(a, b->family, b->first) || ip_range_has(b, a->family, a->first));
}

static bool
has_everybody(const struct conf_nets *nets, int family)
{
	for (size_t i = 0; i < nets->n; i++)
		if (nets->v[i].family == family && is_everybody(&nets->v[i]))
			return true;
	return false;
}

/* Everybody may connect, and everybody may send anywhere; said once of each list. */
static void
check_open(const struct conf *c, const struct conf_listen *l, bool *said, struct buf *error)
{
	bool own = is_set(c, &l->relay);

	for (size_t i = 0; l->service == SERVICE_SMTP && i < l->relay.n; i++) {
		const struct ip_range *r = &l->relay.v[i];

		if (!is_everybody(r) || !has_everybody(&l->connect, r->family) ||
		    (!own && *said))
			continue;
		*said = *said || !own;
		conf_complain(error, conf_where(c, r, place(c, &c->access.relay)),
		    "%s%s.relay: everybody could send to anybody (an open relay), expected "
		    "networks of your own", own ? "listen." : "access", own ? l->name : "");
		return;
	}
}

static bool
may_connect(const struct conf_nets *connect, const struct ip_range *r)
{
	for (size_t i = 0; i < connect->n; i++)
		if (meet(&connect->v[i], r))
			return true;
	return r->family == AF_UNIX;
}

/* Whether R may connect by a listener that has the list of the section access. */
static bool
may_connect_somewhere(const struct conf *c, const struct ip_range *r)
{
	for (size_t i = 0; i < c->listen_n; i++)
		if (may_connect(&c->listens[i].connect, r))
			return true;
	return may_connect(&c->access.connect, r);
}

static void
doubt_nets(const struct conf *c, const struct conf_nets *nets, const char *name,
    const struct conf_listen *l, struct buf *out)
{
	struct buf net;

	for (size_t i = 0; is_set(c, nets) && i < nets->n; i++) {
		const struct ip_range *r = &nets->v[i];

		if (l ? may_connect(&l->connect, r) : may_connect_somewhere(c, r))
			continue;
		buf_init(&net, 200);
		ip_range_add(&net, r);
		conf_complain(out, conf_where(c, r, place(c, nets)),
		    "%s%s.%s: %s may not connect at all, expected it in %s.connect, too",
		    l ? "listen." : "access", l ? l->name : "", name, buf_cstr(&net),
		    l ? "listen or access" : "access");
		buf_free(&net);
	}
}

/* ---- all ------------------------------------------------------------------------------ */

static void
check_total(const struct conf *c, const char *name, const uint64_t *field, struct buf *error)
{
	if (is_set(c, field) && *field > c->limits.connections)
		conf_complain(error, place(c, field),
		    "limits.%s: %llu are more than limits.connections has in all, expected "
		    "at most %llu, or more there", name, (unsigned long long)*field,
		    (unsigned long long)c->limits.connections);
}

void
conf_access_check(const struct conf *c, struct buf *error)
{
	const bool *required = &c->access.auth_required;
	bool open_said = false;

	check_without_tls(c, error);
	check_total(c, "connections-in", &c->limits.connections_in, error);
	check_total(c, "connections-out", &c->limits.connections_out, error);
	if (is_set(c, required) && *required && c->auth.backends.n == 0 &&
	    c->auth.certificates.n == 0)
		conf_complain(error, place(c, required),
		    "access.auth-required: nobody can log in, expected auth { backends = "
		    "{\"file:///path\"} } or auth.certificates");
	for (size_t i = 0; i < c->listen_n; i++) {
		check_listener_without_tls(c, &c->listens[i], error);
		check_service(c, &c->listens[i], error);
		check_open(c, &c->listens[i], &open_said, error);
	}
}

void
conf_doubts(const struct conf *c, struct buf *out)
{
	const struct conf_access *a = &c->access;

	conf_way_doubts(c, out);
	doubt_nets(c, &a->relay, "relay", NULL, out);
	doubt_nets(c, &a->xclient, "xclient", NULL, out);
	doubt_nets(c, &a->xforward, "xforward", NULL, out);
	doubt_nets(c, &a->etrn, "etrn", NULL, out);
	doubt_nets(c, &a->verify, "verify", NULL, out);
	for (size_t i = 0; i < c->listen_n; i++) {
		const struct conf_listen *l = &c->listens[i];

		doubt_nets(c, &l->relay, "relay", l, out);
		doubt_nets(c, &l->xclient, "xclient", l, out);
		doubt_nets(c, &l->xforward, "xforward", l, out);
		doubt_nets(c, &l->etrn, "etrn", l, out);
		doubt_nets(c, &l->verify, "verify", l, out);
		conf_admin_doubt(c, l, out);
	}
}
