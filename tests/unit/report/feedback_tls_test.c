/* SPDX-License-Identifier: GPL-3.0-or-later */

/* feedback_tls -- reports of TLS (RFC 8460), and JSON that is none. */

#include "report/feedback_parts.h"

#include "feedbacks.h"

static void
look(const char *text, const char *want, const char *why)
{
	struct feedback f;
	const char *got;

	feedback_begin(&f, 10);
	got = feedback_tls(&f, str_c(text));
	ck_assert_msg(strstr(got ? got : "", why) != NULL, "got %s, expected %s", got, why);
	ck_assert((got == NULL) == (why[0] == '\0'));
	feedback_is(&f, want);
}

START_TEST(reports)
{
	look("{\"organization-name\":\"O\",\"date-range\":{\"start-datetime\":\"1970-01-02T00:00:00Z\","
	     "\"end-datetime\":\"1970-01-02T23:59:59Z\"},\"contact-info\":\"c\",\"report-id\":\"r\",\"policies\":["
	     "{\"policy\":{\"policy-type\":\"sts\",\"policy-domain\":\"d.test\",\"mx-host\":[\"a\",\"b\"]},"
	     "\"summary\":{\"total-successful-session-count\":5,\"total-failure-session-count\":2},"
	     "\"failure-details\":[{\"result-type\":\"starttls-not-supported\",\"sending-mta-ip\":\"192.0.2.1\","
	     "\"receiving-mx-hostname\":\"m\",\"receiving-ip\":\"192.0.2.2\",\"failed-session-count\":2}]},"
	     "{\"policy\":{\"policy-type\":\"tlsa\",\"mx-host\":\"one\"}}]}",
	    "tls|org=O contact=c report-id=r begin=86400 end=172799 passed=5 failed=2"
	    "|policy-type=sts policy-domain=d.test mx-host=a passed=5 failed=2"
	    "|policy-domain=d.test result=starttls-not-supported sending-ip=192.0.2.1 receiving-mx=m "
	    "receiving-ip=192.0.2.2 failed=2|policy-type=tlsa mx-host=one passed=0 failed=0", "");
	look("{\"policies\":[5,null,{\"policy\":7,\"summary\":[],\"failure-details\":{}}],\"date-range\":\"x\","
	     "\"report-id\":[]}",
	    "tls|passed=0 failed=0|passed=0 failed=0|passed=0 failed=0|passed=0 failed=0", "");
	look("{\"policies\":[{\"summary\":{\"total-successful-session-count\":-5}}],\"organization-name\":9}",
	    "tls|org=9 passed=0 failed=0|passed=0 failed=0", "");
}
END_TEST

START_TEST(others)
{
	struct buf b;

	look("", "|", "cut short, or none");
	look("{\"policies\":[", "|", "cut short, or none");
	look("{\"policies\":[], \"policies\":[1]}", "|", "cut short, or none");
	look("{\"policies\":[]}", "|", "no report of TLS");
	look("[1,2]", "|", "no report of TLS");
	buf_init(&b, 8 << 20);
	for (int i = 0; i < 3 << 20; i++)
		buf_adds(&b, "[]");
	look(buf_cstr(&b), "|", "larger than is read");
	buf_free(&b);
}
END_TEST

UNIT_MAIN("report/feedback_tls", reports, others)
