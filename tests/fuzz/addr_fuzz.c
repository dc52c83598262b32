/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Addresses: what is read comes out and is read again as the same host.
 *
 * Parsers: net/addr.c.
 */

#include "fuzz.h"

#include "net/addr.h"

static void
again(const struct addr *a, void (*add)(struct buf *, const struct addr *),
    int (*parse)(struct str, uint16_t, struct addr *))
{
	struct addr b;
	struct buf text;

	buf_init(&text, 128);
	add(&text, a);
	check(buf_ok(&text));
	check(parse(buf_str(&text), addr_port(a), &b) == 0);
	check(addr_same_host(a, &b) && addr_port(a) == addr_port(&b));
	check(addr_key(a) == addr_key(&b) && addr_key(a) != 0);
	buf_free(&text);
}

/* The same address by another way, with another port, as limits count it. */
static void
otherwise(struct addr *a)
{
	struct addr b = addr_from(addr_family(a), addr_octets(a), 7);
	struct buf text;

	check(addr_octets(&b) != NULL && addr_port(&b) == 7);
	addr_set_port(a, 7);
	check(addr_port(a) == 7 && addr_same_host(a, a));
	check(addr_key(&b) == addr_key(a));
	check(!addr_is_loopback(a) || addr_is_self_like(a));
	buf_init(&text, 128);
	addr_add_key(&text, addr_key(a));
	check(buf_ok(&text) && text.n > 0);
	buf_free(&text);
}

/* A socket's path: short enough, or refused. */
static void
as_path(struct str s)
{
	struct addr a, none = { .len = 0 };
	char path[256];
	struct buf text;

	s = str_head(s, sizeof(path) - 1);
	memcpy(path, s.p, s.n);
	path[s.n] = '\0';
	if (addr_unix(path, &a) < 0)
		return;
	check(strlen(path) > 0 && strlen(path) < 108);
	check(addr_octets(&a) == NULL && addr_key(&a) == 0 && addr_port(&a) == 0);
	check(!addr_is_self_like(&a) && !addr_same_host(&a, &a));
	addr_set_port(&a, 25);
	buf_init(&text, 128);
	addr_add(&text, &a);
	addr_add(&text, &none);
	check(str_eq(buf_str(&text), STR("unixunknown")));
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = str_n((const char *)data, n);
	struct addr a;

	if (addr_parse(s, 25, &a) == 0)
		again(&a, addr_add, addr_parse);
	if (addr_parse_port(s, 25, &a) == 0)
		again(&a, addr_add_port, addr_parse_port);
	if (addr_from_literal(s, 25, &a) == 0)
		again(&a, addr_add_literal, addr_from_literal);
	if (addr_parse(s, 25, &a) == 0)
		otherwise(&a);
	as_path(s);
	return 0;
}
