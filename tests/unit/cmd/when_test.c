/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Ages and moments as people type them. */

#include "../../../src/cmd/ctl.h"

#include "unit.h"

START_TEST(ages)
{
	static const struct {
		const char *text;
		int64_t ms;	/* -1: none */
	} cases[] = {
		{ "30s", 30000 }, { "5m", 300000 }, { "2h", 7200000 },
		{ "1d", 86400000 }, { "2w", 1209600000 }, { "0s", 0 },
		{ "", -1 }, { "5", -1 }, { "m", -1 }, { "-5m", -1 },
		{ "5 m", -1 }, { "5y", -1 }, { "1.5h", -1 }, { "5mm", -1 },
		{ "99999999999999999999s", -1 }, { "9999999w", -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t ms = -2;
		int r = when_age(str_c(cases[i].text), &ms);

		ck_assert_msg(r == (cases[i].ms < 0 ? -1 : 0) &&
		    ms == (cases[i].ms < 0 ? -2 : cases[i].ms), "%s",
		    cases[i].text);
	}
}
END_TEST

#define NOW (INT64_C(1795222923) * 1000000)	/* 2026-11-21 01:02:03 UTC */

START_TEST(moments)
{
	static const struct {
		const char *text;
		int64_t s;	/* -1: none */
	} cases[] = {
		{ "now", 1795222923 }, { " now ", 1795222923 },
		{ "+2h", 1795230123 }, { "2h", 1795215723 },
		{ "2026-11-21", 1795219200 - 3600 },
		{ "2026-11-21Z", 1795219200 },
		{ "2026-11-21 08:00", 1795248000 - 3600 },
		{ "2026-11-21T08:00:05Z", 1795248005 },
		{ "2024-02-29", 1709161200 },
		{ "2026-02-29", -1 }, { "2026-02-31", -1 }, { "2026-13-01", -1 },
		{ "2026-00-01", -1 }, { "2026-01-00", -1 }, { "2026-1-1", -1 },
		{ "1969-12-31", -1 }, { "2026-11-21 8:00", -1 },
		{ "2026-11-21 24:00", -1 }, { "2026-11-21 08:00x", -1 },
		{ "2026-11-21 ", 1795219200 - 3600 }, { "2026-11-21 08", -1 },
		{ "+", -1 }, { "+now", -1 }, { "soon", -1 }, { "", -1 },
	};

	setenv("TZ", "CET-1", 1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t us = -2;
		int r = when_moment(str_c(cases[i].text), NOW, &us);

		ck_assert_msg(r == (cases[i].s < 0 ? -1 : 0) &&
		    us == (cases[i].s < 0 ? -2 : cases[i].s * 1000000),
		    "%s: %lld", cases[i].text, (long long)us);
	}
}
END_TEST

UNIT_MAIN("cmd/when", ages, moments)
