/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * name -- the small grammars of values: hosts, addresses, networks, paths.
 *
 * Pure.  Nothing is looked up.
 */

#include <arpa/inet.h>
#include <netinet/in.h>

#include "private.h"

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

static bool
is_digits(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

static bool
is_label(struct str s)
{
	size_t i;

	if (s.n == 0 || s.n > 63 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '-')
			return false;
	return true;
}

/* The text as an address of FAMILY; inet_pton wants a C string. */
static bool
to_ip(struct str s, int family, unsigned char addr[16])
{
	char text[INET6_ADDRSTRLEN];

	if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(family, text, addr) == 1;
}

bool
conf_name_is_ip(struct str s)
{
	unsigned char addr[16];

	return to_ip(s, AF_INET, addr) || to_ip(s, AF_INET6, addr);
}

bool
conf_name_is_host(struct str s)
{
	struct str label = s, rest = s;
	bool more = true;

	if (s.n == 0 || s.n > 253)
		return false;
	while (more) {
		more = str_cut(rest, '.', &label, &rest);
		if (!is_label(label))
			return false;
	}
	/* RFC 1123 2.1: what reads as an address or as half of one is no name. */
	return !is_digits(label);
}

bool
conf_name_is_domain(struct str s)
{
	unsigned char addr[16];

	if (s.n < 2 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return conf_name_is_host(s);
	s = str_n(s.p + 1, s.n - 2);
	if (str_istarts(s, STR("IPv6:")))
		return to_ip(str_skip(s, 5), AF_INET6, addr);
	return to_ip(s, AF_INET, addr);
}

bool
conf_name_is_mailbox(struct str s)
{
	ptrdiff_t at = str_rfind(s, '@'), i;

	if (at <= 0 || at > 64 ||
	    !conf_name_is_domain(str_skip(s, (size_t)at + 1)))
		return false;
	/* RFC 5321 4.1.2 Dot-string, without the dots' places. */
	for (i = 0; i < at; i++)
		if (!is_alnum(s.p[i]) &&
		    !strchr("!#$%&'*+-/=?^_`{|}~.", s.p[i]))
			return false;
	return s.p[0] != '.' && s.p[at - 1] != '.';
}

bool
conf_name_is_path(struct str s)
{
	struct str part, rest = s;
	bool more = true;

	if (s.n == 0 || s.p[0] != '/' || s.n > 4000 || str_has_ctl(s))
		return false;
	while (more) {
		more = str_cut(rest, '/', &part, &rest);
		if (str_eq(part, STR(".")) || str_eq(part, STR("..")))
			return false;
	}
	return true;
}

bool
conf_name_is_word(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && !strchr("-_.", s.p[i]))
			return false;
	return s.n > 0 && s.p[0] != '-';
}

bool
conf_name_is_ip_port(struct str s)
{
	unsigned char addr[16];
	struct str host, port;
	uint64_t n;

	if (conf_name_is_ip(s))
		return true;
	if (s.n > 0 && s.p[0] == '[') {
		if (!str_cut(str_skip(s, 1), ']', &host, &port) ||
		    !to_ip(host, AF_INET6, addr))
			return false;
		if (port.n == 0)
			return true;
		if (port.p[0] != ':')
			return false;
		port = str_skip(port, 1);
	} else if (!str_cut(s, ':', &host, &port) ||
	    !to_ip(host, AF_INET, addr)) {
		return false;
	}
	return str_u64(port, 65535, &n) == 0 && n > 0;
}

static const unsigned char mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

bool
conf_nets_have(const struct conf_nets *nets, int family, const void *addr)
{
	const unsigned char *a = addr;
	size_t i;

	if (family == AF_INET6 && memcmp(a, mapped_prefix, 12) == 0) {
		family = AF_INET;
		a += 12;
	}
	for (i = 0; i < nets->n; i++)
		if (ip_range_has(&nets->v[i], family, a))
			return true;
	return false;
}
