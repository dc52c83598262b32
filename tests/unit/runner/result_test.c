/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Outcomes in the words of log and report. */

#include "runner/result.h"

#include "unit.h"

START_TEST(replies)
{
	static const struct {
		enum outcome o;
		enum client_step step;
		int code;
		const char *enhanced, *text;
		const char *status, *reply, *log;
	} cases[] = {
		{ DELIVERED, STEP_TEXT, 250, "2.0.0", "queued", "2.0.0",
		    "250 2.0.0 queued", "250 2.0.0 queued" },
		{ DELIVERED, STEP_TEXT, 250, "", "", "2.0.0", "250", "250" },
		{ TEMPFAIL, STEP_RCPT, 450, "4.2.1", "later", "4.2.1",
		    "450 4.2.1 later",
		    "host mx[192.0.2.1]:25 said: 450 4.2.1 later (in reply to "
		    "RCPT TO command)" },
		/* An enhanced code of another class counts for nothing. */
		{ PERMFAIL, STEP_MAIL, 550, "2.1.0", "no\nnever", "5.0.0",
		    "550 2.1.0 no never",
		    "host mx[192.0.2.1]:25 said: 550 2.1.0 no never (in reply "
		    "to MAIL FROM command)" },
		/* Unless it is only put off: the rest says what it is about. */
		{ TEMPFAIL, STEP_AUTH, 535, "5.7.8", "no", "4.7.8",
		    "535 5.7.8 no",
		    "host mx[192.0.2.1]:25 said: 535 5.7.8 no (in reply to "
		    "AUTH command)" },
		{ TEMPFAIL, STEP_GREETING, 0, "", "connection lost", "4.4.2",
		    "connection lost", "connection lost (mx[192.0.2.1]:25)" },
		{ TEMPFAIL, STEP_STARTTLS, 0, "", "no", "4.7.5", "no",
		    "no (mx[192.0.2.1]:25)" },
		{ PERMFAIL, STEP_MAIL, 0, "5.3.4", "too large", "5.3.4",
		    "too large", "too large (mx[192.0.2.1]:25)" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct reply r = { .code = cases[i].code,
			.text = str_c(cases[i].text) };
		struct result res, copy;
		struct arena a, b;

		memcpy(r.enhanced, cases[i].enhanced,
		    strlen(cases[i].enhanced) + 1);
		arena_init(&a, 65536);
		arena_init(&b, 65536);
		res = result_reply(&a, STR("mx"), STR("mx[192.0.2.1]:25"),
		    cases[i].o, cases[i].step, &r);
		copy = result_copy(&b, &res);
		arena_free(&a);
		ck_assert_str_eq(copy.status, cases[i].status);
		ck_assert_int_eq(copy.remote, cases[i].code != 0);
		ck_str(copy.reply, str_c(cases[i].reply));
		ck_str(copy.text, str_c(cases[i].log));
		ck_str(copy.host, STR("mx"));
		arena_free(&b);
	}
}
END_TEST

START_TEST(long_reply)
{
	static char text[5000];
	struct reply r = { .code = 554, .text = { text, sizeof(text) } };
	struct arena a;

	memset(text, 'x', sizeof(text));
	arena_init(&a, 65536);
	ck_assert_uint_le(result_reply(&a, STR(""), STR(""), PERMFAIL,
			      STEP_TEXT, &r).reply.n, 540);
	arena_free(&a);
}
END_TEST

START_TEST(delay)
{
	static const struct {
		int64_t ms;
		const char *want;
	} cases[] = { { -5, "0" }, { 0, "0" }, { 4, "0" }, { 5, "0.01" },
		{ 310, "0.31" }, { 994, "0.99" }, { 995, "1.0" },
		{ 1449, "1.4" }, { 9949, "9.9" }, { 9950, "10" },
		{ 86400000, "86400" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b;

		buf_init(&b, 64);
		delay_add(&b, cases[i].ms);
		ck_assert_str_eq(buf_cstr(&b), cases[i].want);
		buf_free(&b);
	}
}
END_TEST

START_TEST(causes)
{
	struct cause c;
	struct result res = result_words(TEMPFAIL, "4.4.1", STR("refused"));

	cause_init(&c);
	cause_set(&c, &res);
	/* Its own again, as when the last cause is kept. */
	cause_set(&c, &c.result);
	ck_assert_str_eq(c.result.status, "4.4.1");
	ck_str(c.result.text, STR("refused"));
	cause_free(&c);
}
END_TEST

UNIT_MAIN("result", replies, long_reply, delay, causes)
