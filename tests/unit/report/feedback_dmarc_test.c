/* SPDX-License-Identifier: GPL-3.0-or-later */

/* feedback_dmarc -- aggregate reports, as they should be and as they are. */

#include "report/feedback_parts.h"

#include "feedbacks.h"

#define HEAD "<feedback><report_metadata><org_name>O</org_name><email>e@o.test</email>" \
	"<report_id>r1</report_id><date_range><begin>100</begin><end>200</end></date_range>" \
	"</report_metadata><policy_published><domain>d.test</domain><p>reject</p></policy_published>"
#define KNOWN "org=O contact=e@o.test report-id=r1 begin=100 end=200 domain=d.test policy=reject"
#define ROW(ip, n, disposition, dkim, spf) "<record><row><source_ip>" ip "</source_ip><count>" n \
	"</count><policy_evaluated><disposition>" disposition "</disposition><dkim>" dkim "</dkim><spf>" \
	spf "</spf></policy_evaluated></row></record>"

/* In pieces of STEP octets. */
static void
look_in(struct str text, size_t step, size_t rows, const char *want, const char *why)
{
	struct feedback f;
	struct feedback_dmarc *d;
	const char *got;

	feedback_begin(&f, rows);
	d = feedback_dmarc_new(&f);
	while (text.n > 0 && feedback_dmarc_add(d, str_head(text, step)))
		text = str_skip(text, step);
	got = feedback_dmarc_end(d, true);
	ck_assert_msg(strstr(got ? got : "", why) != NULL, "got %s, expected %s", got, why);
	ck_assert((got == NULL) == (why[0] == '\0'));
	feedback_is(&f, want);
}

static void
look(const char *text, const char *want, const char *why)
{
	look_in(str_c(text), 1, 10, want, why);
	look_in(str_c(text), strlen(text) + 1, 10, want, why);
}

START_TEST(records)
{
	look(HEAD "</feedback>",
	    "dmarc|" KNOWN " messages=0 passed=0 failed=0 quarantined=0 rejected=0", "");
	look(HEAD ROW("192.0.2.1", " 5\n", "none", "pass", "fail")
	         ROW("2001:db8::1", "2", "Reject", "fail", "fail") "</feedback>",
	    "dmarc|" KNOWN " messages=7 passed=5 failed=2 quarantined=0 rejected=2"
	    "|source-ip=192.0.2.1 messages=5 disposition=none dkim=pass spf=fail"
	    "|source-ip=2001:db8::1 messages=2 disposition=Reject dkim=fail spf=fail", "");
	/* What each mechanism said, and why its word did not count. */
	look("<feedback><record><row><policy_evaluated><disposition>quarantine</disposition>"
	     "<reason><type>forwarded</type><comment>x</comment></reason><reason><type>other</type></reason>"
	     "</policy_evaluated></row><identifiers><header_from>h</header_from><envelope_from>f</envelope_from>"
	     "</identifiers><auth_results><dkim><domain>a</domain><selector>s</selector><result>pass</result></dkim>"
	     "<dkim><domain>b</domain><result>fail</result></dkim><spf><domain>c</domain><scope>mfrom</scope>"
	     "<result>none</result></spf></auth_results></record></feedback>",
	    "dmarc|messages=0 passed=0 failed=0 quarantined=0 rejected=0|disposition=quarantine header-from=h "
	    "envelope-from=f override=forwarded x, other auth-dkim=a/s=pass, b=fail auth-spf=c=none", "");
}
END_TEST

START_TEST(lies)
{
	look("<html><body>x</body></html>", "|", "no report of DMARC");
	look("<html><feedback>" HEAD "</feedback></feedback></html>", "|", "no report of DMARC");
	look("", "|", "cut short");
	look("not XML", "|", "not well formed");
	/* Numbers that are none or too many, the same twice, elements in odd places. */
	look(HEAD ROW("x", "-5", "none", "pass", "pass") ROW("y", "99999999999999999999", "none", "pass", "")
	         ROW("z", "", "", "", "") "</feedback>",
	    "dmarc|" KNOWN " messages=0 passed=0 failed=0 quarantined=0 rejected=0"
	    "|source-ip=x disposition=none dkim=pass spf=pass|source-ip=y disposition=none dkim=pass|source-ip=z", "");
	look("<feedback><record><row><count>3<count>9</count></count><count>4</count></row></record>"
	     "<row><count>7</count></row><org_name>no</org_name></feedback>",
	    "dmarc|messages=4 passed=0 failed=4 quarantined=0 rejected=0|messages=4", "");
	/* Cut off: what was read stays. */
	look(HEAD ROW("192.0.2.1", "5", "none", "pass", "pass") "<record><row><count>9</co",
	    "dmarc|" KNOWN " messages=5 passed=5 failed=0 quarantined=0 rejected=0"
	    "|source-ip=192.0.2.1 messages=5 disposition=none dkim=pass spf=pass|", "cut short");
}
END_TEST

