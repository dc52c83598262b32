/* SPDX-License-Identifier: GPL-3.0-or-later */

/* mime_test -- what each line of a message is, and how lines are cut. */

#include "unit.h"

#include <stdio.h>

#include "lib/buf.h"
#include "mail/mime.h"
#include "mime_each.h"

/* A letter for each line; of a header's end, the kind and encoding too. */
static void
letter(struct buf *out, const struct mime_walk *w, enum mime_line what)
{
	static const char letters[] = "FmBbo-?";
	static const char kinds[] = "tomMx";
	static const char encodings[] = "78bqB?";

	buf_addc(out, letters[what]);
	if (what != MIME_BLANK)
		return;
	buf_addc(out, kinds[w->part.kind]);
	buf_addc(out, encodings[w->part.encoding]);
	if (w->part.sealed)
		buf_addc(out, '!');
	if (w->part.twice)
		buf_addc(out, '2');
}

#define MULTI "Content-Type: multipart/mixed; boundary=b\n"
#define CTE "Content-Transfer-Encoding: "

START_TEST(lines_are)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "Subject: x\n y\n\nbody\n", "FmBt7b" },
		{ "\nbody\n\nbody", "Bt7bbb" },
		{ "no field\nX:\n\n", "?FBt7" },
		{ CTE "8BIT\n\n", "FBt8" },
		{ CTE "\n\t(c) binary (d)\n\n", "FmBtb" },
		{ CTE "quoted-printable\n\n", "FBtq" },
		{ CTE "base64 ; x\n\n", "FBt?" },
		{ CTE "uuencode\n\n", "FBt?" },
		{ CTE "8bit\n" CTE "7bit\n\n", "FFBt82" },
		{ "Content-Type: text\n\n", "FBt7" },
		{ "Content-Type: (a) image / png\n\n", "FBo7" },
		{ "Content-Type: message/global\n\n", "FBt7" },
		{ "Content-Type: message/partial\n\n", "FBx7" },
		{ "Content-Type: message/rfc822\n\nSubject: y\n\nbody",
		    "FBM7FBt7b" },
		{ "Content-Type: message/rfc822\n" CTE "base64\n\nQQ==",
		    "FFBxBb" },
		{ "Content-Type: multipart/mixed\n\n--b\n", "FBx7b" },
		{ "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n",
		    "FBx7b" },
		{ MULTI "\npre\n--b\n\none\n--b  \nX: y\n\ntwo\n--b--\nepi\n",
		    "FBm7o-Bt7b-FBt7b-o" },
		{ "Content-Type: multipart/mixed; a=\"x\\\"; boundary=c\";\n"
		  " boundary=\"b\" (c)\n\n--c\n--b\n\nx\n",
		    "FmBm7o-Bt7b" },
		{ MULTI "\n--bb\n--b-\n--b--x\n--b\n--b\n\n",
		    "FBm7ooo--Bt7" },
		{ MULTI "\n--b\nContent-Type: multipart/x; boundary=bb\n\n"
		  "--bb\n\none\n--b\n\ntwo\n--bb\n--b--\n--b\n",
		    "FBm7-FBm7-Bt7b-Bt7bb-o" },
		{ "Content-Type: multipart/signed; boundary=b\n\n--b\n"
		  "Content-Type: multipart/x; boundary=c\n\n--c\n\nx\n--c--\n"
		  "--b--\n", "FBm7-FBm7!-Bt7!b--" },
		{ "Content-Type: multipart/digest; boundary=b\n\n--b\n\n"
		  "Subject: x\n\nbody\n--b\nContent-Type: text/plain\n\nx\n",
		    "FBm7-BM7FBt7b-FBt7b" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out;

		buf_init(&out, 10000);
		mime_each(str_c(cases[i].text), letter, &out);
		ck_str(buf_str(&out), str_c(cases[i].want));
		buf_free(&out);
	}
}
END_TEST

/* RFC 5322 sets no depth, we do; what is deeper is a leaf. */
START_TEST(depth)
{
	struct buf text, out;

	buf_init(&text, 1 << 20);
	buf_init(&out, 1 << 20);
	for (int i = 0; i <= MIME_DEPTH_MAX; i++)
		buf_addf(&text, "Content-Type: multipart/mixed; boundary=%d.\n"
		    "\n--%d.\n", i, i);
	buf_adds(&text, "\n--0.--\n");
	mime_each(buf_str(&text), letter, &out);
	ck_assert(str_ends(buf_str(&out), STR("-FBm7-FBx7bb-")));
	buf_reset(&text);
	buf_reset(&out);
	for (int i = 0; i <= MIME_DEPTH_MAX; i++)
		buf_adds(&text, "Content-Type: message/rfc822\n\n");
	buf_adds(&text, "Subject: x\n\n");
	mime_each(buf_str(&text), letter, &out);
	ck_assert(str_ends(buf_str(&out), STR("FBM7FBx7bb")));
	buf_free(&text);
	buf_free(&out);
}
END_TEST

/* A value that does not fit is none that we know, and no harm. */
START_TEST(too_long)
{
	struct buf text, out;

	buf_init(&text, 1 << 20);
	buf_init(&out, 10000);
	buf_adds(&text, "Content-Type: multipart/mixed; boundary=");
	for (int i = 0; i < MIME_BOUNDARY_MAX + 1; i++)
		buf_addc(&text, 'b');
	buf_adds(&text, "\n" CTE "8bit\n");
	for (int i = 0; i < 1000; i++)
		buf_adds(&text, " (a comment)\n");
	buf_adds(&text, "\n");
	mime_each(buf_str(&text), letter, &out);
	ck_assert(str_ends(buf_str(&out), STR("mBx?")));
	buf_free(&text);
	buf_free(&out);
}
END_TEST

