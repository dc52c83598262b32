/* SPDX-License-Identifier: GPL-3.0-or-later */

/* environ -- what is put aside, what stays, and what a child gets. */

#include <signal.h>
#include <stdlib.h>

#include "child.h"
#include "lib/build.h"
#include "lib/environ.h"

extern char **environ;

/* Of our own, as a program gets it. */
static char path[] = "PATH=/bin", secret[] = "SMTP_PASSWORD=wonderland",
	    empty[] = "EMPTY=", odd[] = "no equals sign", zone[] = "TZ=UTC",
	    similar[] = "PATHS=1";
static char *given[] = { path, secret, empty, odd, zone, similar, NULL };

static void
hide(void)
{
	environ = given;
	environ_hide();
}

START_TEST(puts_aside)
{
	hide();
	ck_assert_str_eq(environ[0], "PATH=/bin");
	ck_assert_str_eq(environ[1], "TZ=UTC");
	ck_assert_ptr_null(environ[2]);
	/* /proc/PID/environ shows this memory. */
	for (size_t i = 0; i < sizeof(secret); i++)
		ck_assert_int_eq(secret[i], 0);
	ck_assert_ptr_null(getenv("SMTP_PASSWORD"));
	ck_assert_str_eq(environ_get("SMTP_PASSWORD"), "wonderland");
	ck_assert_str_eq(environ_get("EMPTY"), "");
	ck_assert_str_eq(environ_get("PATH"), "/bin");
	ck_assert_str_eq(environ_get("PATHS"), "1");
	ck_assert_ptr_null(environ_get("SMTP"));
	ck_assert_ptr_null(environ_get("PASSWORD"));
	ck_assert_ptr_null(environ_get("no equals sign"));
	/* Once is enough. */
	environ_hide();
	ck_assert_str_eq(environ_get("SMTP_PASSWORD"), "wonderland");
}
END_TEST

START_TEST(nothing_there)
{
	environ = NULL;
	environ_hide();
	ck_assert_ptr_null(environ_get("PATH"));
}
END_TEST

static void
asks(void)
{
	_exit(environ_get("SMTP_PASSWORD") ? 42 : 43);
}

START_TEST(no_child_has_it)
{
	hide();
	ck_assert_int_eq(child_run(asks, -1), 42);
	environ_withhold();
	/* A sanitizer ends it in its own way. */
	ck_assert_int_eq(child_run(asks, -1), BUILD_ASAN ? 1 : 128 + SIGSEGV);
	ck_assert_str_eq(environ_get("SMTP_PASSWORD"), "wonderland");
}
END_TEST

UNIT_MAIN("lib/environ", puts_aside, nothing_there,
    no_child_has_it)
