/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * visit -- a connection, in a process of its own: TLS, one request, its answer.
 *
 * Each has a deadline as a whole, so that who sends an octet now and then wins
 * nothing (S-12, S-63), and the process is gone with it.  A backend that hangs, or
 * a queue that is long, keeps waiting who asked and nobody else.
 */

#include "admin.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "html.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "policy/recipient.h"

#define HANDSHAKE_MS 15000
#define REQUEST_MS 20000
#define ANSWER_MS 30000
#define LINGER_MS 2000
/* A request, and what a page is made of. */
#define ARENA_MAX (REQUEST_ARENA_MAX + ((size_t)64 << 20))

/* ---- pages ------------------------------------------------------------------------------ */

static void
health(struct visit *v UNUSED, struct answer *answer)
{
	answer_be(answer, 200, "ok");
}

static void
style(struct visit *v UNUSED, struct answer *answer)
{
	answer->type = "text/css; charset=utf-8";
	answer->may_be_kept = true;
	buf_adds(&answer->body, html_style());
}

enum { GET = 1, POST = 2 };
/* Who may see it: everybody; everybody but who is blocked; a network; an administrator. */
enum need { NEED_NOTHING, NEED_NOT_BLOCKED, NEED_METRICS, NEED_LOGIN };

static const struct page {
	const char *path;
	unsigned methods;
	enum need need;
	void (*show)(struct visit *v, struct answer *answer);
} pages[] = {
	{ "/health", GET, NEED_NOTHING, health },
	{ "/style.css", GET, NEED_NOT_BLOCKED, style },
	{ "/login", GET | POST, NEED_NOT_BLOCKED, login_page },
	{ "/logout", POST, NEED_LOGIN, login_end },
	{ "/", GET, NEED_LOGIN, overview_page },
	{ "/queue", GET, NEED_LOGIN, queue_page },
	{ "/message", GET | POST, NEED_LOGIN, message_page },
	{ "/destinations", GET, NEED_LOGIN, dests_page },
	{ "/blocks", GET | POST, NEED_LOGIN, blocks_page },
	{ "/logins", GET | POST, NEED_LOGIN, backends_page },
	{ "/metrics", GET, NEED_METRICS, metrics_page },
};

static const struct page *
page_of(struct str path)
{
	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		if (str_eq(path, str_c(pages[i].path)))
			return &pages[i];
	return NULL;
}

/* ---- whose host it is ----------------------------------------------------------------- */

/* NAME, or with "*." before it those one label below. */
static bool
is_named(struct str host, struct str name)
{
	ptrdiff_t dot = str_find(host, '.');

	if (str_starts(name, STR("*.")))
		return dot > 0 && str_ieq(str_skip(host, (size_t)dot), str_skip(name, 1));
	return name.n > 0 && str_ieq(host, name);
}

/*
 * A page of another site, whose name was made to lead here, says that name: so it
 * is one of ours, or an address, which is nobody's to lead.
 */
static bool
is_our_host(const struct visit *v)
{
	const struct conf *c = &v->conf;
	struct str host = v->request.host;
	struct addr a;

	if (addr_parse_port(host, 0, &a) == 0)
		return true;
	if (host.n > 0 && host.p[0] != '[')
		str_cut(host, ':', &host, &(struct str){ NULL, 0 });
	if (str_ends(host, STR(".")))
		host = str_head(host, host.n - 1);
	for (size_t i = 0; i < c->tls.name_n; i++)
		if (is_named(host, str_c(c->tls.names[i].name)))
			return true;
	return is_named(host, str_c(c->hostname)) || is_named(host, STR("localhost")) ||
	    is_named(host, str_c(v->ear->conf->hostname));
}

/* ---- the request ------------------------------------------------------------------------ */

/* Whether V may have PAGE; else it is answered. */
static bool
is_allowed(struct visit *v, const struct page *page, struct answer *answer)
{
	if (page->need == NEED_NOTHING)
		return true;
	if (login_is_blocked(v, answer))
		return false;
	if (page->need == NEED_NOT_BLOCKED ||
	    (page->need == NEED_METRICS && access_listed(&v->conf.admin.metrics, &v->peer)))
		return true;
	switch (login_look(v, answer)) {
	case LOGIN_YES:
		return true;
	case LOGIN_NOBODY:
		login_demand(v, answer);
		return false;
	case LOGIN_ANSWERED:
		break;
	}
	return false;
}

