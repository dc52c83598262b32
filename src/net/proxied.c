/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * proxied -- reads the PROXY header, versions 1 and 2.
 *
 * Pure: bytes in, two addresses out.  It takes not one octet behind the
 * header, which may be the first of a TLS handshake.  A header is right as a
 * whole or not at all: an address of the wrong kind, a port with a sign, a
 * TLV that reaches beyond the end make the connection worthless, since who
 * sends them may not be the proxy.  What TLVs say is not looked at.
 *
 * What is no TCP connection over IP (UNKNOWN, UNSPEC, a unix socket) has no
 * client address; that is not an error, but nobody in particular.
 */

#include "net/proxied.h"

#define V1_START STR("PROXY ")
static const unsigned char v2_start[12] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
	0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };

/* The two halves of octet 13, and octet 14. */
enum { VERSION_2 = 2, COMMAND_LOCAL = 0, COMMAND_PROXY = 1 };
enum { FAMILY_UNSPEC = 0, FAMILY_IPV4 = 1, FAMILY_IPV6 = 2, FAMILY_UNIX = 3 };
enum { TRANSPORT_UNSPEC = 0, TRANSPORT_STREAM = 1 };
#define UNIX_ADDRESSES 216

void
proxied_init(struct proxied *p)
{
	p->n = 0;
	p->known = p->own = false;
	p->client.len = p->target.len = 0;
}

bool
proxied_begins(struct str bytes)
{
	return str_starts(bytes, V1_START) ||
	    (bytes.n >= sizeof(v2_start) &&
		memcmp(bytes.p, v2_start, sizeof(v2_start)) == 0);
}

/* ---- version 1 ------------------------------------------------------------ */

/*
 * An address spelled as SIX says, and nothing else: no brackets, no zone.  An
 * IPv4 address in the clothes of IPv6 is one of IPv4 from here on.
 */
static bool
take_address(struct str *rest, bool six, struct addr *a)
{
	struct str word;

	return str_cut(*rest, ' ', &word, rest) &&
	    (str_find(word, ':') >= 0) == six && str_find(word, '[') < 0 &&
	    str_find(word, '%') < 0 && addr_parse(word, 0, a) == 0;
}

static bool
set_port(struct str word, struct addr *a)
{
	uint64_t port;

	if (word.n == 0 || word.n > 5 || str_u64(word, 65535, &port) < 0 ||
	    (word.n > 1 && word.p[0] == '0'))
		return false;
	addr_set_port(a, (uint16_t)port);
	return true;
}

/* "TCP4 192.0.2.1 192.0.2.25 40000 25" */
static bool
parse_v1(struct proxied *p, struct str line)
{
	struct str kind, port;
	bool six;

	if (str_eq(line, STR("UNKNOWN")) ||
	    str_starts(line, STR("UNKNOWN ")))
		return true;
	if (!str_cut(line, ' ', &kind, &line))
		return false;
	six = str_eq(kind, STR("TCP6"));
	if (!six && !str_eq(kind, STR("TCP4")))
		return false;
	p->known = take_address(&line, six, &p->client) &&
	    take_address(&line, six, &p->target) &&
	    str_cut(line, ' ', &port, &line) && set_port(port, &p->client) &&
	    set_port(line, &p->target);
	return p->known;
}

static enum proxied_result
step_v1(struct proxied *p)
{
	struct str line = str_n((const char *)p->in, p->n);

	if (line.p[line.n - 1] != '\n')
		return line.n < PROXIED_V1_MAX ? PROXIED_MORE : PROXIED_BAD;
	if (!str_ends(line, STR("\r\n")))
		return PROXIED_BAD;
	line = str_skip(str_head(line, line.n - 2), V1_START.n);
	return !str_has_ctl(line) && parse_v1(p, line) ? PROXIED_DONE :
							 PROXIED_BAD;
}

/* ---- version 2 ------------------------------------------------------------ */

static size_t
get16(const unsigned char *p)
{
	return (size_t)p[0] << 8 | p[1];
}

