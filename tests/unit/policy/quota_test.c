/* SPDX-License-Identifier: GPL-3.0-or-later */

/* quota_test -- whose quota it is, and what its owner is told. */

#include "policy/quota.h"

#include "with_conf.h"

static struct conf *conf;

static void
begin(const char *text)
{
	conf = with_conf(text);
}

START_TEST(whose)
{
	struct quota_limit l;

	begin("hostname = mx.example.org\ndomains = {example.org}\n"
	      "account \"boss\" { senders = {\"*\"} }\naccount \"b*\" { quota = 7 quota-per = 1h }\n"
	      "account \"*\" { quota = 100 quota-warning = 0 }\n");
	ck_assert(quota_is_used(conf));
	/* A section without a quota leaves it to the next. */
	ck_assert_uint_eq(quota_of(conf, STR("boss"))->quota, 7);
	ck_assert_uint_eq(quota_of(conf, STR("BOB"))->quota, 7);
	ck_assert_uint_eq(quota_of(conf, STR("alice"))->quota, 100);
	ck_assert_ptr_null(quota_of(conf, STR("")));
	l = quota_limit(quota_of(conf, STR("bob")));
	ck_assert(l.most == 7 && l.per == 3600 && l.warning == 6);
	l = quota_limit(quota_of(conf, STR("alice")));
	ck_assert(l.most == 100 && l.per == 86400 && l.warning == 0);
	conf_free(conf);
	begin("account \"b*\" { senders = {\"*\"} }\n");
	ck_assert(!quota_is_used(conf));
	ck_assert_ptr_null(quota_of(conf, STR("bob")));
	conf_free(conf);
}
END_TEST

START_TEST(told)
{
	struct quota_use u = { .used = 6, .until = 1700000000 };
	struct buf b;

	begin("hostname = mx.example.org\ndomains = {example.org, example.net}\n"
	      "account \"*\" { quota = 7 quota-per = 90m }\n");
	buf_init(&b, 4096);
	quota_add_owner(conf, STR("bob"), &b);
	ck_str(buf_str(&b), STR("bob@example.org"));
	buf_reset(&b);
	quota_add_owner(conf, STR("bob@shop.example"), &b);
	ck_str(buf_str(&b), STR("bob@shop.example"));
	buf_reset(&b);
	quota_notice_add(conf, conf->accounts, &u, STR("bob"), &b);
	ck_assert(str_starts(buf_str(&b),
	    STR("Subject: Your quota of outgoing mail is nearly used up\r\n\r\n")));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "The account bob has sent mail to 6 "
	    "recipients elsewhere, of 7\r\nthat it may send to in 90 min.\r\n"));
	buf_reset(&b);
	u.bitten = true;
	quota_notice_add(conf, conf->accounts, &u, STR("bob"), &b);
	ck_assert(str_starts(buf_str(&b),
	    STR("Subject: Your quota of outgoing mail is used up\r\n\r\n")));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "More is refused until "));
	buf_free(&b);
	conf_free(conf);
}
END_TEST

UNIT_MAIN("policy/quota", whose, told)
