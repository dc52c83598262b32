/* SPDX-License-Identifier: GPL-3.0-or-later */

/* RFC 6376 06: dkim -- whole messages, signed in every form, and what is made of those that are not right (S-58). */

#include "signer.h"

#include "lib/mem.h"
#include "mail/limits.h"

#define HEADER "From: Alice <a@b.example>\r\nTo: c@d.example\r\nSubject:  a \t b\r\n\tc\r\nX: 1\r\nX: 2\r\n"
#define BODY "one  two \r\n\r\n three\r\n\r\n\r\n"
#define BASE "v=1; a=rsa-sha256; d=b.example; s=s; h=From:To:Subject:X;"
#define ED "v=1; a=ed25519-sha256; d=b.example; s=e; h=From:To:Subject:X:X:X;"

static struct buf record;

static struct dkim_verdict
verdict(struct dkim_check **c, struct str text)
{
	*c = signer_read(DKIM_CHECK_DKIM, 7);
	ck_assert_uint_ge(dkim_check_count(*c), 1);
	signer_answer(*c, text);
	return dkim_check_verdict(*c, 0);
}

static void
expect(struct str text, enum dkim_result result, const char *reason)
{
	struct dkim_check *c;
	struct dkim_verdict v = verdict(&c, text);

	ck_assert_msg(v.result == result && str_eq(v.reason, str_c(reason)), "%s: " STR_FMT
	    ", expected %s: %s\n%s", dkim_result_name(v.result), STR_ARG(v.reason),
	    dkim_result_name(result), reason, buf_cstr(&signer.header));
	dkim_check_free(c);
}

/* ---- good ones --------------------------------------------------------------------- */

START_TEST(forms)
{
	static const char *const canonical[] = { "", " c=simple;", " c=relaxed;", " c=simple/simple;",
		" c=simple/relaxed;", " c=relaxed/simple;", " c=relaxed/relaxed; q=dns/txt;" };
	static const char *const bodies[] = { "", "\r\n", "\r\n\r\n", "x", "x\r\n", BODY, " \r\n",
		"8 bit \303\274\377\r\n", "stray \r and \n\r\n", "x\r" };
	char tags[200];

	for (size_t k = 0; k < ARRAY_LEN(canonical); k++)
		for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
			signer_message(HEADER, bodies[i]);
			snprintf(tags, sizeof(tags), BASE "%s", canonical[k]);
			signer_sign(signer.rsa, tags);
			expect(signer_record(&record, signer.rsa, ""), DKIM_PASS, "");
			signer_message(HEADER, bodies[i]);
			snprintf(tags, sizeof(tags), ED "%s", canonical[k]);
			signer_sign(signer.ed, tags);
			expect(signer_record(&record, signer.ed, "k=ed25519; "), DKIM_PASS, "");
		}
}
END_TEST

