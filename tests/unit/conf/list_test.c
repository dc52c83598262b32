/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The sections of mailing lists. */

#include "conf/list.h"

#include "conf_unit.h"

#define LIST "list \"x\" { address = \"a@b.org\" members = \"/x\" "

START_TEST(values)
{
	struct conf *c = must_parse(
	    "recipient \"*@y.org\" { list = \"dev\" }\n"
	    "recipient \"Dev@y.org\" { list = \"dev\" }\n"
	    "list \"dev\" { members = \"/m\" return-path = \"o@y.org\" "
	    "posters = {\"robot@*\"} }\n"
	    LIST "return-path = \"o@b.org\" from = list }\n");
	const struct conf_list *l = c->lists;

	ck_assert_uint_eq(c->list_n, 2);
	ck_assert_str_eq(l[0].address, "Dev@y.org");
	ck_assert_str_eq(l[0].id, "dev.y.org");
	ck_assert(l[0].members_only && l[0].attachments && !l[0].reply_to_list);
	ck_assert_int_eq(l[0].from, LIST_FROM_AUTO);
	ck_assert_str_eq(l[0].refusal, "Only members may send to this list");
	ck_assert(pattern_fits(&l[0].poster_patterns[0], STR("robot"), STR("z.org")));
	ck_assert_str_eq(l[1].id, "a.b.org");
	ck_assert_int_eq(l[1].from, LIST_FROM_LIST);
	ck_assert_int_eq(c->rules[0].kind, RULE_LIST);
	ck_assert(c->rules[0].last && !c->rules[1].last);
	ck_assert_ptr_eq(c->rules[1].list_of, conf_list(c, "dev"));
	ck_assert_ptr_null(conf_list(c, "DEV"));
	conf_free(c);
}
END_TEST

START_TEST(mistakes)
{
	static const struct fault faults[] = {
		{ "list \"x\" { members = \"/x\" return-path = \"o@b.org\" }",
		  "1: list.x.address: no recipient with one address" },
		{ "list \"x\" { address = \"a\" members = \"/x\" return-path = \"o@b.org\" }",
		  "1: list.x.address: \"a\" is no address" },
		{ LIST "}", "1: list.x.return-path: \"\" is no address" },
		{ LIST "\nreturn-path = \"A@b.org\" }",
		  "2: list.x.return-path: reports would come to the list" },
		{ "list \"x\" { address = \"a@b.org\" return-path = \"o@b.org\"\nmembers = \"x\" }",
		  "2: list.x.members: \"x\" is no path" },
		{ "list \"x y\" { address = \"a@b.org\" return-path = \"o@b.org\" members = \"/x\" }",
		  "1: list: \"x y\" is no name" },
		{ LIST "return-path = \"o@b.org\" headers = {\"List-X: a\",\n\"Subject: x\"} }",
		  "2: list.x.headers: \"Subject: x\" is none" },
		{ LIST "return-path = \"o@b.org\" headers = {\"List-Id: <x>\"} }",
		  "1: list.x.headers: " },
		{ LIST "return-path = \"o@b.org\" headers = {\"List-X:\"} }",
		  "1: list.x.headers: " },
		{ LIST "return-path = \"o@b.org\" posters = {\"/(/\"} }",
		  "1: list.x.posters: \"/(/\" is no pattern" },
		{ "recipient \"a@x.test\" {\nlist = \"dev\" }",
		  "2: recipient.a@x.test.list: there is no list \"dev\"" },
	};

	check_faults(faults, sizeof(faults) / sizeof(faults[0]));
}
END_TEST

int
main(void)
{
	return unit_run("conf/list", UNIT_CASE("list", values, mistakes));
}
