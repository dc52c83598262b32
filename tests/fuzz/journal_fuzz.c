/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * journal -- F-08: the reader of a line, fed with anything; and the writer, whose
 * lines the reader must take, whatever is in their strings.
 *
 * Parsers: ipc/journal_line.c ipc/journal_read.c.
 */

#include <stdlib.h>

#include "ipc/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
write_and_read(struct str s)
{
	struct journal_entry e;
	struct buf b;
	struct journal_line l = { .id = "0651F0C3D2A1BF00042",
		.event = s.n > 0 ? (unsigned char)s.p[0] % JOURNAL_N : 0,
		.from = s, .to = s, .client = s, .reply = s, .tls = s,
		.reason = s, .rcpts = s.n, .rcpt = s.n };

	buf_init(&b, 1 << 20);
	journal_format(&b, &l, INT64_C(1763690000123456));
	if (!buf_ok(&b) || b.n == 0 || b.p[b.n - 1] != '\n' ||
	    memchr(b.p, '\n', b.n - 1) != NULL || !str_is_utf8(buf_str(&b)) ||
	    !journal_parse(str_n(b.p, b.n - 1), &e) || e.event != l.event ||
	    e.rcpts != s.n)
		abort();
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = str_n((const char *)data, n);
	struct journal_entry e;

	if (journal_parse(s, &e) &&
	    (e.event >= JOURNAL_N || e.time_us <= 0 || e.id.n > n))
		abort();
	write_and_read(s);
	return 0;
}
