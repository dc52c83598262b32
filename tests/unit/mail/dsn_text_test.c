/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Tests of mail/dsn_text: what people read, seen through a whole report. */

#include "mail/dsn.h"

#include "unit.h"

static struct buf b;

static bool
has(const char *text)
{
	return memmem(buf_cstr(&b), b.n, text, strlen(text)) != NULL;
}

static void
make(struct dsn_rcpt *rcpts, size_t n, const char *original)
{
	struct dsn d = {
		.reporting_mta = STR("mx.a.test"),
		.message_id = STR("x@mx.a.test"),
		.postmaster = STR("postmaster@a.test"),
		.to = { STR("bob"), STR("a.test") },
		.arrival = 1795176000,
		.now = 1795176061,
		.rcpts = rcpts,
		.rcpt_n = n,
		.original = str_c(original),
	};

	ck_assert_int_eq(setenv("TZ", "UTC0", 1), 0);
	buf_init(&b, 1 << 20);
	dsn_add(&b, &d);
	ck_assert(buf_ok(&b));
}

START_TEST(failure)
{
	struct dsn_rcpt rcpt = {
		.action = DSN_FAILED,
		.rcpt = { STR("nobody"), STR("b.test") },
		.status = "5.1.1",
		.remote_mta = STR("mx.b.test"),
		.diagnostic = STR("550 5.1.1 no such user\nask somebody else"),
		.smtp_diagnostic = true,
	};

	make(&rcpt, 1, "Subject: Lunch\r\n\r\n");
	ck_assert(has("\r\n\r\n"
	    "This is an automatic report from the mail system at mx.a.test.\r\n"
	    "\r\n"
	    "Your message \"Lunch\" of Fri, 20 Nov 2026 12:00:00 +0000 could "
	    "not be\r\ndelivered to this recipient:\r\n"
	    "\r\n"
	    "  nobody@b.test\r\n"
	    "    There is no mailbox with this address.\r\n"
	    "    Please check the address for typing mistakes and send the "
	    "message again.\r\n"
	    "    The mail server mx.b.test answered:\r\n"
	    "        550 5.1.1 no such user ask somebody else\r\n"
	    "\r\n"
	    "If you need help, write to postmaster@a.test and send this report "
	    "along. The\r\nheader of your message is attached.\r\n"));
	buf_free(&b);
}
END_TEST

START_TEST(delayed)
{
	struct dsn_rcpt rcpt = {
		.action = DSN_DELAYED,
		.rcpt = { STR("c"), STR("b.test") },
		.status = "4.4.1",
		.diagnostic = STR("connection refused"),
		.retry_until = 1795608000,
	};

	make(&rcpt, 1, "Subject: =?utf-8?B?w6k=?=\r\n\r\n");
	ck_assert(has("Your message of Fri, 20 Nov 2026 12:00:00 +0000 has not "
	    "been delivered yet\r\nto this recipient:\r\n"));
	ck_assert(has("    The mail server of the recipient does not answer."));
	ck_assert(has("    You need not send it again: we keep trying until "
	    "Wed, 25 Nov 2026\r\n    12:00:00 +0000, and will tell you if it "
	    "fails.\r\n"));
	ck_assert(has("    More exactly:\r\n        connection refused\r\n"));
	ck_assert(!has("\"\r\nYour message \""));
	buf_free(&b);
	rcpt.retry_until = 0;
	make(&rcpt, 1, "");
	ck_assert(has("we keep trying, and will tell"));
	buf_free(&b);
}
END_TEST

START_TEST(succeeded)
{
	struct dsn_rcpt rcpts[] = {
		{ .action = DSN_DELIVERED, .rcpt = { STR("a"), STR("x") } },
		{ .action = DSN_RELAYED, .rcpt = { STR("b"), STR("x") } },
		{ .action = DSN_EXPANDED, .rcpt = { STR("c"), STR("x") } },
		{ .action = DSN_DELIVERED, .rcpt = { STR("d"), STR("x") } },
	};

	make(rcpts, ARRAY_LEN(rcpts), "Subject: \xc3\xa9\r\n\r\n");
	ck_assert(has("was delivered to these\r\nrecipients:\r\n"
	    "\r\n  a@x\r\n\r\n  d@x\r\n\r\nYour message of"));
	ck_assert(has("was handed on, to a"));
	ck_assert(has("was given to a list"));
	ck_assert(!has("Please"));
	buf_free(&b);
}
END_TEST

/* Each status finds its words, and any other the general ones. */
START_TEST(explanations)
{
	static const struct {
		const char *status, *words;
	} t[] = {
		{ "5.1.1", "There is no mailbox" },
		{ "5.1.10", "the part behind the @) accepts" },
		{ "5.1.2", "does not exist" },
		{ "5.1.9", "The address was not accepted" },
		{ "5.2.2", "is full" },
		{ "5.3.4", "too large for the mail server" },
		{ "5.4.6", "round in circles" },
		{ "4.4.7", "not be delivered in the time" },
		{ "5.5.0", "did not accept" },
		{ "5.7.26", "refused the message by its rules" },
		{ "5", "did not accept" },
		{ "", "did not accept" },
		{ NULL, "did not accept" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct dsn_rcpt rcpt = { .action = DSN_FAILED,
			.rcpt = { STR("a"), STR("x") },
			.status = t[i].status };

		make(&rcpt, 1, "");
		ck_assert_msg(has(t[i].words), "%s", t[i].words);
		buf_free(&b);
	}
}
END_TEST

/* What we decided is not said to be another's refusal. */
START_TEST(our_rules)
{
	struct dsn_rcpt rcpt = { .action = DSN_FAILED,
		.rcpt = { STR("a"), STR("x") },
		.status = "5.7.0",
		.diagnostic = STR("returned by the administrator") };

	make(&rcpt, 1, "");
	ck_assert(has("The rules of this mail system did not let"));
	ck_assert(has("More exactly:\r\n        returned by the"));
	ck_assert(!has("refused"));
	buf_free(&b);
	rcpt.smtp_diagnostic = true;
	make(&rcpt, 1, "");
	ck_assert(has("refused the message by its rules"));
	buf_free(&b);
}
END_TEST

/* A long list is not explained to its end, but named. */
START_TEST(long_list)
{
	static struct dsn_rcpt rcpts[200];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(rcpts); i++)
		rcpts[i] = (struct dsn_rcpt){ .action = DSN_FAILED,
			.rcpt = { STR("a"), STR("x") }, .status = "5.2.2" };
	make(rcpts, ARRAY_LEN(rcpts), "");
	for (const char *p = b.p; (p = strstr(p, "is full")) != NULL; p++)
		n++;
	ck_assert_uint_eq(n, 50);
	n = 0;
	for (const char *p = b.p; (p = strstr(p, "\n  a@x\r")) != NULL; p++)
		n++;
	ck_assert_uint_eq(n, ARRAY_LEN(rcpts));
	buf_free(&b);
}
END_TEST

/* A subject cannot leave its line. */
START_TEST(subject)
{
	struct dsn_rcpt rcpt = { .action = DSN_FAILED,
		.rcpt = { STR("a"), STR("x") } };

	make(&rcpt, 1, "Subject: two\r\n lines\x1b\r\n\r\n");
	ck_assert(has("Your message \"two lines?\" of"));
	buf_free(&b);
}
END_TEST

UNIT_MAIN("mail/dsn_text", failure, delayed, succeeded, explanations, our_rules, long_list,
    subject)