static const struct {
	const char *tags;	/* in place of BASE */
	enum dkim_result result;
	const char *reason;
} tags[] = {
	{ BASE " t=1799999999; x=1800000001;", DKIM_PASS, "" },
	{ BASE " t=1800003600; unknown=x_y; z=From:x|To:y;", DKIM_PASS, "" },
	{ BASE " t=1800003601;", DKIM_POLICY, "the signature is from the future" },
	{ BASE " x=1799999999;", DKIM_POLICY, "the signature has expired" },
	{ BASE " t=1799999990; x=1799999980;", DKIM_PERMERROR, "it expires before it was made" },
	{ BASE " t=-1;", DKIM_NEUTRAL, "its t= is no number" },
	{ BASE " x=99999999999999;", DKIM_NEUTRAL, "its x= is no number" },
	{ BASE " i=@b.example;", DKIM_PASS, "" },
	{ BASE " i=x=20y@sub.b.example;", DKIM_PASS, "" },
	{ BASE " i=x@notb.example;", DKIM_PERMERROR, "its i= is not in its d=" },
	{ BASE " i=x@example;", DKIM_PERMERROR, "its i= is not in its d=" },
	{ BASE " i=b.example;", DKIM_PERMERROR, "its i= is not in its d=" },
	{ BASE " q=dns/txt : other;", DKIM_PASS, "" },
	{ BASE " q=other;", DKIM_PERMERROR, "its key is not asked of DNS" },
	{ BASE " c=nowsp;", DKIM_PERMERROR, "its canonicalization is unknown" },
	{ BASE " c=relaxed/relaxed/simple;", DKIM_PERMERROR, "its canonicalization is unknown" },
	{ BASE " l=5;", DKIM_POLICY, "it signs only a part of the body (l=)" },
	{ BASE " l=0;", DKIM_POLICY, "it signs only a part of the body (l=)" },
	{ BASE " l=21;", DKIM_PASS, "" },
	{ BASE " l=22;", DKIM_FAIL, "the body is shorter than its l=" },
	{ BASE " l=100000000000000000000;", DKIM_FAIL, "the body is shorter than its l=" },
	{ BASE " l=x;", DKIM_NEUTRAL, "its l= is no number" },
	{ BASE " v=1;", DKIM_NEUTRAL, "a tag stands in it twice" },
	{ BASE " other=1; other=1;", DKIM_NEUTRAL, "a tag stands in it twice" },
	{ BASE " =1;", DKIM_NEUTRAL, "it is no list of tags" },
	{ BASE " r=y; x;", DKIM_NEUTRAL, "it is no list of tags" },
	{ "v=2; a=rsa-sha256; d=b.example; s=s; h=From;", DKIM_PERMERROR, "its version is not 1" },
	{ "v=1; a=rsa-sha1; d=b.example; s=s; h=From;", DKIM_PERMERROR, "rsa-sha1 is not to be trusted" },
	{ "v=1; a=rsa-md5; d=b.example; s=s; h=From;", DKIM_PERMERROR, "its algorithm is unknown" },
	{ "v=1; a=rsa-sha256; d=b.example; s=s; h=To:Subject;", DKIM_PERMERROR, "it does not sign From" },
	{ "v=1; a=rsa-sha256; d=b.example; s=s; h=from : to\r\n\t: absent;", DKIM_PASS, "" },
	{ "a=rsa-sha256; d=b.example; s=s; h=From;", DKIM_NEUTRAL, "it has no v=" },
	{ "v=1; d=b.example; s=s; h=From;", DKIM_NEUTRAL, "it has no a=" },
	{ "v=1; a=rsa-sha256; s=s; h=From;", DKIM_NEUTRAL, "it has no d=" },
	{ "v=1; a=rsa-sha256; d=; s=s; h=From;", DKIM_NEUTRAL, "it has no d=" },
	{ "v=1; a=rsa-sha256; d=b.example; h=From;", DKIM_NEUTRAL, "it has no s=" },
	{ "v=1; a=rsa-sha256; d=b.example; s=s;", DKIM_NEUTRAL, "it has no h=" },
	{ "v=1; a=rsa-sha256; d=b/example; s=s; h=From;", DKIM_PERMERROR, "its s= and d= are no name of a key" },
	{ "v=1; a=rsa-sha256; d=b..example; s=s; h=From;", DKIM_PERMERROR, "its s= and d= are no name of a key" },
	{ "v=1; a=rsa-sha256; d=b.example; s=../s; h=From;", DKIM_PERMERROR, "its s= and d= are no name of a key" },
	{ "v=1; a=rsa-sha256; d=B.Example; s=S.t; h=From;", DKIM_PASS, "" },
	{ "v=1; a=rsa-sha256; d=b\303\274.example; s=s; h=From;", DKIM_PASS, "" },
};

START_TEST(said)
{
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		signer_message(HEADER, BODY);
		signer_sign(signer.rsa, tags[i].tags);
		expect(signer_record(&record, signer.rsa, ""), tags[i].result, tags[i].reason);
	}
}
END_TEST

/* ---- what was changed ------------------------------------------------------------------ */

