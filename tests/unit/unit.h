/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

/* unit -- the main() of every unit test program: one suite, Check's runner. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"

/* Asserts that two views hold the same bytes and shows both if not. */
#define ck_str(got, want)                                                                       \
	do {                                                                                    \
		struct str ck_g = (got), ck_w = (want);                                         \
		ck_assert_msg(str_eq(ck_g, ck_w), "got \"%.*s\", expected \"%.*s\"",           \
		    STR_ARG(ck_g), STR_ARG(ck_w));                                              \
	} while (0)

/* TESTS is a list of test functions made with START_TEST. */
#define UNIT_MAIN(name, ...)                                                                    \
	int main(void)                                                                          \
	{                                                                                       \
		const TTest *const unit_tests[] = { __VA_ARGS__ };                              \
		Suite *s = suite_create(name);                                                  \
		TCase *t = tcase_create(name);                                                  \
		tcase_set_timeout(t, 240);                                                       \
		for (size_t i = 0; i < sizeof(unit_tests) / sizeof(unit_tests[0]); i++)         \
			tcase_add_test(t, unit_tests[i]);                                       \
		suite_add_tcase(s, t);                                                          \
		SRunner *r = srunner_create(s);                                                 \
		srunner_run_all(r, CK_ENV);                                                     \
		int failed = srunner_ntests_failed(r);                                          \
		srunner_free(r);                                                                \
		return failed ? EXIT_FAILURE : EXIT_SUCCESS;                                    \
	}

#endif
