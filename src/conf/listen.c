/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * listen -- listeners, their certificates and who may log in there.
 *
 * A file without a listener gets those that can work with what it says:
 * SMTP always, with STARTTLS where there is a certificate; submission and
 * POP3 where there is also somebody who knows passwords.
 */

#include <net/if.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "conf/backend.h"
#include "private.h"

struct implied {
	const char *name;
	int service;
	uint16_t port;
	int tls;
};

static const struct implied implied[] = {
	{ "smtp", SERVICE_SMTP, 25, LISTEN_TLS_STARTTLS },
	{ "submission", SERVICE_SUBMISSION, 587, LISTEN_TLS_REQUIRED },
	{ "submissions", SERVICE_SUBMISSION, 465, LISTEN_TLS_IMPLICIT },
	{ "pop3", SERVICE_POP3, 110, LISTEN_TLS_REQUIRED },
	{ "pop3s", SERVICE_POP3, 995, LISTEN_TLS_IMPLICIT },
};

static const char *const mechanisms[] = { "PLAIN", "LOGIN", "APOP",
	"CRAM-MD5", "CRAM-SHA1", "CRAM-SHA256", "CRAM-SHA512", "SCRAM-SHA-256",
	"SCRAM-SHA-256-PLUS", "XOAUTH2", "OAUTHBEARER" };

/* ---- defaults ---- */

static void
imply(struct conf *c, const struct implied *from)
{
	struct conf_listen *l = &c->listens[c->listen_n++];

	l->name = from->name;
	l->place.file = "";
	l->service = from->service;
	l->hostname = "";
	l->address.v = arena_alloc(&c->arena, sizeof(*l->address.v));
	l->address.v[0] = "*";
	l->address.n = 1;
	l->port.v = arena_alloc(&c->arena, sizeof(*l->port.v));
	l->port.v[0].first = l->port.v[0].last = from->port;
	l->port.n = 1;
	l->tls = c->tls.certificate.n > 0 ? from->tls : LISTEN_TLS_OFF;
}

static void
imply_all(struct conf *c)
{
	bool all = c->tls.certificate.n > 0 && c->auth.backends.n > 0;
	size_t i;

	c->listens = arena_alloc(
	    &c->arena, ARRAY_LEN(implied) * sizeof(*c->listens));
	for (i = 0; i < (all ? ARRAY_LEN(implied) : 1); i++)
		imply(c, &implied[i]);
}

void
conf_listen_finish(struct conf *c)
{
	if (c->listen_n == 0)
		imply_all(c);
	for (size_t i = 0; i < c->listen_n; i++)
		conf_listener_inherit(c, &c->listens[i]);
}

/* ---- addresses ---- */

/* "eth0", "eth0-ipv4", "eth0-ipv6": what the master looks up. */
static bool
is_interface(struct str s)
{
	if (str_ends(s, STR("-ipv4")) || str_ends(s, STR("-ipv6")))
		s.n -= 5;
	return conf_name_is_word(s) && s.n < IF_NAMESIZE;
}

static bool
is_inherited(const char *address)
{
	return strncmp(address, "unix:", 5) == 0 ||
	    strncmp(address, "fd:", 3) == 0;
}

static bool
is_address(const char *address)
{
	struct str s = str_c(address), scope;

	if (str_starts(s, STR("unix:")))
		return conf_name_is_path(str_skip(s, 5)) &&
		    s.n - 5 < sizeof(((struct sockaddr_un *)0)->sun_path);
	if (str_starts(s, STR("fd:")))
		return conf_name_is_word(str_skip(s, 3));
	if (strcmp(address, "*") == 0 || conf_name_is_ip(s))
		return true;
	/* RFC 4007 11: a link-local address with its zone. */
	if (str_cut(s, '%', &s, &scope))
		return conf_name_is_ip(s) && is_interface(scope);
	/* What looks like an address and is none is no interface either. */
	if (strspn(address, "0123456789.") == s.n)
		return false;
	return is_interface(s);
}

static bool
check_addresses(
    const struct conf *c, const struct conf_listen *l, struct buf *error)
{
	struct conf_place list = conf_where(c, &l->address, l->place);
	bool needs_port = false;
	size_t i;

	for (i = 0; i < l->address.n; i++) {
		if (!is_address(l->address.v[i]))
			conf_complain(error,
			    conf_where(c, &l->address.v[i], list),
			    "listen.%s.address: \"%s\" is no address, "
			    "expected \"*\", an address, an interface, "
			    "\"unix:/path\" or "
			    "\"fd:name\"",
			    l->name, l->address.v[i]);
		needs_port = needs_port || !is_inherited(l->address.v[i]);
	}
	return needs_port;
}

/* ---- listeners ---- */

