/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Tests of mail/reply: what we answer, and what strangers answer us. */

#include "mail/reply.h"

#include "mail/limits.h"
#include "unit.h"

START_TEST(outcomes)
{
	ck_assert_int_eq(reply_outcome(250), DELIVERED);
	ck_assert_int_eq(reply_outcome(299), DELIVERED);
	ck_assert_int_eq(reply_outcome(354), TEMPFAIL);
	ck_assert_int_eq(reply_outcome(421), TEMPFAIL);
	ck_assert_int_eq(reply_outcome(550), PERMFAIL);
	ck_assert_int_eq(reply_outcome(599), PERMFAIL);
	ck_assert_int_eq(reply_outcome(0), TEMPFAIL);
	ck_assert_int_eq(reply_outcome(700), TEMPFAIL);
}
END_TEST

START_TEST(adding)
{
	static const struct {
		int code;
		const char *enhanced, *text, *wire;
	} t[] = {
		{ 250, "2.1.0", "Ok", "250 2.1.0 Ok\r\n" },
		{ 220, NULL, "mx ESMTP", "220 mx ESMTP\r\n" },
		{ 220, "", "mx ESMTP", "220 mx ESMTP\r\n" },
		{ 250, NULL, "mx\nSIZE 1\nHELP",
		    "250-mx\r\n250-SIZE 1\r\n250 HELP\r\n" },
		{ 550, "5.7.1", "no\nreally no\n",
		    "550-5.7.1 no\r\n550 5.7.1 really no\r\n" },
		{ 250, "2.0.0", "", "250 2.0.0\r\n" },
		{ 250, NULL, "", "250 \r\n" },
		{ 554, "5.0.0", "a\n\nb",
		    "554-5.0.0 a\r\n554-5.0.0\r\n554 5.0.0 b\r\n" },
		{ 554, NULL, "a\r\nb\rc\x1b\x7f\td",
		    "554-a\r\n554 b?c???d\r\n" },
	};
	struct buf b;

	buf_init(&b, 10000);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		buf_reset(&b);
		reply_add(&b, t[i].code, t[i].enhanced, str_c(t[i].text));
		ck_str(buf_str(&b), str_c(t[i].wire));
	}
	buf_reset(&b);
	reply_add(&b, 250, NULL, STR("a\0b"));
	ck_str(buf_str(&b), STR("250 a?b\r\n"));
	buf_free(&b);
}
END_TEST

START_TEST(adding_long)
{
	char text[2000];
	struct buf b;

	memset(text, 'x', sizeof(text));
	text[1000] = '\n';
	buf_init(&b, 10000);
	reply_add(&b, 550, "5.7.1", str_n(text, sizeof(text)));
	ck_assert_uint_eq(b.n, 2 * SMTP_REPLY_MAX);
	ck_str(str_skip(buf_str(&b), b.n - 3), STR("x\r\n"));
	/* A character that does not fit goes as a whole. */
	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	text[0] = 'x';
	text[1] = 'x';
	for (size_t cut = 0; cut < 2; cut++) {
		buf_reset(&b);
		reply_add(&b, 250, NULL, str_n(text + cut, 999));
		ck_assert_uint_eq(b.n, SMTP_REPLY_MAX - cut);
		ck_assert(str_is_utf8(buf_str(&b)));
	}
	buf_free(&b);
	/* More lines than there is room for end in the buffer's error. */
	memset(text, '\n', sizeof(text));
	buf_init(&b, 100);
	reply_add(&b, 250, NULL, str_n(text, sizeof(text)));
	ck_assert(!buf_ok(&b));
	buf_free(&b);
}
END_TEST

