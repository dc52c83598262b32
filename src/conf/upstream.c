/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * upstream -- the servers that mail is handed to.
 *
 * A server is a name, an address, or a socket of this host.  Names of other
 * scripts become what DNS knows here, and nowhere later.
 */

#include "lib/idn.h"

#include "private.h"

#define SMTP_PORT 25
/* RFC 2033 gives LMTP no port; this is what its servers use. */
#define LMTP_PORT 24
#define SOCKS_PORT 1080
#define HTTP_PORT 80
#define UNIX_PREFIX "unix:"
#define FILE_PREFIX "file:"
#define REFRESH_PREFIX "refresh:"
/* sockaddr_un.sun_path with its NUL. */
#define UNIX_PATH_MAX 107
/* RFC 1928, RFC 1929. */
#define SOCKS_TEXT_MAX 255

/* What a client of ours can do; the order is the client's own. */
static const char *const mechanisms[] = { "OAUTHBEARER", "XOAUTH2",
	"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "CRAM-SHA512",
	"CRAM-SHA256", "CRAM-SHA1", "CRAM-MD5", "PLAIN", "LOGIN" };

/* ---- what they mean ---- */

/* The form of NAME that is looked up or connected to. */
static const char *
host_of(struct arena *a, const char *name)
{
	struct str s = str_c(name);
	struct buf b;

	if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']') {
		s = str_n(s.p + 1, s.n - 2);
		if (str_istarts(s, STR("IPv6:")))
			s = str_skip(s, 5);
		return arena_cstr(a, s);
	}
	buf_init(&b, CONF_VALUE_MAX);
	/* One that has no such form is complained about by its name. */
	if (idn_add(&b, s) == NULL)
		name = arena_cstr(a, buf_str(&b));
	buf_free(&b);
	return name;
}

/* Splits "host:port", "[v6]:port" or "host"; false if there is no sense in it. */
static bool
split_port(struct arena *a, struct str s, uint16_t fallback, const char **host,
    uint64_t *port)
{
	ptrdiff_t colon = str_rfind(s, ':');

	*port = fallback;
	if (str_starts(s, STR("["))) {
		ptrdiff_t end = str_find(s, ']');

		if (end < 0)
			return false;
		if ((size_t)end + 1 < s.n && s.p[end + 1] != ':')
			return false;
		*host = arena_cstr(a, str_n(s.p, (size_t)end + 1));
		s = str_skip(s, (size_t)end + 2);
	} else if (colon >= 0) {
		*host = arena_cstr(a, str_head(s, (size_t)colon));
		s = str_skip(s, (size_t)colon + 1);
		if (s.n == 0)
			return false;
	} else {
		*host = arena_cstr(a, s);
		s = STR("");
	}
	return s.n == 0 || (str_u64(s, UINT16_MAX, port) == 0 && *port > 0);
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	    c >= 'a' && c <= 'f'    ? c - 'a' + 10 :
	    c >= 'A' && c <= 'F'    ? c - 'A' + 10 : -1;
}

/* S without its escapes (RFC 3986 2.1); NULL: there is one that is none. */
static const char *
unescape(struct arena *a, struct str s)
{
	char *text = arena_alloc(a, s.n + 1), *to = text;
	size_t i;

	for (i = 0; i < s.n; i++) {
		int high, low;

		if (s.p[i] != '%') {
			*to++ = s.p[i];
			continue;
		}
		high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
		low = high >= 0 ? hex_digit(s.p[i + 2]) : -1;
		/* What would end the text here would end it for the proxy. */
		if (low < 0 || high + low == 0)
			return NULL;
		*to++ = (char)(high * 16 + low);
		i += 2;
	}
	*to = '\0';
	return text;
}

/* "user:password", which is P's; false: P says what is wrong. */
static bool
read_login(struct arena *a, struct str login, struct conf_proxy *p)
{
	struct str user, password;
	const char *u, *w;

	(void)str_cut(login, ':', &user, &password);
	u = unescape(a, user);
	w = unescape(a, password);
	if (u == NULL || w == NULL) {
		p->wrong = "; in user and password \"%\" begins an escape of "
		    "two hexadecimal digits, as %25 for itself";
		return false;
	}
	if (strlen(u) > SOCKS_TEXT_MAX || strlen(w) > SOCKS_TEXT_MAX ||
	    (p->version == 4 && w[0] != '\0'))
		return false;
	/* RFC 7617 2: the first colon ends the user. */
	if (p->version == CONF_PROXY_HTTP && strchr(u, ':') != NULL) {
		p->wrong = "; the user of an HTTP proxy has no colon";
		return false;
	}
	p->user = u;
	p->password = w;
	return true;
}

