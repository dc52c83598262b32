/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scram_key_test -- keys of SCRAM, and the example of RFC 7677 3. */

#include "mail/scram_key.h"

#include "unit.h"

#include "mail/text.h"

#define SALT "W22ZaJ0SNY7soEsUEjb6gQ=="
#define NONCE "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define AUTH_MESSAGE "n=user,r=rOprNGfwEbeRWgbNEkqO,r=" NONCE ",s=" SALT \
	",i=4096,c=biws,r=" NONCE
#define PROOF "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define SIGNATURE "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static void
make(struct scram_key *k, const char *password)
{
	struct buf salt;

	buf_init(&salt, 64);
	ck_assert_int_eq(base64_decode(STR(SALT), &salt), 0);
	ck_assert_int_eq(scram_key_make(k, str_c(password), buf_str(&salt), 4096), 0);
	buf_free(&salt);
}

START_TEST(example)
{
	struct scram_key k, other, got;
	struct buf out;

	buf_init(&out, 500);
	make(&k, "pencil");
	ck_assert(scram_key_proves(&k, STR(AUTH_MESSAGE), STR(PROOF), &out));
	ck_str(buf_str(&out), STR(SIGNATURE));
	buf_reset(&out);
	ck_assert(!scram_key_proves(&k, STR(AUTH_MESSAGE "x"), STR(PROOF), &out));
	ck_assert(!scram_key_proves(&k, STR(AUTH_MESSAGE), STR(SIGNATURE), &out));
	ck_assert(!scram_key_proves(&k, STR(AUTH_MESSAGE), STR("dHzbZapW"), &out));
	ck_assert(!scram_key_proves(&k, STR(AUTH_MESSAGE), STR("?"), &out));
	ck_assert(!scram_key_proves(&k, STR(AUTH_MESSAGE), STR(""), &out));
	make(&other, "pencils");
	ck_assert(!scram_key_proves(&other, STR(AUTH_MESSAGE), STR(PROOF), &out));
	ck_assert_uint_eq(out.n, 0);
	ck_assert(!scram_key_same(&k, &other));
	/* As it is written, it is read. */
	scram_key_add(&out, &k);
	ck_assert(scram_key_is(buf_str(&out)));
	ck_assert(scram_key_parse(buf_str(&out), &got));
	ck_assert_mem_eq(&got, &k, sizeof(k));
	ck_assert(scram_key_same(&k, &got));
	buf_free(&out);
}
END_TEST

/* What `doveadm pw -s SCRAM-SHA-256` and PostgreSQL's pg_authid would have of "pencil". */
#define STORED "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
#define SERVER "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

START_TEST(forms)
{
	static const char *const good[] = {
		"{SCRAM-SHA-256}4096," SALT "," STORED "," SERVER,
		"{scram-sha-256}4096," SALT "," STORED "," SERVER,
		"SCRAM-SHA-256$4096:" SALT "$" STORED ":" SERVER,
	};
	static const char *const bad[] = { "", "x", "$6$a$b", "{PLAIN}x", "{SCRAM-SHA-256}",
		"{SCRAM-SHA-256}4096", "{SCRAM-SHA-256}4096,,,",
		"{SCRAM-SHA-256}0," SALT "," STORED "," SERVER,
		"{SCRAM-SHA-256}-1," SALT "," STORED "," SERVER,
		"{SCRAM-SHA-256}1000001," SALT "," STORED "," SERVER,
		"{SCRAM-SHA-256}4096,," STORED "," SERVER,
		"{SCRAM-SHA-256}4096," SALT "," SALT "," SERVER,
		"{SCRAM-SHA-256}4096," SALT "," STORED "," SERVER ",",
		"{SCRAM-SHA-256}4096," SALT "," STORED,
		"{SCRAM-SHA-256}4096:" SALT "$" STORED ":" SERVER,
		"SCRAM-SHA-256$4096," SALT "," STORED "," SERVER,
		"{SCRAM-SHA-1}4096," SALT "," STORED "," SERVER };
	struct scram_key k, made;

	make(&made, "pencil");
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ck_assert_msg(scram_key_parse(str_c(good[i]), &k), "%s", good[i]);
		ck_assert_mem_eq(&k, &made, sizeof(k));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!scram_key_parse(str_c(bad[i]), &k), "%s", bad[i]);
	ck_assert_int_eq(scram_key_make(&k, STR("x"), STR(""), 4096), -1);
	ck_assert_int_eq(scram_key_make(&k, STR("x"), STR("s"), 0), -1);
}
END_TEST

START_TEST(params)
{
	static const char *const bad[] = { "", "n=a,r=b", "n=a,r=b,r=b", "n=a,r=b,r=b,s=", "r=,r=,s=?,i=1",
		"n=a,r=b,r=b,s=AAAA", "n=a,r=b,r=b,s=AAAA,i=0", "n=a,r=b,r=b,s=AAAA,i=x",
		"n=a,r=b,r=b,i=1,s=AAAA", "n=a,r=b,r=b,s=AAAA,i=99999999" };
	struct buf salt, out;
	uint32_t count = 0;

	buf_init(&salt, 64);
	buf_init(&out, 200);
	ck_assert_int_eq(scram_params_get(STR(AUTH_MESSAGE), &salt, &count), 0);
	ck_assert_uint_eq(count, 4096);
	scram_params_add(&out, buf_str(&salt), count);
	ck_str(buf_str(&out), STR("s=" SALT ",i=4096"));
	/* What a client put in before does not count. */
	ck_assert_int_eq(scram_params_get(STR("n=a,s=x,i=1,r=b,s=AAAA,i=7,r=bc,s=AAAB,i=8,c=x,s=AAAC,i=9"),
	    &salt, &count), 0);
	ck_assert_uint_eq(count, 8);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(scram_params_get(str_c(bad[i]), &salt, &count) == -1, "%s", bad[i]);
	buf_free(&salt);
	buf_free(&out);
}
END_TEST

UNIT_MAIN("mail/scram_key", example, forms, params)
