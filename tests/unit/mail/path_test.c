/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Tests of mail/path: what is an address, what it means, how it is written. */

#include "mail/path.h"

#include "mail/limits.h"
#include "unit.h"

static struct arena arena;

/* Parses TEXT of N octets as a path that is all there is. */
static const char *
parse_n(const char *text, size_t n, unsigned flags, struct path *p)
{
	*p = (struct path){ 0 };
	return path_parse(str_n(text, n), flags, &arena, p, NULL);
}

START_TEST(good)
{
	static const struct {
		const char *text;
		unsigned flags;
		const char *local, *domain, *written;
	} t[] = {
		{ "<a@b>", 0, "a", "b", "a@b" },
		{ "<>", PATH_NULL, "", "", "" },
		{ "<Bob.Smith@Example.ORG>", 0, "Bob.Smith", "Example.ORG",
		    "Bob.Smith@Example.ORG" },
		{ "<\"a\"@x>", 0, "a", "x", "a@x" },
		{ "<\"a.b\"@x>", 0, "a.b", "x", "a.b@x" },
		{ "<\"a b\"@x>", 0, "a b", "x", "\"a b\"@x" },
		{ "<\"\\a\\\"\\\\\"@x>", 0, "a\"\\", "x", "\"a\\\"\\\\\"@x" },
		{ "<\"a@b\"@x>", 0, "a@b", "x", "\"a@b\"@x" },
		{ "<\"a>b\"@x>", 0, "a>b", "x", "\"a>b\"@x" },
		{ "<\"a..b\"@x>", 0, "a..b", "x", "\"a..b\"@x" },
		{ "<\".\"@x>", 0, ".", "x", "\".\"@x" },
		{ "<!#$%&'*+-/=?^_`{|}~@x>", 0, "!#$%&'*+-/=?^_`{|}~", "x",
		    "!#$%&'*+-/=?^_`{|}~@x" },
		{ "<u%ext@l>", 0, "u%ext", "l", "u%ext@l" },
		{ "<ext!u@l>", 0, "ext!u", "l", "ext!u@l" },
		{ "<-rf@l>", 0, "-rf", "l", "-rf@l" },
		{ "<@l:u@ext>", 0, "u", "ext", "u@ext" },
		{ "<@a,@b.c:u@d>", 0, "u", "d", "u@d" },
		{ "<@[1.2.3.4],@b:u@d>", 0, "u", "d", "u@d" },
		{ "<u@[1.2.3.4]>", 0, "u", "[1.2.3.4]", "u@[1.2.3.4]" },
		{ "<u@[IPv6:::1]>", 0, "u", "[IPv6:::1]", "u@[IPv6:::1]" },
		{ "<u@[ipv6:1::ffff:1.2.3.4]>", 0, "u",
		    "[ipv6:1::ffff:1.2.3.4]", "u@[ipv6:1::ffff:1.2.3.4]" },
		{ "<u@[x-tag:some=thing]>", 0, "u", "[x-tag:some=thing]",
		    "u@[x-tag:some=thing]" },
		{ "<u@127.0.0.1>", 0, "u", "127.0.0.1", "u@127.0.0.1" },
		{ "<u@a_b.xn--c-d>", 0, "u", "a_b.xn--c-d", "u@a_b.xn--c-d" },
		{ "<postmaster>", PATH_POSTMASTER, "postmaster", "",
		    "postmaster" },
		{ "<PostMaster>", PATH_POSTMASTER, "PostMaster", "",
		    "PostMaster" },
		{ "<bob>", PATH_BARE, "bob", "", "bob" },
		{ "<\"b b\">", PATH_BARE, "b b", "", "\"b b\"" },
		{ "root", PATH_BARE | PATH_NO_ANGLE, "root", "", "root" },
		{ "a@b", PATH_NO_ANGLE, "a", "b", "a@b" },
		{ "<a@b>", PATH_NO_ANGLE, "a", "b", "a@b" },
		{ "<\xc3\xa9@x\xc3\xa9.y>", PATH_UTF8, "\xc3\xa9",
		    "x\xc3\xa9.y", "\xc3\xa9@x\xc3\xa9.y" },
		{ "<\"\xc3\xa9 \"@x>", PATH_UTF8, "\xc3\xa9 ", "x",
		    "\"\xc3\xa9 \"@x" },
		{ "<a..b@x>", PATH_LOOSE, "a..b", "x", "\"a..b\"@x" },
		{ "<.a.@x>", PATH_LOOSE, ".a.", "x", "\".a.\"@x" },
		{ "<a(b)[c],;:\\\"@x>", PATH_LOOSE, "a(b)[c],;:\\\"", "x",
		    "\"a(b)[c],;:\\\\\\\"\"@x" },
		{ "<\"a b\"@x>", PATH_LOOSE, "a b", "x", "\"a b\"@x" },
		{ "<\"a@x>", PATH_LOOSE, "\"a", "x", "\"\\\"a\"@x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct path p;
		const char *why = parse_n(t[i].text, strlen(t[i].text),
		    t[i].flags, &p);

		ck_assert_msg(why == NULL, "%s: %s", t[i].text, why);
		ck_str(p.local, str_c(t[i].local));
		ck_str(p.domain, str_c(t[i].domain));
		ck_str(path_str(&arena, &p), str_c(t[i].written));
	}
	arena_free(&arena);
}
END_TEST

#define BAD(lit, flags) { lit, sizeof(lit) - 1, flags }

START_TEST(bad)
{
	static const struct {
		const char *text;
		size_t n;
		unsigned flags;
	} t[] = {
		BAD("", 0), BAD("", PATH_NO_ANGLE | PATH_NULL), BAD("<", 0),
		BAD("<>", 0), BAD("< >", PATH_NULL), BAD("<a@b", 0),
		BAD("a@b>", PATH_NO_ANGLE), BAD("a@b", 0), BAD("<a@b>x", 0),
		BAD("<a@b> ", 0), BAD("<a@b >", 0), BAD("< a@b>", 0),
		BAD("<a>", 0), BAD("<bob>", PATH_POSTMASTER),
		BAD("<@b>", PATH_LOOSE), BAD("<a@>", PATH_LOOSE),
		BAD("<a@@b>", PATH_LOOSE), BAD("<a@b@c>", PATH_LOOSE),
		BAD("<\"\"@b>", PATH_LOOSE), BAD("<.a@b>", 0),
		BAD("<a.@b>", 0), BAD("<a..b@c>", 0), BAD("<..@l>", 0),
		BAD("<a b@c>", PATH_LOOSE), BAD("<a(x)@c>", 0),
		BAD("<a@b(x)>", PATH_LOOSE), BAD("<u@ext>@l>", PATH_LOOSE),
		BAD("<\"u@ext\"x@l>", 0), BAD("<\"a\\\"@b>", 0),
		BAD("<\"a", 0), BAD("<\"a\\", 0), BAD("<\"a\"", 0),
		BAD("<a@b.>", PATH_LOOSE), BAD("<a@.b>", 0),
		BAD("<a@b..c>", 0), BAD("<a@-b>", 0), BAD("<a@b->", 0),
		BAD("<a@../l>", PATH_LOOSE), BAD("<a@l/..>", PATH_LOOSE),
		BAD("<a@b c>", 0), BAD("<a@b\0c>", PATH_LOOSE),
		BAD("<a\0b@c>", PATH_LOOSE), BAD("<\"a\0\"@c>", PATH_LOOSE),
		BAD("<\"a\\\0\"@c>", PATH_LOOSE), BAD("<\"a\r\"@c>", 0),
		BAD("<\"a\\\rb\"@c>", PATH_LOOSE), BAD("<\"a\nb\"@c>", 0),
		BAD("<\"a\tb\"@c>", PATH_LOOSE), BAD("<a\x7f@c>", PATH_LOOSE),
		BAD("<a@b>\0", 0), BAD("<a\0>", PATH_BARE),
		BAD("a\0", PATH_BARE | PATH_NO_ANGLE),
		BAD("<\xc3\xa9@c>", PATH_LOOSE), BAD("<a@\xc3\xa9>", 0),
		BAD("<\"\\\xc3\xa9\"@c>", PATH_UTF8), BAD("<\xc3@c>", PATH_UTF8),
		BAD("<a@\xc3>", PATH_UTF8), BAD("<\xc2\x85@c>", PATH_UTF8),
		BAD("<a@\xc2\x9b>", PATH_UTF8),
		BAD("<u@[]>", 0), BAD("<u@[1.2.3]>", 0), BAD("<u@[1.2.3.4>", 0),
		BAD("<u@[1.2.3.400]>", 0), BAD("<u@[::1]>", 0),
		BAD("<u@[IPv6:]>", 0), BAD("<u@[IPv6:1.2.3.4]>", 0),
		BAD("<u@[IPv6:fe80::1%lo]>", 0), BAD("<u@[x:]>", 0),
		BAD("<u@[-:a]>", 0), BAD("<u@[x_y:a]>", 0),
		BAD("<u@[x:a b]>", 0), BAD("<u@[x:a/b]>", 0),
		BAD("<u@[x:a\0b]>", 0), BAD("<u@[x:[]>", 0),
		BAD("<u@[1.2.3.4\0]>", 0), BAD("<u@[1.2.3.4]x>", 0),
		BAD("<@a:>", 0), BAD("<@a>", 0), BAD("<@a,b:u@d>", 0),
		BAD("<@a@b:u@d>", 0), BAD("<@:u@d>", 0),
		BAD("<u@ext,@l:u2@ext>", PATH_LOOSE),
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct path p;

		ck_assert_msg(parse_n(t[i].text, t[i].n, t[i].flags, &p) != NULL,
		    "case %zu: %s", i, t[i].text);
		ck_assert_ptr_null(p.local.p);
	}
	arena_free(&arena);
}
END_TEST

START_TEST(rest)
{
	struct path p;
	struct str left;

	ck_assert_ptr_null(path_parse(STR("<a@b> SIZE=1"), 0, &arena, &p, &left));
	ck_str(left, STR(" SIZE=1"));
	ck_assert_ptr_null(path_parse(STR("<a@b>"), 0, &arena, &p, &left));
	ck_assert_uint_eq(left.n, 0);
	ck_assert_ptr_null(path_parse(STR("a@b X"), PATH_NO_ANGLE, &arena, &p,
	    &left));
	ck_str(left, STR(" X"));
	ck_assert_ptr_null(path_parse(STR("<> RET=HDRS"), PATH_NULL, &arena, &p,
	    &left));
	ck_str(left, STR(" RET=HDRS"));
	ck_assert_ptr_nonnull(path_parse(STR("<a@b>SIZE=1"), 0, &arena, &p,
	    &left));
	ck_assert_ptr_nonnull(path_parse(STR("<a@b>\tX"), 0, &arena, &p, &left));
	arena_free(&arena);
}
END_TEST

/* Makes "<LLL@d.d.d...>" with a local part of L and a domain of D octets. */
static const char *
sized(size_t l, size_t d)
{
	char text[1024], *at = text;
	struct path p;

	*at++ = '<';
	for (size_t i = 0; i < l; i++)
		*at++ = 'l';
	*at++ = '@';
	for (size_t i = 0; i < d; i++)
		*at++ = i % 50 == 49 && i + 1 < d ? '.' : 'd';
	*at++ = '>';
	return parse_n(text, (size_t)(at - text), 0, &p);
}

START_TEST(limits)
{
	char label[80];

	ck_assert_ptr_null(sized(64, 10));
	ck_assert_ptr_nonnull(sized(65, 10));
	ck_assert_ptr_nonnull(sized(500, 10));
	/* 256 with the brackets and the "@". */
	ck_assert_ptr_null(sized(1, MAIL_PATH_MAX - 4));
	ck_assert_ptr_nonnull(sized(1, MAIL_PATH_MAX - 3));
	ck_assert_ptr_nonnull(sized(1, MAIL_DOMAIN_MAX));
	ck_assert_ptr_nonnull(sized(1, 600));
	ck_assert_ptr_null(sized(64, MAIL_PATH_MAX - 64 - 3));
	ck_assert_ptr_nonnull(sized(64, MAIL_PATH_MAX - 64 - 2));

	memset(label, 'a', sizeof(label));
	ck_assert(domain_valid(str_n(label, 63)));
	ck_assert(!domain_valid(str_n(label, 64)));
	arena_free(&arena);
}
END_TEST

/* What was put together, and not parsed, is what could have been parsed. */
START_TEST(put_together)
{
	static const struct {
		const char *local, *domain;
		bool good;
	} t[] = {
		{ "", "", true }, { "a", "", true }, { "a b", "", true },
		{ "a", "b.test", true }, { "a..\"\\", "[192.0.2.1]", true },
		{ "\xc3\xa9", "\xc3\xa9.test", true },
		{ "", "b.test", false }, { "a", "b..test", false },
		{ "a", "b c", false }, { "a", "[192.0.2]", false },
		{ "a", "b>", false }, { "a\nb", "b.test", false },
		{ "a\x7f", "b.test", false }, { "a", "b\t", false },
		{ "\xff", "b.test", false }, { "a", "\xc3", false },
		{ "\xc2\x85", "b.test", false },
	};
	char octets[MAIL_PATH_MAX];
	struct path p;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		p = (struct path){ str_c(t[i].local), str_c(t[i].domain) };
		ck_assert_msg((path_check(&p) == NULL) == t[i].good, "row %zu", i);
	}
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = i % 50 == 49 ? '.' : 'x';
	p = (struct path){ str_n(octets, 64), STR("d") };
	octets[49] = 'x';
	ck_assert_ptr_null(path_check(&p));
	p.local.n++;
	ck_assert_str_eq(path_check(&p), "the local part is too long");
	/* Its quotes are two of the 64 octets. */
	octets[0] = ' ';
	p.local.n = 62;
	ck_assert_ptr_null(path_check(&p));
	p.local.n = 63;
	ck_assert_str_eq(path_check(&p), "the local part is too long");
	octets[0] = 'x';
	octets[49] = '.';
	p = (struct path){ STR("l"), str_n(octets, MAIL_PATH_MAX - 4) };
	ck_assert_ptr_null(path_check(&p));
	p.domain.n++;
	ck_assert_str_eq(path_check(&p), "the address is too long");
}
END_TEST

