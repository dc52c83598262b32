/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dmarc_rua -- where a record of DMARC wants its reports.
 *
 * A stranger wrote it: an address counts only if it can be one of SMTP, with a
 * domain of DNS.  "!10m" behind it is from RFC 7489; RFC 9990 2.6 still heeds it.
 */

#include "mail/dmarc_rua.h"

#define SCHEME STR("mailto:")
#define ADDRESS_MAX 512
/* Above that a limit is none. */
#define SIZE_MAX_OCTETS (UINT64_C(1) << 50)

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

/* "10m".  False: it is no size. */
static bool
size_of(struct str s, uint64_t *most)
{
	static const char units[] = "kmgt";
	unsigned shift = 0;

	if (s.n == 0)
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (char_lower(s.p[s.n - 1]) == units[i])
			shift = 10 * (i + 1);
	if (shift > 0)
		s.n--;
	if (str_u64(s, SIZE_MAX_OCTETS >> shift, most) < 0)
		return false;
	*most <<= shift;
	return true;
}

static bool
take(struct str uri, struct arena *a, struct dmarc_rua *r)
{
	char space[ADDRESS_MAX];
	struct str size, query;
	ptrdiff_t at;
	struct buf b;

	*r = (struct dmarc_rua){ .most = 0 };
	uri = str_trim(uri);
	if (!str_istarts(uri, SCHEME))
		return false;
	uri = str_skip(uri, SCHEME.n);
	at = str_rfind(uri, '!');
	if (at >= 0) {
		size = str_skip(uri, (size_t)at + 1);
		uri.n = (size_t)at;
		if (!size_of(size, &r->most))
			return false;
	}
	/* Fields that the message should have, which it has of its own. */
	(void)str_cut(uri, '?', &uri, &query);
	buf_init_in(&b, space, sizeof(space));
	return decode(uri, &b) &&
	    path_parse_addr(buf_str(&b), 0, a, &r->address) == NULL &&
	    domain_valid(r->address.domain);
}

size_t
dmarc_rua_parse(struct str list, struct arena *a, struct dmarc_rua v[DMARC_RUA_MAX])
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
