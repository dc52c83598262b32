/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dns_question -- what is asked, and what is answered.
 *
 * A question that nobody needs to be asked is answered here: names that
 * nobody can have, addresses, "localhost", what /etc/hosts and dns_override()
 * say.  None of that is secure.  Every other begins with the answer "not in
 * time", which stands until a part of it is answered.
 */

#include "dns_question.h"

#include <arpa/nameser.h>

#include "dns_answer.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#define ARENA_MAX ((size_t)1 << 20)

static const char too_late[] = "no answer from a DNS server in time";

/* A name's addresses instead of those in DNS. */
struct dns_override {
	size_t n;
	struct addr v[];
};

void
dns_question_free(struct dns_question *q)
{
	arena_free(&q->arena);
	mem_free(q->name);
	mem_free(q);
}

/* ---- answers ------------------------------------------------------------------------- */

/* The same failure for every part of Q. */
static void
fail(struct dns_question *q, enum dns_status status, const char *reason)
{
	switch (q->kind) {
	case DNS_MX:
		q->answer.mx = (struct dns_mx_answer){ .status = status,
			.reason = reason };
		break;
	case DNS_TXT:
		q->answer.txt = (struct dns_txt_answer){ .status = status,
			.reason = reason };
		break;
	case DNS_PTR:
		q->answer.ptr = (struct dns_ptr_answer){ .status = status,
			.reason = reason };
		break;
	case DNS_TLSA:
		q->answer.tlsa = (struct dns_tlsa_answer){ .status = status,
			.reason = reason };
		break;
	case DNS_SRV:
		q->answer.srv = (struct dns_srv_answer){ .status = status,
			.reason = reason };
		break;
	case DNS_ALIAS:
		q->answer.alias = (struct dns_alias_answer){ .status = status,
			.reason = reason };
		break;
	case DNS_ADDR:
		for (size_t i = 0; i < ARRAY_LEN(q->parts); i++)
			q->parts[i].answer = (struct dns_addr_answer){
				.status = status, .reason = reason };
		break;
	}
}

void
dns_fail(struct dns_part *p, enum dns_status status, const char *reason)
{
	if (p->q->kind == DNS_ADDR)
		p->answer = (struct dns_addr_answer){ .status = status,
			.reason = reason };
	else
		fail(p->q, status, reason);
}

static void
take_addr(struct dns_part *p, struct str packet)
{
	int family = p->type == ns_t_aaaa ? AF_INET6 : AF_INET;
	struct dns_question *q = p->q;

	dns_answer_addr(packet, q->name, family, &q->arena, &p->answer);
	p->answer.secure = p->answer.secure && q->d->trusted;
}

void
dns_take(struct dns_part *p, struct str packet)
{
	struct dns_question *q = p->q;
	bool trusted = q->d->trusted;

	switch (q->kind) {
	case DNS_MX:
		dns_answer_mx(packet, q->name, &q->arena, &q->answer.mx);
		q->answer.mx.secure = q->answer.mx.secure && trusted;
		break;
	case DNS_TXT:
		dns_answer_txt(packet, q->name, &q->arena, &q->answer.txt);
		q->answer.txt.secure = q->answer.txt.secure && trusted;
		break;
	case DNS_PTR:
		dns_answer_ptr(packet, q->name, &q->arena, &q->answer.ptr);
		q->answer.ptr.secure = q->answer.ptr.secure && trusted;
		break;
	case DNS_TLSA:
		dns_answer_tlsa(packet, q->name, &q->arena, &q->answer.tlsa);
		q->answer.tlsa.secure = q->answer.tlsa.secure && trusted;
		break;
	case DNS_SRV:
		dns_answer_srv(packet, q->name, &q->arena, &q->answer.srv);
		q->answer.srv.secure = q->answer.srv.secure && trusted;
		break;
	case DNS_ALIAS:
		dns_answer_alias(packet, q->name, &q->answer.alias);
		q->answer.alias.secure = q->answer.alias.secure && trusted;
		break;
	case DNS_ADDR:
		take_addr(p, packet);
		break;
	}
}

