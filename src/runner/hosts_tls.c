/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * hosts_tls -- what TLS with the hosts of a destination is to be: the facts
 * that tls_policy() wants, from DNS and MTA-STS.
 *
 * Where nobody demands DANE there is nothing to be found out, and it is
 * decided at once.  Else TLSA records are looked up for each host whose
 * address DNSSEC secures (and whose MX record, if it is an MX host), first
 * under the name that its aliases lead to (RFC 7672 2.2.2), all of them and
 * the policy at the same time.
 */

#include "dest.h"
#include "hosts.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "runner.h"
#include "sts.h"

struct look;

/* A host whose TLSA records are looked for. */
struct look_one {
	struct look *look;
	struct host *host;
	enum tlsa_state state;
	const char *base;	/* RFC 7672 2.2.2: the name that is asked for */
	const char *next;	/* where that has none; NULL: nowhere else */
	struct dns_tlsa *tlsa;
	size_t tlsa_n;
};

struct look {
	struct tls_question q;
	size_t pending;
	struct arena arena;	/* for the policy */
	const struct sts_policy *sts;
	struct look_one *one;
};

/* ---- deciding ----------------------------------------------------------------------- */

static int
level_of(const struct dest *d, const struct host *h)
{
	if (h->server != NULL)
		return h->server->tls;
	/* RFC 8689 4.2.1: all is asked that could say who the host is. */
	return d->way->requiretls ? TLS_DANE : d->way->tls;
}

/* Which names a certificate may have that TLSA records of usage 2 vouch for. */
static const struct host_dane *
dane_of(const struct look *l, const struct look_one *one)
{
	const struct tls_question *q = &l->q;
	struct host_dane *dane = arena_alloc(q->arena, sizeof(*dane));
	const struct conf_server *s = one->host->server;
	size_t n = 0;

	dane->base = one->base;
	dane->tlsa = one->tlsa;
	dane->tlsa_n = one->tlsa_n;
	if (s != NULL) {
		dane->others[n++] = s->host;
		if (s->tls_name[0] != '\0')
			dane->others[n++] = s->tls_name;
		return dane;
	}
	/* RFC 7672 3.2.2: the next-hop domain, before and behind its aliases. */
	dane->others[n++] = arena_cstr(q->arena, str_c(q->domain));
	if (q->canonical != NULL)
		dane->others[n++] = arena_cstr(q->arena, str_c(q->canonical));
	return dane;
}

static void
decide(const struct look *l, const struct look_one *one)
{
	const struct dest *d = l->q.dest;
	struct host *h = one->host;
	struct tls_facts f = { .level = level_of(d, h), .tlsa = one->state,
		.records = one->tlsa, .record_n = one->tlsa_n,
		.host = h->name, .sts = h->server == NULL ? l->sts : NULL,
		.requiretls = d->way->requiretls,
		.trusted_name = h->server != NULL ? h->server->tls != TLS_OFF :
						    l->q.mx_secure };

	if (h->server != NULL)
		f.place = h->server->place;
	h->tls = tls_policy(&f);
	if (h->tls.demand == TLS_DEMAND_DANE)
		h->dane = dane_of(l, one);
	if (h->tls.tell && !sts_policy_has(l->sts, str_c(h->name)))
		log_warn(NULL, "MTA-STS policy of %s in testing: %s would not "
		    "be used: %s", d->name, h->name, h->tls.reason);
	if (h->tls.demand != TLS_DEMAND_SKIP)
		return;
	log_info(NULL, "host %s of %s is not used: %s", h->name, d->name,
	    h->tls.reason);
	h->addr_n = 0;
}

static void
look_done(struct look *l)
{
	if (--l->pending > 0)
		return;
	for (size_t i = 0; i < l->q.host_n; i++)
		decide(l, &l->one[i]);
	l->q.done(l->q.arg);
	arena_free(&l->arena);
	mem_free(l->one);
	mem_free(l);
}

/* ---- TLSA ---------------------------------------------------------------------------- */

static uint16_t
port_of(const struct look_one *one)
{
	const struct conf_server *s = one->host->server;

	return s != NULL ? (uint16_t)s->port : one->look->q.dest->way->port;
}

static void
keep_tlsa(struct look_one *one, const struct dns_tlsa_answer *a)
{
	struct arena *arena = one->look->q.arena;

	one->state = TLSA_PRESENT;
	one->tlsa = arena_alloc(arena, a->tlsa_n * sizeof(*one->tlsa));
	one->tlsa_n = a->tlsa_n;
	for (size_t i = 0; i < a->tlsa_n; i++) {
		one->tlsa[i] = a->tlsa[i];
		one->tlsa[i].data = arena_str(arena, a->tlsa[i].data);
	}
}

