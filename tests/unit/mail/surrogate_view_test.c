/* SPDX-License-Identifier: GPL-3.0-or-later */

/* surrogate_view_test -- messages as readers of ASCII get them: each header of them (RFC 6856, RFC 6858). */

#include "mail/surrogate.h"

#include "unit.h"

/* \303\251 is an e with an accent: "w6k=" in base64. */
#define E "\303\251"
#define E64 "=?utf-8?B?w6k=?="
#define INVALID "<invalid@internationalized-address.invalid>"
#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define SIGNED "Content-Type: multipart/signed; boundary=b\r\n\r\n"
#define OUT_MAX (2 * SURROGATE_MADE_MAX + SURROGATE_GROWTH * 1000000)

static struct buf out;

/* What MESSAGE becomes, given in pieces of STEP octets. */
static struct str
view(struct str message, size_t step)
{
	struct surrogate_view *v = surrogate_view_new();

	buf_free(&out);
	buf_init(&out, OUT_MAX);
	for (size_t at = 0; at < message.n; at += step)
		surrogate_view_add(v, str_head(str_skip(message, at), step), &out);
	surrogate_view_end(v, &out);
	surrogate_view_free(v);
	ck_assert(buf_ok(&out));
	return buf_str(&out);
}

static const struct {
	const char *in, *want;
} messages[] = {
	/* A body is nobody's header. */
	{ "Subject: " E "\r\n\r\nSubject: " E "\r\n", "Subject: " E64 "\r\n\r\nSubject: " E "\r\n" },
	{ "Subject: " E, "Subject: " E64 "\r\n" },
	{ "A: b\n\nx\ry" E "\r", "A: b\n\nx\ry" E "\r" },
	/* The parts of a multipart, and what stands between them. */
	{ MIXED E "\r\n--b\r\nContent-Disposition: attachment; filename=" E "\r\n\r\n" E "\r\n"
	  "--b\r\nX: " E "\r\n--b--\r\nX: " E "\r\n",
	  MIXED E "\r\n--b\r\nContent-Disposition: attachment; filename*=utf-8''%C3%A9\r\n\r\n" E "\r\n"
	  "--b\r\nX: " E64 "\r\n--b--\r\nX: " E "\r\n" },
	/* Messages in messages, of either kind; not what is encoded. */
	{ "Content-Type: message/rfc822\r\n\r\nFrom: " E "@b.test\r\n\r\nX: " E "\r\n",
	  "Content-Type: message/rfc822\r\n\r\nFrom: =?utf-8?B?w6lAYi50ZXN0?= " INVALID "\r\n\r\nX: " E "\r\n" },
	{ "X: " E "\r\nContent-Type: message/global\r\n\r\nContent-Type: message/global\r\n\r\n"
	  "Subject: " E "\r\n\r\n" E "\r\n",
	  "X: " E64 "\r\nContent-Type: message/global\r\n\r\nContent-Type: message/global\r\n\r\n"
	  "Subject: " E64 "\r\n\r\n" E "\r\n" },
	{ "Content-Type: message/global-headers\r\n\r\nSubject: " E "\r\n",
	  "Content-Type: message/global-headers\r\n\r\nSubject: " E "\r\n" },
	{ "Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\r\nSubject: " E "\r\n",
	  "Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\r\nSubject: " E "\r\n" },
	/* What is signed stays what was signed; its own header was not. */
	{ "X: " E "\r\n" SIGNED "--b\r\nX: " E "\r\n\r\n--b--\r\n",
	  "X: " E64 "\r\n" SIGNED "--b\r\nX: " E "\r\n\r\n--b--\r\n" },
	/* One of the last century in one of this, and the other way. */
	{ "X: \351\r\n" MIXED "--b\r\nX: " E "\r\n\r\n", "X: \351\r\n" MIXED "--b\r\nX: " E64 "\r\n\r\n" },
	{ "X: " E "\r\n" MIXED "--b\r\nX: \351\r\n\r\n", "X: " E64 "\r\n" MIXED "--b\r\nX: \351\r\n\r\n" },
	{ "", "" },
};

START_TEST(each)
{
	for (size_t i = 0; i < ARRAY_LEN(messages); i++)
		for (size_t step = 1; step < 40; step++)
			ck_str(view(str_c(messages[i].in), step), str_c(messages[i].want));
	buf_free(&out);
}
END_TEST

/* A header that is too large goes as it is, and the next one does not. */
START_TEST(large)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_adds(&b, "X: " E "\r\n");
	while (b.n <= SURROGATE_HEADER_MAX)
		buf_adds(&b, "Y: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n");
	buf_adds(&b, MIXED "--b\r\n");
	for (size_t step = 1000; step < 300000; step *= 7) {
		size_t n = b.n;
		buf_adds(&b, "X: " E "\r\n\r\n");
		struct str got = view(buf_str(&b), step);
		ck_assert(str_starts(got, str_head(buf_str(&b), n)));
		ck_str(str_skip(got, n), STR("X: " E64 "\r\n\r\n"));
		buf_cut(&b, n);
	}
	buf_free(&b);
	buf_free(&out);
}
END_TEST

/* What would become many times as large: the bound is kept whatever stands there. */
START_TEST(bound)
{
	static const char *const parts[] = { E "@,", E ",", E " ", "<" E ">", "a@" E ",", E "=" E ";", "\"" E "\"" };
	static const char *const fields[] = { "To: ", "X: ", "Content-Type: " };
	struct buf b;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(parts) * ARRAY_LEN(fields); i++) {
		buf_reset(&b);
		buf_adds(&b, fields[i % ARRAY_LEN(fields)]);
		while (b.n < 50000)
			buf_adds(&b, parts[i / ARRAY_LEN(fields)]);
		buf_adds(&b, "\r\n\r\n");
		ck_assert_uint_le(view(buf_str(&b), 4096).n, SURROGATE_GROWTH * b.n);
		ck_assert(str_ends(buf_str(&out), STR("\r\n\r\n")));
	}
	buf_free(&b);
	buf_free(&out);
}
END_TEST

UNIT_MAIN("mail/surrogate_view", each, large, bound)
