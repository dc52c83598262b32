/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * C-11: an SMTP session whose n-th allocation fails, for every n.  What was
 * answered with 250 is in the spool, whole; of what was not, at most the one
 * whose answer was on its way; nothing half written is ever seen.
 */

#include "unit.h"

#include "smtpd/talk.h"

#include "memory.h"

#define IN \
	"EHLO client.test\r\n" \
	"AUTH PLAIN AGJvYgBiYXJpZA==\r\n" \
	"MAIL FROM:<bob@example.test> SIZE=100 BODY=8BITMIME\r\n" \
	"RCPT TO:<alice@example.test> NOTIFY=SUCCESS ORCPT=rfc822;a@b\r\n" \
	"RCPT TO:<other@far.test>\r\n" \
	"DATA\r\n" \
	"From: bob@example.test\r\nX-Barid-Retry: 60\r\n\r\none\r\n.\r\n" \
	"NOOP\r\nVRFY alice\r\nHELP\r\nNONSENSE\r\nRSET\r\n" \
	"MAIL FROM:<bob@example.test>\r\n" \
	"RCPT TO:<alice@example.test>\r\n" \
	"BDAT 16\r\nSubject: two\r\n\r\n" \
	"BDAT 5 LAST\r\ntwo\r\n" \
	"MAIL FROM:<>\r\n" \
	"RCPT TO:<nobody@example.test>\r\n" \
	"QUIT\r\n"

static void
session(void)
{
	struct str in = STR(IN);
	struct stream stream;
	struct session s;

	stream_init(&stream, &memory_ops, &in);
	session_init(&s, &talk.env, &stream, -1);
	session_run(&s);
	session_free(&s);
	stream_free(&stream);
}

/* How many messages are in new/; all of them can be read, and go. */
static unsigned
stored(void)
{
	unsigned n = 0;

	for (;; n++) {
		struct talk_message m;

		talk_take(&m, QUEUE_NEW);
		if (m.n > 0)
			ck_assert(str_ends(buf_str(&m.text), STR("one\r\n")) ||
			    str_ends(buf_str(&m.text), STR("two\r\n")));
		talk_drop(&m);
		if (m.n == 0)
			return n;
	}
}

START_TEST(every_allocation)
{
	static const char *plain[] = { "PLAIN" };
	unsigned n = 0;

	memory_begin();
	talk_begin();
	talk_conf("extract-headers = true\n");
	talk.conf->auth.without_tls = (struct conf_strs){ plain, 1 };
	talk.listen.service = SERVICE_SUBMISSION;
	do {
		unsigned promised, there;

		ck_assert_uint_lt(++n, ALLOCATIONS_MAX);
		memory_run(n, session);
		promised = memory_said(STR("250 2.0.0 Ok: queued as "));
		there = stored();
		ck_assert_msg(there == promised ||
		    (memory->failed && there == promised + 1),
		    "allocation %u: %u promised, %u stored", n, promised,
		    there);
	} while (memory->failed);
	/* And one with all of its memory does all of it. */
	ck_assert_uint_eq(memory_said(STR("250 2.0.0 Ok: queued as ")), 2);
	ck_assert_uint_eq(memory_said(STR("221 ")), 1);
	ck_assert(BUILD_ASAN || n > 40);
	talk_remove();
}
END_TEST

UNIT_MAIN("fault/memory_smtp", every_allocation)
