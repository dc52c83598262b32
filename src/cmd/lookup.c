/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lookup -- names for `baridctl explain` and others, as the runners look them up.
 *
 * The same questions to the same servers, on a loop that turns until the
 * last answer is there.  Nothing is remembered, so that what is explained is
 * what DNS says now.
 */

#include "explain.h"

#include <errno.h>
#include <sysexits.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "policy/override.h"

struct lookup {
	struct loop *loop;
	struct dns *dns;
	struct arena arena;
	size_t pending;
};

/* What a callback fills in. */
struct asked {
	struct lookup *l;
	struct found *found;
	struct found_host *host;
	bool *yes;
	struct found_records *records;
};

struct lookup *
lookup_new(const struct conf *c)
{
	struct lookup *l = mem_alloc(sizeof(*l));

	arena_init(&l->arena, 4 << 20);
	l->loop = loop_new();
	if ((l->dns = resolver_new(c, l->loop)) == NULL)
		fatal(EX_OSERR, "cannot ask DNS: %s", strerror(errno));
	return l;
}

void
lookup_free(struct lookup *l)
{
	if (l == NULL)
		return;
	dns_free(l->dns);
	loop_free(l->loop);
	arena_free(&l->arena);
	mem_free(l);
}

bool
lookup_is_trusted(const struct lookup *l)
{
	return dns_is_trusted(l->dns);
}

/* Turns the loop until every question is answered: each has its time-out. */
static void
await(struct lookup *l)
{
	while (l->pending > 0)
		loop_once(l->loop, true);
}

static void
copy(char *to, size_t size, const char *from)
{
	size_t n = from != NULL ? strnlen(from, size - 1) : 0;

	if (n > 0)
		memcpy(to, from, n);
	to[n] = '\0';
}

static void
on_addr(void *arg, const struct dns_addr_answer *a)
{
	const struct asked *q = arg;
	struct found_host *h = q->host;

	h->status = a->status;
	h->secure = a->secure;
	copy(h->canonical, sizeof(h->canonical), a->canonical);
	copy(h->reason, sizeof(h->reason), a->reason);
	for (size_t i = 0; a->status == DNS_OK && i < a->addr_n &&
	     h->addr_n < LOOKUP_ADDRS; i++)
		h->addr[h->addr_n++] = a->addr[i];
	q->l->pending--;
}

static void
on_tlsa(void *arg, const struct dns_tlsa_answer *a)
{
	const struct asked *q = arg;
	struct found_host *h = q->host;
	struct dns_tlsa *copies;

	h->tlsa = a->status;
	h->tlsa_secure = a->secure;
	h->tlsa_n = a->status == DNS_OK ? a->tlsa_n : 0;
	copies = arena_alloc(&q->l->arena, (h->tlsa_n + 1) * sizeof(*copies));
	for (size_t i = 0; i < h->tlsa_n; i++) {
		copies[i] = a->tlsa[i];
		copies[i].data = arena_str(&q->l->arena, a->tlsa[i].data);
	}
	h->tlsas = copies;
	q->l->pending--;
}

static void
on_txt(void *arg, const struct dns_txt_answer *a)
{
	const struct asked *q = arg;

	for (size_t i = 0; a->status == DNS_OK && i < a->text_n; i++)
		if (str_starts(a->text[i], STR("v=STSv1")))
			*q->yes = true;
	q->l->pending--;
}

static void
add_host(struct found *f, unsigned preference, const char *name)
{
	struct found_host *h;

	f->all_n++;
	if (f->host_n == LOOKUP_HOSTS)
		return;
	h = &f->host[f->host_n++];
	*h = (struct found_host){ .preference = preference };
	copy(h->name, sizeof(h->name), name);
}

