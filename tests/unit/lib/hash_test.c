/* SPDX-License-Identifier: GPL-3.0-or-later */

/* hash -- the known answers of CRC-32C, in parts, and both ways to compute. */

#include "lib/hash.h"
#include "unit.h"

START_TEST(known_answers)
{
	unsigned char up[32], down[32], zero[32], ones[32];

	for (unsigned i = 0; i < 32; i++) {
		up[i] = (unsigned char)i;
		down[i] = (unsigned char)(31 - i);
	}
	memset(zero, 0, sizeof(zero));
	memset(ones, 0xff, sizeof(ones));
	ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
	ck_assert_uint_eq(crc32c_portable(0, "123456789", 9), 0xe3069283);
	/* RFC 3720 B.4. */
	ck_assert_uint_eq(crc32c(0, zero, 32), 0x8a9136aa);
	ck_assert_uint_eq(crc32c(0, ones, 32), 0x62a8ab43);
	ck_assert_uint_eq(crc32c(0, up, 32), 0x46dd794e);
	ck_assert_uint_eq(crc32c(0, down, 32), 0x113fdb5c);
	ck_assert_uint_eq(crc32c(0, NULL, 0), 0);
	ck_assert_uint_eq(crc32c(7, NULL, 0), 7);
}
END_TEST

START_TEST(same_both_ways_and_in_parts)
{
	unsigned char d[300];
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(d); i++) {
		x = x * 1664525 + 1013904223;
		d[i] = (unsigned char)(x >> 24);
	}
	for (size_t from = 0; from < 9; from++) {
		for (size_t n = 0; from + n <= sizeof(d); n++) {
			uint32_t whole = crc32c(0, d + from, n);
			size_t half = n / 3;

			ck_assert_uint_eq(
			    whole, crc32c_portable(0, d + from, n));
			ck_assert_uint_eq(whole,
			    crc32c(crc32c(0, d + from, half), d + from + half,
				n - half));
			ck_assert_uint_eq(whole,
			    crc32c_portable(crc32c(0, d + from, half),
				d + from + half, n - half));
		}
	}
}
END_TEST

/* Vectors of its authors. */
START_TEST(fnv)
{
	ck_assert_uint_eq(fnv1a(FNV1A_START, STR("")), UINT64_C(0xcbf29ce484222325));
	ck_assert_uint_eq(fnv1a(FNV1A_START, STR("a")), UINT64_C(0xaf63dc4c8601ec8c));
	ck_assert_uint_eq(fnv1a(FNV1A_START, STR("foobar")), UINT64_C(0x85944171f73967e8));
	ck_assert_uint_eq(fnv1a(fnv1a(FNV1A_START, STR("foo")), STR("bar")),
	    UINT64_C(0x85944171f73967e8));
	ck_assert_uint_eq(fnv1a_lower(FNV1A_START, STR("FooBAR")), UINT64_C(0x85944171f73967e8));
	ck_assert_uint_ne(fnv1a(FNV1A_START, STR("FooBAR")), UINT64_C(0x85944171f73967e8));
}
END_TEST

/* Another first part: as if the whole had been summed with it. */
START_TEST(exchanged)
{
	char text[3000];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 + i / 251);
	for (size_t n = 0; n < sizeof(text); n = n * 2 + 1) {
		uint32_t was = crc32c(0, "before", 6), now = crc32c(0, "another", 7);

		ck_assert_uint_eq(crc32c_exchange(crc32c(was, text, n), was, now, n),
		    crc32c(now, text, n));
		ck_assert_uint_eq(crc32c_exchange(crc32c(was, text, n), was, 0, n),
		    crc32c(0, text, n));
	}
}
END_TEST

UNIT_MAIN("lib/hash", known_answers, same_both_ways_and_in_parts, exchanged, fnv)
