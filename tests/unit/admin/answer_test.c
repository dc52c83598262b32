/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What is answered, and that no value becomes two fields. */

#include "admin/answer.h"

#include "admin/html.h"
#include "unit.h"

static struct buf out;

static const char *
sent(struct answer *a, bool body)
{
	struct stream_mem m = { .out = &out };
	struct stream s;

	buf_init(&out, 16 << 20);
	stream_init(&s, &stream_mem_ops, &m);
	ck_assert(answer_send(a, &s, body, -1));
	stream_free(&s);
	answer_free(a);
	return buf_cstr(&out);
}

START_TEST(whole)
{
	struct answer a;

	answer_init(&a);
	buf_adds(&a.body, "<p>x</p>");
	const char *text = sent(&a, true);
	ck_assert_ptr_eq(strstr(text, "HTTP/1.1 200 OK\r\nDate: "), text);
	ck_assert_ptr_nonnull(strstr(text, "\r\nContent-Length: 8\r\nConnection: close\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nContent-Security-Policy: default-src 'none';"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nX-Frame-Options: DENY\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nX-Content-Type-Options: nosniff\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nCache-Control: no-store\r\n"));
	ck_assert_str_eq(strstr(text, "\r\n\r\n"), "\r\n\r\n<p>x</p>");
}
END_TEST

START_TEST(head)
{
	struct answer a;

	answer_init(&a);
	answer_be(&a, 405, "no");
	const char *text = sent(&a, false);
	ck_assert_ptr_nonnull(strstr(text, "HTTP/1.1 405 Method Not Allowed\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nContent-Length: 3\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nAllow: GET, HEAD, POST\r\n"));
	ck_assert_str_eq(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}
END_TEST

START_TEST(no_splitting)
{
	struct answer a;

	answer_init(&a);
	answer_field(&a, "Location", STR("/a\r\nSet-Cookie: x=1"));
	answer_field(&a, "X-Good", STR("yes"));
	const char *text = sent(&a, true);
	ck_assert_ptr_null(strstr(text, "Set-Cookie"));
	ck_assert_ptr_null(strstr(text, "Location"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nX-Good: yes\r\n"));
}
END_TEST

START_TEST(too_long)
{
	struct answer a;

	answer_init(&a);
	for (size_t i = 0; i <= ANSWER_MAX / 1024; i++)
		buf_addf(&a.body, "%1024d", 1);
	ck_assert_ptr_nonnull(strstr(sent(&a, true), "HTTP/1.1 500 "));
}
END_TEST

/* S-62: whatever a stranger wrote is text. */
START_TEST(text)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "a b", "a b" }, { "\"><svg/onload=alert(1)>",
		    "&quot;&gt;&lt;svg/onload=alert(1)&gt;" },
		{ "</script>", "&lt;/script&gt;" }, { "a&b'c", "a&amp;b&#39;c" },
		{ "\x1b[2J\x7f", "?[2J?" }, { "\xc3\xa4", "\xc3\xa4" }, { "\xe4<", "?&lt;" },
		{ "{{7*7}}", "{{7*7}}" },
	};
	struct buf b;

	buf_init(&b, 1024);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&b);
		html_text(&b, str_c(cases[i].in));
		ck_assert_str_eq(buf_cstr(&b), cases[i].want);
	}
	buf_reset(&b);
	html_row(&b, "<n>", "%s", "<v>");
	ck_assert_ptr_null(strstr(buf_cstr(&b), "<n>"));
	ck_assert_ptr_null(strstr(buf_cstr(&b), "<v>"));
	buf_free(&b);
}
END_TEST

UNIT_MAIN("admin/answer", whole, head, no_splitting, too_long, text)
