/* SPDX-License-Identifier: GPL-3.0-or-later */

/* name -- the small grammars of values. */

#include <arpa/inet.h>

#include "conf/private.h"
#include "unit.h"

struct grammar {
	const char *text;
	bool ok;
};

static void
check(const char *what, bool (*fn)(struct str), const struct grammar *g, size_t n)
{
	for (; n > 0; n--, g++)
		ck_assert_msg(fn(str_c(g->text)) == g->ok, "%s(\"%s\")", what, g->text);
}
#define CHECK(fn, table) check(#fn, fn, table, ARRAY_LEN(table))

#define LABEL63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct grammar hosts[] = {
	{ "a", true }, { "mail.example.org", true }, { "A-1.b", true }, { "3com.example", true },
	{ "xn--bcher-kva.example", true }, { LABEL63 ".a", true }, { "1.2.3a", true },
	{ "", false }, { ".", false }, { "a.", false }, { ".a", false }, { "a..b", false },
	{ "-a", false }, { "a-", false }, { "a_b", false }, { "a b", false }, { "b\xc3\xbc", false },
	{ "192.0.2.1", false }, { "1.2", false }, { "::1", false }, { LABEL63 "a.a", false },
	{ LABEL63 "." LABEL63 "." LABEL63 "." LABEL63, false },
};

static const struct grammar domains[] = {
	{ "example.org", true }, { "[192.0.2.1]", true }, { "[IPv6:2001:db8::1]", true },
	{ "[ipv6:::1]", true }, { "192.0.2.1", false }, { "[]", false }, { "[", false },
	{ "[2001:db8::1]", false }, { "[192.0.2]", false }, { "[IPv6:x]", false },
	{ "[192.0.2.1", false },
};

static const struct grammar mailboxes[] = {
	{ "a@b", true }, { "a.b+c@[192.0.2.1]", true }, { "a", false }, { "@b", false },
	{ "a@", false }, { "a b@c", false }, { "a@b c", false }, { "<a@b>", false },
	{ ".a@b", false }, { "a.@b", false }, { "a@b@c", false },
	{ LABEL63 "a@b", true }, { LABEL63 "aa@b", false },
};

static const struct grammar paths[] = {
	{ "/", true }, { "/a/b.c", true }, { "/a b", true }, { "/..a/b..", true },
	{ "", false }, { "a", false }, { "./a", false }, { "/a/../b", false }, { "/.", false },
	{ "/a/..", false }, { "/a\nb", false },
};

static const struct grammar words[] = {
	{ "a", true }, { "a-B_9.c", true }, { "", false }, { "-a", false }, { "a/b", false },
	{ "a b", false },
};

static const struct grammar servers[] = {
	{ "192.0.2.53", true }, { "192.0.2.53:53", true }, { "2001:db8::53", true },
	{ "[2001:db8::53]", true }, { "[2001:db8::53]:5353", true },
	{ "", false }, { "a", false }, { "a:53", false }, { "192.0.2.53:", false },
	{ "192.0.2.53:0", false }, { "192.0.2.53:65536", false }, { "[192.0.2.53]:53", false },
	{ "[::1", false }, { "[::1]53", false }, { "[::1]:", false }, { ":53", false },
};

START_TEST(grammars)
{
	CHECK(conf_name_is_host, hosts);
	CHECK(conf_name_is_domain, domains);
	CHECK(conf_name_is_mailbox, mailboxes);
	CHECK(conf_name_is_path, paths);
	CHECK(conf_name_is_word, words);
	CHECK(conf_name_is_ip_port, servers);
	ck_assert(conf_name_is_ip(STR("::ffff:1.2.3.4")));
	ck_assert(!conf_name_is_ip(STR("1.2.3.4\0")));
}
END_TEST

static const struct {
	const char *net, *addr;
	bool have;
} nets[] = {
	{ "10.0.0.0/8", "10.255.0.1", true }, { "10.0.0.0/8", "11.0.0.0", false },
	{ "10.0.0.0/8", "::ffff:10.1.1.1", true }, { "10.0.0.0/8", "::10.1.1.1", false },
	{ "192.0.2.128/25", "192.0.2.127", false }, { "192.0.2.128/25", "192.0.2.200", true },
	{ "192.0.2.0/31", "192.0.2.1", true }, { "192.0.2.0/31", "192.0.2.2", false },
	{ "192.0.2.1", "192.0.2.1", true }, { "192.0.2.1", "192.0.2.0", false },
	{ "0.0.0.0/0", "1.2.3.4", true }, { "0.0.0.0/0", "::ffff:1.2.3.4", true },
	{ "0.0.0.0/0", "2001:db8::1", false }, { "::/0", "2001:db8::1", true },
	{ "::/0", "1.2.3.4", false }, { "::ffff:10.0.0.0/104", "10.9.9.9", true },
	{ "2001:db8::/33", "2001:db8:7fff::1", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false }, { "::1", "::1", true },
	{ "::1", "::2", false },
};

START_TEST(networks)
{
	struct ip_range net;
	struct conf_nets one = { &net, 1 }, none = { NULL, 0 };
	unsigned char addr[16];

	for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
		int family = strchr(nets[i].addr, ':') ? AF_INET6 : AF_INET;

		ck_assert_ptr_null(ip_range_parse(str_c(nets[i].net), &net));
		ck_assert_int_eq(inet_pton(family, nets[i].addr, addr), 1);
		ck_assert_msg(conf_nets_have(&one, family, addr) == nets[i].have, "%s in %s",
		    nets[i].addr, nets[i].net);
		ck_assert(!conf_nets_have(&none, family, addr));
	}
}
END_TEST

UNIT_MAIN("conf/name", grammars, networks)
