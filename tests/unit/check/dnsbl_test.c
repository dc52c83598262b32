/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dnsbl -- FEATURES C3, C4: names that are asked for, what answers count, and what is said. */

#include "check/dnsbl.h"

#include "unit.h"

static struct conf *conf;
static struct arena arena;

static void
begin(const char *text)
{
	struct buf error;

	buf_init(&error, 4096);
	conf = conf_parse("test.conf", str_c(text), &error);
	ck_assert_msg(conf != NULL, "%s", buf_cstr(&error));
	buf_free(&error);
	arena_init(&arena, 1 << 20);
}

static void
end(void)
{
	conf_free(conf);
	arena_free(&arena);
}

static struct addr
address(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(str_c(text), 4711, &a), 0);
	return a;
}

START_TEST(names)
{
	static const struct { const char *client, *name; } cases[] = {
		{ "192.0.2.1", "1.2.0.192.bl.test" },
		{ "2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.test" },
	};
	struct buf b;

	buf_init(&b, 512);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a = address(cases[i].client);

		buf_reset(&b);
		dnsbl_add_name(&b, &a, "bl.test");
		ck_assert_str_eq(buf_cstr(&b), cases[i].name);
	}
	buf_free(&b);
}
END_TEST

/* Nobody is asked about who cannot be known to the world. */
START_TEST(at_home)
{
	static const char *const ours[] = { "127.0.0.1", "10.1.2.3", "172.31.0.1",
		"192.168.255.255", "169.254.1.1", "100.64.0.1", "0.0.0.0", "::", "::1",
		"fe80::1", "fd00::1" };
	static const char *const public[] = { "192.0.2.1", "172.32.0.1", "100.128.0.1",
		"2001:db8::1" };
	struct addr a;

	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		a = address(ours[i]);
		ck_assert_msg(!dnsbl_is_public(&a), "%s", ours[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(public); i++) {
		a = address(public[i]);
		ck_assert_msg(dnsbl_is_public(&a), "%s", public[i]);
	}
	ck_assert_int_eq(addr_unix("/run/x", &a), 0);
	ck_assert(!dnsbl_is_public(&a));
}
END_TEST

/* Answers of what there are no entries of. */
START_TEST(errors)
{
	ck_assert(!dnsbl_is_error(0x7f000002));
	ck_assert(!dnsbl_is_error(0x7ffffe01));
	ck_assert(dnsbl_is_error(0x7fffff00));
	ck_assert(dnsbl_is_error(0x7ffffffe));
	ck_assert(dnsbl_is_error(0x7e000002));
	ck_assert(dnsbl_is_error(0xc0000201));
}
END_TEST

/* What ZONE has. */
static void
has(struct dnsbl_entry *found, const char *zone, enum conf_dnsbl_of of, const char *listed,
    uint32_t answer, const char *text)
{
	struct dnsbl_entry e = { str_c(zone), of, str_c(listed), answer, str_c(text) };

	dnsbl_note(&conf->dnsbl, &e, found);
}

START_TEST(sums)
{
	struct dnsbl_entry found[4] = { 0 };
	struct addr a = address("192.0.2.9");
	struct dnsbl_verdict r;

	begin("dnsbl z.test { weight = 2 answers = {127.0.0.2} }\n"
	      "dnsbl z.test { weight = 5 answers = {127.0.0.3-127.0.0.9} }\n"
	      "dnsbl other.test { weight = 1 reply = '554 5.7.9 go: ${client} ${zone} $1 ${text}' }\n"
	      "dnsbl good.test { weight = -2 }\n"
	      "dnsbl-threshold = 2\n");
	has(found, "z.test", DNSBL_CLIENT, "192.0.2.9", 0x7f000002, "t1");
	has(found, "no.test", DNSBL_CLIENT, "192.0.2.9", 0x7f000002, "t1");
	r = dnsbl_judge(&conf->dnsbl, &a, found, &arena);
	ck_assert_int_eq(r.score, 2);
	ck_assert(r.refused);
	ck_assert_ptr_eq(r.by, &conf->dnsbl.lists[0]);
	ck_str(r.text, STR("192.0.2.9 is listed by z.test; t1"));
	ck_str(r.why, STR(" is listed: z.test*2 (127.0.0.2)"));
	/* A good list takes it back. */
	has(found, "Good.test", DNSBL_CLIENT, "192.0.2.9", 0x7f000a03, "");
	r = dnsbl_judge(&conf->dnsbl, &a, found, &arena);
	ck_assert_int_eq(r.score, 0);
	ck_assert(!r.refused);
	ck_str(r.why, STR(" is listed: z.test*2 (127.0.0.2) good.test*-2 (127.0.10.3)"));
	/* One that is no answer does not count, nor what the list is not of. */
	memset(found, 0, sizeof(found));
	has(found, "z.test", DNSBL_CLIENT, "192.0.2.9", 0x7fffffff, "");
	has(found, "z.test", DNSBL_SENDER, "bad.test", 0x7f000002, "");
	has(found, "z.test", DNSBL_CLIENT, "192.0.2.9", 0x7f000004, "");
	r = dnsbl_judge(&conf->dnsbl, &a, found, &arena);
	ck_assert_int_eq(r.score, 5);
	ck_str(r.text, STR("192.0.2.9 is listed by z.test"));
	/* Less than the threshold is known, and no more. */
	memset(found, 0, sizeof(found));
	has(found, "other.test", DNSBL_CLIENT, "192.0.2.9", 0x7f000002, "a\r\n250 b\303\244 ");
	r = dnsbl_judge(&conf->dnsbl, &a, found, &arena);
	ck_assert_int_eq(r.score, 1);
	ck_assert(!r.refused);
	ck_str(r.text, STR("go: 192.0.2.9 other.test $1 a??250 b??"));
	end();
}
END_TEST

/* BEYOND S8: a list counts once, for what comes first; one sum of them all. */
START_TEST(domains)
{
	struct dnsbl_entry found[3] = { 0 };
	struct addr a = address("192.0.2.9");
	struct dnsbl_verdict r;

	begin("dnsbl bl.test { }\n"
	      "dnsbl dbl.test { weight = 3 of = {helo, sender, url} answers = {127.0.1.2-127.0.1.255} "
	      "reply = '550 5.7.1 ${listed} of ${client} in ${zone}' }\n"
	      "dnsbl bl.test { weight = -1 of = {url} }\n"
	      "dnsbl-threshold = 4\n");
	has(found, "dbl.test", DNSBL_URL, "u.test", 0x7f000102, "");
	has(found, "dbl.test", DNSBL_SENDER, "s.test", 0x7f000103, "");
	has(found, "dbl.test", DNSBL_SENDER, "later.test", 0x7f000102, "");
	has(found, "dbl.test", DNSBL_URL, "u.test", 0x7f000102, "");
	has(found, "dbl.test", DNSBL_CLIENT, "192.0.2.9", 0x7f000102, "");
	r = dnsbl_judge(&conf->dnsbl, &a, found, &arena);
	ck_assert_int_eq(r.score, 3);
	ck_assert(!r.refused);
	ck_str(r.why, STR(": sender s.test is listed: dbl.test*3 (127.0.1.3)"));
	has(found, "bl.test", DNSBL_CLIENT, "192.0.2.9", 0x7f000002, "");
	r = dnsbl_judge(&conf->dnsbl, &a, found, &arena);
	ck_assert(r.refused && r.score == 4);
	ck_str(r.text, STR("s.test of 192.0.2.9 in dbl.test"));
	ck_str(r.why, STR(" is listed: bl.test*1 (127.0.0.2); sender s.test is listed: dbl.test*3 (127.0.1.3)"));
	has(found, "bl.test", DNSBL_URL, "good.test", 0x7f000002, "");
	r = dnsbl_judge(&conf->dnsbl, &a, found, &arena);
	ck_assert(!r.refused && r.score == 3);
	/* Who is asked for an address, and has none, says 127.0.1.255. */
	memset(found, 0, sizeof(found));
	has(found, "dbl.test", DNSBL_URL, "192.0.2.1", 0x7f0001ff, "");
	ck_assert_uint_eq(found[1].answer, 0);
	has(found, "dbl.test", DNSBL_URL, "192.0.2.1", 0x7f000102, "");
	ck_assert_uint_eq(found[1].answer, 0x7f000102);
	has(found, "dbl.test", DNSBL_HELO, "a.test", 0x7f0001ff, "");
	ck_assert_uint_eq(found[1].of, DNSBL_HELO);
	end();
}
END_TEST

/* Without a threshold nobody is refused; with nothing found there is nothing to say. */
START_TEST(noted)
{
	struct dnsbl_entry found = { .answer = 0 };
	struct addr a = address("2001:db8::9");
	struct dnsbl_verdict r;

	begin("dnsbl z.test { weight = 1000 }\ndnsbl-threshold = 0\n");
	has(&found, "z.test", DNSBL_CLIENT, "2001:db8::9", 0x7f000002, "");
	r = dnsbl_judge(&conf->dnsbl, &a, &found, &arena);
	ck_assert(!r.refused);
	ck_assert_int_eq(r.score, 1000);
	found.answer = 0;
	r = dnsbl_judge(&conf->dnsbl, &a, &found, &arena);
	ck_assert(!r.refused && r.by == NULL);
	ck_assert_uint_eq(r.why.n, 0);
	end();
}
END_TEST

UNIT_MAIN("check/dnsbl", names, at_home, errors, sums, domains, noted)
