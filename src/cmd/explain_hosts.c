/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain_hosts -- which hosts mail goes to, how, and what the runners
 * remember of them.
 */

#include "explain.h"

#include <errno.h>
#include <unistd.h>

#include "ipc/policies.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "mail/path.h"
#include "mail/sts.h"
#include "policy/self.h"
#include "policy/tls_policy.h"

/* A policy that is kept, parsed. */
#define POLICY_ARENA ((size_t)1 << 20)

/* ---- TLS -------------------------------------------------------------------- */

static const char *
tls_words(int tls)
{
	switch (tls) {
	case TLS_OFF:
		return "off: TLS is never used";
	case TLS_MAY:
		return "may: TLS where it is offered, no certificate is asked "
		       "for, and clear text where TLS fails";
	case TLS_REQUIRED:
		return "required: no mail without TLS; no certificate is "
		       "asked for";
	case TLS_VERIFIED:
		return "verified: no mail without TLS and a certificate of "
		       "the host's name";
	case TLS_DANE:
		return "dane: as TLSA records or the domain's MTA-STS policy "
		       "demand; else as may";
	default:
		return "?";
	}
}

/* ---- hosts -------------------------------------------------------------------- */

/* MX: those of an MX host, which may lead nowhere. */
static void
say_addresses(struct explain *x, const struct found_host *h, bool mx)
{
	struct buf b;

	x->depth++;
	if (h->status != DNS_OK)
		explain_say(x, "address", CONF_NOWHERE, "none: %s", h->reason);
	for (size_t i = 0; i < h->addr_n; i++) {
		buf_init(&b, 512);
		addr_add(&b, &h->addr[i]);
		if (addr_port(&h->addr[i]) != 0)
			buf_addf(&b, " port %u", addr_port(&h->addr[i]));
		if (mx && self_ignores(x->conf, &h->addr[i]))
			explain_say(x, "address",
			    conf_where(x->conf, &x->conf->mx_ignore,
				CONF_NOWHERE),
			    "%s: ignored, as no mail host can be there",
			    buf_cstr(&b));
		else
			explain_say(x, "address", CONF_NOWHERE, "%s%s",
			    buf_cstr(&b), h->secure ? " (DNSSEC)" : "");
		buf_free(&b);
	}
	x->depth--;
}

/* What the runner would find for H, and make of it. */
static struct tls_decision
decide(const struct found_host *h, bool mx_secure)
{
	struct tls_facts f = { .level = TLS_DANE, .host = h->name,
		.records = h->tlsas, .record_n = h->tlsa_n };

	if (mx_secure && h->secure)
		f.tlsa = h->tlsa == DNS_TEMPORARY	  ? TLSA_FAILED :
		    h->tlsa == DNS_OK && h->tlsa_secure ? TLSA_PRESENT :
							  TLSA_ABSENT;
	return tls_policy(&f);
}

static void
say_dane(struct explain *x, const struct found_host *h, bool mx_secure)
{
	struct tls_decision d = decide(h, mx_secure);

	if (!h->tlsa_asked)
		return;
	x->depth++;
	if (d.demand == TLS_DEMAND_DANE)
		explain_say(x, "dane", CONF_NOWHERE,
		    "%zu TLSA records: the certificate must match one",
		    h->tlsa_n);
	else if (d.demand == TLS_DEMAND_ANY)
		explain_say(x, "dane", CONF_NOWHERE, "%s: no mail without TLS, "
		    "but for an MTA-STS policy any certificate will do",
		    d.reason);
	else if (d.demand == TLS_DEMAND_SKIP)
		explain_say(x, "dane", CONF_NOWHERE, "%s: the host is not used",
		    d.reason);
	else if (h->tlsa == DNS_OK)
		explain_say(x, "dane", CONF_NOWHERE, "there are TLSA records, "
		    "but not by DNSSEC: they do not count");
	else
		explain_say(x, "dane", CONF_NOWHERE, "no TLSA records");
	x->depth--;
}

/* The policy that is kept in the spool; false: there is none that is good. */
static bool
kept_policy(const struct explain *x, const char *domain, struct arena *a,
    struct sts_policy *p, int64_t *left)
{
	struct policy_file f = { .fetched = 0 };
	int dir = policies_dir(x->conf->spool, false, (uid_t)-1);
	bool good = dir >= 0 &&
	    policies_look(dir, str_c(domain), &f) == 0 &&
	    sts_policy_parse(buf_str(&f.text), a, p) == NULL;

	if (good)
		*left = f.fetched + p->max_age - clock_wall();
	buf_free(&f.text);
	if (dir >= 0)
		close(dir);
	return good && *left > 0;
}

