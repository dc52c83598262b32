/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-05.  Reports about anything.  The input's pieces (cut at 0xfe) are every text
 * that a report takes from strangers; the first octet says what kind it is.
 * The report has CRLF line ends, no line too long, and exactly three parts.
 *
 * With DSN_FUZZ_OUT each report is written to that file, a NUL behind it: for
 * tests/e2e/dsn.py, which reads them as others do.
 *
 * Parsers: mail/dsn.c mail/dsn_text.c mail/dsn_status.c.
 */

#include "fuzz.h"

#include <stdio.h>

#include "mail/dsn.h"
#include "mail/header.h"
#include "mail/limits.h"

static struct str
piece(struct str *rest)
{
	struct str p;

	str_cut(*rest, (char)0xfe, &p, rest);
	return p;
}

static void
check_report(struct str report)
{
	struct str line, rest = report, boundary;
	struct field f, none;
	unsigned marks = 0;

	check(header_find(report, STR("Content-Type"), &f));
	check(!header_find(report, STR("Bcc"), &none));
	check(str_cut(f.value, '"', &line, &boundary));
	check(str_cut(boundary, '"', &boundary, &line));
	while (rest.n > 0) {
		check(str_cut(rest, '\n', &line, &rest));
		check(line.n > 0 && line.p[line.n - 1] == '\r');
		line.n--;
		check(line.n <= MAIL_LINE_MAX);
		check(memchr(line.p, '\r', line.n) == NULL);
		check(memchr(line.p, '\0', line.n) == NULL);
		if (str_starts(line, STR("--")) &&
		    str_starts(str_skip(line, 2), boundary))
			marks++;
	}
	check(marks == 4);
}

static void
hand_on(struct str report)
{
	const char *path = getenv("DSN_FUZZ_OUT");
	FILE *f;

	if (path == NULL)
		return;
	f = fopen(path, "a");
	check(f != NULL && fwrite(report.p, 1, report.n, f) == report.n);
	check(fputc('\0', f) == 0 && fclose(f) == 0);
}

/* Words of NOTIFY: what is read is written as it was, and the other way round. */
static void
words(unsigned notify, struct str text)
{
	unsigned read = notify_parse(text);
	struct buf b;

	buf_init(&b, 100);
	notify_add(&b, notify);
	check((notify & NOTIFY_NEVER) != 0 || notify_parse(buf_str(&b)) == notify);
	buf_reset(&b);
	notify_add(&b, read);
	check(notify_parse(buf_str(&b)) == read);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str rest = str_n((const char *)data, n);
	struct dsn_rcpt rcpt = { 0 };
	struct dsn_try tries[2] = { 0 };
	struct dsn d = { .rcpts = &rcpt, .rcpt_n = 1 };
	struct buf b, status;
	unsigned kind;
	bool wide;

	if (n == 0)
		return 0;
	kind = data[0];
	rest = str_skip(rest, 1);
	buf_init(&status, n + 1);
	buf_add(&status, piece(&rest));
	rcpt.action = (enum dsn_action)(kind % 5);
	rcpt.status = buf_cstr(&status);
	rcpt.smtp_diagnostic = (kind & 8) != 0;
	rcpt.retry_until = kind;
	rcpt.diagnostic = piece(&rest);
	rcpt.rcpt.local = piece(&rest);
	rcpt.rcpt.domain = piece(&rest);
	rcpt.orcpt = piece(&rest);
	rcpt.remote_mta = piece(&rest);
	d.reporting_mta = STR("mx.example");
	d.message_id = STR("id@mx.example");
	d.queue_id = STR("id");
	d.envid = piece(&rest);
	d.received_from = piece(&rest);
	d.client = (kind & 128) != 0 ? d.received_from : STR("");
	d.to.local = piece(&rest);
	d.to.domain = piece(&rest);
	d.arrival = kind;
	d.now = 1;
	d.full = (kind & 16) != 0;
	d.smtputf8 = (kind & 32) != 0;
	if ((kind & 64) != 0) {
		/* Every text comes once more, as an answer and a host. */
		rcpt.attempts = 1 + kind % 3;
		rcpt.tries = tries;
		rcpt.try_n = 2;
		tries[0].host = rcpt.remote_mta;
		tries[0].reply = rcpt.diagnostic;
		tries[1].reply = d.envid;
	}
	d.original = rest;
	words(kind & 15, d.envid);
	buf_init(&b, 1 << 22);
	wide = dsn_add(&b, &d);
	check(buf_ok(&b));
	check_report(buf_str(&b));
	check(!wide || str_has_8bit(d.to.local) || str_has_8bit(d.to.domain));
	if (!wide && !str_has_8bit(d.original))
		check(!str_has_8bit(buf_str(&b)));
	hand_on(buf_str(&b));
	buf_free(&b);
	buf_free(&status);
	return 0;
}