static uint32_t
lower(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/*
 * Both families as one: any address is an answer; without one, a part that
 * failed makes the whole temporary, and the name does not exist only if
 * both parts say so.
 */
static struct dns_addr_answer
merge(struct dns_question *q)
{
	const struct dns_addr_answer *six = &q->parts[0].answer;
	const struct dns_addr_answer *four = &q->parts[1].answer;
	struct addr *all;

	if (six->status != DNS_OK && four->status != DNS_OK) {
		if (six->status == DNS_TEMPORARY)
			return *six;
		return four->status == DNS_NO_NAME ? *six : *four;
	}
	if (four->status != DNS_OK)
		return *six;
	if (six->status != DNS_OK)
		return *four;
	all = arena_alloc(&q->arena, (six->addr_n + four->addr_n) * sizeof(*all));
	memcpy(all, six->addr, six->addr_n * sizeof(*all));
	memcpy(all + six->addr_n, four->addr, four->addr_n * sizeof(*all));
	return (struct dns_addr_answer){ .status = DNS_OK, .addr = all,
		.addr_n = six->addr_n + four->addr_n,
		.ttl = lower(six->ttl, four->ttl),
		.secure = six->secure && four->secure,
		.canonical = six->canonical };
}

void
dns_deliver(struct dns_question *q)
{
	struct dns_addr_answer addr;

	switch (q->kind) {
	case DNS_MX:
		q->fn.mx(q->arg, &q->answer.mx);
		break;
	case DNS_ADDR:
		addr = merge(q);
		q->fn.addr(q->arg, &addr);
		break;
	case DNS_TXT:
		q->fn.txt(q->arg, &q->answer.txt);
		break;
	case DNS_PTR:
		q->fn.ptr(q->arg, &q->answer.ptr);
		break;
	case DNS_TLSA:
		q->fn.tlsa(q->arg, &q->answer.tlsa);
		break;
	case DNS_SRV:
		q->fn.srv(q->arg, &q->answer.srv);
		break;
	case DNS_ALIAS:
		q->fn.alias(q->arg, &q->answer.alias);
		break;
	}
}

/* ---- overrides ----------------------------------------------------------------------- */

/* NAME in lower case and without its final dot, as the map has it. */
static void
fold(struct buf *b, const char *name)
{
	struct str s = str_c(name);

	if (s.n > 1 && str_ends(s, STR(".")))
		s.n--;
	buf_init(b, 1024);
	buf_add_lower(b, s);
}

void
dns_override(struct dns *d, const char *name, const struct addr *addr, size_t n)
{
	struct dns_override *o = mem_alloc(sizeof(*o) + n * sizeof(*addr));
	struct buf b;

	o->n = n < DNS_OVERRIDE_MAX ? n : DNS_OVERRIDE_MAX;
	memcpy(o->v, addr, o->n * sizeof(*addr));
	if (d->overrides == NULL)
		d->overrides = map_new();
	fold(&b, name);
	mem_free(map_put(d->overrides, buf_str(&b), o));
	buf_free(&b);
}

static const struct dns_override *
override_of(const struct dns *d, const char *name)
{
	const struct dns_override *o;
	struct buf b;

	if (d->overrides == NULL)
		return NULL;
	fold(&b, name);
	o = map_get(d->overrides, buf_str(&b));
	buf_free(&b);
	return o;
}

void
dns_overrides_free(struct dns *d)
{
	size_t at = 0;
	struct str key;
	void *o;

	if (d->overrides == NULL)
		return;
	while (map_next(d->overrides, &at, &key, &o))
		mem_free(o);
	map_free(d->overrides);
}

bool
dns_is_trusted(const struct dns *d)
{
	return d->trusted;
}

/* ---- asking -------------------------------------------------------------------------- */

static struct dns_question *
new_question(struct dns *d, enum dns_kind kind, const char *name, void *arg)
{
	struct dns_question *q = mem_alloc(sizeof(*q));
	struct str s = str_c(name);

	if (s.n > 1 && str_ends(s, STR(".")))
		s.n--;
	q->d = d;
	q->kind = kind;
	q->name = mem_dup(s);
	q->arg = arg;
	q->deadline = clock_ms() + d->timeout;
	arena_init(&q->arena, ARENA_MAX);
	for (size_t i = 0; i < ARRAY_LEN(q->parts); i++)
		q->parts[i].q = q;
	fail(q, DNS_TEMPORARY, too_late);
	return q;
}

/* Asks for the N types, if there CAN be such a name. */
static void
ask_if(struct dns_question *q, unsigned n, bool can)
{
	if (q->d->dying) {
		dns_known(q);
	} else if (!can) {
		fail(q, DNS_NO_NAME, "not a host name");
		dns_known(q);
	} else {
		dns_ask(q, n);
	}
}

static void
ask(struct dns_question *q, unsigned n)
{
	ask_if(q, n, dns_is_host(str_c(q->name)));
}

/* The same for a name that may hold any octets. */
static void
ask_any(struct dns_question *q, unsigned n)
{
	ask_if(q, n, dns_is_name(str_c(q->name)));
}

void
dns_mx(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_mx_answer *a), void *arg)
{
	struct dns_question *q = new_question(d, DNS_MX, name, arg);
	struct dns_mx *mx;

	q->fn.mx = fn;
	q->parts[0].type = ns_t_mx;
	if (d->dying || !override_of(d, name)) {
		ask(q, 1);
		return;
	}
	mx = arena_alloc(&q->arena, sizeof(*mx));
	mx->host = q->name;
	q->answer.mx = (struct dns_mx_answer){ .status = DNS_OK, .mx = mx,
		.mx_n = 1, .overridden = true };
	dns_known(q);
}

