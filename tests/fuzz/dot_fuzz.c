/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-02.  Message text read and written in pieces (the first octet says how long):
 * the same as in one piece; nothing lost; no end but CRLF.CRLF; and what is
 * written holds no bare CR or LF and is read back as it was.
 *
 * Parsers: mail/dot.c.
 */

#include "fuzz.h"

#include "mail/dot.h"

static struct dot_decoder
decode(struct str wire, size_t step, struct buf *out, size_t *taken)
{
	struct dot_decoder d;

	dot_decoder_init(&d);
	*taken = 0;
	while (wire.n > 0 && !d.done) {
		struct str piece = str_head(wire, step);
		size_t n = dot_decode(&d, piece, out);

		check(n == piece.n || d.done);
		*taken += n;
		wire = str_skip(wire, n);
	}
	check(buf_ok(out));
	return d;
}

static void
read_text(struct str wire, size_t step)
{
	struct buf whole, pieces;
	struct dot_decoder a, b;
	size_t na, nb;
	const char *end;

	buf_init(&whole, wire.n + 1);
	buf_init(&pieces, wire.n + 1);
	a = decode(wire, wire.n + 1, &whole, &na);
	b = decode(wire, step, &pieces, &nb);
	check(str_eq(buf_str(&whole), buf_str(&pieces)) && na == nb);
	check(a.faults == b.faults && a.done == b.done && a.line == b.line);
	end = memmem(wire.p, wire.n, "\r\n.\r\n", 5);
	if (wire.n >= 3 && memcmp(wire.p, ".\r\n", 3) == 0)
		check(a.done && na == 3 && whole.n == 0);
	else
		check(a.done == (end != NULL) &&
		    (end == NULL || na == (size_t)(end - wire.p) + 5));
	buf_free(&whole);
	buf_free(&pieces);
}

/* TEXT with every line end made CRLF, and one at its end. */
static void
normalise(struct str text, struct buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		bool cr = text.p[i] == '\r';

		if (!cr && text.p[i] != '\n') {
			buf_addc(out, text.p[i]);
			continue;
		}
		if (cr && i + 1 < text.n && text.p[i + 1] == '\n')
			i++;
		buf_add(out, STR("\r\n"));
	}
	if (out->n > 0 && !str_ends(buf_str(out), STR("\r\n")))
		buf_add(out, STR("\r\n"));
}

static void
write_text(struct str text, size_t step)
{
	struct dot_encoder e;
	struct dot_decoder d;
	struct buf wire, back, want;
	size_t taken;

	buf_init(&wire, 3 * text.n + 16);
	buf_init(&back, 3 * text.n + 16);
	buf_init(&want, 3 * text.n + 16);
	dot_encoder_init(&e);
	for (struct str rest = text; rest.n > 0; rest = str_skip(rest, step))
		dot_encode(&e, str_head(rest, step), &wire);
	dot_encode_end(&e, &wire);
	d = decode(buf_str(&wire), wire.n, &back, &taken);
	check(d.done && taken == wire.n);
	check((d.faults & (DOT_BARE_CR | DOT_BARE_LF)) == 0);
	normalise(text, &want);
	check(str_eq(buf_str(&back), buf_str(&want)));
	buf_free(&wire);
	buf_free(&back);
	buf_free(&want);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text;
	size_t step;

	if (n == 0)
		return 0;
	step = data[0] % 16 + 1u;
	text = str_n((const char *)data + 1, n - 1);
	read_text(text, step);
	write_text(text, step);
	return 0;
}
