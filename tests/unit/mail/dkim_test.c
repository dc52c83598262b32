/* SPDX-License-Identifier: GPL-3.0-or-later */

/* RFC 6376 04: dkim -- which messages can be signed, and what of them is. */

#include "unit.h"

#include "lib/mem.h"
#include "mail/dkim.h"
#include "mail/limits.h"

#define FROM "From: a@b.example\r\n"
#define BROKEN "a line of its header is no field"

static const struct {
	const char *text, *why, *domain, *local;
} cases[] = {
	{ FROM "\r\nx\r\n", NULL, "b.example", "a" },
	{ FROM "\r\n", NULL, "b.example", "a" },
	{ FROM, NULL, "b.example", "a" },
	{ "From: a@b.example", NULL, "b.example", "a" },
	{ "from:\"a@c\" (d@e) <A@B.Example>, x@y\r\n\r\n", NULL, "b.example", "A" },
	{ "FROM :\r\n\ta@b.example\r\n\r\n", NULL, "b.example", "a" },
	{ "From: a@b\303\244.example\r\n\r\n", NULL, "xn--b-0fa.example", "a" },
	{ "From: a@b.example\nTo: x\n\nFrom: x\n", NULL, "b.example", "a" },
	{ "From: a@b.example\rTo: x\r\r", NULL, "b.example", "a" },
	{ "From: \"a b\\\"\"@b.example\r\n\r\n", NULL, "b.example", "a b\"" },
	{ "From: \303\244@b.example\r\n\r\n", NULL, "b.example", "\303\244" },
	{ "", "it has no From", "", "" },
	{ "\r\n" FROM, "it has no From", "", "" },
	{ "To: a@b.example\r\n\r\n", "it has no From", "", "" },
	{ FROM FROM "\r\n", "it has more than one From", "", "" },
	{ "From: a@b.example\rFrom: c@d.example\r\n\r\n", "it has more than one From", "", "" },
	{ "From: a\r\n\r\n", "its From has no address with a domain", "", "" },
	{ "From:\r\n\r\n", "its From has no address with a domain", "", "" },
	{ "From: a@b.\"\\\013'\"\r\n\r\n", "its From has no address with a domain", "", "" },
	{ "From a@b.example\r\n" FROM "\r\n", BROKEN, "", "" },
	{ FROM "what\r\n\r\n", BROKEN, "", "" },
};

static struct dkim_text *
read_text(struct str text, size_t n, bool exact)
{
	struct dkim_text *t = dkim_text_new(exact, true);

	for (; text.n > 0; text = str_skip(text, n))
		dkim_text_add(t, str_head(text, n));
	return t;
}

START_TEST(texts)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t n = 1; n < 100; n += 7) {
			struct dkim_text *t = read_text(str_c(cases[i].text), n, false);

			ck_assert_pstr_eq(dkim_text_end(t), cases[i].why);
			ck_str(dkim_text_domain(t), str_c(cases[i].domain));
			ck_str(dkim_text_local(t), str_c(cases[i].local));
			dkim_text_free(t);
		}
	}
	dkim_text_free(NULL);
}
END_TEST

/* What leaves as it is has no other line ends than it has. */
START_TEST(exact)
{
	struct dkim_text *t = read_text(STR(FROM "X: a\rb\r\n\r\n"), 5, true);

	ck_assert_str_eq(dkim_text_end(t), "its header has a CR or LF alone");
	dkim_text_free(t);
	t = read_text(STR(FROM "\r\na\rb\nc"), 5, true);
	ck_assert_ptr_null(dkim_text_end(t));
	dkim_text_free(t);
}
END_TEST

START_TEST(large)
{
	size_t n = MAIL_HEADER_MAX + 1;
	char *p = mem_alloc(n);
	struct dkim_text *t;

	memset(p, 'x', n);
	t = read_text(str_n(p, n), 4096, false);
	ck_assert_str_eq(dkim_text_end(t), "its header is too large");
	dkim_text_free(t);
	mem_free(p);
}
END_TEST

static void
begin(const char *text, struct buf *field, unsigned char digest[SHA256_SIZE])
{
	const struct dkim_signer s = { .domain = STR("b.example"), .selector = STR("s"),
		.algorithm = "rsa-sha256", .now = 1700000000 };
	struct dkim_text *t = read_text(str_c(text), 1000, false);

	ck_assert_ptr_null(dkim_text_end(t));
	buf_init(field, DKIM_FIELD_MAX);
	ck_assert_int_eq(dkim_field_begin(t, &s, field, digest), 0);
	dkim_text_free(t);
}

#define START "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td=b.example;\r\n\ts=s; t=1700000000;\r\n\th="
/* That of nothing, and of "x" CRLF. */
#define EMPTY "\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb="
#define TEXT "Subject:  a \t b \r\n\tc\r\nX-Other: 1\r\nTO: x\r\nto:y\r\n" FROM "Date: d\r\n\r\n"
#define NAMES "From:From:To:To:To:Cc:Subject:Subject:Reply-To:In-Reply-To:References:\r\n\tDate:Date;\r\n"

