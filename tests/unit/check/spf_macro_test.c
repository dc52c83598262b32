/* SPDX-License-Identifier: GPL-3.0-or-later */

/* spf_macro -- RFC 7208 7: which strings are macro-strings, and what they come to. */

#include "../../../src/check/spf_macro.h"

#include "unit.h"

START_TEST(grammar)
{
	static const struct { const char *text; bool name, explanation; } cases[] = {
		{ "", true, true }, { "plain text", true, true }, { "%%%_%-", true, true },
		{ "%{d}", true, true }, { "%{D2r.-+,/_=}", true, true }, { "%{lR}", true, true },
		{ "%{ir999-.+}", false, false }, { "%{i999r-.+}", true, true }, { "%{d2147483648}", true, true },
		{ "%{c}", false, true }, { "%{R}", false, true }, { "x%{t1r}y", false, true },
		{ "%", false, false }, { "%a", false, false }, { "a%", false, false },
		{ "%{}", false, false }, { "%{d", false, false }, { "%{d0}", false, false },
		{ "%{d00}", false, false }, { "%{x}", false, false }, { "%{d.r}", false, false },
		{ "%{d!}", false, false }, { "%{2d}", false, false }, { "%(d)", false, false },
		{ "%{", false, false }, { "%{d99999999999999999999999999}", true, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str s = str_c(cases[i].text);

		ck_assert_msg(spf_macros_valid(s, false) == cases[i].name, "%s", cases[i].text);
		ck_assert_msg(spf_macros_valid(s, true) == cases[i].explanation, "%s", cases[i].text);
	}
	ck_assert(!spf_macros_valid(str_n("%{\0}", 4), true));
	ck_assert(spf_explanation_valid(STR("see %{i}")));
	ck_assert(!spf_explanation_valid(STR("a\r\n250 b")));
	ck_assert(!spf_explanation_valid(STR("b\303\244")));
	ck_assert(spf_macros_use(STR("a%{i}b%{P2}"), 'p'));
	ck_assert(!spf_macros_use(STR("a%{i}p"), 'p'));
}
END_TEST

/* The examples of RFC 7208 7.4. */
START_TEST(examples)
{
	static const struct { const char *address, *text, *want; } cases[] = {
		{ "192.0.2.3", "%{s}", "strong-bad@email.example.com" },
		{ "192.0.2.3", "%{o}", "email.example.com" },
		{ "192.0.2.3", "%{d4}", "email.example.com" },
		{ "192.0.2.3", "%{d2}", "example.com" },
		{ "192.0.2.3", "%{d1}", "com" },
		{ "192.0.2.3", "%{dr}", "com.example.email" },
		{ "192.0.2.3", "%{d2r}", "example.email" },
		{ "192.0.2.3", "%{l}", "strong-bad" },
		{ "192.0.2.3", "%{l-}", "strong.bad" },
		{ "192.0.2.3", "%{lr}", "strong-bad" },
		{ "192.0.2.3", "%{lr-}", "bad.strong" },
		{ "192.0.2.3", "%{l1r-}", "strong" },
		{ "192.0.2.3", "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com" },
		{ "192.0.2.3", "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com" },
		{ "2001:db8::cb01", "%{ir}.%{v}._spf.%{d2}",
		    "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com" },
		/* And others. */
		{ "192.0.2.3", "%{h}%{p}%{r}%{t}%{c}", "hb.test.mx.test1700000000192.0.2.3" },
		{ "2001:db8::1", "%{c}", "2001:db8::1" },
		{ "192.0.2.3", "%{S}%%%_%-", "strong-bad%40email.example.com% %20" },
		{ "192.0.2.3", "%{d99999999999}", "email.example.com" },
		{ "192.0.2.3", "a%{d1}b", "acomb" },
	};
	struct spf_client c = { .helo = STR("h"), .local = STR("strong-bad"),
		.domain = STR("email.example.com"), .receiver = STR("mx.test"), .now = 1700000000 };
	struct addr a;
	struct spf_scope scope = { .client = &c, .address = &a, .domain = c.domain,
		.validated = STR("b.test.") };
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert_int_eq(addr_parse(str_c(cases[i].address), 0, &a), 0);
		buf_reset(&b);
		spf_macros_add(&b, str_c(cases[i].text), &scope);
		ck_assert_str_eq(buf_cstr(&b), cases[i].want);
	}
	/* Whatever a client chose is taken apart as it is. */
	c.local = STR("...");
	buf_reset(&b);
	spf_macros_add(&b, STR("<%{l2}><%{lr}>"), &scope);
	ck_assert_str_eq(buf_cstr(&b), "<.><...>");
	c.local = STR("");
	buf_reset(&b);
	spf_macros_add(&b, STR("%{l}"), &scope);
	ck_assert_str_eq(buf_cstr(&b), "postmaster");
	buf_free(&b);
}
END_TEST

UNIT_MAIN("check/spf_macro", grammar, examples)
