/* SPDX-License-Identifier: GPL-3.0-or-later */

/* feedback -- facts that are made clean, their bounds, and their way between processes. */

#include "ipc/feedback.h"
#include "ipc/frame.h"
#include "ipc/msg.h"
#include "unit.h"

#define ARENA_MAX ((size_t)8 << 20)

START_TEST(values_are_clean)
{
	static const struct {
		enum feedback_name name;
		const char *raw, *want;
	} t[] = {
		{ FACT_ORG, "google.com", "google.com" },
		{ FACT_ORG, " \t a \r\n\t b\x01\x7f c \n", "a b c" },
		{ FACT_ORG, "\x01\x02", "" },
		{ FACT_ORG, "", "" },
		{ FACT_ORG, "M\xc3\xbcller", "M\xc3\xbcller" },
		{ FACT_ORG, "M\xfcller", "M?ller" },
		{ FACT_MESSAGES, " 42\n", "42" },
		{ FACT_MESSAGES, "-1", "" },
		{ FACT_MESSAGES, "4 2", "" },
		{ FACT_MESSAGES, "many", "" },
		{ FACT_MESSAGES, "999999999999999", "999999999999999" },
		{ FACT_MESSAGES, "1000000000000000", "" },
	};
	struct feedback f;
	struct arena a;

	arena_init(&a, ARENA_MAX);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		feedback_init(&f, &a, 1);
		feedback_add(&f, &f.head, t[i].name, str_c(t[i].raw));
		ck_str(feedback_find(&f.head, t[i].name), str_c(t[i].want));
		ck_assert_uint_eq(f.head.n, t[i].want[0] != '\0');
	}
	arena_free(&a);
}
END_TEST

START_TEST(values_are_short)
{
	char text[2000];
	struct feedback f;
	struct arena a;
	struct str v;

	arena_init(&a, ARENA_MAX);
	feedback_init(&f, &a, 1);
	memset(text, 'x', sizeof(text));
	feedback_add(&f, &f.head, FACT_ORG, str_n(text, sizeof(text)));
	v = feedback_find(&f.head, FACT_ORG);
	ck_assert(v.n > 250 && v.n <= FEEDBACK_VALUE_MAX);
	/* Characters of two octets: none is cut. */
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 == 0 ? '\xc3' : '\xbc';
	for (size_t skip = 0; skip < 2; skip++) {
		text[0] = skip ? 'x' : '\xc3';
		feedback_init(&f, &a, 1);
		feedback_add(&f, &f.head, FACT_ORG, str_n(text + skip, 600 - skip));
		v = feedback_find(&f.head, FACT_ORG);
		ck_assert(v.n > 250 && v.n <= FEEDBACK_VALUE_MAX && str_is_utf8(v));
	}
	arena_free(&a);
}
END_TEST

START_TEST(heads_and_rows_have_bounds)
{
	struct feedback f;
	struct feedback_row *row;
	struct arena a;

	arena_init(&a, ARENA_MAX);
	feedback_init(&f, &a, 2);
	for (int name = 0; name < FACT_N; name++)
		feedback_add(&f, &f.head, (enum feedback_name)name, STR("1"));
	ck_assert_uint_eq(f.head.n, FEEDBACK_FACTS_MAX);
	ck_assert_ptr_nonnull(row = feedback_row(&f));
	/* The first of a name stays. */
	feedback_add(&f, row, FACT_DKIM, STR("pass"));
	feedback_add(&f, row, FACT_DKIM, STR("fail"));
	ck_str(feedback_find(row, FACT_DKIM), STR("pass"));
	ck_assert_ptr_nonnull(feedback_row(&f));
	ck_assert_ptr_null(feedback_row(&f));
	feedback_add(&f, NULL, FACT_DKIM, STR("pass"));
	ck_assert_uint_eq(f.row_n, 2);
	ck_assert_uint_eq(f.row_total, 3);
	feedback_init(&f, &a, 1000000);
	ck_assert_uint_eq(f.row_max, FEEDBACK_ROWS_MAX);
	arena_free(&a);
}
END_TEST

START_TEST(a_question_comes_as_it_went)
{
	struct msg_feedback m = { 100, 20000, 7 }, got;
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_feedback_put(&b, &m);
	ck_assert(msg_feedback_get(buf_str(&b), &got));
	ck_assert_uint_eq(got.at, 100);
	ck_assert_uint_eq(got.size, 20000);
	ck_assert_uint_eq(got.rows, 7);
	for (size_t n = 0; n < b.n; n++)
		ck_assert(!msg_feedback_get(str_head(buf_str(&b), n), &got));
	m.size = UINT64_C(1) << 62;
	msg_feedback_put(&b, &m);
	ck_assert(!msg_feedback_get(buf_str(&b), &got));
	buf_free(&b);
}
END_TEST

