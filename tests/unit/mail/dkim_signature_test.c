/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dkim_signature -- what fields say, and which say nothing (S-58). */

#include "mail/dkim_signature.h"

#include "unit.h"

/* That of nothing. */
#define BH "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define BASE "v=1; a=rsa-sha256; d=b.example; s=s; h=From; " BH "; b=QQ=="
#define MESSAGE "i=1; a=rsa-sha256; d=b.example; s=s; h=From; " BH "; b=QQ=="
#define SEAL "i=1; a=rsa-sha256; d=b.example; s=s; cv=none; b=QQ=="

static const struct {
	enum dkim_kind kind;
	const char *value, *why, *flaw;
} cases[] = {
	{ DKIM_SIGNATURE, BASE, NULL, NULL },
	{ DKIM_SIGNATURE, BASE ";", NULL, NULL },
	{ DKIM_SIGNATURE, BASE " ; \r\n\t", NULL, NULL },
	{ DKIM_SIGNATURE, BASE ";;x=y", "it is no list of tags", NULL },
	{ DKIM_SIGNATURE, BASE "; x", "it is no list of tags", NULL },
	{ DKIM_SIGNATURE, BASE "; 1=2", "it is no list of tags", NULL },
	{ DKIM_SIGNATURE, BASE "; a-b=2", "it is no list of tags", NULL },
	{ DKIM_SIGNATURE, BASE "; y=\001", "it is no list of tags", NULL },
	{ DKIM_SIGNATURE, BASE "; y=\177", "it is no list of tags", NULL },
	{ DKIM_SIGNATURE, BASE "; a=rsa-sha256", "a tag stands in it twice", NULL },
	{ DKIM_SIGNATURE, BASE "; A=rsa-sha256; c=; q=; l=0; t=0; x=0", NULL, NULL },
	{ DKIM_SIGNATURE, BASE "; c = Relaxed / simple", NULL, "its canonicalization is unknown" },
	{ DKIM_SIGNATURE, BASE "; l=", "its l= is no number", NULL },
	{ DKIM_SIGNATURE, BASE "; l=1 2", "its l= is no number", NULL },
	{ DKIM_SIGNATURE, "v=1; a=rsa-sha256; d=d; s=s; h=From; bh=QQ==; b=QQ==", "its bh= is no SHA-256", NULL },
	{ DKIM_SIGNATURE, "v=1; a=rsa-sha1; d=d; s=s; h=From; bh=QQ==; b=QQ==", NULL, "rsa-sha1 is not to be trusted" },
	{ DKIM_SIGNATURE, "", "it has no v=", NULL },
	{ DKIM_SIGNATURE, "v=1", "it has no a=", NULL },
	{ DKIM_ARC_MESSAGE, MESSAGE, NULL, NULL },
	{ DKIM_ARC_MESSAGE, BASE, "it has no i=", NULL },
	{ DKIM_ARC_MESSAGE, MESSAGE "; i=2", "a tag stands in it twice", NULL },
	{ DKIM_ARC_SEAL, SEAL, NULL, NULL },
	{ DKIM_ARC_SEAL, SEAL "; h=From", NULL, "it is a seal with h=" },
	{ DKIM_ARC_SEAL, SEAL "; h=", NULL, "it is a seal with h=" },
	{ DKIM_ARC_SEAL, MESSAGE, "it has no cv=", NULL },
	{ DKIM_ARC_MESSAGE, "i=51; a=rsa-sha256; d=d; s=s; h=From; " BH "; b=QQ==", "its i= is no instance from 1 to 50", NULL },
	{ DKIM_ARC_MESSAGE, "i=0; a=rsa-sha256; d=d; s=s; h=From; " BH "; b=QQ==", "its i= is no instance from 1 to 50", NULL },
	{ DKIM_ARC_MESSAGE, "i=x; a=rsa-sha256; d=d; s=s; h=From; " BH "; b=QQ==", "its i= is no instance from 1 to 50", NULL },
	{ DKIM_ARC_MESSAGE, "i=1; a=rsa-sha256; d=d; s=s; h=From:arc-seal; " BH "; b=QQ==", NULL, "it signs an ARC-Seal" },
	{ DKIM_ARC_MESSAGE, "i=1; a=rsa-sha256; d=d; s=s; h=To; " BH "; b=QQ==", NULL, "it does not sign From" },
};

