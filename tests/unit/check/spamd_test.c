/* SPDX-License-Identifier: GPL-3.0-or-later */

/* spamd -- FEATURES F8, S1: what it is asked, and what it answers. */

#include "check/scan.h"

#include "scan_pieces.h"
#include "unit.h"

START_TEST(question)
{
	struct scan s;
	struct buf b;

	buf_init(&b, 1000);
	scan_init(&s, SCAN_SPAMD, &about);
	scan_head(&s, &b);
	scan_piece(&s, &b, STR("text"));
	scan_tail(&s, &b);
	ck_str(buf_str(&b), STR("SYMBOLS SPAMC/1.5\r\nContent-length: 100\r\n\r\ntext"));
	s.edit = true;
	s.user = "alice";
	buf_reset(&b);
	scan_head(&s, &b);
	ck_str(buf_str(&b), STR("PROCESS SPAMC/1.5\r\nContent-length: 100\r\nUser: alice\r\n\r\n"));
	scan_free(&s);
	buf_free(&b);
}
END_TEST

START_TEST(verdicts)
{
	static const struct {
		const char *answer;
		enum scan_result result;
		int64_t score;
		const char *symbols;
	} t[] = {
		{ "SPAMD/1.1 0 EX_OK\r\nContent-length: 5\r\nSpam: True ; 15.2 / 5.0\r\n\r\nA,B\r\n and more",
		    SCAN_SPAM, 15200, "A,B" },
		{ "SPAMD/1.1 0 EX_OK\r\nSpam: False ; -1.5 / 5.0\r\n\r\nA\r\n", SCAN_CLEAN, -1500, "A" },
		{ "SPAMD/1.5 0 EX_OK\r\nspam: yes ;15.0/5.0\r\nContent-Length: 0\r\n\r\n", SCAN_SPAM, 15000, "" },
		{ "SPAMD/1.1 0 EX_OK\r\nSpam: No;0/5\r\nContent-Length: 2\r\n\r\n\r\n", SCAN_CLEAN, 0, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		for (size_t n = 1; n < 200; n += 198) {
			struct scan s;

			scan_init(&s, SCAN_SPAMD, &about);
			ck_assert_msg(give(&s, str_c(t[i].answer), n) == SCAN_DONE, "%zu", i);
			ck_assert_int_eq(s.v.result, t[i].result);
			ck_assert(s.v.scored && s.v.score == t[i].score);
			ck_str(s.v.symbols, str_c(t[i].symbols));
			scan_free(&s);
		}
}
END_TEST

START_TEST(nonsense)
{
	static const char *const t[] = {
		"HTTP/1.1 200 OK\r\nSpam: True ; 15.2 / 5.0\r\n\r\n",
		"SPAMD/1.0 76 Bad header line: x\r\nSpam: True ; 1 / 5\r\n\r\n",
		"SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\n\r\n",
		"SPAMD/1.1 0 EX_OK\r\nSpam: True\r\n\r\n",
		"SPAMD/1.1 0 EX_OK\r\nSpam: Perhaps ; 1 / 5\r\n\r\n",
		"SPAMD/1.1 0 EX_OK\r\nSpam: True ; nan / 5\r\n\r\n",
		"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1 / 5\r\nContent-length: -1\r\n\r\n",
		"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1 / 5\r\nContent-length: 99999999999999999999\r\n\r\n",
		"Spam: True ; 1 / 5\r\n\r\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct scan s;

		scan_init(&s, SCAN_SPAMD, &about);
		ck_assert_msg(give(&s, str_c(t[i]), 1000) == SCAN_BROKEN, "%s", t[i]);
		scan_free(&s);
	}
}
END_TEST

static bool
take(void *arg, struct str piece)
{
	buf_add(arg, piece);
	return buf_ok(arg);
}

START_TEST(edited)
{
	struct scan s;
	struct buf b;

	for (size_t n = 1; n < 200; n += 198) {
		buf_init(&b, 30);
		scan_init(&s, SCAN_SPAMD, &about);
		s.edit = true;
		s.take = take;
		s.arg = &b;
		ck_assert_int_eq(give(&s, STR("SPAMD/1.1 0 EX_OK\r\nContent-length: 10\r\n"
		    "Spam: True ; 6 / 5\r\n\r\n0123456789x"), n), SCAN_DONE);
		ck_str(buf_str(&b), STR("0123456789"));
		ck_assert_uint_eq(s.edited, 10);
		scan_free(&s);
		buf_free(&b);
	}
	/* It cannot be kept; there is none; it is longer than anything it could have added. */
	buf_init(&b, 5);
	scan_init(&s, SCAN_SPAMD, &about);
	s.edit = true;
	s.take = take;
	s.arg = &b;
	ck_assert_int_eq(give(&s, STR("SPAMD/1.1 0 EX_OK\r\nSpam: True ; 6 / 5\r\n\r\n0123456789"), 1000),
	    SCAN_BROKEN);
	scan_free(&s);
	scan_init(&s, SCAN_SPAMD, &about);
	s.edit = true;
	s.take = take;
	s.arg = &b;
	ck_assert_int_eq(give(&s, STR("SPAMD/1.1 0 EX_OK\r\nSpam: True ; 6 / 5\r\n\r\n"), 1000),
	    SCAN_BROKEN);
	scan_free(&s);
	buf_free(&b);
}
END_TEST

static bool
swallow(void *arg, struct str piece)
{
	*(uint64_t *)arg += piece.n;
	return true;
}

START_TEST(too_long)
{
	static const char piece[4096];
	uint64_t n = 0;
	struct scan s;

	scan_init(&s, SCAN_SPAMD, &about);
	s.edit = true;
	s.take = swallow;
	s.arg = &n;
	ck_assert_int_eq(scan_take(&s, STR("SPAMD/1.1 0 EX_OK\r\nSpam: True ; 6 / 5\r\n\r\n")), SCAN_MORE);
	while (scan_take(&s, str_n(piece, sizeof(piece))) == SCAN_MORE)
		ck_assert_uint_le(n, about.size + SCAN_EDIT_MORE);
	ck_assert_int_eq(s.state, SCAN_BROKEN);
	ck_assert_uint_gt(n, SCAN_EDIT_MORE - sizeof(piece));
	scan_free(&s);
}
END_TEST

UNIT_MAIN("check/spamd", question, verdicts, nonsense, edited, too_long)