/* A quoted local part counts as it is written. */
START_TEST(limits_quoted)
{
	struct path p;
	char text[100] = "<\"";

	memset(text + 2, ' ', 62);
	memcpy(text + 64, "\"@x>", 4);
	ck_assert_ptr_null(parse_n(text, 68, 0, &p));
	ck_assert_uint_eq(p.local.n, 62);
	memset(text + 2, ' ', 63);
	memcpy(text + 65, "\"@x>", 4);
	ck_assert_ptr_nonnull(parse_n(text, 69, 0, &p));
	arena_free(&arena);
}
END_TEST

START_TEST(domains)
{
	char longest[MAIL_DOMAIN_MAX + 1];

	ck_assert(domain_valid(STR("a")));
	ck_assert(domain_valid(STR("a-b.c_d.EXAMPLE")));
	ck_assert(!domain_valid(STR("")));
	ck_assert(!domain_valid(STR("a.")));
	ck_assert(!domain_valid(STR(".")));
	ck_assert(!domain_valid(STR("a b")));
	ck_assert(!domain_valid(STR("[1.2.3.4]")));
	ck_assert(!domain_valid(STR("\xc3\xa9")));
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 ? '.' : 'a';
	ck_assert(domain_valid(str_n(longest, MAIL_DOMAIN_MAX)));
	longest[MAIL_DOMAIN_MAX - 1] = 'b';
	longest[MAIL_DOMAIN_MAX] = 'c';
	ck_assert(!domain_valid(str_n(longest, MAIL_DOMAIN_MAX + 1)));
	ck_assert(domain_is_literal(STR("[1.2.3.4]")));
	ck_assert(domain_is_literal(STR("[IPv6:2001:db8::1]")));
	ck_assert(!domain_is_literal(STR("1.2.3.4")));
	ck_assert(!domain_is_literal(STR("[IPv6:12345::]")));
}
END_TEST

