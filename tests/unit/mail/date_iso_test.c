/* SPDX-License-Identifier: GPL-3.0-or-later */

/* date_iso_test -- dates of RFC 3339: the examples of its section 5.8, and no others. */

#include "unit.h"

#include "mail/date.h"

#define LIT(s) { "" s, sizeof(s) - 1 }

START_TEST(read)
{
	static const struct {
		struct str text;
		int64_t t;
	} cases[] = {
		{ LIT("1970-01-01T00:00:00Z"), 0 },
		{ LIT("2026-11-21T07:00:00Z"), 1795244400 },
		{ LIT("2026-11-21t07:00:00z"), 1795244400 },
		{ LIT("2026-11-21 07:00:00"), 1795244400 },
		{ LIT("2026-11-21T08:30:00+01:30"), 1795244400 },
		{ LIT("2026-11-20T23:00:00-08:00"), 1795244400 },
		{ LIT("2026-11-21T07:00:00.999Z"), 1795244400 },
		{ LIT("1985-04-12T23:20:50.52Z"), 482196050 },
		{ LIT("1996-12-19T16:39:57-08:00"), 851042397 },
		{ LIT(""), -1 },
		{ LIT("2026-11-21"), -1 },
		{ LIT("2026-13-21T07:00:00Z"), -1 },
		{ LIT("2026-00-21T07:00:00Z"), -1 },
		{ LIT("2026-02-30T07:00:00Z"), -1 },
		{ LIT("2026-11-21T25:00:00Z"), -1 },
		{ LIT("2026-11-21T07:00:00ZZ"), -1 },
		{ LIT("2026-11-21T07:00:00+0100"), -1 },
		{ LIT("2026-11-21T07:00:00+1:00"), -1 },
		{ LIT("2026-11-21T07:00:00."), -1 },
		{ LIT("2026-11-21x07:00:00Z"), -1 },
		{ LIT("2026-11-21\0" "07:00:00Z"), -1 },
		{ LIT("2o26-11-21T07:00:00Z"), -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(date_parse_iso(cases[i].text) == cases[i].t,
		    "%s: %lld", cases[i].text.p,
		    (long long)date_parse_iso(cases[i].text));
}
END_TEST

START_TEST(written)
{
	struct buf b;

	buf_init(&b, 100);
	date_add_iso(&b, 1795244400);
	ck_assert_str_eq(buf_cstr(&b), "2026-11-21T07:00:00Z");
	buf_reset(&b);
	date_add_iso(&b, -5000000000000);
	ck_assert_str_eq(buf_cstr(&b), "1970-01-01T00:00:00Z");
	buf_free(&b);
}
END_TEST

UNIT_MAIN("mail/date_iso", read, written)
