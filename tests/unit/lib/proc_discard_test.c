/* SPDX-License-Identifier: GPL-3.0-or-later */

/* proc_discard -- what was needed for the start alone is there no more. */

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>

#include "lib/build.h"
#include "child.h"
#include "lib/proc.h"

/* A function of a library that nothing here needs; it allocates nothing. */
static const char *(*symbol)(void);

/* By the linker. */
extern const unsigned char __ehdr_start[] __attribute__((visibility("hidden")));

static void
load(void)
{
	void *lib = dlopen("libjansson.so.4", RTLD_NOW | RTLD_LOCAL);
	void *p = lib ? dlsym(lib, "jansson_version_str") : NULL;

	ck_assert_ptr_nonnull(p);
	memcpy(&symbol, &p, sizeof(symbol));
	ck_assert_int_eq(setenv("LD_BIND_NOW", "1", 1), 0);
}

static void
discard(const char *name)
{
	const char *names[] = { "libdoesnotexist", name, NULL };

	proc_discard(names);
}

static void
calls_it(void)
{
	_exit(symbol() != NULL ? 42 : 43);
}

static void
calls_it_no_more(void)
{
	discard("libjansson.so");
	calls_it();
}

static void
calls_another_no_more(void)
{
	discard("libidn2.so");
	calls_it();
}

START_TEST(library)
{
	load();
	ck_assert_int_eq(child_run(calls_it, -1), 42);
	ck_assert_int_eq(child_run(calls_another_no_more, -1), 42);
	ck_assert_int_eq(child_run(calls_it_no_more, -1), BUILD_ASAN ? 42 : 128 + SIGSEGV);
}
END_TEST

static void
looks_at_a_table(void)
{
	discard("libdoesnotexisteither");
	_exit(__ehdr_start[1] == 'E' ? 42 : 43);
}

/* Itself and what is forked from it. */
static void
works(void)
{
	char *p;

	discard("libidn2.so");
	p = malloc(100);
	if (p && snprintf(p, 100, "%d", getpid()) > 0 && symbol())
		_exit(child_run(calls_it, -1));
	_exit(43);
}

START_TEST(tables)
{
	load();
	ck_assert_int_eq(child_run(works, -1), 42);
	ck_assert_int_eq(child_run(looks_at_a_table, -1), BUILD_ASAN ? 42 : 128 + SIGSEGV);
	ck_assert_int_eq(unsetenv("LD_BIND_NOW"), 0);
	ck_assert_int_eq(child_run(looks_at_a_table, -1), 42);
	ck_assert_int_eq(child_run(calls_it_no_more, -1), 42);
}
END_TEST

UNIT_MAIN("lib/proc_discard", library, tables)
