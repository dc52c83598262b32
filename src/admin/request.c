/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * request -- a request of HTTP/1.1 (RFC 9112), as strictly as it can be read.
 *
 * What comes is foreign until somebody has logged in, so this is small, has a
 * limit for everything, and is fuzzed.  Nothing is answered here, and nothing
 * is decided but whether it is a request that can mean one thing only.
 */

#include "request.h"

#define BAD_REQUEST 400
#define METHOD_NOT_ALLOWED 405
#define TIMEOUT 408
#define LENGTH_REQUIRED 411
#define TOO_LARGE 413
#define TARGET_TOO_LONG 414
#define UNSUPPORTED 415
#define EXPECTATION_FAILED 417
#define FIELDS_TOO_LARGE 431
#define NOT_IMPLEMENTED 501
#define VERSION_UNKNOWN 505

/* ---- grammar ---------------------------------------------------------------------- */

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (char_lower(c) >= 'a' && char_lower(c) <= 'z');
}

/* RFC 9110 5.6.2. */
static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && (s.p[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", s.p[i])))
			return false;
	return s.n > 0;
}

/* Visible characters of ASCII and nothing else. */
static bool
is_visible(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return true;
}

/* What no two readers take for two paths: no escapes, no empty parts, no "." and "..". */
static bool
is_path(struct str s)
{
	struct str part, rest = str_skip(s, 1);

	if (s.n == 0 || s.p[0] != '/')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && (s.p[i] == '\0' || !strchr("/-._~", s.p[i])))
			return false;
	while (rest.n > 0) {
		bool more = str_cut(rest, '/', &part, &rest);

		if (part.n == 0 || str_eq(part, STR(".")) || str_eq(part, STR("..")))
			return false;
		if (more && rest.n == 0)
			return false;
	}
	return true;
}

static int
hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = char_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Of application/x-www-form-urlencoded; false: it is none, or has a NUL. */
static bool
decode(struct str s, struct arena *a, struct str *out)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = s.n - i > 2 ? hex_of(s.p[i + 1]) : -1;
			int low = s.n - i > 2 ? hex_of(s.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0')
			return false;
		p[n++] = c;
	}
	p[n] = '\0';
	*out = str_n(p, n);
	return true;
}

static bool
take_params(struct str text, struct arena *a, struct request_params *out)
{
	struct str part, name, value;

	while (text.n > 0) {
		str_cut(text, '&', &part, &text);
		if (part.n == 0)
			continue;
		if (out->n == REQUEST_PARAMS_MAX)
			return false;
		str_cut(part, '=', &name, &value);
		if (!decode(name, a, &out->v[out->n].name) ||
		    !decode(value, a, &out->v[out->n].value))
			return false;
		out->n++;
	}
	return true;
}

struct str
request_param(const struct request_params *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->v[i].name, str_c(name)))
			return p->v[i].value;
	return STR("");
}

/* RFC 6265 4.2.1. */
struct str
request_cookie(const struct request *r, const char *name)
{
	struct str rest = r->cookie, pair, key, value;

	while (rest.n > 0) {
		str_cut(rest, ';', &pair, &rest);
		str_cut(str_trim(pair), '=', &key, &value);
		if (str_eq(key, str_c(name)))
			return value;
	}
	return STR("");
}

/* ---- the request line ---------------------------------------------------------------- */

static int
take_method(struct str word, struct request *r)
{
	static const char *const names[] = { [REQUEST_GET] = "GET", [REQUEST_HEAD] = "HEAD",
		[REQUEST_POST] = "POST" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(word, str_c(names[i]))) {
			r->method = (enum request_method)i;
			return 0;
		}
	return is_token(word) ? METHOD_NOT_ALLOWED : BAD_REQUEST;
}

static int
take_version(struct str word)
{
	if (str_eq(word, STR("HTTP/1.1")) || str_eq(word, STR("HTTP/1.0")))
		return 0;
	return str_starts(word, STR("HTTP/")) && word.n == 8 ? VERSION_UNKNOWN : BAD_REQUEST;
}

/* RFC 9112 3: each blank is one. */
static int
take_request_line(struct str line, struct arena *a, struct request *r)
{
	struct str method, target, version, path, query;
	int status;

	if (!str_cut(line, ' ', &method, &target) || !str_cut(target, ' ', &target, &version))
		return BAD_REQUEST;
	if ((status = take_version(version)) != 0 || (status = take_method(method, r)) != 0)
		return status;
	str_cut(target, '?', &path, &query);
	if (!is_visible(target) || !is_path(path))
		return BAD_REQUEST;
	r->path = arena_str(a, path);
	return take_params(query, a, &r->query) ? 0 : BAD_REQUEST;
}

/* ---- fields -------------------------------------------------------------------------- */

