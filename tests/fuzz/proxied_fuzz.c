/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-06.  A header that a proxy may have sent, octet for octet: nothing is taken
 * behind its end, all at once and in parts are the same, and a client that is
 * known has an address.
 *
 * Parsers: net/proxied.c.
 */

#include "fuzz.h"

#include "net/proxied.h"

/* The same octets in parts that they say themselves. */
static enum proxied_result
in_parts(struct proxied *p, struct str in, size_t *all)
{
	enum proxied_result r = PROXIED_MORE;

	proxied_init(p);
	*all = 0;
	while (r == PROXIED_MORE && in.n > 0) {
		size_t part = 1 + (unsigned char)in.p[0] % in.n, taken;

		r = proxied_input(p, str_head(in, part), &taken);
		check(taken > 0 && taken <= part);
		check(r != PROXIED_MORE || taken == part);
		*all += taken;
		in = str_skip(in, taken);
	}
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct proxied whole, parts;
	struct str in = str_n((const char *)data, n);
	enum proxied_result r;
	size_t taken, sum;

	proxied_init(&whole);
	r = proxied_input(&whole, in, &taken);
	check(taken <= n && taken == whole.n);
	check(r != PROXIED_MORE || taken == n);
	check(in_parts(&parts, in, &sum) == r);
	/* What is none is seen sooner where it comes in smaller parts. */
	check(r == PROXIED_BAD || sum == taken);
	if (r != PROXIED_DONE)
		return 0;
	check(proxied_begins(in));
	check(whole.known == parts.known && whole.own == parts.own);
	check(!whole.known || !whole.own);
	if (whole.known) {
		check(addr_octets(&whole.client) != NULL);
		check(addr_octets(&whole.target) != NULL);
		check(addr_same_host(&whole.client, &parts.client));
		check(addr_port(&whole.client) == addr_port(&parts.client));
	}
	return 0;
}
