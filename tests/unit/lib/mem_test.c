/* SPDX-License-Identifier: GPL-3.0-or-later */

/* mem -- zeroed, copied, compared; an impossible size ends the process. */

#include <signal.h>
#include <sys/mman.h>
#include <sysexits.h>

#include "child.h"
#include "lib/build.h"
#include "lib/mem.h"

START_TEST(allocates)
{
	unsigned char *p = mem_alloc(1000);

	for (size_t i = 0; i < 1000; i++)
		ck_assert_int_eq(p[i], 0);
	memset(p, 1, 1000);
	p = mem_grow(p, 1000, 2);
	ck_assert_int_eq(p[999], 1);
	mem_free(p);
	p = mem_array(10, 100);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_int_eq(p[i], 0);
	mem_free(p);
	mem_free(NULL);
}
END_TEST

START_TEST(nothing_is_something)
{
	void *p = mem_alloc(0), *q = mem_array(0, 8), *r = mem_array(8, 0);
	void *s = mem_grow(NULL, 0, 8);

	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_nonnull(q);
	ck_assert_ptr_nonnull(r);
	ck_assert_ptr_nonnull(s);
	s = mem_grow(s, 0, 0);
	ck_assert_ptr_nonnull(s);
	mem_free(p);
	mem_free(q);
	mem_free(r);
	mem_free(s);
}
END_TEST

START_TEST(copies)
{
	char *p = mem_dup(STR("a\0b"));

	ck_assert_mem_eq(p, "a\0b", 4);
	mem_free(p);
	p = mem_dup((struct str){ NULL, 0 });
	ck_assert_str_eq(p, "");
	mem_free(p);
}
END_TEST

START_TEST(compares_and_wipes)
{
	char a[32], b[32];

	for (size_t n = 0; n <= sizeof(a); n++) {
		memset(a, 'x', sizeof(a));
		memset(b, 'x', sizeof(b));
		ck_assert(mem_same(a, b, n));
		for (size_t i = 0; i < n; i++) {
			b[i] = 'y';
			ck_assert(!mem_same(a, b, n));
			b[i] = 'x';
		}
		mem_wipe(a, n);
		for (size_t i = 0; i < sizeof(a); i++)
			ck_assert_int_eq(a[i], i < n ? 0 : 'x');
	}
	mem_wipe(NULL, 0);
}
END_TEST

/* Kept from the compiler, which would warn of it. */
static volatile size_t half = SIZE_MAX / 2;

static void
array_overflows(void)
{
	mem_free(mem_array(half, 4));
}

static void
grow_overflows(void)
{
	mem_free(mem_grow(NULL, half, 4));
}

START_TEST(overflow_is_out_of_memory)
{
	ck_assert_int_eq(child_run(array_overflows, -1), EX_TEMPFAIL);
	ck_assert_int_eq(child_run(grow_overflows, -1), EX_TEMPFAIL);
}
END_TEST

/* Everything above, and the ways between the two kinds, in a forked child. */
static void
works_young(void)
{
	char *old = mem_dup(STR("before"));
	unsigned char *p[64], *big;

	mem_forked();
	for (size_t round = 0; round < 20; round++) {
		for (size_t i = 0; i < 64; i++) {
			p[i] = mem_alloc(i * 16 + round);
			for (size_t k = 0; k < i * 16 + round; k++)
				if (p[i][k] != 0)
					_exit(1);
			memset(p[i], (int)i + 1, i * 16 + round);
		}
		for (size_t i = 64; i-- > 0;) {
			p[i] = mem_grow(p[i], 2, i * 16 + round);
			for (size_t k = 0; k < i * 16 + round; k++)
				if (p[i][k] != i + 1)
					_exit(2);
			memset(p[i], 0xff, 2 * (i * 16 + round));
			mem_free(p[i]);
		}
	}
	/* More than there is. */
	big = mem_array(1024, 1024);
	memset(big, 1, 1024 * 1024);
	big = mem_grow(big, 2048, 1024);
	if (big[1024 * 1024 - 1] != 1)
		_exit(3);
	mem_free(big);
	old = mem_grow(old, 1, 100);
	if (strcmp(old, "before") != 0)
		_exit(4);
	mem_free(old);
	mem_free(mem_room(0));
	mem_free(mem_array(0, 0));
	mem_free(mem_grow(NULL, 0, 0));
}

/* What was given back is taken again by who wants about as much, and by nobody else. */
static void
is_taken_again(void)
{
	static const size_t sizes[] = { 1, 16, 100, 1024, 1025, 1280, 1281, 5000,
		17000, 65536, 200000 };

	mem_forked();
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		unsigned char *p = mem_alloc(sizes[i]), *q = mem_alloc(sizes[i]);

		memset(p, 0xff, sizes[i]);
		mem_free(p);
		unsigned char *again = mem_alloc(sizes[i]);
		for (size_t k = 0; k < sizes[i]; k++)
			if (again[k] != 0)
				_exit(1);
		if (again == q || (!BUILD_ASAN && again != p))
			_exit(2);
		memset(again, 0xee, sizes[i]);
		for (size_t k = 0; k < sizes[i]; k++)
			if (q[k] != 0)
				_exit(3);
		mem_free(q);
		mem_free(again);
	}
}

/* A pointer in what was given back is not followed wherever it leads. */
static void
is_written_after(void)
{
	char *p, *volatile q;

	mem_forked();
	p = mem_alloc(100);
	q = p;
	mem_free(p);
	memset(q, 0x41, 8);
	mem_free(mem_alloc(100));
}

static void
young_overflows(void)
{
	mem_forked();
	mem_free(mem_grow(mem_alloc(10), half, 4));
}

static unsigned char *not_for_children;

static void
looks_at_it(void)
{
	_exit(not_for_children[0]);
}

START_TEST(withheld)
{
	not_for_children = mmap(NULL, 10000, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(not_for_children, MAP_FAILED);
	memset(not_for_children, 7, 10000);
	ck_assert_int_eq(child_run(looks_at_it, -1), 7);
	mem_withhold(not_for_children, 10000);
	ck_assert_int_ne(child_run(looks_at_it, -1), 7);
	ck_assert_int_eq(munmap(not_for_children, 10000), 0);
}
END_TEST

START_TEST(forked)
{
	ck_assert_int_eq(child_run(works_young, -1), 0);
	ck_assert_int_eq(child_run(is_taken_again, -1), 0);
	if (!BUILD_ASAN)
		ck_assert_int_eq(child_run(is_written_after, -1), 128 + SIGABRT);
	ck_assert_int_eq(child_run(young_overflows, -1), EX_TEMPFAIL);
}
END_TEST

/* AddressSanitizer ends the process itself unless it is told otherwise. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

UNIT_MAIN("lib/mem", allocates, nothing_is_something, copies,
    compares_and_wipes, overflow_is_out_of_memory, forked,
    withheld)
