/* SPDX-License-Identifier: GPL-3.0-or-later */

/* str -- comparisons, searches, numbers, UTF-8 and the hash. */

#include <errno.h>

#include "lib/str.h"
#include "unit.h"

#define S(lit) { "" lit, sizeof(lit) - 1 }

static int
sign(int v)
{
	return (v > 0) - (v < 0);
}

START_TEST(views)
{
	ck_str(str_c(NULL), STR(""));
	ck_str(str_c("abc"), STR("abc"));
	ck_str(str_skip(STR("abc"), 1), STR("bc"));
	ck_str(str_skip(STR("abc"), 9), STR(""));
	ck_str(str_head(STR("abc"), 2), STR("ab"));
	ck_str(str_head(STR("abc"), 9), STR("abc"));
}
END_TEST

static const struct {
	struct str a, b;
	int cmp, icmp;
} orders[] = {
	{ S(""), S(""), 0, 0 },
	{ S("a"), S(""), 1, 1 },
	{ S("a"), S("ab"), -1, -1 },
	{ S("abc"), S("abd"), -1, -1 },
	{ S("ABC"), S("abc"), -1, 0 },
	{ S("b"), S("ABC"), 1, 1 },
	{ S("a\0b"), S("a\0c"), -1, -1 },
	{ S("\xff"), S("a"), 1, 1 },
	/* Only letters fold: these differ by 0x20 as well. */
	{ S("@["), S("`{"), -1, -1 },
	{ S("\xc4"), S("\xe4"), -1, -1 },
};

START_TEST(order)
{
	struct str none = { NULL, 0 };

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct str a = orders[i].a, b = orders[i].b;

		ck_assert_int_eq(sign(str_cmp(a, b)), orders[i].cmp);
		ck_assert_int_eq(sign(str_cmp(b, a)), -orders[i].cmp);
		ck_assert_int_eq(sign(str_icmp(a, b)), orders[i].icmp);
		ck_assert_int_eq(sign(str_icmp(b, a)), -orders[i].icmp);
		ck_assert_int_eq(str_eq(a, b), orders[i].cmp == 0);
		ck_assert_int_eq(str_ieq(a, b), orders[i].icmp == 0);
	}
	ck_assert(str_eq(none, none) && str_ieq(none, STR("")));
	for (int c = 0; c < 256; c++) {
		struct str one = str_n((const char[]){ (char)c }, 1);
		struct str low = str_n((const char[]){ char_lower((char)c) }, 1);

		ck_assert(str_ieq(one, low));
		ck_assert(str_eq(one, low) == !(c >= 'A' && c <= 'Z'));
	}
	ck_assert_int_eq(str_cmp(none, none), 0);
}
END_TEST

START_TEST(edges)
{
	ck_assert(str_starts(STR("MAIL FROM"), STR("MAIL")));
	ck_assert(str_starts(STR("MAIL"), STR("MAIL")));
	ck_assert(str_starts(STR("x"), STR("")));
	ck_assert(!str_starts(STR("MAI"), STR("MAIL")));
	ck_assert(!str_starts(STR("mail"), STR("MAIL")));
	ck_assert(str_istarts(STR("mail from"), STR("MAIL")));
	ck_assert(!str_istarts(STR("mai"), STR("MAIL")));
	ck_assert(str_ends(STR("a.example"), STR(".example")));
	ck_assert(!str_ends(STR("example"), STR(".example")));
	ck_assert(!str_ends(STR("a.Example"), STR(".example")));
	ck_assert(str_iends(STR("a.Example"), STR(".eXAMPLE")));
	ck_assert(!str_iends(STR("e"), STR(".e")));
}
END_TEST

START_TEST(finding)
{
	struct str none = { NULL, 0 };

	ck_assert_int_eq(str_find(STR("a@b@c"), '@'), 1);
	ck_assert_int_eq(str_rfind(STR("a@b@c"), '@'), 3);
	ck_assert_int_eq(str_find(STR("abc"), '@'), -1);
	ck_assert_int_eq(str_rfind(STR("abc"), '@'), -1);
	ck_assert_int_eq(str_find(STR("a\0b"), '\0'), 1);
	ck_assert_int_eq(str_find(none, 'x'), -1);
	ck_assert_int_eq(str_rfind(none, 'x'), -1);
}
END_TEST

START_TEST(cutting)
{
	struct str head, tail, s = STR("a=b=c");

	ck_assert(str_cut(s, '=', &head, &tail));
	ck_str(head, STR("a"));
	ck_str(tail, STR("b=c"));
	ck_assert(!str_cut(STR("abc"), '=', &head, &tail));
	ck_str(head, STR("abc"));
	ck_str(tail, STR(""));
	ck_assert(str_cut(STR("="), '=', &head, &tail));
	ck_str(head, STR(""));
	ck_str(tail, STR(""));
	/* In place, either way around. */
	ck_assert(str_cut(s, '=', &head, &s));
	ck_str(s, STR("b=c"));
	ck_assert(str_cut(s, '=', &s, &tail));
	ck_str(s, STR("b"));
	ck_str(tail, STR("c"));
}
END_TEST

START_TEST(trimming)
{
	ck_str(str_trim(STR(" \t a b \r\n")), STR("a b"));
	ck_str(str_trim(STR(" \t\r\n")), STR(""));
	ck_str(str_trim(STR("")), STR(""));
	ck_str(str_trim(STR("\v")), STR("\v"));
}
END_TEST

START_TEST(words)
{
	struct str s = STR("  RCPT\tTO:<a@b>   SIZE=1 ");

	ck_str(str_word(&s), STR("RCPT"));
	ck_str(str_word(&s), STR("TO:<a@b>"));
	ck_str(str_word(&s), STR("SIZE=1"));
	ck_str(str_word(&s), STR(""));
	ck_str(str_word(&s), STR(""));
}
END_TEST

