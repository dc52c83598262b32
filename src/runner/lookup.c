/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * lookup -- from the name of a destination to the hosts that take its mail.
 *
 * MX hosts by RFC 5321 5.1 and RFC 7505, the servers of an upstream, or an
 * address literal.  All names are looked up at once; the answer is kept for
 * a while with the destination.  A failure is permanent only where DNS said
 * clearly no: whatever is not clear is temporary.  An upstream is our own
 * configuration, so its failures are temporary always.
 *
 * The fallback of a destination stands behind its MX hosts.  It is used
 * where these fail or cannot be found for now, not where DNS said no, and
 * not where we are one of them: then it would send the mail to us.
 *
 * What is behind a SOCKS proxy has the proxy's addresses here, and its own
 * name is asked of nobody.
 */

#include "lookup.h"

#include <stdarg.h>

#include "group.h"
#include "lib/clock.h"
#include "lib/idn.h"
#include "lib/mem.h"
#include "mail/path.h"
#include "policy/self.h"
#include "runner.h"

/* Of 32 hosts, each with so many TLSA records as an answer has room for. */
#define ARENA_MAX ((size_t)8 << 20)
#define TTL_MAX_S 300

struct lookup_one {
	struct lookup *lookup;
	struct host *host;
	enum dns_status status;
};

struct lookup {
	struct dest *d;
	struct hosts *h;
	struct loop_timer *later;	/* makes the end come from outside */
	struct lookup_one one[HOSTS_MAX];
	size_t pending;
	uint32_t ttl;
	bool implicit;		/* no MX: the domain itself is the host */
	bool self;		/* we are one of them */
	bool ignored;		/* some are where none is believed to be */
	bool here;		/* a message names this host, and nobody else does */
	char *domain;		/* in the form that DNS knows; NULL: not asked for */
	const char *canonical;	/* what its aliases led to */
	bool mx_secure;
	bool overridden;
	const struct host *skipped;	/* one that TLS_DEMAND_SKIP left out */
	struct buf reason;	/* of the first that was temporary */
	bool temporary;
};

/* ---- the end ------------------------------------------------------------------ */

/* RFC 5321 5.1: we and whoever is no better than we are left out. */
static void
drop_self(struct lookup *l)
{
	struct hosts *h = l->h;
	unsigned limit = UINT32_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < h->n; i++) {
		bool self = self_has_name(l->d->r->conf,
		    str_c(h->v[i].name));

		if (h->v[i].fallback)
			continue;
		for (size_t k = 0; k < h->v[i].addr_n; k++)
			self = self || self_is(l->d->r->self, &h->v[i].addr[k]);
		if (self && h->v[i].preference < limit)
			limit = h->v[i].preference;
	}
	l->self = limit != UINT32_MAX;
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].fallback ? !l->self : h->v[i].preference < limit)
			h->v[kept++] = h->v[i];
	h->n = kept;
}

static void
drop_ignored(struct lookup *l)
{
	for (size_t i = 0; i < l->h->n; i++) {
		struct host *v = &l->h->v[i];
		size_t kept = 0;

		for (size_t k = 0; k < v->addr_n && !v->fallback; k++)
			if (!self_ignores(l->d->r->conf, &v->addr[k]))
				v->addr[kept++] = v->addr[k];
		if (v->fallback || kept == v->addr_n)
			continue;
		l->ignored = true;
		v->addr_n = kept;
	}
}

/*
 * An envelope comes from a session, which may have been taken over: what else
 * listens at this host, and believes who is on it, is none of its business.
 */
static void
drop_here(struct lookup *l)
{
	for (size_t i = 0; i < l->h->n; i++) {
		struct host *v = &l->h->v[i];
		size_t kept = 0;

		for (size_t k = 0; k < v->addr_n; k++)
			if (!self_is_here(&v->addr[k]))
				v->addr[kept++] = v->addr[k];
		l->here = l->here || kept < v->addr_n;
		v->addr_n = kept;
	}
}

/* False: only a message has asked for it. */
static bool
is_configured(const struct conf *c, const struct way *w)
{
	return w->kind == DEST_UPSTREAM ? conf_upstream_known(c, w->upstream) :
					  conf_mx_port_known(c, w->port);
}

