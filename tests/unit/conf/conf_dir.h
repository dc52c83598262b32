/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_CONF_DIR_H
#define TESTS_CONF_DIR_H

/* conf_dir -- a directory that the test is in, for a configuration's files. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

static char dir[SCRATCH_SIZE];

static inline void
enter(void)
{
	scratch_begin(dir);
	ck_assert_int_eq(chdir(dir), 0);
}

static inline void
leave(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	scratch_end(dir);
}

static inline void
put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	ck_assert_msg(f != NULL, "%s: %s", name, strerror(errno));
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

#endif
