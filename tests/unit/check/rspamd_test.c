/* SPDX-License-Identifier: GPL-3.0-or-later */

/* rspamd -- the question by HTTP, the head of its answer, and its actions. */

#include "check/scan.h"

#include "scan_pieces.h"
#include "unit.h"

START_TEST(question)
{
	const struct msg_scan m = { .size = 4, .id = STR("ID"), .client = STR("192.0.2.1"),
		.helo = STR("h.test"), .rcpts = { STR("x@y"), STR("z@y") }, .rcpt_n = 2 };
	struct scan s;
	struct buf b;

	buf_init(&b, 1000);
	scan_init(&s, SCAN_RSPAMD, &m);
	scan_head(&s, &b);
	scan_piece(&s, &b, STR("text"));
	scan_tail(&s, &b);
	ck_str(buf_str(&b), STR("POST /checkv2 HTTP/1.0\r\nHost: localhost\r\nContent-Length: 4\r\n"
	    "Queue-Id: ID\r\nIP: 192.0.2.1\r\nHelo: h.test\r\nFrom: <>\r\nRcpt: <x@y>\r\n"
	    "Rcpt: <z@y>\r\n\r\ntext"));
	scan_free(&s);
	buf_free(&b);
}
END_TEST

START_TEST(answers)
{
	static const struct {
		const char *answer;
		enum scan_state state;
		const char *body;
	} t[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}x", SCAN_DONE, "{}" },
		{ "HTTP/1.0 200 OK\r\n\r\n{}", SCAN_DONE, "{}" },
		{ "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", SCAN_DONE, "" },
		{ "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\n{}", SCAN_BROKEN, "" },
		{ "HTTP/1.1 100 Continue\r\n\r\n", SCAN_BROKEN, "" },
		{ "HTTP/2 200 OK\r\n\r\n", SCAN_BROKEN, "" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", SCAN_BROKEN, "" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", SCAN_BROKEN, "" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\n{}", SCAN_BROKEN, "" },
		{ "stream: OK\r\n\r\n", SCAN_BROKEN, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		for (size_t n = 1; n < 200; n += 198) {
			struct scan s;

			scan_init(&s, SCAN_RSPAMD, &about);
			ck_assert_msg(give(&s, str_c(t[i].answer), n) == t[i].state, "%zu", i);
			if (t[i].state == SCAN_DONE)
				ck_str(buf_str(&s.body), str_c(t[i].body));
			scan_free(&s);
		}
}
END_TEST

START_TEST(actions)
{
	static const struct {
		const char *action;
		enum scan_result result;
	} t[] = { { "no action", SCAN_CLEAN }, { "greylist", SCAN_LATER },
		{ "soft reject", SCAN_LATER }, { "add header", SCAN_SPAM },
		{ "rewrite subject", SCAN_SPAM }, { "reject", SCAN_SPAM_REJECT } };
	struct scan s;

	scan_init(&s, SCAN_RSPAMD, &about);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert(scan_take_action(&s, str_c(t[i].action)));
		ck_assert_int_eq(s.v.result, t[i].result);
	}
	ck_assert(!scan_take_action(&s, STR("dance")) && !scan_take_action(&s, STR("")));
	scan_free(&s);
}
END_TEST

UNIT_MAIN("check/rspamd", question, answers, actions)
