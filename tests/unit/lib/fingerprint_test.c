/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Fingerprints as people write them. */

#include "lib/fingerprint.h"

#include "unit.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define COLONS "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:" \
	       "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"

START_TEST(good)
{
	char hex[FINGERPRINT_SIZE];

	ck_assert_int_eq(fingerprint_parse(STR("sha256:" HEX), hex), 0);
	ck_assert_str_eq(hex, HEX);
	ck_assert_int_eq(fingerprint_parse(STR("SHA256:" COLONS), hex), 0);
	ck_assert_str_eq(hex, HEX);
}
END_TEST

START_TEST(bad)
{
	static const char *const cases[] = { "", "sha256:", HEX, COLONS, "sha1:" HEX, "sha256:" HEX "0",
		"sha256:0" HEX, "sha256: " HEX, "sha256:" COLONS ":", "sha256:" COLONS ":00",
		"sha256:g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		"sha256:00:112233445566778899aabbccddeeff00112233445566778899aabbccddeef",
		"sha256:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF",
		"sha256:00-11-22-33-44-55-66-77-88-99-AA-BB-CC-DD-EE-FF-"
		"00-11-22-33-44-55-66-77-88-99-AA-BB-CC-DD-EE-FF",
		"sha256:d41d8cd98f00b204e9800998ecf8427e" };
	char hex[FINGERPRINT_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert_msg(fingerprint_parse(str_c(cases[i]), hex) == -1, "%s", cases[i]);
	}
}
END_TEST

UNIT_MAIN("lib/fingerprint", good, bad)
