/* SPDX-License-Identifier: GPL-3.0-or-later */

/* RFC 8617 02: arc_seal -- which chains can be added to, and what a seal signs. */

#include "mail/arc_seal.h"

#include "unit.h"

#define RESULTS(i) "ARC-Authentication-Results: i=" i "; mx.example;\r\n\tspf=pass\r\n"
/* That of nothing. */
#define BH "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define MESSAGE(i) "ARC-Message-Signature: i=" i "; a=rsa-sha256; d=d; s=s; h=From; " BH "; b=QQ==\r\n"
#define SEAL(i) "ARC-Seal:  i=" i "; a=rsa-sha256; d=d; s=s; cv=none; b=QQ==\r\n"
#define SET(i) SEAL(i) MESSAGE(i) RESULTS(i)

static const struct {
	const char *header;
	int n;
} cases[] = {
	{ "", 0 },
	{ "From: a\r\n", 0 },
	{ SET("1") "From: a\r\n", 1 },
	{ RESULTS("2") SET("1") "From: a\r\n" SEAL("2") MESSAGE("2"), 2 },
	{ SET("49"), -1 },
	{ SET("1") SET("3"), -1 },
	{ SET("1") SEAL("1"), -1 },
	{ SEAL("1") RESULTS("1"), -1 },
	{ SET("0"), -1 },
	{ SET("x"), -1 },
	{ SET("1") "ARC-Seal: what\r\n", -1 },
	{ "\r\n" SET("1"), 0 },
};

static void
add_set(struct buf *b, int i)
{
	buf_addf(b, "ARC-Seal: i=%d; a=x; d=d; s=s; cv=x; b=x\r\n"
	    "ARC-Message-Signature: i=%d; a=x; d=d; s=s; h=x; " BH "; b=x\r\n"
	    "ARC-Authentication-Results: i=%d; x\r\n", i, i, i);
}

START_TEST(sets)
{
	struct buf b;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(arc_sets(str_c(cases[i].header)) == cases[i].n, "%s", cases[i].header);
	buf_init(&b, 65536);
	for (int i = 1; i < ARC_INSTANCE_MAX; i++)
		add_set(&b, i);
	ck_assert_int_eq(arc_sets(buf_str(&b)), ARC_INSTANCE_MAX - 1);
	/* There is no place for another. */
	add_set(&b, ARC_INSTANCE_MAX);
	ck_assert_int_eq(arc_sets(buf_str(&b)), -1);
	buf_free(&b);
}
END_TEST

START_TEST(results)
{
	struct buf b;

	buf_init(&b, 1024);
	arc_results_add(&b, 7, STR(" mx.example;\r\n\tspf=pass"));
	ck_str(buf_str(&b), STR("ARC-Authentication-Results: i=7; mx.example;\r\n\tspf=pass\r\n"));
	buf_reset(&b);
	arc_results_add(&b, 1, STR("mx.example; none"));
	ck_str(buf_str(&b), STR("ARC-Authentication-Results: i=1; mx.example; none\r\n"));
	buf_free(&b);
}
END_TEST

static int
seal(const char *header, const char *new, unsigned instance, struct buf *field, unsigned char *digest)
{
	const struct dkim_signer s = { .domain = STR("b.example"), .selector = STR("s"),
		.algorithm = "rsa-sha256", .now = 1700000000, .instance = instance };

	buf_reset(field);
	return arc_seal_begin(str_c(header), str_c(new), &s, field, digest);
}

#define R1 "arc-authentication-results:i=1; mx.example; spf=pass\r\n"
#define M1 "arc-message-signature:i=1; a=rsa-sha256; d=d; s=s; h=From; " BH "; b=QQ==\r\n"
#define R2 "arc-authentication-results:i=2; mx.example; spf=pass\r\n"
#define M2 "arc-message-signature:i=2; a=rsa-sha256; d=d; s=s; h=From; " BH "; b=QQ==\r\n"
#define OWN(i, cv) "arc-seal:i=" i "; a=rsa-sha256; t=1700000000; cv=" cv "; d=b.example; s=s; b="

START_TEST(seals)
{
	static const char first[] = R1 M1 OWN("1", "none");
	static const char second[] = R1 M1 "arc-seal:i=1; a=rsa-sha256; d=d; s=s; cv=none; b=QQ==\r\n" R2 M2 OWN("2", "pass");
	unsigned char digest[SHA256_SIZE], want[SHA256_SIZE];
	struct buf field;

	buf_init(&field, DKIM_FIELD_MAX);
	ck_assert_int_eq(seal("From: a\r\n", MESSAGE("1") RESULTS("1"), 1, &field, digest), 0);
	ck_str(buf_str(&field), STR("ARC-Seal: i=1; a=rsa-sha256; t=1700000000; cv=none;\r\n\td=b.example;\r\n\ts=s;\r\n\tb="));
	ck_assert_int_eq(sha256(str_c(first), want), 0);
	ck_assert_mem_eq(digest, want, sizeof(want));
	ck_assert_int_eq(seal(SET("1") "From: a\r\n", MESSAGE("2") RESULTS("2"), 2, &field, digest), 0);
	ck_assert_int_eq(sha256(str_c(second), want), 0);
	ck_assert_mem_eq(digest, want, sizeof(want));
	/* What does not go together. */
	ck_assert_int_eq(seal(SET("1"), MESSAGE("3") RESULTS("3"), 3, &field, digest), -1);
	ck_assert_int_eq(seal(SET("1"), MESSAGE("1") RESULTS("1"), 2, &field, digest), -1);
	ck_assert_int_eq(seal(SEAL("1"), MESSAGE("2") RESULTS("2"), 2, &field, digest), -1);
	buf_free(&field);
}
END_TEST

UNIT_MAIN("mail/arc_seal", sets, results, seals)
