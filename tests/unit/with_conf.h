/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_WITH_CONF_H
#define TESTS_WITH_CONF_H

/* with_conf -- a configuration for a test, from its text. */

#include "conf/conf.h"
#include "unit.h"

/* The caller's, for conf_free(); a mistake in TEXT ends the test. */
static inline struct conf *
with_conf(const char *text)
{
	struct conf *c;
	struct buf error;

	buf_init(&error, 65536);
	c = conf_parse("test.conf", str_c(text), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	buf_free(&error);
	return c;
}

#endif
