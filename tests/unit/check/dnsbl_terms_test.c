/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dnsbl_terms -- BEYOND S8: what lists are asked for, once each, and what they answer. */

#include "check/dnsbl_terms.h"

#include "check/registrable.h"
#include "unit.h"

static struct arena arena;
static struct dnsbl_terms terms;

static void
set_up(void)
{
	arena_init(&arena, 1 << 20);
}

/* "OF TEXT ASKED", a line each. */
static void
want(const char *lines)
{
	struct buf b;

	buf_init(&b, 65536);
	for (size_t i = 0; i < terms.n; i++)
		buf_addf(&b, "%u " STR_FMT " " STR_FMT "\n", terms.v[i].of,
		    STR_ARG(terms.v[i].text), STR_ARG(terms.v[i].asked));
	ck_str(buf_str(&b), str_c(lines));
	buf_free(&b);
	terms.n = 0;
}

static bool
add(enum conf_dnsbl_of of, const char *what)
{
	return dnsbl_terms_add(&terms, of, str_c(what), &arena);
}

START_TEST(registered)
{
	static const struct { const char *name, *domain; } rows[] = {
		{ "www.example.org", "example.org" }, { "example.org", "example.org" },
		{ "a.b.example.co.uk", "example.co.uk" }, { "co.uk", NULL }, { "org", NULL },
		{ "a.b.xn--p1ai", "b.xn--p1ai" }, { "a.b.nosuchsuffix", "b.nosuchsuffix" },
		{ "x.blogspot.com", "x.blogspot.com" }, { "", NULL },
	};
	char large[300];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_str(registrable_domain(str_c(rows[i].name)), str_c(rows[i].domain));
	memset(large, 'a', sizeof(large));
	large[10] = '.';
	ck_assert_uint_eq(registrable_domain(str_n(large, sizeof(large))).n, 0);
	ck_assert_uint_eq(registrable_domain(str_n("a.b\0c", 5)).n, 0);
}
END_TEST

START_TEST(asked)
{
	ck_assert(add(DNSBL_CLIENT, "192.0.2.9"));
	ck_assert(add(DNSBL_HELO, "Mail.Example.org"));
	ck_assert(add(DNSBL_SENDER, "example.org"));
	ck_assert(add(DNSBL_URL, "192.0.2.9"));
	ck_assert(add(DNSBL_URL, "b\xc3\xa4r.co.uk"));
	want("9 192.0.2.9 9.2.0.192\n2 mail.example.org mail.example.org\n"
	     "6 example.org example.org\n8 xn--br-via.co.uk xn--br-via.co.uk\n");
	ck_assert(add(DNSBL_CLIENT, "2001:db8::1"));
	want("1 2001:db8::1 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2\n");
	/* Addresses of nobody are no question; what is no name is a mistake. */
	ck_assert(add(DNSBL_CLIENT, "127.0.0.1") && add(DNSBL_URL, "10.0.0.1") && terms.n == 0);
	ck_assert(!add(DNSBL_URL, "fe80::1%lo") && !add(DNSBL_HELO, "localhost"));
	ck_assert(!add(DNSBL_HELO, "") && !add(DNSBL_URL, "a b.test") && terms.n == 0);
}
END_TEST

START_TEST(bounded)
{
	char name[300];
	struct buf b;

	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "a.b%u.test", i);
		ck_assert(add(DNSBL_URL, name));
	}
	ck_assert_uint_eq(terms.n, DNSBL_TERMS_MAX);
	terms.n = 0;
	for (size_t i = 0; i < 240; i++)
		name[i] = i % 2 == 0 ? 'a' : '.';
	name[240] = 'a';
	name[241] = '\0';
	ck_assert(add(DNSBL_URL, name));
	buf_init(&b, 1000);
	ck_assert(!dnsbl_term_add_name(&b, &terms.v[0], "twelve.chars"));
	ck_assert(dnsbl_term_add_name(&b, &terms.v[0], "eleven.char"));
	ck_assert_uint_eq(b.n, 253);
	buf_free(&b);
}
END_TEST

START_TEST(answers)
{
	struct buf error;
	struct conf *c;
	struct dnsbl_answer a = { .v = { 0x7fffffff, 0x7f000002 }, .n = 2, .text = STR("t") };
	struct dnsbl_entry found[2] = { 0 };

	buf_init(&error, 4096);
	c = conf_parse("test.conf", STR("dnsbl z.test { of = {sender} reply = '550 ${zone}' }\n"
					"dnsbl z.test { of = {client, url} }\n"), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	buf_free(&error);
	ck_assert(add(DNSBL_HELO, "bad.test") && add(DNSBL_SENDER, "bad.test"));
	dnsbl_term_note(&c->dnsbl, &terms.v[0], "z.test", &a, found);
	ck_assert(found[0].answer == 0x7f000002 && found[0].of == DNSBL_SENDER);
	ck_assert_uint_eq(found[1].answer, 0);
	/* Its reply has no text. */
	ck_assert(!dnsbl_term_wants_text(&c->dnsbl, &terms.v[0], "z.test", &a));
	ck_assert(add(DNSBL_URL, "bad.test"));
	ck_assert(dnsbl_term_wants_text(&c->dnsbl, &terms.v[0], "z.test", &a));
	a.n = 1;
	ck_assert(!dnsbl_term_wants_text(&c->dnsbl, &terms.v[0], "z.test", &a));
	conf_free(c);
}
END_TEST

int
main(void)
{
	TCase *t = UNIT_CASE("check/dnsbl_terms", registered, asked, bounded, answers);

	tcase_add_checked_fixture(t, set_up, NULL);
	return unit_run("check/dnsbl_terms", t);
}
