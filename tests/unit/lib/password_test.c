/* SPDX-License-Identifier: GPL-3.0-or-later */
/* password_test -- crypt(3) hashes, old and new, right and wrong. */

#include "unit.h"

#include "lib/password.h"

START_TEST(known)
{
	/* Made by openssl passwd -6, -5 and -1. */
	static const struct {
		const char *password, *hash;
	} good[] = {
		{ "barid", "$6$saltsalt$Y.E.4qnNujjkNuAnKgWC5zplgHEOsyEE7b3rCbtHQcakFxUGeRprRRCM6.R9.m9AeffaEyVykXN7zLHZvPD6z/" },
		{ "barid", "$5$saltsalt$Az5ooxd/5nsOoSdbJdWFcwbXJ.QW6qTv6r6mlUf6741" },
		{ "barid", "$1$saltsalt$PWplTUUR3KRdEYtZ5D0hZ1" },
	};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ck_assert(password_matches(good[i].password, good[i].hash));
		ck_assert(!password_matches("Barid", good[i].hash));
		ck_assert(!password_matches("", good[i].hash));
	}
}
END_TEST

START_TEST(no_hash)
{
	static const char *const locked[] = { "", "*", "!", "x", "*0", "*1", "!!", "$6$", "$6$x",
		"$99$salt$hash", "barid" };

	for (size_t i = 0; i < ARRAY_LEN(locked); i++) {
		ck_assert(!password_matches("barid", locked[i]));
		ck_assert(!password_matches("", locked[i]));
		ck_assert(!password_matches("*0", locked[i]));
	}
}
END_TEST

START_TEST(round_trip)
{
	struct buf a, b;

	buf_init(&a, 512);
	buf_init(&b, 512);
	ck_assert_int_eq(password_hash(&a, "secret"), 0);
	ck_assert_int_eq(password_hash(&b, "secret"), 0);
	/* Two salts. */
	ck_assert(!str_eq(buf_str(&a), buf_str(&b)));
	ck_assert(password_matches("secret", buf_cstr(&a)));
	ck_assert(password_matches("secret", buf_cstr(&b)));
	ck_assert(!password_matches("secret ", buf_cstr(&a)));
	buf_free(&a);
	buf_free(&b);
}
END_TEST

UNIT_MAIN("password", known, no_hash, round_trip)
