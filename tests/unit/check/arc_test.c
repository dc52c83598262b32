/* SPDX-License-Identifier: GPL-3.0-or-later */

/* arc -- chains, whole and broken (RFC 8617 5.2). */

#include "signer.h"

#define HEADER "From: a@b.example\r\nTo: c@d.example\r\nSubject: s\r\n"

static struct buf record;

/* A set of instance I on the top: what its message's signature has in place of its tags, and CV. */
static void
add_set(unsigned i, const char *tags, const char *cv)
{
	unsigned char digest[SHA256_SIZE];
	struct str rest;
	struct field f;
	struct buf all[ARC_INSTANCE_MAX + 1], field;
	char text[512];
	struct dkim_signature s;

	snprintf(text, sizeof(text), "i=%u; %s", i, tags);
	signer_sign_as("ARC-Message-Signature", signer.rsa, text);
	snprintf(text, sizeof(text), "ARC-Authentication-Results: i=%u; mx.example;\r\n\tspf=none\r\n", i);
	signer_put(str_c(text));
	/* What the seal signs: by instance, results, signature, seal. */
	for (unsigned n = 1; n <= i; n++)
		buf_init(&all[n], 65536);
	for (unsigned kind = 0; kind < 3; kind++) {
		static const char *const names[] = { "ARC-Authentication-Results", "ARC-Message-Signature",
			"ARC-Seal" };

		for (rest = buf_str(&signer.header); field_next(&rest, &f) == 1;) {
			if (!str_ieq(f.name, str_c(names[kind])))
				continue;
			(void)!dkim_signature_parse(f.value, DKIM_ARC_SEAL, &s);
			unsigned n = kind == 0 ? arc_results_instance(f.value) : 0;

			for (unsigned k = 1; n == 0 && k <= i; k++) {
				snprintf(text, sizeof(text), "i=%u;", k);
				n = memmem(f.value.p, f.value.n, text, strlen(text)) != NULL ? k : 0;
			}
			if (n >= 1 && n <= i)
				dkim_form_add(&all[n], &f, true);
		}
	}
	buf_init(&field, 65536);
	buf_addf(&field, "ARC-Seal: i=%u; a=rsa-sha256; d=b.example; s=s; t=1800000000; cv=%s; b=", i, cv);
	rest = buf_str(&field);
	ck_assert_int_eq(field_next(&rest, &f), 1);
	for (unsigned n = 2; n <= i; n++)
		buf_add(&all[1], buf_str(&all[n]));
	dkim_form_add_own(&all[1], &f, STR(""), true);
	ck_assert(buf_ok(&all[1]));
	ck_assert_int_eq(sha256(buf_str(&all[1]), digest), 0);
	signer_add_proof(&field, signer.rsa, digest);
	signer_put(buf_str(&field));
	for (unsigned n = 1; n <= i; n++)
		buf_free(&all[n]);
	buf_free(&field);
}

#define TAGS "a=rsa-sha256; c=relaxed/relaxed; d=b.example; s=s; t=1800000000; h=From:To:Subject;"

static struct arc_verdict
judge(struct dkim_check **c)
{
	*c = signer_read(DKIM_CHECK_ARC, 5);
	signer_answer(*c, signer_record(&record, signer.rsa, ""));
	return dkim_check_arc(*c);
}

static void
expect(enum arc_result result, const char *why)
{
	struct dkim_check *c;
	struct arc_verdict v = judge(&c);

	ck_assert_msg(v.result == result && str_eq(v.reason, str_c(why)), "%s: " STR_FMT ", expected %s: %s\n%s",
	    arc_result_name(v.result), STR_ARG(v.reason), arc_result_name(result), why,
	    buf_cstr(&signer.header));
	dkim_check_free(c);
}

static void
chain(unsigned n)
{
	signer_message(HEADER, "one\r\n");
	for (unsigned i = 1; i <= n; i++)
		add_set(i, TAGS, i == 1 ? "none" : "pass");
}

START_TEST(whole)
{
	static const unsigned lengths[] = { 1, 2, 3, 10, ARC_INSTANCE_MAX };

	signer_message(HEADER, "one\r\n");
	expect(ARC_NONE, "");
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct dkim_check *c;
		struct arc_verdict v;

		chain(lengths[i]);
		v = judge(&c);
		ck_assert_msg(v.result == ARC_PASS, "%u: " STR_FMT, lengths[i], STR_ARG(v.reason));
		ck_assert_uint_eq(v.instance, lengths[i]);
		ck_assert_uint_eq(v.oldest_pass, 0);
		ck_str(v.domain, STR("b.example"));
		ck_str(v.selector, STR("s"));
		ck_assert_uint_eq(dkim_check_key_count(c), 1);
		dkim_check_free(c);
	}
}
END_TEST

/* Between the instances the text was changed: each signature fits from its own on. */
START_TEST(oldest)
{
	struct dkim_check *c;
	struct arc_verdict v;

	signer_message(HEADER, "one\r\n");
	add_set(1, TAGS, "none");
	buf_adds(&signer.body, "two\r\n");
	add_set(2, TAGS, "pass");
	add_set(3, TAGS, "pass");
	v = judge(&c);
	ck_assert_int_eq(v.result, ARC_PASS);
	ck_assert_uint_eq(v.oldest_pass, 2);
	dkim_check_free(c);
	buf_adds(&signer.body, "three\r\n");
	expect(ARC_FAIL, "signature of instance 3: the body hash does not match");
}
END_TEST

