/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What is known to be in the spool: ids, due times, turns, many of them. */

#include "runner/index.h"

#include "unit.h"

#define MANY 20000

static void
id_make(char id[QUEUE_ID_SIZE], unsigned n)
{
	static const char digits[] = "0123456789ABCDEF";

	memset(id, '0', QUEUE_ID_LEN);
	id[QUEUE_ID_LEN] = '\0';
	/* Spread over both halves of the id. */
	for (int i = 12; i > 4; i--, n >>= 3)
		id[i] = digits[n & 7];
	id[18] = 'F';
}

/* As ids come: the time goes on, the rest says whose it is. */
static void
id_spread(char id[QUEUE_ID_SIZE], unsigned n)
{
	static const char digits[] = "0123456789ABCDEF";
	uint64_t time = UINT64_C(0x660C1CE380000) + n * UINT64_C(97);

	for (int i = 12; i >= 0; i--, time >>= 4)
		id[i] = digits[time & 15];
	memcpy(id + 13, "0002E6", 6);
	id[18] = digits[n & 15];
	id[QUEUE_ID_LEN] = '\0';
}

START_TEST(ids)
{
	static const struct {
		const char *id;
		bool valid;
	} cases[] = {
		{ "0123456789ABCDEF012", true },
		{ "FFFFFFFFFFFFFFFFFFF", true },
		{ "0000000000000000000", true },
		{ "0123456789abcdef012", false },
		{ "0123456789ABCDEF01", false },
		{ "0123456789ABCDEF0123", false },
		{ "../etc/passwd/../..", false },
		{ "", false },
	};
	struct index *x = index_new();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t slot = index_add(x, cases[i].id, QUEUE_NEW, 0);
		char id[QUEUE_ID_SIZE];

		ck_assert_int_eq(slot != INDEX_NONE, cases[i].valid);
		ck_assert_uint_eq(index_find(x, cases[i].id), slot);
		if (slot == INDEX_NONE)
			continue;
		index_id(x, slot, id);
		ck_assert_str_eq(id, cases[i].id);
		/* Known already: the same slot. */
		ck_assert_uint_eq(
		    index_add(x, cases[i].id, QUEUE_CUR, 9), slot);
	}
	ck_assert_uint_eq(index_count(x), 3);
	index_free(x);
}
END_TEST

START_TEST(order_by_due)
{
	static const int64_t due[] = { 50, 10, 40, 10, 30, 20 };
	struct index *x = index_new();
	int64_t last = 0;
	uint32_t slot;
	char id[QUEUE_ID_SIZE];

	ck_assert_int_eq(index_next_due(x), INT64_MAX);
	for (unsigned i = 0; i < ARRAY_LEN(due); i++) {
		id_make(id, i);
		ck_assert_uint_ne(index_add(x, id, QUEUE_CUR, due[i]),
		    INDEX_NONE);
	}
	ck_assert_int_eq(index_next_due(x), 10);
	ck_assert_uint_eq(index_take(x, 9), INDEX_NONE);
	for (unsigned i = 0; i < ARRAY_LEN(due); i++) {
		slot = index_take(x, 50);
		ck_assert_uint_ne(slot, INDEX_NONE);
		ck_assert_int_ge(index_at(x, slot)->due, last);
		ck_assert_int_eq(index_at(x, slot)->state, KNOWN_BUSY);
		last = index_at(x, slot)->due;
	}
	ck_assert_uint_eq(index_take(x, INT64_MAX), INDEX_NONE);
	ck_assert_uint_eq(index_count(x), ARRAY_LEN(due));
	index_free(x);
}
END_TEST

/* K4: new mail and retries in turns, however many of one there are. */
START_TEST(turns)
{
	struct index *x = index_new();
	unsigned first = 0;
	char id[QUEUE_ID_SIZE];

	/* A hundred retries that are long due, ten new ones. */
	for (unsigned i = 0; i < 100; i++) {
		id_make(id, i);
		ck_assert_uint_ne(
		    index_add(x, id, QUEUE_CUR, 1), INDEX_NONE);
	}
	for (unsigned i = 100; i < 110; i++) {
		id_make(id, i);
		ck_assert_uint_ne(
		    index_add(x, id, QUEUE_NEW, 5), INDEX_NONE);
	}
	for (unsigned i = 0; i < 20; i++) {
		uint32_t slot = index_take(x, 5);

		first += index_at(x, slot)->place == QUEUE_NEW;
	}
	ck_assert_uint_eq(first, 10);
	index_free(x);
}
END_TEST