/* Gives Q addresses that nobody needs to be asked for. */
static void
know(struct dns_question *q, const struct addr *addr, size_t n)
{
	struct addr *copy = arena_alloc(&q->arena, n * sizeof(*copy));

	memcpy(copy, addr, n * sizeof(*copy));
	q->parts[0].answer = (struct dns_addr_answer){ .status = DNS_OK,
		.addr = copy, .addr_n = n };
	q->parts[1].answer = (struct dns_addr_answer){ .status = DNS_NO_DATA };
}

/* True if the addresses are known: RFC 6761 6.3, /etc/hosts, an override. */
static bool
is_known(struct dns_question *q)
{
	const struct dns_override *o = override_of(q->d, q->name);
	struct str s = str_c(q->name);
	struct addr a;

	if (o != NULL) {
		know(q, o->v, o->n);
	} else if (addr_parse(s, 0, &a) == 0) {
		know(q, &a, 1);
	} else if (str_ieq(s, STR("localhost")) ||
	    str_iends(s, STR(".localhost"))) {
		struct addr both[2];

		if (addr_parse(STR("::1"), 0, &both[0]) < 0 ||
		    addr_parse(STR("127.0.0.1"), 0, &both[1]) < 0)
			panic("dns: the loopback addresses are none");
		know(q, both, 2);
	} else {
		dns_look_into_file(q, AF_INET6, &q->parts[0]);
		dns_look_into_file(q, AF_INET, &q->parts[1]);
	}
	return q->parts[0].answer.addr_n + q->parts[1].answer.addr_n > 0;
}

void
dns_addr(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_addr_answer *a), void *arg)
{
	struct dns_question *q = new_question(d, DNS_ADDR, name, arg);

	q->fn.addr = fn;
	q->parts[0].type = ns_t_aaaa;
	q->parts[1].type = ns_t_a;
	if (!d->dying && is_known(q))
		dns_known(q);
	else
		ask(q, 2);
}

static void
ask_family(struct dns *d, const char *name, int type,
    void (*fn)(void *arg, const struct dns_addr_answer *a), void *arg)
{
	struct dns_question *q = new_question(d, DNS_ADDR, name, arg);

	q->fn.addr = fn;
	q->parts[0].type = type;
	/* As merge() has it: there are none of the other kind. */
	q->parts[1].answer = (struct dns_addr_answer){ .status = DNS_NO_NAME };
	ask_any(q, 1);
}

void
dns_addr4(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_addr_answer *a), void *arg)
{
	ask_family(d, name, ns_t_a, fn, arg);
}

void
dns_addr6(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_addr_answer *a), void *arg)
{
	ask_family(d, name, ns_t_aaaa, fn, arg);
}

void
dns_ptr(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_ptr_answer *a), void *arg)
{
	struct dns_question *q = new_question(d, DNS_PTR, name, arg);

	q->fn.ptr = fn;
	q->parts[0].type = ns_t_ptr;
	ask_any(q, 1);
}

void
dns_txt(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_txt_answer *a), void *arg)
{
	struct dns_question *q = new_question(d, DNS_TXT, name, arg);

	q->fn.txt = fn;
	q->parts[0].type = ns_t_txt;
	ask_any(q, 1);
}

void
dns_tlsa(struct dns *d, const char *name, uint16_t port,
    void (*fn)(void *arg, const struct dns_tlsa_answer *a), void *arg)
{
	struct dns_question *q;
	struct buf b;

	buf_init(&b, 2048);
	buf_addf(&b, "_%u._tcp.%s", (unsigned)port, name);
	q = new_question(d, DNS_TLSA, buf_cstr(&b), arg);
	buf_free(&b);
	q->fn.tlsa = fn;
	q->parts[0].type = 52;	/* RFC 6698 7.1 */
	ask(q, 1);
}

void
dns_srv(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_srv_answer *a), void *arg)
{
	struct dns_question *q = new_question(d, DNS_SRV, name, arg);

	q->fn.srv = fn;
	q->parts[0].type = ns_t_srv;
	ask(q, 1);
}

void
dns_alias(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_alias_answer *a), void *arg)
{
	struct dns_question *q = new_question(d, DNS_ALIAS, name, arg);

	q->fn.alias = fn;
	q->parts[0].type = ns_t_cname;
	ask(q, 1);
}
