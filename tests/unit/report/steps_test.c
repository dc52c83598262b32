/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Steps as people and programs get them. */

#include "report/steps.h"

#include <stdlib.h>

#include "unit.h"

static char *text;

static void
filled(struct steps *s)
{
	struct conf_place place = { "/etc/b.conf", 12 };

	steps_init(s);
	steps_add(s, 0, "recipient", CONF_NOWHERE, "<%s>", "a@b");
	steps_add(s, 1, "answer", place, "250 %d", 1);
	steps_add(s, 1, "answer", CONF_NOWHERE, "\x1b[1m \xff");
	steps_add(s, 2, "answer", CONF_NOWHERE, "deeper");
}

START_TEST(people)
{
	struct steps s;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	filled(&s);
	steps_print(&s, out);
	fclose(out);
	ck_assert_str_eq(text, "recipient    <a@b>\n"
	    "  answer       250 1    (/etc/b.conf:12)\n"
	    "               \\x1b[1m \\xff\n"
	    "    answer       deeper\n");
	steps_free(&s);
	free(text);
}
END_TEST

START_TEST(programs)
{
	struct steps s;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	filled(&s);
	steps_json("a@b", &s, out);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "\"subject\": \"a@b\""));
	ck_assert_ptr_nonnull(strstr(text, "\"step\": \"answer\",\n      "
	    "\"depth\": 1,\n      \"text\": \"250 1\",\n      "
	    "\"file\": \"/etc/b.conf\",\n      \"line\": 12\n"));
	steps_free(&s);
	free(text);
}
END_TEST

/* Any number of them, and any length. */
START_TEST(many)
{
	struct steps s;
	char large[20000];

	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	steps_init(&s);
	for (int i = 0; i < 1000; i++)
		steps_add(&s, 0, "n", CONF_NOWHERE, "%d", i);
	steps_add(&s, 0, "n", CONF_NOWHERE, "%s", large);
	ck_assert_uint_eq(s.n, 1001);
	ck_assert_str_eq(s.v[999].text, "999");
	steps_free(&s);
}
END_TEST

UNIT_MAIN("report/steps", people, programs, many)
