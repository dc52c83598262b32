/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Whether a mailing list takes a message. */

#include "policy/list.h"

#include <stdio.h>

#include "unit.h"

#define SECTION "recipient \"dev@x.org\" { list = \"dev\" }\n"                 \
	"list \"dev\" { members = \"/m\" return-path = \"o@x.org\" "            \
	"posters = {\"robot@*\", \"*@friends.org\"} attachments = %s "          \
	"subjects = {\"[build] *\", '/ticket #\\d+/'} "                        \
	"members-only = %s other-lists = %s refusal = \"no\" }\n"

static bool
is_member(void *arg, const struct path *p)
{
	ck_assert_str_eq(arg, "asked");
	return str_ieq(p->local, STR("alice")) && str_ieq(p->domain, STR("x.org"));
}

static struct conf *
with(const char *attachments, const char *only, const char *others)
{
	char text[1000];
	struct buf error;
	struct conf *c;

	snprintf(text, sizeof(text), SECTION, attachments, only, others);
	buf_init(&error, 4096);
	c = conf_parse("test.conf", str_c(text), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	buf_free(&error);
	return c;
}

/* The enhanced code for mail from LOCAL@DOMAIN. */
static const char *
asked(const struct conf *c, const char *local, const char *domain, const char *text)
{
	struct list_mail m = { .from = { str_c(local), str_c(domain) },
		.text = str_c(text) };
	struct rcpt_verdict v = list_verdict(&c->lists[0], &m, is_member,
	    (char []){ "asked" });

	ck_assert_int_eq(v.place.line, 2);
	ck_assert_int_eq(v.code / 100, v.enhanced[0] - '0');
	return v.enhanced;
}

START_TEST(senders)
{
	static const struct {
		const char *local, *domain, *text, *code;
	} cases[] = {
		{ "alice", "x.org", "Subject: x\r\n\r\n", "2.1.5" },
		{ "Alice", "X.org", "From: eve@y.org\r\n\r\n", "2.1.5" },
		{ "bounce", "y.org", "From: A <ALICE@x.org>\r\n\r\n", "2.1.5" },
		{ "bounce", "y.org", "From: e@y.org, alice@x.org\r\n\r\n", "2.1.5" },
		{ "robot", "anywhere.net", "\r\n", "2.1.5" },
		{ "x", "y.org", "From: z@friends.org\r\n\r\n", "2.1.5" },
		{ "eve", "y.org", "From: eve@y.org\r\n\r\nFrom: alice@x.org\r\n", "5.7.2" },
		{ "eve", "y.org", "Reply-To: alice@x.org\r\nFrom: \"alice@x.org\" <e@y.org>\r\n\r\n", "5.7.2" },
		{ "eve", "y.org", "From: @@\r\n\r\n", "5.7.2" },
		{ "", "", "From: alice@x.org\r\n\r\n", "5.7.1" },
		/* FEATURES D6: by its subject, the whole of it. */
		{ "eve", "y.org", "subject: [Build] all\r\n green\r\n\r\n", "2.1.5" },
		{ "eve", "y.org", "Subject: Ticket #42 \r\n\r\n", "2.1.5" },
		{ "eve", "y.org", "Subject: Re: ticket #42\r\n\r\n", "5.7.2" },
		{ "eve", "y.org", "Subject: ticket #42x\r\n\r\n", "5.7.2" },
		{ "eve", "y.org", "X: y\r\n\r\nSubject: ticket #1\r\n", "5.7.2" },
		{ "", "", "Subject: ticket #1\r\n\r\n", "5.7.1" },
	};
	struct conf *c = with("true", "true", "false");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(strcmp(asked(c, cases[i].local, cases[i].domain,
		    cases[i].text), cases[i].code) == 0, "%zu", i);
	conf_free(c);
	c = with("true", "false", "false");
	ck_assert_str_eq(asked(c, "eve", "y.org", "\r\n"), "2.1.5");
	conf_free(c);
}
END_TEST

START_TEST(texts)
{
	static const struct {
		const char *text, *code;
	} cases[] = {
		{ "List-Id: the list\r\n <DEV.x.org>\r\n\r\n", "5.4.6" },
		{ "List-Id: dev.x.org\r\n\r\n", "5.4.6" },
		{ "Delivered-To: Dev@X.org\r\n\r\n", "5.4.6" },
		{ "Delivered-To: alice@x.org\r\n\r\n", "2.1.5" },
		{ "List-Id: <ops.x.org>\r\n\r\n", "5.7.1" },
		{ "Auto-Submitted: Auto-Replied; owner-email=x\r\n\r\n", "5.7.1" },
		{ "Auto-Submitted: auto-generated\r\n\r\n", "2.1.5" },
		{ "Auto-Submitted: no\r\n\r\n", "2.1.5" },
		{ "Content-Type: Multipart/Mixed;\r\n boundary=x\r\n\r\n", "5.7.0" },
		{ "Content-Type: image/png\r\n\r\n", "5.7.0" },
		{ "Content-Type: multipart/alternative; boundary=x\r\n\r\n", "2.1.5" },
		{ "Content-Type: text/plain\r\n\r\n", "2.1.5" },
		{ "Content-Type: x\r\n\r\n", "2.1.5" },
		/* What stands behind such a line is read by some, and not by others. */
		{ "X: y\r\nno field\r\nAuto-Submitted: auto-replied\r\n\r\n", "5.6.0" },
		{ "X: y\r\nno field\r\n\r\n", "5.6.0" },
		{ "X: y\r\n\r\nno field\r\n", "2.1.5" },
	};
	struct conf *c = with("false", "true", "false");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(strcmp(asked(c, "alice", "x.org", cases[i].text),
		    cases[i].code) == 0, "%s", cases[i].text);
	conf_free(c);
	c = with("true", "true", "true");
	ck_assert_str_eq(asked(c, "alice", "x.org", "List-Id: <ops.x.org>\r\n"
	    "Content-Type: multipart/mixed\r\n\r\n"), "2.1.5");
	ck_assert_str_eq(asked(c, "alice", "x.org", "List-Id: <dev.x.org>\r\n\r\n"), "5.4.6");
	conf_free(c);
}
END_TEST

int
main(void)
{
	return unit_run("policy/list", UNIT_CASE("list", senders, texts));
}
