/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a client's certificate lets it do: by fingerprint, by who signed it, or nothing. */

#include "policy/certified.h"

#include "unit.h"

#define ONES "1111111111111111111111111111111111111111111111111111111111111111"
#define TWOS "2222222222222222222222222222222222222222222222222222222222222222"
#define TENS "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BIG_TENS "AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:" \
		 "AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA"

static struct tls_client
shown(const char *print, const char *key, bool verified)
{
	struct tls_client t = { .verified = verified };

	memcpy(t.fingerprint, print, strlen(print) + 1);
	memcpy(t.key, key, strlen(key) + 1);
	return t;
}

static struct conf *
must_parse(const char *text)
{
	struct buf error;
	struct conf *c;

	buf_init(&error, 1000);
	c = conf_parse("text", str_c(text), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	buf_free(&error);
	return c;
}

START_TEST(relay)
{
	struct conf *c = must_parse("access { relay-certificates = { 'sha256:" ONES
				    "', 'SHA256:" BIG_TENS "' } }");
	struct tls_client one = shown(ONES, TWOS, false), key = shown(TWOS, TENS, false),
		other = shown(TWOS, TWOS, true), none = shown("", "", false);

	ck_assert(certified_relays(c, &one));
	ck_assert(certified_relays(c, &key));
	ck_assert(!certified_relays(c, &other));
	ck_assert(!certified_relays(c, &none));
	ck_assert(!certified_relays(c, NULL));
	conf_free(c);
	c = must_parse("tls { client-ca = '/ca' } access { relay-certificates = { Verified } }");
	ck_assert(certified_relays(c, &other));
	ck_assert(!certified_relays(c, &one));
	conf_free(c);
	c = must_parse("tls { client-ca = '/ca' }");
	ck_assert(!certified_relays(c, &other));
	conf_free(c);
}
END_TEST

START_TEST(user)
{
	struct conf *c = must_parse("auth { certificates = { 'sha256:" TENS
				    "  bob', 'sha256:" ONES " alice' } }");
	struct tls_client one = shown(ONES, TENS, false), key = shown(TWOS, TENS, false),
		other = shown(TWOS, TWOS, true), none = shown("", "", true);

	/* The certificate's comes before the key's, whatever the order there. */
	ck_assert_str_eq(certified_user(c, &one), "alice");
	ck_assert_str_eq(certified_user(c, &key), "bob");
	ck_assert_ptr_null(certified_user(c, &other));
	ck_assert_ptr_null(certified_user(c, &none));
	ck_assert_ptr_null(certified_user(c, NULL));
	conf_free(c);
}
END_TEST

/* T-04: nobody is asked for what is of no use. */
START_TEST(asked)
{
	static const struct {
		const char *text;
		bool smtp, pop3, other;
	} cases[] = {
		{ "", false, false, false },
		{ "tls { client-ca = '/ca' }", true, false, true },
		{ "access { relay-certificates = { 'sha256:" ONES "' } }", true, false, false },
		{ "auth { certificates = { 'sha256:" ONES " alice' } }", true, true, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct conf *c = must_parse(cases[i].text);
		struct conf_listen l = c->listens[0];

		ck_assert_uint_eq(certified_is_asked(c, &l), cases[i].smtp);
		l.service = SERVICE_SUBMISSION;
		ck_assert_uint_eq(certified_is_asked(c, &l), cases[i].smtp);
		/* One with a list of its own, which is empty. */
		l.relay_certificates.n = 0;
		ck_assert_uint_eq(certified_is_asked(c, &l), cases[i].other);
		l.service = SERVICE_POP3;
		ck_assert_uint_eq(certified_is_asked(c, &l), cases[i].pop3);
		l.service = SERVICE_ADMIN;
		ck_assert(!certified_is_asked(c, &l));
		conf_free(c);
	}
}
END_TEST

UNIT_MAIN("policy/certified", relay, user, asked)
