/* SPDX-License-Identifier: GPL-3.0-or-later */

/* msg_verify -- both messages there and back, and nothing that is cut short. */

#include "ipc/msg_verify.h"

#include "unit.h"

START_TEST(question)
{
	struct msg_verify in = { STR("a@x"), STR(""), STR("192.0.2.1:25"), STR("PLAIN"),
		STR("bob"), STR(""), UINT64_MAX }, out;
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_verify_put(&b, &in);
	ck_assert(msg_verify_get(buf_str(&b), &out));
	ck_str(out.recipient, in.recipient);
	ck_str(out.sender, in.sender);
	ck_str(out.client, in.client);
	ck_str(out.mechanism, in.mechanism);
	ck_str(out.login, in.login);
	ck_str(out.mailbox, in.mailbox);
	ck_assert_uint_eq(out.octets, in.octets);
	for (size_t i = 0; i < b.n; i++)
		ck_assert(!msg_verify_get(str_n(b.p, i), &out));
	/* What is said of a mailbox is kept of no recipient. */
	in.mailbox = STR("carol");
	msg_verify_put(&b, &in);
	ck_assert(!msg_verify_get(buf_str(&b), &out));
	in.recipient = STR("");
	msg_verify_put(&b, &in);
	ck_assert(msg_verify_get(buf_str(&b), &out));
	ck_str(out.mailbox, in.mailbox);
	buf_free(&b);
}
END_TEST

START_TEST(answer)
{
	struct msg_verify_result in = { VERIFY_ABORT, STR("b@y"), STR("no"), STR("because") }, out;
	struct msg_verify other;
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_verify_result_put(&b, &in);
	ck_assert(msg_verify_result_get(buf_str(&b), &out));
	ck_assert_int_eq(out.verdict, VERIFY_ABORT);
	ck_str(out.address, in.address);
	ck_str(out.text, in.text);
	ck_str(out.why, in.why);
	ck_assert(!msg_verify_get(buf_str(&b), &other));
	for (size_t i = 0; i < b.n; i++)
		ck_assert(!msg_verify_result_get(str_n(b.p, i), &out));
	in.verdict = (enum verify_verdict)(VERIFY_ABORT + 1);
	buf_reset(&b);
	msg_verify_result_put(&b, &in);
	ck_assert(!msg_verify_result_get(buf_str(&b), &out));
	buf_free(&b);
}
END_TEST

UNIT_MAIN("ipc/msg_verify", question, answer)
