/* SPDX-License-Identifier: GPL-3.0-or-later */

/* digest_test -- the examples of RFC 1321, RFC 2104 and RFC 1939. */

#include "lib/digest.h"

#include <stdio.h>

#include "unit.h"

static void
check(const unsigned char got[MD5_SIZE], const char *want)
{
	char hex[2 * MD5_SIZE + 1];

	for (size_t i = 0; i < MD5_SIZE; i++)
		(void)!snprintf(hex + 2 * i, 3, "%02x", got[i]);
	ck_assert_str_eq(hex, want);
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

START_TEST(hmacs)
{
	unsigned char out[MD5_SIZE];

	ck_assert_int_eq(hmac_md5(STR("Jefe"), STR("what do ya want for nothing?"), out), 0);
	check(out, "750c783e6ab0b503eaa86e310a5db738");
}
END_TEST

UNIT_MAIN("lib/digest", md5s, hmacs)