static bool
any_address(const struct hosts *h, bool fallback)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].addr_n > 0 && h->v[i].fallback == fallback)
			return true;
	return false;
}

static bool
no_name(const struct lookup *l)
{
	return l->implicit && l->one[0].status == DNS_NO_NAME;
}

/* Why there is no host at all. */
static struct result
why_none(const struct lookup *l, struct buf *words)
{
	const char *name = l->d->name;

	if (l->skipped != NULL) {
		buf_addf(words, "no mail host of %s can be trusted: %s: %s",
		    name, l->skipped->name, l->skipped->tls.reason);
		if (l->skipped->tls.refused)
			return result_words(PERMFAIL, "5.7.10",
			    buf_str(words));
		return result_words(TEMPFAIL, "4.7.5", buf_str(words));
	}
	if (l->temporary) {
		buf_addf(words, "cannot look up %s: %s", name,
		    buf_cstr(&l->reason));
		return result_words(TEMPFAIL, "4.4.3", buf_str(words));
	}
	if (l->self) {
		buf_addf(words, "mail for %s loops back to this host", name);
		return result_words(PERMFAIL, "5.4.6", buf_str(words));
	}
	if (l->here) {
		buf_addf(words, "%s leads to this host, where no upstream, route or "
		    "recipient of the configuration has it", name);
		return result_words(TEMPFAIL, "4.3.5", buf_str(words));
	}
	if (l->d->way->kind == DEST_UPSTREAM) {
		buf_addf(words, "no server of upstream %s has an address",
		    name);
		return result_words(TEMPFAIL, "4.4.4", buf_str(words));
	}
	if (no_name(l)) {
		buf_addf(words, "there is no domain %s", name);
		return result_words(PERMFAIL, "5.1.2", buf_str(words));
	}
	buf_addf(words, "no mail host of %s has an address%s", name,
	    l->ignored ? " where one can be" : "");
	return result_words(PERMFAIL, "5.4.4", buf_str(words));
}

/*
 * H in as much memory as it needs.  Not shrunk where it is: what is left
 * behind it would be too small for the next lookup.
 */
static struct hosts *
fitted(struct hosts *h)
{
	size_t n = sizeof(*h) + h->n * sizeof(h->v[0]);
	struct hosts *kept = mem_alloc(n);

	memcpy(kept, h, n);
	mem_free(h);
	return kept;
}

/* Gives the answer, RES or the hosts, to the destination. */
static void
lookup_end(struct lookup *l, const struct result *res)
{
	struct dest *d = l->d;
	struct hosts *h = l->h;
	int64_t least = d->r->conf->dns.min_ttl;
	int64_t ttl = (int64_t)(l->ttl > TTL_MAX_S ? TTL_MAX_S : l->ttl) * 1000;

	h->expires = clock_ms() + (ttl < least ? least : ttl);
	h = fitted(h);
	loop_timer_free(l->later);
	buf_free(&l->reason);
	mem_free(l->domain);
	mem_free(l);
	if (res != NULL) {
		hosts_free(h);
		h = NULL;
	}
	dest_resolved(d, h, res);
}

/* A host that is left out for want of trust may be there another time. */
static void
note_skipped(struct lookup *l)
{
	for (size_t i = 0; i < l->h->n; i++) {
		const struct host *h = &l->h->v[i];

		if (h->tls.demand != TLS_DEMAND_SKIP || h->fallback)
			continue;
		l->skipped = h;
		l->temporary = true;
	}
}

/* The hosts that are left have their addresses, and TLS is decided. */
static void
lookup_decided(void *arg)
{
	struct lookup *l = arg;
	struct result res;
	struct buf words;

	note_skipped(l);
	l->h->unsure = l->temporary;
	if (any_address(l->h, false) ||
	    (l->temporary && any_address(l->h, true))) {
		lookup_end(l, NULL);
		return;
	}
	buf_init(&words, 1024);
	res = why_none(l, &words);
	lookup_end(l, &res);
	buf_free(&words);
}

