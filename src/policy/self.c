/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * self -- the names and addresses behind which an MX connection would meet
 * ourselves.
 *
 * Mail that goes to one of them would come back (RFC 5321 5.1).  Known are
 * the listeners that have the port of MX hosts; one on all addresses means
 * all that the host has now.
 */

#include "policy/self.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include "lib/mem.h"
#include "net/listen.h"

#define SMTP_PORT 25

struct self {
	struct addr *v;
	size_t n, size;
	uint16_t port;
	bool any;	/* a listener has all addresses of a family */
};

static bool
is_unspecified(const struct addr *a)
{
	static const unsigned char zero[16];
	const void *octets = addr_octets(a);

	return octets != NULL &&
	    memcmp(octets, zero, addr_family(a) == AF_INET ? 4 : 16) == 0;
}

static void
add(void *arg, const struct addr *a)
{
	struct self *s = arg;

	if (is_unspecified(a)) {
		s->any = true;
		return;
	}
	if (s->n == s->size) {
		s->size = s->size ? s->size * 2 : 8;
		s->v = mem_grow(s->v, s->size, sizeof(*s->v));
	}
	s->v[s->n++] = *a;
}

/* What the host has on its interfaces; false: it does not say. */
static bool
add_host(struct self *s)
{
	struct ifaddrs *list;

	if (getifaddrs(&list) < 0)
		return false;
	for (struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
		struct addr a = { .len = 0 };

		if (i->ifa_addr == NULL)
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			a.len = sizeof(struct sockaddr_in);
		else if (i->ifa_addr->sa_family == AF_INET6)
			a.len = sizeof(struct sockaddr_in6);
		else
			continue;
		memcpy(&a.ss, i->ifa_addr, a.len);
		add(s, &a);
	}
	freeifaddrs(list);
	return true;
}

static bool
has_port(const struct conf_listen *l, uint16_t port)
{
	for (size_t i = 0; i < l->port.n; i++)
		if (l->port.v[i].first <= port && port <= l->port.v[i].last)
			return true;
	return false;
}

struct self *
self_new(const struct conf *c)
{
	struct self *s = mem_alloc(sizeof(*s));

	s->port = (uint16_t)c->smtp_port;
	for (size_t i = 0; i < c->listen_n; i++) {
		const struct conf_listen *l = &c->listens[i];

		if (l->service != SERVICE_SMTP || !has_port(l, s->port))
			continue;
		for (size_t k = 0; k < l->address.n; k++) {
			/* "unix:" and "fd:" are none that an MX could say. */
			if (strchr(l->address.v[k], ':') != NULL &&
			    (strncmp(l->address.v[k], "unix:", 5) == 0 ||
				strncmp(l->address.v[k], "fd:", 3) == 0))
				continue;
			if (listen_expand(l->address.v[k], s->port, add, s) < 0)
				continue;
		}
	}
	if (s->any)
		(void)!add_host(s);
	return s;
}

void
self_free(struct self *s)
{
	if (s == NULL)
		return;
	mem_free(s->v);
	mem_free(s);
}

bool
self_is(const struct self *s, const struct addr *a)
{
	if (is_unspecified(a))
		return true;
	/* On the real port, who else could be meant by the world? */
	if (addr_is_loopback(a) && (s->any || s->port == SMTP_PORT))
		return true;
	for (size_t i = 0; i < s->n; i++)
		if (addr_same_host(&s->v[i], a))
			return true;
	return false;
}

/* One of IPv6 that says one of IPv4, or ::1, or none. */
static bool
is_within_v4(const struct addr *a)
{
	static const unsigned char zero[10];
	const unsigned char *p = addr_octets(a);

	return addr_family(a) == AF_INET6 && memcmp(p, zero, sizeof(zero)) == 0 &&
	    p[10] == p[11] && (p[10] == 0 || p[10] == 0xff);
}

bool
self_is_here(const struct addr *a)
{
	struct self host = { .n = 0 };
	bool here = addr_family(a) == AF_UNIX || addr_is_self_like(a) || is_within_v4(a);

	if (here)
		return true;
	here = !add_host(&host);
	for (size_t i = 0; i < host.n; i++)
		here = here || addr_same_host(&host.v[i], a);
	mem_free(host.v);
	return here;
}

/* A link-local address means nothing without its link, and a group is no host. */
bool
self_ignores(const struct conf *c, const struct addr *a)
{
	const unsigned char *p = addr_octets(a);

	if (p == NULL)
		return false;
	if (addr_family(a) == AF_INET && p[0] >= 224)
		return true;
	if (addr_family(a) == AF_INET6 &&
	    (p[0] == 0xff || (p[0] == 0xfe && (p[1] & 0xc0) == 0x80)))
		return true;
	return conf_nets_have(&c->mx_ignore, addr_family(a), p);
}

/* RFC 6761 6.3: localhost is whoever says it. */
bool
self_has_name(const struct conf *c, struct str name)
{
	if (str_ieq(name, STR("localhost")) ||
	    str_iends(name, STR(".localhost")))
		return true;
	for (size_t i = 0; i < c->listen_n; i++)
		if (str_ieq(name, str_c(c->listens[i].hostname)))
			return true;
	return str_ieq(name, str_c(c->hostname));
}
