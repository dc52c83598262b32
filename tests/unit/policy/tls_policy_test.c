/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What TLS with a host is to be (T-06, T-07, S-04), as a table. */

#include "policy/tls_policy.h"

#include "unit.h"

#define DIGEST "0123456789abcdef0123456789abcdef"

static const struct dns_tlsa good = { 3, 1, 1, { DIGEST, 32 } };
static const struct dns_tlsa pkix = { 1, 1, 1, { DIGEST, 32 } };
static const struct dns_tlsa both[] = { { 0, 1, 1, { DIGEST, 32 } },
	{ 2, 0, 2, { DIGEST DIGEST, 64 } } };

START_TEST(usable)
{
	static const struct {
		struct dns_tlsa r;
		bool ok;
	} cases[] = {
		{ { 3, 1, 1, { DIGEST, 32 } }, true }, { { 2, 0, 1, { DIGEST, 32 } }, true },
		{ { 3, 0, 2, { DIGEST DIGEST, 64 } }, true }, { { 3, 0, 0, { "x", 1 } }, true },
		{ { 0, 1, 1, { DIGEST, 32 } }, false }, { { 1, 1, 1, { DIGEST, 32 } }, false },
		{ { 4, 1, 1, { DIGEST, 32 } }, false }, { { 255, 1, 1, { DIGEST, 32 } }, false },
		{ { 3, 2, 1, { DIGEST, 32 } }, false }, { { 3, 1, 3, { DIGEST, 32 } }, false },
		{ { 3, 1, 1, { DIGEST, 31 } }, false }, { { 3, 1, 2, { DIGEST, 32 } }, false },
		{ { 3, 1, 1, { DIGEST DIGEST, 64 } }, false }, { { 3, 1, 0, { "", 0 } }, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(tls_tlsa_usable(&cases[i].r) == cases[i].ok, "case %zu", i);
}
END_TEST

START_TEST(decisions)
{
	static const struct str mx[] = { { "mx.a.test", 9 } };
	static const struct sts_policy enforce = { STS_ENFORCE, 1, mx, 1 };
	static const struct sts_policy testing = { STS_TESTING, 1, mx, 1 };
	static const struct sts_policy none = { STS_NONE, 1, NULL, 0 };
	static const struct {
		int level;
		enum tlsa_state tlsa;
		const struct dns_tlsa *records;
		size_t n;
		const struct sts_policy *sts;
		const char *host;
		enum tls_demand demand;
		enum tls_basis basis;
		bool tell;
	} cases[] = {
		{ TLS_OFF, TLSA_PRESENT, &good, 1, &enforce, "mx.a.test", TLS_DEMAND_OFF, TLS_BY_CONF, false },
		{ TLS_MAY, TLSA_UNASKED, NULL, 0, NULL, "mx.a.test", TLS_DEMAND_MAY, TLS_BY_CONF, false },
		{ TLS_REQUIRED, TLSA_UNASKED, NULL, 0, NULL, "mx.a.test", TLS_DEMAND_ANY, TLS_BY_CONF, false },
		{ TLS_VERIFIED, TLSA_UNASKED, NULL, 0, NULL, "mx.a.test", TLS_DEMAND_NAME, TLS_BY_CONF, false },
		/* DANE alone. */
		{ TLS_DANE, TLSA_PRESENT, &good, 1, NULL, "x", TLS_DEMAND_DANE, TLS_BY_TLSA, false },
		{ TLS_DANE, TLSA_PRESENT, both, 2, NULL, "x", TLS_DEMAND_DANE, TLS_BY_TLSA, false },
		{ TLS_DANE, TLSA_PRESENT, both, 1, NULL, "x", TLS_DEMAND_ANY, TLS_BY_TLSA, false },
		{ TLS_DANE, TLSA_PRESENT, &pkix, 1, NULL, "x", TLS_DEMAND_ANY, TLS_BY_TLSA, false },
		{ TLS_DANE, TLSA_FAILED, NULL, 0, NULL, "x", TLS_DEMAND_SKIP, TLS_BY_TLSA, false },
		{ TLS_DANE, TLSA_ABSENT, NULL, 0, NULL, "x", TLS_DEMAND_MAY, TLS_BY_CONF, false },
		{ TLS_DANE, TLSA_UNASKED, NULL, 0, NULL, "x", TLS_DEMAND_MAY, TLS_BY_CONF, false },
		/* MTA-STS alone. */
		{ TLS_DANE, TLSA_ABSENT, NULL, 0, &enforce, "MX.a.test", TLS_DEMAND_NAME, TLS_BY_STS, false },
		{ TLS_DANE, TLSA_UNASKED, NULL, 0, &enforce, "mx.b.test", TLS_DEMAND_SKIP, TLS_BY_STS, false },
		{ TLS_DANE, TLSA_UNASKED, NULL, 0, &testing, "mx.a.test", TLS_DEMAND_MAY, TLS_BY_STS, true },
		{ TLS_DANE, TLSA_UNASKED, NULL, 0, &testing, "mx.b.test", TLS_DEMAND_MAY, TLS_BY_STS, true },
		{ TLS_DANE, TLSA_UNASKED, NULL, 0, &none, "mx.b.test", TLS_DEMAND_MAY, TLS_BY_CONF, false },
		/* Both: DANE goes first, and MTA-STS never softens it. */
		{ TLS_DANE, TLSA_PRESENT, &good, 1, &enforce, "mx.b.test", TLS_DEMAND_DANE, TLS_BY_TLSA, false },
		{ TLS_DANE, TLSA_PRESENT, &good, 1, &testing, "mx.a.test", TLS_DEMAND_DANE, TLS_BY_TLSA, false },
		{ TLS_DANE, TLSA_FAILED, NULL, 0, &testing, "mx.a.test", TLS_DEMAND_SKIP, TLS_BY_TLSA, false },
		{ TLS_DANE, TLSA_FAILED, NULL, 0, &enforce, "mx.a.test", TLS_DEMAND_SKIP, TLS_BY_TLSA, false },
		{ TLS_DANE, TLSA_PRESENT, &pkix, 1, &testing, "mx.a.test", TLS_DEMAND_ANY, TLS_BY_TLSA, false },
		{ TLS_DANE, TLSA_PRESENT, &pkix, 1, &enforce, "mx.a.test", TLS_DEMAND_NAME, TLS_BY_STS, false },
		{ TLS_DANE, TLSA_PRESENT, &pkix, 1, &enforce, "mx.b.test", TLS_DEMAND_SKIP, TLS_BY_STS, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tls_facts f = { .level = cases[i].level, .tlsa = cases[i].tlsa,
			.records = cases[i].records, .record_n = cases[i].n,
			.sts = cases[i].sts, .host = cases[i].host,
			.place = { "x.conf", 7 } };
		struct tls_decision d = tls_policy(&f);

		ck_assert_msg(d.demand == cases[i].demand && d.basis == cases[i].basis &&
		    d.tell == cases[i].tell, "case %zu: %d, %d: %s", i, (int)d.demand,
		    (int)d.basis, d.reason);
		ck_assert_ptr_nonnull(d.reason);
		ck_assert_int_eq(d.place.line, 7);
	}
}
END_TEST

/* RFC 8689 4.2.1: nobody but a host that is known, and that proves to be it. */
START_TEST(required)
{
	static const struct str mx[] = { { "mx.a.test", 9 } };
	static const struct sts_policy enforce = { STS_ENFORCE, 1, mx, 1 };
	static const struct sts_policy testing = { STS_TESTING, 1, mx, 1 };
	static const struct {
		int level;
		enum tlsa_state tlsa;
		const struct dns_tlsa *records;
		const struct sts_policy *sts;
		bool trusted;
		enum tls_demand demand;
		bool refused;
	} cases[] = {
		{ TLS_DANE, TLSA_PRESENT, &good, NULL, true, TLS_DEMAND_DANE, false },
		{ TLS_DANE, TLSA_PRESENT, &pkix, NULL, true, TLS_DEMAND_NAME, false },
		{ TLS_DANE, TLSA_ABSENT, NULL, NULL, true, TLS_DEMAND_NAME, false },
		{ TLS_DANE, TLSA_UNASKED, NULL, NULL, false, TLS_DEMAND_SKIP, true },
		{ TLS_DANE, TLSA_UNASKED, NULL, &enforce, false, TLS_DEMAND_NAME, false },
		{ TLS_DANE, TLSA_UNASKED, NULL, &testing, false, TLS_DEMAND_SKIP, true },
		{ TLS_DANE, TLSA_FAILED, NULL, &enforce, false, TLS_DEMAND_SKIP, false },
		/* Servers of an upstream. */
		{ TLS_MAY, TLSA_UNASKED, NULL, NULL, true, TLS_DEMAND_NAME, false },
		{ TLS_REQUIRED, TLSA_UNASKED, NULL, NULL, true, TLS_DEMAND_NAME, false },
		{ TLS_VERIFIED, TLSA_UNASKED, NULL, NULL, true, TLS_DEMAND_NAME, false },
		{ TLS_OFF, TLSA_UNASKED, NULL, NULL, false, TLS_DEMAND_SKIP, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tls_facts f = { .level = cases[i].level, .tlsa = cases[i].tlsa,
			.records = cases[i].records, .record_n = cases[i].records != NULL,
			.sts = cases[i].sts, .host = "mx.a.test", .requiretls = true,
			.trusted_name = cases[i].trusted };
		struct tls_decision d = tls_policy(&f);

		ck_assert_msg(d.demand == cases[i].demand && d.refused == cases[i].refused &&
		    !d.tell, "case %zu: %d: %s", i, (int)d.demand, d.reason);
	}
}
END_TEST

UNIT_MAIN("tls_policy", usable, decisions, required)
