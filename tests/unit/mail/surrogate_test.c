/* SPDX-License-Identifier: GPL-3.0-or-later */

/* surrogate_test -- headers in UTF-8 for readers of ASCII (RFC 6856, RFC 6858). */

#include "mail/surrogate.h"

#include "unit.h"

static struct arena arena;
static struct buf out;

static struct str
surrogate(struct str header)
{
	arena_init(&arena, 1 << 20);
	buf_init(&out, 1 << 20);
	surrogate_add(&arena, header, &out);
	ck_assert(buf_ok(&out));
	return buf_str(&out);
}

static void
done(void)
{
	buf_free(&out);
	arena_free(&arena);
}

START_TEST(needed)
{
	ck_assert(!surrogate_needed(STR("Subject: x\r\n\r\n")));
	ck_assert(surrogate_needed(STR("Subject: \303\251\r\n\r\n")));
	/* Of the last century: nobody knows what it means. */
	ck_assert(!surrogate_needed(STR("Subject: \351t\351\r\n\r\n")));
}
END_TEST

/* \303\251 is an e with an accent: "w6k=" in base64. */
#define E "\303\251"
#define E64 "=?utf-8?B?w6k=?="
#define INVALID "<invalid@internationalized-address.invalid>"

static const struct {
	const char *in, *want;
} fields[] = {
	{ "Subject: " E "\r\n", "Subject: " E64 "\r\n" },
	{ "X-Any:\t" E "\n", "X-Any: " E64 "\r\n" },
	{ "From: " E " <a@b.test>\r\n", "From: " E64 " <a@b.test>\r\n" },
	{ "From: \"" E "\" <a@b.test>\r\n", "From: " E64 " <a@b.test>\r\n" },
	{ "From: \"a, b " E "\" <a@b.test>\r\n",
	    "From: =?utf-8?B?YSwgYiDDqQ==?= <a@b.test>\r\n" },
	{ "From: a@\303\251.test\r\n", "From: <a@xn--9ca.test>\r\n" },
	{ "From: A <a@\303\251.test>\r\n", "From: A <a@xn--9ca.test>\r\n" },
	{ "From: " E "@b.test\r\n", "From: =?utf-8?B?w6lAYi50ZXN0?= " INVALID "\r\n" },
	{ "From: A <" E "@b.test>\r\n",
	    "From: =?utf-8?B?QSA8w6lAYi50ZXN0Pg==?= " INVALID "\r\n" },
	/* The others of a list are left alone. */
	{ "To: \"x, y\" <a@b.test>, " E " <c@d.test>,\r\n e@f.test\r\n",
	    "To: \"x, y\" <a@b.test>, " E64 " <c@d.test>, e@f.test\r\n" },
	{ "Cc: " E ": a@b.test, " E " <c@d.test>;\r\n",
	    "Cc: " E64 ": a@b.test, " E64 " <c@d.test>; \r\n" },
	{ "To: (" E ", x) a@b.test, c@d.test\r\n",
	    "To: =?utf-8?B?KMOpLCB4KSBhQGIudGVzdA==?= " INVALID ", c@d.test\r\n" },
	{ "To: \"a\\\"" E " <a@b.test>\r\n", "To: =?utf-8?B?YSLDqSA8YUBiLnRlc3Q+?= " INVALID "\r\n" },
	{ "Content-Type: text/plain; name=\"" E " x.txt\"; charset=utf-8\r\n",
	    "Content-Type: text/plain; name*=utf-8''%C3%A9%20x.txt; charset=utf-8\r\n" },
	{ "Content-Disposition: " E "; filename=" E "\r\n",
	    "Content-Disposition: ??; filename*=utf-8''%C3%A9\r\n" },
	/* ASCII stays as it is, to the octet. */
	{ "To:  a@b.test ,\r\n\tc@d.test\n", "To:  a@b.test ,\r\n\tc@d.test\n" },
};

/* Where a line is folded is not what is looked at here, but where it may be. */
static struct str
unfolded(void)
{
	static const char fold[] = "\r\n ";
	size_t n = 0;

	for (size_t i = 0; i < out.n; i++) {
		if (i + 3 <= out.n && memcmp(out.p + i, fold, 3) == 0)
			i += 2;
		out.p[n++] = out.p[i];
	}
	return str_n(out.p, n);
}

START_TEST(each)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		ck_assert(!str_has_8bit(surrogate(str_c(fields[i].in))));
		ck_str(unfolded(), str_c(fields[i].want));
		done();
	}
}
END_TEST

START_TEST(whole)
{
	ck_str(surrogate(STR("A: b\r\nSubject: " E "\r\nC: d\r\n\r\n")),
	    STR("A: b\r\nSubject: " E64 "\r\nC: d\r\n\r\n"));
	done();
	ck_str(surrogate(STR("Subject: " E)), STR("Subject: " E64 "\r\n"));
	done();
	/* What is no field is not understood, and is what it was. */
	ck_str(surrogate(STR("Subject: " E "\nno field " E "\nA: " E "\n\n")),
	    STR("Subject: " E64 "\r\nno field " E "\nA: " E "\n\n"));
	done();
	ck_str(surrogate(STR("")), STR(""));
	done();
}
END_TEST

/* However many there are, and whatever is left open, it ends. */
START_TEST(long_ones)
{
	static const char *const parts[] = { "\"", "(", "<", "\\", "," E, ";:", E "<" E "@" E ">,",
		E "@b.test, " };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct buf b;

		buf_init(&b, 1 << 20);
		buf_adds(&b, "To: " E);
		while (b.n < 20000)
			buf_adds(&b, parts[i]);
		buf_adds(&b, "\r\n\r\n");
		ck_assert(!str_has_8bit(surrogate(buf_str(&b))));
		ck_assert(str_ends(buf_str(&out), STR("\r\n\r\n")));
		done();
		buf_free(&b);
	}
}
END_TEST

UNIT_MAIN("mail/surrogate", needed, each, whole, long_ones)