/* The text of the field NAME in instance I, as it is in the header. */
static struct str
field_of(const char *name, unsigned i)
{
	struct str rest = buf_str(&signer.header);
	struct field f;
	char text[32];

	snprintf(text, sizeof(text), "i=%u;", i);
	while (field_next(&rest, &f) == 1)
		if (str_ieq(f.name, str_c(name)) && memmem(f.value.p, f.value.n, text, strlen(text)) != NULL)
			return f.raw;
	ck_abort_msg("no %s of %u", name, i);
}

static void
remove_field(const char *name, unsigned i)
{
	struct str s = field_of(name, i);
	size_t at = (size_t)(s.p - signer.header.p);

	memmove(signer.header.p + at, signer.header.p + at + s.n, signer.header.n - at - s.n);
	buf_cut(&signer.header, signer.header.n - s.n);
}

START_TEST(structure)
{
	static const char *const names[] = { "ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal" };
	struct buf copy;

	buf_init(&copy, 65536);
	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		for (unsigned i = 1; i <= 2; i++) {
			chain(2);
			remove_field(names[k], i);
			expect(ARC_FAIL, "an instance is not complete");
		}
		chain(2);
		buf_reset(&copy);
		buf_add(&copy, field_of(names[k], 1));
		buf_add(&signer.header, buf_str(&copy));
		expect(ARC_FAIL, k == 0 ? "an instance has two ARC-Authentication-Results" :
			k == 1 ? "an instance has two ARC-Message-Signature" : "an instance has two ARC-Seal");
	}
	buf_free(&copy);
	chain(1);
	buf_adds(&signer.header, "ARC-Seal: i=51; cv=pass\r\n");
	expect(ARC_FAIL, "an ARC-Seal is broken");
	chain(1);
	buf_adds(&signer.header, "ARC-Message-Signature: what\r\n");
	expect(ARC_FAIL, "an ARC-Message-Signature is broken");
	chain(1);
	buf_adds(&signer.header, "ARC-Authentication-Results: mx.example; none\r\n");
	expect(ARC_FAIL, "an ARC-Authentication-Results has no instance");
	chain(3);
	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		remove_field(names[k], 2);
	expect(ARC_FAIL, "an instance is not complete");
	chain(1);
	buf_adds(&signer.header, "From: x\r\n");
	expect(ARC_FAIL, "the message has more than one From");
}
END_TEST

START_TEST(chains)
{
	signer_message(HEADER, "");
	add_set(1, TAGS, "pass");
	expect(ARC_FAIL, "the first seal does not say cv=none");
	signer_message(HEADER, "");
	add_set(1, TAGS, "none");
	add_set(2, TAGS, "none");
	expect(ARC_FAIL, "a seal does not say cv=pass");
	signer_message(HEADER, "");
	add_set(1, TAGS, "none");
	add_set(2, TAGS, "fail");
	expect(ARC_FAIL, "the chain had failed before (cv=fail)");
	signer_message(HEADER, "");
	add_set(1, "a=rsa-sha256; d=b.example; s=s; h=To;", "none");
	expect(ARC_FAIL, "signature of instance 1: it does not sign From");
	signer_message(HEADER, "");
	add_set(1, "a=rsa-sha256; d=b.example; s=s; h=From:ARC-Seal;", "none");
	expect(ARC_FAIL, "signature of instance 1: it signs an ARC-Seal");
	signer_message(HEADER, "x\r\ny\r\n");
	add_set(1, TAGS " l=3;", "none");
	expect(ARC_FAIL, "signature of instance 1: it signs only a part of the body (l=)");
}
END_TEST

static void
change(const char *name, unsigned i, const char *from, const char *to)
{
	struct str s = field_of(name, i);
	char *at = memmem(s.p, s.n, from, strlen(from));

	ck_assert_ptr_nonnull(at);
	ck_assert_uint_eq(strlen(from), strlen(to));
	memcpy(at, to, strlen(to));
}

START_TEST(signed_parts)
{
	chain(3);
	change("ARC-Authentication-Results", 1, "spf=none", "spf=pass");
	expect(ARC_FAIL, "seal of instance 3: the signature is not that of the key");
	chain(3);
	change("ARC-Seal", 2, "t=1800000000", "t=1800000001");
	expect(ARC_FAIL, "seal of instance 3: the signature is not that of the key");
	chain(3);
	change("ARC-Message-Signature", 3, "t=1800000000", "t=1799999999");
	expect(ARC_FAIL, "signature of instance 3: the signature is not that of the key");
	chain(2);
	memcpy(signer.header.p + signer.header.n - 3, "X", 1);
	expect(ARC_FAIL, "signature of instance 2: the signature is not that of the key");
}
END_TEST

START_TEST(keys)
{
	struct dkim_check *c;
	struct arc_verdict v;

	chain(2);
	c = signer_read(DKIM_CHECK_ARC | DKIM_CHECK_DKIM, 5);
	v = dkim_check_arc(c);
	ck_assert_int_eq(v.result, ARC_FAIL);
	ck_assert(v.temporary);
	dkim_check_key(c, 0, &(struct txt_answer){ .status = TXT_NO_NAME });
	v = dkim_check_arc(c);
	ck_assert_int_eq(v.result, ARC_FAIL);
	ck_assert(!v.temporary);
	ck_str(v.reason, STR("signature of instance 2: there is no such key"));
	dkim_check_free(c);
}
END_TEST

int
main(void)
{
	int rc;

	signer_begin();
	buf_init(&record, 16384);
	rc = unit_run("check/arc", UNIT_CASE("arc", whole, oldest, structure, chains, signed_parts, keys));
	buf_free(&record);
	signer_end();
	return rc;
}