START_TEST(fields)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dkim_signature s;

		ck_assert_pstr_eq(dkim_signature_parse(str_c(cases[i].value), cases[i].kind, &s), cases[i].why);
		if (cases[i].why == NULL)
			ck_assert_pstr_eq(dkim_signature_flaw(&s), cases[i].flaw);
	}
}
END_TEST

START_TEST(values)
{
	struct str text = STR(" v=1; a=ed25519-sha256;\r\n\tc=relaxed; d=D.example ; s=\ts ;i=x@y; l=12; t=7; x=9;"
	    " h=From :\r\n To; " BH " ; b= QQ\r\n == ;r=y; q=dns/txt"), rest, name;
	struct dkim_signature s;

	ck_assert_ptr_null(dkim_signature_parse(text, DKIM_SIGNATURE, &s));
	ck_assert_ptr_null(dkim_signature_flaw(&s));
	ck_assert(s.relaxed_header && !s.relaxed_body && s.has_length && s.reports);
	ck_assert_int_eq(s.algorithm, DKIM_ED25519_SHA256);
	ck_assert_uint_eq(s.length, 12);
	ck_assert_uint_eq(s.made, 7);
	ck_assert_uint_eq(s.expires, 9);
	ck_str(s.domain, STR("D.example"));
	ck_str(s.selector, STR("s"));
	ck_str(s.identity, STR("x@y"));
	ck_str(s.proof, STR("QQ\r\n =="));
	ck_str(s.cut, STR(" QQ\r\n == "));
	ck_assert_uint_eq(s.body_hash[0], 0xe3);
	rest = s.names;
	ck_assert(dkim_signature_name(&rest, &name));
	ck_str(name, STR("From"));
	ck_assert(dkim_signature_name(&rest, &name));
	ck_str(name, STR("To"));
	ck_assert(!dkim_signature_name(&rest, &name));
}
END_TEST

static const char *
crowd(int tags, int names)
{
	static const char *why;
	struct dkim_signature s;
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_adds(&b, "v=1; a=rsa-sha256; d=d; s=s; " BH "; b=QQ==");
	for (int i = 0; i < tags; i++)
		buf_addf(&b, "; t%d=x", i);
	buf_adds(&b, "; h=From");
	for (int i = 0; i < names; i++)
		buf_addf(&b, ":n%d", i);
	why = dkim_signature_parse(buf_str(&b), DKIM_SIGNATURE, &s);
	if (why == NULL)
		why = dkim_signature_flaw(&s);
	buf_free(&b);
	return why;
}

START_TEST(crowds)
{
	ck_assert_ptr_null(crowd(50, 100));
	ck_assert_str_eq(crowd(10000, 0), "it has too many tags");
	ck_assert_str_eq(crowd(0, 10000), "its h= has too many names");
}
END_TEST

START_TEST(base64)
{
	static const struct {
		const char *text, *want;
	} t[] = { { "", "" }, { "YWJj", "abc" }, { " Y W\r\n\tJ j ", "abc" }, { "YWI =", "ab" },
		{ "YWI", NULL }, { "YW*j", NULL }, { "YWJj=", NULL } };

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct buf b;

		buf_init(&b, 100);
		ck_assert_int_eq(dkim_base64_add(&b, str_c(t[i].text)), t[i].want != NULL ? 0 : -1);
		if (t[i].want != NULL)
			ck_str(buf_str(&b), str_c(t[i].want));
		buf_free(&b);
	}
}
END_TEST

START_TEST(instances)
{
	static const struct {
		const char *value;
		unsigned want;
	} t[] = { { " i=1; mx.example; none", 1 }, { "\r\n\ti = 50 ;x", 50 }, { "(c) i= (d) 7;", 7 }, { "i=51;", 0 },
		{ "i=0;", 0 }, { "i=1", 0 }, { "mx.example; i=1;", 0 }, { "", 0 }, { "(", 0 }, { "i=1 1;", 0 } };

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_msg(arc_results_instance(str_c(t[i].value)) == t[i].want, "%s", t[i].value);
}
END_TEST

UNIT_MAIN("mail/dkim_signature", fields, values, crowds, base64, instances)
