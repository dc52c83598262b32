/* SPDX-License-Identifier: GPL-3.0-or-later */

/* pattern -- one line of the configuration for many addresses. */

#include "conf/pattern.h"

#include "unit.h"

static struct arena arena;

static bool
fits(const char *text, const char *address)
{
	struct str s = str_c(address);
	ptrdiff_t at = str_rfind(s, '@');
	struct pattern p;
	const char *why = pattern_address(&arena, str_c(text), &p);

	ck_assert_msg(why == NULL, "%s: %s", text, why);
	if (at < 0)
		return pattern_fits(&p, STR(""), STR(""));
	return pattern_fits(&p, str_head(s, (size_t)at), str_skip(s, (size_t)at + 1));
}

START_TEST(addresses)
{
	static const struct {
		const char *pattern, *address;
		bool fits;
	} t[] = {
		{ "a.test", "x@a.test", true },
		{ "A.Test", "x@a.tEST", true },
		{ "a.test", "x@b.a.test", false },
		{ "a.test", "x@ba.test", false },
		{ "*.a.test", "x@b.a.test", true },
		{ "*.a.test", "x@c.b.a.test", true },
		{ "*.a.test", "x@a.test", false },
		{ "*.a.test", "x@ba.test", false },
		{ ".a.test", "x@b.a.test", true },
		{ ".a.test", "x@a.test", false },
		{ "*", "x@a.test", true },
		{ "*", "x@[192.0.2.1]", true },
		{ "*.test", "x@a.b.test", true },
		{ "mx*.a.test", "x@mx12.a.test", true },
		{ "mx*.a.test", "x@my.a.test", false },
		{ "[192.0.2.1]", "x@[192.0.2.1]", true },
		{ "x@a.test", "X@a.test", true },
		{ "x@a.test", "xx@a.test", false },
		{ "x@a.test", "x@b.a.test", false },
		{ "*@a.test", "anybody@a.test", true },
		{ "info-*@*.test", "info-x@b.test", true },
		{ "info-*@*.test", "info@b.test", false },
		{ "*a*b*c@x.test", "1a2b3b4c@x.test", true },
		{ "*a*b*c@x.test", "1a2b3b4cd@x.test", false },
		{ "a b@x.test", "a b@x.test", true },
		{ "\"a@b\"@x.test", "\"a@b\"@x.test", true },
		/* The null reverse-path is no address of anybody. */
		{ "<>", "", true },
		{ "<>", "x@a.test", false },
		{ "*", "", true },
		{ "*@*", "", false },
		{ "a.test", "", false },
		{ "/sales-.*@a\\.test/", "Sales-1@A.test", true },
		{ "/sales-.*@a\\.test/", "x-sales-1@a.test", false },
		{ "/.*/", "x@a.test", true },
		{ "/.+/", "", false },
		/* Both forms of a name are one name. */
		{ "b\xc3\xbc" "cher.test", "x@xn--bcher-kva.test", true },
		{ "xn--bcher-kva.test", "x@B\xc3\x9c" "CHER.test", true },
		{ "*.b\xc3\xbc" "cher.test", "x@a.b\xc3\xbc" "cher.test", true },
		{ "a.test", "x@\xff.test", false },
		/* RFC 6531: a letter is the same however it was typed. */
		{ "j\xc3\xbcrgen@a.test", "ju\xcc\x88rgen@a.test", true },
		{ "ju\xcc\x88rgen@a.test", "j\xc3\xbcrgen@a.test", true },
		{ "*\xc3\xbc@a.test", "xu\xcc\x88@a.test", true },
		{ "/j\xc3\xbcrgen@.*/", "ju\xcc\x88rgen@a.test", true },
		{ "j\xc3\xbcrgen@a.test", "jurgen@a.test", false },
		{ "*@a.test", "\xff\xcc\x88@a.test", true },
	};

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_msg(fits(t[i].pattern, t[i].address) == t[i].fits,
		    "%s and %s", t[i].pattern, t[i].address);
	arena_free(&arena);
}
END_TEST

START_TEST(names)
{
	static const struct {
		const char *pattern, *name;
		bool fits;
	} t[] = {
		{ "alice", "Alice", true },
		{ "alice", "alicea", false },
		{ "app-*", "app-", true },
		{ "*@a.test", "x@a.test", true },
		{ "*", "", true },
		{ "/a|b/", "b", true },
		{ "/a|b/", "ab", false },
	};

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct pattern p;

		ck_assert_ptr_null(pattern_name(&arena, str_c(t[i].pattern), &p));
		ck_assert_msg(pattern_fits(&p, str_c(t[i].name), STR("")) == t[i].fits,
		    "%s and %s", t[i].pattern, t[i].name);
	}
	arena_free(&arena);
}
END_TEST

START_TEST(mistakes)
{
	static const char *const t[] = { "", "a b", "a..b", "@a.test", "x@", "x@a b",
		"a*.\xc3\xbc*.test", "/", "//", "/a", "/(/", "x\n@a.test", "-a.test", "\xff.test" };
	struct pattern p;

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_msg(pattern_address(&arena, str_c(t[i]), &p) != NULL,
		    "%s", t[i]);
	ck_assert_ptr_nonnull(pattern_name(&arena, STR(""), &p));
	ck_assert_ptr_nonnull(pattern_name(&arena, STR("a\tb"), &p));
	ck_assert_ptr_nonnull(pattern_name(&arena, STR("/[/"), &p));
	arena_free(&arena);
}
END_TEST

/* A pattern of many stars and an address of one letter: done at once. */
START_TEST(cost)
{
	char glob[200], address[2000];
	struct pattern p;

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < sizeof(glob); i += 2)
		memcpy(&glob[i], "a*", 2);
	memset(address, 'a', sizeof(address));
	glob[sizeof(glob) - 1] = 'b';
	ck_assert_ptr_null(pattern_name(&arena, str_n(glob, sizeof(glob)), &p));
	ck_assert(!pattern_fits(&p, str_n(address, sizeof(address)), STR("")));
	/* Longer than any address: a regular expression does not look at it. */
	ck_assert_ptr_null(pattern_address(&arena, STR("/.*/"), &p));
	ck_assert(!pattern_fits(&p, str_n(address, sizeof(address)), STR("a.test")));
	arena_free(&arena);
}
END_TEST

UNIT_MAIN("pattern", addresses, names, mistakes, cost)
