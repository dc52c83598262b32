/* SPDX-License-Identifier: GPL-3.0-or-later */

/* source -- which address mail leaves from, and under which name (I1-I8). */

#include "policy/source.h"

#include "unit.h"

static const char text[] =
    "hostname = \"mx.test\"\n"
    "listen a { port = 25 tls = off address = {\"192.0.2.1\"} hostname = \"one.test\" }\n"
    "listen b { port = 25 tls = off address = {\"192.0.2.2\", \"2001:db8::2\"} hostname = \"two.test\" }\n"
    "listen c { port = 26 tls = off hostname = \"any.test\" }\n"
    "source { addresses = {\"192.0.2.1\", \"192.0.2.2\", \"2001:db8::1\"}\n"
    "  mappable = {\"192.0.2.0/24\", \"2001:db8::/32\"} unmappable = {\"192.0.2.128/25\"} }\n"
    "pool bulk { addresses = {\"192.0.2.10\", \"192.0.2.11\"} }\n"
    "source-name \"192.0.2.2\" { hostname = \"named.test\" }\n"
    "source-name \"2001:db8::1\" { hostname = \"six.test\" }\n"
    "route \"pool.test\" { source = bulk }\n"
    "route \"address.test\" { source = \"192.0.2.9\" }\n"
    "route \"*\" { }\n";

static struct conf *
load(const char *s)
{
	struct buf error;
	struct conf *c;

	buf_init(&error, 10000);
	c = conf_parse("test.conf", str_c(s), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	buf_free(&error);
	return c;
}

START_TEST(order_of_choice)
{
	static const struct {
		size_t route;
		const char *wish, *local, *want;
	} t[] = {
		{ 2, "", "", "" },
		/* Where it came in, if that is mappable. */
		{ 2, "", "192.0.2.1:25", "192.0.2.1" },
		{ 2, "", "[2001:db8::2]:587", "2001:db8::2" },
		{ 2, "", "192.0.2.130:25", "" },
		{ 2, "", "198.51.100.1:25", "" },
		{ 2, "", "nonsense", "" },
		{ 2, "", ":25", "" },
		/* The route's wish goes before, the message's before that. */
		{ 0, "", "192.0.2.1:25", "bulk" },
		{ 1, "", "192.0.2.1:25", "192.0.2.9" },
		{ 1, "bulk", "192.0.2.1:25", "bulk" },
		{ 2, "203.0.113.1", "192.0.2.1:25", "203.0.113.1" },
	};
	struct conf *c = load(text);

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct mail_facts f = { .local = str_c(t[i].local),
			.source = str_c(t[i].wish) };

		ck_str(source_of(c, &c->routes[t[i].route], &f), str_c(t[i].want));
	}
	conf_free(c);
	/* By default nothing is mapped. */
	c = load("");
	ck_str(source_of(c, NULL, &(struct mail_facts){
	    .local = STR("192.0.2.1:25") }), STR(""));
	conf_free(c);
}
END_TEST

/* All addresses of SOURCE of FAMILY, in the order of their turns from FIRST. */
static void
turns(const struct conf *c, const char *source, int family, size_t first,
    const char *want)
{
	struct source_set set;
	struct buf b;
	size_t n;

	ck_assert(source_set(c, str_c(source), &set));
	n = source_count(&set, family);
	buf_init(&b, 1000);
	for (size_t i = 0; i <= n; i++) {
		struct addr a = source_pick(&set, family, first + i);

		if (a.len == 0)
			break;
		if (i > 0)
			buf_addc(&b, ' ');
		addr_add(&b, &a);
	}
	ck_assert_str_eq(buf_cstr(&b), want);
	buf_free(&b);
}

START_TEST(rotation)
{
	struct conf *c = load(text);
	struct source_set set;

	turns(c, "bulk", AF_INET, 0, "192.0.2.10 192.0.2.11 192.0.2.10");
	turns(c, "bulk", AF_INET, 7, "192.0.2.11 192.0.2.10 192.0.2.11");
	turns(c, "bulk", AF_INET6, 0, "");
	turns(c, "", AF_INET, 0, "192.0.2.1 192.0.2.2 192.0.2.1");
	turns(c, "", AF_INET6, 3, "2001:db8::1 2001:db8::1");
	turns(c, "203.0.113.1", AF_INET, 0, "203.0.113.1 203.0.113.1");
	turns(c, "203.0.113.1, 2001:db8::9,203.0.113.2", AF_INET, 0,
	    "203.0.113.1 203.0.113.2 203.0.113.1");
	turns(c, "2001:db8::9", AF_INET6, 0, "2001:db8::9 2001:db8::9");
	ck_assert(!source_set(c, STR("other"), &set));
	ck_assert(!source_set(c, STR("203.0.113.1,"), &set));
	ck_assert(!source_set(c, STR("203.0.113.1,bulk"), &set));
	ck_assert(!source_set(c, STR("1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
	    "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
	    "1.1.1.1,1.1.1.1,1.1.1.1"), &set));
	conf_free(c);
	c = load("");
	ck_assert(source_set(c, STR(""), &set));
	ck_assert_uint_eq(set.n, 0);
	conf_free(c);
}
END_TEST

START_TEST(names)
{
	static const struct {
		const char *local, *ehlo, *want;
	} t[] = {
		{ "192.0.2.1", "", "one.test" },
		{ "192.0.2.2", "", "named.test" },
		{ "192.0.2.2", "own.test", "named.test" },
		{ "2001:db8::1", "", "six.test" },
		{ "2001:db8::2", "", "two.test" },
		{ "2001:db8::2", "own.test", "own.test" },
		{ "192.0.2.77", "", "mx.test" },
		{ "192.0.2.77", "own.test", "own.test" },
	};
	struct conf *c = load(text);

	ck_assert(source_is_named(c));
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct addr a;

		ck_assert_int_eq(addr_parse(str_c(t[i].local), 40000, &a), 0);
		ck_assert_str_eq(source_ehlo(c, &a, t[i].ehlo), t[i].want);
	}
	conf_free(c);
	c = load("listen a { port = 25 tls = off }");
	ck_assert(!source_is_named(c));
	conf_free(c);
}
END_TEST

UNIT_MAIN("policy/source", order_of_choice, rotation, names)