/* RFC 9990 5: elements of extensions, wherever they may stand, say nothing. */
START_TEST(extensions)
{
	look("<feedback xmlns='urn:ietf:params:xml:ns:dmarc-2.0' xmlns:e='urn:e'>"
	     "<extension><e:policy_published><e:p>reject</e:p></e:policy_published></extension>"
	     "<record><row><source_ip>192.0.2.1</source_ip><count>5</count><policy_evaluated>"
	     "<disposition>pass</disposition><dkim>pass</dkim></policy_evaluated></row>"
	     "<e:row><e:count>70</e:count></e:row></record></feedback>",
	    "dmarc|messages=5 passed=5 failed=0 quarantined=0 rejected=0"
	    "|source-ip=192.0.2.1 messages=5 disposition=pass dkim=pass", "");
	/* With a prefix of its own for all that is in no other. */
	look("<d:feedback xmlns:d='urn:d'><d:record><d:row><d:count>5</d:count></d:row>"
	     "<e:row><e:count>70</e:count></e:row></d:record></d:feedback>",
	    "dmarc|messages=5 passed=0 failed=5 quarantined=0 rejected=0|messages=5", "");
}
END_TEST

START_TEST(a_million_records)
{
	struct str row = STR(ROW("192.0.2.1", "3", "none", "fail", "fail"));
	struct feedback f;
	struct feedback_dmarc *d;

	feedback_begin(&f, 20);
	d = feedback_dmarc_new(&f);
	ck_assert(feedback_dmarc_add(d, STR(HEAD)));
	for (int i = 0; i < 1000000; i++)
		ck_assert(feedback_dmarc_add(d, row));
	ck_assert(feedback_dmarc_add(d, STR("</feedback>")));
	ck_assert_ptr_null(feedback_dmarc_end(d, true));
	ck_assert_uint_eq(f.row_n, 20);
	ck_assert_uint_eq(f.row_total, 1000000);
	ck_str(feedback_find(&f.head, FACT_MESSAGES), STR("3000000"));
	ck_str(feedback_find(&f.head, FACT_FAILED), STR("3000000"));
	ck_assert_uint_lt(feedback_arena.used, 1 << 20);
}
END_TEST

/* Text without an end, and values that are longer than any. */
START_TEST(long_texts)
{
	struct feedback f;
	struct feedback_dmarc *d;
	char text[5000];

	memset(text, 'x', sizeof(text));
	feedback_begin(&f, 1);
	d = feedback_dmarc_new(&f);
	ck_assert(feedback_dmarc_add(d, STR("<feedback><report_metadata><org_name>")));
	for (int i = 0; i < 1000; i++)
		ck_assert(feedback_dmarc_add(d, str_n(text, sizeof(text))));
	ck_assert(feedback_dmarc_add(d, STR("</org_name></report_metadata><record><auth_results>")));
	for (int i = 0; i < 1000; i++)
		ck_assert(feedback_dmarc_add(d, STR("<dkim><domain>d.test</domain><result>pass</result></dkim>")));
	ck_assert(feedback_dmarc_add(d, STR("</auth_results></record></feedback>")));
	ck_assert_ptr_null(feedback_dmarc_end(d, true));
	ck_assert_uint_gt(feedback_find(&f.head, FACT_ORG).n, 200);
	ck_assert_uint_gt(feedback_find(&f.rows[0], FACT_AUTH_DKIM).n, 200);
}
END_TEST

UNIT_MAIN("report/feedback_dmarc", records, lies, extensions, a_million_records, long_texts)