START_TEST(an_answer_comes_as_it_went)
{
	struct feedback f, got;
	struct arena a;
	struct buf b;

	arena_init(&a, ARENA_MAX);
	buf_init(&b, FRAME_MAX);
	feedback_init(&f, &a, 5);
	f.kind = "dmarc";
	f.why = "its XML is cut short";
	feedback_add(&f, &f.head, FACT_ORG, STR("google.com"));
	feedback_add_number(&f, &f.head, FACT_MESSAGES, 45);
	for (unsigned i = 0; i < 7; i++)
		feedback_add_number(&f, feedback_row(&f), FACT_MESSAGES, i);
	msg_feedback_result_put(&b, &f);
	feedback_init(&got, &a, FEEDBACK_ROWS_MAX);
	ck_assert(msg_feedback_result_get(buf_str(&b), &got));
	ck_assert_str_eq(got.kind, "dmarc");
	ck_assert_str_eq(got.why, "its XML is cut short");
	ck_str(feedback_find(&got.head, FACT_ORG), STR("google.com"));
	ck_str(feedback_find(&got.head, FACT_MESSAGES), STR("45"));
	ck_assert_uint_eq(got.row_n, 5);
	ck_assert_uint_eq(got.row_total, 7);
	ck_str(feedback_find(&got.rows[4], FACT_MESSAGES), STR("4"));
	for (size_t n = 0; n < b.n; n++) {
		feedback_init(&got, &a, FEEDBACK_ROWS_MAX);
		ck_assert(!msg_feedback_result_get(str_head(buf_str(&b), n), &got));
	}
	/* Who gets it keeps fewer: it is no answer to his question. */
	feedback_init(&got, &a, 4);
	ck_assert(!msg_feedback_result_get(buf_str(&b), &got));
	buf_free(&b);
	arena_free(&a);
}
END_TEST

START_TEST(what_finds_no_room_is_left_out)
{
	char text[FEEDBACK_VALUE_MAX];
	struct feedback f, got;
	struct arena a;
	struct buf b;

	arena_init(&a, ARENA_MAX);
	buf_init(&b, FRAME_MAX);
	memset(text, 'x', sizeof(text));
	feedback_init(&f, &a, FEEDBACK_ROWS_MAX);
	for (int i = 0; i < FEEDBACK_ROWS_MAX; i++) {
		struct feedback_row *row = feedback_row(&f);

		for (int name = FACT_ORG; row->n < 10; name++)
			feedback_add(&f, row, (enum feedback_name)name, str_n(text, sizeof(text)));
	}
	msg_feedback_result_put(&b, &f);
	ck_assert(buf_ok(&b));
	feedback_init(&got, &a, FEEDBACK_ROWS_MAX);
	ck_assert(msg_feedback_result_get(buf_str(&b), &got));
	ck_assert(got.row_n > 15 && got.row_n < FEEDBACK_ROWS_MAX);
	ck_assert_uint_eq(got.row_total, FEEDBACK_ROWS_MAX);
	buf_free(&b);
	arena_free(&a);
}
END_TEST

START_TEST(what_is_not_clean_is_refused)
{
	static const struct str values[] = { { "", 0 }, { "a\nb", 3 }, { "\xff", 1 } };
	struct feedback f, got;
	struct arena a;
	struct buf b;

	arena_init(&a, ARENA_MAX);
	buf_init(&b, FRAME_MAX);
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		feedback_init(&f, &a, 1);
		f.head.facts[f.head.n++] = (struct feedback_fact){ FACT_ORG, values[i] };
		msg_feedback_result_put(&b, &f);
		feedback_init(&got, &a, 1);
		ck_assert(!msg_feedback_result_get(buf_str(&b), &got));
	}
	feedback_init(&f, &a, 1);
	f.head.facts[f.head.n++] = (struct feedback_fact){ FACT_N, STR("x") };
	msg_feedback_result_put(&b, &f);
	ck_assert(!msg_feedback_result_get(buf_str(&b), &got));
	feedback_init(&f, &a, 1);
	f.head.facts[f.head.n++] = (struct feedback_fact){ FACT_MESSAGES, STR("x") };
	msg_feedback_result_put(&b, &f);
	feedback_init(&got, &a, 1);
	ck_assert(!msg_feedback_result_get(buf_str(&b), &got));
	feedback_init(&f, &a, 1);
	f.kind = "a\nb";
	msg_feedback_result_put(&b, &f);
	feedback_init(&got, &a, 1);
	ck_assert(!msg_feedback_result_get(buf_str(&b), &got));
	buf_free(&b);
	arena_free(&a);
}
END_TEST

START_TEST(names)
{
	for (int i = 0; i < FACT_N; i++) {
		const char *name = feedback_name((enum feedback_name)i);

		ck_assert(strspn(name, "abcdefghijklmnopqrstuvwxyz-") == strlen(name));
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(name, feedback_name((enum feedback_name)k));
	}
	ck_assert(feedback_is_number(FACT_MESSAGES) && !feedback_is_number(FACT_ORG));
}
END_TEST

UNIT_MAIN("ipc/feedback", values_are_clean, values_are_short, heads_and_rows_have_bounds,
    a_question_comes_as_it_went, an_answer_comes_as_it_went, what_finds_no_room_is_left_out,
    what_is_not_clean_is_refused, names)
