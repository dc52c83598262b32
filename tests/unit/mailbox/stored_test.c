/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * stored -- the form on disk, however the text was split; and the size on
 * the wire, held against what the encoder of room mail puts out.
 */

#include "../../../src/mailbox/mailbox.h"
#include "mail/dot.h"

#include "unit.h"

static const struct {
	const char *in, *out;
} rows[] = {
	{ "", "" },
	{ "a: b\r\n\r\nbody\r\n", "a: b\n\nbody\n" },
	{ "a: b\r\n\r\nno end", "a: b\n\nno end" },
	{ "a: b\r\n", "a: b\n" },
	{ "Return-Path: <x>\r\na: b\r\n\r\nx\r\n", "a: b\n\nx\n" },
	{ "a: b\r\nRETURN-path:\r\n <x>\r\n\ty\r\nc: d\r\n\r\n",
	    "a: b\nc: d\n\n" },
	{ "Return-Path: <x>\r\nReturn-Path: <y>\r\n\r\nx", "\nx" },
	{ "Return-Path: <x>", "" },
	{ "Return-Path: <x>\r\n\r\nReturn-Path: in the body\r\n",
	    "\nReturn-Path: in the body\n" },
	{ "Return-Pat: x\r\nReturn-Pathe: x\r\nReturn\r\n\r\n",
	    "Return-Pat: x\nReturn-Pathe: x\nReturn\n\n" },
	{ "X-Return-Path: x\r\n Return-Path: y\r\n\r\n",
	    "X-Return-Path: x\n Return-Path: y\n\n" },
	{ "Return", "Return" },
	{ "R\rReturn-Path: x\r\n\r\n", "R\rReturn-Path: x\n\n" },
	{ "a: b\r\n\r\nbare\rcr\r\r\nend\r", "a: b\n\nbare\rcr\r\nend\r" },
	{ "a: b\r\n\r\n\r\r\r\n\n", "a: b\n\n\r\r\n\n" },
	{ "a: b\r\n c\r\n\r\n.\r\n..\r\n", "a: b\n c\n\n.\n..\n" },
};

START_TEST(however_it_is_split)
{
	struct buf b;

	buf_init(&b, 1000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = str_c(rows[i].in);

		for (size_t n = 1; n <= in.n + 1; n++) {
			struct stored s = { 0 };

			buf_reset(&b);
			for (struct str r = in; r.n > 0; r = str_skip(r, n))
				stored_add(&s, str_head(r, n), &b);
			stored_end(&s, &b);
			ck_str(buf_str(&b), str_c(rows[i].out));
		}
	}
	buf_free(&b);
}
END_TEST

/* What the wire will see of TEXT: encoded, less the dots that were added. */
static size_t
encoded(struct str text)
{
	struct dot_encoder e;
	size_t dots = 0, n;
	struct buf b;

	buf_init(&b, 1000);
	dot_encoder_init(&e);
	dot_encode(&e, text, &b);
	dot_encode_end(&e, &b);
	for (size_t i = 0; i < b.n; i++)
		dots += b.p[i] == '.' && (i == 0 || b.p[i - 1] == '\n');
	n = b.n - 2 - dots;
	buf_free(&b);
	return n;
}

START_TEST(wire_size)
{
	/* Every text of up to six octets of these four. */
	static const char set[] = "\r\nx.";

	for (unsigned len = 0; len <= 6; len++) {
		for (unsigned k = 0; k < 1u << 2 * len; k++) {
			char text[7];

			for (unsigned i = 0; i < len; i++)
				text[i] = set[k >> 2 * i & 3];
			for (unsigned cut = 0; cut <= len; cut++) {
				struct wire w = { 0 };

				wire_count(&w, str_n(text, cut));
				wire_count(&w, str_n(text + cut, len - cut));
				/* Lines of dots: count them but once. */
				if (memmem(text, len, "..", 2) == NULL)
					ck_assert_uint_eq(wire_octets(&w),
					    encoded(str_n(text, len)));
			}
		}
	}
}
END_TEST

UNIT_MAIN("mailbox/stored", however_it_is_split, wire_size)
