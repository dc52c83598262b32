/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which addresses are anybody's (S-61). */

#include "fetch/fetch.h"

#include "unit.h"

START_TEST(addresses)
{
	static const struct {
		const char *text;
		bool is_public;
	} cases[] = {
		{ "8.8.8.8", true }, { "1.0.0.0", true }, { "223.255.255.255", true },
		{ "172.15.255.255", true }, { "172.32.0.0", true }, { "100.63.0.1", true },
		{ "100.128.0.0", true }, { "192.169.0.0", true }, { "11.0.0.0", true },
		{ "0.0.0.0", false }, { "0.1.2.3", false }, { "10.1.2.3", false },
		{ "127.0.0.1", false }, { "127.255.255.255", false }, { "169.254.169.254", false },
		{ "172.16.0.0", false }, { "172.31.255.255", false }, { "192.168.255.1", false },
		{ "100.64.0.1", false }, { "100.127.255.255", false }, { "192.0.0.8", false },
		{ "192.0.2.1", false }, { "198.18.0.1", false }, { "198.19.255.1", false },
		{ "198.51.100.7", false }, { "203.0.113.1", false }, { "224.0.0.1", false },
		{ "240.0.0.1", false }, { "255.255.255.255", false },
		{ "2606:4700::1111", true }, { "2001:200::1", true }, { "2a00::1", true },
		{ "::", false }, { "::1", false }, { "::ffff:127.0.0.1", false },
		{ "::ffff:8.8.8.8", true }, { "::8.8.8.8", false },
		{ "64:ff9b::8.8.8.8", true }, { "64:ff9b::127.0.0.1", false },
		{ "64:ff9b::a00:1", false }, { "64:ff9b:1::8.8.8.8", false },
		{ "2002:808:808::1", true }, { "2002:7f00:1::1", false }, { "2002:a00:1::", false },
		{ "2001::1", false }, { "2001:1ff::1", false }, { "2001:db8::1", false },
		{ "3fff::1", false }, { "fc00::1", false }, { "fd12::1", false },
		{ "fe80::1", false }, { "ff02::1", false }, { "100::1", false }, { "4000::1", false },
	};
	struct addr a;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert_int_eq(addr_parse(str_c(cases[i].text), 443, &a), 0);
		ck_assert_msg(addr_is_public(&a) == cases[i].is_public, "%s", cases[i].text);
	}
	ck_assert_int_eq(addr_unix("/run/x", &a), 0);
	ck_assert(!addr_is_public(&a));
}
END_TEST

START_TEST(hosts)
{
	static const struct {
		const char *url, *host;	/* NULL: no URL */
	} cases[] = {
		{ "https://a.test/x", "a.test" }, { "https://a.test:8443/x?y=z", "a.test" },
		{ "https://[2001:db8::1]:1/", "2001:db8::1" }, { "https://127.0.0.1", "127.0.0.1" },
		/* Read as a number, as a browser would: it is looked at as such. */
		{ "https://0x7f.1/", "127.0.0.1" },
		{ "a b", NULL }, { "", NULL }, { "https://", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b;

		buf_init(&b, 1000);
		ck_assert_msg(fetch_host(cases[i].url, &b) == (cases[i].host != NULL), "%s",
		    cases[i].url);
		if (cases[i].host)
			ck_assert_str_eq(buf_cstr(&b), cases[i].host);
		buf_free(&b);
	}
}
END_TEST

UNIT_MAIN("fetch/public", addresses, hosts)