static void
dispatch(struct visit *v, struct answer *answer)
{
	const struct request *r = &v->request;
	const struct page *page = page_of(r->path);
	unsigned method = r->method == REQUEST_POST ? POST : GET;

	if (!is_our_host(v))
		answer_be(answer, 421, "this host has another name");
	else if (!page)
		answer_be(answer, 404, "there is no such page");
	else if ((page->methods & method) == 0)
		answer_be(answer, 405, "this page is not asked for in this way");
	else if (is_allowed(v, page, answer) &&
	    /* The page of the login looks itself. */
	    (method == GET || page->show == login_page || login_is_own_form(v, answer)))
		page->show(v, answer);
}

static const char *
what_is_wrong(int status)
{
	switch (status) {
	case 405:
		return "this method is not known here";
	case 408:
		return "the request took too long";
	case 411:
		return "the length of the body is missing";
	case 413:
	case 414:
	case 431:
		return "the request is too long";
	case 415:
		return "expected application/x-www-form-urlencoded";
	case 417:
		return "nothing is to be expected here";
	case 501:
		return "a body has its length here, and no transfer coding";
	case 505:
		return "expected HTTP/1.1";
	default:
		return "this is no request";
	}
}

static void
log_answer(const struct visit *v, int status)
{
	struct str path = v->request.path;
	const char *method = v->request.method == REQUEST_POST ? "POST" : "GET";

	if (status >= 400 || v->request.method == REQUEST_POST)
		log_info(NULL, "%s " STR_FMT " %d, ip=[%s]%s%s", method,
		    STR_ARG(str_head(path, 200)), status, v->client,
		    v->user[0] ? ", user=" : "", v->user);
	else
		log_debug(NULL, "%s " STR_FMT " %d, ip=[%s]", method, STR_ARG(path), status,
		    v->client);
}

static void
converse(struct visit *v)
{
	int status = request_read(&v->stream, clock_ms() + REQUEST_MS, &v->arena, &v->request);
	struct answer answer;

	if (status < 0)
		return;
	answer_init(&answer);
	if (status > 0)
		answer_be(&answer, status, what_is_wrong(status));
	else
		dispatch(v, &answer);
	log_answer(v, answer.status);
	if (!answer_send(&answer, &v->stream, v->request.method != REQUEST_HEAD,
		clock_ms() + ANSWER_MS))
		log_debug(NULL, "a client went away, ip=[%s]", v->client);
	answer_free(&answer);
}

/* ---- the connection ------------------------------------------------------------------------ */

/* What is closed with octets unread takes its answer back (RFC 9112 9.6). */
static void
linger(const struct visit *v)
{
	int64_t until = clock_ms() + LINGER_MS, now;
	struct pollfd p = { .fd = v->fd, .events = POLLIN };
	char bytes[4096];

	(void)shutdown(v->fd, SHUT_WR);
	while ((now = clock_ms()) < until && poll(&p, 1, (int)(until - now)) > 0)
		if (recv(v->fd, bytes, sizeof(bytes), MSG_DONTWAIT) <= 0)
			break;
}

static bool
begin_tls(struct visit *v)
{
	struct buf error;

	buf_init(&error, 512);
	v->tls = tls_accept(v->ear->tls, v->fd, clock_ms() + HANDSHAKE_MS, &error);
	if (v->tls)
		stream_init(&v->stream, &tls_stream_ops, v->tls);
	else
		log_info(NULL, "TLS handshake failed, ip=[%s]: %s", v->client, buf_cstr(&error));
	buf_free(&error);
	return v->tls != NULL;
}

void
visit_serve(const struct admin *a, const struct ear *e, int fd, const struct addr *peer)
{
	struct visit v = { .a = a, .ear = e, .peer = *peer, .fd = fd, .user = "" };
	struct stream_fd transport;
	struct buf name;

	conf_at_listener(a->conf, e->conf, &v.conf);
	if (e->conf->hostname[0] != '\0')
		v.conf.hostname = e->conf->hostname;
	buf_init_in(&name, v.client, sizeof(v.client));
	addr_add(&name, peer);
	arena_init(&v.arena, ARENA_MAX);
	stream_fd_init(&transport, fd, fd);
	stream_init(&v.stream, &stream_fd_ops, &transport);
	if (!e->tls || begin_tls(&v)) {
		converse(&v);
		tls_goodbye(v.tls);
		linger(&v);
	}
	/* There may be a password in it. */
	arena_wipe(&v.arena);
	buf_wipe(&v.stream.in);
	stream_free(&v.stream);
	tls_free(v.tls);
	close(fd);
}
