/* SPDX-License-Identifier: GPL-3.0-or-later */

/* answers -- kept until their time, a fixed number of them. */

#include "ipc/answers.h"

#include <stdio.h>

#include "lib/buf.h"
#include "unit.h"

START_TEST(kept)
{
	struct answers *c = answers_new();

	ck_assert_uint_eq(answers_get(c, STR("a"), 0).n, 0);
	answers_put(c, STR("a"), STR("one"), 100);
	ck_str(answers_get(c, STR("a"), 99), STR("one"));
	ck_assert_uint_eq(answers_get(c, STR("A"), 99).n, 0);
	answers_put(c, STR("a"), STR("two"), 200);
	ck_str(answers_get(c, STR("a"), 199), STR("two"));
	ck_assert_uint_eq(answers_get(c, STR("a"), 200).n, 0);
	/* It is forgotten, whatever the clock says then. */
	ck_assert_uint_eq(answers_get(c, STR("a"), 0).n, 0);
	answers_free(c);
	answers_free(NULL);
}
END_TEST

/* A question is all of its octets: what stands before a NUL is another one. */
START_TEST(octets)
{
	struct answers *c = answers_new();

	/* Places are by hash: of so many one falls into that of the short one. */
	for (int i = 0; i < 100000; i++) {
		char q[] = "victim.test\0......";

		(void)snprintf(q + 12, sizeof(q) - 12, "%06d", i);
		answers_put(c, str_n(q, sizeof(q) - 1), STR("forged"), 100);
		ck_str(answers_get(c, str_n(q, sizeof(q) - 1), 99), STR("forged"));
		ck_assert_uint_eq(answers_get(c, STR("victim.test"), 99).n, 0);
	}
	answers_free(c);
}
END_TEST

START_TEST(bounded)
{
	struct answers *c = answers_new();
	char name[32], large[2049] = { 0 };
	size_t there = 0;

	for (int i = 0; i < 20000; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		answers_put(c, str_c(name), STR("x"), 1000);
	}
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		there += answers_get(c, str_c(name), 0).n;
	}
	ck_assert_uint_gt(there, 1000);
	ck_assert_uint_le(there, 4096);
	answers_put(c, STR("large"), str_n(large, sizeof(large)), 1000);
	ck_assert_uint_eq(answers_get(c, STR("large"), 0).n, 0);
	answers_free(c);
}
END_TEST

UNIT_MAIN("ipc/answers", kept, octets, bounded)
