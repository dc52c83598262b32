/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-12: signatures that strangers made: what is made of a message does not depend
 * on the pieces that it came in, its texts are fit for a header and a log, and no
 * name is asked for that may not be.
 *
 * The input is a message; each of its keys is the second line of the body, or
 * what DNS says by its first octet.
 *
 * Parsers: mail/dkim_signature.c mail/dkim_form.c mail/dkim_record.c
 * check/dkim.c check/dkim_entry.c check/dkim_header.c check/dkim_bodies.c check/arc.c
 * mail/arc_seal.c net/dkim_public.c.
 */

#include "fuzz.h"

#include "check/dkim.h"
#include "mail/arc_seal.h"

static void
check_text(struct str s, bool spaces)
{
	for (size_t i = 0; i < s.n; i++)
		check(s.p[i] >= (spaces ? ' ' : '!') && s.p[i] <= '~');
}

static struct dkim_check *
read_message(struct str header, struct str body, size_t piece)
{
	struct dkim_check *c = dkim_check_new(DKIM_CHECK_DKIM | DKIM_CHECK_ARC, 1800000000);

	dkim_check_header(c, header);
	for (; body.n > 0; body = str_skip(body, piece))
		dkim_check_body(c, str_head(body, piece));
	dkim_check_end(c);
	return c;
}

static void
answer(struct dkim_check *c, struct str body)
{
	struct txt_answer a = { .status = TXT_OK, .text_n = 1 };
	struct str line;

	str_cut(body, '\n', &line, &body);
	str_cut(body, '\n', &a.texts[0], &body);
	if (line.n > 0 && line.p[0] > 0 && line.p[0] <= TXT_LARGE)
		a = (struct txt_answer){ .status = (enum txt_status)line.p[0] };
	for (size_t i = 0; i < dkim_check_key_count(c); i++) {
		check(msg_txt_may_ask(dkim_check_key_name(c, i)));
		dkim_check_key(c, i, &a);
	}
}

static void
look(struct dkim_check *c)
{
	struct arc_verdict arc = dkim_check_arc(c);

	check(dkim_check_count(c) <= DKIM_CHECK_MAX);
	for (size_t i = 0; i < dkim_check_count(c); i++) {
		struct dkim_verdict v = dkim_check_verdict(c, i);

		check((v.result == DKIM_PASS) == (v.reason.n == 0));
		check_text(v.reason, true);
		check_text(v.domain, false);
		check_text(v.selector, false);
		check_text(v.identity, false);
		check_text(v.algorithm, false);
		check_text(v.b, false);
	}
	check((arc.result == ARC_FAIL) == (arc.reason.n > 0));
	check(arc.oldest_pass <= arc.instance && arc.instance <= 50);
	check_text(arc.reason, true);
	check_text(arc.domain, false);
}

/* Any chain that could be added to is, and then has one more. */
static void
seal(struct str header)
{
	struct dkim_signer s = { .domain = STR("a.example"), .selector = STR("s"),
		.algorithm = "rsa-sha256", .now = 1800000000 };
	struct dkim_text *t = dkim_text_new(true, false);
	unsigned char digest[SHA256_SIZE];
	struct buf new, field;
	int sets = arc_sets(header);

	buf_init(&new, 2 * DKIM_FIELD_MAX);
	buf_init(&field, DKIM_FIELD_MAX);
	dkim_text_add(t, header);
	if (dkim_text_end(t) == NULL && sets >= 0) {
		s.instance = (unsigned)sets + 1;
		if (dkim_field_begin(t, &s, &new, digest) == 0) {
			dkim_field_end(&new, STR("x"));
			arc_results_add(&new, s.instance, STR(" a.example; none"));
			check(arc_seal_begin(dkim_text_header(t), buf_str(&new), &s, &field, digest) == 0);
			dkim_field_end(&field, STR("x"));
			buf_add(&new, buf_str(&field));
			check(buf_ok(&new) && arc_sets(buf_str(&new)) == (sets == 0 ? 1 : -1));
		}
	}
	dkim_text_free(t);
	buf_free(&new);
	buf_free(&field);
}

static void
compare(struct dkim_check *a, struct dkim_check *b)
{
	check(dkim_check_count(a) == dkim_check_count(b));
	for (size_t i = 0; i < dkim_check_count(a); i++)
		check(dkim_check_verdict(a, i).result == dkim_check_verdict(b, i).result);
	check(dkim_check_arc(a).result == dkim_check_arc(b).result);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = str_n((const char *)data, n);
	const char *end = n > 0 ? memmem(text.p, text.n, "\r\n\r\n", 4) : NULL;
	size_t header = end != NULL ? (size_t)(end - text.p) + 4 : n;
	struct str body = str_skip(text, header);
	struct dkim_check *whole = read_message(str_head(text, header), body, n + 1);
	struct dkim_check *pieces = read_message(str_head(text, header), body, 1 + n % 7);

	seal(str_head(text, header));
	compare(whole, pieces);
	answer(whole, body);
	answer(pieces, body);
	look(whole);
	compare(whole, pieces);
	dkim_check_free(whole);
	dkim_check_free(pieces);
	return 0;
}
