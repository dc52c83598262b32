/* SPDX-License-Identifier: GPL-3.0-or-later */

/* FEATURES T6: own_keys -- the keys that a message brings, and what is none. */

#include "unit.h"

#include <stdlib.h>

#include "net/dkim_key.h"
#include "queue/settings.h"
#include "queue/own_keys.h"

#define NOW INT64_C(1795305600)	/* 2026-11-22 00:00 */
#define OCTETS "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"
#define PEM "-----BEGIN PRIVATE KEY-----\\n" OCTETS "\\n-----END PRIVATE KEY-----\\n"
#define KEY "\"domain\":\"a.test\",\"selector\":\"s\",\"key\":\"" OCTETS "\""
#define WHOLE "{" KEY "}"

static struct arena arena;
static struct own_keys keys;

static const char *
read_keys(const char *text)
{
	return own_keys_read(str_c(text), NOW, &arena, &keys);
}

START_TEST(good)
{
	arena_init(&arena, 1 << 20);
	ck_assert_pstr_eq(read_keys("{\"domain\":\"b\303\244.test\",\"selector\":\"2026.a\",\"key\":\"" PEM "\"}"), NULL);
	ck_assert_uint_eq(keys.n, 1);
	ck_str(keys.v[0].domain, STR("xn--b-0fa.test"));
	ck_str(keys.v[0].selector, STR("2026.a"));
	ck_assert_str_eq(dkim_key_type(keys.v[0].key), "ed25519");
	ck_assert(keys.v[0].signs && !keys.v[0].seals && !keys.v[0].reports && !keys.alone);
	/* MailerQ's, where nothing is said. */
	ck_assert_int_eq(keys.v[0].forms, CONF_DKIM_SIMPLE_BODY);
	ck_assert_int_eq(keys.v[0].expires, 0);
	own_keys_free(&keys);
	ck_assert_pstr_eq(read_keys("[" WHOLE ", {" KEY ",\"expire\":\"+1d\",\"headers\":[\"Feedback-ID\",\"X-A\"],\"report\":true,"
	    "\"protocols\":[\"arc\"],\"canonicalization\":\"simple/relaxed\",\"alone\":true}]"), NULL);
	ck_assert_uint_eq(keys.n, 2);
	ck_assert_int_eq(keys.v[1].expires, NOW + 86400);
	ck_assert_uint_eq(keys.v[1].more_n, 2);
	ck_str(keys.v[1].more[1], STR("X-A"));
	ck_assert(keys.v[1].reports && keys.v[1].seals && !keys.v[1].signs && keys.alone);
	ck_assert_int_eq(keys.v[1].forms, CONF_DKIM_SIMPLE_HEADER);
	own_keys_free(&keys);
	ck_assert_pstr_eq(read_keys("{" KEY ",\"expire\":1795392000,\"protocols\":[\"dkim\",\"arc\"]}"), NULL);
	ck_assert_int_eq(keys.v[0].expires, 1795392000);
	ck_assert(keys.v[0].seals && keys.v[0].signs);
	own_keys_free(&keys);
	ck_assert_pstr_eq(own_keys_why_not(STR(WHOLE), &arena), NULL);
	arena_free(&arena);
}
END_TEST

