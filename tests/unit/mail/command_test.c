/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Tests of mail/command: lines into verbs, parameters into keys and values. */

#include "mail/command.h"

#include "unit.h"

START_TEST(lines)
{
	static const struct {
		const char *line, *verb, *arg;
		bool has_arg;
	} t[] = {
		{ "", "", "", false },
		{ "QUIT", "QUIT", "", false },
		{ "quit", "quit", "", false },
		{ "RSET  \t ", "RSET", "", false },
		{ "MAIL FROM:<a@b>  ", "MAIL", "FROM:<a@b>", true },
		{ "MAIL  FROM:<a@b>", "MAIL", " FROM:<a@b>", true },
		{ " NOOP x", "", "NOOP x", true },
		{ "PASS a  b", "PASS", "a  b", true },
		{ "X\tY Z", "X\tY", "Z", true },
		{ "   ", "", "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct command c = command_parse(str_c(t[i].line));

		ck_str(c.verb, str_c(t[i].verb));
		ck_str(c.arg, str_c(t[i].arg));
		ck_assert_int_eq(c.has_arg, t[i].has_arg);
	}
}
END_TEST

START_TEST(params_good)
{
	struct str rest = STR(" SIZE=100 BODY=8BITMIME   x-Y1 ENVID=<>+/%  ");
	static const struct {
		const char *key, *value;
		bool has_value;
	} t[] = {
		{ "SIZE", "100", true },
		{ "BODY", "8BITMIME", true },
		{ "x-Y1", "", false },
		{ "ENVID", "<>+/%", true },
	};
	struct param p;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_int_eq(param_next(&rest, &p), 1);
		ck_str(p.key, str_c(t[i].key));
		ck_str(p.value, str_c(t[i].value));
		ck_assert_int_eq(p.has_value, t[i].has_value);
	}
	ck_assert_int_eq(param_next(&rest, &p), 0);
	ck_assert_uint_eq(rest.n, 0);
	ck_assert_int_eq(param_next(&rest, &p), 0);
}
END_TEST

/* RFC 6531 3.4: a value may have UTF-8; a key may not. */
START_TEST(params_utf8)
{
	struct str rest = STR("ORCPT=utf-8;\xc3\xa9@x");
	struct param p;

	ck_assert_int_eq(param_next(&rest, &p), 1);
	ck_str(p.value, STR("utf-8;\xc3\xa9@x"));
}
END_TEST

START_TEST(params_bad)
{
	static const struct str t[] = {
		{ " =", 2 }, { " ==", 3 }, { " SIZE=", 6 }, { " SIZE= 1", 8 },
		{ "SIZE==1", 7 }, { "A=b=c", 5 }, { "-A=1", 4 }, { "A_B=1", 5 },
		{ "A=\t", 3 }, { "A\t", 2 }, { "A=\x1f", 3 }, { "A=b\x7f", 4 },
		{ "A=b\0c", 5 }, { "\"A\"=1", 5 }, { "\xc3\xa9=1", 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct str rest = t[i];
		struct param p;

		ck_assert_msg(param_next(&rest, &p) == -1, "case %zu", i);
		/* It stays where it is: no loop can miss the error. */
		ck_assert_int_eq(param_next(&rest, &p), -1);
	}
}
END_TEST

/* CVE-2020-28022: a quote means nothing in a parameter. */
START_TEST(params_quotes)
{
	struct str rest = STR(" AUTH=\" X=\"a b");
	struct param p;

	ck_assert_int_eq(param_next(&rest, &p), 1);
	ck_str(p.value, STR("\""));
	ck_assert_int_eq(param_next(&rest, &p), 1);
	ck_str(p.value, STR("\"a"));
	ck_assert_int_eq(param_next(&rest, &p), 1);
	ck_str(p.key, STR("b"));
	ck_assert_int_eq(param_next(&rest, &p), 0);
}
END_TEST

UNIT_MAIN("mail/command", lines, params_good, params_utf8, params_bad, params_quotes)
