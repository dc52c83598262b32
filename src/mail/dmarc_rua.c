/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dmarc_rua -- where a record of DMARC wants its reports.
 *
 * A stranger wrote it: an address counts only if it can be one of SMTP, with a
 * domain of DNS.  "!10m" behind it is from RFC 7489, the most octets that it was to
 * get; RFC 9989 4.8 has it ignored.
 */

#include "mail/dmarc_rua.h"

#define SCHEME STR("mailto:")
#define ADDRESS_MAX 512

static int
hex(char c)
{
	c = char_lower(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3986 2.1.  False: a "%" is none. */
static bool
decode(struct str s, struct buf *b)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '%') {
			buf_addc(b, s.p[i]);
			continue;
		}
		if (s.n - i < 3 || hex(s.p[i + 1]) < 0 || hex(s.p[i + 2]) < 0)
			return false;
		buf_addc(b, (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2])));
		i += 2;
	}
	return buf_ok(b);
}

/* "10m" */
static bool
is_size(struct str s)
{
	if (s.n > 1 && strchr("kmgt", char_lower(s.p[s.n - 1])) != NULL)
		s.n--;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

static bool
take(struct str uri, struct arena *a, struct path *address)
{
	char space[ADDRESS_MAX];
	struct str query;
	ptrdiff_t at;
	struct buf b;

	uri = str_trim(uri);
	if (!str_istarts(uri, SCHEME))
		return false;
	uri = str_skip(uri, SCHEME.n);
	at = str_rfind(uri, '!');
	if (at >= 0) {
		if (!is_size(str_skip(uri, (size_t)at + 1)))
			return false;
		uri.n = (size_t)at;
	}
	/* Fields that the message should have, which it has of its own. */
	(void)str_cut(uri, '?', &uri, &query);
	buf_init_in(&b, space, sizeof(space));
	return decode(uri, &b) &&
	    path_parse_addr(buf_str(&b), 0, a, address) == NULL &&
	    domain_valid(address->domain);
}

size_t
dmarc_rua_parse(struct str list, struct arena *a, struct path v[DMARC_RUA_MAX])
{
	struct str one;
	size_t n = 0;

	while (list.n > 0 && n < DMARC_RUA_MAX) {
		(void)str_cut(list, ',', &one, &list);
		if (take(one, a, &v[n]))
			n++;
	}
	return n;
}
