/* SPDX-License-Identifier: GPL-3.0-or-later */

/* login_test -- which mechanisms are on offer, and in which order. */

#include "policy/login.h"

#include "unit.h"

#include "mail/sasl.h"

static struct conf conf;

static void
set(struct conf_strs *list, const char *const *v, size_t n)
{
	union {
		const char *const *in;
		const char **out;
	} p = { .in = v };

	list->v = p.out;
	list->n = n;
}

/* What C offers to one with these facts: 't'ls, demande'd', di'g'ests, those of SHA-'2'56, 's'cram, 'c'ertified. */
static const char *
offers(const char *facts)
{
	static struct buf b;
	struct login_facts f = { .tls = strchr(facts, 't') != NULL,
		.tls_demanded = strchr(facts, 'd') != NULL,
		.digests = strchr(facts, 'g') ? 15u : strchr(facts, '2') ? 1u << HMAC_SHA256 : 0,
		.scram = strchr(facts, 's') != NULL,
		.certified = strchr(facts, 'c') != NULL };

	buf_free(&b);
	buf_init(&b, 500);
	login_list(&conf, login_offers(&conf, &f), &b);
	ck_assert_uint_eq(login_offers_in_tls(&conf, &f) & login_offers(&conf, &f),
	    login_offers(&conf, &f));
	return buf_cstr(&b);
}

START_TEST(accounts)
{
	static const char *const domains[] = { "example.org" };

	conf = (struct conf){ 0 };
	set(&conf.domains, domains, 1);
	ck_str(login_account(&conf, STR("alice")), STR("alice"));
	ck_str(login_account(&conf, STR("alice@Example.ORG")), STR("alice"));
	ck_str(login_account(&conf, STR("a@b@example.org")), STR("a@b"));
	ck_str(login_account(&conf, STR("alice@example.net")), STR("alice@example.net"));
	ck_str(login_account(&conf, STR("@example.org")), STR("@example.org"));
	ck_str(login_account(&conf, STR("alice@")), STR("alice@"));
	ck_str(login_account(&conf, STR("")), STR(""));
}
END_TEST

START_TEST(lists)
{
	static const char *const all[] = { "APOP", "LOGIN", "plain", "PLAIN", "CRAM-MD5", "SCRAM-SHA-256-PLUS",
		"SCRAM-SHA-256", "XOAUTH2" };
	static const char *const clear[] = { "CRAM-MD5", "scram-sha-256", "SCRAM-SHA-256-PLUS" };
	static const char *const backends[] = { "file:///users" };

	conf = (struct conf){ 0 };
	set(&conf.auth.mechanisms, all, ARRAY_LEN(all));
	ck_assert_str_eq(offers("tgs"), "");
	/* No backend is asked about certificates. */
	ck_assert_str_eq(offers("tc"), " EXTERNAL");
	ck_assert_str_eq(offers("c"), "");
	set(&conf.auth.backends, backends, 1);
	ck_assert_str_eq(offers("t"), " LOGIN PLAIN");
	ck_assert_str_eq(offers("tg"), " LOGIN PLAIN CRAM-MD5");
	ck_assert_str_eq(offers("tc"), " EXTERNAL LOGIN PLAIN");
	ck_assert_str_eq(offers("ts"), " LOGIN PLAIN SCRAM-SHA-256-PLUS SCRAM-SHA-256");
	ck_assert_str_eq(offers("gs"), "");
	set(&conf.auth.without_tls, clear, ARRAY_LEN(clear));
	/* There is nothing to tie oneself to. */
	ck_assert_str_eq(offers("gs"), " CRAM-MD5 SCRAM-SHA-256");
	ck_assert_str_eq(offers("gsd"), "");
	/* FEATURES A6: each CRAM for itself. */
	static const char *const crams[] = { "CRAM-SHA1", "CRAM-SHA256", "cram-sha512", "CRAM-MD5" };
	set(&conf.auth.mechanisms, crams, ARRAY_LEN(crams));
	ck_assert_str_eq(offers("t"), "");
	ck_assert_str_eq(offers("tg"), " CRAM-SHA1 CRAM-SHA256 CRAM-SHA512 CRAM-MD5");
	ck_assert_str_eq(offers("t2"), " CRAM-SHA256");
	set(&conf.auth.mechanisms, all, ARRAY_LEN(all));
	static const char *const tokens[] = { "oauth://********" };
	set(&conf.auth.backends, tokens, 1);
	ck_assert_str_eq(offers("t"), " XOAUTH2");
	ck_assert(login_is_wanted(&conf, STR("apop")));
	ck_assert(!login_is_wanted(&conf, STR("EXTERNAL")));
}
END_TEST

UNIT_MAIN("policy/login", accounts, lists)
