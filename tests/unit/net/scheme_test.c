/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Signature schemes: by number, and by what OpenSSL calls their parts. */

#include "net/scheme.h"

#include "unit.h"

START_TEST(by_code)
{
	static const unsigned good[] = { 0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401,
		0x0501, 0x0601, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b };
	size_t n = 0;

	for (unsigned code = 0; code < 0x10000; code++) {
		const struct scheme *s = scheme_by_code(code);

		if (!s)
			continue;
		ck_assert_uint_eq(s->code, code);
		n++;
	}
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_ptr_nonnull(scheme_by_code(good[i]));
	ck_assert_uint_eq(n, ARRAY_LEN(good));
	/* SHA-1, as RSA and ECDSA; MD5; a number that is more than two octets. */
	ck_assert_ptr_null(scheme_by_code(0x0201));
	ck_assert_ptr_null(scheme_by_code(0x0203));
	ck_assert_ptr_null(scheme_by_code(0x0101));
	ck_assert_ptr_null(scheme_by_code(0x10403));
}
END_TEST

START_TEST(by_parts)
{
	static const struct {
		const char *key, *digest;
		bool pss;
		unsigned code;	/* 0: none */
	} cases[] = {
		{ "EC", "SHA256", false, 0x0403 },
		{ "EC", "SHA2-256", true, 0x0403 },
		{ "ec", "SHA-384", false, 0x0503 },
		{ "EC", "sha512", false, 0x0603 },
		{ "RSA", "SHA2-256", true, 0x0804 },
		{ "RSA", "SHA256", false, 0x0401 },
		{ "RSA-PSS", "SHA384", true, 0x080a },
		{ "RSA-PSS", "SHA384", false, 0x080a },
		{ "ED25519", "", false, 0x0807 },
		{ "ED448", NULL, false, 0x0808 },
		{ "ED25519", "SHA256", false, 0 },
		{ "EC", "", false, 0 },
		{ "EC", NULL, false, 0 },
		{ "EC", "SHA1", false, 0 },
		{ "EC", "SHA3-256", false, 0 },
		{ "EC", "SHA2-512/256", false, 0 },
		{ "DSA", "SHA256", false, 0 },
		{ "RSA", "MD5-SHA1", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct scheme *s = scheme_for(cases[i].key, cases[i].digest, cases[i].pss);

		ck_assert_msg((s ? s->code : 0) == cases[i].code, "%s %s: %04x", cases[i].key,
		    cases[i].digest ? cases[i].digest : "(none)", s ? (unsigned)s->code : 0);
	}
}
END_TEST

UNIT_MAIN("scheme", by_code, by_parts)
