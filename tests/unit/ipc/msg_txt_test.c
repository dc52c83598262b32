/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * msg_txt -- both messages there and back; only names of keys and policies may
 * be asked for (S-56); what is large is told as that.
 */

#include "ipc/msg_txt.h"

#include <stdio.h>

#include "unit.h"

static struct buf packet;

static const struct {
	const char *name;
	bool may;
} names[] = {
	{ "s._domainkey.example.org", true },
	{ "a.b._DomainKey.x", true },
	{ "_report._domainkey.x.example", true },
	{ "_dmarc.example.org", true },
	{ "_DMARC.org", true },
	{ "example.org", false },
	{ "", false },
	{ "_dmarc", false },
	{ "_dmarc.", false },
	{ "x._dmarc.example.org", false },
	{ "_domainkey.example.org", false },
	{ "s._domainkey", false },
	{ "s._domainkey.", false },
	{ "s._domainkey.example.org.", false },
	{ "s._domainkey..org", false },
	{ ".s._domainkey.org", false },
	{ "s/../x._domainkey.org", false },
	{ "s%00._domainkey.org", false },
	{ "s\\000._domainkey.org", false },
	{ "s\n._domainkey.org", false },
	{ "b\303\274._domainkey.org", false },
	{ "s s._domainkey.org", false },
};

START_TEST(allowed)
{
	char label[128], name[512];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		ck_assert_msg(msg_txt_may_ask(str_c(names[i].name)) == names[i].may, "%s",
		    names[i].name);
	ck_assert(!msg_txt_may_ask(str_n("s\0._domainkey.org", 17)));
	memset(label, 'a', sizeof(label));
	snprintf(name, sizeof(name), "%.63s._domainkey.org", label);
	ck_assert(msg_txt_may_ask(str_c(name)));
	snprintf(name, sizeof(name), "%.64s._domainkey.org", label);
	ck_assert(!msg_txt_may_ask(str_c(name)));
	/* 253 octets are a name, 254 none. */
	snprintf(name, sizeof(name), "%.63s.%.63s.%.63s._domainkey.%.51s", label, label, label, label);
	ck_assert_uint_eq(strlen(name), 254);
	ck_assert(!msg_txt_may_ask(str_c(name)));
	name[253] = '\0';
	ck_assert(msg_txt_may_ask(str_c(name)));
}
END_TEST

START_TEST(question)
{
	struct msg_txt in = { .wait_ms = 5000, .names = { STR("s._domainkey.a.example"),
		STR("_dmarc.a.example") }, .name_n = 2 }, out;

	msg_txt_put(&packet, &in);
	ck_assert(msg_txt_get(buf_str(&packet), &out));
	ck_assert_uint_eq(out.name_n, 2);
	ck_assert_uint_eq(out.wait_ms, 5000);
	ck_str(out.names[1], in.names[1]);
	for (size_t i = 0; i < packet.n; i++)
		ck_assert(!msg_txt_get(str_n(packet.p, i), &out));
	in.names[1] = STR("a.example");
	msg_txt_put(&packet, &in);
	ck_assert(!msg_txt_get(buf_str(&packet), &out));
	in.name_n = 0;
	msg_txt_put(&packet, &in);
	ck_assert(!msg_txt_get(buf_str(&packet), &out));
	in.name_n = 1;
	for (uint64_t ms = 0; ms <= MSG_TXT_WAIT_MAX_MS + 1; ms += MSG_TXT_WAIT_MAX_MS + 1) {
		in.wait_ms = ms;
		msg_txt_put(&packet, &in);
		ck_assert(!msg_txt_get(buf_str(&packet), &out));
	}
}
END_TEST

/* One name more than there may be. */
START_TEST(crowd)
{
	struct msg_txt out;

	frame_begin(&packet, MSG_TXT);
	frame_put_u64(&packet, 1, 1000);
	for (int i = 0; i < MSG_TXT_NAMES_MAX; i++)
		frame_put(&packet, 2, STR("_dmarc.a.example"));
	frame_end(&packet);
	ck_assert(msg_txt_get(buf_str(&packet), &out));
	frame_put(&packet, 2, STR("_dmarc.a.example"));
	frame_end(&packet);
	ck_assert(!msg_txt_get(buf_str(&packet), &out));
}
END_TEST

