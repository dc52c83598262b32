/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What barid-http remembers. */

#include "http/keep.h"

#include <stdio.h>

#include "unit.h"

START_TEST(failures)
{
	struct keep *k = keep_new();
	char key[32], words[1000];

	ck_assert_ptr_null(keep_has_failed(k, "a.test"));
	keep_failure(k, "a.test", STR("HTTP status 404"));
	ck_assert_str_eq(keep_has_failed(k, "a.test"), "HTTP status 404");
	ck_assert_ptr_null(keep_has_failed(k, "b.test"));
	memset(words, 'x', sizeof(words));
	keep_failure(k, "a.test", str_n(words, sizeof(words)));
	ck_assert_uint_eq(strlen(keep_has_failed(k, "a.test")), 500);
	/* Not without end. */
	for (int i = 0; i < 20000; i++) {
		snprintf(key, sizeof(key), "d%d.test", i);
		keep_failure(k, key, STR("no"));
	}
	ck_assert_ptr_nonnull(keep_has_failed(k, "d1.test"));
	ck_assert_ptr_null(keep_has_failed(k, "d19999.test"));
	keep_free(k);
	keep_free(NULL);
}
END_TEST

START_TEST(tokens)
{
	struct keep *k = keep_new();
	uint64_t s = 0;

	ck_assert_ptr_null(keep_get_token(k, "up 0", &s));
	keep_token(k, "up 0", STR("one"), 3600);
	ck_assert_str_eq(keep_get_token(k, "up 0", &s), "one");
	ck_assert(s > 3500 && s <= 3600);
	ck_assert_ptr_null(keep_get_token(k, "up 1", &s));
	/* Nearly over is over, and for ever is a day. */
	keep_token(k, "up 1", STR("two"), 30);
	ck_assert_ptr_null(keep_get_token(k, "up 1", &s));
	keep_token(k, "up 1", STR("three"), UINT64_MAX);
	ck_assert_str_eq(keep_get_token(k, "up 1", &s), "three");
	ck_assert_uint_le(s, 86400);
	/* Another one was refused, or nothing was; or this one, which is new. */
	ck_assert_ptr_null(keep_refused(k, "up 0", STR("")));
	ck_assert_ptr_null(keep_refused(k, "up 0", STR("old")));
	ck_assert_ptr_null(keep_refused(k, "up 2", STR("one")));
	ck_assert_ptr_nonnull(keep_refused(k, "up 0", STR("one")));
	ck_assert_str_eq(keep_get_token(k, "up 0", &s), "one");
	keep_free(k);
}
END_TEST

UNIT_MAIN("http/keep", failures, tokens)
