/* SPDX-License-Identifier: GPL-3.0-or-later */

/* ip_range_test -- every form of a range, what is in it, and what is none. */

#include "lib/ip_range.h"

#include <arpa/inet.h>

#include "unit.h"

/* FEATURES L11, L12, C1: the form, how it is shown, one that is in, and one that is not. */
static const struct {
	const char *text, *shown, *in, *out;
} good[] = {
	{ "192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2" },
	{ "192.0.2.1/32", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.0" },
	{ "192.0.2.0/24", "192.0.2.0/24", "192.0.2.255", "192.0.3.0" },
	{ "192.0.2.128/25", "192.0.2.128/25", "192.0.2.200", "192.0.2.127" },
	{ "192.0.2.0/31", "192.0.2.0/31", "192.0.2.1", "192.0.2.2" },
	{ "0.0.0.0/0", "0.0.0.0/0", "255.255.255.255", "::1" },
	{ "10.0.0.0/255.0.0.0", "10.0.0.0/8", "10.255.0.1", "11.0.0.0" },
	{ "192.0.2.128/255.255.255.128", "192.0.2.128/25", "192.0.2.129", "192.0.2.1" },
	{ "192.0.2.*", "192.0.2.0/24", "192.0.2.7", "192.0.1.255" },
	{ "10.*.*.*", "10.0.0.0/8", "10.1.2.3", "9.255.255.255" },
	{ "*.*.*.*", "0.0.0.0/0", "1.2.3.4", "::" },
	{ "192.0.2.10-192.0.2.20", "192.0.2.10-192.0.2.20", "192.0.2.20", "192.0.2.21" },
	{ "192.0.2.10 - 192.0.3.2", "192.0.2.10-192.0.3.2", "192.0.3.0", "192.0.2.9" },
	{ "192.0.2.0-192.0.2.255", "192.0.2.0/24", "192.0.2.0", "192.0.3.0" },
	{ "192.0.2.1-192.0.2.2", "192.0.2.1-192.0.2.2", "192.0.2.2", "192.0.2.3" },
	{ "192.0.2.7-192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.8" },
	{ "2001:DB8::1", "2001:db8::1", "2001:db8::1", "2001:db8::2" },
	{ "[2001:db8::1]", "2001:db8::1", "2001:db8::1", "2001:db8::" },
	{ "[2001:db8::]/32", "2001:db8::/32", "2001:db8:ffff::", "2001:db9::" },
	{ "2001:db8::/33", "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1" },
	{ "::/0", "::/0", "2001:db8::1", "1.2.3.4" },
	{ "fe80::/10", "fe80::/10", "febf::1", "fec0::" },
	{ "2001:db8::1-2001:db8::ff", "2001:db8::1-2001:db8::ff", "2001:db8::80", "2001:db8::100" },
	{ "[2001:db8::1]-[2001:db8::2]", "2001:db8::1-2001:db8::2", "2001:db8::2", "2001:db8::3" },
	{ "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1", "::192.0.2.1" },
	{ "::ffff:10.0.0.0/104", "10.0.0.0/8", "10.9.9.9", "11.0.0.1" },
	{ "::ffff:10.0.0.1-::ffff:10.0.0.3", "10.0.0.1-10.0.0.3", "10.0.0.2", "10.0.0.4" },
};

static bool
has(const struct ip_range *r, const char *text)
{
	unsigned char a[16];
	const unsigned char *p = a;
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	ck_assert_int_eq(inet_pton(family, text, a), 1);
	/* As an access list is asked: net/addr.c has taken the clothes off. */
	if (strncmp(text, "::ffff:", 7) == 0) {
		family = AF_INET;
		p += 12;
	}
	return ip_range_has(r, family, p);
}

START_TEST(forms)
{
	struct ip_range r, again;
	struct buf b;

	buf_init(&b, 200);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const char *why = ip_range_parse(str_c(good[i].text), &r);

		ck_assert_msg(why == NULL, "%s %s", good[i].text, why);
		buf_reset(&b);
		ip_range_add(&b, &r);
		ck_str(buf_str(&b), str_c(good[i].shown));
		ck_assert_msg(has(&r, good[i].in), "%s", good[i].text);
		ck_assert_msg(!has(&r, good[i].out), "%s", good[i].text);
		/* What is shown means the same. */
		ck_assert_ptr_null(ip_range_parse(buf_str(&b), &again));
		ck_assert(ip_range_same(&r, &again));
		ck_assert(ip_range_is_one(&r) == !strpbrk(good[i].shown, "/-"));
	}
	buf_free(&b);
}
END_TEST

