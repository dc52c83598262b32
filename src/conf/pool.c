/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pool -- the addresses that mail leaves from, and their names.
 *
 * Whether this host has them is not looked up: an address that it has not,
 * or not yet, defers mail when it is used.
 */

#include <arpa/inet.h>

#include "private.h"

void
conf_pool_finish(struct conf *c)
{
	size_t i;

	for (i = 0; i < c->source_name_n; i++) {
		struct conf_source_name *s = &c->source_names[i];

		if (ip_range_parse(str_c(s->address), &s->net))
			s->net = (struct ip_range){ .family = AF_UNSPEC };
		if (s->socks[0] != '\0' &&
		    !conf_proxy_read(&c->arena, s->socks, &s->proxy))
			s->proxy.host = "";
	}
}

/* NETS, which is the option NAME, holds addresses only. */
static void
check_addresses(const struct conf *c, const struct conf_nets *nets,
    struct conf_place otherwise, const char *name, struct buf *error)
{
	struct buf text;
	size_t i;

	for (i = 0; i < nets->n; i++) {
		if (ip_range_is_one(&nets->v[i]))
			continue;
		buf_init(&text, 100);
		ip_range_add(&text, &nets->v[i]);
		conf_complain(error,
		    conf_where(c, &nets->v[i],
			conf_where(c, nets, otherwise)),
		    "%s: \"%s\" is a network, expected addresses", name,
		    buf_cstr(&text));
		buf_free(&text);
	}
}

/* An address is in one pool: its mail can be told by it. */
static void
check_shared(const struct conf *c, const struct conf_pool *p,
    const struct ip_range *net, struct buf *error)
{
	const struct conf_pool *other;
	struct buf text;
	size_t i;

	for (other = c->pools; other < p; other++) {
		for (i = 0; i < other->addresses.n; i++) {
			if (!ip_range_same(net, &other->addresses.v[i]))
				continue;
			buf_init(&text, 100);
			ip_range_add(&text, net);
			conf_complain(error,
			    conf_where(c, net,
				conf_where(c, &p->addresses, p->place)),
			    "pool.%s.addresses: %s is in pool \"%s\" already, "
			    "expected each address in one pool",
			    p->name, buf_cstr(&text), other->name);
			buf_free(&text);
		}
	}
}

static void
check_pool(const struct conf *c, const struct conf_pool *p, struct buf *error)
{
	struct buf name;
	size_t i;

	if (!conf_name_is_word(str_c(p->name)) ||
	    conf_name_is_ip(str_c(p->name)))
		conf_complain(error, p->place,
		    "pool: \"%s\" is no name of a pool, expected letters, "
		    "digits, \"-\", \"_\" and \".\"",
		    p->name);
	buf_init(&name, CONF_VALUE_MAX);
	buf_addf(&name, "pool.%s.addresses", p->name);
	if (p->addresses.n == 0)
		conf_complain(error, p->place,
		    "%s: none, expected at least one", buf_cstr(&name));
	check_addresses(c, &p->addresses, p->place, buf_cstr(&name), error);
	buf_free(&name);
	for (i = 0; i < p->addresses.n; i++)
		check_shared(c, p, &p->addresses.v[i], error);
}

void
conf_pool_check(const struct conf *c, struct buf *error)
{
	size_t i;

	check_addresses(c, &c->source.addresses, conf_place_top(c),
	    "source.addresses", error);
	for (i = 0; i < c->pool_n; i++)
		check_pool(c, &c->pools[i], error);
	for (i = 0; i < c->source_name_n; i++) {
		const struct conf_source_name *s = &c->source_names[i];

		if (!conf_name_is_ip(str_c(s->address)))
			conf_complain(error, s->place,
			    "source-name: \"%s\" is no address, expected one "
			    "such as 192.0.2.1 or 2001:db8::1",
			    s->address);
		if (!conf_name_is_host(str_c(s->hostname)))
			conf_complain(error,
			    conf_where(c, &s->hostname, s->place),
			    "source-name.%s.hostname: \"%s\" is no host name, "
			    "expected one such as \"mail.example.org\"",
			    s->address, s->hostname);
		/* Where it is must be known before anything is looked up. */
		if (s->socks[0] != '\0' &&
		    !conf_name_is_ip(str_c(s->proxy.host)))
			conf_complain(error,
			    conf_where(c, &s->socks, s->place),
			    "source-name.%s.socks: this is no proxy, expected "
			    "one with an address such as "
			    "\"socks5://192.0.2.1:1080\" or "
			    "\"http://user:password@192.0.2.1:3128\"%s",
			    s->address, s->proxy.wrong);
	}
}

const struct conf_pool *
conf_pool(const struct conf *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->pool_n; i++)
		if (strcmp(c->pools[i].name, name) == 0)
			return &c->pools[i];
	return NULL;
}
