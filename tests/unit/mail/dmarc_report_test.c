/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The XML of a report and its message; tests/e2e/dmarc_reports.py has other readers. */

#include "mail/dmarc_report.h"

#include "unit.h"

static struct dmarc_report
report(void)
{
	return (struct dmarc_report){ .domain = STR("example.org"), .id = STR("0123456789abcdef"),
		.begin = 1795305600, .end = 1795391999, .submitter = STR("mx.test"),
		.org = STR("A & <B>\x01"), .from = STR("dmarc@mx.test"),
		.generator = STR("barid 1"), .record = { .policy = { DMARC_REJECT,
			DMARC_QUARANTINE, DMARC_NONE }, .strict_spf = true, .psd = 'u' } };
}

static void
has(const struct buf *b, const char *what)
{
	ck_assert_msg(strstr(buf_cstr(b), what) != NULL, "no %s in %s", what, buf_cstr(b));
}

static void
has_not(const struct buf *b, const char *what)
{
	ck_assert_msg(strstr(buf_cstr(b), what) == NULL, "%s in %s", what, buf_cstr(b));
}

START_TEST(xml)
{
	struct dmarc_report r = report();
	struct dmarc_row row = { .domain = r.domain, .source = STR("::1"),
		.disposition = DMARC_DONE_REJECT, .dkim = true, .header_from = STR("</row>&"),
		.signatures = { { STR("d.test"), STR("s"), STR("pass") } }, .signature_n = 1 };
	struct buf b;

	buf_init(&b, 65536);
	dmarc_report_begin(&b, &r);
	dmarc_report_row(&b, &row, 12345678901);
	dmarc_report_end(&b);
	has(&b, "<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n  <version>1.0</version>");
	has(&b, "<org_name>A &amp; &lt;B&gt;?</org_name>");
	has(&b, "<begin>1795305600</begin>\n      <end>1795391999</end>");
	has(&b, "<p>reject</p>\n    <sp>quarantine</sp>\n    <np>none</np>\n"
	    "    <adkim>r</adkim>\n    <aspf>s</aspf>\n    <testing>n</testing>");
	has(&b, "<count>12345678901</count>");
	has(&b, "<disposition>reject</disposition>\n        <dkim>pass</dkim>\n"
	    "        <spf>fail</spf>\n      </policy_evaluated>");
	has(&b, "<envelope_from></envelope_from>\n"
	    "      <header_from>&lt;/row&gt;&amp;</header_from>");
	has(&b, "<domain>d.test</domain>\n        <selector>s</selector>\n"
	    "        <result>pass</result>");
	has_not(&b, "<spf>\n");
	has_not(&b, "extra_contact_info");
	has_not(&b, "<error>");
	has_not(&b, "<reason>");
	ck_assert(str_ends(buf_str(&b), STR("</record>\n</feedback>\n")));
	buf_reset(&b);
	r.left_out = 7;
	r.contact = STR("here");
	row.reason = DMARC_TRUSTED_FORWARDER;
	row.spf_domain = row.envelope_from = STR("e.test");
	row.spf_result = STR("neutral");
	dmarc_report_begin(&b, &r);
	dmarc_report_row(&b, &row, 1);
	has(&b, "<extra_contact_info>here</extra_contact_info>");
	has(&b, "<error>7 more messages are not in this report");
	has(&b, "<reason>\n          <type>trusted_forwarder</type>\n        </reason>");
	has(&b, "<domain>e.test</domain>\n        <scope>mfrom</scope>\n"
	    "        <result>neutral</result>");
	buf_free(&b);
}
END_TEST

START_TEST(message)
{
	struct dmarc_report r = report();
	char packed[100];
	struct buf b;

	memset(packed, 'x', sizeof(packed));
	buf_init(&b, 65536);
	dmarc_report_message(&b, &r, STR("a@b.test, c@d.test"), 1795392000,
	    str_n(packed, sizeof(packed)));
	has(&b, "\r\nFrom: \"A & <B> \" <dmarc@mx.test>\r\nTo: a@b.test, c@d.test\r\n");
	has(&b, "\r\nSubject: Report Domain: example.org\r\n Submitter: mx.test\r\n"
	    " Report-ID: 0123456789abcdef\r\n");
	has(&b, "\r\nMessage-ID: <0123456789abcdef.example.org@mx.test>\r\n");
	has(&b, "\r\nAuto-Submitted: auto-generated\r\n");
	has(&b, "filename=\"mx.test!example.org!1795305600!1795391999!0123456789abcdef.xml.gz\"");
	has(&b, "as it came to mx.test on 2026-11-22 (UTC)");
	has(&b, "\r\neHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\r\n");
	has(&b, "\r\n--=_0123456789abcdef--\r\n");
	ck_assert(str_starts(buf_str(&b), STR("Date: ")));
	/* Every line ends with CRLF, and none is too long. */
	for (struct str rest = buf_str(&b), line; rest.n > 0;) {
		ck_assert(str_cut(rest, '\n', &line, &rest));
		ck_assert(line.n > 0 && line.p[line.n - 1] == '\r' && line.n < 200);
	}
	buf_free(&b);
}
END_TEST

UNIT_MAIN("mail/dmarc_report", xml, message)
