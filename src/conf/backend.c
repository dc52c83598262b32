/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * backend -- what a URL of auth.backends means.
 *
 * Each kind has a reader, which takes what stands behind "://".  What is not
 * understood is a complaint and never ignored: it might have been meant as a
 * restriction.  Complaints show no more of a URL than the log would.
 */

#include "conf/backend.h"

#include "private.h"

#define HIDDEN "********"
#define RADIUS_PORT "1812"

struct reader {
	struct arena *arena;
	struct str url;
	struct conf_backend *b;
	struct buf *error;
};

/* ---- parts ------------------------------------------------------------------ */

static bool PRINTF(2, 3)
wrong(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	buf_addc(r->error, '"');
	conf_backend_show(r->error, str_head(r->url, 200));
	buf_adds(r->error, "\" ");
	va_start(ap, fmt);
	buf_vaddf(r->error, fmt, ap);
	va_end(ap);
	return false;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* S with each %XX decoded (RFC 3986 2.1); another "%" stays as it is. */
static const char *
decoded(struct reader *r, struct str s)
{
	char *out = arena_alloc(r->arena, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int high = i + 2 < s.n && s.p[i] == '%' ? hex(s.p[i + 1]) : -1;
		int low = high >= 0 ? hex(s.p[i + 2]) : -1;

		out[n++] = (char)(low < 0 ? s.p[i] : (high << 4 | low));
		i += low < 0 ? 0 : 2;
	}
	out[n] = '\0';
	return out;
}

static void
list_add(struct reader *r, const char *s)
{
	struct conf_strs *list = &r->b->list;
	const char **v = arena_alloc(r->arena, (list->n + 1) * sizeof(*v));

	if (list->n > 0)
		memcpy(v, list->v, list->n * sizeof(*v));
	v[list->n] = s;
	list->v = v;
	list->n++;
}

/* "host", "host:port", "[v6]", "[v6]:port". */
static bool
split_host(struct str s, struct str *host, struct str *port)
{
	uint64_t n;
	ptrdiff_t end = s.n > 0 && s.p[0] == '[' ? str_find(s, ']') : -1;

	*port = STR("");
	if (end > 0) {
		*host = str_n(s.p + 1, (size_t)end - 1);
		s = str_skip(s, (size_t)end + 1);
		if (s.n > 0 && s.p[0] != ':')
			return false;
		*port = str_skip(s, 1);
	} else if (!str_cut(s, ':', host, port)) {
		s = STR("");
	}
	for (size_t i = 0; i < host->n; i++)
		if ((unsigned char)host->p[i] <= ' ' || strchr("/?#@[]\"\\<>", host->p[i]))
			return false;
	if (s.n > host->n && port->n == 0 && end <= 0)
		return false;
	return host->n > 0 && (port->n == 0 ||
		(str_u64(*port, UINT16_MAX, &n) == 0 && n > 0));
}

/* ---- what is local ----------------------------------------------------------- */

static bool
read_file(struct reader *r, struct str rest)
{
	r->b->path = arena_cstr(r->arena, rest);
	return conf_name_is_path(rest) ||
	    wrong(r, "names no file, expected \"file:///path\"");
}

static bool
read_secrets(struct reader *r, struct str rest)
{
	r->b->path = arena_cstr(r->arena, rest);
	r->b->secrets = true;
	return conf_name_is_path(rest) ||
	    wrong(r, "names no file, expected \"secrets:///path\"");
}

static bool
read_exec(struct reader *r, struct str rest)
{
	r->b->path = arena_cstr(r->arena, rest);
	return conf_name_is_path(rest) ||
	    wrong(r, "names no program, expected \"exec:///path\"");
}

/* "service" or "service?confdir=/path". */
static bool
read_pam(struct reader *r, struct str rest)
{
	struct str service, query;
	bool ok = true;

	if (str_cut(rest, '?', &service, &query)) {
		ok = str_starts(query, STR("confdir=")) &&
		    conf_name_is_path(str_skip(query, 8));
		r->b->confdir = ok ? arena_cstr(r->arena, str_skip(query, 8)) : NULL;
	}
	r->b->service = arena_cstr(r->arena, service);
	if (ok && conf_name_is_word(service) && service.n < 64)
		return true;
	return wrong(r, "names no PAM service, expected \"pam://service\" or "
	    "\"pam://service?confdir=/path\"");
}

static bool
read_users(struct reader *r, struct str rest)
{
	struct str one;
	bool more = true;

	while (more) {
		more = str_cut(rest, ',', &one, &rest);
		one = str_trim(one);
		if (one.n == 0 || str_has_ctl(one) || str_find(one, '/') >= 0)
			return wrong(r, "names no accounts, expected "
			    "\"users://name,pattern*\"");
		list_add(r, arena_cstr(r->arena, one));
	}
	return true;
}

static bool
read_hardcoded(struct reader *r, struct str rest)
{
	struct str one, user, password;
	bool more = true;

	while (more) {
		more = str_cut(rest, ',', &one, &rest);
		if (!str_cut(str_trim(one), ':', &user, &password) || user.n == 0 ||
		    password.n == 0)
			return wrong(r, "names no users, expected "
			    "\"hardcoded://user:password,user2:password2\", "
			    "with %%2C and %%3A for a comma and a colon");
		list_add(r, decoded(r, user));
		list_add(r, decoded(r, password));
	}
	return true;
}

/* ---- LDAP ---------------------------------------------------------------------- */

static bool
read_ldap_hosts(struct reader *r, struct str hosts, const char *scheme)
{
	struct str one, host, port;
	bool more = true;

	while (more) {
		more = str_cut(hosts, ',', &one, &hosts);
		if (!split_host(one, &host, &port))
			return wrong(r, "names no server, expected "
			    "\"%s://host:port/base\"", scheme);
		list_add(r, arena_printf(r->arena, "%s://%.*s/", scheme, STR_ARG(one)));
	}
	return true;
}

/* RFC 4516 2.1: a comma within a value is %2C. */
static bool
read_extension(struct reader *r, struct str one)
{
	struct conf_backend *b = r->b;
	struct str name, value;

	if (one.n > 0 && one.p[0] == '!')
		one = str_skip(one, 1);
	bool has_value = str_cut(one, '=', &name, &value) && value.n > 0;
	if (str_ieq(name, STR("starttls")) || str_ieq(name, STR("x-starttls")))
		b->starttls = true;
	else if (str_ieq(name, STR("bindname")) && has_value)
		b->bind_dn = decoded(r, value);
	else if (str_ieq(name, STR("x-bindpw")) && has_value)
		b->bind_password = decoded(r, value);
	else if (str_ieq(name, STR("x-ca")) && has_value)
		b->ca = decoded(r, value);
	else
		return wrong(r, "has an extension that is not known, expected "
		    "starttls, bindname=DN, x-bindpw=PASSWORD or x-ca=/path");
	return b->ca == NULL || b->ca[0] == '/' ||
	    wrong(r, "has an x-ca that is no path, expected x-ca=/path");
}

static bool
read_scope(struct reader *r, struct str s)
{
	static const char *const words[] = { "base", "one", "sub" };

	r->b->scope = SCOPE_SUB;
	if (s.n == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_ieq(s, str_c(words[i]))) {
			r->b->scope = (enum conf_backend_scope)i;
			return true;
		}
	return wrong(r, "has a scope that is not known, expected base, one or sub");
}

static bool
check_ldap(struct reader *r)
{
	const struct conf_backend *b = r->b;

	if (b->filter != NULL && (b->filter[0] != '(' || !strstr(b->filter, "%u")))
		return wrong(r, "has a filter that finds no user, expected one "
		    "such as (uid=%%u)");
	if (b->filter == NULL && b->base[0] == '\0')
		return wrong(r, "has no base, expected "
		    "\"ldap://host:port/ou=people,dc=example,dc=org\"");
	if (b->filter == NULL && (b->bind_dn || b->bind_password))
		return wrong(r, "has a bindname and no filter, expected a filter such "
		    "as (uid=%%u), which finds the user");
	if ((b->bind_dn == NULL) != (b->bind_password == NULL))
		return wrong(r, "has only one of bindname and x-bindpw, expected both");
	for (const char *p = b->attribute; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789-.;", *p))
			return wrong(r, "has an attribute that is none, expected a "
			    "name such as uid");
	return true;
}

/* RFC 4516: ldap://hosts/base?attribute?scope?filter?extensions */
static bool
read_ldap_as(struct reader *r, struct str rest, const char *scheme)
{
	struct conf_backend *b = r->b;
	struct str hosts, base, attribute, scope, filter, one;
	bool more;

	(void)str_cut(rest, '/', &hosts, &rest);
	(void)str_cut(rest, '?', &base, &rest);
	(void)str_cut(rest, '?', &attribute, &rest);
	(void)str_cut(rest, '?', &scope, &rest);
	more = str_cut(rest, '?', &filter, &rest);
	b->base = decoded(r, base);
	b->attribute = attribute.n > 0 ? decoded(r, attribute) : "uid";
	b->filter = filter.n > 0 ? decoded(r, filter) : NULL;
	if (!read_ldap_hosts(r, hosts, scheme) || !read_scope(r, scope))
		return false;
	while (more) {
		more = str_cut(rest, ',', &one, &rest);
		if (!read_extension(r, one))
			return false;
	}
	if (b->starttls && strcmp(scheme, "ldaps") == 0)
		return wrong(r, "begins with TLS, expected ldap:// where StartTLS "
		    "is to follow");
	return check_ldap(r);
}

static bool
read_ldap(struct reader *r, struct str rest)
{
	return read_ldap_as(r, rest, "ldap");
}

static bool
read_ldaps(struct reader *r, struct str rest)
{
	return read_ldap_as(r, rest, "ldaps");
}

/* ---- RADIUS and HTTP ------------------------------------------------------------- */

static bool
read_radius(struct reader *r, struct str rest)
{
	struct str who, identifier, secret, one, host, port;
	ptrdiff_t at = str_rfind(rest, '@');
	bool more = true;

	who = str_head(rest, at < 0 ? 0 : (size_t)at);
	if (!str_cut(who, ':', &identifier, &secret) || identifier.n == 0 ||
	    secret.n == 0)
		return wrong(r, "has no secret, expected "
		    "\"radius://identifier:secret@host:1812\"");
	r->b->identifier = decoded(r, identifier);
	r->b->secret = decoded(r, secret);
	if (strlen(r->b->identifier) > 253)
		return wrong(r, "has an identifier that is too long, expected at "
		    "most 253 octets");
	rest = str_skip(rest, (size_t)at + 1);
	if (str_ends(rest, STR("/")))
		rest = str_head(rest, rest.n - 1);
	while (more) {
		more = str_cut(rest, ',', &one, &rest);
		if (!split_host(one, &host, &port))
			return wrong(r, "names no server, expected "
			    "\"radius://identifier:secret@host:1812\"");
		list_add(r, arena_cstr(r->arena, host));
		list_add(r, port.n > 0 ? arena_cstr(r->arena, port) : RADIUS_PORT);
	}
	return true;
}

static bool
read_http(struct reader *r, struct str rest)
{
	size_t n = 0;
	struct str host, port;

	while (n < rest.n && !strchr("/?#", rest.p[n]))
		n++;
	r->b->url = arena_cstr(r->arena, r->url);
	if (str_find(str_head(rest, n), '@') >= 0)
		return wrong(r, "has a user, expected none: barid sends those of its "
		    "clients");
	for (size_t i = 0; i < rest.n; i++)
		if ((unsigned char)rest.p[i] <= ' ' || rest.p[i] == 0x7f || rest.p[i] == '#')
			n = 0;
	if (n > 0 && split_host(str_head(rest, n), &host, &port))
		return true;
	return wrong(r, "is no URL, expected \"https://host/path\"");
}

/* A setting behind the "?" of an OAuth URL. */
static bool
read_oauth_setting(struct reader *r, struct str one)
{
	struct conf_backend *b = r->b;
	struct str name, value;

	if (!str_cut(one, '=', &name, &value) || value.n == 0)
		name = STR("");
	if (str_eq(name, STR("user")))
		b->claim = decoded(r, value);
	else if (str_eq(name, STR("scope")))
		b->token_scope = decoded(r, value);
	else if (str_eq(name, STR("audience")))
		b->audience = decoded(r, value);
	else
		return wrong(r, "has a setting that is not known, expected "
		    "user=CLAIM, scope=WORD or audience=NAME");
	return true;
}

/* "client:secret@host:port/path?user=claim&scope=word&audience=name" */
static bool
read_oauth(struct reader *r, struct str rest)
{
	struct str place, settings, one, host, port, client, secret;
	bool more = str_cut(rest, '?', &place, &settings);
	ptrdiff_t at = str_rfind(place, '@'), slash;

	if (!str_cut(str_head(place, at < 0 ? 0 : (size_t)at), ':', &client, &secret) && at >= 0)
		return wrong(r, "has a client without a secret, expected "
		    "\"oauth://client:secret@host/path\"");
	r->b->identifier = decoded(r, client);
	r->b->secret = decoded(r, secret);
	r->b->claim = "username";
	place = str_skip(place, (size_t)(at + 1));
	slash = str_find(place, '/');
	if (slash < 0 || str_has_ctl(place) || str_find(place, ' ') >= 0 ||
	    str_find(place, '#') >= 0 || !split_host(str_head(place, (size_t)slash), &host, &port))
		return wrong(r, "names no server, expected "
		    "\"oauth://client:secret@host/path\"");
	r->b->url = arena_printf(r->arena, "https://" STR_FMT, STR_ARG(place));
	while (more) {
		more = str_cut(settings, '&', &one, &settings);
		if (!read_oauth_setting(r, one))
			return false;
	}
	return true;
}

/* ---- all --------------------------------------------------------------------------- */

static const struct kind {
	const char *scheme;
	enum conf_backend_kind kind;
	bool (*read)(struct reader *r, struct str rest);
} kinds[] = {
	{ "file", BACKEND_FILE, read_file },
	{ "secrets", BACKEND_FILE, read_secrets },
	{ "pam", BACKEND_PAM, read_pam },
	{ "users", BACKEND_USERS, read_users },
	{ "ldap", BACKEND_LDAP, read_ldap },
	{ "ldaps", BACKEND_LDAP, read_ldaps },
	{ "radius", BACKEND_RADIUS, read_radius },
	{ "http", BACKEND_HTTP, read_http },
	{ "https", BACKEND_HTTP, read_http },
	{ "oauth", BACKEND_OAUTH, read_oauth },
	{ "exec", BACKEND_EXEC, read_exec },
	{ "hardcoded", BACKEND_HARDCODED, read_hardcoded },
};

/* Splits "scheme://rest"; NULL: of no kind that is known, or SCHEME is empty. */
static const struct kind *
kind_of(struct str url, struct str *scheme, struct str *rest)
{
	ptrdiff_t colon = str_find(url, ':');

	*scheme = str_head(url, colon < 0 ? 0 : (size_t)colon);
	*rest = str_skip(url, scheme->n);
	if (!str_starts(*rest, STR("://")))
		*scheme = STR("");
	*rest = str_skip(*rest, 3);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq(*scheme, str_c(kinds[i].scheme)))
			return &kinds[i];
	return NULL;
}

bool
conf_backend_parse(struct arena *a, struct str url, struct conf_backend *b,
    struct buf *error)
{
	struct str scheme, rest;
	const struct kind *k = kind_of(url, &scheme, &rest);
	struct reader r = { a, url, b, error };
	struct nearest near;
	struct buf show;

	*b = (struct conf_backend){ 0 };
	if (scheme.n == 0) {
		buf_adds(error, "a backend without a kind, expected "
		    "\"file:///path\" or \"pam://service\"");
		return false;
	}
	if (k == NULL) {
		conf_nearest_init(&near, scheme);
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
			conf_nearest_try(&near, kinds[i].scheme);
		buf_addf(error, "\"" STR_FMT "://\" is unknown, expected file://, "
		    "secrets://, pam://, users://, ldap://, ldaps://, radius://, http://, "
		    "https://, oauth://, exec:// or hardcoded://",
		    STR_ARG(str_head(scheme, 40)));
		conf_nearest_hint(&near, error);
		return false;
	}
	b->kind = k->kind;
	buf_init(&show, CONF_VALUE_MAX * 2);
	conf_backend_show(&show, url);
	b->show = arena_cstr(a, buf_str(&show));
	buf_free(&show);
	return k->read(&r, rest);
}

/* All behind "x-bindpw=": a comma in a password may have been left as it is. */
static void
show_ldap(struct buf *b, struct str rest)
{
	const struct str mark = STR("x-bindpw=");

	for (size_t i = 0; i < rest.n; i++) {
		if (!str_istarts(str_skip(rest, i), mark))
			continue;
		buf_add(b, str_head(rest, i + mark.n));
		buf_adds(b, HIDDEN);
		return;
	}
	buf_add(b, rest);
}

/* "identifier:secret@" and what is behind; without an "@" all may be secret. */
static void
show_client(struct buf *b, struct str rest)
{
	ptrdiff_t at = str_rfind(rest, '@');
	struct str who, secret;

	(void)str_cut(str_head(rest, at < 0 ? 0 : (size_t)at), ':', &who, &secret);
	buf_add(b, who);
	buf_adds(b, who.n > 0 ? ":" HIDDEN : HIDDEN);
	buf_add(b, at < 0 ? STR("") : str_skip(rest, (size_t)at));
}

void
conf_backend_show(struct buf *b, struct str url)
{
	struct str scheme, rest, head;
	const struct kind *k = kind_of(url, &scheme, &rest);
	ptrdiff_t at = str_rfind(rest, '@');

	if (k == NULL) {
		buf_adds(b, HIDDEN);
		return;
	}
	buf_addf(b, "%s://", k->scheme);
	switch (k->kind) {
	case BACKEND_HARDCODED:
		buf_adds(b, HIDDEN);
		return;
	case BACKEND_OAUTH:
		/* Where there is no client there is nothing to hide. */
		if (at < 0)
			buf_add(b, rest);
		else
			show_client(b, rest);
		return;
	case BACKEND_RADIUS:
		show_client(b, rest);
		return;
	case BACKEND_HTTP:
		rest = at < 0 ? rest : str_skip(rest, (size_t)at + 1);
		buf_adds(b, at < 0 ? "" : HIDDEN "@");
		if (str_cut(rest, '?', &head, &rest))
			buf_addf(b, STR_FMT "?" HIDDEN, STR_ARG(head));
		else
			buf_add(b, head);
		return;
	case BACKEND_LDAP:
		show_ldap(b, rest);
		return;
	default:
		buf_add(b, rest);
	}
}
