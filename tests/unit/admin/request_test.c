/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Requests: what is one, and what two readers could take for two things (S-63). */

#include "admin/request.h"

#include "unit.h"

static struct arena a;
static struct request r;

/* TEXT, given CHUNK octets at a time; what is left of it goes to REST (NULL: it does not matter). */
static int
read_chunks(struct str text, size_t chunk, size_t *rest)
{
	struct stream_mem m = { .in = text, .chunk = chunk };
	struct stream s;
	int status;

	/* What R had the last time. */
	arena_free(&a);
	arena_init(&a, REQUEST_ARENA_MAX);
	stream_init(&s, &stream_mem_ops, &m);
	status = request_read(&s, -1, &a, &r);
	if (rest)
		*rest = stream_pending(&s) + m.in.n;
	stream_free(&s);
	return status;
}

static int
read_text(const char *text)
{
	return read_chunks(str_c(text), 0, NULL);
}

#define HOST "Host: a\r\n"
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

START_TEST(good)
{
	static const char text[] = "GET /queue/x?state=hold&q=%3Ca%2b+b%3e&&empty HTTP/1.1\r\n"
				   "host: a.test:2580\r\nCOOKIE: x=1; barid=tok ; y=\r\n"
				   "X-Other: 1\r\nX-Other: 2\r\nAccept:text/html\r\n\r\n";

	for (size_t chunk = 0; chunk < 4; chunk++) {
		ck_assert_int_eq(read_chunks(str_c(text), chunk, NULL), 0);
		ck_assert_int_eq(r.method, REQUEST_GET);
		ck_str(r.path, STR("/queue/x"));
		ck_str(r.host, STR("a.test:2580"));
		ck_str(r.accept, STR("text/html"));
		ck_assert_uint_eq(r.query.n, 3);
		ck_str(request_param(&r.query, "state"), STR("hold"));
		ck_str(request_param(&r.query, "q"), STR("<a+ b>"));
		ck_str(request_param(&r.query, "nothing"), STR(""));
		ck_str(request_cookie(&r, "barid"), STR("tok"));
		ck_str(request_cookie(&r, "y"), STR(""));
		ck_str(request_cookie(&r, "arid"), STR(""));
		ck_assert_ptr_null(r.authorization.p);
	}
	ck_assert_int_eq(read_text("HEAD / HTTP/1.0\r\n" HOST "\r\n"), 0);
	ck_assert_int_eq(r.method, REQUEST_HEAD);
	ck_str(r.path, STR("/"));
	arena_free(&a);
}
END_TEST

