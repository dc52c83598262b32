/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dsn_status: the fields for programs, and what a sender gave for them. */

#include <stdio.h>

#include "mail/dsn_status.h"

#include "unit.h"

static struct buf b;

static void
make(const struct dsn *d)
{
	ck_assert_int_eq(setenv("TZ", "UTC0", 1), 0);
	buf_init(&b, 1 << 20);
	dsn_status_add(&b, d);
	ck_assert(buf_ok(&b));
}

static bool
has(const char *text)
{
	return memmem(buf_cstr(&b), b.n, text, strlen(text)) != NULL;
}

START_TEST(groups)
{
	struct dsn_rcpt rcpts[] = {
		{ .action = DSN_DELIVERED, .rcpt = { STR("z"), STR("x") } },
		{ .action = DSN_FAILED, .rcpt = { STR("a b"), STR("x") },
		    .status = "4.4.7", .remote_mta = STR("mx.x"),
		    .diagnostic = STR("450 4.2.1 not now"),
		    .smtp_diagnostic = true, .last_attempt = 1795176060,
		    .retry_until = 1795176060 },
		{ .action = DSN_DELAYED, .rcpt = { STR("b"), STR("x") },
		    .status = "4.4.1", .diagnostic = STR("refused"),
		    .retry_until = 1795176060 },
	};
	struct dsn d = { .reporting_mta = STR("mx.a"), .queue_id = STR("ID"),
		.arrival = 1795176000, .rcpts = rcpts, .rcpt_n = 3 };

	make(&d);
	ck_str(buf_str(&b), STR("Reporting-MTA: dns; mx.a\r\n"
	    "Arrival-Date: Fri, 20 Nov 2026 12:00:00 +0000\r\n\r\n"
	    "Final-Recipient: rfc822; \"a b\"@x\r\nAction: failed\r\n"
	    "Status: 4.4.7\r\nRemote-MTA: dns; mx.x\r\n"
	    "Diagnostic-Code: x-barid; delivery time expired (#4.4.7), last "
	    "answer: 450\r\n 4.2.1 not now\r\n"
	    "Last-Attempt-Date: Fri, 20 Nov 2026 12:01:00 +0000\r\n"
	    "Final-Log-ID: ID\r\n\r\n"
	    "Final-Recipient: rfc822; b@x\r\nAction: delayed\r\n"
	    "Status: 4.4.1\r\nDiagnostic-Code: x-barid; refused\r\n"
	    "Final-Log-ID: ID\r\n"
	    "Will-Retry-Until: Fri, 20 Nov 2026 12:01:00 +0000\r\n\r\n"
	    "Final-Recipient: rfc822; z@x\r\nAction: delivered\r\n"
	    "Status: 2.0.0\r\nFinal-Log-ID: ID\r\n"));
	buf_free(&b);
}
END_TEST

/* RFC 6533 3: what ORCPT of type utf-8 means is shown where it may be. */
START_TEST(orcpt)
{
	static const struct {
		const char *orcpt;
		bool utf8;
		const char *shown;	/* NULL: nothing */
	} t[] = {
		{ "rfc822;a+2Bb@x", false, "rfc822;a+b@x" },
		{ "utf-8;g\\x{FC}@x", true, "utf-8; g\xc3\xbc@x" },
		{ "UTF-8;\\x{20AC}\\x{1F600}\\x{5C}@x", true,
		    "utf-8; \xe2\x82\xac\xf0\x9f\x98\x80\\@x" },
		{ "utf-8;g\xc3\xbc@x", true, "utf-8; g\xc3\xbc@x" },
		{ "utf-8;g\\x{FC}@x", false, "utf-8; g\\x{FC}@x" },
		{ "utf-8;g\xc3\xbc@x", false, "utf-8; g??@x" },
		/* No character, or one that no field may hold. */
		{ "utf-8;\\x{D800}\\x{110000}@x", true,
		    "utf-8; \\x{D800}\\x{110000}@x" },
		{ "utf-8;\\x{D}\\x{A}X: y", true, "utf-8; \\x{D}\\x{A}X: y" },
		{ "utf-8;\\x{}\\x{FC\\x{fc}+2B", true,
		    "utf-8; \\x{}\\x{FC\\x{fc}+2B" },
		{ "utf-8;\\x{202E}x", true, "utf-8; ?x" },
		{ ";x", true, NULL },
		{ "x", true, NULL },
	};
	struct dsn_rcpt rcpt = { .action = DSN_FAILED,
		.rcpt = { STR("a"), STR("x") } };
	struct dsn d = { .reporting_mta = STR("mx.a"), .rcpts = &rcpt,
		.rcpt_n = 1 };
	char want[200];

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		rcpt.orcpt = str_c(t[i].orcpt);
		d.smtputf8 = t[i].utf8;
		make(&d);
		ck_assert(has("Original-Recipient") == (t[i].shown != NULL));
		snprintf(want, sizeof(want), "\r\nOriginal-Recipient: %s\r\n",
		    t[i].shown != NULL ? t[i].shown : "");
		ck_assert_msg(t[i].shown == NULL || has(want), "row %zu: %s",
		    i, buf_cstr(&b));
		buf_free(&b);
	}
}
END_TEST

