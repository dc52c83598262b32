/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-10.  A peer's replies, line by line; and the text of each made a reply of ours,
 * which must be read back as it was.
 *
 * Parsers: mail/reply.c.
 */

#include "fuzz.h"

#include "mail/limits.h"
#include "mail/reply.h"

/* RFC 5321 4.2: lines of at most 512 octets that end with CRLF. */
static void
answer(const struct reply *r)
{
	struct reply_reader again;
	struct str line, rest;
	struct buf b;
	int last = 0;

	buf_init(&b, 1 << 20);
	reply_reader_init(&again);
	reply_add(&b, r->code, r->enhanced, r->text);
	check(buf_ok(&b));
	for (rest = buf_str(&b); rest.n > 0;) {
		check(last == 0 && str_cut(rest, '\n', &line, &rest));
		check(line.n < SMTP_REPLY_MAX && line.p[line.n - 1] == '\r');
		line.n--;
		check(!str_has_ctl(line));
		last = reply_reader_line(&again, line);
	}
	check(last == 1 && again.code == r->code);
	check(strcmp(reply_reader_get(&again).enhanced, r->enhanced) == 0 ||
	    r->enhanced[0] == '\0');
	reply_reader_free(&again);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str rest = str_n((const char *)data, n), line;
	struct reply_reader reader;

	reply_reader_init(&reader);
	while (rest.n > 0) {
		struct reply r;
		int done;

		str_cut(rest, '\n', &line, &rest);
		done = reply_reader_line(&reader, line);
		if (done == -1)
			break;
		if (done == 0)
			continue;
		r = reply_reader_get(&reader);
		check(r.code >= 200 && r.code <= 599);
		check(r.text.n <= 16384);
		check(memchr(r.text.p, '\0', r.text.n) == NULL);
		check(memchr(r.text.p, '\r', r.text.n) == NULL);
		answer(&r);
	}
	reply_reader_free(&reader);
	return 0;
}
