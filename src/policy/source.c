/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * source -- the address that mail leaves from.
 *
 * An address that was asked for is used or the mail waits; no other takes
 * its place.  Whether the host has it shows when it is bound.
 */

#include "policy/source.h"

static struct addr
addr_of(const struct ip_range *net)
{
	return addr_from(net->family, net->first, 0);
}

static bool
nets_have(const struct conf_nets *nets, const struct addr *a)
{
	const void *octets = addr_octets(a);

	return octets != NULL && conf_nets_have(nets, addr_family(a), octets);
}

/* The address of "192.0.2.1:25" or "[2001:db8::1]:25", as text without it. */
static struct str
without_port(struct str s)
{
	ptrdiff_t colon = str_rfind(s, ':');

	if (colon >= 0)
		s = str_head(s, (size_t)colon);
	if (s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = str_n(s.p + 1, s.n - 2);
	return s;
}

struct str
source_of(const struct conf *c, const struct conf_route *r,
    const struct mail_facts *f)
{
	struct str local = without_port(f->local);
	struct addr a;

	if (f->source.n > 0)
		return f->source;
	if (r != NULL && r->source[0] != '\0')
		return str_c(r->source);
	if (c->source.mappable.n > 0 && local.n > 0 &&
	    addr_parse(local, 0, &a) == 0 &&
	    nets_have(&c->source.mappable, &a) &&
	    !nets_have(&c->source.unmappable, &a))
		return local;
	return STR("");
}

/* "192.0.2.1,2001:db8::1" */
static bool
read_own(struct str s, struct source_set *set)
{
	struct str one;
	struct addr a;
	bool more = true;

	while (more) {
		more = str_cut(s, ',', &one, &s);
		if (set->n == CONF_OWN_SOURCES_MAX ||
		    addr_parse(str_trim(one), 0, &a) < 0)
			return false;
		set->own[set->n++] = ip_range_of(addr_family(&a), addr_octets(&a), 128);
	}
	return true;
}

bool
source_set(const struct conf *c, struct str s, struct source_set *set)
{
	const struct conf_nets *nets = s.n == 0 ? &c->source.addresses : NULL;

	*set = (struct source_set){ .v = set->own };
	for (size_t i = 0; i < c->pool_n && nets == NULL; i++)
		if (str_eq(str_c(c->pools[i].name), s))
			nets = &c->pools[i].addresses;
	if (nets == NULL)
		return read_own(s, set);
	set->v = nets->v;
	set->n = nets->n;
	return true;
}

bool
source_has(const struct source_set *set, struct str s)
{
	struct addr a;

	if (addr_parse(s, 0, &a) < 0)
		return false;
	for (size_t i = 0; i < set->n; i++) {
		struct addr own = addr_of(&set->v[i]);

		if (addr_same_host(&own, &a))
			return true;
	}
	return false;
}

size_t
source_count(const struct source_set *set, int family)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++)
		n += set->v[i].family == family;
	return n;
}

struct addr
source_pick(const struct source_set *set, int family, size_t turn)
{
	size_t n = source_count(set, family);

	if (n > 0)
		turn %= n;
	for (size_t i = 0; i < set->n; i++)
		if (set->v[i].family == family && turn-- == 0)
			return addr_of(&set->v[i]);
	return (struct addr){ .len = 0 };
}

/* ---- names ------------------------------------------------------------------------ */

/* True if L has this very address; "*" is none of its own. */
static bool
listens_on(const struct conf_listen *l, const struct addr *local)
{
	for (size_t i = 0; i < l->address.n; i++) {
		struct addr a;

		if (addr_parse(str_c(l->address.v[i]), 0, &a) == 0 &&
		    addr_same_host(&a, local))
			return true;
	}
	return false;
}

bool
source_is_named(const struct conf *c)
{
	if (c->source_name_n > 0)
		return true;
	for (size_t i = 0; i < c->listen_n; i++)
		if (c->listens[i].hostname[0] != '\0')
			return true;
	return false;
}

const struct conf_source_name *
source_name(const struct conf *c, const struct addr *a)
{
	for (size_t i = 0; i < c->source_name_n; i++) {
		struct addr named = addr_of(&c->source_names[i].net);

		if (addr_same_host(&named, a))
			return &c->source_names[i];
	}
	return NULL;
}

const char *
source_ehlo(const struct conf *c, const struct addr *local, const char *ehlo)
{
	const struct conf_source_name *name = source_name(c, local);

	if (name != NULL)
		return name->hostname;
	if (ehlo[0] != '\0')
		return ehlo;
	for (size_t i = 0; i < c->listen_n; i++)
		if (c->listens[i].hostname[0] != '\0' &&
		    c->listens[i].service < SERVICE_POP3 &&
		    listens_on(&c->listens[i], local))
			return c->listens[i].hostname;
	return c->hostname;
}