static void
lookup_done(void *arg)
{
	struct lookup *l = arg;
	struct tls_question q = { .dest = l->d, .hosts = l->h->v,
		.domain = l->overridden ? NULL : l->domain,
		.canonical = l->canonical, .mx_secure = l->mx_secure,
		.arena = &l->h->arena, .ttl = &l->ttl,
		.done = lookup_decided, .arg = l };

	/* An override is our own configuration, as an upstream is. */
	if (l->d->way->kind == DEST_MX && !l->overridden) {
		drop_self(l);
		drop_ignored(l);
	}
	if (!is_configured(l->d->r->conf, l->d->way))
		drop_here(l);
	q.host_n = l->h->n;
	hosts_tls(&q);
}

static void lookup_refuse(struct lookup *l, enum outcome o, const char *status,
    const char *fmt, ...) PRINTF(4, 5);

static void
lookup_refuse(struct lookup *l, enum outcome o, const char *status,
    const char *fmt, ...)
{
	struct buf words;
	struct result res;
	va_list ap;

	buf_init(&words, 1024);
	va_start(ap, fmt);
	buf_vaddf(&words, fmt, ap);
	va_end(ap);
	res = result_words(o, status, buf_str(&words));
	lookup_end(l, &res);
	buf_free(&words);
}

/* ---- addresses ----------------------------------------------------------------- */

static void
note_temporary(struct lookup *l, const char *host, const char *reason)
{
	if (!l->temporary)
		buf_addf(&l->reason, "%s: %s", host, reason);
	l->temporary = true;
}

static uint16_t
port_of(const struct lookup *l, const struct host *h)
{
	if (h->server != NULL && h->server->proxy.version != 0)
		return h->server->proxy.port;
	if (h->server != NULL)
		return (uint16_t)h->server->port;
	return l->d->way->port;
}

static void
on_addr(void *arg, const struct dns_addr_answer *a)
{
	struct lookup_one *one = arg;
	struct lookup *l = one->lookup;
	struct host *h = one->host;

	one->status = a->status;
	if (a->status == DNS_TEMPORARY && !h->fallback)
		note_temporary(l, h->name, a->reason);
	if (a->status == DNS_OK) {
		if (a->ttl < l->ttl)
			l->ttl = a->ttl;
		h->addr_n = hosts_mix(a->addr, a->addr_n, h->addr,
		    HOST_ADDR_MAX);
		/* An override may say another one. */
		for (size_t i = 0; i < h->addr_n; i++)
			if (addr_port(&h->addr[i]) == 0)
				addr_set_port(&h->addr[i], port_of(l, h));
		h->secure = a->secure;
		if (a->canonical != NULL)
			h->canonical = arena_cstr(&l->h->arena,
			    str_c(a->canonical));
	}
	if (--l->pending == 0)
		lookup_done(l);
}

/* The name that is to be looked up for H. */
static const char *
lookup_name(const struct host *h)
{
	return h->server == NULL	      ? h->name :
	    h->server->proxy.version != 0 ? h->server->proxy.host :
					    h->server->host;
}

/* An upstream's server may be written as an address, or be a socket here. */
static bool
is_address(const struct lookup *l, struct host *h)
{
	const char *name = lookup_name(h);

	if (h->server == NULL)
		return false;
	if (strncmp(name, "unix:", 5) == 0) {
		if (addr_unix(name + 5, &h->addr[0]) < 0)
			return false;
	} else if (addr_parse(str_c(name), port_of(l, h), &h->addr[0]) < 0)
		return false;
	h->addr_n = 1;
	return true;
}

/* Asks for the addresses of all hosts that are no address themselves. */
static void
lookup_addrs(struct lookup *l)
{
	struct hosts *h = l->h;

	/* The last answer ends it all: not before the last was asked for. */
	l->pending = 1;
	for (size_t i = 0; i < h->n; i++) {
		l->one[i] = (struct lookup_one){ .lookup = l,
			.host = &h->v[i] };
		if (is_address(l, &h->v[i]))
			continue;
		l->pending++;
		dns_addr(l->d->r->dns, lookup_name(&h->v[i]), on_addr,
		    &l->one[i]);
	}
	if (--l->pending == 0)
		loop_timer_set(l->later, 0);
}

static struct host *
host_add(struct hosts *h, struct str name)
{
	struct host *v;

	if (h->n == HOSTS_MAX || name.n == 0 || name.n >= sizeof(v->name))
		return NULL;
	v = &h->v[h->n++];
	*v = (struct host){ 0 };
	memcpy(v->name, name.p, name.n);
	return v;
}

