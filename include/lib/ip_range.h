/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_IP_RANGE_H
#define LIB_IP_RANGE_H

/*
 * ip_range -- addresses from one to another: what a list of who may do
 * something has, and what is blocked.
 *
 *	192.0.2.1			an address
 *	192.0.2.0/24			a network
 *	192.0.2.0/255.255.255.0		the same
 *	192.0.2.*			the same: stars for whole octets at the end
 *	192.0.2.10-192.0.2.20		from one to the other, both included
 *	2001:db8::/32  [2001:db8::]/32  2001:db8::1-2001:db8::ff
 *
 * An IPv4 address in IPv6 clothes (RFC 4291 2.5.5.2) is the IPv4 address.
 */

#include "lib/buf.h"

struct ip_range {
	int family;	/* AF_INET, AF_INET6; AF_UNIX where sockets of this host may stand */
	unsigned char first[16], last[16];	/* network order, IPv4 in the first four */
};

/* Reads one of the above; NULL, or what is wrong: "is no network, expected ...". */
const char *ip_range_parse(struct str s, struct ip_range *r) MUST_USE;
/* The network of the first BITS of an address (4 or 16 octets); 128 is an address of both. */
struct ip_range ip_range_of(int family, const void *octets, unsigned bits);
/* As an address or a network if it is one, else from-to. */
void ip_range_add(struct buf *b, const struct ip_range *r);
/* True if the address (4 or 16 octets) is in R; of AF_UNIX it never is. */
bool ip_range_has(const struct ip_range *r, int family, const void *octets);
bool ip_range_is_one(const struct ip_range *r);	/* one address */
bool ip_range_same(const struct ip_range *a, const struct ip_range *b);

#endif
