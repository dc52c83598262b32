/* SPDX-License-Identifier: GPL-3.0-or-later */

/* wish_test -- what a sender wants of the way (RFC 8689, RFC 2852), as tables. */

#include "unit.h"

#include "runner/dest.h"
#include "runner/wish.h"

#define US INT64_C(1000000)

static const struct path somebody = { { "a", 1 }, { "b.example", 9 } };
static const struct path nobody = { { "", 0 }, { "", 0 } };

START_TEST(way)
{
	static const struct conf_server lmtp = { .protocol = PROTOCOL_LMTP };
	static const struct conf_upstream store = { .servers =
		(struct conf_server *)(uintptr_t)&lmtp, .server_n = 1 };
	const struct {
		enum tls_wish wish;
		struct path from;
		const struct conf_upstream *upstream;
		int tls, then;
		bool requiretls;
	} cases[] = {
		{ TLS_UNSAID, somebody, NULL, TLS_DANE, TLS_DANE, false },
		{ TLS_WISH_REQUIRED, somebody, NULL, TLS_MAY, TLS_MAY, true },
		/* A report is not lost for it, and a mailbox is no relay. */
		{ TLS_WISH_REQUIRED, nobody, NULL, TLS_MAY, TLS_MAY, false },
		{ TLS_WISH_REQUIRED, somebody, &store, TLS_MAY, TLS_MAY, false },
		/* What the domain says is ignored, what we say is not. */
		{ TLS_WISH_NONE, somebody, NULL, TLS_DANE, TLS_MAY, false },
		{ TLS_WISH_NONE, somebody, NULL, TLS_REQUIRED, TLS_REQUIRED, false },
		{ TLS_WISH_NONE, somebody, NULL, TLS_VERIFIED, TLS_VERIFIED, false },
		{ TLS_WISH_NONE, somebody, NULL, TLS_OFF, TLS_OFF, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct envelope e = { .from = cases[i].from,
			.tls_wish = cases[i].wish };
		struct dest_way w = { .kind = DEST_MX, .tls = cases[i].tls,
			.upstream = cases[i].upstream };

		wish_way(&e, &w);
		ck_assert_msg(w.tls == cases[i].then &&
		    w.requiretls == cases[i].requiretls, "case %zu", i);
	}
}
END_TEST

START_TEST(settled)
{
	static const struct {
		bool requiretls;
		enum outcome outcome;
		const char *status;
		const char *relay;
		bool remote;
		const char *then;
	} cases[] = {
		{ true, TEMPFAIL, "4.7.30", "h[::1]:25", false, "5.7.30" },
		{ true, TEMPFAIL, "4.7.4", "h[::1]:25", false, "5.7.10" },
		{ true, TEMPFAIL, "4.7.5", "h[::1]:25", false, "5.7.10" },
		{ true, TEMPFAIL, "4.4.1", "h[::1]:25", false, "4.4.1" },
		/* DNS may know more another time; so may the host. */
		{ true, TEMPFAIL, "4.4.2", "h[::1]:25", false, "4.4.2" },
		{ true, TEMPFAIL, "4.7.0", "h[::1]:25", false, "4.7.0" },
		{ true, TEMPFAIL, "4.7.5", "", false, "4.7.5" },
		{ true, TEMPFAIL, "4.7.5", "h[::1]:25", true, "4.7.5" },
		{ true, DELIVERED, "2.0.0", "h[::1]:25", true, "2.0.0" },
		{ false, TEMPFAIL, "4.7.5", "h[::1]:25", false, "4.7.5" },
		/* No DELIVERBY; but what a server says of itself passes. */
		{ false, TEMPFAIL, "4.3.3", "h[::1]:25", false, "5.3.3" },
		{ false, TEMPFAIL, "4.3.3", "h[::1]:25", true, "4.3.3" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct way w = { .requiretls = cases[i].requiretls };
		struct dest d = { .way = &w };
		struct job_rcpt jr = { .to = &d };
		struct result r = result_words(cases[i].outcome,
		    cases[i].status, STR("x"));

		r.relay = str_c(cases[i].relay);
		r.remote = cases[i].remote;
		r = wish_settle(&jr, &r);
		ck_assert_str_eq(r.status, cases[i].then);
		ck_assert_int_eq(r.outcome, cases[i].then[0] == '5' ? PERMFAIL :
		    cases[i].outcome);
	}
}
END_TEST

START_TEST(by)
{
	struct envelope e = { .by_us = 100 * US };
	char text[16];

	wish_by(&e, 0, text, sizeof(text));
	ck_assert_str_eq(text, "");
	ck_assert(!wish_by_ends(&e, 0));
	e.by_mode = BY_RETURN;
	wish_by(&e, 40 * US, text, sizeof(text));
	ck_assert_str_eq(text, "60;R");
	wish_by(&e, 400 * US, text, sizeof(text));
	ck_assert_str_eq(text, "1;R");
	ck_assert(!wish_by_is_late(&e, 400 * US));
	e.by_mode = BY_NOTIFY;
	e.by_trace = true;
	wish_by(&e, 400 * US, text, sizeof(text));
	ck_assert_str_eq(text, "-300;NT");
	ck_assert(wish_by_is_late(&e, 400 * US));
	ck_assert(!wish_by_is_late(&e, 99 * US));
	/* A relay is the end of it, unless the host knows what it is. */
	ck_assert(wish_by_ends(&e, EXT_DELIVERBY));
	e.by_trace = false;
	ck_assert(!wish_by_ends(&e, EXT_DELIVERBY));
	ck_assert(wish_by_ends(&e, EXT_DSN));
	e.by_us = 999999999 * US;
	wish_by(&e, 0, text, sizeof(text));
	ck_assert_str_eq(text, "999999999;N");
}
END_TEST

UNIT_MAIN("runner/wish", way, settled, by)
