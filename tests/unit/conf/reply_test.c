/* SPDX-License-Identifier: GPL-3.0-or-later */

/* reply -- refusals as options say them. */

#include "conf/reply.h"

#include "unit.h"

START_TEST(good)
{
	static const struct { const char *said; int code; const char *enhanced, *text; } cases[] = {
		{ "550 5.1.1 nobody here", 550, "5.1.1", "nobody here" },
		{ "450", 450, "4.7.1", "" },
		{ "  554   because  ", 554, "5.7.1", "because" },
		{ "421 4.3.2", 421, "4.3.2", "" },
		{ "550 5 of them", 550, "5.7.1", "5 of them" },
	};
	struct conf_reply r;
	struct arena a;

	arena_init(&a, 1 << 16);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert_ptr_null(conf_reply_read(cases[i].said, &a, &r));
		ck_assert_int_eq(r.code, cases[i].code);
		ck_assert_str_eq(r.enhanced, cases[i].enhanced);
		ck_assert_str_eq(r.text, cases[i].text);
	}
	arena_free(&a);
}
END_TEST

START_TEST(bad)
{
	static const char *const cases[] = { "", "no", "399 a", "600 a", "55 a", "5500 a",
		"550 4.7.1 another class", "550 5.7 short", "550 5.7.1.1 long", "550 a\r\n250 b",
		"550 \303\244" };
	struct conf_reply r;
	struct arena a;

	arena_init(&a, 1 << 16);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(conf_reply_read(cases[i], &a, &r) != NULL, "%s", cases[i]);
	arena_free(&a);
}
END_TEST

UNIT_MAIN("conf/reply", good, bad)