START_TEST(addresses)
{
	struct path p;

	ck_assert_ptr_null(path_parse_addr(STR("a@b"), 0, &arena, &p));
	ck_str(p.domain, STR("b"));
	ck_assert_ptr_null(path_parse_addr(STR("a"), PATH_BARE, &arena, &p));
	ck_assert_ptr_null(path_parse_addr(STR(""), PATH_NULL, &arena, &p));
	ck_assert(path_is_null(&p));
	ck_assert_ptr_nonnull(path_parse_addr(STR(""), 0, &arena, &p));
	ck_assert_ptr_nonnull(path_parse_addr(STR("<a@b>"), 0, &arena, &p));
	ck_assert_ptr_nonnull(path_parse_addr(STR("a@b c"), 0, &arena, &p));
	ck_assert_ptr_nonnull(path_parse_addr(STR("a@b\r\n"), 0, &arena, &p));
	arena_free(&arena);
}
END_TEST

START_TEST(equality)
{
	struct path a = { STR("Bob"), STR("Example.org") };
	struct path b = { STR("Bob"), STR("EXAMPLE.ORG") };
	struct path c = { STR("bob"), STR("Example.org") };
	struct path none = { STR(""), STR("") };
	struct path copy = path_copy(&arena, &a);
	struct buf buf;

	ck_assert(path_eq(&a, &b));
	ck_assert(!path_eq(&a, &c));
	ck_assert(path_eq(&a, &copy));
	ck_assert_ptr_ne(copy.local.p, a.local.p);
	ck_assert(path_is_null(&none) && !path_is_null(&a));
	buf_init(&buf, 20);
	path_add(&buf, &none);
	ck_assert_uint_eq(buf.n, 0);
	path_add(&buf, &a);
	ck_str(buf_str(&buf), STR("Bob@Example.org"));
	path_add(&buf, &a);
	ck_assert(!buf_ok(&buf));
	buf_free(&buf);
	arena_free(&arena);
}
END_TEST

