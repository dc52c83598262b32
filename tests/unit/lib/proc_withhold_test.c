/* SPDX-License-Identifier: GPL-3.0-or-later */

/* proc_withhold -- a library that the parent has and its children have not. */

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>

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

/* By the linker. */
extern const unsigned char __ehdr_start[] __attribute__((visibility("hidden")));

static void
looks_at_a_table(void)
{
	_exit(__ehdr_start[1] == 'E' ? 42 : 43);
}

static void
works(void)
{
	char *p = malloc(100);

	_exit(p && snprintf(p, 100, "%d", getpid()) > 0 && symbol() ? 42 : 43);
}

START_TEST(tables)
{
	void *lib = dlopen("libjansson.so.4", RTLD_NOW | RTLD_LOCAL);
	void *p = lib ? dlsym(lib, "jansson_version_str") : NULL;

	ck_assert_ptr_nonnull(p);
	memcpy(&symbol, &p, sizeof(symbol));
	ck_assert_int_eq(unsetenv("LD_BIND_NOW"), 0);
	proc_withhold_tables();
	ck_assert_int_eq(child_run(looks_at_a_table, -1), 42);
	ck_assert_int_eq(setenv("LD_BIND_NOW", "1", 1), 0);
	proc_withhold_tables();
	ck_assert_int_eq(child_run(looks_at_a_table, -1), BUILD_ASAN ? 42 : 128 + SIGSEGV);
	ck_assert_int_eq(child_run(works, -1), 42);
	ck_assert_int_eq(__ehdr_start[1], 'E');
}
END_TEST

UNIT_MAIN("lib/proc_withhold", withholds, tables)
