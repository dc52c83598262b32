/* SPDX-License-Identifier: GPL-3.0-or-later */

/* introspection -- what a server says of a token. */

#include "auth/introspection.h"
#include "unit.h"

/* RFC 7662 2.2. */
START_TEST(introspections)
{
	static const struct {
		const char *text;
		bool ok, active;
		const char *user, *scope;
		int64_t not_before, expires;
		bool for_us;
	} t[] = {
		{ "{\"active\":true,\"username\":\"alice\",\"scope\":\"a b\",\"exp\":99,\"nbf\":7,\"aud\":\"us\"}",
		  true, true, "alice", "a b", 7, 99, true },
		{ "{\"active\":true,\"username\":\"alice\",\"aud\":[\"x\",\"us\"],\"exp\":1e300,\"nbf\":-1}", true,
		  true, "alice", "", 1, 1000000000000000, true },
		{ "{\"active\":true,\"username\":5,\"scope\":[],\"aud\":[5,null],\"exp\":\"99\"}", true, true, "",
		  "", 0, 0, false },
		{ "{\"active\":false}", true, false, "", "", 0, 0, false },
		{ "{\"active\":\"true\"}", false, false, "", "", 0, 0, false },
		{ "{}", false, false, "", "", 0, 0, false }, { "", false, false, "", "", 0, 0, false },
		{ "true", false, false, "", "", 0, 0, false },
		{ "{\"active\":false,\"active\":true}", false, false, "", "", 0, 0, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct introspection got;
		struct arena a;

		arena_init(&a, 1 << 16);
		ck_assert_msg(introspection_read(str_c(t[i].text), "username", "us", &a, &got) ==
		    t[i].ok, "%s", t[i].text);
		ck_assert_int_eq(got.active, t[i].active);
		ck_str(got.user, str_c(t[i].user));
		ck_str(got.scope, str_c(t[i].scope));
		ck_assert_int_eq(got.not_before, t[i].not_before);
		ck_assert_int_eq(got.expires, t[i].expires);
		ck_assert_int_eq(got.for_audience, t[i].for_us);
		if (t[i].ok)
			ck_assert(introspection_read(str_c(t[i].text), "sub", NULL, &a, &got) &&
			    got.for_audience && got.user.n == 0);
		arena_free(&a);
	}
}
END_TEST

UNIT_MAIN("auth/introspection", introspections)