static void
set_up(void)
{
	arena_init(&arena, 1 << 20);
}

START_TEST(domains_of)
{
	static const struct {
		const char *addr, *domain;
	} rows[] = {
		{ "a@B.Example", "b.example" }, { "a@b@c.example", NULL },
		{ "\"a@b\"@c.example", "c.example" }, { "\"a\\\"@b\"@c.example", "c.example" },
		{ "\"a\"@b.example@c.example", NULL }, { "\"a\"@\"b\"@c.example", NULL },
		{ "@c.example", NULL }, { "\"a@c.example", NULL },
		{ "a\"b@c.example", NULL }, { "\xe4 b\\@c.example", "c.example" },
		{ "a@b\xc3\xa4r.example", "xn--br-via.example" }, { "a@[192.0.2.1]", NULL },
		{ "a@", NULL }, { "a", NULL }, { "a@..", NULL }, { "", NULL },
	};
	struct buf b;

	buf_init(&b, 1000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_reset(&b);
		ck_assert_msg(address_domain(&b, str_c(rows[i].addr)) == (rows[i].domain != NULL),
		    "%s", rows[i].addr);
		ck_str(buf_str(&b), str_c(rows[i].domain));
	}
	buf_free(&b);
	ck_assert(domain_is_below(STR("a.b.example"), STR("B.example")));
	ck_assert(!domain_is_below(STR("b.example"), STR("b.example")));
	ck_assert(!domain_is_below(STR("ab.example"), STR("b.example")));
	ck_assert(!domain_is_below(STR(".b.example"), STR("b.example")));
	ck_assert(!domain_is_below(STR("example"), STR("b.example")));
}
END_TEST