bool
conf_proxy_read(struct arena *a, const char *text, struct conf_proxy *p)
{
	struct str s = str_c(text), login = STR("");
	ptrdiff_t at;
	uint64_t port;

	*p = (struct conf_proxy){ .version = 4, .host = "", .user = "",
		.password = "", .wrong = "" };
	if (str_istarts(s, STR("socks5://"))) {
		p->version = 5;
		s = str_skip(s, 9);
	} else if (str_istarts(s, STR("http://"))) {
		p->version = CONF_PROXY_HTTP;
		s = str_skip(s, 7);
		if (str_ends(s, STR("/")))
			s.n--;
	} else if (str_istarts(s, STR("socks4a://"))) {
		s = str_skip(s, 10);
	}
	/* A password may hold an @, a host may not. */
	at = str_rfind(s, '@');
	if (at >= 0) {
		login = str_head(s, (size_t)at);
		s = str_skip(s, (size_t)at + 1);
	}
	if (at == 0 || !read_login(a, login, p) ||
	    !split_port(a, s, p->version == CONF_PROXY_HTTP ? HTTP_PORT :
							      SOCKS_PORT,
		&p->host, &port))
		return false;
	p->host = host_of(a, p->host);
	p->port = (uint16_t)port;
	return true;
}

static void
finish_server(struct conf *c, struct conf_server *s)
{
	/* A password is worth more than a server without TLS. */
	if ((s->user[0] || s->secrets[0]) && !conf_place_get(c, &s->tls))
		s->tls = TLS_REQUIRED;
	if (s->protocol == PROTOCOL_LMTP && !conf_place_get(c, &s->port))
		s->port = LMTP_PORT;
	s->host = host_of(&c->arena, s->name);
	if (s->socks[0] && !conf_proxy_read(&c->arena, s->socks, &s->proxy))
		s->proxy.host = "";
}

void
conf_upstream_finish(struct conf *c)
{
	size_t i, j;

	for (i = 0; i < c->upstream_n; i++)
		for (j = 0; j < c->upstreams[i].server_n; j++)
			finish_server(c, &c->upstreams[i].servers[j]);
}

/* ---- servers that a via names ---- */

/* A link-local address with its link. */
static bool
is_scoped(struct str s)
{
	struct str scope;

	return str_cut(s, '%', &s, &scope) && str_find(s, ':') >= 0 &&
	    conf_name_is_ip(s) && conf_name_is_word(scope);
}

/* A name may hold what host names do not: it is only looked up. */
static bool
is_host(struct str s)
{
	return conf_name_is_ip(s) || is_scoped(s) || conf_name_is_host(s) ||
	    (conf_name_is_word(s) && strspn(s.p, "0123456789.") < s.n);
}

static bool
is_unix(struct str s)
{
	return str_starts(s, STR(UNIX_PREFIX)) &&
	    s.n - (sizeof(UNIX_PREFIX) - 1) <= UNIX_PATH_MAX &&
	    conf_name_is_path(str_skip(s, sizeof(UNIX_PREFIX) - 1));
}

const struct conf_upstream *
conf_upstream_of(struct arena *a, const char *via, int tls)
{
	bool lmtp = str_starts(str_c(via), STR("lmtp:"));
	struct conf_upstream *u = arena_alloc(a, sizeof(*u));
	struct conf_server *s = arena_alloc(a, sizeof(*s));
	struct str where = str_skip(str_c(via), 5);

	*s = (struct conf_server){ .user = "", .password = "", .token = "",
		.client_id = "", .client_secret = "", .refresh_token = "",
		.secrets = "", .selector = "",
		.tls = tls, .tls_name = "", .certificate = "", .key = "",
		.weight = 1, .ehlo = "", .socks = "",
		.protocol = lmtp ? PROTOCOL_LMTP : PROTOCOL_SMTP };
	s->port = lmtp ? LMTP_PORT : SMTP_PORT;
	if (str_starts(where, STR(UNIX_PREFIX)))
		s->name = arena_cstr(a, where);
	else if (!split_port(a, where, (uint16_t)s->port, &s->name, &s->port))
		return NULL;
	s->host = host_of(a, s->name);
	if (!is_host(str_c(s->host)) && !is_unix(str_c(s->name)))
		return NULL;
	u->name = arena_cstr(a, str_c(via));
	u->place.file = "";
	u->servers = s;
	u->server_n = 1;
	return u;
}

const struct conf_upstream *
conf_upstream_login(const struct conf_upstream *u, struct str user,
    struct str password, struct arena *a)
{
	struct conf_upstream *made = arena_alloc(a, sizeof(*made));
	struct conf_server *s = arena_alloc(a, sizeof(*s));

