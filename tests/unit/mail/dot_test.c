/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Tests of mail/dot: every way that is known to end a message where the
 * other side does not think so, at every split, against the one right end.
 */

#include "mail/dot.h"

#include "mail/limits.h"
#include "unit.h"

struct decoded {
	struct buf text;
	size_t taken;
	unsigned faults;
	bool done;
};

/* Decodes WIRE, handing it over in pieces of N octets (0: all at once). */
static struct decoded
decode(struct str wire, size_t n)
{
	struct dot_decoder d;
	struct decoded r = { .taken = 0 };

	buf_init(&r.text, 1 << 22);
	dot_decoder_init(&d);
	while (wire.n > 0 && !d.done) {
		struct str piece = n ? str_head(wire, n) : wire;
		size_t taken = dot_decode(&d, piece, &r.text);

		ck_assert(taken == piece.n || d.done);
		wire = str_skip(wire, taken);
		r.taken += taken;
	}
	ck_assert_uint_eq(dot_decode(&d, STR(""), &r.text), 0);
	r.faults = d.faults;
	r.done = d.done;
	return r;
}

#define WIRE(w, t, f, left) { { w, sizeof(w) - 1 }, { t, sizeof(t) - 1 }, f, left }
#define END "\r\n.\r\n"

/* What is read, what comes out, the faults, and the octets left behind. */
static const struct {
	struct str wire, text;
	unsigned faults;
	int left;	/* -1: the text has not ended */
} texts[] = {
	WIRE(".\r\n", "", 0, 0),
	WIRE("a" END, "a\r\n", 0, 0),
	WIRE("a" END "QUIT\r\n", "a\r\n", 0, 6),
	WIRE("a" END "\0\n\r", "a\r\n", 0, 3),
	WIRE("..\r\n...\r\n..a" END, ".\r\n..\r\n.a\r\n", 0, 0),
	WIRE(".a\r\n. x" END, "a\r\n x\r\n", 0, 0),
	WIRE("a.\r\n\r\n.b.c" END, "a.\r\n\r\nb.c\r\n", 0, 0),
	WIRE("a\r\n", "a\r\n", 0, -1),
	WIRE("a\r\n.\r", "a\r\n", 0, -1),
	WIRE("\r\n\r\n" END, "\r\n\r\n\r\n", 0, 0),
	/* None of these is the end of the text. */
	WIRE("a\n.\nb" END, "a\n.\nb\r\n", DOT_BARE_LF, 0),
	WIRE("a\r.\rb" END, "a\r.\rb\r\n", DOT_BARE_CR, 0),
	WIRE("a\r.\nb" END, "a\r.\nb\r\n", DOT_BARE_CR | DOT_BARE_LF, 0),
	WIRE("a\n.\rb" END, "a\n.\rb\r\n", DOT_BARE_CR | DOT_BARE_LF, 0),
	WIRE("a\n.\r\nb" END, "a\n.\r\nb\r\n", DOT_BARE_LF, 0),
	WIRE("a\r\n.\nb" END, "a\r\n\nb\r\n", DOT_BARE_LF, 0),
	WIRE("a\r.\r\nb" END, "a\r.\r\nb\r\n", DOT_BARE_CR, 0),
	WIRE("a\r\n.\rb" END, "a\r\n\rb\r\n", DOT_BARE_CR, 0),
	WIRE("a\r\n\0.\r\nb" END, "a\r\n\0.\r\nb\r\n", DOT_NUL, 0),
	WIRE("a\r\n.\0\r\nb" END, "a\r\n\0\r\nb\r\n", DOT_NUL, 0),
	WIRE("a\r\n.\r\r\nb" END, "a\r\n\r\r\nb\r\n", DOT_BARE_CR, 0),
	WIRE("a\r\r\n.\r\r\nb" END, "a\r\r\n\r\r\nb\r\n", DOT_BARE_CR, 0),
	WIRE("a\r\n.\r.\r\nb" END, "a\r\n\r.\r\nb\r\n", DOT_BARE_CR, 0),
	WIRE("a\n..\r\n.\n.\r\nb" END, "a\n..\r\n\n.\r\nb\r\n", DOT_BARE_LF, 0),
	WIRE("\n.\r\nb" END, "\n.\r\nb\r\n", DOT_BARE_LF, 0),
	WIRE(".\nb" END, "\nb\r\n", DOT_BARE_LF, 0),
	WIRE("\r\r\r\n\n\n" END, "\r\r\r\n\n\n\r\n", DOT_BARE_CR | DOT_BARE_LF, 0),
	WIRE("\0\r\n..\0" END, "\0\r\n.\0\r\n", DOT_NUL, 0),
};

START_TEST(decoding)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		for (size_t n = 0; n <= texts[i].wire.n; n++) {
			struct decoded r = decode(texts[i].wire, n);

			ck_assert(buf_ok(&r.text));
			ck_str(buf_str(&r.text), texts[i].text);
			ck_assert_msg(r.faults == texts[i].faults,
			    "case %zu by %zu: faults %u", i, n, r.faults);
			ck_assert_msg(r.done == (texts[i].left >= 0),
			    "case %zu by %zu: done %d", i, n, r.done);
			if (r.done)
				ck_assert_uint_eq(r.taken + texts[i].left,
				    texts[i].wire.n);
			buf_free(&r.text);
		}
	}
}
END_TEST