START_TEST(hosts)
{
	static const struct {
		const char *name, *host;
	} rows[] = {
		{ "B.Example", "b.example" }, { "a.b_c.example.", "a.b_c.example" },
		{ "b\xc3\xa4r.example", "xn--br-via.example" },
		{ "b\xc3\xa4r\xe3\x80\x82" "example", "xn--br-via.example" },
		{ "b.\xd1\x80\xd1\x84", "b.xn--p1ai" },
		{ "localhost", NULL }, { "192.0.2.1", NULL }, { "1.2.3.0x4", NULL },
		{ "[192.0.2.1]", NULL }, { "a..example", NULL }, { ".example", NULL },
		{ "a.example..", NULL }, { "-a.example", NULL }, { "a b.example", NULL },
		{ "a.\xff", NULL }, { ".", NULL }, { "", NULL },
	};
	char large[260];
	struct buf b;

	buf_init(&b, 1000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_reset(&b);
		ck_assert_msg(domain_add_host(&b, str_c(rows[i].name)) == (rows[i].host != NULL),
		    "%s", rows[i].name);
		ck_str(buf_str(&b), str_c(rows[i].host));
	}
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = i % 2 == 0 ? 'a' : '.';
	buf_reset(&b);
	ck_assert(domain_add_host(&b, str_n(large, 253)));
	ck_assert(!domain_add_host(&b, str_n(large, 255)));
	buf_free(&b);
}
END_TEST

int
main(void)
{
	TCase *t = UNIT_CASE("mail/path", good, bad, rest, limits, limits_quoted,
		put_together, domains, domains_of, hosts, addresses, equality);

	tcase_add_checked_fixture(t, set_up, NULL);
	return unit_run("mail/path", t);
}