/* Type, length in two octets, value: to the end, and not beyond. */
static bool
tlvs_valid(const unsigned char *p, size_t n)
{
	while (n > 0) {
		size_t size;

		if (n < 3)
			return false;
		size = 3 + get16(p + 1);
		if (size > n)
			return false;
		p += size;
		n -= size;
	}
	return true;
}

/* Both addresses, then both ports; the size of that, or 0 if it is not there. */
static size_t
take_pair(struct proxied *p, int family, size_t n)
{
	size_t octets = family == AF_INET ? 4 : 16, size = 2 * octets + 4;
	const unsigned char *at = p->in + PROXIED_V2_FIXED;

	if (n < size)
		return 0;
	p->known = true;
	p->client = addr_from(family, at, (uint16_t)get16(at + 2 * octets));
	p->target = addr_from(family, at + octets,
	    (uint16_t)get16(at + 2 * octets + 2));
	return size;
}

/* The size of the addresses in the N octets behind the fixed part; -1: wrong. */
static ptrdiff_t
take_addresses(struct proxied *p, size_t n)
{
	unsigned family = p->in[13] >> 4, transport = p->in[13] & 15;
	size_t size = 0;

	if (family == FAMILY_UNSPEC && transport == TRANSPORT_UNSPEC)
		return (ptrdiff_t)n;
	if (transport != TRANSPORT_STREAM)
		return -1;
	if (family == FAMILY_IPV4)
		size = take_pair(p, AF_INET, n);
	else if (family == FAMILY_IPV6)
		size = take_pair(p, AF_INET6, n);
	else if (family == FAMILY_UNIX && n >= UNIX_ADDRESSES)
		size = UNIX_ADDRESSES;
	return size > 0 ? (ptrdiff_t)size : -1;
}

static enum proxied_result
step_v2(struct proxied *p)
{
	const unsigned char *body = p->in + PROXIED_V2_FIXED;
	unsigned command = p->in[12] & 15;
	size_t n = get16(p->in + 14);
	ptrdiff_t addresses;

	if (p->in[12] >> 4 != VERSION_2 || command > COMMAND_PROXY ||
	    n > PROXIED_V2_MAX)
		return PROXIED_BAD;
	if (p->n < PROXIED_V2_FIXED + n)
		return PROXIED_MORE;
	p->own = command == COMMAND_LOCAL;
	/* What stands there then means nothing. */
	if (p->own)
		return PROXIED_DONE;
	addresses = take_addresses(p, n);
	if (addresses < 0 ||
	    !tlvs_valid(body + addresses, n - (size_t)addresses))
		return PROXIED_BAD;
	return PROXIED_DONE;
}

/* ---- both ----------------------------------------------------------------- */

/* True as long as what is there may become such a header. */
static bool
may_begin(const struct proxied *p)
{
	struct str start = V1_START;
	size_t n = p->n < start.n ? p->n : start.n;

	if (memcmp(p->in, start.p, n) == 0)
		return true;
	n = p->n < sizeof(v2_start) ? p->n : sizeof(v2_start);
	return memcmp(p->in, v2_start, n) == 0;
}

/* How many octets the header has at least, seeing what is there. */
static size_t
wanted(const struct proxied *p)
{
	if (p->n > 0 && p->in[0] == v2_start[0])
		return p->n < PROXIED_V2_FIXED ?
		    PROXIED_V2_FIXED :
		    PROXIED_V2_FIXED + get16(p->in + 14);
	/* A line has its end where it has it. */
	return p->n + 1;
}

static enum proxied_result
step(struct proxied *p)
{
	if (!may_begin(p))
		return PROXIED_BAD;
	if (p->in[0] != v2_start[0])
		return step_v1(p);
	return p->n < PROXIED_V2_FIXED ? PROXIED_MORE : step_v2(p);
}

enum proxied_result
proxied_input(struct proxied *p, struct str bytes, size_t *taken)
{
	enum proxied_result r = PROXIED_MORE;

	*taken = 0;
	while (r == PROXIED_MORE && bytes.n > 0) {
		size_t n = wanted(p) - p->n;

		if (n > bytes.n)
			n = bytes.n;
		memcpy(p->in + p->n, bytes.p, n);
		p->n += n;
		*taken += n;
		bytes = str_skip(bytes, n);
		r = step(p);
	}
	return r;
}
