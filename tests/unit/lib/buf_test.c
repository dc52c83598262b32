/* SPDX-License-Identifier: GPL-3.0-or-later */

/* buf -- the cap, the sticky error, growth, and what wiping leaves. */

#include <signal.h>

#include "child.h"
#include "lib/buf.h"

START_TEST(starts_empty)
{
	struct buf b;

	buf_init(&b, 100);
	ck_assert_ptr_null(b.p);
	ck_assert(buf_ok(&b));
	ck_assert_str_eq(buf_cstr(&b), "");
	ck_str(buf_str(&b), STR(""));
	buf_add(&b, STR(""));
	buf_drop(&b, 5);
	buf_cut(&b, 0);
	buf_reset(&b);
	buf_wipe(&b);
	buf_grew(&b, 0);
	ck_assert_ptr_null(b.p);
	buf_free(&b);
}
END_TEST

START_TEST(grows)
{
	struct buf b;

	buf_init(&b, 1000000);
	for (size_t i = 0; i < 100000; i++) {
		buf_addc(&b, (char)('a' + i % 26));
		ck_assert_uint_eq(b.n, i + 1);
		ck_assert_int_eq(b.p[b.n], '\0');
	}
	for (size_t i = 0; i < 100000; i++)
		ck_assert_int_eq(b.p[i], (char)('a' + i % 26));
	buf_free(&b);
	ck_assert_ptr_null(b.p);
	ck_assert_uint_eq(b.max, 1000000);
	buf_adds(&b, "again");
	ck_str(buf_str(&b), STR("again"));
	buf_free(&b);
}
END_TEST

START_TEST(cap_drops_whole)
{
	struct buf b;

	buf_init(&b, 10);
	buf_adds(&b, "12345678");
	buf_adds(&b, "abc");
	ck_assert(!buf_ok(&b));
	ck_str(buf_str(&b), STR("12345678"));
	/* What would fit is dropped as well: the error is sticky. */
	buf_addc(&b, 'x');
	buf_addu(&b, 1);
	buf_addf(&b, "%d", 1);
	ck_assert_ptr_null(buf_room(&b, 1));
	ck_str(buf_str(&b), STR("12345678"));
	ck_assert_int_eq(b.p[b.n], '\0');
	buf_reset(&b);
	ck_assert(buf_ok(&b));
	buf_adds(&b, "1234567890");
	ck_assert(buf_ok(&b));
	ck_assert_uint_eq(b.n, 10);
	buf_addc(&b, '1');
	ck_assert(!buf_ok(&b));
	buf_free(&b);
}
END_TEST

START_TEST(cap_of_every_way_in)
{
	struct buf b;

	for (size_t max = 0; max < 200; max++) {
		buf_init(&b, max);
		for (size_t i = 0; i < max; i++)
			buf_addc(&b, 'x');
		ck_assert(buf_ok(&b));
		buf_addc(&b, 'x');
		ck_assert(!buf_ok(&b));
		buf_free(&b);
		buf_addf(&b, "%*s", (int)max, "");
		ck_assert(buf_ok(&b));
		ck_assert_uint_eq(b.n, max);
		buf_addf(&b, "%c", 'x');
		ck_assert(!buf_ok(&b));
		ck_assert_uint_eq(b.n, max);
		buf_free(&b);
		buf_addf(&b, "%*s", (int)max + 1, "");
		ck_assert(!buf_ok(&b));
		ck_assert_uint_eq(b.n, 0);
		buf_free(&b);
	}
	buf_init(&b, SIZE_MAX / 2);
	buf_addc(&b, 'x');
	ck_assert_ptr_null(buf_room(&b, SIZE_MAX));
	ck_assert(!buf_ok(&b));
	buf_free(&b);
}
END_TEST

START_TEST(adds_a_part_of_itself)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_adds(&b, "0123456789");
	while (b.n < 2000)
		buf_add(&b, str_head(buf_str(&b), b.n));
	ck_assert(buf_ok(&b));
	ck_assert_uint_eq(b.n, 2560);
	for (size_t i = 0; i < b.n; i++)
		ck_assert_int_eq(b.p[i], (char)('0' + i % 10));
	buf_free(&b);
}
END_TEST