	*s = u->servers[0];
	s->user = arena_cstr(a, user);
	s->password = arena_cstr(a, password);
	/* As with a user in a section: no password goes in the clear. */
	if (s->tls < TLS_REQUIRED)
		s->tls = TLS_REQUIRED;
	*made = *u;
	made->servers = s;
	return made;
}

/* ---- mistakes ---- */

static void
check_login(const struct conf *c, const struct conf_upstream *u,
    const struct conf_server *s, struct buf *error)
{
	if (s->user[0] && !s->password[0] && !s->token[0])
		conf_complain(error, conf_where(c, &s->user, s->place),
		    "upstream.%s.server.%s: a user without a password, "
		    "expected password = \"...\" or token = \"...\" beside it",
		    u->name, s->name);
	if (s->token[0] && !s->user[0])
		conf_complain(error, conf_where(c, &s->token, s->place),
		    "upstream.%s.server.%s: a token without a user, "
		    "expected user = \"...\" beside it",
		    u->name, s->name);
	if (s->password[0] && !s->user[0])
		conf_complain(error, conf_where(c, &s->password, s->place),
		    "upstream.%s.server.%s: a password without a user, "
		    "expected user = \"...\" "
		    "beside it",
		    u->name, s->name);
}

static void
check_secrets(const struct conf *c, const struct conf_upstream *u,
    const struct conf_server *s, struct buf *error)
{
	if (s->secrets[0] && !conf_name_is_path(str_c(s->secrets)))
		conf_complain(error, conf_where(c, &s->secrets, s->place),
		    "upstream.%s.server.%s.secrets: \"%s\" is no path, expected "
		    "one such as \"/etc/barid/secrets\"",
		    u->name, s->name, s->secrets);
	if (s->secrets[0] && (s->user[0] || s->password[0] || s->token[0]))
		conf_complain(error, conf_where(c, &s->secrets, s->place),
		    "upstream.%s.server.%s.secrets: the file has the user, "
		    "expected neither user nor password nor token beside it",
		    u->name, s->name);
	if (s->selector[0] && !s->secrets[0])
		conf_complain(error, conf_where(c, &s->selector, s->place),
		    "upstream.%s.server.%s.selector: says nothing alone, "
		    "expected secrets = \"/path\" beside it",
		    u->name, s->name);
}

/* RFC 6749 3.2: nothing but TLS. */
static bool
is_refresh(struct str t)
{
	struct str url = str_skip(t, sizeof(REFRESH_PREFIX) - 1), rest, host;

	if (!str_starts(t, STR(REFRESH_PREFIX)) ||
	    !str_starts(url, STR("https://")))
		return false;
	rest = str_skip(url, 8);
	(void)str_cut(rest, '/', &host, &rest);
	return host.n > 0 && !str_has_ctl(url) && !str_has_8bit(url) &&
	    str_find(url, ' ') < 0 && str_find(host, '@') < 0;
}

/* What is needed to be given a token, and not without one. */
static void
check_refresh(const struct conf *c, const struct conf_upstream *u,
    const struct conf_server *s, struct buf *error)
{
	bool refresh = str_starts(str_c(s->token), STR(REFRESH_PREFIX));

	if (refresh && (!s->refresh_token[0] || !s->client_id[0]))
		conf_complain(error, conf_where(c, &s->token, s->place),
		    "upstream.%s.server.%s.token: nothing to be given a token "
		    "for, expected client-id = \"...\" and refresh-token = "
		    "\"...\" beside it",
		    u->name, s->name);
	if (!refresh && (s->refresh_token[0] || s->client_secret[0] ||
		s->client_id[0]))
		conf_complain(error, s->place,
		    "upstream.%s.server.%s: client-id, client-secret and "
		    "refresh-token say nothing alone, expected token = "
		    "\"refresh:https://...\" beside them",
		    u->name, s->name);
}

/* The runner reads it for each session, so that it need not be there yet. */
static void
check_token(const struct conf *c, const struct conf_upstream *u,
    const struct conf_server *s, struct buf *error)
{
	struct str t = str_c(s->token);

	check_refresh(c, u, s, error);
	if (t.n == 0 || is_refresh(t) || (str_starts(t, STR(FILE_PREFIX)) &&
		conf_name_is_path(str_skip(t, sizeof(FILE_PREFIX) - 1))))
		return;
	conf_complain(error, conf_where(c, &s->token, s->place),
	    "upstream.%s.server.%s.token: \"%s\" says not where a token is, "
	    "expected \"file:/path\" or \"refresh:https://host/path\"",
	    u->name, s->name, s->token);
}

static bool
is_mechanism(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
		if (str_ieq(str_c(mechanisms[i]), str_c(name)))
			return true;
	return false;
}

