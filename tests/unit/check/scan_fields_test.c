/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scan_fields -- FEATURES S1, S2: what the header says of spam and viruses. */

#include "check/scan.h"

#include "unit.h"

static struct buf b;

static struct str
fields(enum scan_kind kind, const struct msg_scan_result *r)
{
	buf_free(&b);
	buf_init(&b, 8192);
	scan_fields_add(&b, kind, r);
	ck_assert(buf_ok(&b));
	return buf_str(&b);
}

START_TEST(spam)
{
	struct msg_scan_result r = { .result = SCAN_SPAM, .scored = true, .score = 15250,
		.required = 5000, .symbols = STR("A,B") };

	ck_str(fields(SCAN_KIND_SPAM, &r), STR("X-Spam-Flag: YES\r\nX-Spam-Score: 15.25\r\n"
	    "X-Spam-Status: Yes, score=15.25 required=5.0 tests=A,B\r\n"));
	r.result = SCAN_SPAM_REJECT;
	ck_assert(str_starts(fields(SCAN_KIND_SPAM, &r), STR("X-Spam-Flag: YES\r\n")));
	r = (struct msg_scan_result){ .result = SCAN_CLEAN, .scored = true, .score = -100,
		.required = 5000 };
	ck_str(fields(SCAN_KIND_SPAM, &r), STR("X-Spam-Score: -0.1\r\n"
	    "X-Spam-Status: No, score=-0.1 required=5.0 tests=none\r\n"));
	r.scored = false;
	ck_str(fields(SCAN_KIND_SPAM, &r), STR("X-Spam-Status: No tests=none\r\n"));
	r.result = SCAN_FAILED;
	ck_str(fields(SCAN_KIND_SPAM, &r), STR(""));
}
END_TEST

START_TEST(folded)
{
	struct msg_scan_result r = { .result = SCAN_CLEAN, .scored = true, .required = 5000 };
	struct buf names;
	struct str rest, line;
	size_t lines = 0;

	buf_init(&names, MSG_SCAN_SYMBOLS_MAX);
	while (names.n < 980)
		buf_adds(&names, names.n == 0 ? "SOME_RULE" : ",SOME_RULE");
	r.symbols = buf_str(&names);
	rest = fields(SCAN_KIND_SPAM, &r);
	for (; rest.n > 0; lines++) {
		(void)str_cut(rest, '\n', &line, &rest);
		ck_assert_uint_le(line.n, 78);
		ck_assert(lines == 0 || line.p[0] == 'X' || line.p[0] == '\t');
	}
	ck_assert_uint_gt(lines, 12);
	buf_free(&names);
}
END_TEST

START_TEST(virus)
{
	struct msg_scan_result r = { .result = SCAN_VIRUS, .what = STR("Eicar") };

	ck_str(fields(SCAN_KIND_VIRUS, &r), STR("X-Virus-Status: Infected (Eicar)\r\n"));
	r = (struct msg_scan_result){ .result = SCAN_CLEAN };
	ck_str(fields(SCAN_KIND_VIRUS, &r), STR("X-Virus-Status: Clean\r\n"));
	r.result = SCAN_FAILED;
	ck_str(fields(SCAN_KIND_VIRUS, &r), STR(""));
}
END_TEST

START_TEST(forged)
{
	ck_assert(scan_field_is_ours(SCAN_KIND_SPAM, STR("x-spam-status")));
	ck_assert(scan_field_is_ours(SCAN_KIND_SPAM, STR("X-Spam-Flag")));
	ck_assert(scan_field_is_ours(SCAN_KIND_SPAM, STR("X-Spam-Level")));
	ck_assert(!scan_field_is_ours(SCAN_KIND_SPAM, STR("X-Spam-Report")));
	ck_assert(!scan_field_is_ours(SCAN_KIND_SPAM, STR("X-Virus-Status")));
	ck_assert(scan_field_is_ours(SCAN_KIND_VIRUS, STR("X-VIRUS-STATUS")));
	ck_assert(!scan_field_is_ours(SCAN_KIND_VIRUS, STR("Subject")));
}
END_TEST

START_TEST(words)
{
	struct msg_scan_result r = { .result = SCAN_SPAM, .scored = true, .score = 21500,
		.required = 5000, .symbols = STR("A,B"), .what = STR("odd") };
	struct buf text;

	buf_init(&text, 4096);
	scan_words_add(&text, &r);
	ck_str(buf_str(&text), STR("spam (21.5/5.0) tests=A,B odd"));
	buf_reset(&text);
	r = (struct msg_scan_result){ .result = SCAN_FAILED, .what = STR("it is dead") };
	scan_words_add(&text, &r);
	ck_str(buf_str(&text), STR("no verdict: it is dead"));
	buf_free(&text);
}
END_TEST

UNIT_MAIN("check/scan_fields", spam, folded, virus, forged, words)
