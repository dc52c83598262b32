/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_SPF_ZONE_H
#define TESTS_SPF_ZONE_H

/* spf_zone -- DNS as a test says it, and an evaluation that asks it. */

#include <arpa/inet.h>

#include "check/spf.h"
#include "lib/mem.h"
#include "unit.h"

#define ZONE_RECORDS 400

struct zone {
	struct arena arena;
	struct {
		struct str name, type, value;
	} v[ZONE_RECORDS];
	size_t n;
	size_t asked;		/* questions of the last evaluation */
	size_t rounds;
};

static inline struct zone *
zone_new(void)
{
	struct zone *z = mem_alloc(sizeof(*z));

	arena_init(&z->arena, 64 << 20);
	return z;
}

static inline void
zone_free(struct zone *z)
{
	arena_free(&z->arena);
	mem_free(z);
}

static inline void
zone_add_str(struct zone *z, struct str name, struct str type, struct str value)
{
	ck_assert_uint_lt(z->n, ZONE_RECORDS);
	z->v[z->n].name = arena_str(&z->arena, name);
	z->v[z->n].type = arena_str(&z->arena, type);
	z->v[z->n++].value = arena_str(&z->arena, value);
}

static inline void
zone_add(struct zone *z, const char *name, const char *type, const char *value)
{
	zone_add_str(z, str_c(name), str_c(type), str_c(value));
}

/* All values of TYPE that NAME, or what its aliases lead to, has. */
static inline enum dns_status
zone_find(const struct zone *z, struct str name, const char *type, struct str *v, size_t *n)
{
	for (int hops = 0; hops < 10; hops++) {
		struct str alias = STR("");
		bool there = false, late = false;

		*n = 0;
		for (size_t i = 0; i < z->n; i++) {
			if (!str_ieq(z->v[i].name, name))
				continue;
			there = true;
			late = late || str_eq(z->v[i].type, STR("TIMEOUT"));
			if (str_eq(z->v[i].type, STR("CNAME")))
				alias = z->v[i].value;
			if (str_eq(z->v[i].type, str_c(type)))
				v[(*n)++] = z->v[i].value;
		}
		if (*n > 0)
			return DNS_OK;
		if (late)
			return DNS_TEMPORARY;
		if (alias.n == 0)
			return there ? DNS_NO_DATA : DNS_NO_NAME;
		name = str_ends(alias, STR(".")) ? str_head(alias, alias.n - 1) : alias;
	}
	return DNS_TEMPORARY;
}

static inline void
zone_answer(struct zone *z, struct spf_facts *f, const struct spf_question *q)
{
	static const char *const types[] = { "TXT", "A", "AAAA", "MX", "PTR" };
	struct str v[ZONE_RECORDS];
	struct addr addr[ZONE_RECORDS];
	size_t n = 0;
	enum dns_status status = zone_find(z, str_c(q->name), types[q->type], v, &n);

	z->asked++;
	if (q->type != SPF_A && q->type != SPF_AAAA) {
		for (size_t i = 0; i < n; i++)
			if (q->type != SPF_TXT && str_ends(v[i], STR(".")))
				v[i].n--;
		spf_facts_text(f, q, status, v, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(addr_parse(v[i], 0, &addr[i]), 0);
	spf_facts_addr(f, q, status, addr, n);
}

/* The verdict on C; what it views is F's. */
static inline struct spf_verdict
zone_check(struct zone *z, const struct spf_client *c, struct spf_facts *f)
{
	const struct spf_question *q;
	struct spf_verdict v;
	size_t before;

	z->asked = z->rounds = 0;
	while (!spf_check(c, f, &v)) {
		before = z->asked;
		z->rounds++;
		while ((q = spf_facts_lacking(f)) != NULL)
			zone_answer(z, f, q);
		ck_assert_uint_gt(z->asked, before);
	}
	return v;
}

/* The client that has said HELO and MAIL FROM:<SENDER> from ADDRESS. */
static inline struct spf_client
zone_client(struct str helo, struct str address, struct str sender)
{
	struct spf_client c = { .helo = helo, .local = STR("postmaster"), .domain = helo,
		.receiver = STR("mx.barid.test"), .explanation = STR(""), .now = 1700000000 };
	ptrdiff_t at = str_rfind(sender, '@');

	ck_assert_int_eq(addr_parse(address, 0, &c.address), 0);
	if (at >= 0) {
		c.local = str_head(sender, (size_t)at);
		c.domain = str_skip(sender, (size_t)at + 1);
	}
	return c;
}

#endif