/* Its text is what RFC 6376 3.7 says, written out here by hand. */
START_TEST(fields)
{
	static const char signed_text[] = "from:a@b.example\r\nto:y\r\nto:x\r\n"
	    "subject:a b c\r\ndate:d\r\ndkim-signature:v=1; a=rsa-sha256; "
	    "c=relaxed/relaxed; d=b.example; s=s; t=1700000000; "
	    "h=From:From:To:To:To:Cc:Subject:Subject:Reply-To:In-Reply-To:References: "
	    "Date:Date; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=";
	unsigned char digest[SHA256_SIZE], want[SHA256_SIZE], bytes[100] = { 0 };
	struct buf field;

	begin(TEXT, &field, digest);
	ck_str(buf_str(&field), STR(START NAMES EMPTY));
	ck_assert_int_eq(sha256(str_c(signed_text), want), 0);
	ck_assert_mem_eq(digest, want, sizeof(want));
	dkim_field_end(&field, str_n((const char *)bytes, sizeof(bytes)));
	ck_assert(buf_ok(&field));
	/* 136 characters of base64 in two lines. */
	ck_assert_uint_eq(field.n, sizeof(START NAMES EMPTY) - 1 + 136 + 3 + 2);
	ck_assert(str_ends(buf_str(&field), STR("A==\r\n")));
	buf_free(&field);
}
END_TEST

/* So many fields that their names have no room are no reason to leave some out. */
START_TEST(crowded)
{
	const struct dkim_signer s = { .domain = STR("b.example"), .selector = STR("s"),
		.algorithm = "rsa-sha256" };
	unsigned char digest[SHA256_SIZE];
	struct dkim_text *t;
	struct buf text, field;

	buf_init(&text, MAIL_HEADER_MAX);
	buf_add(&text, STR(FROM));
	for (int i = 0; i < 8000; i++)
		buf_add(&text, STR("To: x\r\n"));
	t = read_text(buf_str(&text), 1000, false);
	ck_assert_ptr_null(dkim_text_end(t));
	buf_init(&field, DKIM_FIELD_MAX);
	ck_assert_int_eq(dkim_field_begin(t, &s, &field, digest), -1);
	buf_free(&field);
	buf_free(&text);
	dkim_text_free(t);
}
END_TEST

/* Simple forms, and what else a signature can say. */
START_TEST(others)
{
	static const char signed_text[] = "From: a@b.example\r\nTO: x\r\nto:y\r\n";
	struct dkim_signer s = { .domain = STR("b.example"), .selector = STR("s"),
		.algorithm = "rsa-sha256", .now = 1700000000, .expires = 1700000060, .reports = true,
		.simple_header = true, .simple_body = true };
	unsigned char digest[SHA256_SIZE], want[SHA256_SIZE];
	struct dkim_text *t = read_text(STR("to:y\r\nTO: x\r\n" FROM "\r\na  b \r\n\r\n"), 3, false);
	struct buf field, text;

	ck_assert_ptr_null(dkim_text_end(t));
	ck_str(dkim_text_header(t), STR("to:y\r\nTO: x\r\n" FROM));
	buf_init(&field, DKIM_FIELD_MAX);
	buf_init(&text, DKIM_FIELD_MAX);
	ck_assert_int_eq(dkim_field_begin(t, &s, &field, digest), 0);
	ck_assert(str_starts(buf_str(&field), STR("DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple;\r\n"
	    "\td=b.example;\r\n\ts=s; t=1700000000; x=1700000060; r=y;\r\n\th=From:From:To:To:To:")));
	/* That of "a  b " and a line end. */
	ck_assert(strstr(field.p, "bh=MKXlNKDpNhr03jLmqI70/8vsYDFl7kyp/u0jMUUYZ7M=;") != NULL);
	buf_adds(&text, signed_text);
	buf_add(&text, buf_str(&field));
	ck_assert_int_eq(sha256(buf_str(&text), want), 0);
	ck_assert_mem_eq(digest, want, sizeof(want));
	/* Others are signed where they are, each name once. */
	buf_reset(&field);
	s.more = (const struct str[]){ STR("X-None"), STR("a"), STR("TO"), STR("A") };
	s.more_n = 4;
	dkim_text_free(t);
	t = read_text(STR(FROM "a: 1\r\nA: 2\r\n\r\n"), 3, false);
	ck_assert_ptr_null(dkim_text_end(t));
	ck_assert_int_eq(dkim_field_begin(t, &s, &field, digest), 0);
	ck_assert_msg(strstr(buf_cstr(&field), "References:a:a;\r\n") != NULL, "%s", buf_cstr(&field));
	dkim_text_free(t);
	t = read_text(STR("to:y\r\nTO: x\r\n" FROM "\r\na  b \r\n\r\n"), 3, false);
	ck_assert_ptr_null(dkim_text_end(t));
	/* Of an instance of ARC it has another name, and signs what signed before. */
	buf_reset(&field);
	s = (struct dkim_signer){ .domain = s.domain, .selector = s.selector, .algorithm = "rsa-sha256",
		.now = 1, .instance = 3, .simple_body = true };
	ck_assert_int_eq(dkim_field_begin(t, &s, &field, digest), 0);
	ck_assert(str_starts(buf_str(&field), STR("ARC-Message-Signature: i=3; a=rsa-sha256; c=relaxed/simple;\r\n")));
	dkim_text_free(t);
	/* The body was not read for that form. */
	t = dkim_text_new(false, false);
	dkim_text_add(t, STR(FROM "\r\n"));
	ck_assert_ptr_null(dkim_text_end(t));
	buf_reset(&field);
	ck_assert_int_eq(dkim_field_begin(t, &s, &field, digest), -1);
	dkim_text_free(t);
	buf_free(&field);
	buf_free(&text);
}
END_TEST

UNIT_MAIN("mail/dkim", texts, exact, large, fields, others, crowded)
