/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A message that is made fit for a host with less: the first octet says
 * which and how the text is cut, the rest is the message.  What is
 * written must be fit, have the same parts, not depend on the cuts, and be
 * left as it is when it is converted again.
 *
 * Parsers: mail/downgrade.c mail/downgrade_scan.c mail/facts.c mail/mime.c
 * mail/recode.c.
 */

#include "fuzz.h"

#include "mail/downgrade.h"
#include "mail/facts.h"
#include "mail/limits.h"
#include "mail/mime_each.h"

static unsigned
facts_of(struct str text, size_t piece)
{
	struct facts f;

	facts_init(&f);
	for (size_t at = 0; at < text.n; at += piece)
		facts_add(&f, str_head(str_skip(text, at), piece));
	return facts_end(&f);
}

/* What the parts are, as text. */
static void
shape(struct buf *out, const struct mime_walk *w, enum mime_line what)
{
	check(w->frames <= MIME_DEPTH_MAX && w->parts > 0);
	if (what == MIME_BLANK)
		buf_addf(out, "%d/%zu ", (int)w->part.kind, w->frames);
	if (what == MIME_DELIMITER)
		buf_addf(out, "-%zu ", w->frames);
}

/* False if it cannot be done. */
static bool
convert(struct str text, enum downgrade_to to, bool binary, size_t piece,
    struct buf *out)
{
	struct downgrade_plan plan;
	struct downgrade_scan scan;
	struct downgrade *d;
	size_t start = out->n;
	bool ok;

	downgrade_plan_init(&plan);
	downgrade_scan_begin(&scan, &plan, binary);
	for (size_t at = 0; at < text.n; at += piece)
		downgrade_scan_add(&scan, str_head(str_skip(text, at), piece));
	downgrade_scan_end(&scan);
	ok = plan.why_not[to] == NULL;
	if (ok) {
		d = downgrade_new(&plan, to);
		for (size_t at = 0; at < text.n; at += piece) {
			struct str part = str_head(str_skip(text, at), piece);

			downgrade_add(d, part, out);
			/* Of all up to here: a field may be held back until it is whole. */
			check(out->n - start <= 16 * (at + part.n) + 2000);
		}
		downgrade_end(d, out);
		downgrade_free(d);
	}
	downgrade_plan_free(&plan);
	return ok;
}

static void
check_fit(struct str text, enum downgrade_to to)
{
	unsigned facts = facts_of(text, text.n + 1);

	check(!(facts & FACT_LONG));
	if (to == DOWNGRADE_TO_7BIT)
		check(!(facts & (FACT_HEADER_8BIT | FACT_BODY_8BIT)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	enum downgrade_to to;
	struct buf one, two, before, after;
	struct str text;
	size_t piece;
	bool binary, ok;

	if (n < 1)
		return 0;
	to = data[0] & 1 ? DOWNGRADE_TO_8BIT : DOWNGRADE_TO_7BIT;
	binary = data[0] & 2;
	piece = (size_t)(data[0] >> 2) * 31 + 1;
	text = str_n((const char *)data + 1, n - 1);
	check(facts_of(text, piece) == facts_of(text, n));
	buf_init(&one, 16 * n + 10000);
	buf_init(&two, 40 * n + 100000);
	buf_init(&before, 100 * n + 1000);
	buf_init(&after, 100 * n + 1000);
	ok = convert(text, to, binary, n, &one);
	check(convert(text, to, binary, piece, &two) == ok);
	check(str_eq(buf_str(&one), buf_str(&two)));
	if (ok) {
		check_fit(buf_str(&one), to);
		mime_each(text, shape, &before);
		mime_each(buf_str(&one), shape, &after);
		check(str_eq(buf_str(&before), buf_str(&after)));
		buf_reset(&two);
		check(convert(buf_str(&one), to, binary, piece, &two));
		check(str_eq(buf_str(&one), buf_str(&two)));
	}
	buf_free(&one);
	buf_free(&two);
	buf_free(&before);
	buf_free(&after);
	return 0;
}
