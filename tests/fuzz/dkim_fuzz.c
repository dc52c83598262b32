/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-12: DKIM: what is signed of a message does not depend on the pieces that it
 * came in, nor on white space that relays may change.
 *
 * The record of a key says the same when it is written again.
 *
 * Parsers: mail/dkim.c mail/dkim_body.c mail/dkim_record.c.
 */

#include "fuzz.h"

#include "mail/dkim.h"
#include "mail/dkim_record.h"

/* Adds the field and its digest to OUT; why there is none. */
static const char *
sign(struct str text, size_t piece, bool exact, struct buf *out)
{
	const struct dkim_signer s = { .domain = STR("a.example"), .selector = STR("s"),
		.algorithm = "rsa-sha256", .simple_header = exact, .simple_body = exact };
	struct dkim_text *t = dkim_text_new(exact, true);
	unsigned char digest[SHA256_SIZE];
	const char *why;
	struct buf field;

	for (; text.n > 0; text = str_skip(text, piece))
		dkim_text_add(t, str_head(text, piece));
	why = dkim_text_end(t);
	buf_init(&field, DKIM_FIELD_MAX);
	if (why == NULL) {
		check(dkim_text_domain(t).n > 0 && !str_has_ctl(dkim_text_domain(t)));
		if (dkim_field_begin(t, &s, &field, digest) == 0) {
			dkim_field_end(&field, STR("x"));
			check(buf_ok(&field) && str_ends(buf_str(&field), STR("\r\n")));
			buf_add(out, buf_str(&field));
			buf_add(out, str_n((const char *)digest, sizeof(digest)));
		}
	}
	buf_free(&field);
	dkim_text_free(t);
	return why;
}

static void
read_record(struct str text)
{
	struct dkim_record r, again;
	struct buf b;

	buf_init(&b, 2 * DKIM_RECORD_MAX);
	if (dkim_record_parse(text, &r) == NULL) {
		check(r.key.n > 0 && r.key.n <= DKIM_RECORD_MAX);
		dkim_record_add(&b, "rsa", buf_str(&r.key));
		check(dkim_record_parse(buf_str(&b), &again) == NULL || b.n > DKIM_RECORD_MAX);
		check(str_eq(buf_str(&again.key), buf_str(&r.key)) || b.n > DKIM_RECORD_MAX);
		dkim_record_free(&again);
	}
	dkim_record_free(&r);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	bool exact = n > 0 && (data[0] & 1) != 0;
	struct str text = str_skip(str_n((const char *)data, n), 1);
	struct buf whole, pieces;

	buf_init(&whole, 2 * DKIM_FIELD_MAX);
	buf_init(&pieces, 2 * DKIM_FIELD_MAX);
	check(sign(text, 1 << 20, exact, &whole) ==
	    sign(text, n > 1 ? 1 + data[1] % 7u : 1, exact, &pieces));
	check(str_eq(buf_str(&whole), buf_str(&pieces)));
	buf_free(&whole);
	buf_free(&pieces);
	read_record(text);
	return 0;
}
