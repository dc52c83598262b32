/* SPDX-License-Identifier: GPL-3.0-or-later */

/* downgrade_scan_test -- what can be done, for whom, and why not. */

#include "unit.h"

#include "mail/downgrade.h"

#define CTE "Content-Transfer-Encoding: "
#define SIGNED "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n"
#define L100 \
	"0123456789012345678901234567890123456789012345678901234567890123" \
	"456789012345678901234567890123456789"
#define LONG L100 L100 L100 L100 L100 L100 L100 L100 L100 L100

#define HEADER "its header has 8-bit text"
#define SEAL "a signed part must not be changed"
#define PART "a part of it can have no other encoding"
#define OUTSIDE "there is text outside of its parts"
#define FOLD "a line of its header cannot be folded"
#define BROKEN "its header is broken"

static const struct {
	const char *text;
	const char *seven, *eight;
} cases[] = {
	{ "", NULL, NULL },
	{ "Subject: x\r\n\r\n\303\244\r\n", NULL, NULL },
	{ "Subject: \303\244\r\n\r\nx\r\n", HEADER, NULL },
	{ "Subject: x\r\n \303\244\r\n\r\nx\r\n", HEADER, NULL },
	{ "what\r\n\r\n\303\244\r\n", BROKEN, BROKEN },
	{ CTE "x-y\r\n\r\n\303\244\r\n", PART, NULL },
	{ CTE "x-y\r\n\r\n" LONG "\r\n", PART, PART },
	{ CTE "8bit\r\n" CTE "8bit\r\n\r\n\303\244\r\n", PART, NULL },
	{ "Content-Type: message/partial\r\n\r\n\200\r\n", PART, NULL },
	{ "Content-Type: message/external-body\r\n\r\n\200\r\n", PART, NULL },
	{ "Content-Type: message/delivery-status\r\n\r\n\200\r\n", PART,
	    NULL },
	{ "Content-Type: multipart/mixed\r\n\r\n\200\r\n", PART, NULL },
	{ SIGNED "\r\n\200\r\n--b--\r\n", SEAL, NULL },
	{ SIGNED "\r\n" LONG "\r\n--b--\r\n", SEAL, SEAL },
	{ SIGNED "X-A: " LONG " " LONG "\r\n\r\n--b--\r\n", SEAL, SEAL },
	{ SIGNED CTE "8bit\r\n\r\nx\r\n--b--\r\n", NULL, NULL },
	{ SIGNED "\r\nx\r\n--b--\r\n\200\r\n", OUTSIDE, NULL },
	{ SIGNED "\r\nx\r\n--b--\r\n" LONG "\r\n", OUTSIDE, OUTSIDE },
	{ "X-A: " LONG "\r\n\r\n", FOLD, FOLD },
	{ "X" L100 " :" L100 L100 L100 L100 L100 L100 L100 L100 L100 " x"
	  "\r\n\r\n", FOLD, FOLD },
	{ "X-A: " L100 L100 L100 L100 L100 " " L100 L100 L100 L100 L100
	  "\r\n\r\n", NULL, NULL },
};

START_TEST(reasons)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str text = str_c(cases[i].text);

		for (size_t cut = 0; cut <= text.n; cut += 1 + text.n / 50) {
			struct downgrade_plan plan;
			struct downgrade_scan s;

			downgrade_plan_init(&plan);
			downgrade_scan_begin(&s, &plan, false);
			downgrade_scan_add(&s, str_head(text, cut));
			downgrade_scan_add(&s, str_skip(text, cut));
			downgrade_scan_end(&s);
			ck_assert_pstr_eq(plan.why_not[DOWNGRADE_TO_7BIT],
			    cases[i].seven);
			ck_assert_pstr_eq(plan.why_not[DOWNGRADE_TO_8BIT],
			    cases[i].eight);
			downgrade_plan_free(&plan);
		}
	}
}
END_TEST

/* RFC 3030: what CR and LF alone mean is said by whoever sent it. */
START_TEST(binary)
{
	static const char text[] =
	    CTE "x-y\r\n\r\na\rb\r\n";

	for (int b = 0; b < 2; b++) {
		struct downgrade_plan plan;
		struct downgrade_scan s;

		downgrade_plan_init(&plan);
		downgrade_scan_begin(&s, &plan, b == 1);
		downgrade_scan_add(&s, str_c(text));
		downgrade_scan_end(&s);
		ck_assert_pstr_eq(plan.why_not[DOWNGRADE_TO_8BIT],
		    b == 1 ? PART : NULL);
		downgrade_plan_free(&plan);
	}
}
END_TEST

/* S-48: memory is bounded by giving up. */
START_TEST(many_parts)
{
	struct downgrade_plan plan;
	struct downgrade_scan s;

	downgrade_plan_init(&plan);
	downgrade_scan_begin(&s, &plan, false);
	downgrade_scan_add(&s,
	    STR("Content-Type: multipart/mixed; boundary=b\r\n\r\n"));
	for (int i = 0; i <= DOWNGRADE_PARTS_MAX; i++)
		downgrade_scan_add(&s, STR("--b\r\n\r\nx\r\n"));
	downgrade_scan_end(&s);
	ck_assert_pstr_eq(plan.why_not[DOWNGRADE_TO_8BIT],
	    "it has too many parts");
	ck_assert_uint_le(plan.parts.n, DOWNGRADE_PARTS_MAX);
	downgrade_plan_free(&plan);
}
END_TEST

UNIT_MAIN("mail/downgrade_scan", reasons, binary, many_parts)