/* Lines put together again from their pieces. */
static void
join(struct str text, size_t piece, struct buf *out)
{
	struct mime_lines l;
	struct mime_piece p;
	bool inside = false;
	size_t n = 0;

	mime_lines_init(&l);
	for (size_t at = 0; at <= text.n; at += piece) {
		mime_lines_add(&l, str_head(str_skip(text, at), piece));
		while (mime_lines_next(&l, at + piece > text.n, &p)) {
			ck_assert(p.first != inside);
			n = p.first ? p.bytes.n : n;
			ck_assert(p.last || n >= MIME_LINE_KEPT - 1);
			ck_assert(p.last || (!p.lf && !p.cr));
			inside = !p.last;
			buf_add(out, p.bytes);
			buf_adds(out, p.cr ? "\r" : "");
			buf_adds(out, p.lf ? "\n" : "");
		}
	}
	ck_assert(!inside);
	mime_lines_free(&l);
}

START_TEST(pieces)
{
	static const size_t lengths[] = { 0, 1, 2, 1022, 1023, 1024, 1025,
		1026, 3000 };
	static const char *const ends[] = { "\r\n", "\n", "\r\r\n", "\rx\n",
		"\r", "" };

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
		for (size_t e = 0; e < ARRAY_LEN(ends); e++)
			for (size_t piece = 1; piece < 1030;
			     piece += piece < 5 ? 1 : 339) {
				struct buf text, out;

				buf_init(&text, 10000);
				buf_init(&out, 10000);
				for (size_t n = 0; n < lengths[i]; n++)
					buf_addc(&text, 'x');
				buf_adds(&text, ends[e]);
				buf_adds(&text, "next\r\n");
				for (size_t n = 0; n < lengths[i]; n++)
					buf_addc(&text, 'x');
				buf_adds(&text, ends[e]);
				join(buf_str(&text), piece, &out);
				ck_assert(str_eq(buf_str(&text), buf_str(&out)));
				buf_free(&text);
				buf_free(&out);
			}
}
END_TEST

/* What is known of each line of TEXT that comes PIECE octets at a time. */
static void
walk(struct str text, size_t piece, struct buf *out)
{
	struct mime_lines l;
	struct mime_walk w;
	struct mime_piece p;

	mime_walk_init(&w);
	mime_lines_init(&l);
	for (size_t at = 0; at < text.n; at += piece) {
		mime_lines_add(&l, str_head(str_skip(text, at), piece));
		while (mime_lines_next(&l, at + piece >= text.n, &p))
			if (p.first) {
				enum mime_line what = mime_walk_line(&w, p.bytes);

				buf_addf(out, "%d %d %d %zu\n", (int)what, (int)w.part.kind,
				    (int)w.part.encoding, w.frames);
			}
	}
	mime_walk_free(&w);
	mime_lines_free(&l);
}

/* How a text is cut says nothing of it, also not of lines that are too long. */
START_TEST(cuts)
{
	static const struct {
		const char *before, *behind;
	} t[] = {
		{ CTE "base64", "x\r\n\r\nbody\r\n" },
		{ CTE, "base64\r\n\r\nbody\r\n" },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b", "x\r\n\r\nbody\r\n--b--\r\n" },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b", "\r\r\n\r\nbody\r\n--b--\r\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		for (size_t spaces = MIME_LINE_KEPT - 100; spaces < MIME_LINE_KEPT + 10; spaces++) {
			struct buf text, whole, cut;

			buf_init(&text, 10000);
			buf_init(&whole, 10000);
			buf_init(&cut, 10000);
			buf_adds(&text, t[i].before);
			for (size_t n = 0; n < spaces; n++)
				buf_addc(&text, ' ');
			buf_adds(&text, t[i].behind);
			walk(buf_str(&text), text.n, &whole);
			walk(buf_str(&text), 94, &cut);
			ck_assert_msg(str_eq(buf_str(&whole), buf_str(&cut)), "%zu, %zu: %s%s", i,
			    spaces, buf_cstr(&whole), buf_cstr(&cut));
			buf_free(&text);
			buf_free(&whole);
			buf_free(&cut);
		}
}
END_TEST

/* Nor does where a field is folded: a line of it that is too long can be read no better in two. */
START_TEST(folds)
{
	static const char *const fields[] = { "Content-Type: multipart/mixed;", CTE "base64" };

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		for (size_t spaces = 500; spaces < MIME_LINE_KEPT + 10; spaces++) {
			struct buf t[2], out[2];

			for (int folded = 0; folded < 2; folded++) {
				buf_init(&t[folded], 10000);
				buf_init(&out[folded], 10000);
				buf_adds(&t[folded], fields[i]);
				for (size_t n = 0; n < spaces; n++)
					buf_adds(&t[folded], folded && n == 400 ? "\r\n " : " ");
				buf_adds(&t[folded], i == 0 ? "boundary=b" : "");
				buf_adds(&t[folded], "\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n");
				mime_each(buf_str(&t[folded]), letter, &out[folded]);
			}
			/* It is a line more, and else the same. */
			ck_assert(buf_str(&out[1]).p[1] == 'm');
			ck_assert_msg(str_eq(str_skip(buf_str(&out[0]), 1), str_skip(buf_str(&out[1]), 2)),
			    "%zu, %zu: %s, %s", i, spaces, buf_cstr(&out[0]), buf_cstr(&out[1]));
			for (int folded = 0; folded < 2; folded++) {
				buf_free(&t[folded]);
				buf_free(&out[folded]);
			}
		}
}
END_TEST

UNIT_MAIN("mail/mime", lines_are, depth, too_long, pieces, cuts, folds)
