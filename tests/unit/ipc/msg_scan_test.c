/* SPDX-License-Identifier: GPL-3.0-or-later */

/* msg_scan -- all messages there and back, nothing that is cut short, nothing that begins another line. */

#include "ipc/msg_scan.h"

#include "unit.h"

static struct buf packet;

static bool
passes(const struct msg_scan *in, struct msg_scan *out)
{
	buf_free(&packet);
	buf_init(&packet, FRAME_MAX);
	msg_scan_put(&packet, in);
	return buf_ok(&packet) && msg_scan_get(buf_str(&packet), out);
}

static struct msg_scan
question(void)
{
	return (struct msg_scan){ .kind = SCAN_KIND_VIRUS, .at = 17000, .size = 5000000000,
		.id = STR("ID"), .from = STR("a@b"), .client = STR("192.0.2.1"),
		.name = STR("c.test"), .helo = STR("[::1]"), .login = STR("me"),
		.rcpts = { STR("x@y"), STR("z@y") }, .rcpt_n = 2 };
}

START_TEST(there_and_back)
{
	struct msg_scan in = question(), out;

	ck_assert(passes(&in, &out));
	ck_assert(out.kind == in.kind && out.at == in.at && out.size == in.size);
	ck_str(out.id, in.id);
	ck_str(out.from, in.from);
	ck_str(out.client, in.client);
	ck_str(out.name, in.name);
	ck_str(out.helo, in.helo);
	ck_str(out.login, in.login);
	ck_assert_uint_eq(out.rcpt_n, 2);
	ck_str(out.rcpts[1], in.rcpts[1]);
	for (size_t i = 0; i < packet.n; i++)
		ck_assert(!msg_scan_get(str_n(packet.p, i), &out));
	in.rcpt_n = 0;
	ck_assert(passes(&in, &out) && out.rcpt_n == 0);
	in.rcpt_n = MSG_SCAN_RCPTS_MAX;
	for (size_t i = 0; i < in.rcpt_n; i++)
		in.rcpts[i] = STR("q@r");
	ck_assert(passes(&in, &out) && out.rcpt_n == MSG_SCAN_RCPTS_MAX);
}
END_TEST

START_TEST(hostile_question)
{
	struct str *fields[] = { NULL, NULL, NULL, NULL, NULL, NULL, NULL };
	struct msg_scan in = question(), out;

	fields[0] = &in.id;
	fields[1] = &in.from;
	fields[2] = &in.client;
	fields[3] = &in.name;
	fields[4] = &in.helo;
	fields[5] = &in.login;
	fields[6] = &in.rcpts[1];
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		struct str was = *fields[i];

		*fields[i] = STR("a\r\nRcpt: <b>");
		ck_assert(!passes(&in, &out));
		*fields[i] = was;
	}
	in.size = (uint64_t)1 << 40;
	ck_assert(!passes(&in, &out));
	in = question();
	in.at = UINT64_MAX;
	ck_assert(!passes(&in, &out));
	in = question();
	in.kind = (enum scan_kind)2;
	ck_assert(!passes(&in, &out));
}
END_TEST

START_TEST(text)
{
	struct buf b;

	buf_init(&b, 64);
	msg_scan_text_put(&b);
	ck_assert(msg_scan_text_get(buf_str(&b)));
	for (size_t i = 0; i < b.n; i++)
		ck_assert(!msg_scan_text_get(str_n(b.p, i)));
	buf_free(&b);
}
END_TEST

static bool
answers(const struct msg_scan_result *in, struct msg_scan_result *out)
{
	buf_free(&packet);
	buf_init(&packet, FRAME_MAX);
	msg_scan_result_put(&packet, in);
	return msg_scan_result_get(buf_str(&packet), out);
}

START_TEST(answer)
{
	const struct msg_scan_result good = { SCAN_SPAM, true, -1500, 5000, STR("A,B"),
		STR("what it says"), 77 };
	struct msg_scan_result in = good, out;
	char large[1001];

	ck_assert(answers(&in, &out));
	ck_assert(out.result == SCAN_SPAM && out.scored && out.score == -1500 &&
	    out.required == 5000 && out.edited == 77);
	ck_str(out.symbols, in.symbols);
	ck_str(out.what, in.what);
	for (size_t i = 0; i < packet.n; i++)
		ck_assert(!msg_scan_result_get(str_n(packet.p, i), &out));
	memset(large, 'A', sizeof(large));
	in.symbols = str_n(large, sizeof(large));
	ck_assert(!answers(&in, &out));
	in.symbols = STR("A B");
	ck_assert(!answers(&in, &out));
	in = good;
	in.what = str_n(large, MSG_SCAN_WHAT_MAX + 1);
	ck_assert(!answers(&in, &out));
	in.what = STR("a\nb");
	ck_assert(!answers(&in, &out));
	in.what = STR("\xc3\xa4");
	ck_assert(!answers(&in, &out));
	in = good;
	in.score = MSG_SCAN_SCORE_MAX + 1;
	ck_assert(!answers(&in, &out));
	in.score = INT64_MIN;
	ck_assert(!answers(&in, &out));
	in = good;
	in.result = (enum scan_result)(SCAN_VIRUS + 1);
	ck_assert(!answers(&in, &out));
}
END_TEST

UNIT_MAIN("ipc/msg_scan", there_and_back, hostile_question, text, answer)
