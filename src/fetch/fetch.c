/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * fetch -- HTTPS, and HTTP where that is asked for, by libcurl.
 *
 * One request, one answer of bounded size in bounded time, and nothing that
 * a server could lead elsewhere: no redirect is followed, no cookie, .netrc,
 * compression or proxy of the environment is used, and the address is looked
 * at once more when the socket is made, so that whoever gave the name another
 * address meanwhile gains nothing.  A proxy of the configuration is led to the
 * address that was found here, under the same rule.  Certificates are held against the anchors and
 * the name as those of mail hosts are (net/tls.c).
 */

#include "fetch/fetch.h"

#include <curl/curl.h>
#include <unistd.h>

#include "lib/clock.h"
#include "net/tls.h"
#include "policy/override.h"

#define CONNECT_MS 20000L
#define HEADERS_MAX 65536

struct state {
	const struct fetch *f;
	struct buf *host;
	struct buf *body;
	size_t headers;
	bool too_large;
	bool refused;		/* an address that is not public */
	bool no_anchors;
};

bool
fetch_host(const char *url, struct buf *host)
{
	CURLU *u = curl_url();
	char *p = NULL;
	bool ok = u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &p, 0) == CURLUE_OK;
	struct str s;

	if (ok) {
		s = str_c(p);
		if (s.n > 2 && s.p[0] == '[')
			s = str_n(s.p + 1, s.n - 2);
		buf_add(host, s);
	}
	curl_free(p);
	curl_url_cleanup(u);
	return ok;
}

/* ---- what libcurl asks ------------------------------------------------------ */

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct state *s = arg;

	if (size * n > s->f->max - s->body->n) {
		s->too_large = true;
		return 0;
	}
	buf_add(s->body, str_n(p, size * n));
	return size * n;
}

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct state *s = arg;

	(void)p;
	s->headers += size * n;
	if (s->headers <= HEADERS_MAX)
		return size * n;
	s->too_large = true;
	return 0;
}

static curl_socket_t
on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct state *s = arg;
	struct addr a = { .len = to->addrlen };

	(void)purpose;
	if (to->addrlen > sizeof(a.ss))
		return CURL_SOCKET_BAD;
	memcpy(&a.ss, &to->addr, to->addrlen);
	if (s->f->proxy == NULL && !s->f->anywhere && !addr_is_public(&a)) {
		s->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static CURLcode
on_tls(CURL *curl, void *ssl_ctx, void *arg)
{
	struct state *s = arg;

	(void)curl;
	if (tls_demand(ssl_ctx, s->f->ca, buf_cstr(s->host)))
		return CURLE_OK;
	s->no_anchors = true;
	return CURLE_SSL_CACERT_BADFILE;
}

/* ---- where it is ------------------------------------------------------------ */

/*
 * "HOST:PORT:ADDRESS,ADDRESS": these, and nothing that was looked up.  NULL: it is
 * an address itself, which with colons could not stand there.
 */
static struct curl_slist *
resolve_list(const char *host, unsigned port, const struct addr *addr, size_t n)
{
	struct curl_slist *list;
	struct addr own;
	struct buf b;

	if (addr_parse(str_c(host), 0, &own) == 0)
		return NULL;
	buf_init(&b, 4096);
	buf_addf(&b, "%s:%u:", host, port);
	for (size_t i = 0; i < n && i < FETCH_ADDR_MAX; i++) {
		bool six = addr_family(&addr[i]) == AF_INET6;

		if (i > 0)
			buf_addc(&b, ',');
		buf_adds(&b, six ? "[" : "");
		addr_add(&b, &addr[i]);
		buf_adds(&b, six ? "]" : "");
	}
	list = curl_slist_append(NULL, buf_cstr(&b));
	buf_free(&b);
	return list;
}

/* "::PORT": to the same name at another port; NULL: at the URL's. */
static struct curl_slist *
connect_list(const char *host, unsigned port)
{
	bool six = strchr(host, ':') != NULL;
	struct curl_slist *list = NULL;
	struct buf b;

	if (port == 0)
		return NULL;
	buf_init(&b, 1024);
	buf_addf(&b, six ? "::[%s]:%u" : "::%s:%u", host, port);
	list = curl_slist_append(NULL, buf_cstr(&b));
	buf_free(&b);
	return list;
}

/*
 * "::ADDRESS:PORT": what a proxy is led to, whatever the name.  NULL: there is
 * no address, or none that may be; *REFUSED says which.
 */
static struct curl_slist *
proxied_list(const struct fetch *f, unsigned port, const struct addr *addr,
    size_t n, bool *refused)
{
	struct curl_slist *list = NULL;
	struct buf b;

	*refused = n > 0;
	buf_init(&b, 256);
	for (size_t i = 0; i < n && list == NULL; i++) {
		bool six = addr_family(&addr[i]) == AF_INET6;

		if (!f->anywhere && !addr_is_public(&addr[i]))
			continue;
		buf_adds(&b, six ? "::[" : "::");
		addr_add(&b, &addr[i]);
		buf_addf(&b, "%s:%u", six ? "]" : "", port);
		list = curl_slist_append(NULL, buf_cstr(&b));
		*refused = false;
	}
	buf_free(&b);
	return list;
}

static unsigned
url_port(const char *url)
{
	CURLU *u = curl_url();
	char *p = NULL;
	uint64_t port = 443;

	if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &p, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	    str_u64(str_c(p), UINT16_MAX, &port) < 0)
		port = 443;
	curl_free(p);
	curl_url_cleanup(u);
	return (unsigned)port;
}