START_TEST(changed)
{
	const char *const headers[] = { "From: Alice <a@b.example>\r\nTo: c@d.example\r\nX: 1\r\n",
		"From: Alice <a@b.example>\r\nTo: c@d.example\r\nSubject:  a \t b\r\n\tc\r\nX: 1\r\nX: 3\r\n" };
	struct buf field;

	buf_init(&field, 8192);
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		struct str rest;
		struct field f;

		signer_message(HEADER, BODY);
		signer_sign(signer.rsa, BASE);
		rest = buf_str(&signer.header);
		ck_assert_int_eq(field_next(&rest, &f), 1);
		buf_reset(&field);
		buf_add(&field, f.raw);
		signer_message(headers[i], BODY);
		signer_put(buf_str(&field));
		expect(signer_record(&record, signer.rsa, ""), DKIM_FAIL,
		    "the signature is not that of the key");
		/* The body is looked at first, and no key is asked for it. */
		buf_adds(&signer.body, "more\r\n");
		expect(signer_record(&record, signer.rsa, ""), DKIM_FAIL, "the body hash does not match");
	}
	buf_free(&field);
	/* Of X only the last is signed: another above it does not matter, one below does. */
	signer_message(HEADER, BODY);
	signer_sign(signer.rsa, BASE);
	signer_put(STR("X: 0\r\n"));
	expect(signer_record(&record, signer.rsa, ""), DKIM_PASS, "");
	buf_adds(&signer.header, "x: 3\r\n");
	expect(signer_record(&record, signer.rsa, ""), DKIM_FAIL, "the signature is not that of the key");
	/* More names than fields: none can be added. */
	signer_message(HEADER, BODY);
	signer_sign(signer.ed, ED);
	expect(signer_record(&record, signer.ed, "k=ed25519; "), DKIM_PASS, "");
	signer_put(STR("X: 0\r\n"));
	expect(signer_record(&record, signer.ed, "k=ed25519; "), DKIM_FAIL,
	    "the signature is not that of the key");
}
END_TEST

START_TEST(broken_headers)
{
	static const struct {
		const char *more, *why;
	} t[] = {
		{ "From: x@y.example\r\n", "the message has more than one From" },
		{ "what\r\n", "a line of the header is no field" },
		{ "Y: a\rb\r\n", "the header has a CR or LF alone" },
		{ "Y: a\n b\r\n", "the header has a CR or LF alone" },
	};
	char *large = mem_alloc(MAIL_HEADER_MAX);

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		signer_message(HEADER, BODY);
		signer_sign(signer.rsa, BASE);
		buf_adds(&signer.header, t[i].more);
		expect(signer_record(&record, signer.rsa, ""), DKIM_PERMERROR, t[i].why);
	}
	signer_message("To: x\r\n", BODY);
	signer_sign(signer.rsa, BASE);
	expect(signer_record(&record, signer.rsa, ""), DKIM_PERMERROR, "the message has no From");
	memset(large, 'x', MAIL_HEADER_MAX);
	signer_message(HEADER, BODY);
	signer_sign(signer.rsa, BASE);
	buf_adds(&signer.header, "Y: ");
	buf_add(&signer.header, str_n(large, MAIL_HEADER_MAX));
	buf_adds(&signer.header, "\r\n");
	expect(signer_record(&record, signer.rsa, ""), DKIM_PERMERROR, "the header is too large");
	mem_free(large);
}
END_TEST

/* ---- how many, and how they are told apart ------------------------------------------------ */

START_TEST(several)
{
	struct dkim_check *c;
	struct dkim_verdict v;

	signer_message(HEADER, BODY);
	for (int i = 0; i < DKIM_CHECK_MAX + 3; i++)
		signer_sign(signer.rsa, BASE " c=relaxed/relaxed; r=y;");
	c = signer_read(DKIM_CHECK_DKIM | DKIM_CHECK_ARC, 1000);
	ck_assert_uint_eq(dkim_check_count(c), DKIM_CHECK_MAX);
	ck_assert_uint_eq(dkim_check_ignored(c), 3);
	/* One name for all. */
	ck_assert_uint_eq(dkim_check_key_count(c), 1);
	ck_str(dkim_check_key_name(c, 0), STR("s._domainkey.b.example"));
	v = dkim_check_verdict(c, 0);
	ck_assert_int_eq(v.result, DKIM_TEMPERROR);
	signer_answer(c, signer_record(&record, signer.rsa, "t=y; "));
	for (size_t i = 0; i < DKIM_CHECK_MAX; i++) {
		v = dkim_check_verdict(c, i);
		ck_assert_int_eq(v.result, DKIM_PASS);
		ck_assert(v.testing && v.reports);
		ck_str(v.domain, STR("b.example"));
		ck_str(v.selector, STR("s"));
		ck_str(v.identity, STR("@b.example"));
		ck_str(v.algorithm, STR("rsa-sha256"));
		/* They are the same octets: as much as there is. */
		ck_assert_uint_eq(v.b.n, 64);
	}
	ck_assert_int_eq(dkim_check_arc(c).result, ARC_NONE);
	dkim_check_free(c);
	signer_message(HEADER, BODY);
	signer_sign(signer.rsa, BASE " i=x@sub.b.example;");
	signer_sign(signer.ed, ED);
	c = signer_read(DKIM_CHECK_DKIM, 1000);
	ck_assert_uint_eq(dkim_check_verdict(c, 0).b.n, 8);
	ck_str(dkim_check_verdict(c, 1).identity, STR("x@sub.b.example"));
	ck_assert_uint_eq(dkim_check_key_count(c), 2);
	dkim_check_free(c);
	dkim_check_free(NULL);
}
END_TEST

