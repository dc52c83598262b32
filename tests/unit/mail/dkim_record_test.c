/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dkim_record -- which records a key can be found by. */

#include "unit.h"

#include "lib/mem.h"
#include "mail/dkim_record.h"

static const struct {
	const char *text, *why, *type, *key;
	bool testing;
} cases[] = {
	{ "v=DKIM1; k=rsa; p=YWJj", NULL, "rsa", "abc", false },
	{ "p=YWJj", NULL, "rsa", "abc", false },
	{ " v = DKIM1 ;k=ed25519; t = s : y ;p= YW \r\n\tJj ; ", NULL, "ed25519", "abc", true },
	{ "v=DKIM1; n=a note; x-y=z; P=x; p=YWJj; t=s;", NULL, "rsa", "abc", false },
	{ "h=sha1: sha256;s=email;p=YWJj", NULL, "rsa", "abc", false },
	{ "s=*;p=YWJj", NULL, "rsa", "abc", false },
	{ "", "it has no key (p=)", "rsa", "", false },
	{ "v=DKIM1", "it has no key (p=)", "rsa", "", false },
	{ "v=DKIM1; p=", "the key is revoked (p= is empty)", "rsa", "", false },
	{ "v=DKIM1; p=*", "its key is no base64", "rsa", "", false },
	{ "v=dkim1; p=YWJj", "its version is not DKIM1", "rsa", "", false },
	{ "v=DKIM1; p=YWJj; v=DKIM1", "a tag stands in it twice", "rsa", "", false },
	{ "p=YWJj; v=DKIM2", "its version is not DKIM1", "rsa", "", false },
	{ "p=YWJj; v=DKIM1", NULL, "rsa", "abc", false },
	{ "v=DKIM1; p=YWJj; p=YWJj", "a tag stands in it twice", "rsa", "", false },
	{ "v=spf1 -all", "its version is not DKIM1", "rsa", "", false },
	{ "hello", "it is no list of tags", "rsa", "", false },
	{ "p=YWJj;;k=rsa", "it is no list of tags", "rsa", "", false },
	{ "h=sha1; p=YWJj", "it does not allow sha256 (h=)", "rsa", "", false },
	{ "s=tlsrpt; p=YWJj", "it is not for mail (s=)", "rsa", "", false },
};

START_TEST(records)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dkim_record r;

		ck_assert_pstr_eq(dkim_record_parse(str_c(cases[i].text), &r), cases[i].why);
		if (cases[i].why == NULL) {
			ck_str(r.type, str_c(cases[i].type));
			ck_str(buf_str(&r.key), str_c(cases[i].key));
			ck_assert_int_eq(r.testing, cases[i].testing);
			ck_assert_int_eq(r.late_version, strstr(cases[i].text, "; v=") != NULL);
			ck_assert_int_eq(r.strict, strstr(cases[i].text, "t = s") != NULL ||
			    strstr(cases[i].text, "t=s") != NULL);
		}
		dkim_record_free(&r);
	}
}
END_TEST

START_TEST(large)
{
	size_t n = 65536;
	char *p = mem_alloc(n);
	struct dkim_record r;

	memset(p, 'A', n);
	p[0] = 'p';
	p[1] = '=';
	ck_assert_str_eq(dkim_record_parse(str_n(p, n), &r), "it is too long");
	dkim_record_free(&r);
	ck_assert_ptr_null(dkim_record_parse(str_n(p, 2 + 4096), &r));
	ck_assert_uint_eq(r.key.n, 3072);
	dkim_record_free(&r);
	mem_free(p);
}
END_TEST

START_TEST(made)
{
	struct dkim_record r;
	struct buf b;

	buf_init(&b, 100);
	dkim_record_add(&b, "ed25519", STR("abc"));
	ck_str(buf_str(&b), STR("v=DKIM1; k=ed25519; p=YWJj"));
	ck_assert_ptr_null(dkim_record_parse(buf_str(&b), &r));
	ck_str(r.type, STR("ed25519"));
	dkim_record_free(&r);
	buf_free(&b);
}
END_TEST

UNIT_MAIN("mail/dkim_record", records, large, made)