static void
say_kept(struct explain *x, const struct sts_policy *p, int64_t left,
    const struct found *f)
{
	explain_say(x, "mta-sts", CONF_NOWHERE, "a policy is kept for %lld s "
	    "more: mode %s: %s", (long long)left, sts_mode_name(p->mode),
	    p->mode == STS_ENFORCE ?
		"no mail but to these hosts, with a certificate of their name" :
		"it demands nothing");
	x->depth++;
	for (size_t i = 0; i < p->mx_n; i++)
		explain_say(x, "mx", CONF_NOWHERE, STR_FMT,
		    STR_ARG(p->mx[i]));
	for (size_t i = 0; p->mode == STS_ENFORCE && i < f->host_n; i++)
		if (!sts_policy_has(p, str_c(f->host[i].name)))
			explain_say(x, "mx", CONF_NOWHERE,
			    "%s is none of these: not used", f->host[i].name);
	x->depth--;
}

/* What is kept is in force, whatever DNS says or does not say. */
static void
say_sts(struct explain *x, const char *domain, const struct found *f)
{
	struct sts_policy p;
	struct arena a;
	int64_t left;

	arena_init(&a, POLICY_ARENA);
	if (kept_policy(x, domain, &a, &p, &left))
		say_kept(x, &p, left, f);
	else if (lookup_sts(x->dns, domain))
		explain_say(x, "mta-sts", CONF_NOWHERE, "the domain has a "
		    "policy (RFC 8461), which will be fetched and kept");
	else
		explain_say(x, "mta-sts", CONF_NOWHERE,
		    "the domain has no policy (RFC 8461)");
	arena_free(&a);
}

/* What MX records say, before any host. */
static bool
say_mx(struct explain *x, const char *domain, const struct found *f)
{
	switch (f->status) {
	case DNS_OK:
		if (!f->null_mx)
			return true;
		explain_say(x, "mx", CONF_NOWHERE, "null MX: %s takes no mail: "
		    "556 5.1.10", domain);
		return false;
	case DNS_NO_NAME:
		explain_say(x, "mx", CONF_NOWHERE, "there is no domain %s: "
		    "5.1.2", domain);
		return false;
	case DNS_NO_DATA:
		explain_say(x, "mx", CONF_NOWHERE, "no MX records: %s itself "
		    "is the host (RFC 5321 5.1)", domain);
		return true;
	case DNS_TEMPORARY:
		break;
	}
	explain_say(x, "mx", CONF_NOWHERE, "not known now: %s: mail waits",
	    f->reason);
	return false;
}

static struct conf_place
override_place(const struct conf *c, const char *domain)
{
	for (size_t i = 0; i < c->override_n; i++)
		if (str_ieq(str_c(c->overrides[i].name), str_c(domain)))
			return c->overrides[i].place;
	return CONF_NOWHERE;
}

static bool
is_self(const struct explain *x, const struct self *self,
    const struct found_host *h)
{
	bool is = self_has_name(x->conf, str_c(h->name));

	for (size_t i = 0; i < h->addr_n; i++)
		is = is || self_is(self, &h->addr[i]);
	return is;
}

/* RFC 5321 5.1: who is no better a host than ourselves is left out. */
static unsigned
own_preference(const struct explain *x, const struct found *f)
{
	struct self *self = self_new(x->conf);
	unsigned limit = UINT32_MAX;

	for (size_t i = 0; i < f->host_n; i++)
		if (is_self(x, self, &f->host[i]) &&
		    f->host[i].preference < limit)
			limit = f->host[i].preference;
	self_free(self);
	return limit;
}

static void
say_hosts(struct explain *x, const struct found *f)
{
	unsigned limit = own_preference(x, f);

	for (size_t i = 0; i < f->host_n; i++) {
		const struct found_host *h = &f->host[i];

		explain_say(x, "mx", CONF_NOWHERE, "%u %s%s%s", h->preference,
		    h->name, f->secure ? " (DNSSEC)" : "",
		    h->preference >= limit ?
			": left out, as we are no worse than it" : "");
		say_addresses(x, h, !f->overridden);
		say_dane(x, h, f->secure);
	}
	if (f->all_n > f->host_n)
		explain_say(x, "mx", CONF_NOWHERE, "and %zu more, which are "
		    "not tried", f->all_n - f->host_n);
}

void
explain_mx(struct explain *x, const char *domain, int tls, struct found *f)
{
	explain_say(x, "tls", CONF_NOWHERE, "%s", tls_words(tls));
	if (domain_is_literal(str_c(domain))) {
		explain_say(x, "address", CONF_NOWHERE, "%s: no name is looked "
		    "up", domain);
		return;
	}
	lookup_mx(x->dns, domain,
	    tls == TLS_DANE && lookup_is_trusted(x->dns),
	    (uint16_t)x->conf->smtp_port, f);
	if (f->overridden)
		explain_say(x, "override", override_place(x->conf, domain),
		    "DNS is not asked for %s", domain);
	if (say_mx(x, domain, f))
		say_hosts(x, f);
	if (tls == TLS_DANE) {
		if (!lookup_is_trusted(x->dns))
			explain_say(x, "dane", CONF_NOWHERE, "not used: the "
			    "name servers are not on the loopback, so that "
			    "DNSSEC cannot be relied on");
		say_sts(x, domain, f);
	}
}

