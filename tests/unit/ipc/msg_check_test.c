/* SPDX-License-Identifier: GPL-3.0-or-later */

/* msg_check -- both messages there and back, nothing that is cut short, nothing that no reply may hold. */

#include "ipc/msg_check.h"

#include "unit.h"

START_TEST(question)
{
	struct msg_client in = { STR("192.0.2.1") }, out;
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_client_put(&b, &in);
	ck_assert(msg_client_get(buf_str(&b), &out));
	ck_str(out.address, in.address);
	for (size_t i = 0; i < b.n; i++)
		ck_assert(!msg_client_get(str_n(b.p, i), &out));
	buf_free(&b);
}
END_TEST

static bool
passes(const struct msg_client_result *in, struct msg_client_result *out)
{
	static struct buf b;

	buf_free(&b);
	buf_init(&b, FRAME_MAX);
	msg_client_result_put(&b, in);
	return msg_client_result_get(buf_str(&b), out);
}

START_TEST(answer)
{
	const struct msg_client_result good = { true, 554, STR("5.7.1"), STR("no"), STR("z*1") };
	struct msg_client_result in = good, out;
	struct buf b;

	ck_assert(passes(&in, &out));
	ck_assert(out.refused && out.code == 554);
	ck_str(out.enhanced, in.enhanced);
	ck_str(out.text, in.text);
	ck_str(out.why, in.why);
	buf_init(&b, FRAME_MAX);
	msg_client_result_put(&b, &in);
	for (size_t i = 0; i < b.n; i++)
		ck_assert(!msg_client_result_get(str_n(b.p, i), &out));
	buf_free(&b);
	in = (struct msg_client_result){ .refused = false };
	ck_assert(passes(&in, &out) && !out.refused);
}
END_TEST

START_TEST(hostile)
{
	const struct msg_client_result good = { true, 554, STR("5.7.1"), STR("no"), STR("z*1") };
	char large[500];
	struct msg_client_result in = good, out;

	memset(large, 'a', sizeof(large));
	in.code = 250;
	ck_assert(!passes(&in, &out));
	in = good;
	in.code = 600;
	ck_assert(!passes(&in, &out));
	in = good;
	in.text = STR("no\r\n250 yes");
	ck_assert(!passes(&in, &out));
	in.text = str_n(large, sizeof(large));
	ck_assert(!passes(&in, &out));
	in = good;
	in.enhanced = STR("5.7.1\n");
	ck_assert(!passes(&in, &out));
	in.enhanced = STR("5.7.1.5.7.1.");
	ck_assert(!passes(&in, &out));
	in = good;
	in.why = STR("a\nb");
	ck_assert(!passes(&in, &out));
	in.why = STR("\xff");
	ck_assert(!passes(&in, &out));
}
END_TEST

UNIT_MAIN("ipc/msg_check", question, answer, hostile)
