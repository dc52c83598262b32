/* SPDX-License-Identifier: GPL-3.0-or-later */

/* feedback_read -- which part of a message is the report. */

#include "report/feedback_read.h"

#include "feedbacks.h"
#include "lib/packed.h"
#include "mail/text.h"

#define XML "<feedback><report_metadata><org_name>O</org_name></report_metadata></feedback>"
#define SUMS "messages=0 passed=0 failed=0 quarantined=0 rejected=0"
#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define JSON "{\"policies\":[1]}"

static void
look(struct str text, const char *want, const char *why)
{
	struct feedback f;

	feedback_begin(&f, 10);
	feedback_read(&f, text, STR("mail.example.test"));
	ck_assert_msg(strstr(f.why ? f.why : "", why) != NULL, "got %s, expected %s", f.why, why);
	ck_assert((f.why == NULL) == (why[0] == '\0'));
	feedback_is(&f, want);
}

static void
look_c(const char *text, const char *want, const char *why)
{
	look(str_c(text), want, why);
}

START_TEST(files)
{
	struct buf gz;

	look_c(XML, "dmarc|org=O " SUMS, "");
	look_c("\xef\xbb\xbf <?xml version='1.0'?>" XML, "dmarc|org=O " SUMS, "");
	look_c(" \n" JSON, "tls|passed=0 failed=0|passed=0 failed=0", "");
	buf_init(&gz, 1 << 20);
	packed_gzip(&gz, STR(XML));
	look(buf_str(&gz), "dmarc|org=O " SUMS, "");
	look(str_head(buf_str(&gz), gz.n - 9), "dmarc|org=O " SUMS, "cut short");
	look(str_head(buf_str(&gz), 4), "|", "cut short");
	buf_reset(&gz);
	packed_gzip(&gz, STR(JSON));
	look(buf_str(&gz), "tls|passed=0 failed=0|passed=0 failed=0", "");
	buf_reset(&gz);
	packed_gzip(&gz, STR("hello"));
	look(buf_str(&gz), "|", "neither XML nor JSON");
	buf_free(&gz);
}
END_TEST

START_TEST(messages)
{
	struct buf gz, m;

	look_c("Subject: x\r\n\r\nhello\r\n", "|", "nothing in it");
	look_c("", "|", "nothing in it");
	/* Whatever its type; but text for people is none. */
	look_c("Content-Type: application/x-anything\r\n\r\n" XML, "dmarc|org=O " SUMS, "");
	look_c("Content-Type: text/plain\r\n\r\n" XML, "dmarc|org=O " SUMS, "");
	look_c("Content-Type: text/html\r\n\r\n" XML, "|", "nothing in it");
	look_c("Content-Type: text/plain\r\n\r\n{\"policies\":[1]}", "|", "nothing in it");
	/* What only looks like one is passed by. */
	look_c(MIXED "--b\r\nContent-Type: a/b\r\n\r\n<html></html>\r\n--b\r\nContent-Type: a/b\r\n\r\n" XML
	             "\r\n--b--\r\n", "dmarc|org=O " SUMS, "");
	look_c(MIXED "--b\r\nContent-Type: a/b\r\n\r\n<html></html>\r\n--b--\r\n", "|", "no report of DMARC");
	/* The first that is one is it. */
	look_c(MIXED "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: a\r\n\r\nAction: failed"
	             "\r\n--b\r\nContent-Type: a/b\r\n\r\n" XML
	             "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <1@x>\r\n--b--\r\n",
	    "dsn|reporting-mta=a message-id=<1@x>|action=failed", "");
	look_c(MIXED "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n--b--\r\n",
	    "abuse|feedback-type=abuse", "");
	/* In a message within, where somebody returns it or sends it on, it is none. */
	look_c(MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: message/delivery-status\r\n\r\n"
	             "Reporting-MTA: lie\r\n--b--\r\n", "|", "nothing in it");
	buf_init(&gz, 1 << 20);
	buf_init(&m, 1 << 20);
	packed_gzip(&gz, STR(XML));
	buf_adds(&m, "Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	base64_add(&m, buf_str(&gz));
	look(buf_str(&m), "dmarc|org=O " SUMS, "");
	buf_free(&m);
	buf_free(&gz);
}
END_TEST

UNIT_MAIN("report/feedback_read", files, messages)
