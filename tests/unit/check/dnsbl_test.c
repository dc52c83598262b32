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

START_TEST(sums)
{
	struct dnsbl_answer v[4] = { { .v = { 0x7f000002 }, .n = 1, .text = STR("t1") },
		{ .v = { 0x7f000002 }, .n = 1, .text = STR("t1") }, { .n = 0 }, { .n = 0 } };
	struct addr a = address("192.0.2.9");
	struct dnsbl_verdict r;

	begin("dnsbl z.test { weight = 2 answers = {127.0.0.2} }\n"
	      "dnsbl z.test { weight = 5 answers = {127.0.0.3-127.0.0.9} }\n"
	      "dnsbl other.test { weight = 1 reply = '554 5.7.9 go: ${client} ${zone} $1 ${text}' }\n"
	      "dnsbl good.test { weight = -2 }\n"
	      "dnsbl-threshold = 2\n");
	r = dnsbl_judge(&conf->dnsbl, &a, v, &arena);
	ck_assert_int_eq(r.score, 2);
	ck_assert(r.refused);
	ck_assert_ptr_eq(r.by, &conf->dnsbl.lists[0]);
	ck_str(r.text, STR("Client host [192.0.2.9] is listed by z.test; t1"));
	ck_str(r.why, STR("z.test*2 (127.0.0.2)"));
	/* A good list takes it back. */
	v[3] = (struct dnsbl_answer){ .v = { 0x7f000a03 }, .n = 1 };
	r = dnsbl_judge(&conf->dnsbl, &a, v, &arena);
	ck_assert_int_eq(r.score, 0);
	ck_assert(!r.refused);
	ck_str(r.why, STR("z.test*2 (127.0.0.2) good.test*-2 (127.0.10.3)"));
	/* The second of two answers counts, one that is none does not, nor a list that is late. */
	v[0] = v[1] = (struct dnsbl_answer){ .v = { 0x7fffffff, 0x7f000004 }, .n = 2 };
	v[3] = (struct dnsbl_answer){ .late = true };
	r = dnsbl_judge(&conf->dnsbl, &a, v, &arena);
	ck_assert_int_eq(r.score, 5);
	ck_str(r.text, STR("Client host [192.0.2.9] is listed by z.test"));
	/* Less than the threshold is known, and no more. */
	v[0] = v[1] = (struct dnsbl_answer){ .n = 0 };
	v[2] = (struct dnsbl_answer){ .v = { 0x7f000002 }, .n = 1, .text = STR("a\r\n250 b\303\244 ") };
	r = dnsbl_judge(&conf->dnsbl, &a, v, &arena);
	ck_assert_int_eq(r.score, 1);
	ck_assert(!r.refused);
	ck_str(r.text, STR("go: 192.0.2.9 other.test $1 a??250 b??"));
	end();
}
END_TEST

/* Without a threshold nobody is refused; with nothing found there is nothing to say. */
START_TEST(noted)
{
	struct dnsbl_answer v = { .v = { 0x7f000002 }, .n = 1 };
	struct addr a = address("2001:db8::9");
	struct dnsbl_verdict r;

	begin("dnsbl z.test { weight = 1000 }\ndnsbl-threshold = 0\n");
	r = dnsbl_judge(&conf->dnsbl, &a, &v, &arena);
	ck_assert(!r.refused);
	ck_assert_int_eq(r.score, 1000);
	v.n = 0;
	r = dnsbl_judge(&conf->dnsbl, &a, &v, &arena);
	ck_assert(!r.refused && r.by == NULL);
	ck_assert_uint_eq(r.why.n, 0);
	end();
}
END_TEST

UNIT_MAIN("check/dnsbl", names, at_home, errors, sums, noted)
