/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dkim_entry -- what becomes of a signature by what DNS has of its key (S-58). */

#include "signer.h"

#define HEADER "From: a@b.example\r\nTo: c@d.example\r\n"
#define BASE "v=1; a=rsa-sha256; d=b.example; s=s; h=From:To;"

static struct buf good, other;

static struct dkim_check *
check_with(const struct dkim_key *key, const char *tags)
{
	signer_message(HEADER, "x\r\n");
	signer_sign(key, tags);
	return signer_read(DKIM_CHECK_DKIM, 100);
}

static void
expect(struct dkim_check *c, const struct txt_answer *a, enum dkim_result result, const char *why)
{
	struct dkim_verdict v;

	dkim_check_key(c, 0, a);
	v = dkim_check_verdict(c, 0);
	ck_assert_msg(v.result == result && str_eq(v.reason, str_c(why)), "%s: " STR_FMT
	    ", expected %s: %s", dkim_result_name(v.result), STR_ARG(v.reason),
	    dkim_result_name(result), why);
	dkim_check_free(c);
}

static void
expect_of(const char *tags, const struct dkim_key *key, const char *in_record,
    enum dkim_result result, const char *why)
{
	struct txt_answer a = { .status = TXT_OK, .text_n = 1 };

	a.texts[0] = signer_record(&other, key, in_record);
	expect(check_with(signer.rsa, tags), &a, result, why);
}

