/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Tests of mail/dsn: the fields of a report, its three parts, and that no
 * foreign text gets out of its place.
 */

#include "mail/dsn.h"

#include "mail/header.h"
#include "mail/limits.h"
#include "unit.h"

static struct buf b;

static const char original[] =
    "Received: from x by y\r\nFrom: bob@a.test\r\nSubject: Hello\r\n\r\n"
    "Body line.\r\n.\r\nEnd.\r\n";

/* A report about one failure; tests change what they are about. */
static struct dsn_rcpt
failed_rcpt(void)
{
	return (struct dsn_rcpt){
		.action = DSN_FAILED,
		.rcpt = { STR("no.body"), STR("b.test") },
		.orcpt = STR("rfc822;No.body+40b.test"),
		.status = "5.1.1",
		.remote_mta = STR("mx.b.test"),
		.diagnostic = STR("550 5.1.1 <no.body@b.test>: no such user"),
		.smtp_diagnostic = true,
		.last_attempt = 1795176060,
	};
}

static struct dsn
report(struct dsn_rcpt *rcpts, size_t n)
{
	return (struct dsn){
		.reporting_mta = STR("mx.a.test"),
		.queue_id = STR("4bTx1z"),
		.message_id = STR("20261120.4bTx1z@mx.a.test"),
		.postmaster = STR("postmaster@a.test"),
		.to = { STR("bob"), STR("a.test") },
		.envid = STR("QQ+2B314"),
		.received_from = STR("client.a.test"),
		.arrival = 1795176000,
		.now = 1795176061,
		.rcpts = rcpts,
		.rcpt_n = n,
		.original = str_c(original),
		.full = true,
	};
}

static bool
has(const char *text)
{
	return memmem(buf_cstr(&b), b.n, text, strlen(text)) != NULL;
}

static void
make(const struct dsn *d)
{
	buf_init(&b, 1 << 22);
	ck_assert_int_eq(setenv("TZ", "UTC0", 1), 0);
	dsn_add(&b, d);
	ck_assert(buf_ok(&b));
}

/* CRLF line ends, no other control character, no line too long. */
static void
check_lines(void)
{
	struct str line, rest = buf_str(&b);

	ck_assert(str_ends(rest, STR("--\r\n")));
	while (rest.n > 0) {
		str_cut(rest, '\n', &line, &rest);
		ck_assert(line.n > 0 && line.p[line.n - 1] == '\r');
		line.n--;
		ck_assert_uint_le(line.n, MAIL_LINE_MAX);
		for (size_t i = 0; i < line.n; i++)
			ck_assert(line.p[i] == '\t' ||
			    (unsigned char)line.p[i] >= ' ');
	}
}

/* Splits the report at its boundary: the header, and at most 8 parts. */
static size_t
split(struct str parts[8])
{
	struct str rest = buf_str(&b), line, boundary;
	struct field f;
	size_t n = 0;
	const char *start;

	ck_assert(header_find(rest, STR("Content-Type"), &f));
	ck_assert(str_cut(f.value, '"', &line, &boundary));
	ck_assert(str_cut(boundary, '"', &boundary, &line));
	ck_assert(boundary.n > 5 && boundary.n <= 70);
	start = rest.p;
	while (rest.n > 0) {
		str_cut(rest, '\n', &line, &rest);
		if (line.n < boundary.n + 2 || line.p[0] != '-' ||
		    !str_starts(str_skip(line, 2), boundary))
			continue;
		ck_assert_uint_lt(n, 8);
		parts[n++] = str_n(start, (size_t)(line.p - start));
		start = rest.p;
	}
	ck_assert_ptr_eq(start, buf_cstr(&b) + b.n);
	return n;
}

