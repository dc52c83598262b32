/* SPDX-License-Identifier: GPL-3.0-or-later */

/* json -- documents that are read, and some that are made. */

#include <stdio.h>

#include "lib/json.h"
#include "unit.h"

/* Each kind of value, and what the calls for another kind make of it. */
START_TEST(kinds)
{
	static const struct {
		const char *name;
		enum json_kind kind;
		const char *text;
		int64_t whole;
		double number;
	} t[] = {
		{ "o", JSON_IS_OBJECT, "", 0, 0 }, { "a", JSON_IS_ARRAY, "", 0, 0 },
		{ "s", JSON_IS_TEXT, "x\xc3\xa9", 0, 0 }, { "i", JSON_IS_INTEGER, "-5", -5, -5 },
		{ "r", JSON_IS_REAL, "", 0, 1.5 }, { "t", JSON_IS_TRUE, "", 0, 0 },
		{ "f", JSON_IS_FALSE, "", 0, 0 }, { "n", JSON_IS_NULL, "", 0, 0 },
		{ "gone", JSON_IS_NOTHING, "", 0, 0 },
	};
	struct json *j = json_open(STR("{\"o\":{},\"a\":[7,8],\"s\":\"x\\u00e9\",\"i\":-5,"
	    "\"r\":1.5,\"t\":true,\"f\":false,\"n\":null}"));
	struct arena a;

	arena_init(&a, 1 << 16);
	ck_assert_ptr_nonnull(j);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const struct json *v = json_member(j, t[i].name);

		ck_assert_msg(json_kind(v) == t[i].kind, "%s", t[i].name);
		ck_str(json_text(v, &a), str_c(t[i].text));
		ck_assert_int_eq(json_whole(v), t[i].whole);
		ck_assert_uint_eq(json_number(v), t[i].whole > 0 ? (uint64_t)t[i].whole : 0);
		ck_assert(json_double(v) <= t[i].number && json_double(v) >= t[i].number);
		ck_assert_uint_eq(json_items(v), t[i].kind == JSON_IS_ARRAY ? 2 : 0);
	}
	ck_assert_uint_eq(json_number(json_item(json_member(j, "a"), 1)), 8);
	ck_assert_ptr_null(json_item(json_member(j, "a"), 2));
	ck_assert_ptr_null(json_member(NULL, "a"));
	ck_str(json_text_in(j, "s", &a), STR("x\xc3\xa9"));
	ck_str(json_text_in(j, "i", &a), STR(""));
	json_close(j);
	arena_free(&a);
}
END_TEST

START_TEST(walk)
{
	struct json *j = json_open(STR("{\"b\":1,\"a\":2}"));
	const struct json *v;
	const char *name;
	void *at = NULL;
	uint64_t n = 0;

	while ((v = json_walk(j, &at, &name)) != NULL)
		n += json_number(v) * (name[0] == 'a' ? 10 : 100);
	ck_assert_uint_eq(n, 120);
	at = NULL;
	ck_assert_ptr_null(json_walk(NULL, &at, &name));
	json_close(j);
}
END_TEST

/* What is no document, or says a thing twice. */
START_TEST(none)
{
	static const char *const t[] = { "", "{", "[1,]", "{\"a\":1}x", "{\"a\":1,\"a\":2}",
		"\"\xff\"", "{\"a\\u0000b\":1}", "nul", "1e999", "5" };
	char deep[10000];

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_msg(json_open(str_c(t[i])) == NULL, "%s", t[i]);
	ck_assert_ptr_null(json_open((struct str){ NULL, 0 }));
	memset(deep, '[', sizeof(deep));
	ck_assert_ptr_null(json_open(str_n(deep, sizeof(deep))));
	json_close(NULL);
}
END_TEST

START_TEST(made)
{
	struct json *o = json_new_object(), *list = json_new_array(), *last = json_new_object();
	char *text;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	ck_assert_ptr_nonnull(out);
	json_add_text(list, STR("\xff\x1b"));
	json_add_number(list, 9);
	json_set_null(last, "z");
	json_set_double(last, "d", 0.5);
	json_add(list, last);
	json_set_text(o, "text", STR("a\"b"));
	json_set_text(o, "empty", (struct str){ NULL, 0 });
	json_set_number(o, "number", 1);
	json_set_integer(o, "integer", -1);
	json_set_bool(o, "yes", true);
	json_set(o, "list", list);
	json_print(o, JSON_ONE_LINE, out);
	o = json_new_object();
	json_set_bool(o, "no", false);
	json_print(o, JSON_FOR_EYES, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(text, "{\"text\":\"a\\\"b\",\"empty\":\"\",\"number\":1,\"integer\":-1,"
	    "\"yes\":true,\"list\":[\"\\\\xff\\\\x1b\",9,{\"z\":null,\"d\":0.5}]}\n"
	    "{\n  \"no\": false\n}\n");
	free(text);
}
END_TEST

UNIT_MAIN("lib/json", kinds, walk, none, made)
