/* SPDX-License-Identifier: GPL-3.0-or-later */

/* spf_field -- RFC 7208 9.1: the field, and that no value gets out of its place. */

#include "check/spf.h"

#include "unit.h"

static struct spf_client
client(const char *address)
{
	struct spf_client c = { .helo = STR("h.test"), .receiver = STR("mx.test") };

	ck_assert_int_eq(addr_parse(str_c(address), 0, &c.address), 0);
	return c;
}

START_TEST(fields)
{
	struct spf_client c = client("192.0.2.9");
	struct spf_verdict v = { .code = SPF_PASS, .domain = STR("a.test"), .mechanism = STR("mx:d.test"),
		.problem = STR("") };
	struct buf b;

	buf_init(&b, 8192);
	spf_add_field(&b, &c, STR("b@a.test"), false, &v);
	ck_assert_str_eq(buf_cstr(&b), "Received-SPF: pass\r\n\t(a.test\r\n\tlets its mail come from 192.0.2.9)\r\n"
	    "\tidentity=mailfrom;\r\n\tclient-ip=192.0.2.9;\r\n\thelo=h.test;\r\n\tenvelope-from=\"b@a.test\";\r\n"
	    "\treceiver=mx.test;\r\n\tmechanism=\"mx:d.test\"\r\n");
	c = client("2001:db8::1");
	v = (struct spf_verdict){ .code = SPF_PERMERROR, .domain = STR("h.test"), .mechanism = STR(""),
		.problem = STR("\"a\\ (b\" is no mechanism") };
	buf_reset(&b);
	spf_add_line(&b, &c, STR(""), true, &v);
	ck_assert_str_eq(buf_cstr(&b), "permerror identity=helo; client-ip=\"2001:db8::1\"; helo=h.test; "
	    "envelope-from=\"<>\"; receiver=mx.test; problem=\"\\\"a\\\\ (b\\\" is no mechanism\"");
	buf_free(&b);
}
END_TEST

/* Every code, and values that would like to be more. */
START_TEST(hostile)
{
	char large[5000];
	struct spf_client c = client("192.0.2.9");
	struct buf b;

	memset(large, '(', sizeof(large));
	c.helo = STR("x; receiver=evil \"\r\nX-Evil: 1");
	buf_init(&b, 65536);
	for (int code = 0; code < SPF_CODES; code++) {
		struct spf_verdict v = { .code = (enum spf_code)code, .domain = STR("a) (\r\nX-Evil: 1 \\"),
			.mechanism = str_n(large, sizeof(large)), .problem = STR("\377\0x") };
		unsigned lines = 0, open = 0;

		buf_reset(&b);
		spf_add_field(&b, &c, STR("\"a\r\nX-Evil: \"@a.test"), false, &v);
		ck_assert(buf_ok(&b) && b.n < 2048);
		ck_assert(str_ends(buf_str(&b), STR("\r\n")));
		for (size_t i = 0; i + 2 < b.n; i++) {
			ck_assert_msg(b.p[i] != '\n' || b.p[i + 1] == '\t', "%s", buf_cstr(&b));
			lines += b.p[i] == '\n';
			open += b.p[i] == '(' && b.p[i - 1] != '\\' && lines < 2;
		}
		ck_assert_uint_eq(open, 1);
		ck_assert(strstr(buf_cstr(&b), "helo=\"x; receiver=evil \\\"??X-Evil: 1\"") != NULL);
	}
	/* A sender of mail in UTF-8. */
	c = client("192.0.2.9");
	buf_reset(&b);
	spf_add_line(&b, &c, STR("b\303\244@a.test"), false, &(struct spf_verdict){ .code = SPF_PASS });
	ck_assert(strstr(buf_cstr(&b), "envelope-from=\"b\303\244@a.test\"") != NULL);
	buf_free(&b);
}
END_TEST

UNIT_MAIN("check/spf_field", fields, hostile)
