/* SPDX-License-Identifier: GPL-3.0-or-later */

/* regex -- patterns of the administrator against what strangers send. */

#include "lib/regex.h"

#include "lib/log.h"
#include "unit.h"

static struct arena arena;

static bool
fits(const char *pattern, struct str s)
{
	struct buf error;
	struct regex *r;
	bool found;

	arena_init(&arena, 1 << 20);
	buf_init(&error, 1000);
	r = regex_new(&arena, str_c(pattern), &error);
	ck_assert_msg(r != NULL, "%s: %s", pattern, buf_cstr(&error));
	found = regex_fits(r, s);
	buf_free(&error);
	arena_free(&arena);
	return found;
}

START_TEST(fitting)
{
	const struct {
		const char *pattern;
		struct str s;
		bool fits;
	} t[] = {
		{ "sales-.*", STR("sales-east@a.test"), true },
		{ "sales-.*", STR("SALES-@a.test"), true },
		/* The whole of it, wherever the alternatives stand. */
		{ "sales-.*", STR("my-sales-east@a.test"), false },
		{ "sales", STR("sales@a.test"), false },
		{ "a|ab", STR("ab"), true },
		{ "a|b", STR("ab"), false },
		{ "", STR(""), true },
		{ "", { NULL, 0 }, true },
		{ ".", STR(""), false },
		{ "m(\xc3\xbc|ue)ller@.*", STR("M\xc3\x9cLLER@a.test"), true },
		{ ".", STR("\xc3\xbc"), true },
		/* What is no UTF-8 fits nothing, and breaks nothing. */
		{ ".*", STR("\xff\xfe"), false },
		{ "a", STR("a\xff"), false },
		{ "[^@]+@a\\.test", STR("x@a.test"), true },
		{ "[^@]+@a\\.test", STR("x@axtest"), false },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_msg(fits(t[i].pattern, t[i].s) == t[i].fits, "%s",
		    t[i].pattern);
}
END_TEST

START_TEST(broken)
{
	static const char *const t[] = { "(", "[a", "a{2,1}", "(?<n>a", "*",
		"\\C", "\\p{Nonsense}", "a\xff" };

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct buf error;

		arena_init(&arena, 1 << 20);
		buf_init(&error, 1000);
		ck_assert_ptr_null(regex_new(&arena, str_c(t[i]), &error));
		ck_assert_msg(error.n > 10, "%s: %s", t[i], buf_cstr(&error));
		ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "behind"));
		buf_free(&error);
		arena_free(&arena);
	}
}
END_TEST

/* What would backtrack for years gives up, and fits nothing. */
START_TEST(runaway)
{
	char text[300];

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '!';
	log_reset();
	ck_assert(!fits("(a+)+", str_n(text, sizeof(text))));
	ck_assert(!fits("(a|a)*b?", str_n(text, sizeof(text))));
	ck_assert(!fits("(?R)?a*(?R)", str_n(text, sizeof(text))));
	ck_assert(fits("(a+)+!", str_n(text, sizeof(text))));
}
END_TEST

UNIT_MAIN("regex", fitting, broken, runaway)
