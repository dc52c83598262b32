/* SPDX-License-Identifier: GPL-3.0-or-later */

/* ldap_test -- what a client sent is never more than a value (CONFORMANCE S-35). */

#include "auth/auth.h"
#include "unit.h"

START_TEST(escapes)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "alice", "alice" }, { "a.b-c_d@example.org", "a.b-c_d@example.org" },
		{ "*)(uid=*", "\\2a\\29\\28uid\\3d\\2a" },
		{ "a,dc=x", "a\\2cdc\\3dx" }, { "a+b", "a\\2bb" }, { "\\", "\\5c" },
		{ "\"<>;#", "\\22\\3c\\3e\\3b\\23" }, { " a ", "\\20a\\20" },
		{ "\xc3\xa4", "\xc3\xa4" }, { "%u", "\\25u" }, { "", "" },
	};
	struct buf b;

	buf_init(&b, 1000);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		buf_reset(&b);
		auth_ldap_escape(&b, str_c(t[i].in));
		ck_assert_str_eq(buf_cstr(&b), t[i].out);
	}
	buf_reset(&b);
	auth_ldap_escape(&b, STR("a\0b"));
	ck_assert_str_eq(buf_cstr(&b), "a\\00b");
	buf_free(&b);
}
END_TEST

START_TEST(filters)
{
	struct buf b;

	buf_init(&b, 1000);
	auth_ldap_filter(&b, "(|(uid=%u)(mail=%u@x)(a=%)(b=%%))", STR("%u*"));
	ck_assert_str_eq(buf_cstr(&b), "(|(uid=\\25u\\2a)(mail=\\25u\\2a@x)(a=%)(b=%%))");
	buf_free(&b);
}
END_TEST

UNIT_MAIN("auth/ldap", escapes, filters)