static void
check_listen_tls(
    const struct conf *c, const struct conf_listen *l, struct buf *error)
{
	struct conf_place where = conf_where(c, &l->tls, l->place);

	if (l->tls != LISTEN_TLS_OFF && c->tls.certificate.n == 0)
		conf_complain(error, where,
		    "listen.%s: TLS needs a certificate, expected "
		    "tls { certificate = \"/path\" key = \"/path\" }, or tls = "
		    "\"off\" here",
		    l->name);
	if (l->tls == LISTEN_TLS_OFF && l->service == SERVICE_SUBMISSION &&
	    l->without_tls.n == 0)
		conf_complain(error, where,
		    "listen.%s: nobody can log in without TLS, expected "
		    "tls = \"required\" or \"implicit\", or without-tls",
		    l->name);
}

static void
check_listen(
    const struct conf *c, const struct conf_listen *l, struct buf *error)
{
	if (str_ieq(str_c(l->name), STR(CONF_LISTEN_DROP)))
		conf_complain(error, l->place,
		    "listen.%s: that is where programs of this host hand in "
		    "mail, expected another name",
		    l->name);
	if (str_ieq(str_c(l->name), STR(CONF_LISTEN_COLLECT)))
		conf_complain(error, l->place,
		    "listen.%s: that is what mail of sections collect comes in "
		    "by, expected another name",
		    l->name);
	if (check_addresses(c, l, error) && l->port.n == 0)
		conf_complain(error, l->place,
		    "listen.%s: no port, expected port = \"%s\" or "
		    "another",
		    l->name,
		    l->service == SERVICE_SMTP	    ? "25" :
			l->service == SERVICE_POP3  ? "110" :
			l->service == SERVICE_ADMIN ? "2580" :
						      "587");
	if (l->hostname[0] && !conf_name_is_host(str_c(l->hostname)))
		conf_complain(error, conf_where(c, &l->hostname, l->place),
		    "listen.%s.hostname: \"%s\" is no host name, expected one "
		    "such as "
		    "\"mail.example.org\"",
		    l->name, l->hostname);
	if (l->service == SERVICE_ADMIN)
		conf_admin_check_listen(c, l, error);
	if (l->service != SERVICE_SMTP && c->auth.backends.n == 0 &&
	    (l->service != SERVICE_ADMIN || c->admin.auth.n == 0))
		conf_complain(error, l->place,
		    "listen.%s: nobody can log in, expected "
		    "auth { backends = {\"file:///path\"} } or "
		    "\"pam://service\"",
		    l->name);
	check_listen_tls(c, l, error);
}

/* ---- certificates ---- */

static void
check_file(const struct conf *c, const char *const *field,
    struct conf_place where, const char *name, struct buf *error)
{
	if ((*field)[0] && !conf_name_is_path(str_c(*field)))
		conf_complain(error, conf_where(c, field, where),
		    "%s: \"%s\" is no file's "
		    "path, expected it to begin with / and to hold no \"..\"",
		    name, *field);
}

static void
check_files(const struct conf *c, const struct conf_strs *files,
    struct conf_place where, const char *name, struct buf *error)
{
	for (size_t i = 0; i < files->n; i++)
		check_file(c, &files->v[i], conf_where(c, files, where), name, error);
}

/* A key for each certificate; SECTION is what both stand in. */
static void
check_pairs(const struct conf *c, const struct conf_strs *certificates,
    const struct conf_strs *keys, struct conf_place where, const char *section,
    struct buf *error)
{
	if (certificates->n > 0 && keys->n > 0 && certificates->n != keys->n)
		conf_complain(error, conf_where(c, keys, where),
		    "%s: %zu keys for %zu certificates, expected a key for each, "
		    "in the same order", section, keys->n, certificates->n);
}

static void
check_tls_name(
    const struct conf *c, const struct conf_tls_name *n, struct buf *error)
{
	struct str name = str_c(n->name);

	if (str_starts(name, STR("*.")))
		name = str_skip(name, 2);
	if (!conf_name_is_host(name))
		conf_complain(error, n->place,
		    "tls.name: \"%s\" is no host name, expected one "
		    "such as \"mail.example.org\"",
		    n->name);
	if (n->certificate.n == 0 || n->key.n == 0)
		conf_complain(error, n->place,
		    "tls.name.%s: no %s, expected both certificate "
		    "and key",
		    n->name, n->key.n ? "certificate" : "key");
	check_pairs(c, &n->certificate, &n->key, n->place, "tls.name", error);
	check_files(c, &n->certificate, n->place, "tls.name.certificate", error);
	check_files(c, &n->key, n->place, "tls.name.key", error);
}

