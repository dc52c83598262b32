/* SPDX-License-Identifier: GPL-3.0-or-later */

/* hmac_state_test -- from the middle comes what comes from the beginning. */

#include "lib/hmac_state.h"

#include "lib/buf.h"

#include "unit.h"

static void
add_hex(struct buf *b, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%02x", p[i]);
}

static void
the_same_of(enum hmac_hash hash)
{
	char long_key[200], text[300];
	unsigned char a[HMAC_SIZE_MAX], b[HMAC_SIZE_MAX];
	struct hmac_state state;

	memset(long_key, 'k', sizeof(long_key));
	memset(text, 't', sizeof(text));
	/* Around the block of 64 octets, in the key and in the text. */
	for (size_t key = 0; key <= 130; key++)
		for (size_t n = 0; n <= 200; n += key % 7 + 1) {
			ck_assert_int_eq(hmac_state_make(&state, hash, str_n(long_key, key)), 0);
			ck_assert_int_eq(hmac(hash, str_n(long_key, key), str_n(text, n), a), 0);
			hmac_of_state(&state, str_n(text, n), b);
			ck_assert_msg(memcmp(a, b, hmac_size(hash)) == 0, "%zu %zu", key, n);
		}
}

START_TEST(the_same)
{
	the_same_of(HMAC_MD5);
	the_same_of(HMAC_SHA1);
	the_same_of(HMAC_SHA256);
}
END_TEST

START_TEST(none)
{
	struct hmac_state state;

	ck_assert_uint_eq(hmac_state_size(HMAC_MD5), 32);
	ck_assert_uint_eq(hmac_state_size(HMAC_SHA1), 40);
	ck_assert_uint_eq(hmac_state_size(HMAC_SHA256), HMAC_STATE_MAX);
	ck_assert_uint_eq(hmac_state_size(HMAC_SHA512), 0);
	ck_assert_int_eq(hmac_state_make(&state, HMAC_SHA512, STR("key")), -1);
	ck_assert_int_eq(hmac_state_make(&state, HMAC_SHA512, STR("a key that is longer than "
	    "a block of sixty-four octets, so that it is hashed itself")), -1);
}
END_TEST

/* RFC 2195 2; the halves as Dovecot's doveadm has them of a password. */
START_TEST(known)
{
	unsigned char out[HMAC_SIZE_MAX];
	struct hmac_state state;
	struct buf b;

	buf_init(&b, 200);
	ck_assert_int_eq(hmac_state_make(&state, HMAC_MD5, STR("tanstaaftanstaaf")), 0);
	hmac_of_state(&state, STR("<1896.697170952@postoffice.reston.mci.net>"), out);
	add_hex(&b, out, MD5_SIZE);
	ck_str(buf_str(&b), STR("b913a602c7eda7a495b4e6e7334d3890"));
	buf_reset(&b);
	ck_assert_int_eq(hmac_state_make(&state, HMAC_MD5, STR("barid")), 0);
	add_hex(&b, state.octets, hmac_state_size(HMAC_MD5));
	ck_str(buf_str(&b), STR("a2fbbe8f6fae99fd0637372cf6e0c8dbb4c88755e15aaa0b00292b43471a74ed"));
	buf_free(&b);
}
END_TEST

UNIT_MAIN("lib/hmac_state", the_same, none, known)