static void
check_auth(const struct conf *c, const struct conf_upstream *u,
    const struct conf_server *s, struct buf *error)
{
	struct nearest near;
	struct buf hint;

	for (size_t i = 0; i < s->auth.n; i++) {
		if (is_mechanism(s->auth.v[i]))
			continue;
		conf_nearest_init(&near, str_c(s->auth.v[i]));
		for (size_t k = 0; k < ARRAY_LEN(mechanisms); k++)
			conf_nearest_try(&near, mechanisms[k]);
		buf_init(&hint, 500);
		conf_nearest_hint(&near, &hint);
		conf_complain(error, conf_where(c, &s->auth.v[i], s->place),
		    "upstream.%s.server.%s.auth: \"%s\" is unknown, expected "
		    "a mechanism such as SCRAM-SHA-256, PLAIN or XOAUTH2%s",
		    u->name, s->name, s->auth.v[i], buf_cstr(&hint));
		buf_free(&hint);
	}
}

static void
check_server_tls(const struct conf *c, const struct conf_upstream *u,
    const struct conf_server *s, struct buf *error)
{
	if (s->tls_name[0] && !is_host(str_c(s->tls_name)))
		conf_complain(error, conf_where(c, &s->tls_name, s->place),
		    "upstream.%s.server.%s.tls-name: \"%s\" is no host name, "
		    "expected one such as \"smtp.example.org\"",
		    u->name, s->name, s->tls_name);
	if (s->tls == TLS_DANE && s->socks[0])
		conf_complain(error, conf_where(c, &s->tls, s->place),
		    "upstream.%s.server.%s.tls: behind a proxy nobody here asks "
		    "DNS, expected \"verified\" instead of \"dane\"",
		    u->name, s->name);
	if (s->key[0] && !s->certificate[0])
		conf_complain(error, conf_where(c, &s->key, s->place),
		    "upstream.%s.server.%s.key: a key without a certificate, "
		    "expected certificate = \"/path\" beside it",
		    u->name, s->name);
	if (s->certificate[0] && !conf_name_is_path(str_c(s->certificate)))
		conf_complain(error, conf_where(c, &s->certificate, s->place),
		    "upstream.%s.server.%s.certificate: \"%s\" is no path, "
		    "expected one such as \"/etc/barid/tls/client.pem\"",
		    u->name, s->name, s->certificate);
	if (s->key[0] && !conf_name_is_path(str_c(s->key)))
		conf_complain(error, conf_where(c, &s->key, s->place),
		    "upstream.%s.server.%s.key: \"%s\" is no path, "
		    "expected one such as \"/etc/barid/tls/client.key\"",
		    u->name, s->name, s->key);
}

static void
check_server(const struct conf *c, const struct conf_upstream *u,
    const struct conf_server *s, struct buf *error)
{
	if (!is_host(str_c(s->host)) && !is_unix(str_c(s->name)))
		conf_complain(error, s->place,
		    "upstream.%s.server: \"%s\" is no host, expected a "
		    "host name, an address or \"unix:/path\"",
		    u->name, s->name);
	if (s->ehlo[0] && !conf_name_is_domain(str_c(s->ehlo)))
		conf_complain(error, conf_where(c, &s->ehlo, s->place),
		    "upstream.%s.server.%s.ehlo: \"%s\" is no host name, "
		    "expected one such as \"mail.example.org\"",
		    u->name, s->name, s->ehlo);
	if (s->socks[0] && !is_host(str_c(s->proxy.host)))
		conf_complain(error, conf_where(c, &s->socks, s->place),
		    "upstream.%s.server.%s.socks: this is no proxy, expected "
		    "\"host:port\", \"socks4a://host:port\", "
		    "\"socks5://user:password@host:port\" or "
		    "\"http://user:password@host:port\"%s",
		    u->name, s->name, s->proxy.wrong);
	if (s->socks[0] && is_unix(str_c(s->name)))
		conf_complain(error, conf_where(c, &s->socks, s->place),
		    "upstream.%s.server.%s.socks: no proxy leads to a socket "
		    "of this host, expected none",
		    u->name, s->name);
	check_server_tls(c, u, s, error);
	check_login(c, u, s, error);
	check_secrets(c, u, s, error);
	check_token(c, u, s, error);
	check_auth(c, u, s, error);
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

	if (strcmp(u->name, "mx") == 0 || strcmp(u->name, "discard") == 0 ||
	    strchr(u->name, ':') != NULL)
		conf_complain(error, u->place,
		    "upstream: \"%s\" means something else as a route's via, "
		    "expected another name",
		    u->name);
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

void
conf_upstream_check(const struct conf *c, struct buf *error)
{
	size_t i;

	for (i = 0; i < c->upstream_n; i++)
		check_upstream(c, &c->upstreams[i], error);
}
