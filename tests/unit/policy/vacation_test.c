/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which mail a mailbox answers by itself (RFC 3834). */

#include "policy/vacation.h"

#include <stdio.h>

#include "unit.h"

#define CONF "domains = {\"x.org\", \"y.org\"}\n"                              \
	"vacation \"bob\" { message = \"/b\" }\n"                              \
	"vacation \"al*\" { message = \"/v/*\" addresses = {\"sales@*\"} }\n"
#define TO "To: alice@x.org\r\n"

static struct conf *
conf(void)
{
	struct buf error;
	struct conf *c;

	buf_init(&error, 4096);
	c = conf_parse("test.conf", STR(CONF), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	buf_free(&error);
	return c;
}

START_TEST(sections)
{
	struct conf *c = conf();

	ck_assert_ptr_eq(vacation_of(c, STR("alice")), &c->vacations[1]);
	ck_assert_ptr_eq(vacation_of(c, STR("BOB")), &c->vacations[0]);
	ck_assert_ptr_null(vacation_of(c, STR("carol")));
	conf_free(c);
}
END_TEST

static bool
answers(const struct conf *c, const char *from, const char *text)
{
	struct vacation_mail m = { .to = { STR("info"), STR("x.org") },
		.mailbox = STR("alice"), .text = str_c(text) };
	struct arena a;
	bool is;

	arena_init(&a, 10000);
	if (from[0] != '\0')
		ck_assert_ptr_null(path_parse_addr(str_c(from), 0, &a, &m.from));
	is = vacation_why_not(c, &c->vacations[1], &m) == NULL;
	arena_free(&a);
	return is;
}

START_TEST(senders)
{
	static const char *const no[] = { "", "MAILER-DAEMON@z.org", "owner-dev@z.org",
		"dev-request@z.org", "dev-bounces@z.org", "dev-owner@z.org", "noreply@z.org",
		"bounces+1=2@z.org", "SRS0=a=b=z.org=c@f.org", "postmaster@z.org",
		"alice@y.org", "INFO@x.org", "sales@anywhere.net" };
	struct conf *c = conf();

	ck_assert(answers(c, "bob@z.org", TO "\r\n"));
	ck_assert(answers(c, "owner@z.org", TO "\r\n"));
	ck_assert(answers(c, "request@z.org", TO "\r\n"));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		ck_assert_msg(!answers(c, no[i], TO "\r\n"), "%s", no[i]);
	conf_free(c);
}
END_TEST

START_TEST(texts)
{
	static const struct {
		const char *text;
		bool is;
	} cases[] = {
		{ "To: B <bob@z.org>, \"A\" <ALICE@Y.org>\r\n\r\n", true },
		{ "To: bob@z.org\r\nCC: info@x.org\r\n\r\n", true },
		{ "Cc: sales@q.net\r\n\r\n", true },
		{ "Resent-To: alice@x.org\r\n\r\n", true },
		{ "To: team: alice@x.org;\r\n\r\n", true },
		{ "To: alice@z.org\r\n\r\n", false },
		{ "To: alice+x@x.org\r\n\r\n", false },
		{ "Bcc: alice@x.org\r\n\r\n", false },
		{ "From: alice@x.org\r\n\r\nTo: alice@x.org\r\n", false },
		{ "To: undisclosed-recipients:;\r\n\r\n", false },
		{ "", false },
		{ TO "Auto-Submitted: no\r\n\r\n", true },
		{ TO "Auto-Submitted: NO; x=y\r\n\r\n", true },
		{ TO "Auto-Submitted: auto-generated\r\n\r\n", false },
		{ TO "auto-submitted: auto-replied; owner-email=x\r\n\r\n", false },
		{ TO "List-Id: <x>\r\n\r\n", false },
		{ TO "List-Unsubscribe: <x>\r\n\r\n", false },
		{ TO "Precedence: Bulk\r\n\r\n", false },
		{ TO "Precedence: list\r\n\r\n", false },
		{ TO "Precedence: first-class\r\n\r\n", true },
		{ TO "X-Auto-Response-Suppress: OOF, DR\r\n\r\n", false },
		{ TO "X-Auto-Response-Suppress: None\r\n\r\n", true },
		{ TO "X-Spam-Flag: YES\r\n\r\n", false },
		{ TO "\r\nList-Id: <x>\r\n", true },
		/* Behind a line that is no field it is still said. */
		{ TO "no field\r\nAuto-Submitted: auto-replied\r\n\r\n", false },
		{ TO "no field\r\nList-Id: <x>\r\n\r\n", false },
		{ TO "no field\r\n\r\n", true },
	};
	struct conf *c = conf();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(answers(c, "bob@z.org", cases[i].text) == cases[i].is,
		    "%s", cases[i].text);
	conf_free(c);
}
END_TEST

int
main(void)
{
	return unit_run("policy/vacation", UNIT_CASE("vacation", sections, senders, texts));
}
