/* SPDX-License-Identifier: GPL-3.0-or-later */

/* report -- which mail is a report, and of what kind, by its header. */

#include "mail/report.h"

#include "unit.h"

static const char *
look(const char *text)
{
	enum report_kind kind = REPORT_NONE;
	struct str rest = str_c(text);
	struct field f;

	while (field_next(&rest, &f) == 1)
		report_look(&kind, &f);
	return report_name(kind);
}

START_TEST(kinds)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "Subject: x\r\nContent-Type: text/plain\r\n\r\n", "" },
		{ "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n", "dsn" },
		{ "content-type: Multipart/Report; boundary=\"a;b=c\";\r\n\tREPORT-TYPE=\"Delivery-Status\"\r\n\r\n", "dsn" },
		{ "Content-Type:multipart/report ;report-type = disposition-notification\r\n\r\n", "mdn" },
		{ "Content-Type: multipart/report; report-type=global-delivery-status\r\n\r\n", "dsn" },
		{ "Content-Type: multipart/report; report-type=global-disposition-notification\r\n\r\n", "mdn" },
		{ "Content-Type: multipart/report; report-type=feedback-report\r\n\r\n", "abuse" },
		{ "Content-Type: multipart/report; report-type=\"tlsrpt\"\r\n\r\n", "tls" },
		{ "Content-Type: multipart/report\r\n\r\n", "other" },
		{ "Content-Type: multipart/report; report-type=\r\n\r\n", "other" },
		{ "Content-Type: multipart/report; report-type=news\r\n\r\n", "other" },
		{ "Content-Type: multipart/mixed; report-type=delivery-status\r\n\r\n", "" },
		{ "Content-Type: multipart/reports; report-type=delivery-status\r\n\r\n", "" },
		{ "X-Failed-Recipients: a@b.test\r\n\r\n", "other" },
		{ "X-Failed-Recipients: a\r\nContent-Type: multipart/report; report-type=delivery-status\r\n\r\n", "dsn" },
		{ "Content-Type: multipart/report; report-type=delivery-status\r\nX-Failed-Recipients: a\r\n\r\n", "dsn" },
		{ "Subject: Report domain: a.test\r\n submitter: b.test Report-ID: <1>\r\nContent-Type: application/gzip\r\n\r\n", "dmarc" },
		{ "Subject: Report Domain: a.test\r\n\r\n", "" },
		{ "Subject: [Preview] Report Domain: a.test Submitter: b.test Report-ID: 1\r\n\r\n", "dmarc" },
		{ "Subject: Dmarc Aggregate Report Domain: {a.test} Submitter: {B}\r\n\r\n", "dmarc" },
		{ "Subject: Report Domain: a.test Submitter: b Report-ID: <1>\r\n"
		  "Content-Type: multipart/report; report-type=tlsrpt\r\n\r\n", "tls" },
		{ "Content-Type: multipart/report; report-type=tlsrpt\r\n"
		  "Subject: Report Domain: a.test Submitter: b Report-ID: <1>\r\n\r\n", "tls" },
		{ "Subject: Re: Report Domain: a.test Submitter: b\r\n\r\n", "" },
		{ "Subject:\r\n\r\n", "" },
		/* Not in the body. */
		{ "Subject: x\r\n\r\nContent-Type: multipart/report; report-type=delivery-status\r\n", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_msg(strcmp(look(t[i].text), t[i].want) == 0,
		    "%s: got \"%s\"", t[i].text, look(t[i].text));
}
END_TEST

UNIT_MAIN("mail/report", kinds)