START_TEST(formats)
{
	struct buf b;
	char want[512];

	buf_init(&b, 1000);
	buf_addf(&b, "%s", "");
	ck_str(buf_str(&b), STR(""));
	buf_addf(&b, "%03d %s", 250, "ok");
	ck_str(buf_str(&b), STR("250 ok"));
	buf_add_lower(&b, STR(" AbZ@[\xc9"));
	ck_str(buf_str(&b), STR("250 ok abz@[\xc9"));
	memset(want, 'y', sizeof(want) - 1);
	want[sizeof(want) - 1] = '\0';
	buf_reset(&b);
	for (size_t n = 0; n < sizeof(want); n += 7) {
		buf_free(&b);
		buf_adds(&b, "ab");
		buf_addf(&b, "%.*s", (int)n, want);
		ck_assert_uint_eq(b.n, n + 2);
		ck_str(str_skip(buf_str(&b), 2), str_n(want, n));
	}
	buf_free(&b);
}
END_TEST

START_TEST(decimal)
{
	static const uint64_t v[] = { 0, 9, 10, 4294967296, UINT64_MAX };
	struct buf b, f;

	buf_init(&b, 100);
	buf_init(&f, 100);
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		buf_addu(&b, v[i]);
		buf_addf(&f, "%llu", (unsigned long long)v[i]);
		ck_str(buf_str(&b), buf_str(&f));
	}
	buf_free(&b);
	buf_free(&f);
}
END_TEST

START_TEST(writes_in_place)
{
	struct buf b;
	char *room;

	buf_init(&b, 300);
	buf_adds(&b, "x");
	room = buf_room(&b, 200);
	ck_assert_ptr_nonnull(room);
	memset(room, 'y', 200);
	buf_grew(&b, 150);
	ck_assert_uint_eq(b.n, 151);
	ck_assert_int_eq(b.p[151], '\0');
	ck_assert_ptr_null(buf_room(&b, 150));
	buf_free(&b);
}
END_TEST

static void
grow_too_far(void)
{
	struct buf b;

	buf_init(&b, 300);
	buf_adds(&b, "x");
	buf_grew(&b, 300);
}

START_TEST(growing_too_far_is_a_bug)
{
	ck_assert_int_eq(child_run(grow_too_far, -1), 128 + SIGABRT);
}
END_TEST

START_TEST(drops_and_cuts)
{
	struct buf b;

	buf_init(&b, 100);
	buf_adds(&b, "0123456789");
	buf_drop(&b, 3);
	ck_assert_str_eq(buf_cstr(&b), "3456789");
	buf_cut(&b, 4);
	ck_assert_str_eq(buf_cstr(&b), "3456");
	buf_cut(&b, 40);
	ck_assert_str_eq(buf_cstr(&b), "3456");
	buf_drop(&b, 40);
	ck_assert_str_eq(buf_cstr(&b), "");
	buf_free(&b);
}
END_TEST

START_TEST(wipes)
{
	struct buf b;

	buf_init(&b, 100);
	buf_adds(&b, "secret, and then some more");
	buf_cut(&b, 3);
	buf_wipe(&b);
	ck_assert_uint_eq(b.n, 0);
	for (size_t i = 0; i <= b.size; i++)
		ck_assert_int_eq(b.p[i], 0);
	buf_free(&b);
}
END_TEST

START_TEST(in_given_space)
{
	char space[9];
	struct buf b;

	memset(space, 'x', sizeof(space));
	buf_init_in(&b, space, sizeof(space));
	ck_assert_str_eq(buf_cstr(&b), "");
	buf_adds(&b, "1234");
	buf_addf(&b, "%s", "5678");
	ck_assert(buf_ok(&b));
	ck_assert_ptr_eq(b.p, space);
	ck_assert_str_eq(space, "12345678");
	buf_addc(&b, '9');
	ck_assert(!buf_ok(&b));
	ck_assert_str_eq(space, "12345678");
	buf_reset(&b);
	buf_adds(&b, "1");
	ck_assert_str_eq(space, "1");
}
END_TEST

UNIT_MAIN("lib/buf", starts_empty, in_given_space, grows, cap_drops_whole, cap_of_every_way_in,
    adds_a_part_of_itself, formats, decimal, writes_in_place,
    growing_too_far_is_a_bug, drops_and_cuts, wipes)
