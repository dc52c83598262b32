/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Addresses: what is read comes out and is read again as the same host.
 *
 * Parsers: net/addr.c.
 */

#include <stdlib.h>

#include "net/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

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
	return 0;
}