static void
add_servers(struct lookup *l, const struct conf_upstream *u, bool fallback)
{
	for (size_t i = 0; i < u->server_n; i++) {
		const struct conf_server *s = &u->servers[i];
		bool here = strncmp(s->host, "unix:", 5) == 0;
		struct host *h = host_add(l->h,
		    here ? STR("localhost") : str_c(s->host));

		if (h == NULL)
			continue;
		h->server = s;
		h->fallback = fallback;
	}
}

/* ---- MX ------------------------------------------------------------------------- */

/* RFC 7505: a null MX means it only where it stands alone. */
static bool
is_null(const struct dns_mx_answer *a)
{
	return a->mx_n == 1 && a->mx[0].host[0] == '\0';
}

static void
on_mx(void *arg, const struct dns_mx_answer *a)
{
	struct lookup *l = arg;
	struct str name = str_c(l->d->name);

	if (a->status == DNS_NO_NAME) {
		lookup_refuse(l, PERMFAIL, "5.1.2", "there is no domain %s",
		    l->d->name);
		return;
	}
	if (a->status == DNS_TEMPORARY && l->d->way->fallback == NULL) {
		lookup_refuse(l, TEMPFAIL, "4.4.3", "cannot look up MX of %s: %s",
		    l->d->name, a->reason);
		return;
	}
	if (a->status == DNS_OK && is_null(a)) {
		lookup_refuse(l, PERMFAIL, "5.1.10",
		    "domain %s takes no mail (null MX)", l->d->name);
		return;
	}
	if (a->status == DNS_TEMPORARY)
		note_temporary(l, l->d->name, a->reason);
	if (a->status == DNS_OK && a->ttl < l->ttl)
		l->ttl = a->ttl;
	l->mx_secure = a->secure;
	l->overridden = a->overridden;
	if (a->canonical != NULL)
		l->canonical = arena_cstr(&l->h->arena, str_c(a->canonical));
	for (size_t i = 0;
	     a->status == DNS_OK && i < a->mx_n && l->h->n < HOSTS_MX_MAX;
	     i++) {
		struct host *h = host_add(l->h, str_c(a->mx[i].host));

		if (h != NULL)
			h->preference = a->mx[i].preference;
	}
	/* RFC 5321 5.1: only where there is no MX at all. */
	if (a->status == DNS_NO_DATA) {
		l->implicit = true;
		if (host_add(l->h, name) == NULL)
			l->h->n = 0;
	}
	if (l->d->way->fallback != NULL)
		add_servers(l, l->d->way->fallback, true);
	lookup_addrs(l);
}

static void
add_literal(struct lookup *l)
{
	struct host *h = host_add(l->h, str_c(l->d->name));

	if (h != NULL &&
	    addr_from_literal(str_c(l->d->name), l->d->way->port,
		&h->addr[0]) == 0)
		h->addr_n = 1;
	loop_timer_set(l->later, 0);
}

/* In the form that DNS knows. */
static void
lookup_mx(struct lookup *l)
{
	struct buf name;

	buf_init(&name, 1024);
	if (idn_add(&name, str_c(l->d->name)) != NULL || !buf_ok(&name)) {
		buf_reset(&name);
		buf_adds(&name, l->d->name);
	}
	l->domain = mem_dup(buf_str(&name));
	dns_mx(l->d->r->dns, l->domain, on_mx, l);
	buf_free(&name);
}

void
hosts_resolve(struct dest *d)
{
	struct lookup *l = mem_alloc(sizeof(*l));

	l->d = d;
	l->h = mem_alloc(sizeof(*l->h) + HOSTS_MAX * sizeof(l->h->v[0]));
	l->h->held = 1;
	arena_init(&l->h->arena, ARENA_MAX);
	l->later = loop_timer_new(d->r->loop, lookup_done, l);
	l->ttl = TTL_MAX_S;
	buf_init(&l->reason, 512);
	if (d->way->kind == DEST_UPSTREAM) {
		add_servers(l, d->way->upstream, false);
		lookup_addrs(l);
	} else if (domain_is_literal(str_c(d->name)))
		add_literal(l);
	else
		lookup_mx(l);
}
