/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * answer -- what a client is told (RFC 9112 6), with what a browser must not do
 * with it: run anything, show it within another page, guess what it is, keep it,
 * or tell other sites of it.  Each is the last of its connection.
 */

#include "answer.h"

#include "lib/clock.h"
#include "mail/date.h"

/* A page of ours has a style sheet and forms, and no script at all. */
#define POLICY "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; " \
	"frame-ancestors 'none'"

void
answer_init(struct answer *a)
{
	*a = (struct answer){ .status = 200, .type = "text/html; charset=utf-8" };
	buf_init(&a->head, 8192);
	buf_init(&a->body, ANSWER_MAX);
}

void
answer_free(struct answer *a)
{
	buf_free(&a->head);
	buf_free(&a->body);
}

void
answer_be(struct answer *a, int status, const char *text)
{
	a->status = status;
	a->type = "text/plain; charset=utf-8";
	a->may_be_kept = false;
	buf_reset(&a->head);
	buf_reset(&a->body);
	buf_addf(&a->body, "%s\n", text);
}

void
answer_field(struct answer *a, const char *name, struct str value)
{
	/* Response splitting: no field becomes two. */
	if (!str_has_ctl(value))
		buf_addf(&a->head, "%s: " STR_FMT "\r\n", name, STR_ARG(value));
}

void
answer_see(struct answer *a, const char *path)
{
	answer_be(a, 303, "see there");
	answer_field(a, "Location", str_c(path));
}

static const char *
reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = { { 200, "OK" }, { 303, "See Other" }, { 400, "Bad Request" },
		{ 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 408, "Request Timeout" },
		{ 411, "Length Required" }, { 413, "Content Too Large" },
		{ 414, "URI Too Long" }, { 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" }, { 421, "Misdirected Request" },
		{ 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 503, "Service Unavailable" }, { 505, "HTTP Version Not Supported" } };

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Other";
}

/* RFC 9110 5.6.7, in words that no locale changes. */
static void
add_date(struct buf *b)
{
	buf_adds(b, "Date: ");
	date_add_http(b, clock_wall());
	buf_adds(b, "\r\n");
}

static void
add_head(struct answer *a, struct buf *b)
{
	buf_addf(b, "HTTP/1.1 %d %s\r\n", a->status, reason(a->status));
	add_date(b);
	buf_addf(b, "Content-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n", a->type,
	    a->body.n);
	buf_addf(b, "Cache-Control: %s\r\n",
	    a->may_be_kept ? "private, max-age=3600" : "no-store");
	buf_adds(b, "Content-Security-Policy: " POLICY "\r\n"
		    "X-Frame-Options: DENY\r\n"
		    "X-Content-Type-Options: nosniff\r\n"
		    "Referrer-Policy: same-origin\r\n"
		    "Cross-Origin-Opener-Policy: same-origin\r\n"
		    "Cross-Origin-Resource-Policy: same-origin\r\n");
	if (a->status == 405)
		buf_adds(b, "Allow: GET, HEAD, POST\r\n");
	buf_add(b, buf_str(&a->head));
	buf_adds(b, "\r\n");
}

bool
answer_send(struct answer *a, struct stream *s, bool body, int64_t deadline)
{
	struct buf head;

	if (!buf_ok(&a->body) || !buf_ok(&a->head))
		answer_be(a, 500, "this is more than a page holds");
	buf_init(&head, 16384);
	add_head(a, &head);
	bool ok = stream_put(s, buf_str(&head), deadline) == STREAM_OK &&
	    (!body || stream_put(s, buf_str(&a->body), deadline) == STREAM_OK) &&
	    stream_flush(s, deadline) == STREAM_OK;
	buf_free(&head);
	return ok;
}
