/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cram_test -- the digest, by the RFC's own example and by RFC 2202's. */

#include "unit.h"

#include "client/engine.h"

START_TEST(answers)
{
	static const struct {
		enum hmac_hash hash;
		const char *user, *password, *challenge, *want;
	} cases[] = {
		/* RFC 2195 2 */
		{ HMAC_MD5, "tim", "tanstaaftanstaaf",
		    "<1896.697170952@postoffice.reston.mci.net>",
		    "tim b913a602c7eda7a495b4e6e7334d3890" },
		/* RFC 2202 2, case 2 */
		{ HMAC_MD5, "x", "Jefe", "what do ya want for nothing?",
		    "x 750c783e6ab0b503eaa86e310a5db738" },
		/* The same of RFC 2202 3 */
		{ HMAC_SHA1, "a b", "Jefe", "what do ya want for nothing?",
		    "a b effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
		{ HMAC_MD5, "", "", "", " 74e6f7298a9c2d168935f58c001bad88" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b;

		buf_init(&b, 1000);
		ck_assert_int_eq(cram_add(&b, cases[i].hash, str_c(cases[i].user),
		    str_c(cases[i].password), str_c(cases[i].challenge)), 0);
		ck_str(buf_str(&b), str_c(cases[i].want));
		buf_free(&b);
	}
}
END_TEST

/* A state says what its password would. */
START_TEST(states)
{
	static const enum hmac_hash hashes[] = { HMAC_MD5, HMAC_SHA1, HMAC_SHA256 };
	struct hmac_state state;
	struct buf a, b;

	for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
		buf_init(&a, 1000);
		buf_init(&b, 1000);
		ck_assert_int_eq(hmac_state_make(&state, hashes[i], STR("secret")), 0);
		cram_add_of(&a, &state, STR("me"), STR("<1@test>"));
		ck_assert_int_eq(cram_add(&b, hashes[i], STR("me"), STR("secret"), STR("<1@test>")), 0);
		ck_str(buf_str(&a), buf_str(&b));
		buf_free(&a);
		buf_free(&b);
	}
}
END_TEST

UNIT_MAIN("client/cram", answers, states)
