/* SPDX-License-Identifier: GPL-3.0-or-later */

/* packed -- octets that are packed and unpacked again, in pieces, cut off and damaged. */

#include "lib/packed.h"
#include "unit.h"

#define TEXT_MAX ((size_t)4 << 20)

/* Unpacks TEXT in pieces of IN and OUT octets; what is left of it is in *REST. */
static enum packed_state
unpack(enum packed_form form, struct str text, size_t in, size_t out, struct buf *b,
    struct str *rest)
{
	struct packed *p = packed_open(form);
	enum packed_state state = PACKED_MORE;
	struct str piece = STR("");
	size_t got = 1;

	ck_assert_ptr_nonnull(p);
	while (state == PACKED_MORE && (text.n > 0 || piece.n > 0 || got > 0)) {
		char *room = buf_room(b, out);

		ck_assert_ptr_nonnull(room);
		if (piece.n == 0) {
			piece = str_head(text, in);
			text = str_skip(text, in);
		}
		state = packed_next(p, &piece, room, out, &got);
		buf_grew(b, got);
	}
	packed_close(p);
	*rest = str_n(piece.p, piece.n + text.n);
	return state;
}

static void
fill(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addc(b, (char)('a' + i * i % 23));
}

START_TEST(what_is_packed_comes_out)
{
	static const size_t sizes[] = { 0, 1, 100, 16384, 16385, 300000 };
	struct buf text, gz, out;
	struct str rest;

	buf_init(&text, TEXT_MAX);
	buf_init(&gz, TEXT_MAX);
	buf_init(&out, TEXT_MAX);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		buf_reset(&text);
		buf_reset(&gz);
		buf_reset(&out);
		fill(&text, sizes[i]);
		packed_gzip(&gz, buf_str(&text));
		ck_assert(buf_ok(&gz));
		/* No name, no time: the same each time. */
		ck_assert_mem_eq(gz.p, "\x1f\x8b\x08\0\0\0\0\0", 8);
		buf_adds(&gz, "behind");
		ck_assert_int_eq(unpack(PACKED_GZIP, buf_str(&gz), 1 + 7 * i, 1 + 100 * i, &out,
		    &rest), PACKED_END);
		ck_assert(str_eq(buf_str(&out), buf_str(&text)));
		ck_assert(str_eq(rest, STR("behind")));
		/* Without the header of 10 octets and the sum it is the raw form. */
		buf_reset(&out);
		ck_assert_int_eq(unpack(PACKED_RAW, str_skip(buf_str(&gz), 10), 50, 100, &out,
		    &rest), PACKED_END);
		ck_assert(str_eq(buf_str(&out), buf_str(&text)));
		ck_assert_uint_eq(rest.n, 8 + 6);
	}
	buf_free(&out);
	buf_free(&gz);
	buf_free(&text);
}
END_TEST

START_TEST(what_is_cut_off_has_no_end)
{
	struct buf text, gz, out;
	struct str rest;

	buf_init(&text, TEXT_MAX);
	buf_init(&gz, TEXT_MAX);
	buf_init(&out, TEXT_MAX);
	fill(&text, 1000);
	packed_gzip(&gz, buf_str(&text));
	for (size_t n = 0; n < gz.n; n++) {
		buf_reset(&out);
		ck_assert_int_eq(unpack(PACKED_GZIP, str_head(buf_str(&gz), n), n, 4096, &out,
		    &rest), PACKED_MORE);
	}
	buf_free(&out);
	buf_free(&gz);
	buf_free(&text);
}
END_TEST

START_TEST(what_is_damaged_is_broken)
{
	struct buf text, gz, out;
	struct str rest;

	buf_init(&text, TEXT_MAX);
	buf_init(&gz, TEXT_MAX);
	buf_init(&out, TEXT_MAX);
	ck_assert_int_eq(unpack(PACKED_GZIP, STR("no gzip at all"), 100, 100, &out, &rest),
	    PACKED_BROKEN);
	ck_assert_int_eq(unpack(PACKED_RAW, STR("\xff\xff\xff"), 100, 100, &out, &rest),
	    PACKED_BROKEN);
	fill(&text, 1000);
	packed_gzip(&gz, buf_str(&text));
	/* The sum that stands at the end is looked at. */
	gz.p[gz.n - 6] ^= 1;
	buf_reset(&out);
	ck_assert_int_eq(unpack(PACKED_GZIP, buf_str(&gz), 100, 100, &out, &rest),
	    PACKED_BROKEN);
	packed_close(NULL);
	buf_free(&out);
	buf_free(&gz);
	buf_free(&text);
}
END_TEST

START_TEST(what_is_packed_has_a_cap)
{
	struct buf text, gz;

	buf_init(&text, TEXT_MAX);
	buf_init(&gz, 20000);
	for (uint32_t i = 0, x = 1; i < 100000; i++, x = x * 1664525 + 1013904223)
		buf_addc(&text, (char)(x >> 24));
	packed_gzip(&gz, buf_str(&text));
	ck_assert(!buf_ok(&gz));
	buf_free(&gz);
	buf_free(&text);
}
END_TEST

UNIT_MAIN("lib/packed", what_is_packed_comes_out, what_is_cut_off_has_no_end,
    what_is_damaged_is_broken, what_is_packed_has_a_cap)