/* ---- the request ------------------------------------------------------------- */

/* Either proxy is told a name or an address, and looks up no other. */
static void
set_proxy(CURL *curl, const struct conf_proxy *p)
{
	bool six = strchr(p->host, ':') != NULL;
	struct buf b;

	buf_init(&b, 4096);
	buf_addf(&b, "%s://%s%s%s:%u",
	    p->version == CONF_PROXY_HTTP ? "http" : "socks5h",
	    six ? "[" : "", p->host, six ? "]" : "", (unsigned)p->port);
	curl_easy_setopt(curl, CURLOPT_PROXY, buf_cstr(&b));
	curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (p->user[0] != '\0') {
		curl_easy_setopt(curl, CURLOPT_PROXYUSERNAME, p->user);
		curl_easy_setopt(curl, CURLOPT_PROXYPASSWORD, p->password);
	}
	buf_free(&b);
}

static void
set_options(CURL *curl, struct state *s)
{
	const struct fetch *f = s->f;

	curl_easy_setopt(curl, CURLOPT_URL, f->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, f->clear ? "https,http" : "https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	if (f->proxy != NULL)
		set_proxy(curl, f->proxy);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)f->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)f->max);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "barid");
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	/* on_tls() has the anchors. */
	curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, s);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, s);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, s);
	if (f->user) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, f->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, f->password);
	}
	if (f->post)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, f->post);
}

/* "Text/Plain; charset=utf-8" is text/plain. */
static bool
is_type(const char *got, const char *want)
{
	struct str type, rest;

	if (!want)
		return true;
	(void)str_cut(str_c(got), ';', &type, &rest);
	return str_ieq(str_trim(type), str_c(want));
}

/* Why RC, or an answer with CODE, is none; false: it is one. */
static bool
complain(CURL *curl, const struct state *s, CURLcode rc, long code,
    const char *words, struct buf *error)
{
	const char *type = NULL;
	bool fits = code == 200 || s->f->any_code;

	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	if (s->refused)
		buf_adds(error, "its address is not a public one");
	else if (s->no_anchors)
		buf_adds(error, "the trust anchors cannot be read");
	else if (s->too_large || rc == CURLE_FILESIZE_EXCEEDED)
		buf_addf(error, "the answer has more than %zu octets", s->f->max);
	else if (rc != CURLE_OK)
		buf_adds(error, words[0] ? words : curl_easy_strerror(rc));
	else if (code >= 300 && code < 400 && !fits)
		buf_addf(error, "HTTP status %ld: redirects are not followed", code);
	else if (!fits)
		buf_addf(error, "HTTP status %ld", code);
	else if (!is_type(type, s->f->type))
		buf_addf(error, "its content type is %.100s, not %s",
		    type ? type : "missing", s->f->type);
	return error->n > 0;
}

bool
fetch_run(const struct fetch *f, const struct addr *addr, size_t n,
    struct buf *body, long *code, struct buf *error)
{
	char words[CURL_ERROR_SIZE] = "";
	unsigned other = n > 0 ? addr_port(&addr[0]) : 0;
	bool by_name = f->proxy != NULL && f->anywhere;
	struct curl_slist *resolve = NULL, *connect;
	struct buf host;
	struct state s = { .f = f, .host = &host, .body = body };
	CURL *curl = curl_easy_init();
	CURLcode rc;
	bool ok;

	*code = 0;
	buf_init(&host, 1024);
	if (!curl || (n == 0 && !by_name) || !fetch_host(f->url, &host)) {
		buf_adds(error, n == 0 && !by_name ? "it has no address" : "it is no URL");
		curl_easy_cleanup(curl);
		buf_free(&host);
		return false;
	}
	if (other == 0)
		other = url_port(f->url);
	if (f->proxy != NULL) {
		connect = proxied_list(f, other, addr, n, &s.refused);
	} else {
		resolve = resolve_list(buf_cstr(&host), other, addr, n);
		connect = connect_list(buf_cstr(&host),
		    addr_port(&addr[0]));
	}
	set_options(curl, &s);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
	curl_easy_setopt(curl, CURLOPT_RESOLVE, resolve);
	curl_easy_setopt(curl, CURLOPT_CONNECT_TO, connect);
	rc = s.refused ? CURLE_COULDNT_CONNECT : curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, code);
	ok = !complain(curl, &s, rc, *code, words, error);
	curl_easy_cleanup(curl);
	curl_slist_free_all(resolve);
	curl_slist_free_all(connect);
	buf_free(&host);
	return ok;
}

bool
fetch_get(const struct conf *c, struct fetch *f, struct buf *body, long *code,
    struct buf *error)
{
	int64_t begun = clock_ms();
	struct addr v[FETCH_ADDR_MAX];
	struct buf host;
	bool ok = false, later;
	size_t n;

	buf_init(&host, 1024);
	*code = 0;
	if (!fetch_host(f->url, &host)) {
		buf_adds(error, "it is no URL");
	} else {
		n = fetch_look_up(c, buf_cstr(&host), v, &later);
		f->anywhere = f->anywhere || override_has(c, buf_str(&host));
		f->timeout_ms -= clock_ms() - begun;
		if (n == 0 && (f->proxy == NULL || !f->anywhere))
			buf_addf(error, "%s %s", buf_cstr(&host),
			    later ? "cannot be looked up" : "has no address");
		else if (f->timeout_ms <= 0)
			buf_addf(error, "%s took too long to be looked up",
			    buf_cstr(&host));
		else
			ok = fetch_run(f, v, n, body, code, error);
	}
	buf_free(&host);
	return ok;
}
