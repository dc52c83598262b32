/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * order -- in which order hosts and their addresses are tried.
 *
 * RFC 5321 5.1: by preference, in random order among equals, at least two
 * addresses where there are two.  So many are tried for one attempt, and no
 * host takes all of them if there is another.  Of a host with IPv6 and IPv4
 * both have their chance (RFC 8305 4).
 */

#include "hosts.h"

#include <strings.h>

void
hosts_order(const struct host *hosts, size_t n,
    uint32_t (*random)(uint32_t below), size_t *order)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = 0; i < n; i++) {
		size_t best = i;
		uint32_t equal = 1;

		for (size_t k = i + 1; k < n; k++) {
			unsigned p = hosts[order[k]].preference;
			unsigned q = hosts[order[best]].preference;

			if (p == q && random(++equal) == 0)
				best = k;
			if (p < q) {
				best = k;
				equal = 1;
			}
		}
		size_t chosen = order[best];

		order[best] = order[i];
		order[i] = chosen;
	}
}

/* Of each host: two at least, as the first may be of a family that fails. */
static size_t
share(size_t n, size_t max)
{
	size_t most = n > 0 ? (max + n - 1) / n : max;

	return most > 2 ? most : 2;
}

static bool
is_wanted(const struct choice *c, const struct addr *a)
{
	return addr_family(a) == AF_INET ? !c->no_ipv4 :
	    addr_family(a) == AF_INET6	 ? !c->no_ipv6 :
					   true;
}

static void
add_hops(const struct host *h, const struct choice *c, bool late,
    size_t *left, struct hop *hops, size_t *n)
{
	for (size_t i = 0; i < h->addr_n && *left > 0 && *n < c->max; i++) {
		const struct addr *a = &h->addr[i];
		struct hop *hop;

		if (!is_wanted(c, a) ||
		    (c->late != AF_UNSPEC && addr_family(a) == c->late) != late)
			continue;
		hop = &hops[(*n)++];
		*hop = (struct hop){ .addr = *a, .server = h->server,
			.fallback = h->fallback, .tls = h->tls,
			.dane = h->dane };
		memcpy(hop->host, h->name, sizeof(hop->host));
		(*left)--;
	}
}

size_t
hosts_hops(const struct host *hosts, const size_t *order, size_t n,
    const struct choice *choice, struct hop *hops)
{
	size_t hop_n = 0;

	for (size_t i = 0; i < n; i++) {
		size_t left = share(n, choice->max);

		add_hops(&hosts[order[i]], choice, false, &left, hops, &hop_n);
		add_hops(&hosts[order[i]], choice, true, &left, hops, &hop_n);
	}
	return hop_n;
}

/* The next of IN that is of FAMILY (or is not, unless SAME), from AT on. */
static size_t
next_of(const struct addr *in, size_t n, size_t at, int family, bool same)
{
	while (at < n && (addr_family(&in[at]) == family) != same)
		at++;
	return at;
}

size_t
hosts_mix(const struct addr *in, size_t n, struct addr *out, size_t max)
{
	int family = n > 0 ? addr_family(&in[0]) : AF_UNSPEC;
	size_t at[2], k = 0;
	bool same = true;

	at[1] = next_of(in, n, 0, family, true);
	at[0] = next_of(in, n, 0, family, false);
	while (k < max && (at[0] < n || at[1] < n)) {
		if (at[same] < n) {
			out[k++] = in[at[same]];
			at[same] = next_of(in, n, at[same] + 1, family, same);
		}
		same = !same;
	}
	return k;
}

/* By preference, then by name: the order of a key. */
static bool
before(const struct host *a, const struct host *b)
{
	if (a->preference != b->preference)
		return a->preference < b->preference;
	return strcasecmp(a->name, b->name) < 0;
}

/*
 * A connection is for those alone who demand of the host what it was held
 * against; a certificate may have been good for one domain only.
 */
static void
add_tls(const struct host *h, struct buf *b)
{
	bool anchors = false;

	if (h->tls.demand <= TLS_DEMAND_MAY && !h->tls.tell &&
	    h->tls.demand != TLS_DEMAND_SKIP)
		return;
	buf_addf(b, "/%d%s", (int)h->tls.demand, h->tls.tell ? "t" : "");
	if (h->dane == NULL)
		return;
	for (size_t i = 0; i < h->dane->tlsa_n; i++)
		anchors = anchors || h->dane->tlsa[i].usage == 2;
	if (anchors && h->dane->others[0] != NULL)
		buf_addf(b, "@%s", h->dane->others[0]);
}

void
hosts_key(const struct host *hosts, size_t n, struct buf *b)
{
	const struct host *last = NULL;

	for (size_t left = n; left > 0; left--) {
		const struct host *next = NULL;

		for (size_t i = 0; i < n; i++)
			if (!hosts[i].fallback &&
			    (last == NULL || before(last, &hosts[i])) &&
			    (next == NULL || before(&hosts[i], next)))
				next = &hosts[i];
		/* One that stands twice. */
		if (next == NULL)
			return;
		if (last != NULL)
			buf_addc(b, last->preference < next->preference ? '<' : ',');
		for (const char *p = next->name; *p != '\0'; p++)
			buf_addc(b, *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p);
		add_tls(next, b);
		last = next;
	}
}