static void
check_tls(const struct conf *c, struct buf *error)
{
	struct conf_place top = conf_place_top(c);
	const struct conf_tls *t = &c->tls;
	size_t i;

	if (t->certificate.n && !t->key.n)
		conf_complain(error, conf_where(c, &t->certificate, top),
		    "tls: a certificate "
		    "without a key, expected key = \"/path\" beside it");
	if (t->key.n && !t->certificate.n)
		conf_complain(error, conf_where(c, &t->key, top),
		    "tls: a key without a "
		    "certificate, expected certificate = \"/path\" beside it");
	check_pairs(c, &t->certificate, &t->key, top, "tls", error);
	check_files(c, &t->certificate, top, "tls.certificate", error);
	check_files(c, &t->key, top, "tls.key", error);
	check_file(c, &t->ca, top, "tls.ca", error);
	for (i = 0; i < t->name_n; i++)
		check_tls_name(c, &t->names[i], error);
	if (t->name_n > 0 && !t->certificate.n)
		conf_complain(error, t->names[0].place,
		    "tls.name: there is no certificate for "
		    "other names, expected tls.certificate and tls.key too");
}

/* ---- who may log in ---- */

static bool
has_word(const char *const *words, size_t n, struct str s)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_ieq(str_c(words[i]), s))
			return true;
	return false;
}

/* Puts into HINT which of the N words S was meant to be, if any. */
static void
near_word(struct buf *hint, const char *const *words, size_t n, struct str s)
{
	struct nearest near;
	size_t i;

	conf_nearest_init(&near, s);
	for (i = 0; i < n; i++)
		conf_nearest_try(&near, words[i]);
	buf_init(hint, 500);
	conf_nearest_hint(&near, hint);
}

/* What is made of a URL has its passwords, and is overwritten again. */
static void
check_backend(const struct conf *c, const char *name, const char *const *url, struct buf *error)
{
	struct conf_backend b;
	struct arena scratch;
	struct buf why;

	arena_init(&scratch, CONF_ARENA_MAX);
	buf_init(&why, 3 * CONF_VALUE_MAX);
	if (!conf_backend_parse(&scratch, str_c(*url), &b, &why))
		conf_complain(error, conf_where(c, url, conf_place_top(c)),
		    "%s: %s", name, buf_cstr(&why));
	buf_free(&why);
	arena_wipe(&scratch);
}

static void
check_mechanisms(const struct conf *c, const struct conf_strs *list,
    const char *name, struct buf *error)
{
	struct conf_place top = conf_where(c, list, conf_place_top(c)), where;
	struct buf what;
	size_t i;

	for (i = 0; i < list->n; i++) {
		struct str m = str_c(list->v[i]);

		where = conf_where(c, &list->v[i], top);
		if (has_word(mechanisms, ARRAY_LEN(mechanisms), m))
			continue;
		near_word(&what, mechanisms, ARRAY_LEN(mechanisms), m);
		conf_complain(error, where,
		    "%s: \"%s\" is unknown, expected PLAIN, LOGIN, CRAM-MD5, "
		    "CRAM-SHA1, CRAM-SHA256, CRAM-SHA512, SCRAM-SHA-256, "
		    "SCRAM-SHA-256-PLUS, XOAUTH2, OAUTHBEARER or APOP%s",
		    name, list->v[i], buf_cstr(&what));
		buf_free(&what);
	}
}

/* The lists that L has of its own. */
static void
check_own_mechanisms(
    const struct conf *c, const struct conf_listen *l, struct buf *error)
{
	struct buf name;

	buf_init(&name, 500);
	buf_addf(&name, "listen.%s.mechanisms", l->name);
	if (conf_place_get(c, &l->mechanisms) != NULL)
		check_mechanisms(c, &l->mechanisms, buf_cstr(&name), error);
	buf_reset(&name);
	buf_addf(&name, "listen.%s.without-tls", l->name);
	if (conf_place_get(c, &l->without_tls) != NULL)
		check_mechanisms(c, &l->without_tls, buf_cstr(&name), error);
	buf_free(&name);
}

void
conf_listen_check(const struct conf *c, struct buf *error)
{
	const struct conf_strs *backends = &c->auth.backends;
	size_t i;

	for (i = 0; i < c->listen_n; i++) {
		check_listen(c, &c->listens[i], error);
		check_own_mechanisms(c, &c->listens[i], error);
	}
	check_tls(c, error);
	for (i = 0; i < backends->n; i++)
		check_backend(c, "auth.backends", &backends->v[i], error);
	for (i = 0; i < c->admin.auth.n; i++)
		check_backend(c, "admin.auth", &c->admin.auth.v[i], error);
	check_mechanisms(c, &c->auth.mechanisms, "auth.mechanisms", error);
	check_mechanisms(c, &c->auth.without_tls, "auth.without-tls", error);
}
