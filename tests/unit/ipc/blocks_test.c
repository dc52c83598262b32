/* SPDX-License-Identifier: GPL-3.0-or-later */

/* blocks -- who is in, who is not, and who makes room. */

#include "ipc/blocks.h"

#include <pthread.h>
#include <sys/socket.h>

#include "unit.h"

#define NOW INT64_C(1000)

static struct blocks table;

static struct block
made(unsigned a, unsigned b, unsigned bits, int64_t until, bool by_hand)
{
	struct block v = { .until_ms = until, .by_hand = by_hand, .why = "why",
		.net = ip_range_of(AF_INET, (unsigned char[]){ 192, 0, (unsigned char)a,
			(unsigned char)b }, bits) };

	return v;
}

static bool
has(unsigned a, unsigned b, int64_t now)
{
	const unsigned char octets[4] = { 192, 0, (unsigned char)a, (unsigned char)b };
	struct block copy;

	return blocks_find(&table, AF_INET, octets, now, &copy);
}

START_TEST(networks)
{
	static const unsigned char six[16] = { 0x20, 1, 0xd, 0xb8, 0x7f };
	struct block b = made(2, 128, 25, 5000, true), copy;

	memset(&table, 0, sizeof(table));
	ck_assert(!has(2, 128, NOW));
	ck_assert(blocks_add(&table, &b, NOW));
	ck_assert(has(2, 128, NOW) && has(2, 255, NOW));
	ck_assert(!has(2, 127, NOW) && !has(3, 128, NOW));
	b = made(9, 9, 32, INT64_MAX, false);
	ck_assert(blocks_add(&table, &b, NOW));
	ck_assert(has(9, 9, NOW) && !has(9, 8, NOW));
	/* It ends by itself; what has no end does not. */
	ck_assert(has(2, 200, 4999) && !has(2, 200, 5000));
	ck_assert(has(9, 9, INT64_MAX - 1));
	/* The other family has other addresses. */
	ck_assert(!blocks_find(&table, AF_INET6, six, NOW, &copy));
	b = (struct block){ .until_ms = 5000, .net = ip_range_of(AF_INET6, six, 33) };
	ck_assert(blocks_add(&table, &b, NOW));
	ck_assert(blocks_find(&table, AF_INET6, six, NOW, &copy));
	ck_assert(ip_range_same(&copy.net, &b.net));
	b.net = ip_range_of(AF_INET6, six, 0);
	ck_assert(blocks_add(&table, &b, NOW));
	ck_assert(!has(1, 1, NOW));
}
END_TEST

START_TEST(changes)
{
	struct block b = made(1, 1, 32, 2000, false), copy;

	memset(&table, 0, sizeof(table));
	ck_assert(!blocks_remove(&table, &b.net, NOW));
	ck_assert(blocks_add(&table, &b, NOW));
	b = made(1, 1, 32, 9000, true);
	ck_assert(blocks_add(&table, &b, NOW));
	ck_assert_uint_eq(table.used, 1);
	ck_assert(blocks_at(&table, 0, NOW, &copy));
	ck_assert(copy.by_hand && copy.until_ms == 9000);
	ck_assert_str_eq(copy.why, "why");
	/* What somebody has put in by hand ends no earlier for a session's sake. */
	b = made(1, 1, 32, 8000, false);
	ck_assert(blocks_add(&table, &b, NOW));
	ck_assert(blocks_at(&table, 0, NOW, &copy));
	ck_assert(copy.by_hand && copy.until_ms == 9000);
	b.until_ms = 9001;
	ck_assert(blocks_add(&table, &b, NOW));
	ck_assert(blocks_at(&table, 0, NOW, &copy));
	ck_assert(copy.by_hand && copy.until_ms == 9001);
	b = made(1, 1, 32, 8000, true);
	ck_assert(blocks_add(&table, &b, NOW));
	ck_assert(blocks_at(&table, 0, NOW, &copy));
	ck_assert(copy.by_hand && copy.until_ms == 8000);
	ck_assert_uint_eq(table.used, 1);
	b.net = made(1, 1, 31, 0, true).net;
	ck_assert(!blocks_remove(&table, &b.net, NOW));
	b.net = made(1, 1, 32, 0, true).net;
	ck_assert(blocks_remove(&table, &b.net, NOW));
	ck_assert(!has(1, 1, NOW) && !blocks_at(&table, 0, NOW, &copy));
	/* What another is writing is not there yet, and its place is his. */
	ck_assert(blocks_add(&table, &b, NOW));
	table.version[0]++;
	ck_assert(!has(1, 1, NOW));
	ck_assert(blocks_add(&table, &b, NOW));
	ck_assert_uint_eq(table.used, 2);
}
END_TEST

START_TEST(room)
{
	struct block b;

	memset(&table, 0, sizeof(table));
	for (unsigned i = 0; i < BLOCKS_MAX; i++) {
		b = made(i / 256, i % 256, 32, 10000 + i, i % 2 == 0);
		ck_assert(blocks_add(&table, &b, NOW));
	}
	/* The first of a session to end goes: not the first, which is by hand. */
	b = made(200, 1, 32, 20000, true);
	ck_assert(blocks_add(&table, &b, NOW));
	ck_assert(has(0, 0, NOW) && !has(0, 1, NOW) && has(0, 3, NOW) && has(200, 1, NOW));
	for (unsigned i = 3; i < BLOCKS_MAX; i += 2) {
		b = made(201 + i / 256, i % 256, 32, 20000, true);
		ck_assert(blocks_add(&table, &b, NOW));
	}
	b = made(199, 1, 32, 90000, false);
	ck_assert(!blocks_add(&table, &b, NOW));
	/* Those that are over make room. */
	ck_assert(blocks_add(&table, &b, 10001));
	ck_assert(has(199, 1, 10001));
	/* A number that somebody has broken leads nowhere. */
	table.used = SIZE_MAX;
	ck_assert(!has(250, 250, NOW));
}
END_TEST

#define WRITERS 8
#define EACH 120

static void *
add_some(void *arg)
{
	unsigned a = *(const unsigned *)arg;

	for (unsigned i = 0; i < EACH; i++) {
		struct block b = made(a, i, 32, 5000, false);

		if (!blocks_add(&table, &b, NOW))
			return arg;
	}
	return NULL;
}

/* CONFORMANCE S-39: who is put in while others are stays in. */
START_TEST(at_once)
{
	for (unsigned round = 0; round < 100; round++) {
		unsigned numbers[WRITERS];
		pthread_t v[WRITERS];
		void *failed;

		memset(&table, 0, sizeof(table));
		for (unsigned k = 0; k < WRITERS; k++) {
			numbers[k] = k;
			ck_assert_int_eq(pthread_create(&v[k], NULL, add_some, &numbers[k]), 0);
		}
		for (unsigned k = 0; k < WRITERS; k++) {
			ck_assert_int_eq(pthread_join(v[k], &failed), 0);
			ck_assert_ptr_null(failed);
		}
		for (unsigned k = 0; k < WRITERS; k++)
			for (unsigned i = 0; i < EACH; i++)
				ck_assert_msg(has(k, i, NOW), "%u: %u.%u is lost", round, k, i);
	}
}
END_TEST

UNIT_MAIN("ipc/blocks", networks, changes, room, at_once)
