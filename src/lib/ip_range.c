/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * ip_range -- addresses from one to another, in words and as numbers.
 *
 * The one reader of networks that there is: the configuration, baridctl and
 * the file of blocks take the same forms.  Nothing is looked up, and nothing
 * is guessed: bits behind a prefix are a mistake, since one of the two is
 * not what was meant.
 */

#include "lib/ip_range.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const unsigned char mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

static unsigned
octets_of(int family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

/* ---- reading ---------------------------------------------------------------- */

/* S as an address, in brackets if it is IPv6 and likes to; its family, or 0. */
static int
read_address(struct str s, unsigned char octets[16])
{
	char text[INET6_ADDRSTRLEN];
	bool bracketed = s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']';

	if (bracketed)
		s = str_n(s.p + 1, s.n - 2);
	if (s.n == 0 || s.n >= sizeof(text) || str_find(s, '\0') >= 0)
		return 0;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	memset(octets, 0, 16);
	if (!bracketed && inet_pton(AF_INET, text, octets) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, text, octets) == 1 ? AF_INET6 : 0;
}

/* Sets the bits of P behind the first BITS; false: one of them was set. */
static bool
fill(unsigned char *p, unsigned bits, unsigned octets)
{
	bool clean = true;

	for (unsigned i = 0; i < octets; i++) {
		unsigned keep = bits > 8 * i ? bits - 8 * i : 0;
		unsigned char rest = keep >= 8 ? 0 : (unsigned char)(0xff >> keep);

		clean = clean && (p[i] & rest) == 0;
		p[i] = (unsigned char)(p[i] | rest);
	}
	return clean;
}

/* FEATURES L11: stars for whole octets at the end. */
static const char *
read_stars(struct str s, struct ip_range *r)
{
	static const char wrong[] = "is no network, expected stars for whole "
				    "octets at the end, as in 192.168.0.*";
	unsigned bits = 0;
	uint64_t octet;
	struct str part;

	r->family = AF_INET;
	for (unsigned i = 0; i < 4; i++) {
		if (str_cut(s, '.', &part, &s) != (i < 3))
			return wrong;
		if (str_eq(part, STR("*")))
			continue;
		if (bits != 8 * i || str_u64(part, 255, &octet) < 0)
			return wrong;
		r->first[i] = (unsigned char)octet;
		bits += 8;
	}
	memcpy(r->last, r->first, sizeof(r->last));
	(void)fill(r->last, bits, 4);
	return NULL;
}

/* "24", or "255.255.255.0" for IPv4; false: it is neither. */
static bool
read_length(struct str s, int family, unsigned *bits)
{
	unsigned char mask[16], again[16] = { 0 };
	uint64_t n;

	if (str_u64(s, 8 * octets_of(family), &n) == 0) {
		*bits = (unsigned)n;
		return true;
	}
	if (family != AF_INET || read_address(s, mask) != AF_INET)
		return false;
	for (*bits = 0; *bits < 32 && (mask[*bits / 8] & (0x80u >> *bits % 8)); ++*bits)
		again[*bits / 8] |= (unsigned char)(0x80u >> *bits % 8);
	return memcmp(mask, again, 4) == 0;
}

static const char *
read_network(struct str address, struct str length, struct ip_range *r)
{
	unsigned bits;

	r->family = read_address(address, r->first);
	if (r->family == 0)
		return "is no network, expected an address or address/bits";
	if (!read_length(length, r->family, &bits))
		return r->family == AF_INET ?
		    "has a bad prefix length, expected 0-32" :
		    "has a bad prefix length, expected 0-128";
	memcpy(r->last, r->first, sizeof(r->last));
	return fill(r->last, bits, octets_of(r->family)) ? NULL :
	    "has bits behind its prefix, expected the first address of the network";
}

static const char *
read_from_to(struct str from, struct str to, struct ip_range *r)
{
	r->family = read_address(str_trim(from), r->first);
	if (r->family == 0 || read_address(str_trim(to), r->last) != r->family)
		return "is no range, expected two addresses of one kind, as in "
		       "192.0.2.10-192.0.2.20";
	if (memcmp(r->first, r->last, sizeof(r->first)) > 0)
		return "is a range that ends before it begins, expected the "
		       "lower address first";
	return NULL;
}

/* Both ends are IPv4 then, or none is. */
static void
unmap(struct ip_range *r)
{
	if (r->family != AF_INET6 || memcmp(r->first, mapped_prefix, 12) != 0 ||
	    memcmp(r->last, mapped_prefix, 12) != 0)
		return;
	r->family = AF_INET;
	memmove(r->first, r->first + 12, 4);
	memmove(r->last, r->last + 12, 4);
	memset(r->first + 4, 0, 12);
	memset(r->last + 4, 0, 12);
}

const char *
ip_range_parse(struct str s, struct ip_range *r)
{
	struct str head, tail;
	const char *why = NULL;

	memset(r, 0, sizeof(*r));
	if (str_find(s, '*') >= 0)
		why = read_stars(s, r);
	else if (str_cut(s, '-', &head, &tail))
		why = read_from_to(head, tail, r);
	else if (str_cut(s, '/', &head, &tail))
		why = read_network(head, tail, r);
	else if ((r->family = read_address(s, r->first)) == 0)
		why = "is no network, expected an address or address/bits";
	else
		memcpy(r->last, r->first, sizeof(r->last));
	if (why == NULL)
		unmap(r);
	return why;
}

/* ---- what they are ------------------------------------------------------------ */

struct ip_range
ip_range_of(int family, const void *octets, unsigned bits)
{
	struct ip_range r = { .family = family };
	unsigned n = octets_of(family);

	memcpy(r.first, octets, n);
	/* Behind the prefix: all set, then none. */
	(void)fill(r.first, bits, n);
	memcpy(r.last, r.first, n);
	for (unsigned i = bits; i < 8 * n; i++)
		r.first[i / 8] &= (unsigned char)~(0x80u >> i % 8);
	return r;
}

bool
ip_range_has(const struct ip_range *r, int family, const void *octets)
{
	unsigned n = octets_of(family);

	return n > 0 && r->family == family && memcmp(r->first, octets, n) <= 0 &&
	    memcmp(octets, r->last, n) <= 0;
}

bool
ip_range_is_one(const struct ip_range *r)
{
	return octets_of(r->family) > 0 && memcmp(r->first, r->last, sizeof(r->first)) == 0;
}

bool
ip_range_same(const struct ip_range *a, const struct ip_range *b)
{
	return a->family == b->family && memcmp(a->first, b->first, sizeof(a->first)) == 0 &&
	    memcmp(a->last, b->last, sizeof(a->last)) == 0;
}

/* How long a prefix R is; more bits than there are: it is none. */
static unsigned
prefix_of(const struct ip_range *r)
{
	unsigned n = 8 * octets_of(r->family), bits = 0;
	struct ip_range net;

	while (bits < n && ((r->first[bits / 8] ^ r->last[bits / 8]) & (0x80u >> bits % 8)) == 0)
		bits++;
	net = ip_range_of(r->family, r->first, bits);
	return ip_range_same(&net, r) ? bits : n + 1;
}

static void
add_address(struct buf *b, int family, const unsigned char *octets)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(family, octets, text, sizeof(text)))
		buf_adds(b, text);
}

void
ip_range_add(struct buf *b, const struct ip_range *r)
{
	unsigned n = 8 * octets_of(r->family), bits = prefix_of(r);

	if (n == 0) {
		buf_adds(b, r->family == AF_UNIX ? "unix" : "");
		return;
	}
	add_address(b, r->family, r->first);
	if (bits < n)
		buf_addf(b, "/%u", bits);
	else if (bits > n) {
		buf_addc(b, '-');
		add_address(b, r->family, r->last);
	}
}
