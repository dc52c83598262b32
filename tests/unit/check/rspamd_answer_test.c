/* SPDX-License-Identifier: GPL-3.0-or-later */

/* rspamd_answer -- what Rspamd says of a message. */

#include "check/rspamd_answer.h"
#include "unit.h"

START_TEST(answers)
{
	static const char *const none[] = { "", "{", "[]", "{}", "{\"score\":1}", "{\"action\":\"x\"}",
		"{\"score\":\"1\",\"action\":\"x\"}", "{\"score\":1,\"score\":2,\"action\":\"x\"}" };
	struct rspamd_answer r;
	struct arena a;

	arena_init(&a, 1 << 20);
	ck_assert(rspamd_answer_read(STR("{\"score\":7.5,\"required_score\":15,\"action\":\"add header\","
	    "\"symbols\":{\"A\":{\"score\":7.5},\"B\":{},\"C\":1},"
	    "\"messages\":{\"smtp_message\":\"no\"},\"milter\":{}}"), &a, &r));
	ck_assert(r.score == 7.5 && r.required == 15 && r.symbol_n == 2);
	ck_str(r.action, STR("add header"));
	ck_str(r.words, STR("no"));
	ck_str(r.symbols[1], STR("B"));
	ck_assert(rspamd_answer_read(STR("{\"score\":0,\"action\":\"no action\",\"symbols\":[]}"), &a, &r));
	ck_assert(r.symbol_n == 0 && r.required == 0 && r.words.n == 0);
	ck_assert(r.wish_n == 0 && r.subject.n == 0);
	ck_assert(rspamd_answer_read(STR("{\"score\":1,\"action\":\"x\",\"subject\":\"s\",\"milter\":{"
	    "\"add_headers\":{\"A\":\"1\",\"B\":{\"value\":\"2\",\"order\":1},\"C\":[\"3\",{\"value\":\"4\"},5],"
	    "\"D\":{},\"E\":[]},\"remove_headers\":{\"F\":0,\"G\":[1,-1],\"H\":\"x\",\"I\":[]}}}"), &a, &r));
	ck_str(r.subject, STR("s"));
	ck_assert_uint_eq(r.wish_n, 7);
	ck_assert(r.wishes[0].remove && r.wishes[0].which == 0 && r.wishes[2].which == -1);
	ck_str(r.wishes[3].value, STR("1"));
	ck_assert(!r.wishes[3].ordered && r.wishes[4].ordered && r.wishes[4].which == 1);
	ck_str(r.wishes[6].value, STR("4"));
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		ck_assert_msg(!rspamd_answer_read(str_c(none[i]), &a, &r), "%s", none[i]);
	arena_free(&a);
}
END_TEST

UNIT_MAIN("check/rspamd_answer", answers)
