/* SPDX-License-Identifier: GPL-3.0-or-later */

/* account -- what the sections about users mean. */

#include "conf_unit.h"

START_TEST(meaning)
{
	struct conf *c = must_parse("account alice { senders = {'sales@example.test', "
			      "'*@shop.example.test'} }\n"
			      "account 'web*' { }\naccount '/list-[0-9]+/' { senders = {'*'} }\n");
	const struct conf_account *a = c->accounts;

	ck_assert_uint_eq(c->account_n, 3);
	ck_assert(pattern_fits(&a[0].user, STR("ALICE"), STR("")));
	ck_assert(!pattern_fits(&a[0].user, STR("bob"), STR("")));
	ck_assert_uint_eq(a[0].addresses.n, 2);
	ck_assert(pattern_fits(&a[0].addresses.v[1], STR("x"), STR("shop.example.test")));
	ck_assert(pattern_fits(&a[1].user, STR("web12"), STR("")));
	ck_assert_uint_eq(a[1].addresses.n, 0);
	ck_assert(pattern_fits(&a[2].user, STR("list-7"), STR("")));
	ck_assert(!pattern_fits(&a[2].user, STR("list-"), STR("")));
	conf_free(c);
}
END_TEST

START_TEST(mistakes)
{
	static const struct fault cases[] = {
		{ "account '/(/' { }", "1: account: \"/(/\" is no pattern, " },
		{ "account a {\n senders = {'/(/'} }",
		    "2: account.a.senders: \"/(/\" is no pattern, " },
		{ "access { sender-login = of }", "1: access.sender-login: \"of\" " },
	};

	check_faults(cases, ARRAY_LEN(cases));
}
END_TEST

UNIT_MAIN("conf/account", meaning, mistakes)
