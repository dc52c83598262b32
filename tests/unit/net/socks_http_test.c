/* SPDX-License-Identifier: GPL-3.0-or-later */

/* socks_http -- CONNECT, in parts of all sizes, and proxies that refuse. */

#include "net/socks.h"

#include "unit.h"

static const struct socks_proxy plain = { SOCKS_HTTP, "", "", "" };
static const struct socks_proxy login = { SOCKS_HTTP, "", "", "bWU6c2VjcmV0" };

#define SERVER "220 mail"

/* The proxy says IN, and the server behind it SERVER, in parts of STEP octets. */
static enum socks_result
hear(struct socks *s, struct str in, size_t step)
{
	enum socks_result r = SOCKS_MORE;

	while (in.n > 0 && r == SOCKS_MORE) {
		size_t take = socks_want(s) < step ? socks_want(s) : step;

		ck_assert_uint_gt(take, 0);
		take = take < in.n ? take : in.n;
		r = socks_input(s, str_head(in, take));
		in = str_skip(in, take);
	}
	if (r == SOCKS_DONE)
		ck_str(in, STR(SERVER));
	return r;
}

static void
ask(struct socks *s, const struct socks_proxy *p, const char *host)
{
	ck_assert(socks_init(s, p, str_c(host), 25));
}

START_TEST(asked)
{
	struct socks s;

	ask(&s, &plain, "smtp.test");
	ck_str(socks_output(&s), STR("CONNECT smtp.test:25 HTTP/1.1\r\n"
	    "Host: smtp.test:25\r\n\r\n"));
	ask(&s, &login, "2001:db8::1");
	ck_str(socks_output(&s), STR("CONNECT [2001:db8::1]:25 HTTP/1.1\r\n"
	    "Host: [2001:db8::1]:25\r\n"
	    "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"));
	/* Nothing that would be another field, or another request. */
	ck_assert(!socks_init(&s, &plain, STR("a\r\nb"), 25));
	ck_assert(!socks_init(&s, &plain, STR("a b"), 25));
	ck_assert(!socks_init(&s, &plain, STR(""), 25));
}
END_TEST

START_TEST(longest)
{
	struct socks_proxy p = login;
	char host[256], basic[685], more[1400];
	struct socks s;

	memset(host, 'h', 255);
	host[255] = '\0';
	/* 255 octets, a colon, 255 octets. */
	memset(basic, 'b', 684);
	basic[684] = '\0';
	memset(more, 'b', sizeof(more) - 1);
	more[sizeof(more) - 1] = '\0';
	p.basic = basic;
	ask(&s, &p, host);
	ck_assert(str_ends(socks_output(&s), STR("b\r\n\r\n")));
	/* More is refused, however much it is. */
	p.basic = more;
	ck_assert(!socks_init(&s, &p, str_c(host), 25));
}
END_TEST

START_TEST(answers)
{
	static const struct {
		const char *in;
		enum socks_result want;
		const char *why;
	} t[] = {
		{ "HTTP/1.1 200 Connection established\r\n\r\n" SERVER, SOCKS_DONE, "" },
		{ "HTTP/1.0 200\r\n\r\n" SERVER, SOCKS_DONE, "" },
		{ "HTTP/1.1 204 \r\nVia: x\r\r\nX: \r\n\r\n" SERVER, SOCKS_DONE, "" },
		{ "HTTP/1.1 407 Who\r\n\r\n", SOCKS_FAILED,
		    "the proxy wants another user or password (407)" },
		{ "HTTP/1.1 503 Later\r\n\r\n", SOCKS_FAILED,
		    "the proxy refused: HTTP status 503" },
		{ "220 mail.test ESMTP\r\n", SOCKS_FAILED, "the proxy does not speak HTTP" },
		{ "HTTP/1.1 2x0 OK\r\n\r\n", SOCKS_FAILED, "the proxy does not speak HTTP" },
		{ "HTTP/1.1 200 OK\r\nVia: x\r\n", SOCKS_MORE, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		for (size_t step = 1; step < 50; step++) {
			struct socks s;

			ask(&s, &plain, "h");
			socks_sent(&s, socks_output(&s).n);
			ck_assert_int_eq(hear(&s, str_c(t[i].in), step), t[i].want);
			if (t[i].want == SOCKS_FAILED)
				ck_assert_str_eq(socks_error(&s), t[i].why);
		}
}
END_TEST

START_TEST(endless)
{
	enum socks_result r = SOCKS_MORE;
	struct socks s;
	size_t n = 0;

	ask(&s, &plain, "h");
	socks_sent(&s, socks_output(&s).n);
	ck_assert_int_eq(hear(&s, STR("HTTP/1.1 200"), 99), SOCKS_MORE);
	while (r == SOCKS_MORE) {
		ck_assert_uint_lt(n++, 100000);
		r = socks_input(&s, str_head(STR("xxxx"), socks_want(&s)));
	}
	ck_assert_int_eq(r, SOCKS_FAILED);
}
END_TEST

UNIT_MAIN("socks_http", asked, longest, answers, endless)
