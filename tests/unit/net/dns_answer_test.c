/* SPDX-License-Identifier: GPL-3.0-or-later */

/* DNS answers from octets: good ones, and each way to be broken (S-56). */

#include "net/dns_answer.h"

#include "lib/mem.h"
#include "unit.h"

static struct arena arena;

/* An answer's octets under construction. */
static unsigned char packet[70000];
static size_t packet_n;

static void
put(const char *octets, size_t n)
{
	memcpy(packet + packet_n, octets, n);
	packet_n += n;
}

static void
put16(unsigned v)
{
	packet[packet_n++] = (unsigned char)(v >> 8);
	packet[packet_n++] = (unsigned char)v;
}

static void
put_name(const char *name)
{
	struct str rest = str_c(name), label;

	while (rest.n > 0) {
		str_cut(rest, '.', &label, &rest);
		packet[packet_n++] = (unsigned char)label.n;
		put(label.p, label.n);
	}
	packet[packet_n++] = 0;
}

/* A header that promises ANSWERS records, and the question for NAME. */
static void
begin(const char *name, unsigned answers)
{
	packet_n = 0;
	put16(1);
	put16(0x8180);
	put16(1);
	put16(answers);
	put16(0);
	put16(0);
	put_name(name);
	put16(15);
	put16(1);
}

static void
put_rr(const char *owner, unsigned type, unsigned ttl, unsigned n)
{
	put_name(owner);
	put16(type);
	put16(1);
	put16(ttl >> 16);
	put16(ttl & 0xffff);
	put16(n);
}

static void
put_mx(const char *owner, unsigned preference, const char *host)
{
	size_t at;

	put_rr(owner, 15, 300, 0);
	at = packet_n;
	put16(preference);
	put_name(host);
	packet[at - 1] = (unsigned char)(packet_n - at);
}

static void
put_alias(const char *owner, const char *target, unsigned ttl)
{
	size_t at;

	put_rr(owner, 5, ttl, 0);
	at = packet_n;
	put_name(target);
	packet[at - 1] = (unsigned char)(packet_n - at);
}

/* The packet in a block of just its size, so that any octet beyond shows. */
static struct dns_mx_answer
mx_of(const char *name)
{
	struct dns_mx_answer a;
	char *copy = mem_dup(str_n((char *)packet, packet_n));

	arena_free(&arena);
	arena_init(&arena, 1 << 20);
	dns_answer_mx(str_n(copy, packet_n), name, &arena, &a);
	mem_free(copy);
	return a;
}

static struct dns_addr_answer
addr_of(const char *name, int family)
{
	struct dns_addr_answer a;
	char *copy = mem_dup(str_n((char *)packet, packet_n));

	arena_free(&arena);
	arena_init(&arena, 1 << 20);
	dns_answer_addr(str_n(copy, packet_n), name, family, &arena, &a);
	mem_free(copy);
	return a;
}

START_TEST(mx)
{
	struct dns_mx_answer a;

	begin("example.org", 4);
	put_mx("example.org", 20, "b.example.org");
	put_mx("Example.ORG", 10, "a.example.org");
	put_mx("other.org", 1, "evil.example");
	put_mx("example.org", 20, "_c.d-e.example.org");
	a = mx_of("example.org");
	ck_assert_int_eq(a.status, DNS_OK);
	ck_assert_uint_eq(a.mx_n, 3);
	ck_assert_str_eq(a.mx[0].host, "a.example.org");
	ck_assert_uint_eq(a.mx[0].preference, 10);
	ck_assert_uint_eq(a.mx[2].preference, 20);
	ck_assert_uint_eq(a.ttl, 300);
	ck_assert_ptr_null(a.reason);

	begin("example.org", 1);
	put_mx("example.org", 0, "");
	a = mx_of("example.org");
	ck_assert_int_eq(a.status, DNS_OK);
	ck_assert_uint_eq(a.mx_n, 1);
	ck_assert_str_eq(a.mx[0].host, "");

	begin("example.org", 0);
	ck_assert_int_eq(mx_of("example.org").status, DNS_NO_DATA);
	arena_free(&arena);
}
END_TEST

