/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Tests of mail/text: RFC 4648 vectors, strictness, round trips. */

#include "mail/text.h"

#include "unit.h"

static struct buf b;

static void
encode_base64(struct str in, struct str want)
{
	buf_reset(&b);
	base64_add(&b, in);
	ck_str(buf_str(&b), want);
	buf_reset(&b);
	ck_assert_int_eq(base64_decode(want, &b), 0);
	ck_str(buf_str(&b), in);
}

START_TEST(base64)
{
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zg===", "=", "====",
		"Zm9v=", "Z===", "Zh==", "Zm9=", "Zm 9", "Zg==Zg==", "Zm9v\n",
		"*", "Z-9_", "=m9v", "Zg=v", "AA=A", "\x80\x80\x80\x80" };

	buf_init(&b, 1000);
	encode_base64(STR(""), STR(""));
	encode_base64(STR("f"), STR("Zg=="));
	encode_base64(STR("fo"), STR("Zm8="));
	encode_base64(STR("foo"), STR("Zm9v"));
	encode_base64(STR("foob"), STR("Zm9vYg=="));
	encode_base64(STR("fooba"), STR("Zm9vYmE="));
	encode_base64(STR("foobar"), STR("Zm9vYmFy"));
	encode_base64(STR("\0\xff\xfe\x80"), STR("AP/+gA=="));
	buf_reset(&b);
	buf_adds(&b, "kept");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_msg(base64_decode(str_c(bad[i]), &b) == -1, "%s",
		    bad[i]);
		ck_str(buf_str(&b), STR("kept"));
	}
	buf_free(&b);
	buf_init(&b, 2);
	ck_assert_int_eq(base64_decode(STR("Zm9vYmFy"), &b), -1);
	base64_add(&b, STR("x"));
	ck_assert(!buf_ok(&b));
	buf_free(&b);
}
END_TEST

static void
encode_xtext(struct str in, struct str want)
{
	buf_reset(&b);
	xtext_add(&b, in);
	ck_str(buf_str(&b), want);
	buf_reset(&b);
	ck_assert_int_eq(xtext_decode(want, &b), 0);
	ck_str(buf_str(&b), in);
}

START_TEST(xtext)
{
	static const char *const bad[] = { "+", "+4", "a+4", "+4g", "+4a", "+g0",
		"a=b", "a b", "a\tb", "\x80", "a\x7f", "++2B" };

	buf_init(&b, 2000);
	encode_xtext(STR(""), STR(""));
	encode_xtext(STR("bob@example.org"), STR("bob@example.org"));
	encode_xtext(STR("a+b=c d"), STR("a+2Bb+3Dc+20d"));
	encode_xtext(STR("\r\n\0\xff"), STR("+0D+0A+00+FF"));
	ck_assert(xtext_valid(STR("")));
	ck_assert(xtext_valid(STR("a+2Bb+20")));
	/* It is xtext, but no envelope may hold what it means. */
	ck_assert(!xtext_valid(STR("a+0D+0AX:y")));
	ck_assert(!xtext_valid(STR("a+00b")));
	ck_assert(!xtext_valid(STR("a+7F")));
	buf_reset(&b);
	buf_adds(&b, "kept");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_msg(!xtext_valid(str_c(bad[i])), "%s", bad[i]);
		ck_assert_int_eq(xtext_decode(str_c(bad[i]), &b), -1);
		ck_str(buf_str(&b), STR("kept"));
	}
	buf_free(&b);
	buf_init(&b, 2);
	ck_assert_int_eq(xtext_decode(STR("abc"), &b), -1);
	buf_free(&b);
}
END_TEST

START_TEST(all_octets)
{
	char all[256];
	struct buf code;

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	buf_init(&b, 2000);
	buf_init(&code, 2000);
	for (size_t n = 0; n <= 256; n++) {
		buf_reset(&code);
		base64_add(&code, str_n(all + 256 - n, n));
		buf_reset(&b);
		ck_assert_int_eq(base64_decode(buf_str(&code), &b), 0);
		ck_str(buf_str(&b), str_n(all + 256 - n, n));
	}
	buf_reset(&code);
	xtext_add(&code, str_n(all, 256));
	buf_reset(&b);
	ck_assert_int_eq(xtext_decode(buf_str(&code), &b), 0);
	ck_str(buf_str(&b), str_n(all, 256));
	buf_free(&code);
	buf_free(&b);
}
END_TEST

START_TEST(hex)
{
	buf_init(&b, 10);
	hex_add(&b, STR(""));
	hex_add(&b, STR("\0\x1f\xa0\xff"));
	ck_str(buf_str(&b), STR("001fa0ff"));
	hex_add(&b, STR("ab"));
	ck_assert(!buf_ok(&b));
	buf_free(&b);
}
END_TEST

UNIT_MAIN("mail/text", base64, xtext, all_octets, hex)