START_TEST(bad)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "its dkim is no JSON" }, { "{", "its dkim is no JSON" }, { "x", "its dkim is no JSON" },
		{ "{\"domain\":1,\"domain\":2}", "its dkim is no JSON" },
		{ "[]", "its dkim has no key, or more than 8" },
		{ "[" WHOLE "," WHOLE "," WHOLE "," WHOLE "," WHOLE "," WHOLE "," WHOLE "," WHOLE "," WHOLE "]",
		    "its dkim has no key, or more than 8" },
		{ "[[]]", "its dkim is neither an object nor an array of objects" },
		{ "[" WHOLE ",1]", "its dkim is neither an object nor an array of objects" },
		{ "{}", "its dkim has no \"domain\"" },
		{ "{\"domain\":\"a.test\",\"selector\":\"s\"}", "its dkim has no \"key\"" },
		{ "{\"domain\":\"a b\"}", "the \"domain\" of its dkim is no domain" },
		{ "{\"domain\":7}", "the \"domain\" of its dkim is no domain" },
		{ "{\"domain\":\"a.test\",\"selector\":\"a b\"}", "the \"selector\" of its dkim is no selector" },
		{ "{\"domain\":\"a.test\",\"selector\":2026}", "the \"selector\" of its dkim is no selector" },
		{ "{\"domain\":\"a.test\",\"selector\":\"s\",\"key\":null}", "the \"key\" of its dkim is no text" },
		{ "{\"domain\":\"a.test\",\"selector\":\"s\",\"key\":\"secret\"}", "the \"key\" of its dkim holds no private key in PEM form" },
		{ "{" KEY ",\"expire\":true}", "the \"expire\" of its dkim " SETTINGS_NO_TIME },
		{ "{" KEY ",\"expire\":\"+9000d\"}", "the \"expire\" of its dkim " SETTINGS_NO_TIME },
		{ "{" KEY ",\"expire\":-1}", "the \"expire\" of its dkim " SETTINGS_NO_TIME },
		{ "{" KEY ",\"headers\":\"X-A\"}", "the \"headers\" of its dkim is no array of at most 32 names" },
		{ "{" KEY ",\"headers\":[\"X-A:\"]}", "the \"headers\" of its dkim has a name of no field that can be signed" },
		{ "{" KEY ",\"headers\":[\"dkim-signature\"]}", "the \"headers\" of its dkim has a name of no field that can be signed" },
		{ "{" KEY ",\"headers\":[[]]}", "the \"headers\" of its dkim has a name of no field that can be signed" },
		{ "{" KEY ",\"report\":1}", "the \"report\" of its dkim is neither true nor false" },
		{ "{" KEY ",\"protocols\":[]}", "the \"protocols\" of its dkim is no array of \"dkim\" and \"arc\"" },
		{ "{" KEY ",\"protocols\":\"arc\"}", "the \"protocols\" of its dkim is no array of \"dkim\" and \"arc\"" },
		{ "{" KEY ",\"protocols\":[\"dkim\",\"x\"]}", "the \"protocols\" of its dkim has another than \"dkim\" and \"arc\"" },
		{ "{" KEY ",\"canonicalization\":\"simple\"}",
		    "the \"canonicalization\" of its dkim is none of \"relaxed/relaxed\", \"relaxed/simple\", \"simple/relaxed\" and \"simple/simple\"" },
		{ "{" KEY ",\"expires\":1}", "its dkim has a member that nobody knows" },
	};
	struct buf b;

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert_pstr_eq(read_keys(cases[i].text), cases[i].why);
		ck_assert_uint_eq(keys.n, 0);
	}
	/* Deep, and long. */
	buf_init(&b, 4 << 20);
	while (b.n < OWN_KEYS_TEXT_MAX)
		buf_addc(&b, '[');
	ck_assert_str_eq(own_keys_why_not(buf_str(&b), &arena), "its dkim is no JSON");
	while (b.n < 4 << 20)
		buf_addc(&b, ' ');
	ck_assert_str_eq(own_keys_why_not(buf_str(&b), &arena), "its dkim is too long");
	buf_free(&b);
	arena_free(&arena);
}
END_TEST

/* RFC 8301: one that nobody takes; no reason has any of it. */
START_TEST(sizes)
{
	struct dkim_key *small = dkim_key_new(512);
	char *pem = NULL;
	size_t n;
	FILE *f = open_memstream(&pem, &n);
	const char *why;
	struct buf b;

	arena_init(&arena, 1 << 20);
	ck_assert(small != NULL && f != NULL && dkim_key_put(small, f));
	ck_assert_int_eq(fclose(f), 0);
	buf_init(&b, 8192);
	buf_adds(&b, "{\"domain\":\"a.test\",\"selector\":\"s\",\"key\":\"");
	for (size_t i = 0; i < n; i++)
		if (pem[i] == '\n')
			buf_adds(&b, "\\n");
		else
			buf_addc(&b, pem[i]);
	buf_adds(&b, "\"}");
	why = own_keys_why_not(buf_str(&b), &arena);
	ck_assert_str_eq(why, "the \"key\" of its dkim is an RSA key of less than 1024 bits, which nobody takes");
	buf_free(&b);
	free(pem);
	dkim_key_free(small);
	arena_free(&arena);
}
END_TEST

UNIT_MAIN("queue/own_keys", good, bad, sizes)