START_TEST(global)
{
	struct dsn_rcpt rcpts[] = {
		{ .rcpt = { STR("g\xc3\xbc"), STR("x") } },
		{ .rcpt = { STR("a"), STR("\xc3\xbc.x") } },
		{ .rcpt = { STR("a"), STR("x") } },
	};
	struct dsn d = { .reporting_mta = STR("mx.a"), .rcpts = rcpts,
		.rcpt_n = 3, .smtputf8 = true };

	make(&d);
	ck_assert(has("Final-Recipient: utf-8; g\xc3\xbc@x\r\n"));
	ck_assert(has("Final-Recipient: utf-8; a@\xc3\xbc.x\r\n"));
	ck_assert(has("Final-Recipient: rfc822; a@x\r\n"));
	buf_free(&b);
}
END_TEST

/* N2: what a client called itself, and in a comment who it was (RFC 3464 2.2.4). */
START_TEST(received_from)
{
	static const struct {
		const char *client, *comment;
	} t[] = {
		{ "mail.x[192.0.2.2]:25000", " (mail.x [192.0.2.2])" },
		{ "unknown[192.0.2.2]:25000", " ([192.0.2.2])" },
		{ "mail.x[2001:db8::1]:25000", " (mail.x [IPv6:2001:db8::1])" },
		/* No name that DNS has, and nothing that ends the comment. */
		{ "a) (b[192.0.2.2]:1", " ([192.0.2.2])" },
		{ "x[192.0.2.2)]:1", "" },
		{ "localhost[local]", "" },
		{ "local user (1000)", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct dsn d = { .reporting_mta = STR("mx.a"),
			.received_from = STR("helo.x"),
			.client = str_c(t[i].client) };
		char want[100];

		(void)snprintf(want, sizeof(want),
		    "Received-From-MTA: dns; helo.x%s\r\n", t[i].comment);
		make(&d);
		ck_assert_msg(has(want), "%s: %s", t[i].client, buf_cstr(&b));
		buf_free(&b);
	}
}
END_TEST

/* RFC 3464 9.3: a host that is known by its address alone. */
START_TEST(addresses)
{
	struct dsn_rcpt rcpts[] = {
		{ .action = DSN_FAILED, .rcpt = { STR("a"), STR("x") },
		    .remote_mta = STR("192.0.2.1") },
		{ .action = DSN_FAILED, .rcpt = { STR("b"), STR("x") },
		    .remote_mta = STR("2001:db8::1") },
		{ .action = DSN_FAILED, .rcpt = { STR("c"), STR("x") },
		    .remote_mta = STR("192.0.2.1.x") },
	};
	struct dsn d = { .reporting_mta = STR("mx.a"),
		.received_from = STR("[192.0.2.2]"), .rcpts = rcpts,
		.rcpt_n = 3 };

	make(&d);
	ck_assert(has("Reporting-MTA: dns; mx.a\r\n"));
	ck_assert(has("Received-From-MTA: dns; [192.0.2.2]\r\n"));
	ck_assert(has("Remote-MTA: dns; [192.0.2.1]\r\n"));
	ck_assert(has("Remote-MTA: dns; [IPv6:2001:db8::1]\r\n"));
	ck_assert(has("Remote-MTA: dns; 192.0.2.1.x\r\n"));
	buf_free(&b);
}
END_TEST

UNIT_MAIN("mail/dsn_status", received_from, addresses, groups, orcpt, global)