START_TEST(answers)
{
	static const struct {
		enum txt_status status;
		enum dkim_result result;
		const char *why;
	} t[] = {
		{ TXT_NO_NAME, DKIM_PERMERROR, "there is no such key" },
		{ TXT_NO_DATA, DKIM_PERMERROR, "there is no such key" },
		{ TXT_LARGE, DKIM_PERMERROR, "the record of the key is too large" },
		{ TXT_TEMPORARY, DKIM_TEMPERROR, "DNS has no answer about the key now" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		expect(check_with(signer.rsa, BASE), &(struct txt_answer){ .status = t[i].status },
		    t[i].result, t[i].why);
}
END_TEST

START_TEST(records)
{
	static const struct {
		const char *text;
		enum dkim_result result;
		const char *why;
	} t[] = {
		{ "v=DKIM1; p=", DKIM_PERMERROR, "the key is revoked" },
		{ "v=DKIM1", DKIM_PERMERROR, "the record of the key has no key" },
		{ "v=DKIM1; p=@@", DKIM_PERMERROR, "the record of the key is broken" },
		{ "v=DKIM1; p=QQ==", DKIM_PERMERROR, "the key is broken" },
		{ "v=spf1 -all", DKIM_PERMERROR, "the record of the key is broken" },
		{ "v=DKIM1; k=ed25519; p=QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
		    DKIM_PERMERROR, "the key is for another algorithm" },
		{ "", DKIM_PERMERROR, "the record of the key has no key" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		expect(check_with(signer.rsa, BASE), &(struct txt_answer){ .status = TXT_OK,
		    .texts = { str_c(t[i].text) }, .text_n = 1 }, t[i].result, t[i].why);
	expect_of(BASE, signer.rsa, "k=rsa; t=y:s; s=email; h=sha256; g=none; n=note; ", DKIM_PASS, "");
	expect_of(BASE, signer.rsa, "h=sha1; ", DKIM_PERMERROR, "the key is not for sha256");
	expect_of(BASE, signer.rsa, "s=tlsrpt; ", DKIM_PERMERROR, "the key is not for mail");
	expect_of(BASE, signer.rsa, "k=other; ", DKIM_PERMERROR, "the key is for another algorithm");
	expect_of(BASE " i=@sub.b.example;", signer.rsa, "", DKIM_PASS, "");
	expect_of(BASE " i=@sub.b.example;", signer.rsa, "t=s; ", DKIM_PERMERROR,
	    "the key is not for subdomains (t=s)");
	expect_of(BASE " i=@B.Example;", signer.rsa, "t=s; ", DKIM_PASS, "");
	expect_of(BASE, signer.small, "", DKIM_PERMERROR, "the key has less than 1024 bits");
}
END_TEST

/* The first that fits counts, of the first three. */
START_TEST(several_records)
{
	struct txt_answer a = { .status = TXT_OK, .texts = { STR("v=spf1 -all"), STR("v=DKIM1; p=") } };

	a.texts[2] = a.texts[3] = signer_record(&good, signer.rsa, "");
	a.text_n = 4;
	expect(check_with(signer.rsa, BASE), &a, DKIM_PASS, "");
	a.texts[2] = signer_record(&other, signer.small, "");
	expect(check_with(signer.rsa, BASE), &a, DKIM_PERMERROR, "the key has less than 1024 bits");
}
END_TEST

/* Texts of a verdict are fit for a header, whatever the field has. */
START_TEST(clean)
{
	static const struct {
		const char *tags, *domain, *identity, *algorithm;
	} t[] = {
		{ "v=1; a=rsa-sha256; d=B.example; s=s; h=From; i=\"a\r\n b\"@sub.b.example;", "b.example",
		    "\"ab\"@sub.b.example", "rsa-sha256" },
		{ "v=1; a=rsa-sha256; d=b.example; s=s; h=From; i=\303\274@b.example;", "b.example",
		    "@b.example", "rsa-sha256" },
		{ "v=1; a=\303\274; d=\303\274.example; s=s; h=From;", "xn--tda.example", "@xn--tda.example", "" },
		{ "v=1; a=a b; d=a b; s=s; h=From;", "", "", "" },
		{ "v=1; a=rsa-sha256; d=b\r\n .example; s=s; h=From;", "", "", "rsa-sha256" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct dkim_check *c = check_with(signer.rsa, t[i].tags);
		struct dkim_verdict v = dkim_check_verdict(c, 0);

		ck_str(v.domain, str_c(t[i].domain));
		ck_str(v.identity, str_c(t[i].identity));
		ck_str(v.algorithm, str_c(t[i].algorithm));
		dkim_check_free(c);
	}
}
END_TEST

/* Proofs that no key could have made. */
START_TEST(proofs)
{
	static const struct {
		const char *b, *why;
		enum dkim_result result;
	} t[] = {
		{ "", "it has no b=", DKIM_NEUTRAL },
		{ "*", "its b= is no base64 of a signature", DKIM_NEUTRAL },
		{ "QQ", "its b= is no base64 of a signature", DKIM_NEUTRAL },
		{ "Q Q\r\n\t= =", "the signature is not that of the key", DKIM_FAIL },
	};
	char field[512];

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct txt_answer a = { .status = TXT_OK, .text_n = 1 };
		struct dkim_check *c;

		signer_message(HEADER, "");
		snprintf(field, sizeof(field), "DKIM-Signature: " BASE "\r\n bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/"
		    "XKdLCPjaYaY=; b=%s\r\n", t[i].b);
		signer_put(str_c(field));
		a.texts[0] = signer_record(&good, signer.rsa, "");
		c = signer_read(DKIM_CHECK_DKIM, 1);
		if (dkim_check_key_count(c) > 0)
			expect(c, &a, t[i].result, t[i].why);
		else {
			ck_str(dkim_check_verdict(c, 0).reason, str_c(t[i].why));
			ck_assert_int_eq(dkim_check_verdict(c, 0).result, t[i].result);
			dkim_check_free(c);
		}
	}
}
END_TEST

int
main(void)
{
	int rc;

	signer_begin();
	buf_init(&good, 16384);
	buf_init(&other, 16384);
	rc = unit_run("check/dkim_entry", UNIT_CASE("dkim_entry", answers, records, several_records,
	    clean, proofs));
	buf_free(&good);
	buf_free(&other);
	signer_end();
	return rc;
}
