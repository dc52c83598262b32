/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

/* unit -- the main() of every unit test program: one suite, Check's runner. */

#include <check.h>
#include <stdio.h>
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

/* Runs what T holds as the suite NAME; the exit status of the program. */
static inline int
unit_run(const char *name, TCase *t)
{
	Suite *s = suite_create(name);
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 240);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static inline TCase *
unit_case(const char *name, const TTest *const *tests, size_t n)
{
	TCase *t = tcase_create(name);

	for (size_t i = 0; i < n; i++)
		tcase_add_test(t, tests[i]);
	return t;
}

/* NAME in the folder of the source, from the place of this file. */
static inline void
source_path(char *out, size_t n, const char *name)
{
	const char *root = getenv("BARID_SRC");
	size_t len = strlen(__FILE__) - strlen("tests/unit/unit.h");

	if (root)
		snprintf(out, n, "%s/%s", root, name);
	else
		snprintf(out, n, "%.*s%s", (int)len, __FILE__, name);
}

/* Without a process of its own a test that aborts would end all. */
static inline bool
unit_forks(void)
{
	const char *fork = getenv("CK_FORK");

	return fork == NULL || strcmp(fork, "no") != 0;
}

/* A case of the tests that follow, made with START_TEST. */
#define UNIT_CASE(name, ...)                                                                    \
	unit_case(name, (const TTest *const[]){ __VA_ARGS__ },                                  \
	    sizeof((const TTest *const[]){ __VA_ARGS__ }) / sizeof(TTest *))

#define UNIT_MAIN(name, ...)                                                                    \
	int main(void)                                                                          \
	{                                                                                       \
		return unit_run(name, UNIT_CASE(name, __VA_ARGS__));                            \
	}

#endif
