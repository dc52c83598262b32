/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * public -- which addresses are anybody's.
 *
 * A name that somebody else chose must not lead into our own network: not to
 * the loopback, not to private or link-local addresses, and not by way of an
 * IPv6 address that has one of these inside.  What is reserved for
 * documentation or for later is nobody's, either.
 */

#include "fetch/fetch.h"

struct net {
	unsigned char octets[16];
	unsigned bits;
};

/* RFC 6890 2.2.2, RFC 6598, RFC 5771. */
static const struct net nets4[] = {
	{ { 0 }, 8 },
	{ { 10 }, 8 },
	{ { 100, 64 }, 10 },
	{ { 127 }, 8 },
	{ { 169, 254 }, 16 },
	{ { 172, 16 }, 12 },
	{ { 192, 0, 0 }, 24 },
	{ { 192, 0, 2 }, 24 },
	{ { 192, 88, 99 }, 24 },
	{ { 192, 168 }, 16 },
	{ { 198, 18 }, 15 },
	{ { 198, 51, 100 }, 24 },
	{ { 203, 0, 113 }, 24 },
	{ { 224 }, 3 },
};

/* RFC 6890 2.2.3; only 2000::/3 is given out, and not all of it. */
static const struct net nets6[] = {
	{ { 0x20, 0x01, 0x00 }, 23 },
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 },
	{ { 0x3f, 0xff, 0x00 }, 20 },
};

static bool
is_in(const struct net *net, const unsigned char *p)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (memcmp(net->octets, p, whole) != 0)
		return false;
	return rest == 0 ||
	    ((net->octets[whole] ^ p[whole]) >> (8 - rest)) == 0;
}

static bool
is_public4(const unsigned char *p)
{
	for (size_t i = 0; i < ARRAY_LEN(nets4); i++)
		if (is_in(&nets4[i], p))
			return false;
	return true;
}

static bool
is_public6(const unsigned char *p)
{
	static const unsigned char nat64[12] = { 0x00, 0x64, 0xff, 0x9b };

	/* RFC 6052 2.1, RFC 3056 2: they lead to the address inside. */
	if (memcmp(p, nat64, sizeof(nat64)) == 0)
		return is_public4(p + 12);
	if (p[0] == 0x20 && p[1] == 0x02)
		return is_public4(p + 2);
	if ((p[0] & 0xe0) != 0x20)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(nets6); i++)
		if (is_in(&nets6[i], p))
			return false;
	return true;
}

bool
addr_is_public(const struct addr *a)
{
	const unsigned char *p = addr_octets(a);

	if (p == NULL)
		return false;
	/* One that is mapped (::ffff:0:0/96) is IPv4 by the time it is here. */
	return addr_family(a) == AF_INET ? is_public4(p) : is_public6(p);
}
