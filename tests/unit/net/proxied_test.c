/* SPDX-License-Identifier: GPL-3.0-or-later */

/* proxied -- PROXY headers, in every way to be cut, and what is none. */

#include "net/proxied.h"

#include "unit.h"

#define STR_INIT(lit) { lit, sizeof(lit) - 1 }

#define SIG "\r\n\r\n\0\r\nQUIT\n"
#define FOUR "\xc0\x00\x02\x01" "\xc6\x33\x64\x07" "\x9c\x40" "\x00\x19"
#define SIX "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x19" "\x9c\x40" "\x03\xe3"
#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01"
#define NOOP_TLV "\x04\x00\x02xx"

/* Gives the octets in parts of STEP; *TAKEN: how many were taken. */
static enum proxied_result
feed(struct proxied *p, struct str in, size_t step, size_t *taken)
{
	enum proxied_result r = PROXIED_MORE;

	proxied_init(p);
	*taken = 0;
	while (r == PROXIED_MORE && in.n > 0) {
		size_t n;

		r = proxied_input(p, str_head(in, step), &n);
		ck_assert(n > 0 && n <= step);
		*taken += n;
		in = str_skip(in, n);
	}
	return r;
}

static const struct {
	struct str in;
	const char *client, *target;	/* NULL: unknown */
	bool own;
} good[] = {
	{ STR_INIT("PROXY TCP4 192.0.2.1 198.51.100.7 40000 25\r\n"), "192.0.2.1:40000", "198.51.100.7:25", false },
	{ STR_INIT("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0:0", "0.0.0.0:0", false },
	{ STR_INIT("PROXY TCP6 2001:db8::1 2001:db8::19 65535 995\r\n"), "[2001:db8::1]:65535", "[2001:db8::19]:995", false },
	{ STR_INIT("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.7 1 2\r\n"), "192.0.2.1:1", "198.51.100.7:2", false },
	{ STR_INIT("PROXY UNKNOWN\r\n"), NULL, NULL, false },
	{ STR_INIT("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), NULL, NULL, false },
	{ STR_INIT(SIG "\x21\x11\x00\x0c" FOUR), "192.0.2.1:40000", "198.51.100.7:25", false },
	{ STR_INIT(SIG "\x21\x11\x00\x11" FOUR NOOP_TLV), "192.0.2.1:40000", "198.51.100.7:25", false },
	{ STR_INIT(SIG "\x21\x21\x00\x24" SIX), "[2001:db8::1]:40000", "[2001:db8::19]:995", false },
	{ STR_INIT(SIG "\x21\x21\x00\x24" MAPPED MAPPED "\x00\x01\x00\x02"), "192.0.2.1:1", "192.0.2.1:2", false },
	{ STR_INIT(SIG "\x21\x00\x00\x00"), NULL, NULL, false },
	{ STR_INIT(SIG "\x21\x00\x00\x03" "abc"), NULL, NULL, false },
	{ STR_INIT(SIG "\x20\x00\x00\x00"), NULL, NULL, true },
	{ STR_INIT(SIG "\x20\x11\x00\x0c" FOUR), NULL, NULL, true },
};

static void
check_address(const struct addr *a, const char *want)
{
	struct buf b;

	buf_init(&b, 200);
	addr_add_port(&b, a);
	ck_str(buf_str(&b), str_c(want));
	buf_free(&b);
}

/* Also with TLS or a command right behind it, of which nothing is taken. */
START_TEST(headers)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		for (size_t step = 1; step < 60; step++) {
			struct proxied p;
			struct buf b;
			size_t taken;

			buf_init(&b, 1000);
			buf_add(&b, good[i].in);
			buf_adds(&b, "\x16\x03\x01\r\nEHLO\r\n");
			ck_assert_msg(feed(&p, buf_str(&b), step, &taken) ==
			    PROXIED_DONE, "%zu in parts of %zu", i, step);
			ck_assert_uint_eq(taken, good[i].in.n);
			ck_assert_int_eq(p.own, good[i].own);
			ck_assert_int_eq(p.known, good[i].client != NULL);
			if (p.known) {
				check_address(&p.client, good[i].client);
				check_address(&p.target, good[i].target);
			}
			buf_free(&b);
		}
	}
}
END_TEST

/* CONFORMANCE S-27 and its like: none of them is a header, nor ever will be. */
static const struct str bad[] = {
	STR_INIT("EHLO x\r\n"),
	STR_INIT("proxy TCP4 192.0.2.1 198.51.100.7 40000 25\r\n"),
	STR_INIT("PROXY\r\n"),
	STR_INIT("PROXY \r\n"),
	STR_INIT("PROXY UNKNOWNX\r\n"),
	STR_INIT("PROXY UNKNOWN\n"),
	STR_INIT("PROXY TCP4 192.0.2.1 198.51.100.7 40000 25\n"),
	STR_INIT("PROXY TCP4 192.0.2.1 198.51.100.7 40000 25 \r\n"),
	STR_INIT("PROXY TCP4  192.0.2.1 198.51.100.7 40000 25\r\n"),
	STR_INIT("PROXY TCP4 192.0.2.1 198.51.100.7 40000\r\n"),
	STR_INIT("PROXY TCP4 192.0.2.1 198.51.100.7 65536 25\r\n"),
	STR_INIT("PROXY TCP4 192.0.2.1 198.51.100.7 -1 25\r\n"),
	STR_INIT("PROXY TCP4 192.0.2.1 198.51.100.7 040 25\r\n"),
	STR_INIT("PROXY TCP4 192.0.2.256 198.51.100.7 40000 25\r\n"),
	STR_INIT("PROXY TCP4 2001:db8::1 2001:db8::2 40000 25\r\n"),
	STR_INIT("PROXY TCP6 192.0.2.1 198.51.100.7 40000 25\r\n"),
	STR_INIT("PROXY TCP6 [2001:db8::1] 2001:db8::2 40000 25\r\n"),
	STR_INIT("PROXY TCP6 fe80::1%1 2001:db8::2 40000 25\r\n"),
	STR_INIT("PROXY UDP4 192.0.2.1 198.51.100.7 40000 25\r\n"),
	STR_INIT("PROXY UNKNOWN \0\r\n"),
	STR_INIT("PROXY UNKNOWN \r \r\n"),
	STR_INIT("PROXY UNKNOWN 8901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"),
	STR_INIT(SIG "\x11\x11\x00\x0c" FOUR),
	STR_INIT(SIG "\x22\x11\x00\x0c" FOUR),
	STR_INIT(SIG "\x21\x21\x00\x00"),
	STR_INIT(SIG "\x21\x11\x00\x0b" FOUR),
	STR_INIT(SIG "\x21\x12\x00\x0c" FOUR),
	STR_INIT(SIG "\x21\x10\x00\x0c" FOUR),
	STR_INIT(SIG "\x21\x41\x00\x0c" FOUR),
	STR_INIT(SIG "\x21\x21\x00\x0c" FOUR),
	STR_INIT(SIG "\x21\x31\x00\x0c" FOUR),
	STR_INIT(SIG "\x21\x01\x00\x0c" FOUR),
	STR_INIT(SIG "\x21\x11\x00\x0d" FOUR "\x04"),
	STR_INIT(SIG "\x21\x11\x00\x0f" FOUR "\x04\x00\x01"),
	STR_INIT(SIG "\x21\x11\x00\x10" FOUR "\x04\xff\xffx"),
	STR_INIT(SIG "\x21\x11\xff\xff"),
};

START_TEST(others)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		for (size_t step = 1; step < 120; step++) {
			struct proxied p;
			size_t taken;

			ck_assert_msg(feed(&p, bad[i], step, &taken) ==
			    PROXIED_BAD, "%zu in parts of %zu", i, step);
		}
	}
}
END_TEST

