/* SPDX-License-Identifier: GPL-3.0-or-later */

/* forms -- what baridctl --json prints. */

#include "cmd/forms.h"
#include "printed.h"

START_TEST(status)
{
	FILE *out = begin();

	forms_status(STR("pid 17\nhelper barid-auth 0 pid=1\nconfiguration /etc/x y\n"
	    "helper barid-runner 0 pid=2\nbroken\n\nsession 9 client=\xff\n"
	    "mark 192.0.2.1 crashes=1\n"), out);
	check(out, "{\n  \"pid\": 17,\n  \"helper\": [\n    \"barid-auth 0 pid=1\",\n"
	    "    \"barid-runner 0 pid=2\"\n  ],\n  \"configuration\": \"/etc/x y\",\n"
	    "  \"session\": [\n    \"9 client=\\\\xff\"\n  ],\n"
	    "  \"mark\": [\n    \"192.0.2.1 crashes=1\"\n  ]\n}\n");
	out = begin();
	forms_status(STR(""), out);
	check(out, "{}\n");
}
END_TEST

START_TEST(config)
{
	struct buf error;

	buf_init(&error, 4096);
	struct conf *c = conf_parse("x.conf", STR("hostname = \"mx.example.org\"\n"), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	FILE *out = begin();
	forms_config(c, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_ptr_nonnull(strstr(text, "\"name\": \"hostname\""));
	ck_assert_ptr_nonnull(strstr(text, "mx.example.org"));
	ck_assert_ptr_nonnull(strstr(text, "\"line\": 1"));
	ck_assert(text[0] == '[' && text[text_n - 2] == ']');
	conf_free(c);
	buf_free(&error);
	free(text);
}
END_TEST

START_TEST(answers)
{
	char out[1000] = "";
	FILE *f = fmemopen(out, sizeof(out), "w");

	ck_assert_ptr_nonnull(f);
	forms_answers(STR("al\"ice"), STR("no\nfile:///u\tno\nldap://h\tit \xff: died"), f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_ptr_nonnull(strstr(out, "\"user\": \"al\\\"ice\""));
	ck_assert_ptr_nonnull(strstr(out, "\"verdict\": \"no\""));
	ck_assert_ptr_nonnull(strstr(out, "\"backend\": \"ldap://h\""));
	ck_assert_ptr_nonnull(strstr(out, "died\""));
}
END_TEST

START_TEST(collects)
{
	FILE *out = begin();

	forms_collects(STR("isp\t3\t99\t2\t1\t0\t\nall\tx\t0\t0\t0\t4\tit \"says\" \xff\tno\n"), out);
	check(out, "[\n  {\n    \"name\": \"isp\",\n    \"fetched\": 3,\n    \"octets\": 99,\n    \"deleted\": 2,\n"
		   "    \"left\": 1,\n    \"refused\": 0,\n    \"error\": null\n  },\n"
		   "  {\n    \"name\": \"all\",\n    \"fetched\": 0,\n    \"octets\": 0,\n    \"deleted\": 0,\n"
		   "    \"left\": 0,\n    \"refused\": 4,\n    \"error\": \"it \\\"says\\\" \\\\xff\\\\x09no\"\n  }\n]\n");
	out = begin();
	forms_collects(STR("cut"), out);
	check(out, "[\n  {\n    \"name\": \"cut\",\n    \"fetched\": 0,\n    \"octets\": 0,\n    \"deleted\": 0,\n"
		   "    \"left\": 0,\n    \"refused\": 0,\n    \"error\": null\n  }\n]\n");
}
END_TEST

START_TEST(blocks)
{
	FILE *out = begin();

	forms_blocks(STR("192.0.2.0/24 60 hand spam \xff\n2001:db8::/64 - auth guesses\n"), out);
	check(out, "[\n  {\n    \"network\": \"192.0.2.0/24\",\n    \"seconds\": 60,\n"
	    "    \"kind\": \"hand\",\n    \"why\": \"spam \\\\xff\"\n  },\n"
	    "  {\n    \"network\": \"2001:db8::/64\",\n    \"seconds\": null,\n"
	    "    \"kind\": \"auth\",\n    \"why\": \"guesses\"\n  }\n]\n");
}
END_TEST

UNIT_MAIN("cmd/forms", status, config, answers, collects, blocks)