START_TEST(reading)
{
	struct reply_reader r;
	struct reply reply;

	reply_reader_init(&r);
	ck_assert_int_eq(reply_reader_line(&r, STR("250-2.1.5 one")), 0);
	ck_assert_int_eq(reply_reader_line(&r, STR("250-2.1.5 two")), 0);
	ck_assert_int_eq(reply_reader_line(&r, STR("250-2.1.6 three")), 0);
	ck_assert_int_eq(reply_reader_line(&r, STR("250 four")), 1);
	reply = reply_reader_get(&r);
	ck_assert_int_eq(reply.code, 250);
	ck_assert_str_eq(reply.enhanced, "2.1.5");
	ck_str(reply.text, STR("one\ntwo\n2.1.6 three\nfour"));
	/* Nothing of it is left for the next one. */
	ck_assert_int_eq(reply_reader_line(&r, STR("550")), 1);
	reply = reply_reader_get(&r);
	ck_assert_int_eq(reply.code, 550);
	ck_assert_str_eq(reply.enhanced, "");
	ck_assert_uint_eq(reply.text.n, 0);
	/* The class must be that of the code. */
	ck_assert_int_eq(reply_reader_line(&r, STR("450 5.1.1 x")), 1);
	reply = reply_reader_get(&r);
	ck_assert_str_eq(reply.enhanced, "");
	ck_str(reply.text, STR("5.1.1 x"));
	ck_assert_int_eq(reply_reader_line(&r, STR("354 go\0\x1b[1m\r")), 1);
	ck_str(reply_reader_get(&r).text, STR("go??[1m?"));
	ck_assert_int_eq(reply_reader_line(&r, STR("553-")), 0);
	ck_assert_int_eq(reply_reader_line(&r, STR("553 ")), 1);
	ck_str(reply_reader_get(&r).text, STR("\n"));
	reply_reader_free(&r);
}
END_TEST

START_TEST(reading_bad)
{
	static const char *const t[] = { "", "2", "25", "xyz", "150 x", "650 x",
		"050 x", "25O x", "250x", "250\tx", "250_x", " 250 x", "2500",
		"\x80\x80\x80" };

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct reply_reader r;

		reply_reader_init(&r);
		ck_assert_msg(reply_reader_line(&r, str_c(t[i])) == -1, "%s",
		    t[i]);
		ck_assert_int_eq(reply_reader_line(&r, STR("250-a")), 0);
		ck_assert_int_eq(reply_reader_line(&r, STR("550 b")), -1);
		reply_reader_free(&r);
	}
}
END_TEST

START_TEST(reading_bounds)
{
	static char line[100000];
	struct reply_reader r;
	struct reply reply;
	int i;

	memset(line, 'x', sizeof(line));
	memcpy(line, "250-", 4);
	reply_reader_init(&r);
	for (i = 0; i < 1000; i++)
		ck_assert_int_eq(reply_reader_line(&r,
		    str_n(line, sizeof(line))), 0);
	ck_assert_int_eq(reply_reader_line(&r, STR("250 end")), -1);
	reply_reader_free(&r);

	reply_reader_init(&r);
	for (i = 0; i < 999; i++)
		ck_assert_int_eq(reply_reader_line(&r,
		    str_n(line, sizeof(line))), 0);
	ck_assert_int_eq(reply_reader_line(&r, STR("250 end")), 1);
	reply = reply_reader_get(&r);
	ck_assert(reply.text.n > 1000 && reply.text.n <= 16384);
	reply_reader_free(&r);
}
END_TEST

START_TEST(enhanced)
{
	static const struct {
		const char *text;
		char klass;
		const char *code, *rest;
	} t[] = {
		{ "5.1.1 no", '5', "5.1.1", "no" },
		{ "5.1.1  no", '5', "5.1.1", "no" },
		{ "5.1.1", '5', "5.1.1", "" },
		{ "4.999.999 x", '4', "4.999.999", "x" },
		{ "2.0.0 x", '2', "2.0.0", "x" },
		{ "2.0.0 x", '5', "", "2.0.0 x" },
		{ "3.0.0 x", '3', "", "3.0.0 x" },
		{ "5.1.1: x", '5', "", "5.1.1: x" },
		{ "5.1.1000 x", '5', "", "5.1.1000 x" },
		{ "5.1000.1 x", '5', "", "5.1000.1 x" },
		{ "5.01.1 x", '5', "", "5.01.1 x" },
		{ "5.1.01 x", '5', "", "5.1.01 x" },
		{ "5.1", '5', "", "5.1" },
		{ "5.1.", '5', "", "5.1." },
		{ "5..1 x", '5', "", "5..1 x" },
		{ "5.1.x", '5', "", "5.1.x" },
		{ "5", '5', "", "5" },
		{ "", '5', "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char code[12] = "garbage";
		struct str rest = enhanced_take(str_c(t[i].text), t[i].klass,
		    code);

		ck_assert_str_eq(code, t[i].code);
		ck_str(rest, str_c(t[i].rest));
	}
}
END_TEST

UNIT_MAIN("mail/reply", outcomes, adding, adding_long, reading, reading_bad,
    reading_bounds, enhanced)