/* Where the value of NAME goes; NULL: it does not matter here. */
static struct str *
field_of(struct request *r, struct str name)
{
	const struct {
		const char *name;
		struct str *to;
	} fields[] = { { "Host", &r->host }, { "Authorization", &r->authorization },
		{ "Cookie", &r->cookie }, { "Accept", &r->accept }, { "Origin", &r->origin },
		{ "Sec-Fetch-Site", &r->fetch_site }, { "Referer", &r->referer },
		{ "Content-Type", &r->content_type }, { "Content-Length", &r->content_length },
		{ "Transfer-Encoding", &r->transfer_encoding }, { "Expect", &r->expect } };

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (str_ieq(name, str_c(fields[i].name)))
			return fields[i].to;
	return NULL;
}

/* A line that goes on with the one before has no name (RFC 9112 5.2). */
static int
take_field(struct str line, struct arena *a, struct request *r)
{
	struct str name, value, *to;

	if (!str_cut(line, ':', &name, &value) || !is_token(name))
		return BAD_REQUEST;
	value = str_trim(value);
	for (size_t i = 0; i < value.n; i++)
		if (((unsigned char)value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 127)
			return BAD_REQUEST;
	if ((to = field_of(r, name)) == NULL)
		return 0;
	/* Of two the one reader takes the first and the other the last. */
	if (to->p != NULL)
		return BAD_REQUEST;
	*to = arena_str(a, value);
	if (to->p == NULL)
		*to = STR("");
	return 0;
}

/* The next line; a status, or -1. */
static int
next_line(struct stream *s, int64_t deadline, int too_long, struct str *line)
{
	switch (stream_line(s, REQUEST_LINE_MAX, deadline, line)) {
	case STREAM_OK:
		return 0;
	case STREAM_TIMEOUT:
		return TIMEOUT;
	case STREAM_TOO_LONG:
	case STREAM_FLOOD:
		return too_long;
	case STREAM_BARE:
	case STREAM_NUL:
		return BAD_REQUEST;
	case STREAM_EOF:
	case STREAM_ERROR:
		break;
	}
	return -1;
}

static int
read_head(struct stream *s, int64_t deadline, struct arena *a, struct request *r)
{
	size_t total = 0, n = 0;
	struct str line;
	int status = next_line(s, deadline, TARGET_TOO_LONG, &line);

	if (status == 0)
		status = take_request_line(line, a, r);
	while (status == 0) {
		status = next_line(s, deadline, FIELDS_TOO_LARGE, &line);
		if (status != 0 || line.n == 0)
			break;
		total += line.n;
		if (++n > REQUEST_FIELDS_MAX || total > REQUEST_HEAD_MAX)
			return FIELDS_TOO_LARGE;
		status = take_field(line, a, r);
	}
	return status;
}

/* ---- the body ------------------------------------------------------------------------- */

/* What a form is called, whatever stands behind it. */
static bool
is_form(struct str type)
{
	struct str name, rest;

	str_cut(type, ';', &name, &rest);
	return str_ieq(str_trim(name), STR("application/x-www-form-urlencoded"));
}

/* Whether there is a body, and of how many octets. */
static int
body_length(const struct request *r, uint64_t *n)
{
	*n = 0;
	if (r->transfer_encoding.p != NULL)
		return r->content_length.p != NULL ? BAD_REQUEST : NOT_IMPLEMENTED;
	if (r->content_length.p == NULL)
		return r->method == REQUEST_POST ? LENGTH_REQUIRED : 0;
	if (str_u64(r->content_length, UINT64_MAX, n) < 0)
		return BAD_REQUEST;
	if (*n > REQUEST_BODY_MAX)
		return TOO_LARGE;
	/* Nobody has a use for one. */
	if (r->method != REQUEST_POST)
		return *n > 0 ? BAD_REQUEST : 0;
	return *n == 0 || is_form(r->content_type) ? 0 : UNSUPPORTED;
}

static int
read_body(struct stream *s, int64_t deadline, size_t n, struct arena *a, struct request *r)
{
	char *body = arena_alloc(a, n + 1);
	size_t got = 0;
	struct str part;

	while (got < n) {
		enum stream_result x = stream_fill(s, deadline, &part);

		if (x != STREAM_OK)
			return x == STREAM_TIMEOUT ? TIMEOUT : -1;
		part = str_head(part, n - got);
		memcpy(body + got, part.p, part.n);
		got += part.n;
		stream_consume(s, part.n);
	}
	return take_params(str_n(body, n), a, &r->form) ? 0 : BAD_REQUEST;
}

int
request_read(struct stream *s, int64_t deadline, struct arena *a, struct request *r)
{
	uint64_t n;
	int status;

	*r = (struct request){ .method = REQUEST_GET };
	if ((status = read_head(s, deadline, a, r)) != 0)
		return status;
	/* RFC 9112 3.2: one, and a name or an address. */
	if (r->host.n == 0 || !is_visible(r->host))
		return BAD_REQUEST;
	if (r->expect.p != NULL)
		return EXPECTATION_FAILED;
	if ((status = body_length(r, &n)) != 0 || n == 0)
		return status;
	return read_body(s, deadline, (size_t)n, a, r);
}
