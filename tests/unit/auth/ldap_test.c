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

/* RFC 4518: for a server these are names of somebody who has another one. */
START_TEST(own_names)
{
	static const struct {
		const char *name;
		bool is;
	} t[] = {
		{ "alice", true }, { "Alice", true }, { "o, dd+one", true }, { "a@example.org", true },
		{ "M\xc3\xbcller", true }, { "\xe7\x94\xb0\xe4\xb8\xad", true }, { "", true },
		{ " alice", false }, { "alice ", false }, { "o,  dd+one", false }, { " ", false },
		{ "M" "u\xcc\x88" "ller", false }, { "\xef\xbd\x81lice", false },
		{ "al\xc2\xadice", false }, { "alice\xe2\x80\x8b", false },
		{ "alice\xc2\xa0", false }, { "ali\xef\xb8\x8f" "ce", false },
		{ "alice\xe2\x80\xa8", false }, { "alice\xef\xbf\xbc", false }, { "a\xff", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_msg(auth_ldap_is_own_name(str_c(t[i].name)) == t[i].is, "%s", t[i].name);
}
END_TEST

UNIT_MAIN("auth/ldap", escapes, filters, own_names)
