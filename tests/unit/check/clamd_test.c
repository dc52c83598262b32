/* SPDX-License-Identifier: GPL-3.0-or-later */

/* clamd -- INSTREAM: what it is sent, and what it answers. */

#include "check/scan.h"

#include "scan_pieces.h"
#include "unit.h"

START_TEST(question)
{
	static const char want[] = "zINSTREAM\0\0\0\0\4text\0\0\1\0";
	char large[256];
	struct scan s;
	struct buf b;

	memset(large, 'x', sizeof(large));
	buf_init(&b, 1000);
	scan_init(&s, SCAN_CLAMD, &about);
	scan_head(&s, &b);
	scan_piece(&s, &b, STR("text"));
	/* That would be the end. */
	scan_piece(&s, &b, STR(""));
	scan_piece(&s, &b, str_n(large, sizeof(large)));
	scan_tail(&s, &b);
	ck_str(str_head(buf_str(&b), sizeof(want) - 1), str_n(want, sizeof(want) - 1));
	ck_str(str_skip(buf_str(&b), sizeof(want) - 1 + 256), str_n("\0\0\0\0", 4));
	scan_free(&s);
	buf_free(&b);
}
END_TEST

START_TEST(answers)
{
	static const struct {
		struct str answer;
		enum scan_state state;
		enum scan_result result;
		const char *what;
	} t[] = {
		{ { "stream: OK\0", 11 }, SCAN_DONE, SCAN_CLEAN, "" },
		{ { "stream: OK\n", 11 }, SCAN_DONE, SCAN_CLEAN, "" },
		{ { "stream: OK", 10 }, SCAN_DONE, SCAN_CLEAN, "" },
		{ { "OK\0and more", 11 }, SCAN_DONE, SCAN_CLEAN, "" },
		{ { "stream: Eicar-Signature FOUND\0", 30 }, SCAN_DONE, SCAN_VIRUS, "Eicar-Signature" },
		{ { "stream: A(0123:68) FOUND\0", 25 }, SCAN_DONE, SCAN_VIRUS, "A(0123:68)" },
		{ { "stream: A\r\nB FOUND\0", 19 }, SCAN_DONE, SCAN_VIRUS, "A??B" },
		{ { "stream: FOUND\0", 14 }, SCAN_BROKEN, SCAN_FAILED, "" },
		{ { "stream: NOT OK\0", 15 }, SCAN_BROKEN, SCAN_FAILED, "" },
		{ { "INSTREAM size limit exceeded. ERROR\0", 36 }, SCAN_BROKEN, SCAN_FAILED, "" },
		{ { "stream: Can't open file ERROR\0", 30 }, SCAN_BROKEN, SCAN_FAILED, "" },
		{ { "\0", 1 }, SCAN_BROKEN, SCAN_FAILED, "" },
		{ { "HTTP/1.1 200 OK\r\n\r\n\0", 20 }, SCAN_BROKEN, SCAN_FAILED, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		for (size_t n = 1; n < 200; n += 198) {
			struct scan s;

			scan_init(&s, SCAN_CLAMD, &about);
			ck_assert_msg(give(&s, t[i].answer, n) == t[i].state, "%zu", i);
			ck_assert_int_eq(s.v.result, t[i].result);
			ck_str(s.v.what, str_c(t[i].what));
			ck_assert((s.why != NULL) == (t[i].state == SCAN_BROKEN));
			scan_free(&s);
		}
}
END_TEST

UNIT_MAIN("check/clamd", question, answers)
