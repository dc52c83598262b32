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

/* What was tried is told to whom it was given up for, or who waits. */
START_TEST(tries)
{
	const struct dsn_try tried[] = {
		{ 1795176000, STR("mx1.b.test[192.0.2.1]:25"),
		    STR("450 4.2.0 try\r\nBcc: later\x1b[31m") },
		{ 1795176060, STR(""), STR("no name server answers") },
	};
	struct dsn_rcpt rcpt = { .action = DSN_FAILED,
		.rcpt = { STR("c"), STR("b.test") }, .status = "4.4.7",
		.diagnostic = STR("no name server answers"), .attempts = 63,
		.first_attempt = 1795176000, .last_attempt = 1795608000,
		.tries = tried, .try_n = 2 };

	make(&rcpt, 1, "");
	ck_assert(has("    Delivery was tried without success, and is given up "
	    "now.\r\n    Please check the address, and send the message "
	    "again later.\r\n"
	    "    It was tried 63 times, from Fri, 20 Nov 2026 12:00:00 +0000 "
	    "to Wed, 25\r\n    Nov 2026 12:00:00 +0000.\r\n"
	    "    mx1.b.test[192.0.2.1]:25 on Fri, 20 Nov 2026 12:00:00 +0000:"
	    "\r\n        450 4.2.0 try Bcc: later?[31m\r\n"
	    "    On Fri, 20 Nov 2026 12:01:00 +0000:\r\n"
	    "        no name server answers\r\n"));
	ck_assert(!has("More exactly"));
	buf_free(&b);
	rcpt.attempts = 1;
	rcpt.action = DSN_DELAYED;
	rcpt.try_n = 1;
	make(&rcpt, 1, "");
	ck_assert(has("    It was tried once, on Fri, 20 Nov 2026 12:00:00 "
	    "+0000.\r\n    mx1"));
	ck_assert(has("You need not send it again") && !has("given up"));
	buf_free(&b);
}
END_TEST

/* U+202E, U+0085, U+2028 and U+FEFF would fool who reads it. */
START_TEST(deceptive)
{
	struct dsn_rcpt rcpt = { .action = DSN_FAILED,
		.rcpt = { STR("\xc3\xbc\xe2\x80\xae"), STR("b.test") },
		.smtp_diagnostic = true,
		.diagnostic = STR("550 gr\xc3\xbc\xc3\x9f\xc2\x85\xe2\x80\xa8"
		    "\xef\xbb\xbfnein\xe2\x81\xa6 \xe2\x82\xac") };
	struct dsn d = { .reporting_mta = STR("mx.a.test"),
		.message_id = STR("x@mx.a.test"), .smtputf8 = true,
		.to = { STR("\xc3\xbc"), STR("a.test") },
		.original = STR("Subject: \xc3\xa9\r\n\r\n"),
		.rcpts = &rcpt, .rcpt_n = 1 };

	buf_init(&b, 1 << 20);
	ck_assert(dsn_add(&b, &d));
	ck_assert(has("        550 gr\xc3\xbc\xc3\x9f???nein? \xe2\x82\xac\r\n"));
	ck_assert(has("  \xc3\xbc?@b.test\r\n"));
	ck_assert(has("Your message \"\xc3\xa9\" could not"));
	buf_free(&b);
	/* Without SMTPUTF8, and what is no UTF-8. */
	rcpt.diagnostic = STR("550 \xff\xc3\xbc");
	buf_init(&b, 1 << 20);
	ck_assert(dsn_add(&b, &d) && has("        550 ???\r\n"));
	buf_free(&b);
	d.smtputf8 = false;
	buf_init(&b, 1 << 20);
	ck_assert(!dsn_add(&b, &d) && has("  ?????@b.test\r\n"));
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
    tries, deceptive, subject)
