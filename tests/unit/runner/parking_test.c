/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Who goes next of those that are parked: the urgent first, and nobody never. */

#include "runner/parking.h"

#include "unit.h"

#define MANY 100

/* Each test is a process of its own. */
static struct index *x;
static struct parking_lot lot;
static struct parking p;

static uint32_t
park(unsigned n, int priority)
{
	char id[QUEUE_ID_SIZE] = "0000000000000000000";
	uint32_t slot;

	for (size_t at = 12; n > 0; n /= 10)
		id[at--] = (char)('0' + n % 10);
	slot = index_add(x, id, QUEUE_NEW, 0);
	index_claim(x, slot);
	ck_assert(parking_add(&lot, &p, x, priority, slot));
	ck_assert_int_eq(index_at(x, slot)->state, KNOWN_PARKED);
	return slot;
}

START_TEST(in_order)
{
	uint32_t slots[MANY];

	x = index_new();
	ck_assert_uint_eq(parking_take(&lot, &p, x), INDEX_NONE);
	for (unsigned i = 0; i < MANY; i++)
		slots[i] = park(i + 1, 0);
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert_uint_eq(parking_take(&lot, &p, x), slots[i]);
		ck_assert_int_eq(index_at(x, slots[i])->state, KNOWN_BUSY);
	}
	ck_assert_uint_eq(parking_take(&lot, &p, x), INDEX_NONE);
	index_free(x);
}
END_TEST

static void
odd_leave(void *arg, uint32_t slot)
{
	unsigned *seen = arg;

	(*seen)++;
	if (slot % 2 == 0)
		return;
	parking_leave(&lot, x, slot);
	index_wait(x, slot, 7);
}

static void
all_stay(void *arg, uint32_t slot)
{
	(void)slot;
	(*(unsigned *)arg)++;
}

/* Some leave the line where they stand; the others keep their order. */
START_TEST(swept)
{
	unsigned seen = 0;

	x = index_new();
	for (unsigned i = 0; i < MANY; i++)
		(void)park(i + 1, i % 10 == 3 ? 5 : 0);
	parking_sweep(&lot, &p, odd_leave, &seen);
	ck_assert_uint_eq(seen, MANY);
	seen = 0;
	parking_sweep(&lot, &p, all_stay, &seen);
	ck_assert_uint_eq(seen, MANY / 2);
	/* One that comes now is the last. */
	ck_assert_uint_eq(park(MANY + 1, 0), MANY);
	for (unsigned i = 0; i <= MANY; i += 2)
		ck_assert_uint_eq(parking_take(&lot, &p, x), i);
	ck_assert_uint_eq(parking_take(&lot, &p, x), INDEX_NONE);
	for (unsigned i = 1; i < MANY; i += 2)
		ck_assert_int_eq(index_at(x, i)->state, KNOWN_WAITING);
	index_free(x);
}
END_TEST

/* K14: three of four are of the highest, and the fourth is anybody's. */
START_TEST(by_priority)
{
	uint32_t low = 0, high = 0;

	x = index_new();
	for (unsigned i = 0; i < MANY; i++)
		(void)park(i + 1, -9);
	for (unsigned i = 0; i < MANY; i++)
		(void)park(MANY + i + 1, 9);
	for (unsigned i = 0; i < MANY; i++) {
		uint32_t slot = parking_take(&lot, &p, x);

		if (slot < MANY)
			low++;
		else
			high++;
	}
	/* Of a fourth turn each has half, as there are two. */
	ck_assert_uint_ge(high, MANY * 3 / 4);
	ck_assert_uint_ge(low, MANY / 8);
}
END_TEST

/* However much comes of the highest, what is lowest gets through. */
START_TEST(nobody_waits_for_ever)
{
	unsigned n = 3, taken = 0, left = 2;
	uint32_t low, between;

	x = index_new();
	low = park(1, -9);
	between = park(2, 1);
	(void)park(n++, 9);
	while (left > 0) {
		uint32_t slot = parking_take(&lot, &p, x);

		ck_assert_uint_lt(taken++, 4 * PARKING_LEVELS);
		left -= slot == low || slot == between;
		(void)park(n++, 9);
	}
}
END_TEST

