/* SPDX-License-Identifier: GPL-3.0-or-later */

/* proc_withhold -- a library that the parent has and its children have not. */

#include <dlfcn.h>
#include <signal.h>

#include "lib/build.h"
#include "child.h"
#include "lib/proc.h"

/* A function of a library that nothing here needs; it allocates nothing. */
static const char *(*symbol)(void);

static void
calls_it(void)
{
	_exit(symbol() != NULL ? 42 : 43);
}

START_TEST(withholds)
{
	static const char *const other[] = { "libdoesnotexist", "pcre2", NULL };
	static const char *const it[] = { "libjansson.so", NULL };
	void *lib = dlopen("libjansson.so.4", RTLD_NOW | RTLD_LOCAL);
	void *p = lib ? dlsym(lib, "jansson_version_str") : NULL;

	ck_assert_ptr_nonnull(p);
	memcpy(&symbol, &p, sizeof(symbol));
	ck_assert_int_eq(child_run(calls_it, -1), 42);
	proc_withhold(other);
	ck_assert_int_eq(child_run(calls_it, -1), 42);
	proc_withhold(it);
	if (BUILD_ASAN)
		ck_assert_int_eq(child_run(calls_it, -1), 42);
	else
		ck_assert_int_eq(child_run(calls_it, -1), 128 + SIGSEGV);
	ck_assert_ptr_nonnull(symbol());
}
END_TEST

UNIT_MAIN("lib/proc_withhold", withholds)
