/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dkim_bodies -- each form and length hashed once, whatever pieces it comes in. */

#include "check/dkim_bodies.h"

#include "unit.h"

#define BODY "a  b \r\n\tc\r\n\r\n\r\n"
#define SIMPLE "a  b \r\n\tc\r\n"
#define RELAXED "a b\r\n c\r\n"

static void
is_hash_of(const struct dkim_bodies *b, size_t i, const char *text, size_t n)
{
	unsigned char want[SHA256_SIZE];

	ck_assert_int_eq(sha256(str_n(text, n), want), 0);
	ck_assert_ptr_nonnull(dkim_bodies_hash(b, i));
	ck_assert_mem_eq(dkim_bodies_hash(b, i), want, sizeof(want));
}

START_TEST(hashes)
{
	for (size_t n = 1; n < sizeof(BODY); n++) {
		struct dkim_bodies *b = dkim_bodies_new();
		size_t whole = dkim_bodies_want(b, false, UINT64_MAX);
		size_t relaxed = dkim_bodies_want(b, true, UINT64_MAX);
		size_t part = dkim_bodies_want(b, true, 4), none = dkim_bodies_want(b, false, 0);

		ck_assert_uint_eq(dkim_bodies_want(b, true, UINT64_MAX), relaxed);
		for (struct str rest = STR(BODY); rest.n > 0; rest = str_skip(rest, n))
			dkim_bodies_add(b, str_head(rest, n));
		dkim_bodies_end(b);
		is_hash_of(b, whole, SIMPLE, sizeof(SIMPLE) - 1);
		is_hash_of(b, relaxed, RELAXED, sizeof(RELAXED) - 1);
		is_hash_of(b, part, RELAXED, 4);
		is_hash_of(b, none, "", 0);
		ck_assert_uint_eq(dkim_bodies_length(b, false), sizeof(SIMPLE) - 1);
		ck_assert_uint_eq(dkim_bodies_length(b, true), sizeof(RELAXED) - 1);
		dkim_bodies_free(b);
	}
	dkim_bodies_free(NULL);
}
END_TEST

START_TEST(crowd)
{
	struct dkim_bodies *b = dkim_bodies_new();

	for (uint64_t i = 0; i < DKIM_BODIES_MAX; i++)
		ck_assert_uint_eq(dkim_bodies_want(b, true, i), i);
	ck_assert_uint_eq(dkim_bodies_want(b, true, 3), 3);
	ck_assert_uint_eq(dkim_bodies_want(b, false, 3), DKIM_BODY_NONE);
	dkim_bodies_end(b);
	dkim_bodies_free(b);
}
END_TEST

UNIT_MAIN("check/dkim_bodies", hashes, crowd)