/* A header that is cut short is awaited; a socket of a host has no address. */
START_TEST(parts)
{
	static const struct str start = STR_INIT(SIG "\x21\x31\x00\xd8");
	struct proxied p;
	struct buf b;
	size_t taken;

	for (size_t n = 1; n < good[0].in.n; n++)
		ck_assert_int_eq(feed(&p, str_head(good[0].in, n), 9, &taken), PROXIED_MORE);
	buf_init(&b, 1000);
	buf_add(&b, start);
	while (b.n < start.n + 216)
		buf_addc(&b, 'x');
	for (size_t n = 1; n < b.n; n++)
		ck_assert_int_eq(feed(&p, str_head(buf_str(&b), n), 9, &taken), PROXIED_MORE);
	ck_assert_int_eq(feed(&p, buf_str(&b), 9, &taken), PROXIED_DONE);
	ck_assert(!p.known && !p.own);
	buf_free(&b);
}
END_TEST

/* As much as is allowed, and one octet more. */
START_TEST(longest)
{
	struct proxied p;
	struct buf b;
	size_t taken, n = PROXIED_V2_MAX, value = n - 12 - 3;
	const unsigned char sizes[] = { (unsigned char)(n >> 8), (unsigned char)n };
	const unsigned char tlv[] = { 0x20, (unsigned char)(value >> 8), (unsigned char)value };

	buf_init(&b, 2 * PROXIED_V2_MAX);
	buf_add(&b, STR(SIG "\x21\x11"));
	buf_add(&b, str_n((const char *)sizes, 2));
	buf_add(&b, STR(FOUR));
	buf_add(&b, str_n((const char *)tlv, 3));
	while (b.n < PROXIED_V2_FIXED + n)
		buf_addc(&b, '\n');
	ck_assert_int_eq(feed(&p, buf_str(&b), 512, &taken), PROXIED_DONE);
	ck_assert_uint_eq(taken, b.n);
	b.p[15]++;
	ck_assert_int_eq(feed(&p, buf_str(&b), 512, &taken), PROXIED_BAD);
	buf_free(&b);
}
END_TEST

START_TEST(beginnings)
{
	ck_assert(proxied_begins(STR("PROXY ")));
	ck_assert(proxied_begins(good[6].in));
	ck_assert(!proxied_begins(STR("PROX")));
	ck_assert(!proxied_begins(STR("\r\n\r\n")));
	ck_assert(!proxied_begins(STR("")));
}
END_TEST

UNIT_MAIN("net/proxied", headers, others, parts, longest, beginnings)
