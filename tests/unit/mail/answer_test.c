/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The message by which a mailbox answers by itself. */

#include "mail/answer.h"

#include "mail/header.h"
#include "unit.h"

static struct buf made;

static struct str
answer(const char *original, const char *text)
{
	struct answer_form f = { .from = { STR("alice"), STR("x.org") },
		.to = { STR("bob"), STR("y.org") }, .original = str_c(original),
		.text = str_c(text), .message_id = STR("1@mx.x.org"), .now = 0 };

	buf_free(&made);
	buf_init(&made, 300000);
	answer_add(&made, &f);
	ck_assert(buf_ok(&made));
	return buf_str(&made);
}

/* The value of field NAME of what was made; empty: it is not there. */
static struct str
field(const char *name)
{
	struct field f;

	return header_find(buf_str(&made), str_c(name), &f) ? str_trim(f.value) : STR("");
}

static struct str
body(void)
{
	struct str rest = buf_str(&made);
	struct field f;

	while (field_next(&rest, &f) == 1)
		continue;
	return rest;
}

START_TEST(fields)
{
	answer("Subject: Hello\r\nMessage-ID: <2@y>\r\nIn-Reply-To: <1@y>\r\n\r\n", "away\nbye");
	ck_str(field("From"), STR("<alice@x.org>"));
	ck_str(field("To"), STR("<bob@y.org>"));
	ck_str(field("Subject"), STR("Auto: Hello"));
	ck_str(field("Message-ID"), STR("<1@mx.x.org>"));
	ck_str(field("In-Reply-To"), STR("<2@y>"));
	ck_str(field("References"), STR("<1@y> <2@y>"));
	ck_str(field("Auto-Submitted"), STR("auto-replied"));
	ck_str(field("Content-Transfer-Encoding"), STR("7bit"));
	ck_str(body(), STR("away\r\nbye\r\n"));
	answer("\r\n", "x");
	ck_str(field("Subject"), STR("Auto: your message"));
	ck_str(field("In-Reply-To"), STR(""));
	ck_str(field("References"), STR(""));
}
END_TEST

START_TEST(texts)
{
	answer("Subject: Hello\r\n\r\n", "Subject: Away\r\n\r\nuntil\0 Monday");
	ck_str(field("Subject"), STR("Away"));
	answer("Subject: =?utf-8?q?=C3=A4?=\r\n\r\n", "gr\xc3\xbcn\r\n");
	ck_str(field("Subject"), STR("=?utf-8?B?QXV0bzogw6Q=?="));
	ck_str(field("Content-Type"), STR("text/plain; charset=utf-8"));
	ck_str(field("Content-Transfer-Encoding"), STR("8bit"));
	ck_str(body(), STR("gr\xc3\xbcn\r\n"));
	answer("\r\n", "\xe4");
	ck_str(field("Content-Type"), STR("text/plain; charset=unknown-8bit"));
	/* It only looks so. */
	answer("\r\n", "Subject: to change\nwithout notice");
	ck_str(body(), STR("Subject: to change\r\nwithout notice\r\n"));
	answer("\r\n", "Dear sir:\n\nSubject: x\n");
	ck_str(body(), STR("Dear sir:\r\n\r\nSubject: x\r\n"));
}
END_TEST

START_TEST(hostile)
{
	struct buf b;

	answer("Subject: a\r\n\tb\r\nMessage-ID: <a@b>\r\n <c@d>\r\n"
	    "References: x\r\n\r\n", "a\rb\n");
	ck_str(field("Subject"), STR("Auto: a b"));
	ck_str(field("References"), STR("<a@b> <c@d>"));
	ck_str(body(), STR("a b\r\n"));
	answer("Subject: =?utf-8?q?a=0D=0ABcc:_x@y?=\r\nMessage-ID: none\r\n\r\n", "x");
	ck_str(field("Bcc"), STR(""));
	ck_str(field("In-Reply-To"), STR(""));
	/* A subject that is far too long is not repeated. */
	buf_init(&b, 100000);
	buf_adds(&b, "Subject: ");
	for (int i = 0; i < 5000; i++)
		buf_adds(&b, "long ");
	buf_adds(&b, "\r\n\r\n");
	answer(buf_cstr(&b), "x");
	ck_str(field("Subject"), STR("Auto: your message"));
	buf_free(&b);
}
END_TEST

int
main(void)
{
	return unit_run("mail/answer", UNIT_CASE("answer", fields, texts, hostile));
}
