/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * override -- DNS as the configuration has it, and names that it is not
 * asked for.
 *
 * What the configuration says, as room net takes it.  An address without a
 * port has port 0: the usual one.
 */

#include "policy/override.h"

static void
override_all(const struct conf *c, struct dns *d)
{
	for (size_t i = 0; i < c->override_n; i++) {
		const struct conf_override *o = &c->overrides[i];
		struct addr v[DNS_OVERRIDE_MAX];
		size_t n = 0;

		for (size_t k = 0; k < o->addresses.n && n < ARRAY_LEN(v); k++)
			if (addr_parse_port(str_c(o->addresses.v[k]), 0,
				&v[n]) == 0)
				n++;
		dns_override(d, o->name, v, n);
	}
}

struct dns *
resolver_new(const struct conf *c, struct loop *l)
{
	const struct dns_options o = { .servers = c->dns.servers.v,
		.server_n = c->dns.servers.n,
		.timeout_ms = c->dns.timeout,
		.attempts = (unsigned)c->dns.attempts,
		.rotate = c->dns.rotate,
		.buffer = (int)c->dns.buffer };
	struct dns *d = dns_new(l, &o);

	if (d != NULL)
		override_all(c, d);
	return d;
}

bool
override_has(const struct conf *c, struct str name)
{
	for (size_t i = 0; i < c->override_n; i++)
		if (str_ieq(str_c(c->overrides[i].name), name))
			return true;
	return false;
}
