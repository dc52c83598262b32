/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * downgrade -- the message on standard input as a host without 8BITMIME
 * gets it.
 *
 * usage: downgrade 7|8 [binary [N]]
 *
 * 8: a host with 8BITMIME.  The text is given to both passes in pieces of N
 * octets (4096).  Exit 2 with the reason on standard error if it cannot be
 * done.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/downgrade.h"

#define PIECE 4096

static struct str
read_all(struct buf *b)
{
	char p[65536];
	size_t n;

	while ((n = fread(p, 1, sizeof(p), stdin)) > 0)
		buf_add(b, str_n(p, n));
	return buf_str(b);
}

static void
convert(const struct downgrade_plan *plan, enum downgrade_to to,
    struct str text, size_t piece, struct buf *out)
{
	struct downgrade *d = downgrade_new(plan, to);

	for (size_t at = 0; at < text.n; at += piece)
		downgrade_add(d, str_head(str_skip(text, at), piece), out);
	downgrade_end(d, out);
	downgrade_free(d);
}

int
main(int argc, char **argv)
{
	enum downgrade_to to = argc > 1 && argv[1][0] == '8' ?
	    DOWNGRADE_TO_8BIT : DOWNGRADE_TO_7BIT;
	size_t piece = argc > 3 ? strtoul(argv[3], NULL, 10) : PIECE;
	struct downgrade_plan plan;
	struct downgrade_scan scan;
	struct buf text, out;
	struct str all;
	int code = 0;

	buf_init(&text, (size_t)1 << 30);
	buf_init(&out, (size_t)1 << 31);
	all = read_all(&text);
	downgrade_plan_init(&plan);
	downgrade_scan_begin(&scan, &plan,
	    argc > 2 && strcmp(argv[2], "binary") == 0);
	for (size_t at = 0; at < all.n; at += piece)
		downgrade_scan_add(&scan, str_head(str_skip(all, at), piece));
	downgrade_scan_end(&scan);
	if (plan.why_not[to] != NULL) {
		fprintf(stderr, "%s\n", plan.why_not[to]);
		code = 2;
	} else {
		convert(&plan, to, all, piece, &out);
		if (!buf_ok(&out) || fwrite(out.p, 1, out.n, stdout) != out.n)
			code = 1;
	}
	downgrade_plan_free(&plan);
	buf_free(&text);
	buf_free(&out);
	return code;
}
