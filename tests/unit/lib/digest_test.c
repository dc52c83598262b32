/* SPDX-License-Identifier: GPL-3.0-or-later */

/* digest_test -- the examples of RFC 1321, RFC 2104 and RFC 1939. */

#include "lib/digest.h"

#include <stdio.h>

#include "unit.h"

static void
check_n(const unsigned char *got, size_t n, const char *want)
{
	char hex[2 * HMAC_SIZE_MAX + 1];

	for (size_t i = 0; i < n; i++)
		(void)!snprintf(hex + 2 * i, 3, "%02x", got[i]);
	ck_assert_str_eq(hex, want);
}

static void
check(const unsigned char got[MD5_SIZE], const char *want)
{
	check_n(got, MD5_SIZE, want);
}

START_TEST(md5s)
{
	unsigned char out[MD5_SIZE];

	ck_assert_int_eq(md5(STR(""), STR(""), out), 0);
	check(out, "d41d8cd98f00b204e9800998ecf8427e");
	ck_assert_int_eq(md5(STR("message "), STR("digest"), out), 0);
	check(out, "f96b697d7cb7938d525a2f31aaf161d0");
	ck_assert_int_eq(md5(STR("<1896.697170952@dbc.mtview.ca.us>"), STR("tanstaaf"), out), 0);
	check(out, "c4c9334bac560ecc979e58001b3e22fb");
}
END_TEST

/* RFC 2202 2, 3; RFC 4231 4.3: case 2. */
START_TEST(hmacs)
{
	static const char sha512[] =
	    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a"
	    "6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";
	static const char *const want[HMAC_HASHES] = { "750c783e6ab0b503eaa86e310a5db738",
		"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		sha512 };
	unsigned char out[HMAC_SIZE_MAX];

	for (int i = 0; i < HMAC_HASHES; i++) {
		ck_assert_int_eq(hmac((enum hmac_hash)i, STR("Jefe"),
		    STR("what do ya want for nothing?"), out), 0);
		ck_assert_uint_eq(2 * hmac_size((enum hmac_hash)i), strlen(want[i]));
		check_n(out, hmac_size((enum hmac_hash)i), want[i]);
	}
	ck_assert_int_eq(hmac_md5(STR("Jefe"), STR("what do ya want for nothing?"), out), 0);
	check(out, want[0]);
}
END_TEST

/* FIPS 180-2 B.1; RFC 4231 4.3; RFC 7914 11. */
START_TEST(shas)
{
	unsigned char out[SHA256_SIZE];

	ck_assert_int_eq(sha256(STR("abc"), out), 0);
	check_n(out, sizeof(out),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert_int_eq(sha256(STR(""), out), 0);
	check_n(out, sizeof(out),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	struct sha256 *h = sha256_new();
	sha256_add(h, STR("a"));
	sha256_add(h, STR(""));
	sha256_add(h, STR("bc"));
	ck_assert_int_eq(sha256_end(h, out), 0);
	check_n(out, sizeof(out),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_free(h);
	sha256_free(NULL);
	ck_assert_int_eq(hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), out), 0);
	check_n(out, sizeof(out),
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	ck_assert_int_eq(hmac_sha256(STR(""), STR(""), out), 0);
	check_n(out, sizeof(out),
	    "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
	ck_assert_int_eq(pbkdf2_sha256(STR("passwd"), STR("salt"), 1, out), 0);
	check_n(out, sizeof(out),
	    "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
	ck_assert_int_eq(pbkdf2_sha256(STR("Password"), STR("NaCl"), 80000, out), 0);
	check_n(out, sizeof(out),
	    "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
	ck_assert_int_eq(pbkdf2_sha256(STR("x"), STR("y"), 0, out), -1);
	ck_assert_int_eq(pbkdf2_sha256(STR("x"), STR("y"), UINT32_MAX, out), -1);
}
END_TEST

UNIT_MAIN("lib/digest", md5s, hmacs, shas)
