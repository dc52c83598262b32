/* SPDX-License-Identifier: GPL-3.0-or-later */

/* account_test -- lines of a file of users, whatever stands in them. */

#include "mail/account.h"

#include "unit.h"

START_TEST(lines)
{
	static const struct {
		const char *line, *user, *app, *secret;
	} t[] = {
		{ "alice:$6$a$b", "alice", "", "$6$a$b" },
		{ "  alice:$6$a$b:more:fields\r", "alice", "", "$6$a$b" },
		{ "alice:", "alice", "", "" },
		{ "alice/my phone:$6$a$b", "alice", "my phone", "$6$a$b" },
		{ "alice:{PLAIN}a:b/c", "alice", "", "{PLAIN}a:b/c" },
		{ "alice:{SCRAM-SHA-256}1,a,b,c", "alice", "", "{SCRAM-SHA-256}1,a,b,c" },
		{ "a/b:SCRAM-SHA-256$1:a$b:c", "a", "b", "SCRAM-SHA-256$1:a$b:c" },
		{ "", NULL, NULL, NULL }, { "   ", NULL, NULL, NULL }, { "#a:b", NULL, NULL, NULL },
		{ "alice", NULL, NULL, NULL }, { ":x", NULL, NULL, NULL }, { "/a:x", NULL, NULL, NULL },
		{ "alice/:x", NULL, NULL, NULL }, { "alice/a/b:x", NULL, NULL, NULL },
		{ "alice/ a:x", NULL, NULL, NULL }, { "alice/\xff:x", NULL, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct account a;
		bool good = account_parse(str_c(t[i].line), &a);

		ck_assert_msg(good == (t[i].user != NULL), "%s", t[i].line);
		if (!good)
			continue;
		ck_str(a.user, str_c(t[i].user));
		ck_str(a.app, str_c(t[i].app));
		ck_str(a.secret, str_c(t[i].secret));
	}
}
END_TEST

/* FEATURES A5: as Dovecot's `doveadm pw -s CRAM-MD5 -p barid` has it. */
START_TEST(states)
{
	static const char known[] = "{CRAM-MD5}b4c88755e15aaa0b00292b43471a74eda"
				    "2fbbe8f6fae99fd0637372cf6e0c8db";
	struct hmac_state state, own;
	struct buf b;

	ck_assert(account_is_state(str_c(known), &state));
	ck_assert_int_eq(hmac_state_make(&own, HMAC_MD5, STR("barid")), 0);
	ck_assert(state.hash == HMAC_MD5);
	ck_assert_mem_eq(state.octets, own.octets, sizeof(own.octets));
	buf_init(&b, 200);
	account_add_state(&b, &own);
	ck_str(buf_str(&b), str_c(known));
	buf_free(&b);
	ck_assert(!account_is_state(str_head(str_c(known), sizeof(known) - 2), &state));
	ck_assert(!account_is_state(STR("{CRAM-MD5}"), &state));
	ck_assert(!account_is_state(STR("{PLAIN}x"), &state));
	buf_init(&b, 200);
	buf_addf(&b, "%.*sg", (int)sizeof(known) - 2, known);
	ck_assert(!account_is_state(buf_str(&b), &state));
	buf_free(&b);
}
END_TEST

/* Of the other hashes, there and back; and what is none. */
START_TEST(other_states)
{
	static const char *const bad[] = { "{CRAM-SHA512}", "{CRAM-SHA256}00", "CRAM-MD5", "{CRAM-MD5",
		"{CRAM-SHA1}b4c88755e15aaa0b00292b43471a74eda2fbbe8f6fae99fd0637372cf6e0c8db" };
	struct hmac_state state, own;
	struct buf b;

	for (int i = 0; i < HMAC_HASHES; i++) {
		if (hmac_state_size((enum hmac_hash)i) == 0)
			continue;
		buf_init(&b, 200);
		ck_assert_int_eq(hmac_state_make(&own, (enum hmac_hash)i, STR("barid")), 0);
		account_add_state(&b, &own);
		ck_assert(account_is_state(buf_str(&b), &state));
		ck_assert_int_eq(state.hash, i);
		ck_assert_mem_eq(state.octets, own.octets, sizeof(own.octets));
		ck_assert(!account_is_state(str_head(buf_str(&b), b.n - 2), &state));
		buf_free(&b);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!account_is_state(str_c(bad[i]), &state), "%s", bad[i]);
}
END_TEST

START_TEST(secrets)
{
	struct str p;

	ck_assert(account_is_plain(STR("{PLAIN}a:b"), &p));
	ck_str(p, STR("a:b"));
	ck_assert(!account_is_plain(STR("$6$a$b"), &p));
	ck_assert(!account_is_plain(STR(""), &p));
	ck_assert(account_app_valid(STR("Thunderbird, at work")));
	ck_assert(!account_app_valid(STR("a:b")));
	ck_assert(!account_app_valid(STR("a\nb")));
	ck_assert(!account_app_valid(STR("a\"b")));
	ck_assert(!account_app_valid(STR("0123456789012345678901234567890123456789012345678901234567890123x")));
}
END_TEST

UNIT_MAIN("mail/account", states, other_states, lines, secrets)
