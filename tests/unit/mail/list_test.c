/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The header that a mailing list gives a message. */

#include "mail/list.h"

#include "mail/header.h"
#include "unit.h"

static const char *const fields[] = { "List-Help: <mailto:help@example.org>" };

static const struct list_form plain = { .name = { "dev", 3 },
	.id = { "dev.example.org", 15 }, .address = { "dev@example.org", 15 },
	.fields = fields, .field_n = 1, .received = { "Received: by x\r\n", 16 } };

#define FRONT "Received: by x\r\nDelivered-To: dev@example.org\r\n"
#define REST "Precedence: list\r\nList-Id: dev <dev.example.org>\r\n"           \
	"List-Post: <mailto:dev@example.org>\r\n"                              \
	"List-Help: <mailto:help@example.org>\r\n\r\n"

static void
makes(const struct list_form *f, const char *text, const char *want, size_t body)
{
	struct buf b;
	size_t n;

	buf_init(&b, 100000);
	n = list_header_add(&b, str_c(text), f);
	ck_assert(buf_ok(&b));
	ck_str(buf_str(&b), str_c(want));
	ck_str(str_skip(str_c(text), n), str_skip(str_c(text), strlen(text) - body));
	buf_free(&b);
}

START_TEST(subjects)
{
	static const struct {
		const char *subject, *want;
	} cases[] = {
		{ "hello", "[dev] hello" }, { "", "[dev]" },
		{ "Re: hello", "[dev] Re: hello" },
		{ "[dev] hello", "[dev] hello" },
		{ "RE : re: [DEV] Re:[dev]  hello", "[dev] Re: hello" },
		{ "Reply: x", "[dev] Reply: x" }, { "re", "[dev] re" },
		{ "about [dev] x", "[dev] about [dev] x" },
		{ "=?utf-8?q?Re=3A_=5Bdev=5D_hello?=", "[dev] Re: hello" },
		{ "=?utf-8?q?=C3=A4?=", "=?utf-8?B?W2Rldl0gw6Q=?=" },
		{ "Re: =?koi8-r?q?x?=", "[dev] Re: =?koi8-r?q?x?=" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;

		buf_init(&b, 1000);
		list_subject_add(&b, str_c(cases[i].subject), STR("[dev]"));
		ck_str(buf_str(&b), str_c(cases[i].want));
		buf_free(&b);
	}
}
END_TEST

START_TEST(header)
{
	struct list_form f = plain;

	makes(&f, "Subject:  Hi\r\nFrom: a@x.org\r\n\r\nbody",
	    FRONT "Subject:  Hi\r\nFrom: a@x.org\r\n" REST, 4);
	makes(&f, "list-id: <other.x>\r\nReturn-Path: <a>\r\nReply-To: a@x.org\r\n"
	    "X: y\r\n z\r\nList-Unsubscribe:\r\n\t<x>\r\n\r\n",
	    FRONT "Reply-To: a@x.org\r\nX: y\r\n z\r\n" REST, 0);
	/* A header that has no end, and what is none. */
	makes(&f, "X: y", FRONT "X: y\r\n" REST, 0);
	makes(&f, "X: y\r\nList-X: z", FRONT "X: y\r\n" REST, 0);
	makes(&f, "X: y\r\nno field\r\n", FRONT "X: y\r\n" REST, 10);
	makes(&f, "", FRONT REST, 0);
	f.reply_to_list = true;
	makes(&f, "Reply-To: a@x.org\r\n\r\n",
	    FRONT "Reply-To: <dev@example.org>\r\n" REST, 0);
	f = plain;
	f.prefix = STR("[dev]");
	makes(&f, "SUBJECT: Re:\r\n [dev] a\r\n\r\n", FRONT "Subject: [dev] Re: a\r\n" REST, 0);
	makes(&f, "X: y\r\n\r\n", FRONT "X: y\r\nSubject: [dev]\r\n" REST, 0);
}
END_TEST

START_TEST(authors)
{
	static const struct {
		const char *from, *want;
	} cases[] = {
		{ "alice@x.org", "alice via dev" },
		{ "Alice Doe <alice@x.org>", "Alice Doe via dev" },
		{ "\"Doe, \\\"A\\\"\" <alice@x.org>, bob@y.org", "\"Doe, \\\"A\\\" via dev\"" },
		{ "\"a@bank.example\" <alice@x.org>", "\"a bank.example via dev\"" },
		{ "=?utf-8?q?=C3=A4?= <alice@x.org>", "=?utf-8?B?w6QgdmlhIGRldg==?=" },
		{ "alice@x.org (Alice)", "alice via dev" },
		{ "=?koi8-r?q?x?= <alice@x.org>", "alice via dev" },
	};
	struct list_form f = plain;

	f.from_list = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[500], want[1000];
		struct buf t, w;

		buf_init_in(&t, text, sizeof(text));
		buf_init_in(&w, want, sizeof(want));
		buf_addf(&t, "From: %s\r\n\r\n", cases[i].from);
		buf_addf(&w, FRONT "X-Original-From: %s\r\nFrom: %s <dev@example.org>\r\n"
		    "Reply-To: %s\r\n" REST, cases[i].from, cases[i].want, cases[i].from);
		makes(&f, text, want, 0);
	}
	/* Without an author nobody is named; an own Reply-To stays. */
	makes(&f, "From: nobody\r\n\r\n", FRONT "X-Original-From: nobody\r\n"
	    "From: nobody via dev <dev@example.org>\r\nReply-To: nobody\r\n" REST, 0);
	makes(&f, "From: <>\r\n\r\n", FRONT "From: <>\r\n" REST, 0);
	makes(&f, "From: a@x.org\r\nReply-To: b@x.org\r\n\r\n",
	    FRONT "X-Original-From: a@x.org\r\nReply-To: b@x.org\r\n"
	    "From: a via dev <dev@example.org>\r\n" REST, 0);
}
END_TEST

START_TEST(who)
{
	struct str display;
	struct arena a;

	arena_init(&a, 100000);
	ck_str(list_author(STR("From: A <a@x>, b@y\r\n\r\n"), &a, &display), STR("a@x"));
	ck_str(display, STR("A"));
	ck_str(list_author(STR("From: group: a@x, b@y;\r\n\r\n"), &a, &display), STR("a@x"));
	ck_str(display, STR(""));
	ck_str(list_author(STR("To: a@x\r\n\r\n"), &a, &display), STR(""));
	ck_str(list_author(STR(""), &a, &display), STR(""));
	arena_free(&a);
}
END_TEST

int
main(void)
{
	return unit_run("mail/list", UNIT_CASE("list", subjects, header, authors, who));
}
