/* SPDX-License-Identifier: GPL-3.0-or-later */

/* feedback_fields -- reports in fields: RFC 3464, 5965, 8098; and whose message it was. */

#include "report/feedback_parts.h"

#include "feedbacks.h"

static void
dsn(const char *body, size_t rows, const char *want)
{
	struct feedback f;

	feedback_begin(&f, rows);
	feedback_dsn(&f, str_c(body));
	feedback_is(&f, want);
}

START_TEST(delivery)
{
	dsn("Reporting-MTA: dns; a.test\r\nX-Y: z\r\nOriginal-Envelope-Id: e1\r\n\r\n"
	    "Final-Recipient: rfc822; b@c.test\r\nAction: Failed (really)\r\nStatus: 5.1.1 (x)\r\n"
	    "Diagnostic-Code: smtp; 550\r\n no\r\nRemote-MTA: dns; d.test\r\n\r\n"
	    "Final-Recipient: utf-8; \xc3\xbc@c.test\r\nAction: delayed\r\n",
	    10, "dsn|reporting-mta=a.test envid=e1|recipient=b@c.test action=Failed status=5.1.1 "
	    "diagnostic=550 no remote-mta=d.test|recipient=\xc3\xbc@c.test action=delayed");
	/* An empty line at the beginning, as sendmail has it; several between; LF alone. */
	dsn("\nReporting-MTA: a.test\n\n\n\nFinal-Recipient: b\n\n\n \nAction: failed\n", 10,
	    "dsn|reporting-mta=a.test|recipient=b|action=failed");
	/* Without the first group. */
	dsn("Final-Recipient: rfc822; b@c.test\nAction: failed\n", 10,
	    "dsn||recipient=b@c.test action=failed");
	/* Lines that are none, fields that nobody knows. */
	dsn("Reporting-MTA: a.test\n\nno field at all\nAction: failed\n\nX-Other: 1\n\nplain\n", 10,
	    "dsn|reporting-mta=a.test|action=failed");
	dsn("", 10, "dsn|");
	dsn("\r\n\r\n", 10, "dsn|");
	dsn("Reporting-MTA: a\n\nAction: 1\n\nAction: 2\n\nAction: 3\n", 1,
	    "dsn|reporting-mta=a|action=1|+2");
	dsn("Reporting-MTA: a\n\nAction: 1\n", 0, "dsn|reporting-mta=a|+1");
}
END_TEST

START_TEST(many_recipients)
{
	struct feedback f;
	struct buf b;

	buf_init(&b, 16 << 20);
	buf_adds(&b, "Reporting-MTA: a\n\n");
	for (int i = 0; i < 200000; i++)
		buf_adds(&b, "Final-Recipient: rfc822; somebody@far.example\nAction: failed\n\n");
	feedback_begin(&f, 20);
	feedback_dsn(&f, buf_str(&b));
	ck_assert_uint_eq(f.row_n, 20);
	ck_assert_uint_eq(f.row_total, 200000);
	/* And nothing but empty lines. */
	buf_reset(&b);
	for (int i = 0; i < 8000000; i++)
		buf_addc(&b, '\n');
	feedback_begin(&f, 20);
	feedback_dsn(&f, buf_str(&b));
	ck_assert_uint_eq(f.row_total, 0);
	buf_free(&b);
}
END_TEST

START_TEST(notifications)
{
	struct feedback f;

	feedback_begin(&f, 10);
	feedback_mdn(&f, STR("Reporting-UA: x; y\r\nFinal-Recipient: rfc822;a@b.test\r\n"
	                     "Original-Message-ID: <1@b.test>\r\nDisposition: automatic-action/MDN-sent; deleted\r\n"));
	feedback_is(&f, "mdn|agent=x; y recipient=a@b.test message-id=<1@b.test> "
	                "disposition=automatic-action/MDN-sent; deleted");
}
END_TEST

START_TEST(complaints)
{
	struct feedback f;

	feedback_begin(&f, 10);
	feedback_arf(&f, STR("Feedback-Type: abuse\r\nVersion: 1\r\nSource-IP: 192.0.2.1 (x)\r\n"
	                     "Original-Rcpt-To: <a@b.test>\r\nOriginal-Rcpt-To: <c@b.test>\r\nIncidents: lots\r\n"
	                     "Received-Date: Fri, 20 Nov 2026\r\nReporting-MTA: dns; m.test\r\n\r\nFeedback-Type: lie\r\n"));
	feedback_is(&f, "abuse|feedback-type=abuse source-ip=192.0.2.1 original-to=<a@b.test> "
	                "arrived=Fri, 20 Nov 2026 reporting-mta=m.test");
}
END_TEST

static void
original(const char *header, const char *want)
{
	struct feedback f;

	feedback_begin(&f, 10);
	feedback_original(&f, str_c(header), STR("mail.example.test"));
	feedback_is(&f, want);
}

#define BY "Received: from x by mail.example.test (barid)\r\n\twith ESMTP id "

START_TEST(whose_it_was)
{
	original("Message-ID: <1@b.test>\r\n" BY "0123456789ABCDEF012; Fri\r\n",
	    "|message-id=<1@b.test> about=0123456789ABCDEF012");
	original("Received: from y by other.test id 0123456789ABCDEF013;\r\n" BY
	         "0123456789ABCDEF012\r\n for <a@b>; Fri\r\n",
	    "|about=0123456789ABCDEF012");
	/* An id of somebody else's, one that is none, and lines that are no fields. */
	original("Received: from y by other.test id 0123456789ABCDEF013;\r\n", "|");
	original(BY "../../etc/passwd; Fri\r\n", "|");
	original("no field\r\nReceived: by mail.example.test\r\nReceived:\r\nMessage-ID:\r\n", "|");
	original("\r\nMessage-ID: <in-the-body@x>\r\n", "|");
}
END_TEST

UNIT_MAIN("report/feedback_fields", delivery, many_recipients, notifications, complaints, whose_it_was)
