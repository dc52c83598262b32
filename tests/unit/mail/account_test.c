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

UNIT_MAIN("mail/account", lines, secrets)
