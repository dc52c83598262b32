/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UNIT_PRINTED_H
#define UNIT_PRINTED_H

/* printed -- what is printed, held against what should be. */

#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

/* What was printed last. */
static char *text;
static size_t text_n;

static FILE *
begin(void)
{
	free(text);
	FILE *out = open_memstream(&text, &text_n);
	ck_assert_ptr_nonnull(out);
	return out;
}

static void
check(FILE *out, const char *want)
{
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(text, want);
}

#endif
