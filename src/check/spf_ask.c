/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * spf_ask -- what an evaluation lacks, asked of DNS.
 *
 * Each answer becomes a fact before whoever evaluates hears of it, also one
 * that comes because the resolver ends.
 */

#include "check/spf.h"

#include "lib/mem.h"

/* Names of hosts in one answer. */
#define HOSTS_MAX 128

struct asked {
	struct spf_facts *f;
	const struct spf_question *q;
	void (*fn)(void *arg, uint32_t ttl);
	void *arg;
};

static void
done(struct asked *a, enum dns_status status, uint32_t ttl)
{
	struct asked was = *a;

	mem_free(a);
	was.fn(was.arg, status == DNS_OK ? ttl : UINT32_MAX);
}

static void
on_texts(void *arg, const struct dns_txt_answer *r)
{
	struct asked *a = arg;

	spf_facts_text(a->f, a->q, r->status, r->text, r->text_n);
	done(a, r->status, r->ttl);
}

static void
on_addresses(void *arg, const struct dns_addr_answer *r)
{
	struct asked *a = arg;

	spf_facts_addr(a->f, a->q, r->status, r->addr, r->addr_n);
	done(a, r->status, r->ttl);
}

static void
on_hosts(void *arg, const struct dns_mx_answer *r)
{
	struct asked *a = arg;
	struct str hosts[HOSTS_MAX];
	size_t n = 0;

	for (; n < r->mx_n && n < HOSTS_MAX; n++)
		hosts[n] = str_c(r->mx[n].host);
	spf_facts_text(a->f, a->q, r->status, hosts, n);
	done(a, r->status, r->ttl);
}

static void
on_names(void *arg, const struct dns_ptr_answer *r)
{
	struct asked *a = arg;
	struct str names[HOSTS_MAX];
	size_t n = 0;

	for (; n < r->name_n && n < HOSTS_MAX; n++)
		names[n] = str_c(r->name[n]);
	spf_facts_text(a->f, a->q, r->status, names, n);
	/* Whose they are has no say in how long a domain's word counts. */
	done(a, r->status, UINT32_MAX);
}

static void
ask(struct dns *d, struct asked *a)
{
	const char *name = a->q->name;

	switch (a->q->type) {
	case SPF_TXT:
		dns_txt(d, name, on_texts, a);
		break;
	case SPF_A:
		dns_addr4(d, name, on_addresses, a);
		break;
	case SPF_AAAA:
		dns_addr6(d, name, on_addresses, a);
		break;
	case SPF_MX:
		dns_mx(d, name, on_hosts, a);
		break;
	case SPF_PTR:
		dns_ptr(d, name, on_names, a);
		break;
	}
}

size_t
spf_ask(struct dns *d, struct spf_facts *f, void (*fn)(void *arg, uint32_t ttl), void *arg)
{
	const struct spf_question *q;
	struct asked *a;
	size_t n = 0;

	for (; (q = spf_facts_lacking(f)) != NULL; n++) {
		a = mem_alloc(sizeof(*a));
		*a = (struct asked){ .f = f, .q = q, .fn = fn, .arg = arg };
		ask(d, a);
	}
	return n;
}
