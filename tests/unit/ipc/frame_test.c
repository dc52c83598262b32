/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Frames: what goes in comes out, and nothing that is not one is taken. */

#include "ipc/frame.h"

#include "lib/mem.h"
#include "unit.h"

START_TEST(round_trip)
{
	struct buf b;
	struct frame f;

	buf_init(&b, FRAME_MAX);
	frame_begin(&b, 7);
	frame_put(&b, 1, STR("a name"));
	frame_put(&b, 2, STR(""));
	frame_put(&b, 3, STR("with\0zero"));
	frame_put_u64(&b, 4, UINT64_MAX);
	frame_put(&b, 5, STR("x"));
	frame_put(&b, 5, STR("y"));
	frame_end(&b);
	ck_assert(buf_ok(&b));

	ck_assert_int_eq(frame_open(&f, buf_str(&b)), 0);
	ck_assert_uint_eq(f.type, 7);
	ck_str(frame_get(&f, 1), STR("a name"));
	ck_str(frame_get(&f, 2), STR(""));
	ck_str(frame_get(&f, 3), STR("with\0zero"));
	ck_assert(frame_get_u64(&f, 4) == UINT64_MAX);
	ck_assert(!frame_close(&f));
	ck_assert(frame_has(&f, 5));
	ck_assert(!frame_has(&f, 6));
	ck_str(frame_get(&f, 5), STR("x"));
	ck_str(frame_get(&f, 5), STR("y"));
	ck_assert(!frame_has(&f, 5));
	ck_assert(frame_close(&f));
	buf_free(&b);
}
END_TEST

START_TEST(errors_stick)
{
	struct buf b;
	struct frame f;

	buf_init(&b, FRAME_MAX);
	frame_begin(&b, 1);
	frame_put(&b, 1, STR("12345678"));
	frame_put(&b, 2, STR("short"));
	frame_put(&b, 3, STR("z"));
	frame_end(&b);

	/* Another tag. */
	ck_assert_int_eq(frame_open(&f, buf_str(&b)), 0);
	ck_str(frame_get(&f, 2), STR(""));
	ck_assert(f.err);
	ck_str(frame_get(&f, 1), STR(""));
	ck_assert(frame_get_u64(&f, 1) == 0);
	ck_assert(!frame_has(&f, 1));
	ck_assert(!frame_close(&f));
	/* A number that is none. */
	ck_assert_int_eq(frame_open(&f, buf_str(&b)), 0);
	ck_assert(frame_get_u64(&f, 1) == UINT64_C(0x3132333435363738));
	ck_assert(frame_get_u64(&f, 2) == 0);
	ck_assert(!frame_close(&f));
	ck_str(frame_get(&f, 3), STR(""));
	buf_free(&b);
}
END_TEST

/* Every prefix, and every single octet changed, in a block of its own. */
START_TEST(damage)
{
	struct buf b;
	struct frame f;

	buf_init(&b, FRAME_MAX);
	frame_begin(&b, 3);
	frame_put(&b, 1, STR("abc"));
	frame_put_u64(&b, 2, 99);
	frame_end(&b);
	for (size_t n = 0; n < b.n; n++) {
		char *copy = mem_dup(str_n(b.p, n));

		ck_assert_int_eq(frame_open(&f, str_n(copy, n)), -1);
		ck_str(frame_get(&f, 1), STR(""));
		ck_assert(!frame_close(&f));
		mem_free(copy);
	}
	for (size_t i = 0; i < 8 + 6; i++) {
		char *copy = mem_dup(buf_str(&b));

		copy[i] = (char)(copy[i] ^ 0x40);
		if (frame_open(&f, str_n(copy, b.n)) == 0) {
			(void)frame_get(&f, 1);
			(void)frame_get_u64(&f, 2);
			ck_assert(!frame_close(&f) || f.type != 3);
		}
		mem_free(copy);
	}
	buf_addc(&b, 'x');
	ck_assert_int_eq(frame_open(&f, buf_str(&b)), -1);
	buf_free(&b);
}
END_TEST

START_TEST(too_large)
{
	struct buf b;
	struct frame f;
	char *big = mem_alloc(FRAME_MAX + 1);

	buf_init(&b, 4 * FRAME_MAX);
	frame_begin(&b, 1);
	frame_put(&b, 1, str_n(big, FRAME_MAX));
	frame_end(&b);
	ck_assert(!buf_ok(&b));
	frame_begin(&b, 1);
	frame_put(&b, 1, str_n(big, FRAME_MAX - 14));
	frame_end(&b);
	ck_assert(buf_ok(&b));
	ck_assert_uint_eq(b.n, FRAME_MAX);
	ck_assert_int_eq(frame_open(&f, buf_str(&b)), 0);
	ck_assert_uint_eq(frame_get(&f, 1).n, FRAME_MAX - 14);
	ck_assert(frame_close(&f));
	ck_assert_int_eq(frame_open(&f, str_n(big, FRAME_MAX + 1)), -1);
	buf_free(&b);

	/* A cap that is too small shows, too. */
	buf_init(&b, 10);
	frame_begin(&b, 1);
	frame_put(&b, 1, STR("more than fits"));
	frame_end(&b);
	ck_assert(!buf_ok(&b));
	buf_free(&b);
	mem_free(big);
}
END_TEST

UNIT_MAIN("frame", round_trip, errors_stick, damage, too_large)