/* RFC 6376 3.6.1: a key under test, whatever is wrong with the message. */
START_TEST(under_test)
{
	for (int body = 0; body < 2; body++) {
		for (int testing = 0; testing < 2; testing++) {
			struct dkim_check *c;
			struct dkim_verdict v;

			signer_message(HEADER, BODY);
			signer_sign(signer.rsa, BASE);
			buf_adds(body ? &signer.body : &signer.header, body ? "more\r\n" : "To: y\r\n");
			c = signer_read(DKIM_CHECK_DKIM, 1000);
			signer_answer(c, signer_record(&record, signer.rsa, testing ? "t=s:y; " : ""));
			v = dkim_check_verdict(c, 0);
			ck_assert_int_eq(v.result, DKIM_FAIL);
			ck_assert_int_eq(v.testing, testing);
			dkim_check_free(c);
		}
	}
}
END_TEST

/* As many lengths as signatures: each has a hash of its own, and none passes. */
START_TEST(lengths)
{
	struct dkim_check *c;
	char t[200];

	signer_message(HEADER, BODY);
	for (int i = 0; i < DKIM_CHECK_MAX; i++) {
		snprintf(t, sizeof(t), BASE " l=%d;", i);
		signer_sign(signer.rsa, t);
	}
	c = signer_read(DKIM_CHECK_DKIM, 3);
	signer_answer(c, signer_record(&record, signer.rsa, ""));
	for (size_t i = 0; i < DKIM_CHECK_MAX; i++)
		ck_assert_int_eq(dkim_check_verdict(c, i).result, DKIM_POLICY);
	dkim_check_free(c);
}
END_TEST

/* All of them, as they go into a field. */
START_TEST(told)
{
	struct results r = { .n = 0 };
	struct dkim_check *c;
	struct buf b;

	buf_init(&b, 65536);
	signer_message(HEADER, BODY);
	c = signer_read(DKIM_CHECK_DKIM | DKIM_CHECK_ARC, 10);
	dkim_check_results(c, STR("192.0.2.9"), &r);
	results_add_field(&b, "mx", &r);
	ck_str(buf_str(&b), STR("Authentication-Results: mx;\r\n\tarc=none;\r\n\tdkim=none\r\n"));
	dkim_check_free(c);
	signer_sign(signer.rsa, BASE);
	signer_sign(signer.rsa, "v=2; a=rsa-sha256; d=b.example; s=s; h=From;");
	c = signer_read(DKIM_CHECK_DKIM, 10);
	signer_answer(c, signer_record(&record, signer.rsa, ""));
	r.n = 0;
	dkim_check_results(c, STR("192.0.2.9"), &r);
	ck_assert_uint_eq(r.n, 2);
	ck_assert_str_eq(r.v[0].value, "permerror");
	ck_str(r.v[0].reason, STR("its version is not 1"));
	ck_assert_str_eq(r.v[1].value, "pass");
	ck_assert_uint_eq(r.v[1].prop_n, 5);
	ck_str(r.v[1].props[0].value, STR("b.example"));
	dkim_check_free(c);
	buf_free(&b);
}
END_TEST

START_TEST(names)
{
	static const char *const results[] = { "pass", "fail", "neutral", "policy", "temperror", "permerror" };

	for (size_t i = 0; i < ARRAY_LEN(results); i++)
		ck_assert_str_eq(dkim_result_name((enum dkim_result)i), results[i]);
	ck_assert_str_eq(arc_result_name(ARC_NONE), "none");
	ck_assert_str_eq(arc_result_name(ARC_PASS), "pass");
	ck_assert_str_eq(arc_result_name(ARC_FAIL), "fail");
}
END_TEST

int
main(void)
{
	int rc;

	signer_begin();
	buf_init(&record, 16384);
	rc = unit_run("check/dkim", UNIT_CASE("dkim", forms, said, changed, broken_headers, several, under_test,
	    lengths, told, names));
	buf_free(&record);
	signer_end();
	return rc;
}