START_TEST(no_forms)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "no network" }, { "x", "no network" }, { "192.0.2", "no network" },
		{ "/8", "no network" }, { "192.0.2.256", "no network" }, { "[192.0.2.1]", "no network" },
		{ "192.0.2.1 ", "no network" }, { "example.org", "no network" },
		{ "unix", "no network" }, { "fe80::1%eth0", "no network" },
		{ "192.0.2.1/33", "prefix length, expected 0-32" },
		{ "192.0.2.0/", "prefix length" }, { "192.0.2.0/24/8", "prefix length" },
		{ "192.0.2.0/255.0.255.0", "prefix length" }, { "192.0.2.0/0.0.0.255", "prefix length" },
		{ "2001:db8::/129", "prefix length, expected 0-128" },
		{ "2001:db8::/255.0.0.0", "prefix length, expected 0-128" },
		{ "192.0.2.1/24", "bits behind" }, { "2001:db8::1/32", "bits behind" },
		{ "192.0.2.1/255.255.255.0", "bits behind" },
		{ "192.*.2.*", "stars" }, { "192.0.2.*/24", "stars" }, { "192.0.*", "stars" },
		{ "*", "stars" }, { "192.0.2.1*", "stars" }, { "2001:db8::*", "stars" },
		{ "192.0.2.*-192.0.3.*", "stars" },
		{ "192.0.2.20-192.0.2.10", "before it begins" },
		{ "2001:db8::2-2001:db8::1", "before it begins" },
		{ "192.0.2.1-2001:db8::1", "two addresses" }, { "192.0.2.1-", "two addresses" },
		{ "-192.0.2.1", "two addresses" }, { "192.0.2.10-20", "two addresses" },
		{ "192.0.2.0/24-192.0.3.0", "two addresses" }, { "192.0.2.0/-1", "two addresses" },
		{ "192.0.2.1-192.0.2.2-192.0.2.3", "two addresses" },
	};
	struct ip_range r;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *why = ip_range_parse(str_c(bad[i].text), &r);

		ck_assert_msg(why != NULL && strstr(why, bad[i].why) && strstr(why, "expected"),
		    "%s: %s", bad[i].text, why);
	}
	ck_assert_ptr_nonnull(ip_range_parse(STR("192.0.2.1\0"), &r));
}
END_TEST

START_TEST(kinds)
{
	static const unsigned char a[16] = { 192, 0, 2, 7 }, six[16] = { 0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5 };
	struct ip_range r = ip_range_of(AF_INET, a, 24), local = { .family = AF_UNIX };
	struct buf b;

	buf_init(&b, 200);
	ip_range_add(&b, &r);
	ck_str(buf_str(&b), STR("192.0.2.0/24"));
	buf_reset(&b);
	r = ip_range_of(AF_INET6, six, 64);
	ip_range_add(&b, &r);
	ck_str(buf_str(&b), STR("2001:db8:102:304::/64"));
	buf_reset(&b);
	ip_range_add(&b, &local);
	ck_str(buf_str(&b), STR("unix"));
	ck_assert(!ip_range_has(&local, AF_UNIX, a) && !ip_range_is_one(&local));
	buf_free(&b);
}
END_TEST

UNIT_MAIN("lib/ip_range", forms, no_forms, kinds)