static void
on_mx(void *arg, const struct dns_mx_answer *a)
{
	const struct asked *q = arg;
	struct found *f = q->found;

	f->status = a->status;
	f->secure = a->secure;
	f->overridden = a->overridden;
	copy(f->reason, sizeof(f->reason), a->reason);
	if (a->status == DNS_OK && a->mx_n == 1 && a->mx[0].host[0] == '\0')
		f->null_mx = true;
	for (size_t i = 0; a->status == DNS_OK && i < a->mx_n; i++)
		if (a->mx[i].host[0] != '\0')
			add_host(f, a->mx[i].preference, a->mx[i].host);
	q->l->pending--;
}

void
lookup_host(struct lookup *l, struct found_host *f)
{
	struct asked q = { .l = l, .host = f };

	l->pending++;
	dns_addr(l->dns, f->name, on_addr, &q);
	await(l);
}

void
lookup_addr4(struct lookup *l, struct found_host *f)
{
	struct asked q = { .l = l, .host = f };

	l->pending++;
	dns_addr4(l->dns, f->name, on_addr, &q);
	await(l);
}

/* RFC 7672 2.2.2: where the aliases lead to, and then under the name itself. */
void
lookup_tlsa(struct lookup *l, struct found_host *f, uint16_t port)
{
	struct asked q = { .l = l, .host = f };
	bool aliased = f->secure && f->canonical[0] != '\0';

	f->tlsa_asked = true;
	l->pending++;
	dns_tlsa(l->dns, aliased ? f->canonical : f->name, port, on_tlsa, &q);
	await(l);
	if (!aliased || f->tlsa == DNS_TEMPORARY ||
	    (f->tlsa == DNS_OK && f->tlsa_secure))
		return;
	l->pending++;
	dns_tlsa(l->dns, f->name, port, on_tlsa, &q);
	await(l);
}

static void
on_records(void *arg, const struct dns_txt_answer *a)
{
	const struct asked *q = arg;
	struct found_records *f = q->records;

	f->status = a->status;
	f->secure = a->secure;
	copy(f->reason, sizeof(f->reason), a->reason);
	for (size_t i = 0; a->status == DNS_OK && i < a->text_n &&
	     f->n < LOOKUP_TEXTS; i++)
		f->text[f->n++] = arena_str(&q->l->arena, a->text[i]);
	q->l->pending--;
}

void
lookup_txt(struct lookup *l, const char *name, struct found_records *f)
{
	struct asked q = { .l = l, .records = f };

	*f = (struct found_records){ .status = DNS_TEMPORARY };
	l->pending++;
	dns_txt(l->dns, name, on_records, &q);
	await(l);
}

static void
on_srv(void *arg, const struct dns_srv_answer *a)
{
	const struct asked *q = arg;
	struct found_records *f = q->records;

	f->status = a->status;
	f->secure = a->secure;
	copy(f->reason, sizeof(f->reason), a->reason);
	for (size_t i = 0; a->status == DNS_OK && i < a->srv_n &&
	     f->n < LOOKUP_RECORDS; i++) {
		f->srv[f->n] = a->srv[i];
		f->srv[f->n++].host = arena_cstr(&q->l->arena, str_c(a->srv[i].host));
	}
	q->l->pending--;
}

void
lookup_srv(struct lookup *l, const char *name, struct found_records *f)
{
	struct asked q = { .l = l, .records = f };

	*f = (struct found_records){ .status = DNS_TEMPORARY };
	l->pending++;
	dns_srv(l->dns, name, on_srv, &q);
	await(l);
}

bool
lookup_sts(struct lookup *l, const char *domain)
{
	bool yes = false;
	struct asked q = { .l = l, .yes = &yes };
	struct buf name;

	buf_init(&name, 512);
	buf_addf(&name, "_mta-sts.%s", domain);
	l->pending++;
	dns_txt(l->dns, buf_cstr(&name), on_txt, &q);
	await(l);
	buf_free(&name);
	return yes;
}

void
lookup_mx(struct lookup *l, const char *domain, bool tlsa, uint16_t port,
    struct found *f)
{
	struct asked q = { .l = l, .found = f };