static void
on_tlsa(void *arg, const struct dns_tlsa_answer *a)
{
	struct look_one *one = arg;
	struct look *l = one->look;

	if (a->ttl < *l->q.ttl && a->status == DNS_OK)
		*l->q.ttl = a->ttl;
	if (a->status == DNS_OK && a->secure) {
		keep_tlsa(one, a);
	} else if (a->status == DNS_TEMPORARY) {
		log_warn(NULL, "TLSA records of _%u._tcp.%s: %s",
		    (unsigned)port_of(one), one->base, a->reason);
		one->state = TLSA_FAILED;
	} else if (one->next != NULL) {
		one->base = one->next;
		one->next = NULL;
		dns_tlsa(l->q.dest->r->dns, one->base, port_of(one), on_tlsa,
		    one);
		return;
	} else {
		one->state = TLSA_ABSENT;
	}
	look_done(l);
}

/* The addresses are not secure, but the alias that leads to them may be. */
static void
on_alias(void *arg, const struct dns_alias_answer *a)
{
	struct look_one *one = arg;

	if (a->status == DNS_OK && a->secure) {
		dns_tlsa(one->look->q.dest->r->dns, one->base, port_of(one),
		    on_tlsa, one);
		return;
	}
	if (a->status == DNS_TEMPORARY)
		one->state = TLSA_FAILED;
	look_done(one->look);
}

/* Asks for what is to be known of the host; false if that is nothing. */
static bool
ask_tlsa(struct look_one *one)
{
	const struct tls_question *q = &one->look->q;
	const struct host *h = one->host;
	struct dns *dns = q->dest->r->dns;

	if (level_of(q->dest, h) != TLS_DANE || h->addr_n == 0)
		return false;
	if (h->server == NULL && !q->mx_secure)
		return false;
	/* The hosts themselves will be elsewhere in the end. */
	one->base = h->server != NULL ? h->server->host :
	    arena_cstr(q->arena, str_c(h->name));
	if (h->secure && h->canonical != NULL) {
		one->next = one->base;
		one->base = h->canonical;
	}
	if (h->secure)
		dns_tlsa(dns, one->base, port_of(one), on_tlsa, one);
	else if (h->canonical != NULL)
		dns_alias(dns, one->base, on_alias, one);
	else
		return false;
	return true;
}

/* ---- MTA-STS ------------------------------------------------------------------------- */

static void
on_sts(void *arg, const struct sts_policy *p)
{
	struct look *l = arg;
	struct sts_policy *copy;
	struct str *mx;

	if (p != NULL) {
		copy = arena_alloc(&l->arena, sizeof(*copy));
		mx = arena_alloc(&l->arena, (p->mx_n + 1) * sizeof(*mx));
		*copy = *p;
		for (size_t i = 0; i < p->mx_n; i++)
			mx[i] = arena_str(&l->arena, p->mx[i]);
		copy->mx = mx;
		l->sts = copy;
		log_debug(NULL, "MTA-STS policy of %s: %s", l->q.domain,
		    sts_mode_name(p->mode));
	}
	look_done(l);
}

void
hosts_tls(const struct tls_question *q)
{
	const struct dest *d = q->dest;
	struct look *l = mem_alloc(sizeof(*l));

	l->q = *q;
	l->one = mem_array(q->host_n + 1, sizeof(*l->one));
	arena_init(&l->arena, STS_POLICY_MAX * 2);
	/* Not before the last was asked for. */
	l->pending = 1;
	for (size_t i = 0; i < q->host_n; i++) {
		l->one[i] = (struct look_one){ .look = l,
			.host = &q->hosts[i] };
		l->pending++;
		if (!ask_tlsa(&l->one[i]))
			l->pending--;
	}
	if (d->way->kind == DEST_MX && q->domain != NULL &&
	    (d->way->tls == TLS_DANE || d->way->requiretls)) {
		l->pending++;
		sts_find(d->r, q->domain, on_sts, l);
	}
	look_done(l);
}

static bool
wants_dane(const struct conf *c)
{
	for (size_t i = 0; i < c->route_n; i++)
		if (c->routes[i].tls == TLS_DANE)
			return true;
	for (size_t i = 0; i < c->upstream_n; i++)
		for (size_t k = 0; k < c->upstreams[i].server_n; k++)
			if (c->upstreams[i].servers[k].tls == TLS_DANE)
				return true;
	return false;
}

void
hosts_tls_check(const struct runner *r)
{
	/* Once is enough. */
	if (r->number == 0 && wants_dane(r->conf) && !dns_is_trusted(r->dns))
		log_warn(NULL, "tls = \"dane\" without DANE: not all name "
		    "servers are on the loopback, so that nothing of what "
		    "they say is secure");
}