START_TEST(mx_hosts)
{
	static const char *const bad[] = { "a b.example", "a\nb", "%s%n",
		"192.0.2.1", "a/b", "\xff\xfe", "x\\000", "a\"b" };
	struct dns_mx_answer a;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		/* Not split at dots: "a.b" as one label. */
		begin("example.org", 2);
		put_mx("example.org", 5, bad[i]);
		put_mx("example.org", 10, "good.example.org");
		a = mx_of("example.org");
		ck_assert_int_eq(a.status, DNS_OK);
		ck_assert_uint_eq(a.mx_n, 1);
		ck_assert_str_eq(a.mx[0].host, "good.example.org");
		begin("example.org", 1);
		put_mx("example.org", 5, bad[i]);
		ck_assert_int_eq(mx_of("example.org").status, DNS_TEMPORARY);
	}
	/* A dot within a label is no border of labels. */
	begin("example.org", 1);
	put_rr("example.org", 15, 1, 11);
	put("\0\1\7a.b.com\0", 11);
	ck_assert_int_eq(mx_of("example.org").status, DNS_TEMPORARY);
	arena_free(&arena);
}
END_TEST

START_TEST(aliases)
{
	struct dns_mx_answer a;

	/* In any order, and the lowest time to live of all. */
	begin("a.org", 3);
	put_mx("c.org", 1, "mx.c.org");
	put_alias("b.org", "c.org", 7);
	put_alias("A.org", "b.org", 500);
	a = mx_of("a.org");
	ck_assert_int_eq(a.status, DNS_OK);
	ck_assert_str_eq(a.mx[0].host, "mx.c.org");
	ck_assert_uint_eq(a.ttl, 7);
	/* To a name without such a record. */
	begin("a.org", 1);
	put_alias("a.org", "b.org", 7);
	ck_assert_int_eq(mx_of("a.org").status, DNS_NO_DATA);
	/* In a circle. */
	begin("a.org", 2);
	put_alias("a.org", "b.org", 7);
	put_alias("b.org", "a.org", 7);
	ck_assert_int_eq(mx_of("a.org").status, DNS_TEMPORARY);
	begin("a.org", 1);
	put_alias("a.org", "a.org", 7);
	ck_assert_int_eq(mx_of("a.org").status, DNS_TEMPORARY);
	/* To what is no host name. */
	begin("a.org", 1);
	put_alias("a.org", "b org", 7);
	ck_assert_int_eq(mx_of("a.org").status, DNS_TEMPORARY);
	begin("a.org", 1);
	put_alias("a.org", "", 7);
	ck_assert_int_eq(mx_of("a.org").status, DNS_TEMPORARY);
	arena_free(&arena);
}
END_TEST

