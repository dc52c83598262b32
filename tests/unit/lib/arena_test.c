/* SPDX-License-Identifier: GPL-3.0-or-later */

/* arena -- aligned, zeroed, capped, and empty after a reset. */

#include <stddef.h>
#include <stdint.h>
#include <sysexits.h>

#include "child.h"
#include "lib/arena.h"

static void
check_fresh(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(p[i], 0);
	ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
}

START_TEST(allocates)
{
	struct arena a;

	arena_init(&a, 10000000);
	ck_assert_ptr_null(a.first);
	for (int round = 0; round < 3; round++) {
		for (size_t n = 0; n < 3000; n += 37) {
			unsigned char *p = arena_alloc(&a, n);

			check_fresh(p, n);
			memset(p, 0xaa, n);
		}
		arena_reset(&a);
		ck_assert_uint_eq(a.used, 0);
	}
	arena_free(&a);
	ck_assert_ptr_null(a.first);
}
END_TEST

START_TEST(mixes_large_and_small)
{
	static const size_t sizes[] = { 100000, 10, 5000, 20, 2000, 30, 4064,
		1, 4065, 1017, 1016 };
	unsigned char *p[ARRAY_LEN(sizes)];
	struct arena a;

	arena_init(&a, 1000000);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		p[i] = arena_alloc(&a, sizes[i]);
		check_fresh(p[i], sizes[i]);
		memset(p[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		for (size_t k = 0; k < sizes[i]; k++)
			ck_assert_int_eq(p[i][k], (int)i + 1);
	}
	arena_reset(&a);
	check_fresh(arena_alloc(&a, 3000), 3000);
	arena_reset(&a);
	arena_reset(&a);
	arena_free(&a);
	arena_free(&a);
}
END_TEST

START_TEST(copies)
{
	struct arena a;
	char text[] = "hello";
	struct str s;
	char *c;

	arena_init(&a, 1000);
	s = arena_str(&a, str_n(text, 4));
	c = arena_cstr(&a, str_n(text, 5));
	text[0] = 'j';
	ck_str(s, STR("hell"));
	ck_assert_int_eq(s.p[4], '\0');
	ck_assert_str_eq(c, "hello");
	ck_assert_str_eq(arena_cstr(&a, (struct str){ NULL, 0 }), "");
	ck_assert_str_eq(arena_printf(&a, "%s-%03d", "x", 7), "x-007");
	ck_assert_str_eq(arena_printf(&a, "%s", ""), "");
	s = arena_lower(&a, STR("@AzZ[`{\xc9"));
	ck_str(s, STR("@azz[`{\xc9"));
	ck_assert_int_eq(s.p[s.n], '\0');
	arena_free(&a);
}
END_TEST

START_TEST(cap_is_per_reset)
{
	struct arena a;

	arena_init(&a, 1000);
	for (int i = 0; i < 5; i++) {
		check_fresh(arena_alloc(&a, 900), 900);
		check_fresh(arena_alloc(&a, 100), 100);
		arena_reset(&a);
	}
	arena_free(&a);
}
END_TEST

static void
pass_the_cap(void)
{
	struct arena a;

	arena_init(&a, 1000);
	for (int i = 0; i < 11; i++)
		check_fresh(arena_alloc(&a, 100), 100);
}

static void
pass_all_numbers(void)
{
	struct arena a;

	arena_init(&a, 1000);
	check_fresh(arena_alloc(&a, 100), 100);
	check_fresh(arena_alloc(&a, SIZE_MAX - 50), 1);
}

START_TEST(above_the_cap_is_fatal)
{
	ck_assert_int_eq(child_run(pass_the_cap, -1), EX_TEMPFAIL);
	ck_assert_int_eq(child_run(pass_all_numbers, -1), EX_TEMPFAIL);
}
END_TEST

START_TEST(is_overwritten)
{
	struct arena a;

	arena_init(&a, 100000);
	arena_wipe(&a);
	for (size_t n = 1; n < 20000; n *= 3)
		memset(arena_alloc(&a, n), 'x', n);
	arena_wipe(&a);
	check_fresh(arena_alloc(&a, 3000), 3000);
	arena_free(&a);
}
END_TEST

UNIT_MAIN("lib/arena", is_overwritten, allocates, mixes_large_and_small, copies,
    cap_is_per_reset, above_the_cap_is_fatal)
