/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cram_test -- names of mechanisms and hashes. */

#include "mail/cram.h"

#include "unit.h"

/* FEATURES A6: as E-MailRelay has them. */
START_TEST(names)
{
	static const char *const all[HMAC_HASHES] = { "CRAM-MD5", "CRAM-SHA1", "CRAM-SHA256", "CRAM-SHA512" };
	static const char *const none[] = { "", "CRAM", "CRAM-", "MD5", "CRAM-MD", "CRAM-MD55", "CRAM-SHA-1",
		"CRAM-SHA384", "SCRAM-SHA-256", "APOP" };
	enum hmac_hash hash;

	for (int i = 0; i < HMAC_HASHES; i++) {
		ck_assert_str_eq(cram_name((enum hmac_hash)i), all[i]);
		ck_assert_str_eq(cram_hash_name((enum hmac_hash)i), all[i] + 5);
		ck_assert(cram_hash(str_c(all[i]), &hash) && hash == (enum hmac_hash)i);
	}
	ck_assert(cram_hash(STR("cram-sha256"), &hash) && hash == HMAC_SHA256);
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		ck_assert_msg(!cram_hash(str_c(none[i]), &hash), "%s", none[i]);
}
END_TEST

UNIT_MAIN("mail/cram", names)