START_TEST(addresses)
{
	struct dns_addr_answer a;

	begin("a.org", 3);
	put_rr("a.org", 1, 60, 4);
	put("\xc0\0\2\1", 4);
	put_rr("a.org", 28, 30, 16);
	put(" \1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	put_rr("a.org", 1, 0x80000001, 4);
	put("\xc0\0\2\2", 4);
	a = addr_of("a.org", AF_INET);
	ck_assert_int_eq(a.status, DNS_OK);
	ck_assert_uint_eq(a.addr_n, 2);
	ck_assert_int_eq(addr_family(&a.addr[0]), AF_INET);
	ck_assert_uint_eq(a.ttl, 0);
	a = addr_of("a.org", AF_INET6);
	ck_assert_int_eq(a.status, DNS_OK);
	ck_assert_uint_eq(a.addr_n, 1);
	ck_assert_uint_eq(a.ttl, 30);
	for (unsigned n = 0; n < 20; n++)
		for (int six = 0; six < 2; six++) {
			begin("a.org", 1);
			put_rr("a.org", six ? 28 : 1, 1, n);
			put("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", n);
			a = addr_of("a.org", six ? AF_INET6 : AF_INET);
			ck_assert_int_eq(a.status, n == (six ? 16u : 4u) ? DNS_OK :
				DNS_TEMPORARY);
		}
	arena_free(&arena);
}
END_TEST

/* S-56: MX data of 0 to 2 octets, and of any other wrong length. */
START_TEST(short_mx)
{
	for (unsigned n = 0; n < 12; n++) {
		begin("a.org", 1);
		put_rr("a.org", 15, 1, n);
		put("\0\1\3abc\3org\0\0\0", n);
		ck_assert_int_eq(mx_of("a.org").status, n == 11 ? DNS_OK : DNS_TEMPORARY);
	}
	begin("a.org", 1);
	put_rr("a.org", 15, 1, 12);
	put("\0\1\3abc\3org\0\0\0", 12);
	ck_assert_int_eq(mx_of("a.org").status, DNS_TEMPORARY);
	arena_free(&arena);
}
END_TEST

START_TEST(names)
{
	/* What stands as an MX host, behind the preference; where its data is. */
	static const struct {
		const char *octets;
		size_t n;
		bool ok;
	} cases[] = {
		{ "\xc0\x0c", 2, true },		/* the question's name */
		{ "\2mx\xc0\x0c", 5, true },
		{ "\xc0", 1, false },
		{ "\xc0\xff", 2, false },		/* beyond the end */
		{ "\xff\xff", 2, false },
		{ "\xc0\x24", 2, false },		/* itself */
		{ "\2mx\xc0\x24", 5, false },		/* forwards or itself */
		{ "\x40" "a", 2, false }, { "\x80" "a", 2, false },
		{ "\2m", 2, false }, { "\x3f" "a", 2, false },
		{ "\2mx\xc0\x0c\0", 6, false },		/* something behind */
		{ "\xc0\x02", 2, false },		/* into the header: "\0\1" no host */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dns_mx_answer a;

		begin("example.org", 1);
		put_rr("example.org", 15, 1, (unsigned)cases[i].n + 2);
		put16(1);
		put(cases[i].octets, cases[i].n);
		a = mx_of("example.org");
		ck_assert_msg((a.status == DNS_OK) == cases[i].ok, "case %zu", i);
	}
	/* A name longer than 255 octets by way of pointers. */
	begin("example.org", 5);
	for (int i = 0; i < 5; i++) {
		size_t here = packet_n;
		static size_t last;

		put("\x3f", 1);
		for (int j = 0; j < 63; j++)
			put("x", 1);
		if (i == 0)
			put("\0", 1);
		else
			put16((unsigned)(0xc000 | last));
		last = here;
		put16(15);
		put16(1);
		put16(0);
		put16(1);
		put16(0);
	}
	ck_assert_int_eq(mx_of("example.org").status, DNS_TEMPORARY);
	arena_free(&arena);
}
END_TEST

/* Every prefix of a good answer is broken, or just shorter; none is read past. */
START_TEST(prefixes)
{
	size_t whole;

	begin("example.org", 3);
	put_alias("example.org", "b.org", 60);
	put_mx("b.org", 1, "mx.example.org");
	put_mx("b.org", 2, "mx2.example.org");
	whole = packet_n;
	for (size_t n = 0; n < whole; n++) {
		packet_n = n;
		ck_assert_int_eq(mx_of("example.org").status, DNS_TEMPORARY);
	}
	packet_n = whole;
	ck_assert_int_eq(mx_of("example.org").status, DNS_OK);
	/* More than one question is no answer to ours. */
	packet[5] = 2;
	ck_assert_int_eq(mx_of("example.org").status, DNS_TEMPORARY);
	arena_free(&arena);
}
END_TEST

START_TEST(too_many)
{
	struct dns_mx_answer a;
	struct dns_addr_answer b;
	struct dns_txt_answer c;

	begin("example.org", 3000);
	for (unsigned i = 0; i < 1000; i++)
		put_mx("example.org", 1000 - i, "mx.example.org");
	a = mx_of("example.org");
	ck_assert_int_eq(a.status, DNS_OK);
	ck_assert_uint_eq(a.mx_n, DNS_MX_MAX);
	/* Of those that are looked at, the best are kept. */
	ck_assert_uint_eq(a.mx[0].preference, 1000 - DNS_RR_MAX + 1);
	ck_assert_uint_eq(a.mx[DNS_MX_MAX - 1].preference,
	    1000 - DNS_RR_MAX + DNS_MX_MAX);
	begin("example.org", 1000);
	for (unsigned i = 0; i < 1000; i++) {
		put_rr("example.org", 1, 1, 4);
		put("\1\2\3\4", 4);
	}
	b = addr_of("example.org", AF_INET);
	ck_assert_int_eq(b.status, DNS_OK);
	ck_assert_uint_eq(b.addr_n, DNS_ADDR_MAX);
	/* As many as some have: the one that matters may be the last. */
	begin("example.org", 200);
	for (unsigned i = 0; i < 200; i++) {
		put_rr("example.org", 1, 1, 4);
		put("\1\2\3\4", 4);
	}
	b = addr_of("example.org", AF_INET);
	ck_assert_uint_eq(b.addr_n, 200);
	begin("example.org", 200);
	for (unsigned i = 0; i < 200; i++) {
		put_rr("example.org", 16, 1, 2);
		put("\1a", 2);
	}
	dns_answer_txt(str_n((char *)packet, packet_n), "example.org", &arena, &c);
	ck_assert_uint_eq(c.text_n, 200);
	arena_free(&arena);
}
END_TEST

START_TEST(host_names)
{
	static const char *const good[] = { "a", "a.b", "A-1._x.org", "1.2", "-a-.b" };
	static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "a b", "a/b",
		"a\\b", "a:b", "\xc3\xa4.org", "a\n",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b" };
	char longest[256];

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(dns_is_host(str_c(good[i])), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!dns_is_host(str_c(bad[i])), "%s", bad[i]);
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 ? '.' : 'a';
	ck_assert(dns_is_host(str_n(longest, 253)));
	ck_assert(!dns_is_host(str_n(longest, 255)));
}
END_TEST

/* Names that are asked for in a macro of SPF, and names of hosts that are none. */
START_TEST(any_octets)
{
	struct dns_ptr_answer p;
	struct dns_addr_answer a;

	ck_assert(dns_is_name(STR("a b\\.c:d/\303\244.test")));
	ck_assert(!dns_is_name(STR("a..b")) && !dns_is_name(STR("")) && !dns_is_name(STR("a.")));
	ck_assert(!dns_is_name(str_n("a\0b", 3)));
	begin("a b\\c.test", 2);
	put_rr("a b\\c.test", 1, 60, 4);
	put("\300\0\2\1", 4);
	/* Of another name that is none of a host. */
	put_rr("ab\\c.test", 1, 60, 4);
	put("\300\0\2\2", 4);
	a = addr_of("A b\\c.test", AF_INET);
	ck_assert_int_eq(a.status, DNS_OK);
	ck_assert_uint_eq(a.addr_n, 1);
	ck_assert_ptr_null(a.canonical);
	a = addr_of("a?b.test", AF_INET);
	ck_assert_int_eq(a.status, DNS_NO_DATA);
	begin("1.2.0.192.in-addr.arpa", 4);
	put_rr("1.2.0.192.in-addr.arpa", 12, 60, 8);
	put_name("a.test");
	put_rr("1.2.0.192.in-addr.arpa", 12, 50, 10);
	put_name("a\nb.test");
	put_rr("1.2.0.192.IN-ADDR.arpa", 12, 70, 8);
	put_name("b.test");
	put_rr("2.2.0.192.in-addr.arpa", 12, 1, 8);
	put_name("c.test");
	dns_answer_ptr(str_n((char *)packet, packet_n), "1.2.0.192.in-addr.arpa", &arena, &p);
	ck_assert_int_eq(p.status, DNS_OK);
	ck_assert_uint_eq(p.name_n, 2);
	ck_assert_str_eq(p.name[0], "a.test");
	ck_assert_str_eq(p.name[1], "b.test");
	ck_assert_uint_eq(p.ttl, 50);
	packet_n -= 3;
	dns_answer_ptr(str_n((char *)packet, packet_n), "1.2.0.192.in-addr.arpa", &arena, &p);
	ck_assert_int_eq(p.status, DNS_TEMPORARY);
	ck_assert_ptr_nonnull(p.reason);
	arena_free(&arena);
}
END_TEST

/* A text is under any name, and so is what leads to it. */
START_TEST(text_elsewhere)
{
	struct dns_txt_answer a;

	arena_init(&arena, 1 << 20);
	begin("k._domainkey.a.test", 2);
	put_alias("k._domainkey.a.test", "k+1 x.keys.test", 60);
	put_rr("k+1 x.keys.test", 16, 50, 4);
	put("\3abc", 4);
	dns_answer_txt(str_n((char *)packet, packet_n), "k._domainkey.a.test", &arena, &a);
	ck_assert_int_eq(a.status, DNS_OK);
	ck_assert_uint_eq(a.text_n, 1);
	ck_assert(str_eq(a.text[0], STR("abc")));
	arena_free(&arena);
}
END_TEST

/* RFC 2317: the names of a few addresses are in a zone of who has these. */
START_TEST(classless)
{
	struct dns_ptr_answer p;

	arena_init(&arena, 1 << 20);
	begin("9.2.0.192.in-addr.arpa", 4);
	put_alias("9.2.0.192.in-addr.arpa", "9.0/25.2.0.192.in-addr.arpa", 60);
	put_rr("9.0/25.2.0.192.in-addr.arpa", 12, 50, 8);
	put_name("a.test");
	/* An address is no name, and would be its own. */
	put_rr("9.0/25.2.0.192.in-addr.arpa", 12, 50, 11);
	put_name("192.0.2.9");
	put_rr("8.0/25.2.0.192.in-addr.arpa", 12, 50, 8);
	put_name("b.test");
	dns_answer_ptr(str_n((char *)packet, packet_n), "9.2.0.192.in-addr.arpa", &arena, &p);
	ck_assert_int_eq(p.status, DNS_OK);
	ck_assert_uint_eq(p.name_n, 1);
	ck_assert_str_eq(p.name[0], "a.test");
	arena_free(&arena);
}
END_TEST

/* T-06, S-56: TLSA data of every length; 0 to 3 octets are none. */
START_TEST(tlsa)
{
	static const char octets[] = "\3\1\1" "0123456789abcdef0123456789abcdef";

	for (unsigned n = 0; n < sizeof(octets); n++) {
		struct dns_tlsa_answer a;
		char *copy;

		begin("_25._tcp.a.org", 2);
		put_rr("_25._tcp.a.org", 52, 60, 4);
		put("\2\0\2x", 4);
		put_rr("_25._TCP.a.org", 52, 70, n);
		put(octets, n);
		copy = mem_dup(str_n((char *)packet, packet_n));
		arena_free(&arena);
		arena_init(&arena, 1 << 20);
		dns_answer_tlsa(str_n(copy, packet_n), "_25._tcp.a.org", &arena, &a);
		mem_free(copy);
		ck_assert_int_eq(a.status, n > 3 ? DNS_OK : DNS_TEMPORARY);
		ck_assert_uint_eq(a.tlsa_n, n > 3 ? 2 : 0);
		ck_assert((a.reason == NULL) == (n > 3));
		if (n <= 3)
			continue;
		ck_assert_uint_eq(a.ttl, 60);
		ck_assert(!a.secure);
		ck_assert_int_eq(a.tlsa[0].usage, 2);
		ck_assert_int_eq(a.tlsa[0].matching, 2);
		ck_assert_int_eq(a.tlsa[1].usage, 3);
		ck_assert_int_eq(a.tlsa[1].selector, 1);
		ck_str(a.tlsa[1].data, str_n(octets + 3, n - 3));
	}
	arena_free(&arena);
}
END_TEST

START_TEST(txt)
{
	static const struct {
		const char *octets;
		size_t n;
		const char *text;	/* NULL: broken */
	} cases[] = {
		{ "\3abc", 4, "abc" }, { "\3abc\2de", 7, "abcde" },
		{ "\0", 1, "" }, { "\0\1x\0", 4, "x" }, { "", 0, NULL },
		{ "\4abc", 4, NULL }, { "\3abc\1", 5, NULL }, { "\377a", 2, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dns_txt_answer a;
		char *copy;

		begin("t.org", 3);
		put_alias("t.org", "u.org", 30);
		put_rr("u.org", 16, 60, 2);
		put("\1!", 2);
		put_rr("u.org", 16, 60, (unsigned)cases[i].n);
		put(cases[i].octets, cases[i].n);
		copy = mem_dup(str_n((char *)packet, packet_n));
		arena_free(&arena);
		arena_init(&arena, 1 << 20);
		dns_answer_txt(str_n(copy, packet_n), "t.org", &arena, &a);
		mem_free(copy);
		ck_assert_int_eq(a.status, cases[i].text ? DNS_OK : DNS_TEMPORARY);
		if (!cases[i].text)
			continue;
		ck_assert_uint_eq(a.text_n, 2);
		ck_str(a.text[0], STR("!"));
		ck_str(a.text[1], str_c(cases[i].text));
		ck_assert_uint_eq(a.ttl, 30);
	}
	arena_free(&arena);
}
END_TEST

START_TEST(srv)
{
	static const struct {
		const char *octets;
		size_t n;
		const char *host;	/* NULL: broken */
	} cases[] = {
		{ "\0\1\0\2\1\2\1a\3org\0", 13, "a.org" },
		{ "\0\1\0\2\1\2\0", 7, "" },
		{ "\0\1\0\2\1\2", 6, NULL },
		{ "\0\1\0\2\1", 5, NULL },
		{ "", 0, NULL },
		{ "\0\1\0\2\1\2\1a\3org\0x", 14, NULL },
		{ "\0\1\0\2\1\2\2 a\0", 10, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dns_srv_answer a;
		char *copy;

		begin("t.org", 1);
		put_rr("t.org", 33, 60, (unsigned)cases[i].n);
		put(cases[i].octets, cases[i].n);
		copy = mem_dup(str_n((char *)packet, packet_n));
		arena_free(&arena);
		arena_init(&arena, 1 << 20);
		dns_answer_srv(str_n(copy, packet_n), "t.org", &arena, &a);
		mem_free(copy);
		ck_assert_msg(a.status == (cases[i].host ? DNS_OK : DNS_TEMPORARY), "%zu", i);
		if (!cases[i].host)
			continue;
		ck_assert_uint_eq(a.srv_n, 1);
		ck_assert_uint_eq(a.srv[0].priority, 1);
		ck_assert_uint_eq(a.srv[0].weight, 2);
		ck_assert_uint_eq(a.srv[0].port, 258);
		ck_assert_str_eq(a.srv[0].host, cases[i].host);
		ck_assert_uint_eq(a.ttl, 60);
	}
	arena_free(&arena);
}
END_TEST

/* The header: its code, and the AD bit of every kind of answer. */
START_TEST(header)
{
	struct dns_alias_answer alias;
	struct dns_mx_answer a;

	begin("a.org", 2);
	put_alias("a.org", "b.org", 30);
	put_mx("b.org", 1, "mx.b.org");
	a = mx_of("a.org");
	ck_assert(!a.secure);
	ck_assert_str_eq(a.canonical, "b.org");
	packet[3] |= 0x20;
	ck_assert(mx_of("a.org").secure);
	dns_answer_alias(str_n((char *)packet, packet_n), "a.org", &alias);
	ck_assert_int_eq(alias.status, DNS_OK);
	ck_assert(alias.secure);
	dns_answer_alias(str_n((char *)packet, packet_n), "b.org", &alias);
	ck_assert_int_eq(alias.status, DNS_NO_DATA);
	ck_assert(mx_of("b.org").canonical == NULL);
	for (unsigned code = 0; code < 16; code++) {
		packet[3] = (unsigned char)(0xa0 | code);
		a = mx_of("a.org");
		ck_assert_int_eq(a.status, code == 0 ? DNS_OK : code == 3 ?
			DNS_NO_NAME : DNS_TEMPORARY);
		ck_assert((a.reason == NULL) == (code == 0));
		ck_assert_uint_eq(a.mx_n, code == 0 ? 1 : 0);
		ck_assert(a.secure);
	}
	arena_free(&arena);
}
END_TEST

UNIT_MAIN("dns_answer", srv, mx, mx_hosts, aliases, addresses, short_mx, names, prefixes,
    too_many, host_names, any_octets, text_elsewhere, classless, tlsa, txt, header)
