/* SPDX-License-Identifier: GPL-3.0-or-later */

/* msg_spf -- both messages there and back, nothing that is cut short, nothing that no field may hold. */

#include "ipc/msg_spf.h"

#include "unit.h"

START_TEST(question)
{
	const struct msg_spf in = { STR("192.0.2.1"), STR("h.test"), STR("b"), STR("a.test"), STR("mx.test") };
	struct msg_spf out;
	char large[2000];
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_spf_put(&b, &in);
	ck_assert(msg_spf_get(buf_str(&b), &out));
	ck_str(out.address, in.address);
	ck_str(out.helo, in.helo);
	ck_str(out.local, in.local);
	ck_str(out.domain, in.domain);
	ck_str(out.receiver, in.receiver);
	for (size_t i = 0; i < b.n; i++)
		ck_assert(!msg_spf_get(str_n(b.p, i), &out));
	memset(large, 'x', sizeof(large));
	for (int i = 0; i < 5; i++) {
		struct msg_spf bad = in;
		struct str *const fields[] = { &bad.address, &bad.helo, &bad.local, &bad.domain, &bad.receiver };

		*fields[i] = str_n(large, sizeof(large));
		msg_spf_put(&b, &bad);
		ck_assert(!msg_spf_get(buf_str(&b), &out));
	}
	buf_free(&b);
}
END_TEST

START_TEST(answer)
{
	const struct msg_spf_result in = { { 3, STR("-all"), STR(""), STR("go away") },
		{ 6, STR("mx"), STR("too much"), STR("") } };
	char large[MSG_SPF_TEXT_MAX + 1];
	struct msg_spf_result out, bad;
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_spf_result_put(&b, &in);
	ck_assert(msg_spf_result_get(buf_str(&b), &out));
	ck_assert_uint_eq(out.helo.code, 3);
	ck_str(out.helo.mechanism, STR("-all"));
	ck_str(out.helo.explanation, STR("go away"));
	ck_assert_uint_eq(out.from.code, 6);
	ck_str(out.from.problem, STR("too much"));
	for (size_t i = 0; i < b.n; i++)
		ck_assert(!msg_spf_result_get(str_n(b.p, i), &out));
	memset(large, 'x', sizeof(large));
	for (int i = 0; i < 4; i++) {
		const struct str wrong[] = { STR("a\r\n250 b"), STR("b\303\244"), str_n(large, sizeof(large)) };

		for (size_t k = 0; k < ARRAY_LEN(wrong); k++) {
			bad = in;
			if (i == 0)
				bad.from.code = 7;
			else
				*(i == 1 ? &bad.helo.mechanism : i == 2 ? &bad.from.problem :
					&bad.from.explanation) = wrong[k];
			msg_spf_result_put(&b, &bad);
			ck_assert(!msg_spf_result_get(buf_str(&b), &out));
		}
	}
	buf_free(&b);
}
END_TEST

UNIT_MAIN("ipc/msg_spf", question, answer)