START_TEST(answer)
{
	struct msg_txt_result in = { .answers = {
		{ .status = TXT_OK, .texts = { STR("v=DKIM1; p=x"), str_n("\0\r\n\377", 4) }, .text_n = 2 },
		{ .status = TXT_TEMPORARY }, { .status = TXT_NO_NAME }, { .status = TXT_NO_DATA } },
		.answer_n = 4 }, out;

	msg_txt_result_put(&packet, &in);
	ck_assert(msg_txt_result_get(buf_str(&packet), &out));
	ck_assert_uint_eq(out.answer_n, 4);
	ck_assert_uint_eq(out.answers[0].text_n, 2);
	ck_str(out.answers[0].texts[1], in.answers[0].texts[1]);
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(out.answers[i].status, in.answers[i].status);
	/* What is cut off between two answers is one of fewer names: who asked knows how many. */
	for (size_t i = 0; i + 14 < packet.n; i++)
		ck_assert(!msg_txt_result_get(str_n(packet.p, i), &out));
}
END_TEST

/* Each name may have as much as there may be, whatever the others have. */
START_TEST(large)
{
	static char text[MSG_TXT_NAME_MAX];
	const size_t one = sizeof(text) / MSG_TXT_RECORDS_MAX;
	struct msg_txt_result in = { .answer_n = MSG_TXT_NAMES_MAX }, out;

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < in.answer_n; i++) {
		in.answers[i] = (struct txt_answer){ .text_n = MSG_TXT_RECORDS_MAX };
		for (size_t k = 0; k < MSG_TXT_RECORDS_MAX; k++)
			in.answers[i].texts[k] = str_n(text, one);
	}
	in.answers[0].texts[0] = str_n(text, one + 1);
	msg_txt_result_put(&packet, &in);
	ck_assert(msg_txt_result_get(buf_str(&packet), &out));
	ck_assert_uint_eq(out.answer_n, MSG_TXT_NAMES_MAX);
	for (size_t i = 0; i < out.answer_n; i++) {
		ck_assert_uint_eq(out.answers[i].status, i == 0 ? TXT_LARGE : TXT_OK);
		ck_assert_uint_eq(out.answers[i].text_n, i == 0 ? 0 : MSG_TXT_RECORDS_MAX);
	}
}
END_TEST

static void
put_answer(uint64_t status, size_t texts)
{
	frame_begin(&packet, MSG_TXT_RESULT);
	frame_put_u64(&packet, 1, status);
	for (size_t i = 0; i < texts; i++)
		frame_put(&packet, 2, STR("x"));
	frame_end(&packet);
}

START_TEST(hostile)
{
	struct msg_txt_result out;

	put_answer(TXT_OK, MSG_TXT_RECORDS_MAX);
	ck_assert(msg_txt_result_get(buf_str(&packet), &out));
	put_answer(TXT_OK, MSG_TXT_RECORDS_MAX + 1);
	ck_assert(!msg_txt_result_get(buf_str(&packet), &out));
	put_answer(TXT_OK, 0);
	ck_assert(!msg_txt_result_get(buf_str(&packet), &out));
	put_answer(TXT_NO_NAME, 1);
	ck_assert(!msg_txt_result_get(buf_str(&packet), &out));
	put_answer(TXT_LARGE + 1, 0);
	ck_assert(!msg_txt_result_get(buf_str(&packet), &out));
	for (size_t more = 0; more <= 1; more++) {
		static char text[MSG_TXT_NAME_MAX + 1];

		frame_begin(&packet, MSG_TXT_RESULT);
		frame_put_u64(&packet, 1, TXT_OK);
		frame_put(&packet, 2, str_n(text, MSG_TXT_NAME_MAX + more));
		frame_end(&packet);
		ck_assert(msg_txt_result_get(buf_str(&packet), &out) == (more == 0));
	}
	frame_begin(&packet, MSG_TXT_RESULT);
	frame_end(&packet);
	ck_assert(!msg_txt_result_get(buf_str(&packet), &out));
	for (int i = 0; i < MSG_TXT_NAMES_MAX + 1; i++)
		frame_put_u64(&packet, 1, TXT_NO_NAME);
	frame_end(&packet);
	ck_assert(!msg_txt_result_get(buf_str(&packet), &out));
}
END_TEST

int
main(void)
{
	buf_init(&packet, FRAME_MAX);
	return unit_run("ipc/msg_txt", UNIT_CASE("msg_txt", allowed, question, crowd, answer, large,
	    hostile));
}
