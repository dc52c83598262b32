/* SPDX-License-Identifier: GPL-3.0-or-later */

/* sender -- CONFORMANCE S-40: who may send as whom. */

#include "policy/sender.h"

#include "with_conf.h"

static struct conf *conf;
static struct userset *users;

static void
begin(void)
{
	const struct str names[] = { STR("alice"), STR("bob"), STR("j\xc3\xb6rg") };

	conf = with_conf("domains = {\"example.test\", \"xn--bcher-kva.example\"}\n"
	    "account 'b*' { senders = {'sales@example.test'} }\n"
	    "account bob { senders = {'*@shop.example'} }\n");
	ck_assert_ptr_nonnull(users = userset_new());
	ck_assert_int_eq(userset_replace(users, names, ARRAY_LEN(names)), 0);
}

static void
end(void)
{
	conf_free(conf);
	userset_free(users);
}

static int
own(const char *user, const char *address)
{
	struct conf_place where;
	struct arena a;
	struct path p = { .local = STR(""), .domain = STR("") };
	bool yes;

	arena_init(&a, 65536);
	if (address[0] != '\0')
		ck_assert_ptr_null(path_parse_addr(str_c(address), PATH_BARE | PATH_UTF8, &a, &p));
	yes = sender_is_own(conf, users, str_c(user), &p, &where);
	arena_free(&a);
	return yes ? where.line : -1;
}

START_TEST(envelope)
{
	begin();
	ck_assert_int_ge(own("alice", "alice@example.test"), 0);
	ck_assert_int_ge(own("alice", "Alice+x@EXAMPLE.test"), 0);
	ck_assert_int_ge(own("alice", ""), 0);
	ck_assert_int_eq(own("bob", "sales@example.test"), 2);
	ck_assert_int_eq(own("bob", "x@shop.example"), 3);
	ck_assert_int_eq(own("alice", "sales@example.test"), -1);
	ck_assert_int_eq(own("alice", "bob@example.test"), -1);
	ck_assert_int_eq(own("alice", "alice@else.example"), -1);
	ck_assert_int_eq(own("bob", "x@a.shop.example"), -1);
	ck_assert_int_eq(own("ali", "alice@example.test"), -1);
	ck_assert_int_eq(own("nobody", "nobody@example.test"), -1);
	end();
}
END_TEST

START_TEST(header)
{
	static const char *const good[] = { "", "Subject: x\r\n\r\nFrom: bob@example.test\r\n",
		"From: alice@example.test\r\n\r\n", "From: A <alice@example.test>,\r\n alice+1@example.test\r\n\r\n",
		"From: alice\r\n\r\n", "From: nobody:;\r\n\r\n",
		("FROM: alice@b\xc3\xbc" "cher.example\r\n\r\n"), "Sender: bob@example.test\r\n\r\n" };
	static const char *const bad[] = { "From: bob@example.test\r\n\r\n",
		"From: alice@example.test\r\nFrom: alice@example.test\r\n\r\n",
		"From: alice@example.test, bob@example.test\r\n\r\n", "From: a b c\r\n\r\n",
		"From: \"alice@example.test\" <bob@example.test>\r\n\r\n",
		"From: <alice@example.test\r\n\r\n", "From:\r\n bob@example.test\r\n\r\n",
		"X: y\r\nfrom : bob@example.test\r\n\r\n",
		"From: bob@example.test <>, alice@example.test\r\n\r\n",
		"From: alice@example.test\r\njunk\r\nFrom: alice@example.test\r\n\r\n",
		"To: x\r\njunk\r\nFrom: bob@example.test\r\n\r\n" };

	begin();
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(sender_in_header(conf, users, STR("alice"), str_c(good[i])) == NULL,
		    "%s: %s", good[i], sender_in_header(conf, users, STR("alice"), str_c(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(sender_in_header(conf, users, STR("alice"), str_c(bad[i])) != NULL,
		    "%s", bad[i]);
	end();
}
END_TEST

UNIT_MAIN("policy/sender", envelope, header)