START_TEST(forms)
{
	size_t rest;

	for (size_t chunk = 0; chunk < 4; chunk++) {
		ck_assert_int_eq(read_chunks(STR("POST /login HTTP/1.1\r\n" HOST FORM
					     "Content-Length: 15\r\n\r\nuser=a&pass=%C3%A4GET /"),
				     chunk, &rest), 0);
		ck_str(request_param(&r.form, "user"), STR("a"));
		/* What stands behind it is nobody's. */
		ck_str(request_param(&r.form, "pass"), STR("\xc3"));
	}
	ck_assert_int_eq(read_text("POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), 0);
	ck_assert_uint_eq(r.form.n, 0);
	ck_assert_int_eq(read_text("POST / HTTP/1.1\r\n" HOST
	    "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
	    "Content-Length: 3\r\n\r\na=b"), 0);
	arena_free(&a);
}
END_TEST

START_TEST(refused)
{
	static const struct {
		int status;
		const char *text;
	} cases[] = {
		/* The request line. */
		{ 400, "GET /\r\n\r\n" }, { 400, "GET  / HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET / HTTP/1.1 \r\n" HOST "\r\n" }, { 400, "\r\nGET / HTTP/1.1\r\n\r\n" },
		{ 400, "GET / http/1.1\r\n" HOST "\r\n" }, { 505, "GET / HTTP/2.0\r\n" HOST "\r\n" },
		{ 405, "TRACE / HTTP/1.1\r\n" HOST "\r\n" },
		{ 405, "get / HTTP/1.1\r\n" HOST "\r\n" }, { 405, "CONNECT a:1 HTTP/1.1\r\n\r\n" },
		{ 400, "G(T / HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET http://a/ HTTP/1.1\r\n" HOST "\r\n" }, { 400, "GET * HTTP/1.1\r\n\r\n" },
		{ 400, "GET /../etc/passwd HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET /a/.. HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET /./a HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET //a HTTP/1.1\r\n" HOST "\r\n" }, { 400, "GET /a/ HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET /%2e%2e/a HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET /a\\b HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET /?a=%0 HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET /?a=%zz HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET /?a=%00 HTTP/1.1\r\n" HOST "\r\n" },
		/* Fields. */
		{ 400, "GET / HTTP/1.1\r\n\r\n" }, { 400, "GET / HTTP/1.1\r\nHost:\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n" HOST HOST "\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\tb\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n" HOST "X: 1\r\n folded\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n" HOST "nothing\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n" HOST "Cookie: a\r\nCookie: b\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n" HOST "Authorization: a\r\nauthorization:\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n" HOST "X: a\x01\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\n" HOST "\r\n" }, { 400, "GET / HTTP/1.1\r\nHost: a\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n" },
		{ 417, "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n" },
		/* Whose body is it? */
		{ 400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked"
		       "\r\n\r\n0\r\n\r\n" },
		{ 501, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
		{ 501, "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na" },
		{ 400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\na" },
		{ 400, "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\na" },
		{ 400, "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\na" },
		{ 400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\na" },
		{ 400, "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\na" },
		{ 400, "POST / HTTP/1.1\r\n" HOST
		       "Content-Length: 99999999999999999999999\r\n\r\na" },
		{ 400, "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na" },
		{ 411, "POST / HTTP/1.1\r\n" HOST "\r\n" },
		{ 413, "POST / HTTP/1.1\r\n" HOST FORM "Content-Length: 65537\r\n\r\n" },
		{ 415, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na" },
		{ 415, "POST / HTTP/1.1\r\n" HOST "Content-Type: text/plain\r\nContent-Length: 1"
		       "\r\n\r\na" },
		{ 400, "POST / HTTP/1.1\r\n" HOST FORM "Content-Length: 3\r\n\r\na=%" },
		/* Who has gone. */
		{ -1, "" }, { -1, "GET / HT" }, { -1, "GET / HTTP/1.1\r\n" HOST },
		{ -1, "POST / HTTP/1.1\r\n" HOST FORM "Content-Length: 2\r\n\r\na" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t chunk = 0; chunk < 3; chunk++) {
			int got = read_chunks(str_c(cases[i].text), chunk, NULL);

			ck_assert_msg(got == cases[i].status, "%s: %d, expected %d", cases[i].text,
			    got, cases[i].status);
		}
	ck_assert_int_eq(read_chunks(STR("GET /\0 HTTP/1.1\r\n" HOST "\r\n"), 0, NULL), 400);
	ck_assert_int_eq(read_chunks(STR("GET / HTTP/1.1\r\n" HOST "X: \0\r\n\r\n"), 0, NULL), 400);
	arena_free(&a);
}
END_TEST

/* A request of which BEFORE, N times PART and AFTER are the octets. */
static int
read_many(const char *before, size_t n, const char *part, const char *after)
{
	struct buf b;

	buf_init(&b, 4 << 20);
	buf_adds(&b, before);
	for (size_t i = 0; i < n; i++)
		buf_adds(&b, part);
	buf_adds(&b, after);
	ck_assert(buf_ok(&b));
	int status = read_chunks(buf_str(&b), 0, NULL);
	buf_free(&b);
	return status;
}

START_TEST(limits)
{
	ck_assert_int_eq(read_many("GET /", 8000, "a", " HTTP/1.1\r\n" HOST "\r\n"), 0);
	ck_assert_int_eq(read_many("GET /", 9000, "a", " HTTP/1.1\r\n" HOST "\r\n"), 414);
	ck_assert_int_eq(read_many("GET /", 1 << 20, "a", " HTTP/1.1\r\n" HOST "\r\n"), 414);
	ck_assert_int_eq(read_many("GET / HTTP/1.1\r\n" HOST "X: ", 1 << 20, "a", "\r\n\r\n"), 431);
	ck_assert_int_eq(read_many("GET / HTTP/1.1\r\n" HOST, 63, "X: a\r\n", "\r\n"), 0);
	ck_assert_int_eq(read_many("GET / HTTP/1.1\r\n" HOST, 64, "X: a\r\n", "\r\n"), 431);
	ck_assert_int_eq(read_many("GET / HTTP/1.1\r\n" HOST, 1 << 16, "X: a\r\n", "\r\n"), 431);
	ck_assert_int_eq(read_many("GET /?", 64, "a=b&", " HTTP/1.1\r\n" HOST "\r\n"), 0);
	ck_assert_int_eq(read_many("GET /?", 65, "a=b&", " HTTP/1.1\r\n" HOST "\r\n"), 400);
	ck_assert_int_eq(read_many("POST / HTTP/1.1\r\n" HOST FORM "Content-Length: 65536\r\n\r\n",
			     65536, "a", "more"), 0);
	ck_assert_uint_eq(r.form.v[0].name.n, 65536);
	arena_free(&a);
}
END_TEST

UNIT_MAIN("admin/request", good, forms, refused, limits)