START_TEST(notify)
{
	static const struct {
		const char *text;
		unsigned bits;
		const char *written;
	} t[] = {
		{ "NEVER", NOTIFY_NEVER, "NEVER" },
		{ "never", NOTIFY_NEVER, "NEVER" },
		{ "SUCCESS", NOTIFY_SUCCESS, "SUCCESS" },
		{ "FAILURE", NOTIFY_FAILURE, "FAILURE" },
		{ "Delay,failure", NOTIFY_DELAY | NOTIFY_FAILURE,
		    "FAILURE,DELAY" },
		{ "SUCCESS,FAILURE,DELAY",
		    NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY,
		    "SUCCESS,FAILURE,DELAY" },
		{ "SUCCESS,DELAY", NOTIFY_SUCCESS | NOTIFY_DELAY,
		    "SUCCESS,DELAY" },
		{ "", 0, "" },
		{ "NEVER,FAILURE", 0, "" },
		{ "FAILURE,NEVER", 0, "" },
		{ "FAILURE,FAILURE", 0, "" },
		{ "FAILURE,", 0, "" },
		{ ",FAILURE", 0, "" },
		{ "FAILURE DELAY", 0, "" },
		{ "SOMETIMES", 0, "" },
	};

	buf_init(&b, 100);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_uint_eq(notify_parse(str_c(t[i].text)), t[i].bits);
		buf_reset(&b);
		notify_add(&b, t[i].bits);
		ck_str(buf_str(&b), str_c(t[i].written));
	}
	buf_free(&b);
}
END_TEST