/* S-13: every two-piece split of every text gives the same. */
START_TEST(splits)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		for (size_t at = 0; at <= texts[i].wire.n; at++) {
			struct dot_decoder d;
			struct buf out;
			size_t taken;

			buf_init(&out, 1000);
			dot_decoder_init(&d);
			taken = dot_decode(&d, str_head(texts[i].wire, at), &out);
			taken += dot_decode(&d, str_skip(texts[i].wire, taken),
			    &out);
			ck_str(buf_str(&out), texts[i].text);
			ck_assert_uint_eq(d.faults, texts[i].faults);
			ck_assert_int_eq(d.done, texts[i].left >= 0);
			buf_free(&out);
		}
	}
}
END_TEST

START_TEST(long_lines)
{
	static char wire[SMTP_TEXT_LINE_MAX + 10];
	struct decoded r;
	size_t max = SMTP_TEXT_LINE_MAX - 2;

	for (size_t n = max; n <= max + 1; n++) {
		memset(wire, 'x', n);
		memcpy(wire + n, END, 5);
		for (size_t piece = 0; piece < 5000; piece += 4999) {
			r = decode(str_n(wire, n + 5), piece);
			ck_assert_uint_eq(r.faults, n > max ? DOT_LONG : 0);
			ck_assert_uint_eq(r.text.n, n + 2);
			buf_free(&r.text);
		}
	}
	/* A stuffed dot does not count. */
	memset(wire, 'x', max + 1);
	wire[0] = '.';
	memcpy(wire + max + 1, END, 5);
	r = decode(str_n(wire, max + 6), 0);
	ck_assert_uint_eq(r.faults, 0);
	buf_free(&r.text);
}
END_TEST

/* A decoder takes nothing any more once it is done. */
START_TEST(after_the_end)
{
	struct dot_decoder d;
	struct buf out;

	buf_init(&out, 100);
	dot_decoder_init(&d);
	ck_assert_uint_eq(dot_decode(&d, STR("a" END "MAIL"), &out), 6);
	ck_assert_uint_eq(dot_decode(&d, STR("MAIL"), &out), 0);
	ck_str(buf_str(&out), STR("a\r\n"));
	buf_free(&out);
}
END_TEST

static void
encode(struct str text, size_t n, struct buf *out)
{
	struct dot_encoder e;

	dot_encoder_init(&e);
	while (text.n > 0) {
		struct str piece = n ? str_head(text, n) : text;

		dot_encode(&e, piece, out);
		text = str_skip(text, piece.n);
	}
	dot_encode(&e, STR(""), out);
	dot_encode_end(&e, out);
}

#define OUT(t, w) { { t, sizeof(t) - 1 }, { w, sizeof(w) - 1 } }

START_TEST(encoding)
{
	static const struct {
		struct str text, wire;
	} t[] = {
		OUT("", ".\r\n"),
		OUT("a\r\n", "a" END),
		OUT("a", "a" END),
		OUT("a\r", "a" END),
		OUT("a\n", "a" END),
		OUT("\r\n", END),
		OUT(".", ".." END),
		OUT(".\r\n", ".." END),
		OUT("..\r\n.a\r\nb.\r\n", "...\r\n..a\r\nb." END),
		OUT("a\n.\nb", "a\r\n..\r\nb" END),
		OUT("a\r.\rb", "a\r\n..\r\nb" END),
		OUT("a\n.\r\nb", "a\r\n..\r\nb" END),
		OUT("a\r\n.\rb", "a\r\n..\r\nb" END),
		OUT("a\r\r\n.\r\n", "a\r\n\r\n.." END),
		OUT("a\n\r.b", "a\r\n\r\n..b" END),
		OUT("\0.\0\r\n", "\0.\0" END),
		OUT("\r\r\r", "\r\n\r\n" END),
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		for (size_t n = 0; n <= t[i].text.n; n++) {
			struct buf out;

			buf_init(&out, 1000);
			encode(t[i].text, n, &out);
			ck_str(buf_str(&out), t[i].wire);
			buf_free(&out);
		}
	}
}
END_TEST

/* S-14: what is written is the same in every two pieces of TEXT. */
static void
check_splits(struct str text, struct str wire)
{
	struct buf out;

	buf_init(&out, 100);
	for (size_t at = 1; at < text.n; at++) {
		struct dot_encoder e;

		buf_reset(&out);
		dot_encoder_init(&e);
		dot_encode(&e, str_head(text, at), &out);
		dot_encode(&e, str_skip(text, at), &out);
		dot_encode(&e, STR(""), &out);
		dot_encode_end(&e, &out);
		ck_str(buf_str(&out), wire);
	}
	buf_free(&out);
}

/* S-13, S-14: every text of up to six of the octets that matter: no way to smuggle. */
START_TEST(all_short_texts)
{
	static const char octets[] = { '\r', '\n', '.', 'a' };
	char text[6];
	struct buf wire;

	buf_init(&wire, 100);
	for (unsigned code = 0; code < 4096 * 7; code++) {
		size_t n = code / 4096;
		struct decoded r;

		for (size_t i = 0; i < n; i++)
			text[i] = octets[code >> (2 * i) & 3];
		buf_reset(&wire);
		encode(str_n(text, n), 0, &wire);
		check_splits(str_n(text, n), buf_str(&wire));
		r = decode(buf_str(&wire), code % 3);
		ck_assert(r.done && r.faults == 0);
		ck_assert_uint_eq(r.taken, wire.n);
		buf_free(&r.text);
		/* Read as it is, the text has no end but the right one. */
		r = decode(str_n(text, n), 0);
		if (r.done)
			ck_assert(memcmp(text, ".\r\n", 3) == 0 ||
			    memmem(text, r.taken, END, 5) ==
			    text + r.taken - 5);
		else
			ck_assert_ptr_null(memmem(text, n, END, 5));
		buf_free(&r.text);
	}
	buf_free(&wire);
}
END_TEST

UNIT_MAIN("mail/dot", decoding, splits, long_lines, after_the_end, encoding,
    all_short_texts)