	*f = (struct found){ .status = DNS_TEMPORARY };
	l->pending++;
	dns_mx(l->dns, domain, on_mx, &q);
	await(l);
	/* RFC 5321 5.1: only where there is no MX at all. */
	if (f->status == DNS_NO_DATA) {
		f->implicit = true;
		add_host(f, 0, domain);
	}
	for (size_t i = 0; i < f->host_n; i++) {
		lookup_host(l, &f->host[i]);
		if (tlsa && f->host[i].status == DNS_OK)
			lookup_tlsa(l, &f->host[i], port);
	}
}

static void
on_ptr(void *arg, const struct dns_ptr_answer *a)
{
	const struct asked *q = arg;
	struct found_records *f = q->records;

	f->status = a->status;
	f->secure = a->secure;
	copy(f->reason, sizeof(f->reason), a->reason);
	for (size_t i = 0; a->status == DNS_OK && i < a->name_n && f->n < LOOKUP_RECORDS; i++)
		f->text[f->n++] = arena_str(&q->l->arena, str_c(a->name[i]));
	q->l->pending--;
}

void
lookup_ptr(struct lookup *l, const char *name, struct found_records *f)
{
	struct asked q = { .l = l, .records = f };

	*f = (struct found_records){ .status = DNS_TEMPORARY };
	l->pending++;
	dns_ptr(l->dns, name, on_ptr, &q);
	await(l);
}

struct msg_exists_result
lookup_exists(struct lookup *l, const char *domain)
{
	struct found_host own = { .status = DNS_TEMPORARY };
	struct asked q = { .l = l, .host = &own };
	struct msg_exists_result r = { EXISTS_NO, false };
	struct found *mx;
	struct addr itself;

	/* An address is no name. */
	if (addr_parse(str_c(domain), 0, &itself) == 0)
		return r;
	q.found = mx = mem_alloc(sizeof(*mx));
	*mx = (struct found){ .status = DNS_TEMPORARY };
	l->pending += 2;
	dns_mx(l->dns, domain, on_mx, &q);
	dns_addr(l->dns, domain, on_addr, &q);
	await(l);
	r.null_mx = mx->null_mx;
	if (own.addr_n > 0 || mx->host_n > 0 || mx->null_mx)
		r.result = EXISTS_YES;
	else if (own.status == DNS_TEMPORARY || mx->status == DNS_TEMPORARY)
		r.result = EXISTS_UNKNOWN;
	mem_free(mx);
	return r;
}

static void
on_spf(void *arg, uint32_t ttl UNUSED)
{
	struct lookup *l = arg;

	l->pending--;
}

void
lookup_spf(struct lookup *l, const struct spf_client *c, struct spf_facts *f,
    struct spf_verdict *v)
{
	while (!spf_check(c, f, v)) {
		l->pending += spf_ask(l->dns, f, on_spf, l);
		await(l);
	}
}

void
lookup_keys(struct lookup *l, struct dkim_check *c)
{
	static const enum txt_status status_of[] = { [DNS_OK] = TXT_NO_DATA,
		[DNS_NO_NAME] = TXT_NO_NAME, [DNS_NO_DATA] = TXT_NO_DATA,
		[DNS_TEMPORARY] = TXT_TEMPORARY };

	for (size_t i = 0; i < dkim_check_key_count(c); i++) {
		struct found_records f;
		struct txt_answer a = { .text_n = 0 };
		struct buf name;

		buf_init(&name, 512);
		buf_add(&name, dkim_check_key_name(c, i));
		lookup_txt(l, buf_cstr(&name), &f);
		a.status = f.n > 0 ? TXT_OK : status_of[f.status];
		for (; a.text_n < f.n && a.text_n < MSG_TXT_RECORDS_MAX; a.text_n++)
			a.texts[a.text_n] = f.text[a.text_n];
		dkim_check_key(c, i, &a);
		buf_free(&name);
	}
}
