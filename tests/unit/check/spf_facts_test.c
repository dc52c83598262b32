/* SPDX-License-Identifier: GPL-3.0-or-later */

/* spf_facts -- each question once, and of an answer what an evaluation can use. */

#include "../../../src/check/spf_facts.h"

#include "unit.h"

START_TEST(questions)
{
	struct spf_facts *f = spf_facts_new();
	const struct spf_question *q;
	struct spf_answer *a;

	ck_assert_ptr_null(spf_facts_lacking(f));
	a = spf_facts_get(f, SPF_TXT, STR("A.test"));
	ck_assert(!a->there);
	ck_assert_ptr_eq(spf_facts_get(f, SPF_TXT, STR("a.TEST")), a);
	ck_assert_ptr_ne(spf_facts_get(f, SPF_A, STR("a.test")), a);
	q = spf_facts_lacking(f);
	ck_assert_int_eq(q->type, SPF_TXT);
	ck_assert_str_eq(q->name, "A.test");
	q = spf_facts_lacking(f);
	ck_assert_int_eq(q->type, SPF_A);
	ck_assert_ptr_null(spf_facts_lacking(f));
	(void)spf_facts_get(f, SPF_MX, STR("a.test"));
	ck_assert_ptr_nonnull(spf_facts_lacking(f));
	ck_assert_ptr_null(spf_facts_lacking(f));
	spf_facts_free(f);
	spf_facts_free(NULL);
}
END_TEST

START_TEST(texts)
{
	struct spf_facts *f = spf_facts_new();
	struct spf_answer *a = spf_facts_get(f, SPF_TXT, STR("a.test"));
	struct str v[500];
	char *large = malloc(65536);

	ck_assert_ptr_nonnull(large);
	memset(large, 'x', 65536);
	memcpy(large, "v=spf1 ", 7);
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		v[i] = STR("other");
	v[499] = v[77] = v[78] = STR("v=spf1 -all");
	v[5] = str_n(large, 65536);
	spf_facts_text(f, &a->q, DNS_OK, v, ARRAY_LEN(v));
	ck_assert(a->there);
	ck_assert_uint_eq(a->total, 500);
	ck_assert_uint_eq(a->n, 2);
	ck_assert_uint_eq(a->text[0].n, SPF_RECORD_MAX + 1);
	ck_str(a->text[1], STR("v=spf1 -all"));
	/* The only one is kept, whatever it is: it may explain. */
	a = spf_facts_get(f, SPF_TXT, STR("b.test"));
	spf_facts_text(f, &a->q, DNS_OK, v, 1);
	ck_str(a->text[0], STR("other"));
	/* All hosts that there can be. */
	a = spf_facts_get(f, SPF_MX, STR("b.test"));
	spf_facts_text(f, &a->q, DNS_OK, v, 12);
	ck_assert_uint_eq(a->n, 12);
	spf_facts_text(f, &a->q, DNS_TEMPORARY, NULL, 0);
	ck_assert_int_eq(a->status, DNS_TEMPORARY);
	ck_assert_uint_eq(a->n, 0);
	free(large);
	spf_facts_free(f);
}
END_TEST

START_TEST(addresses)
{
	struct spf_facts *f = spf_facts_new();
	struct spf_answer *a = spf_facts_get(f, SPF_A, STR("a.test"));
	struct addr v[300];

	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		v[i] = addr_from(AF_INET, (unsigned char[]){ 192, 0, 2, (unsigned char)(i / 2) }, 0);
	spf_facts_addr(f, &a->q, DNS_OK, v, ARRAY_LEN(v));
	ck_assert_uint_eq(a->n, 300);
	ck_assert_mem_eq(a->octets + 4 * 299, "\300\0\2\225", 4);
	/* Of the other kind there is none. */
	a = spf_facts_get(f, SPF_AAAA, STR("a.test"));
	spf_facts_addr(f, &a->q, DNS_OK, v, ARRAY_LEN(v));
	ck_assert_uint_eq(a->n, 0);
	spf_facts_free(f);
}
END_TEST

UNIT_MAIN("check/spf_facts", questions, texts, addresses)
