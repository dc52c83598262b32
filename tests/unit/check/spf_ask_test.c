/* SPDX-License-Identifier: GPL-3.0-or-later */

/* spf_ask -- each question goes to DNS as what it is, and its answer is a fact when that is said. */

#include "check/spf.h"

#include <stdio.h>

#include "../../../src/check/spf_facts.h"
#include "unit.h"

/* DNS, which answers when it is told to. */
static char asked[1000];
static void *args[8];
static void (*on_text)(void *arg, const struct dns_txt_answer *a);
static void (*on_addr)(void *arg, const struct dns_addr_answer *a);
static void (*on_mx)(void *arg, const struct dns_mx_answer *a);
static void (*on_ptr)(void *arg, const struct dns_ptr_answer *a);

static void
note(const char *what, const char *name, enum spf_type type, void *arg)
{
	size_t n = strlen(asked);

	snprintf(asked + n, sizeof(asked) - n, "%s %s\n", what, name);
	args[type] = arg;
}

void
dns_txt(struct dns *d UNUSED, const char *name, void (*fn)(void *arg, const struct dns_txt_answer *a), void *arg)
{
	note("TXT", name, SPF_TXT, arg);
	on_text = fn;
}

void
dns_addr4(struct dns *d UNUSED, const char *name, void (*fn)(void *arg, const struct dns_addr_answer *a), void *arg)
{
	note("A", name, SPF_A, arg);
	on_addr = fn;
}

void
dns_addr6(struct dns *d UNUSED, const char *name, void (*fn)(void *arg, const struct dns_addr_answer *a), void *arg)
{
	note("AAAA", name, SPF_AAAA, arg);
	on_addr = fn;
}

void
dns_mx(struct dns *d UNUSED, const char *name, void (*fn)(void *arg, const struct dns_mx_answer *a), void *arg)
{
	note("MX", name, SPF_MX, arg);
	on_mx = fn;
}

void
dns_ptr(struct dns *d UNUSED, const char *name, void (*fn)(void *arg, const struct dns_ptr_answer *a), void *arg)
{
	note("PTR", name, SPF_PTR, arg);
	on_ptr = fn;
}

static unsigned calls;
static uint32_t last_ttl;

static void
on_answer(void *arg, uint32_t ttl)
{
	ck_assert_ptr_eq(arg, &calls);
	calls++;
	last_ttl = ttl;
}

START_TEST(all_types)
{
	static const struct dns_mx mx[] = { { 1, "m.test" }, { 2, "n.test" } };
	static const char *const names[] = { "p.test" };
	const struct str text = STR("v=spf1 -all");
	struct spf_facts *f = spf_facts_new();
	struct addr a = addr_from(AF_INET, "\300\0\2\1", 0);

	asked[0] = '\0';
	for (int type = SPF_TXT; type <= SPF_PTR; type++)
		(void)spf_facts_get(f, (enum spf_type)type, STR("q.test"));
	ck_assert_uint_eq(spf_ask(NULL, f, on_answer, &calls), 5);
	ck_assert_str_eq(asked, "TXT q.test\nA q.test\nAAAA q.test\nMX q.test\nPTR q.test\n");
	ck_assert_uint_eq(spf_ask(NULL, f, on_answer, &calls), 0);
	on_text(args[SPF_TXT], &(struct dns_txt_answer){ .status = DNS_OK, .text = &text, .text_n = 1, .ttl = 77 });
	ck_assert_uint_eq(last_ttl, 77);
	ck_str(spf_facts_get(f, SPF_TXT, STR("q.test"))->text[0], text);
	on_addr(args[SPF_A], &(struct dns_addr_answer){ .status = DNS_OK, .addr = &a, .addr_n = 1, .ttl = 5 });
	ck_assert_uint_eq(spf_facts_get(f, SPF_A, STR("q.test"))->n, 1);
	on_addr(args[SPF_AAAA], &(struct dns_addr_answer){ .status = DNS_TEMPORARY });
	ck_assert_uint_eq(last_ttl, UINT32_MAX);
	ck_assert_int_eq(spf_facts_get(f, SPF_AAAA, STR("q.test"))->status, DNS_TEMPORARY);
	on_mx(args[SPF_MX], &(struct dns_mx_answer){ .status = DNS_OK, .mx = mx, .mx_n = 2, .ttl = 9 });
	ck_str(spf_facts_get(f, SPF_MX, STR("q.test"))->text[1], STR("n.test"));
	on_ptr(args[SPF_PTR], &(struct dns_ptr_answer){ .status = DNS_OK, .name = names, .name_n = 1, .ttl = 1 });
	ck_str(spf_facts_get(f, SPF_PTR, STR("q.test"))->text[0], STR("p.test"));
	ck_assert_uint_eq(last_ttl, UINT32_MAX);
	ck_assert_uint_eq(calls, 5);
	spf_facts_free(f);
}
END_TEST

START_TEST(domains)
{
	struct arena a;

	arena_init(&a, 1 << 16);
	ck_str(spf_domain(STR("A.test"), &a), STR("A.test"));
	ck_str(spf_domain(STR("b\303\244.test"), &a), STR("xn--b-0fa.test"));
	ck_str(spf_domain(STR("b\303.test"), &a), STR(""));
	arena_free(&a);
}
END_TEST

UNIT_MAIN("check/spf_ask", all_types, domains)