START_TEST(bytes)
{
	char c[24];

	for (int v = 0; v < 256; v++) {
		/* In the part that is read by words, and in the rest. */
		for (size_t at = 0; at < sizeof(c); at++) {
			memset(c, 'x', sizeof(c));
			c[at] = (char)v;
			ck_assert_int_eq(str_has_ctl(str_n(c, sizeof(c))),
			    v < 0x20 || v == 0x7f);
			ck_assert_int_eq(str_has_8bit(str_n(c, sizeof(c))),
			    v >= 0x80);
			ck_assert(!str_has_8bit(str_n(c, at)));
		}
	}
	ck_assert(!str_has_ctl(STR("")) && !str_has_8bit(STR("")));
}
END_TEST

static const struct {
	struct str s;
	bool ok;
} utf8[] = {
	{ S(""), true },
	{ S("abc\0def"), true },
	{ S("\xc3\xa9"), true },
	{ S("\xe2\x82\xac"), true },
	{ S("\xf0\x9f\x93\xa7"), true },
	{ S("\xf4\x8f\xbf\xbf"), true },
	{ S("\xed\x9f\xbf\xee\x80\x80"), true },
	{ S("\x80"), false },
	{ S("\xc3"), false },
	{ S("\xe2\x82"), false },
	{ S("\xf0\x9f\x93"), false },
	{ S("\xc3(") , false },
	{ S("\xc0\xaf"), false },
	{ S("\xc1\xbf"), false },
	{ S("\xe0\x9f\xbf"), false },
	{ S("\xf0\x8f\xbf\xbf"), false },
	{ S("\xed\xa0\x80"), false },
	{ S("\xed\xbf\xbf"), false },
	{ S("\xf4\x90\x80\x80"), false },
	{ S("\xf5\x80\x80\x80"), false },
	{ S("\xff"), false },
};

START_TEST(utf_8)
{
	for (size_t i = 0; i < ARRAY_LEN(utf8); i++)
		ck_assert_msg(str_is_utf8(utf8[i].s) == utf8[i].ok, "row %zu",
		    i);
}
END_TEST

static const struct {
	struct str s;
	uint64_t max, value;
	int error;
} numbers[] = {
	{ S("0"), 0, 0, 0 },
	{ S("007"), 7, 7, 0 },
	{ S("65535"), 65535, 65535, 0 },
	{ S("18446744073709551615"), UINT64_MAX, UINT64_MAX, 0 },
	{ S("18446744073709551616"), UINT64_MAX, 0, ERANGE },
	{ S("99999999999999999999999999999999999999"), UINT64_MAX, 0, ERANGE },
	{ S("8"), 7, 0, ERANGE },
	{ S(""), 7, 0, EINVAL },
	{ S("-1"), 7, 0, EINVAL },
	{ S("+1"), 7, 0, EINVAL },
	{ S(" 1"), 7, 0, EINVAL },
	{ S("1 "), 7, 0, EINVAL },
	{ S("0x1"), 7, 0, EINVAL },
	{ S("99999999999999999999x"), 7, 0, EINVAL },
	{ S("\xb2"), 7, 0, EINVAL },
};

START_TEST(decimal)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uint64_t v = 42;
		int r;

		errno = 0;
		r = str_u64(numbers[i].s, numbers[i].max, &v);
		ck_assert_int_eq(r, numbers[i].error ? -1 : 0);
		ck_assert_int_eq(errno, numbers[i].error);
		ck_assert_uint_eq(v, r == 0 ? numbers[i].value : 42);
	}
}
END_TEST

START_TEST(hashing)
{
	static const char text[] = "The Quick Brown Fox Jumps Over It";
	char low[sizeof(text)];

	for (size_t i = 0; i < sizeof(text); i++)
		low[i] = text[i] >= 'A' && text[i] <= 'Z' ?
		    (char)(text[i] + 32) : text[i];
	for (size_t n = 0; n < sizeof(text); n++) {
		struct str a = { text, n }, b = { low, n };

		ck_assert_uint_eq(str_hash(a), str_hash(str_n(text, n)));
		ck_assert_uint_eq(str_ihash(a), str_ihash(b));
		ck_assert_uint_eq(str_ihash(b), str_hash(b));
		if (n > 0)
			ck_assert_uint_ne(str_hash(a), str_hash(b));
		ck_assert_uint_ne(str_hash(a), str_hash(str_n(text, n + 1)));
	}
	ck_assert_uint_ne(str_hash(STR("a")), str_hash(STR("a\0")));
	ck_assert_uint_ne(str_hash(STR("")), str_hash(STR("\0")));
}
END_TEST

START_TEST(hash_folds_letters_only)
{
	char a[12], b[12];

	memset(a, '-', sizeof(a));
	memset(b, '-', sizeof(b));
	for (int x = 0; x < 256; x++) {
		for (int y = x; y < 256; y++) {
			size_t at = (size_t)(x + y) % sizeof(a);
			struct str s = { a, sizeof(a) }, t = { b, sizeof(b) };
			uint64_t hs, ht;

			a[at] = (char)x;
			b[at] = (char)y;
			hs = str_ihash(s);
			ht = str_ihash(t);
			ck_assert_int_eq(str_ieq(s, t), hs == ht);
			a[at] = b[at] = '-';
		}
	}
}
END_TEST

UNIT_MAIN("lib/str", views, order, edges, finding, cutting, trimming, words,
    bytes, utf_8, decimal, hashing, hash_folds_letters_only)
