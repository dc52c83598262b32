/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tally -- counting, forgetting, and a million names that push nobody out. */

#include "ipc/tally.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "unit.h"

#define NOW INT64_C(1000000000)
#define SECOND INT64_C(1000000)

static struct tally *
fresh(void)
{
	void *p = mmap(NULL, sizeof(struct tally), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		panic("mmap");
	return p;
}

START_TEST(counting)
{
	struct tally *t = fresh();

	ck_assert_int_eq(tally_level(t, 7, NOW), 0);
	ck_assert_int_eq(tally_add(t, 7, NOW, SECOND, 10 * SECOND), SECOND);
	ck_assert_int_eq(tally_add(t, 7, NOW, SECOND, 10 * SECOND), 2 * SECOND);
	ck_assert_int_eq(tally_level(t, 8, NOW), 0);
	/* Time takes it back. */
	ck_assert_int_eq(tally_level(t, 7, NOW + SECOND), SECOND);
	ck_assert_int_eq(tally_level(t, 7, NOW + 5 * SECOND), 0);
	ck_assert_int_eq(tally_add(t, 7, NOW + 5 * SECOND, SECOND, 10 * SECOND), SECOND);
	/* No more than the most. */
	for (int i = 0; i < 50; i++)
		(void)tally_add(t, 7, NOW + 5 * SECOND, SECOND, 10 * SECOND);
	ck_assert_int_eq(tally_level(t, 7, NOW + 5 * SECOND), 10 * SECOND);
	ck_assert_uint_eq(tally_count(t, NOW + 5 * SECOND), 1);
	tally_clear(t, 7);
	tally_clear(t, 9);
	ck_assert_int_eq(tally_level(t, 7, NOW), 0);
	ck_assert_uint_eq(tally_count(t, NOW), 0);
}
END_TEST

/* Five in ten seconds, one in each two from then on. */
START_TEST(taking)
{
	struct tally *t = fresh();
	unsigned n = 0;

	for (int i = 0; i < 100; i++)
		n += tally_take(t, 7, NOW, 2 * SECOND, 10 * SECOND);
	ck_assert_uint_eq(n, 5);
	ck_assert(!tally_take(t, 7, NOW + 2 * SECOND - 1, 2 * SECOND, 10 * SECOND));
	ck_assert(tally_take(t, 7, NOW + 2 * SECOND, 2 * SECOND, 10 * SECOND));
	ck_assert(!tally_take(t, 7, NOW + 2 * SECOND, 2 * SECOND, 10 * SECOND));
	/* What is more than there can be is refused and costs nothing. */
	ck_assert(!tally_take(t, 8, NOW, 11 * SECOND, 10 * SECOND));
	ck_assert_int_eq(tally_level(t, 8, NOW), 0);
	ck_assert(tally_take(t, 8, NOW, 10 * SECOND, 10 * SECOND));
}
END_TEST

/* CONFORMANCE S-66: 10^6 distinct keys do not make the guilty forgotten. */
START_TEST(flood)
{
	struct tally *t = fresh();
	const uint64_t seed = 4711;
	size_t known = 0;

	for (uint64_t guilty = 0; guilty < 100; guilty++)
		(void)tally_add(t, tally_key(seed, 1, guilty), NOW, 60 * SECOND, 600 * SECOND);
	for (uint64_t i = 1000; i < 1001000; i++)
		(void)tally_add(t, tally_key(seed, 1, i), NOW, SECOND, 10 * SECOND);
	for (uint64_t guilty = 0; guilty < 100; guilty++)
		known += tally_level(t, tally_key(seed, 1, guilty), NOW) == 60 * SECOND;
	ck_assert_uint_eq(known, 100);
	ck_assert_uint_le(tally_count(t, NOW), TALLY_SETS * TALLY_WAYS);
	ck_assert_uint_ge(tally_count(t, NOW), TALLY_SETS * TALLY_WAYS * 9 / 10);
	ck_assert_int_eq(tally_most(t, NOW), 60 * SECOND);
	ck_assert_int_eq(tally_most(t, NOW + 70 * SECOND), 0);
	/* When they are over there is room. */
	ck_assert_int_eq(tally_add(t, 99, NOW + 20 * SECOND, SECOND, SECOND), SECOND);
	ck_assert_int_eq(tally_level(t, 99, NOW + 20 * SECOND), SECOND);
}
END_TEST

START_TEST(keys)
{
	uint64_t key = tally_key_str(1, 2, STR("Alice@Example.test"));

	ck_assert_uint_eq(key, tally_key_str(1, 2, STR("alice@example.TEST")));
	ck_assert_uint_ne(key, tally_key_str(1, 3, STR("alice@example.test")));
	ck_assert_uint_ne(key, tally_key_str(2, 2, STR("alice@example.test")));
	ck_assert_uint_ne(key, tally_key_str(1, 2, STR("alicf@example.test")));
	ck_assert_uint_ne(tally_key_str(1, 2, STR("")), tally_key_str(1, 2, str_n("\0", 1)));
	ck_assert_uint_ne(tally_key(1, 2, 3), tally_key(1, 3, 2));
	ck_assert_uint_ne(tally_key(0, 0, 0), 0);
}
END_TEST

/* Of many who take at once none is lost, and none gets too much. */
START_TEST(together)
{
	struct tally *t = fresh();
	int status, sum = 0;

	for (int child = 0; child < 8; child++)
		if (fork() == 0) {
			int n = 0;

			for (int i = 0; i < 20000; i++)
				n += tally_take(t, 7, NOW, 1, 100);
			_exit(n);
		}
	for (int child = 0; child < 8; child++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert(WIFEXITED(status));
		sum += WEXITSTATUS(status);
	}
	/* All may have come first at once, each into a cell of its own. */
	ck_assert_int_ge(sum, 100);
	ck_assert_int_le(sum, 100 + 8);
	ck_assert_int_eq(tally_level(t, 7, NOW), 100);
}
END_TEST

UNIT_MAIN("ipc/tally", counting, taking, flood, keys, together)
