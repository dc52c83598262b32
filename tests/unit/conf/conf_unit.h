/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_CONF_UNIT_H
#define TESTS_CONF_UNIT_H

/* conf_unit -- a configuration from text, and the complaint about one. */

#include <stdio.h>

#include "conf/conf.h"
#include "unit.h"

/* The configuration that TEXT is; fails the test if it is none. */
static inline struct conf *
must_parse(const char *text)
{
	struct buf error;
	struct conf *c;

	buf_init(&error, 65536);
	c = conf_parse("test.conf", str_c(text), &error);
	ck_assert_msg(c != NULL, "%s\n%s", text, buf_cstr(&error));
	ck_assert_uint_eq(error.n, 0);
	buf_free(&error);
	return c;
}

/* The complaint about TEXT, for free(3); fails the test if there is none. */
static inline char *
must_fail(const char *text)
{
	struct buf error;
	struct conf *c;
	char *copy;

	buf_init(&error, 65536);
	c = conf_parse("test.conf", str_c(text), &error);
	ck_assert_msg(c == NULL, "accepted: %s", text);
	ck_assert_msg(error.n > 0, "no complaint: %s", text);
	copy = strdup(buf_cstr(&error));
	buf_free(&error);
	return copy;
}

struct fault {
	const char *text;
	const char *complaint;	/* how it starts, behind "test.conf:" */
};

/* Each text has one mistake, and is refused with one complaint: its own. */
static inline void
check_faults(const struct fault *f, size_t n)
{
	for (; n > 0; n--, f++) {
		char *got = must_fail(f->text);

		ck_assert_msg(str_starts(str_c(got), STR("test.conf:")) &&
		    str_starts(str_skip(str_c(got), 10), str_c(f->complaint)),
		    "%s\ngot      %sexpected test.conf:%s", f->text, got, f->complaint);
		ck_assert_msg(strchr(got, '\n') == got + strlen(got) - 1, "%s\n%s", f->text, got);
		free(got);
	}
}

#endif
