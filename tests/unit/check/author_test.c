/* SPDX-License-Identifier: GPL-3.0-or-later */

/* author -- the domain of From, and messages that have none. */

#include "check/author.h"
#include "unit.h"

static const struct {
	const char *header, *domain, *why;
} rows[] = {
	{ "From: a@B.Example\r\n", "b.example", NULL },
	{ "To: x@y\r\nfrom : \"A, B\" (c) <a@b.example>\r\n\r\nFrom: c@d.example\r\n", "b.example", NULL },
	{ "From: a@b.example, c@B.example\r\n", "b.example", NULL },
	{ "From: us: a@b.example, c@b.example;\r\n", "b.example", NULL },
	{ "From: a@b\xc3\xa4r.example\r\n", "xn--br-via.example", NULL },
	{ "From: \"a@c.example\" <a@b.example>\r\n", "b.example", NULL },
	{ "From: a@b.example (c@d.example)\r\n", "b.example", NULL },
	{ "From: a@b.example, c@d.example\r\n", "", "its From has authors of several domains" },
	{ "From: a@b.example\r\nFROM: a@b.example\r\n", "", "it has more than one From" },
	{ "To: a@b.example\r\n", "", "it has no From" },
	{ "", "", "it has no From" },
	{ "From: \r\n", "", "its From cannot be read" },
	{ "From: nobody:;\r\n", "", "its From cannot be read" },
	{ "From: a@b.example <c@d.example\r\n", "", NULL },
	{ "From: root\r\n", "", NULL },
	{ "From: a@[192.0.2.1]\r\n", "", "its From has an address without a domain" },
	{ "From: a@..\r\n", "", NULL },
	/* What is no address, though something that looks like a domain is left of it. */
	{ "From: ceo@bank.example@b.example\r\n", "", NULL },
	{ "From: Ceo <ceo@bank.example@b.example>\r\n", "", NULL },
	{ "From: \"ceo\"@bank.example@b.example\r\n", "", NULL },
	{ "From: <@bank.example,ceo@b.example>\r\n", "", NULL },
	{ "From: <@b.example>\r\n", "", NULL },
	{ "From: ceo@bank.example <>, x@b.example\r\n", "",
	    "its From has a name without an address" },
	{ "From: x@b.example, us: Ceo < (c) >;\r\n", "",
	    "its From has a name without an address" },
	{ "From: Ceo <>\r\n", "", NULL },
	/* What honest mail has. */
	{ "From: \"a@bank.example\"@b.example\r\n", "b.example", NULL },
	{ "From: <@bank.example,@c.example:a@b.example>\r\n", "b.example", NULL },
	{ "From: a.@b.example\r\n", "b.example", NULL },
	{ "From: \xc3\xa4@b.example\r\n", "b.example", NULL },
	{ "From: \xe4 <\xe4@b.example>\r\n", "b.example", NULL },
	{ "From: a (c) . (@d.example) b @ b (x) . example\r\n", "b.example", NULL },
	{ "From: a=1234567890123456789012345678901234567890123456789012345678901234567890@b.example"
	  "\r\n", "b.example", NULL },
	{ "From: a@b.example\r\njunk\r\nFrom: c@d.example\r\n\r\n", "",
	    "it has more than one From" },
	{ "To: x@y\r\njunk\r\nFrom: a@b.example\r\n\r\nFrom: c@d.example\r\n", "b.example", NULL },
};

START_TEST(domains)
{
	struct arena a;

	arena_init(&a, 100000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str d;
		const char *why = author_domain(str_c(rows[i].header), &a, &d);

		ck_assert_msg(str_eq(d, str_c(rows[i].domain)), "%s: " STR_FMT,
		    rows[i].header, STR_ARG(d));
		ck_assert_msg((why == NULL) == (rows[i].domain[0] != '\0'), "%s",
		    rows[i].header);
		ck_assert_msg(rows[i].why == NULL || strcmp(why, rows[i].why) == 0,
		    "%s: %s", rows[i].header, why);
	}
	arena_free(&a);
}
END_TEST

UNIT_MAIN("check/author", domains)