START_TEST(wait_claim)
{
	struct index *x = index_new();
	uint32_t a, b;
	char id[QUEUE_ID_SIZE];

	id_make(id, 1);
	a = index_add(x, id, QUEUE_CUR, 100);
	id_make(id, 2);
	b = index_add(x, id, QUEUE_CUR, 200);
	index_wait(x, b, 50);
	ck_assert_int_eq(index_next_due(x), 50);
	index_claim(x, b);
	ck_assert_int_eq(index_next_due(x), 100);
	/* A first attempt that failed becomes a retry. */
	index_at(x, b)->place = QUEUE_CUR;
	index_wait(x, b, 300);
	index_clamp(x, 150);
	ck_assert_uint_eq(index_take(x, 100), a);
	ck_assert_uint_eq(index_take(x, 149), INDEX_NONE);
	ck_assert_uint_eq(index_take(x, 150), b);
	index_free(x);
}
END_TEST

/* C-14: all go along with the clock, but for those that are to go at once. */
START_TEST(shift)
{
	struct index *x = index_new();
	uint32_t slots[3], first;
	char id[QUEUE_ID_SIZE];

	for (unsigned i = 0; i < 3; i++) {
		id_make(id, i);
		slots[i] = index_add(x, id, QUEUE_CUR, 1000 + i);
	}
	id_make(id, 3);
	first = index_add(x, id, QUEUE_NEW, 0);
	index_shift(x, 86400);
	ck_assert_uint_eq(index_take(x, 1), first);
	ck_assert_uint_eq(index_take(x, 87399), INDEX_NONE);
	ck_assert_uint_eq(index_take(x, 87400), slots[0]);
	/* Back by more than there is: in order all the same. */
	index_shift(x, -1000000);
	ck_assert_uint_eq(index_take(x, 0), INDEX_NONE);
	ck_assert_uint_eq(index_take(x, 1), slots[1]);
	ck_assert_uint_eq(index_take(x, 1), slots[2]);
	index_free(x);
}
END_TEST

START_TEST(many)
{
	struct index *x = index_new();
	uint32_t at = 0, slot, seen = 0;
	int64_t last = -1;
	char id[QUEUE_ID_SIZE];

	for (unsigned i = 0; i < MANY; i++) {
		id_make(id, i);
		slot = index_add(x, id, i % 2 ? QUEUE_NEW : QUEUE_CUR,
		    (int64_t)(i * 7919 % MANY));
		ck_assert_uint_ne(slot, INDEX_NONE);
	}
	ck_assert_uint_eq(index_count(x), MANY);
	/* Two of three go, in an order of their own. */
	for (unsigned i = 0; i < MANY; i++) {
		id_make(id, i);
		if (i % 3 != 0)
			index_del(x, index_find(x, id));
	}
	for (unsigned i = 0; i < MANY; i++) {
		id_make(id, i);
		slot = index_find(x, id);
		ck_assert_int_eq(slot != INDEX_NONE, i % 3 == 0);
	}
	while (index_next(x, &at, &slot))
		seen++;
	ck_assert_uint_eq(seen, index_count(x));
	/* What is left comes in order, from both heaps in turn. */
	for (unsigned i = 0; i < seen; i++) {
		int64_t due = index_next_due(x);

		ck_assert_int_ge(due, last);
		slot = index_take(x, due);
		ck_assert_uint_ne(slot, INDEX_NONE);
		last = due;
		index_del(x, slot);
	}
	ck_assert_uint_eq(index_count(x), 0);
	index_free(x);
}
END_TEST

/* A million messages: what each costs, and that all are there. */
START_TEST(a_million)
{
	struct index *x = index_new();
	char id[QUEUE_ID_SIZE];
	size_t most = 0;
	unsigned taken = 0;

	for (unsigned i = 0; i < 1000000; i++) {
		id_spread(id, i);
		ck_assert_uint_ne(index_add(x, id,
		    i % 3 == 0 ? QUEUE_NEW : QUEUE_CUR, i % 1000), INDEX_NONE);
		/* Wherever it just has grown, too; of few it is not much. */
		if (i > 1000 && index_octets(x) / (i + 1) > most)
			most = index_octets(x) / (i + 1);
	}
	ck_assert_uint_eq(index_count(x), 1000000);
	ck_assert_uint_le(most, 300);
	ck_assert_uint_le(index_octets(x) / 1000000, 100);
	while (taken < 1000000) {
		uint32_t slot = index_take(x, 999);

		ck_assert_uint_ne(slot, INDEX_NONE);
		taken++;
		/* Of the others none is lost by that. */
		if (taken % 7 == 0)
			index_del(x, slot);
	}
	ck_assert_uint_eq(index_take(x, INT64_MAX), INDEX_NONE);
	ck_assert_uint_eq(index_count(x), 1000000 - 1000000 / 7);
	id_spread(id, 999999);
	ck_assert_uint_ne(index_find(x, id), INDEX_NONE);
	index_free(x);
}
END_TEST

UNIT_MAIN("index", ids, order_by_due, turns, wait_claim, shift, many, a_million)