/* ---- upstreams ------------------------------------------------------------------ */

static void
say_login(struct buf *b, const struct conf_server *s)
{
	if (s->secrets[0] != '\0')
		buf_addf(b, ", logged in as %s says%s%s", s->secrets,
		    s->selector[0] != '\0' ? " for " : "", s->selector);
	if (s->user[0] == '\0')
		return;
	buf_addf(b, ", logged in as %s%s", s->user,
	    s->token[0] != '\0' ? " by a token" : "");
}

static void
say_server(struct explain *x, const struct conf_server *s)
{
	static const char *const tls[] = { [TLS_OFF] = "no TLS",
		[TLS_MAY] = "TLS if offered", [TLS_REQUIRED] = "TLS required",
		[TLS_VERIFIED] = "TLS verified", [TLS_DANE] = "TLS by DANE" };
	struct found_host *h;
	struct addr a;
	struct buf b;

	buf_init(&b, 2048);
	buf_addf(&b, "%s port %llu, %s%s", s->host,
	    (unsigned long long)s->port,
	    s->protocol == PROTOCOL_LMTP ? "LMTP, " : "", tls[s->tls]);
	say_login(&b, s);
	if (s->ehlo[0] != '\0')
		buf_addf(&b, ", EHLO %s", s->ehlo);
	if (s->proxy.version != 0)
		buf_addf(&b, ", through SOCKS %d at %s", s->proxy.version,
		    s->proxy.host);
	if (s->backup)
		buf_adds(&b, ", a backup");
	else
		buf_addf(&b, ", weight %llu", (unsigned long long)s->weight);
	explain_say(x, "server", s->place, "%s", buf_cstr(&b));
	buf_free(&b);
	/* A proxy looks names up itself. */
	if (s->proxy.version != 0 || strncmp(s->name, "unix:", 5) == 0 ||
	    addr_parse(str_c(s->host), 0, &a) == 0)
		return;
	h = mem_alloc(sizeof(*h));
	memcpy(h->name, s->host, strnlen(s->host, sizeof(h->name) - 1));
	lookup_host(x->dns, h);
	say_addresses(x, h, false);
	mem_free(h);
}

void
explain_upstream(struct explain *x, const struct conf_upstream *u)
{
	if (!conf_upstream_known(x->conf, u))
		explain_say(x, "own-route", CONF_NOWHERE, "only the message has this server: "
		    "it waits if that turns out to be at this host");
	for (int backup = 0; backup <= 1; backup++)
		for (size_t i = 0; i < u->server_n; i++)
			if (u->servers[i].backup == (backup == 1))
				say_server(x, &u->servers[i]);
}

/* ---- what the runners remember ----------------------------------------------------- */

static bool
ask_runners(struct explain *x, struct str name, struct view *v)
{
	struct msg_control *m = mem_alloc(sizeof(*m));
	struct msg_control_result r = { .ok = false };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool answered = false;

	m->op = CONTROL_DESTS;
	m->domain = name;
	if (out != NULL) {
		answered = cmd_control_list(x->conf, m, out, &r) == 0;
		answered = fclose(out) == 0 && answered;
	}
	if (answered)
		view_read(v, str_n(text, size));
	mem_free(text);
	mem_free(m);
	return answered;
}

static void
say_row(struct explain *x, const struct view_row *r)
{
	if (r->dead_ms > 0)
		explain_say(x, "runner", CONF_NOWHERE,
		    "dead for %llu s more: " STR_FMT,
		    (unsigned long long)(r->dead_ms + 999) / 1000,
		    STR_ARG(r->why));
	explain_say(x, "runner", CONF_NOWHERE, "%llu connections of %llu, %llu "
	    "deliveries wait, %llu messages behind them",
	    (unsigned long long)r->connections, (unsigned long long)r->window,
	    (unsigned long long)r->waiting, (unsigned long long)r->parked);
	explain_say(x, "runner", CONF_NOWHERE, "in the last minute %llu sent, "
	    "%llu deferred, %llu bounced", (unsigned long long)r->sent,
	    (unsigned long long)r->deferred, (unsigned long long)r->bounced);
}

void
explain_memory(struct explain *x, const char *kind, struct str name)
{
	const struct view_row *r;
	struct view v;

	view_init(&v);
	if (!x->running || !ask_runners(x, name, &v))
		explain_say(x, "runner", CONF_NOWHERE, "barid does not run");
	else if ((r = view_find(&v, str_c(kind), name)) == NULL)
		explain_say(x, "runner", CONF_NOWHERE,
		    "has nothing for it now, and remembers nothing of it");
	else
		say_row(x, r);
	view_free(&v);
}
