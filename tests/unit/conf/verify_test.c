/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Who is asked for recipients, as it is written. */

#include "conf/verify.h"

#include "unit.h"

START_TEST(values)
{
	static const struct {
		const char *text;
		struct conf_verify v;
	} t[] = {
		{ "", { .kind = VERIFY_NOBODY, .host = "" } },
		{ "exec:/bin/x", { .kind = VERIFY_EXEC, .host = "" } },
		{ "file:/bin/x y 'a b'", { .kind = VERIFY_EXEC, .host = "" } },
		{ "net:localhost:99", { .kind = VERIFY_NET, .host = "localhost", .port = 99 } },
		{ "net:[::1]:99", { .kind = VERIFY_NET, .host = "::1", .port = 99 } },
		{ "net:/run/x", { .kind = VERIFY_NET, .host = "unix:/run/x" } },
		{ "net:unix:/run/x", { .kind = VERIFY_NET, .host = "unix:/run/x" } },
		{ "smtp:mx.x.test", { .kind = VERIFY_SMTP, .host = "mx.x.test", .port = 25 } },
		{ "smtp:192.0.2.1:26", { .kind = VERIFY_SMTP, .host = "192.0.2.1", .port = 26 } },
		{ "account:", { .kind = VERIFY_ACCOUNT, .host = "", .uid_min = 1000, .uid_max = 32767 } },
		{ "account:5-7;l;ch", { .kind = VERIFY_ACCOUNT, .host = "", .uid_min = 5,
		    .uid_max = 7, .lower = true, .check = true } },
		{ "account:9", { .kind = VERIFY_ACCOUNT, .host = "", .uid_min = 9, .uid_max = 9 } },
	};
	struct conf_verify v;
	struct arena a;

	arena_init(&a, 65536);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const char *why = conf_verify_read(str_c(t[i].text), &a, &v);

		ck_assert_msg(why == NULL, "%s: %s", t[i].text, why);
		ck_assert_int_eq(v.kind, t[i].v.kind);
		ck_assert_str_eq(v.host, t[i].v.host);
		ck_assert_uint_eq(v.port, t[i].v.port);
		ck_assert_uint_eq(v.uid_min, t[i].v.uid_min);
		ck_assert_uint_eq(v.uid_max, t[i].v.uid_max);
		ck_assert(v.lower == t[i].v.lower && v.check == t[i].v.check);
	}
	ck_assert_ptr_null(conf_verify_read(STR("exec:/bin/x y 'a b'"), &a, &v));
	ck_assert_uint_eq(v.words.n, 3);
	ck_assert_str_eq(v.words.v[2], "a b");
	arena_free(&a);
}
END_TEST

START_TEST(mistakes)
{
	static const char *const t[] = { "x", "exec:", "exec:x", "exec:/x ${sender}", "net:",
		"net:host", "net:host:0", "net:host:65536", "net::99", "smtp:", "smtp:host:x",
		"net:unix:x", "net:/a/../b", "account:x", "account:7-5", "account:;",
		"account:1-99999999999" };
	struct conf_verify v;
	struct arena a;

	arena_init(&a, 65536);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_msg(conf_verify_read(str_c(t[i]), &a, &v) != NULL, "%s", t[i]);
	arena_free(&a);
}
END_TEST

UNIT_MAIN("conf/verify", values, mistakes)
