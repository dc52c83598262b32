/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Tests of mail/date: local time out, anybody's time in. */

#include "mail/date.h"

#include <time.h>

#include "unit.h"

/* Each test is a process of its own, so that each sees its own zone. */
static void
check_zone(const char *zone, int64_t t, const char *want)
{
	struct buf b;

	buf_init(&b, 100);
	ck_assert_int_eq(setenv("TZ", zone, 1), 0);
	tzset();
	date_add(&b, t);
	ck_str(buf_str(&b), str_c(want));
	buf_free(&b);
}

START_TEST(writing)
{
	check_zone("UTC0", 0, "Thu, 1 Jan 1970 00:00:00 +0000");
	check_zone("UTC0", 1795176000, "Fri, 20 Nov 2026 12:00:00 +0000");
	check_zone("XXX-1", 1795176000, "Fri, 20 Nov 2026 13:00:00 +0100");
	check_zone("XXX3:30", 1795176000, "Fri, 20 Nov 2026 08:30:00 -0330");
	check_zone("XXX-5:45", 1795176000, "Fri, 20 Nov 2026 17:45:00 +0545");
	check_zone("XXX0:30", 1795176000, "Fri, 20 Nov 2026 11:30:00 -0030");
	/* Beyond what RFC 5322 can say. */
	check_zone("UTC0", INT64_MAX, "Thu, 1 Jan 1970 00:00:00 +0000");
	check_zone("UTC0", INT64_MIN, "Thu, 1 Jan 1970 00:00:00 +0000");
	check_zone("UTC0", -3000000000, "Thu, 1 Jan 1970 00:00:00 +0000");
	check_zone("UTC0", 300000000000, "Thu, 1 Jan 1970 00:00:00 +0000");
}
END_TEST

START_TEST(reading)
{
	static const struct {
		const char *text;
		int64_t t;
	} t[] = {
		{ "Fri, 20 Nov 2026 12:00:00 +0000", 1795176000 },
		{ "20 Nov 2026 12:00:00 +0000", 1795176000 },
		{ "20 Nov 2026 12:00 +0000", 1795176000 },
		{ "fri,20 nov 2026 13:00:00 +0100", 1795176000 },
		{ "Fri 20 Nov 2026 12:00:00 GMT", 1795176000 },
		{ "Mon, 20 Nov 2026 07:00:00 EST", 1795176000 },
		{ "20 Nov 26 12:00:00 UT", 1795176000 },
		{ "20 Nov 126 12:00:00 Z", 1795176000 },
		{ "20 Nov 2026 12:00:00 A", 1795176000 },
		{ "20 Nov 2026 12:00:00 CEST", 1795176000 },
		{ " (a) Fri (b) , (c) 20 (d (e)) Nov\r\n 2026 (f) 12 : 00 : 00 "
		  "(g) -0000 (h) ", 1795176000 },
		{ "1 Jan 70 00:00:00 +0000", 0 },
		{ "31 Dec 1969 00:00:00 +0000", -86400 },
		{ "29 Feb 2000 00:00:00 +0000", 951782400 },
		{ "31 Dec 2016 23:59:60 +0000", 1483228800 },
		{ "1 Jan 2000 00:00:00 PDT", 946684800 + 7 * 3600 },
		{ "1 Jan 49 00:00 GMT", 2493072000 },
		{ "1 Jan 50 00:00 GMT", -631152000 },
		{ "1 Jan 2000 00:00:00 -9959", 946684800 + 99 * 3600 + 59 * 60 },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_msg(date_parse(str_c(t[i].text)) == t[i].t,
		    "%s: %lld", t[i].text,
		    (long long)date_parse(str_c(t[i].text)));
}
END_TEST

START_TEST(reading_bad)
{
	static const char *const t[] = {
		"", "x", "Fri", "Fri,", "Friday, 20 Nov 2026 12:00:00 +0000",
		"0 Nov 2026 12:00:00 +0000", "31 Nov 2026 12:00:00 +0000",
		"29 Feb 2026 12:00:00 +0000", "29 Feb 1900 12:00:00 +0000",
		"120 Nov 2026 12:00:00 +0000", "20 Nov 1 12:00:00 +0000",
		"20 November 2026 12:00:00 +0000", "20 11 2026 12:00:00 +0000",
		"20 Nov 20260 12:00:00 +0000", "20 Nov 1899 12:00:00 +0000",
		"20 Nov 2026", "20 Nov 2026 12", "20 Nov 2026 24:00:00 +0000",
		"20 Nov 2026 12:60:00 +0000", "20 Nov 2026 12:00:61 +0000",
		"20 Nov 2026 12:00: +0000", "20 Nov 2026 12:00:00",
		"20 Nov 2026 12:00:00 +00", "20 Nov 2026 12:00:00 +00000",
		"20 Nov 2026 12:00:00 +0060", "20 Nov 2026 12:00:00 +",
		"20 Nov 2026 12:00:00 +0000 x", "20 Nov 2026 12:00:00 GMT+1",
		"20 Nov 2026 12:00:00 +0000 (x", "(20 Nov 2026",
		"20 Nov 2026 123:00:00 +0000", "-20 Nov 2026 12:00:00 +0000",
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_msg(date_parse(str_c(t[i])) == -1, "%s", t[i]);
	ck_assert_int_eq(date_parse(STR("20 Nov 2026 12:00:00 +0000\0")), -1);
}
END_TEST

START_TEST(round_trip)
{
	static const char *const zones[] = { "UTC0", "XXX-13:45", "XXX11:15" };

	for (size_t z = 0; z < ARRAY_LEN(zones); z++) {
		ck_assert_int_eq(setenv("TZ", zones[z], 1), 0);
		tzset();
		for (int64_t t = 12345; t < 200000000000; t += 123456789) {
			struct buf b;

			buf_init(&b, 100);
			date_add(&b, t);
			ck_assert_int_eq(date_parse(buf_str(&b)), t);
			buf_free(&b);
		}
	}
}
END_TEST

/* RFC 9110 5.6.7: always two digits and GMT, wherever the host is. */
START_TEST(http)
{
	static const struct {
		int64_t t;
		const char *want;
	} rows[] = { { 1795176000, "Fri, 20 Nov 2026 12:00:00 GMT" },
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ INT64_C(1) << 50, "Thu, 01 Jan 1970 00:00:00 GMT" } };

	ck_assert_int_eq(setenv("TZ", "XXX-5:45", 1), 0);
	tzset();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b;

		buf_init(&b, 100);
		date_add_http(&b, rows[i].t);
		ck_str(buf_str(&b), str_c(rows[i].want));
		buf_free(&b);
	}
}
END_TEST

UNIT_MAIN("mail/date", writing, http, reading, reading_bad, round_trip)