/* Whoever leaves the line and comes back has the turn that he had. */
START_TEST(in_turn)
{
	uint32_t slots[MANY];

	x = index_new();
	/* Numbers come round. */
	lot.turns = UINT32_MAX - MANY / 2;
	for (unsigned i = 0; i < MANY; i++)
		slots[i] = park(i + 1, 0);
	/* The first, the last, and those between, in another order. */
	for (unsigned i = 0; i < MANY; i += 3)
		parking_leave(&lot, x, slots[i]);
	for (unsigned i = MANY - MANY % 3; i < MANY; i -= 3) {
		index_wait(x, slots[i], 7);
		index_claim(x, slots[i]);
		ck_assert(parking_add(&lot, &p, x, 0, slots[i]));
	}
	/* One that had a time of its own is new. */
	parking_leave(&lot, x, slots[1]);
	parking_forget(x, slots[1]);
	ck_assert(parking_add(&lot, &p, x, 0, slots[1]));
	for (unsigned i = 0; i < MANY; i++)
		if (i != 1)
			ck_assert_uint_eq(parking_take(&lot, &p, x), slots[i]);
	ck_assert_uint_eq(parking_take(&lot, &p, x), slots[1]);
	ck_assert_uint_eq(parking_take(&lot, &p, x), INDEX_NONE);
	index_free(x);
}
END_TEST

/* One that is urgent goes before whatever stands there. */
START_TEST(urgent)
{
	uint32_t slot;

	x = index_new();
	for (unsigned i = 0; i < MANY; i++)
		(void)park(i + 1, 0);
	slot = park(MANY + 1, 1);
	ck_assert_uint_eq(parking_take(&lot, &p, x), slot);
}
END_TEST

/* A message stands behind several: whichever takes it, it is gone from all. */
START_TEST(behind_several)
{
	struct parking other = { .n = 0 };
	uint32_t slots[MANY];
	size_t total = 0;

	x = index_new();
	other.total = &total;
	for (unsigned i = 0; i < MANY; i++) {
		slots[i] = park(i + 1, 0);
		ck_assert(parking_add(&lot, &other, x, i % 3 == 0 ? 4 : 0, slots[i]));
		/* Twice is once. */
		ck_assert(!parking_add(&lot, &other, x, 0, slots[i]));
	}
	ck_assert_uint_eq(p.n, MANY);
	ck_assert_uint_eq(total, MANY);
	/* From the first, from the last, from between. */
	ck_assert_uint_eq(parking_take(&lot, &p, x), slots[0]);
	ck_assert_uint_eq(parking_take(&lot, &other, x), slots[3]);
	parking_leave(&lot, x, slots[MANY - 1]);
	parking_leave(&lot, x, slots[50]);
	ck_assert_uint_eq(p.n, MANY - 4);
	ck_assert_uint_eq(other.n, MANY - 4);
	for (unsigned i = 1; i < MANY - 1; i++)
		if (i != 3 && i != 50)
			ck_assert_uint_eq(parking_take(&lot, &p, x), slots[i]);
	ck_assert_uint_eq(parking_take(&lot, &p, x), INDEX_NONE);
	ck_assert_uint_eq(parking_take(&lot, &other, x), INDEX_NONE);
	ck_assert_uint_eq(total, 0);
	index_free(x);
	parking_free(&lot);
}
END_TEST

/* 300 octets a message with its slot, whatever it waits for. */
START_TEST(bounded)
{
	struct parking all[PARKING_PLACES + 2] = { { .n = 0 } };
	size_t most = 0, octets;
	unsigned got;

	x = index_new();
	for (unsigned i = 0; i < 300000; i++) {
		uint32_t slot = park(i + 1, 0);

		got = 1;
		for (unsigned k = 0; k < ARRAY_LEN(all); k++)
			got += parking_add(&lot, &all[k], x, 0, slot);
		ck_assert_uint_eq(got, PARKING_PLACES);
		octets = index_octets(x) + parking_octets(&lot);
		if (i > 1000 && octets / (i + 1) > most)
			most = octets / (i + 1);
	}
	ck_assert_uint_le(most, 300);
	octets = parking_octets(&lot);
	/* What left makes room for others. */
	while (parking_take(&lot, &p, x) != INDEX_NONE)
		;
	ck_assert_uint_eq(all[0].n, 0);
	for (uint32_t slot = 0; slot < 300000; slot++)
		ck_assert(parking_add(&lot, &all[slot % 2], x, 1, slot));
	ck_assert_uint_eq(parking_octets(&lot), octets);
	index_free(x);
	parking_free(&lot);
}
END_TEST

UNIT_MAIN("parking", in_order, swept, by_priority, nobody_waits_for_ever, in_turn, urgent,
    behind_several, bounded)