START_TEST(failure)
{
	struct dsn_rcpt rcpt = failed_rcpt();
	struct dsn d = report(&rcpt, 1);
	struct str parts[8], status;
	struct field f;

	make(&d);
	check_lines();
	ck_assert_uint_eq(split(parts), 4);
	ck_assert(str_starts(buf_str(&b), STR("Date: Fri, 20 Nov 2026 12:01:01 "
	    "+0000\r\nFrom: Mail Delivery System <MAILER-DAEMON@mx.a.test>\r\n"
	    "To: <bob@a.test>\r\n"
	    "Subject: Delivery failed: no.body@b.test\r\n"
	    "Message-ID: <20261120.4bTx1z@mx.a.test>\r\n"
	    "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"=_")));
	ck_assert(!has("8bit"));
	status = parts[2];
	ck_assert(header_find(status, STR("Content-Type"), &f));
	ck_str(f.value, STR(" message/delivery-status"));
	ck_assert(has("\r\n\r\nOriginal-Envelope-Id: QQ+314\r\n"
	    "Reporting-MTA: dns; mx.a.test\r\n"
	    "Received-From-MTA: dns; client.a.test\r\n"
	    "Arrival-Date: Fri, 20 Nov 2026 12:00:00 +0000\r\n\r\n"
	    "Original-Recipient: rfc822;No.body@b.test\r\n"
	    "Final-Recipient: rfc822; no.body@b.test\r\n"
	    "Action: failed\r\nStatus: 5.1.1\r\n"
	    "Remote-MTA: dns; mx.b.test\r\n"
	    "Diagnostic-Code: smtp; 550 5.1.1 <no.body@b.test>: no such user"
	    "\r\nLast-Attempt-Date: Fri, 20 Nov 2026 12:01:00 +0000\r\n"
	    "Final-Log-ID: 4bTx1z\r\n\r\n--"));
	ck_assert(header_find(parts[3], STR("Content-Type"), &f));
	ck_str(f.value, STR(" message/rfc822"));
	/* Octet for octet, up to the CRLF that is the boundary's. */
	ck_assert(str_ends(parts[3], STR("End.\r\n\r\n")));
	parts[3].n -= 2;
	ck_assert(str_ends(parts[3], str_c(original)));
	buf_free(&b);
}
END_TEST

/* What is not known is left out. */
START_TEST(sparse)
{
	struct dsn_rcpt rcpt = { .action = DSN_FAILED,
		.rcpt = { STR("a"), STR("b") } };
	struct dsn d = { .reporting_mta = STR("h"), .message_id = STR("x@h"),
		.to = { STR("c"), STR("d") }, .rcpts = &rcpt, .rcpt_n = 1,
		.now = 1, .full = true };
	struct str parts[8];

	make(&d);
	check_lines();
	ck_assert_uint_eq(split(parts), 4);
	ck_assert(has("\r\n\r\nReporting-MTA: dns; h\r\n\r\n"
	    "Final-Recipient: rfc822; a@b\r\n"
	    "Action: failed\r\nStatus: 5.0.0\r\n\r\n--"));
	ck_assert(has("Content-Type: text/rfc822-headers\r\n"));
	buf_free(&b);
}
END_TEST

START_TEST(headers_only)
{
	static char big[DSN_FULL_MAX * 3];
	struct dsn_rcpt rcpt = failed_rcpt();
	struct dsn d = report(&rcpt, 1);
	size_t n;

	d.full = false;
	make(&d);
	check_lines();
	ck_assert(has("text/rfc822-headers\r\n") && has("Subject: Hello\r\n"));
	ck_assert(!has("Body line"));
	buf_free(&b);
	/* Success returns no content, whatever was asked for. */
	d.full = true;
	rcpt.action = DSN_DELIVERED;
	rcpt.status = "2.1.5";
	make(&d);
	ck_assert(has("Action: delivered\r\nStatus: 2.1.5\r\n"));
	ck_assert(has("text/rfc822-headers\r\n") && !has("Body line"));
	buf_free(&b);
	/* Too large as a whole; and a header that is. */
	rcpt.action = DSN_FAILED;
	memset(big, 'x', sizeof(big));
	memcpy(big, original, sizeof(original) - 1);
	for (n = 200; n + 100 < sizeof(big); n += 100)
		memcpy(big + n, "\r\n", 2);
	d.original = str_n(big, n);
	make(&d);
	check_lines();
	ck_assert(!has("Body line") && b.n < 10000);
	buf_free(&b);
	memcpy(big, "A: b\r\nC:", 8);
	memcpy(big + 8, "xxxx", 4);
	for (n = 100; n + 100 < sizeof(big); n += 100)
		memcpy(big + n, "\r\n ", 3);
	make(&d);
	check_lines();
	ck_assert(has("A: b\r\n") && b.n < 10000);
	buf_free(&b);
}
END_TEST

/* No line that nobody may send, also if the original has one. */
START_TEST(long_lines)
{
	static char text[5000];
	struct dsn_rcpt rcpt = failed_rcpt();
	struct dsn d = report(&rcpt, 1);

	memset(text, 'x', sizeof(text));
	memcpy(text, "A: b\r\nLong: ", 12);
	memcpy(text + 3000, "\r\n\r\n", 4);
	d.original = str_n(text, sizeof(text));
	make(&d);
	check_lines();
	ck_assert(has("text/rfc822-headers\r\n"));
	buf_free(&b);
	/* The longest that a line may be, and one octet more. */
	for (size_t more = 0; more < 2; more++) {
		memset(text, 'x', sizeof(text));
		memcpy(text, "A: b\r\n\r\n", 8);
		memcpy(text + 8 + MAIL_LINE_MAX + more, "\r\n", 2);
		d.original = str_n(text, 10 + MAIL_LINE_MAX + more);
		make(&d);
		check_lines();
		ck_assert(has(more ? "text/rfc822-headers\r\n" :
				     "message/rfc822\r\n"));
		buf_free(&b);
	}
}
END_TEST

START_TEST(eight_bit)
{
	struct dsn_rcpt rcpt = failed_rcpt();
	struct dsn d = report(&rcpt, 1);
	struct str parts[8];
	struct field f;

	d.original = STR("Subject: x\r\n\r\n\xc3\xa9\r\n");
	make(&d);
	ck_assert_uint_eq(split(parts), 4);
	ck_assert(header_find(buf_str(&b), STR("Content-Transfer-Encoding"),
	    &f));
	ck_str(f.value, STR(" 8bit"));
	ck_assert(header_find(parts[3], STR("Content-Transfer-Encoding"), &f));
	ck_str(f.value, STR(" 8bit"));
	ck_assert(!header_find(parts[1], STR("Content-Transfer-Encoding"), &f));
	ck_assert(has("\r\n\xc3\xa9\r\n"));
	buf_free(&b);
	/* The header is ASCII: so is the report that holds only it. */
	d.full = false;
	make(&d);
	ck_assert(!str_has_8bit(buf_str(&b)) && !has("8bit"));
	buf_free(&b);
	d.original = STR("Subject: \xc3\xa9\r\n\r\n");
	make(&d);
	ck_assert(has("text/rfc822-headers; charset=utf-8\r\n"));
	ck_assert(header_find(buf_str(&b), STR("Content-Transfer-Encoding"),
	    &f));
	buf_free(&b);
	/* The whole of it could not be made 7-bit on the way. */
	d.full = true;
	d.original = STR("Subject: \xc3\xa9\r\n\r\nbody\r\n");
	make(&d);
	ck_assert(has("text/rfc822-headers; charset=utf-8\r\n"));
	ck_assert(has("Content-Description: The header of the message\r\n"));
	ck_assert(!has("body\r\n"));
	buf_free(&b);
}
END_TEST

/* CVE-2020-8794 and its kind: every foreign text tries to get out. */
START_TEST(injection)
{
	static const char evil[] = "550 x\r\nBcc: evil@x\n\n--=_a_0\r\n\r\r\n\x1b"
	    "[1m\x7f\x80\xff.\r\n.\r\n";
	static char endless[5000];
	struct str e = str_n(evil, sizeof(evil) - 1);
	struct str endless_str = str_n(endless, sizeof(endless));
	struct dsn_rcpt rcpt = failed_rcpt();
	struct dsn d = report(&rcpt, 1);
	struct str parts[8];
	struct field f;

	memset(endless, 'z', sizeof(endless));
	for (int round = 0; round < 2; round++) {
		struct str x = round ? endless_str : e;

		rcpt.rcpt.local = rcpt.rcpt.domain = x;
		rcpt.remote_mta = rcpt.diagnostic = x;
		rcpt.orcpt = STR("rfc822\r\nX: y;a+0D+0ABcc: x");
		d.reporting_mta = d.queue_id = d.message_id = x;
		d.postmaster = d.received_from = d.envid = x;
		d.to.local = d.to.domain = x;
		make(&d);
		check_lines();
		ck_assert_uint_eq(split(parts), 4);
		ck_assert(!str_has_8bit(buf_str(&b)));
		ck_assert(!has("\nBcc"));
		ck_assert(!has("\nX: y"));
		ck_assert(!header_find(parts[0], STR("Bcc"), &f));
		buf_free(&b);
	}
}
END_TEST

/* An xtext that means what no field may hold is shown as it came. */
START_TEST(xtext)
{
	struct dsn_rcpt rcpt = failed_rcpt();
	struct dsn d = report(&rcpt, 1);

	d.envid = STR("a+0Ab");
	rcpt.orcpt = STR("rfc822;+E9@b");
	make(&d);
	ck_assert(has("Original-Envelope-Id: a+0Ab\r\n"));
	ck_assert(has("Original-Recipient: rfc822;+E9@b\r\n"));
	buf_free(&b);
	rcpt.orcpt = STR("no type");
	d.envid = STR("");
	make(&d);
	ck_assert(!has("Original-Recipient") && !has("Original-Envelope-Id"));
	buf_free(&b);
}
END_TEST

/* The boundary is one that the original does not hold. */
START_TEST(boundary)
{
	struct dsn_rcpt rcpt = failed_rcpt();
	struct dsn d = report(&rcpt, 1);
	struct str parts[8];

	d.original = STR("Subject: x\r\n\r\n--=_202611204bTx1zmxatest_0\r\n"
	    "--=_202611204bTx1zmxatest_1--\r\n");
	make(&d);
	ck_assert(has("boundary=\"=_202611204bTx1zmxatest_2\""));
	ck_assert_uint_eq(split(parts), 4);
	buf_free(&b);
	/* The text repeats the subject, at the start of a line if it must. */
	d.original = STR("Subject: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxx --=_202611204bTx1zmxatest_0 x\r\n\r\n");
	make(&d);
	ck_assert_uint_eq(split(parts), 4);
	buf_free(&b);
}
END_TEST

START_TEST(many)
{
	static struct dsn_rcpt rcpts[1000];
	struct dsn d;
	struct str parts[8];

	for (size_t i = 0; i < ARRAY_LEN(rcpts); i++) {
		rcpts[i] = failed_rcpt();
		rcpts[i].action = i % 2 ? DSN_DELAYED : DSN_FAILED;
		rcpts[i].status = i % 2 ? "4.4.1" : "nonsense";
		rcpts[i].retry_until = 1795608000;
	}
	d = report(rcpts, ARRAY_LEN(rcpts));
	make(&d);
	check_lines();
	ck_assert_uint_eq(split(parts), 4);
	ck_assert(has("Subject: Delivery failed: 500 recipients\r\n"));
	ck_assert(has("Status: 5.0.0\r\n") && has("Status: 4.4.1\r\n"));
	ck_assert(has("Action: delayed\r\n"));
	ck_assert(has("Will-Retry-Until: Wed, 25 Nov 2026 12:00:00 +0000\r\n"));
	buf_free(&b);
}
END_TEST

START_TEST(subjects)
{
	static const struct {
		enum dsn_action action;
		const char *subject, *action_name, *status;
	} t[] = {
		{ DSN_DELAYED, "Delivery delayed: ", "delayed", "4.0.0" },
		{ DSN_DELIVERED, "Delivered: ", "delivered", "2.0.0" },
		{ DSN_RELAYED, "Handed on: ", "relayed", "2.0.0" },
		{ DSN_EXPANDED, "Delivered to a list: ", "expanded", "2.0.0" },
	};
	struct dsn_rcpt rcpt = failed_rcpt();
	struct dsn d = report(&rcpt, 1);
	struct field f;

	rcpt.status = NULL;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		rcpt.action = t[i].action;
		make(&d);
		ck_assert(header_find(buf_str(&b), STR("Subject"), &f));
		ck_assert(str_starts(str_trim(f.value), str_c(t[i].subject)));
		ck_assert(has(t[i].action_name) && has(t[i].status));
		buf_free(&b);
	}
	d.rcpt_n = 0;
	make(&d);
	ck_assert(has("Subject: Delivery report\r\n"));
	buf_free(&b);
}
END_TEST

/* RFC 6533 (RFC 6531-07): raw for who has such an address. */
START_TEST(global)
{
	struct dsn_rcpt rcpt = failed_rcpt();
	struct dsn d = report(&rcpt, 1);
	struct str parts[8];
	struct field f;

	d.smtputf8 = true;
	d.original = STR("Subject: \xc3\xa9\r\n\r\nbody\r\n");
	rcpt.rcpt.local = STR("g\xc3\xbc");
	d.to.local = STR("b\xc3\xb6");
	buf_init(&b, 1 << 20);
	ck_assert(dsn_add(&b, &d));
	check_lines();
	ck_assert_uint_eq(split(parts), 4);
	ck_assert(has("To: <b\xc3\xb6@a.test>\r\n"));
	ck_assert(has("Subject: Delivery failed: g\xc3\xbc@b.test\r\n"));
	/* RFC 6522 3. */
	ck_assert(has("Content-Type: multipart/report; "
	    "report-type=global-delivery-status;\r\n"));
	ck_assert(has("Content-Type: text/plain; charset=utf-8\r\n"));
	ck_assert(has("Content-Type: message/global-delivery-status\r\n"));
	ck_assert(has("Final-Recipient: utf-8; g\xc3\xbc@b.test\r\n"));
	ck_assert(has("Content-Type: message/global\r\n"));
	for (size_t i = 0; i < 4; i++) {
		ck_assert(header_find(parts[i],
		    STR("Content-Transfer-Encoding"), &f));
		ck_str(f.value, STR(" 8bit"));
	}
	buf_free(&b);
	d.full = false;
	buf_init(&b, 1 << 20);
	ck_assert(dsn_add(&b, &d));
	ck_assert(has("Content-Type: message/global-headers\r\n"));
	ck_assert(!has("\r\nbody"));
	buf_free(&b);
}
END_TEST

/* Who has an ASCII address gets it by any way: 7-bit. */
START_TEST(global_encoded)
{
	struct dsn_rcpt rcpt = failed_rcpt();
	struct dsn d = report(&rcpt, 1);
	struct str parts[8];

	d.smtputf8 = true;
	d.original = STR("Subject: \xc3\xa9\r\n\r\nb\xc3\xb6""dy\r\n");
	rcpt.rcpt.local = STR("g\xc3\xbc");
	buf_init(&b, 1 << 20);
	ck_assert(!dsn_add(&b, &d));
	check_lines();
	ck_assert_uint_eq(split(parts), 4);
	ck_assert(!str_has_8bit(buf_str(&b)) && !has("8bit"));
	ck_assert(has("Subject: =?utf-8?B?"));
	ck_assert(has("Content-Type: message/global-delivery-status\r\n"
	    "Content-Description: Delivery status\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"));
	ck_assert(has("Final-Recipient: utf-8; g=C3=BC@b.test\r\n"));
	ck_assert(has("Content-Type: message/global\r\n"));
	ck_assert(has("Subject: =C3=A9\r\n\r\nb=C3=B6dy\r\n"));
	buf_free(&b);
	/* SMTPUTF8 was said, but not needed: the forms that all know. */
	rcpt.rcpt.local = STR("gu");
	d.original = STR("Subject: e\r\n\r\nb\xc3\xb6""dy\r\n");
	buf_init(&b, 1 << 20);
	ck_assert(!dsn_add(&b, &d));
	ck_assert(has("message/delivery-status\r\n") && !has("global"));
	ck_assert(has("report-type=delivery-status;\r\n"));
	ck_assert(has("message/rfc822\r\n") && has("b\xc3\xb6""dy"));
	buf_free(&b);
}
END_TEST

/* RFC 3834 3.1.5: a Message-ID is referred to if it is one. */
START_TEST(references)
{
	static const struct {
		const char *original, *id;
	} t[] = {
		{ "Message-ID: <a@b>\r\n\r\n", "<a@b>" },
		{ "Message-ID:\r\n <a@b>\r\n\r\n", "<a@b>" },
		{ "Message-ID: <a@b> <c@d>\r\n\r\n", NULL },
		{ "Message-ID: a@b\r\n\r\n", NULL },
		{ "Message-ID: <a\r\n b>\r\n\r\n", NULL },
		{ "Message-ID: <\xc3\xa9@b>\r\n\r\n", NULL },
		{ "Message-ID: <>\r\n\r\n", NULL },
		{ "X: y\r\n\r\nMessage-ID: <a@b>\r\n", NULL },
	};
	struct dsn_rcpt rcpt = failed_rcpt();
	struct dsn d = report(&rcpt, 1);
	struct field f;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		bool found;

		d.original = str_c(t[i].original);
		make(&d);
		found = header_find(buf_str(&b), STR("In-Reply-To"), &f);
		ck_assert_msg(found == (t[i].id != NULL), "row %zu", i);
		if (found) {
			ck_str(str_trim(f.value), str_c(t[i].id));
			ck_assert(header_find(buf_str(&b), STR("References"),
			    &f));
			ck_str(str_trim(f.value), str_c(t[i].id));
		}
		buf_free(&b);
	}
}
END_TEST

UNIT_MAIN("mail/dsn", global, global_encoded, references, notify, failure, sparse, headers_only, long_lines,
    eight_bit, injection, xtext, boundary, many, subjects)
