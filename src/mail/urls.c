/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * urls -- the hosts that the URLs of a message lead to.
 *
 * What matters is whom a click would reach, not whether the URL is well formed: so
 * this follows what browsers do (WHATWG URL 4.4) with user names, percent signs,
 * backslashes and addresses in odd numbers.  Where it can be read in two ways, both
 * hosts are taken.  Nothing here is an error.
 */

#include "mail/urls.h"

#include <arpa/inet.h>

#include "grammar.h"
#include "mail/parts.h"
#include "mail/path.h"

/* Of a host before it is one: in UTF-8 it may be longer than its name. */
#define HOST_OCTETS 1024

struct find {
	struct urls *u;
	struct arena *a;
	struct buf plain;	/* of HTML: without entities */
};

/* ---- a host --------------------------------------------------------------------- */

static void
add(struct find *f, struct str host)
{
	for (size_t i = 0; i < f->u->n; i++)
		if (str_eq(f->u->host[i], host))
			return;
	if (f->u->n < URLS_MAX)
		f->u->host[f->u->n++] = arena_str(f->a, host);
}

static int
digit_of(char c)
{
	c = char_lower(c);
	return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* One number of an address: 10, 0x0a or 012, at most MAX.  False: it is none. */
static bool
number(struct str s, uint64_t max, uint64_t *n)
{
	int base = 10;

	if (s.n == 0)
		return false;
	if (str_istarts(s, STR("0x"))) {
		base = 16;
		s = str_skip(s, 2);
	} else if (s.n > 1 && s.p[0] == '0') {
		base = 8;
	}
	*n = 0;
	for (size_t i = 0; i < s.n; i++) {
		int v = digit_of(s.p[i]);

		if (v >= base || (*n = *n * (unsigned)base + (unsigned)v) > max)
			return false;
	}
	return true;
}

/* One to four numbers, of which the last stands for all octets that are left. */
static bool
ipv4(struct str s, uint32_t *address)
{
	uint32_t sum = 0;
	unsigned octets = 0;
	struct str part;
	uint64_t n;

	while (str_cut(s, '.', &part, &s)) {
		if (octets == 3 || !number(part, 255, &n))
			return false;
		sum = sum << 8 | (uint32_t)n;
		octets++;
	}
	if (!number(part, UINT32_MAX >> 8 * octets, &n))
		return false;
	*address = octets == 0 ? (uint32_t)n : sum << 8 * (4 - octets) | (uint32_t)n;
	return true;
}

static void
add_ipv4(struct find *f, uint32_t v)
{
	struct buf b;

	buf_init(&b, 16);
	buf_addf(&b, "%u.%u.%u.%u", v >> 24, v >> 16 & 255, v >> 8 & 255, v & 255);
	add(f, buf_str(&b));
	buf_free(&b);
}

/* "2001:db8::1]...": what stands behind the bracket. */
static void
add_ipv6(struct find *f, struct str s)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char octets[16];

	(void)str_cut(s, ']', &s, &(struct str){ NULL, 0 });
	if (s.n >= sizeof(text) || memchr(s.p, '\0', s.n) != NULL)
		return;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(AF_INET6, text, octets) == 1 &&
	    inet_ntop(AF_INET6, octets, text, sizeof(text)) != NULL)
		add(f, str_c(text));
}

/* Dots of a sentence, and of what it is marked up with. */
static struct str
trim_end(struct str s)
{
	while (s.n > 0 && strchr(".-_", s.p[s.n - 1]) != NULL)
		s.n--;
	return s;
}

static size_t
ascii_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && !is_8bit(s.p[n]))
		n++;
	return n;
}

static void
add_name(struct find *f, struct str name)
{
	uint32_t address;
	struct buf host;

	name = trim_end(name);
	if (ipv4(name, &address)) {
		add_ipv4(f, address);
		return;
	}
	buf_init(&host, HOST_OCTETS);
	/* What is no part of a name, as a quotation mark behind it, is not ASCII either. */
	if (domain_add_host(&host, name) ||
	    domain_add_host(&host, trim_end(str_head(name, ascii_length(name)))))
		add(f, buf_str(&host));
	buf_free(&host);
}

static bool
is_host_char(char c)
{
	return is_alnum(c) || is_8bit(c) || c == '-' || c == '_' || c == '.';
}

/* The host at the start of S, percent signs decoded; the octets of it. */
static size_t
add_host(struct find *f, struct str s)
{
	char space[HOST_OCTETS];
	size_t n = 0, i = 0;

	if (s.n > 0 && s.p[0] == '[') {
		add_ipv6(f, str_skip(s, 1));
		return 1;
	}
	while (i < s.n && n < sizeof(space)) {
		bool coded = s.p[i] == '%' && s.n - i > 2 && digit_of(s.p[i + 1]) < 16 &&
		    digit_of(s.p[i + 2]) < 16;
		char c = s.p[i];

		if (coded)
			c = (char)(digit_of(s.p[i + 1]) * 16 + digit_of(s.p[i + 2]));
		if (!is_host_char(c))
			break;
		space[n++] = c;
		i += coded ? 3 : 1;
	}
	if (n < sizeof(space))
		add_name(f, str_n(space, n));
	return i;
}

/* ---- URLs in a text ----------------------------------------------------------------- */

/* What ends a host with all that may stand before it. */
static bool
ends_authority(char c)
{
	return c == ' ' || is_ctl(c) || strchr("/\\?#<>", c) != NULL;
}

/* "user@host:port", up to what ends it; a quote may end it, or be of the user's name. */
static void
add_authority(struct find *f, struct str s)
{
	size_t n = 0;
	ptrdiff_t at;

	while (n < s.n && !ends_authority(s.p[n]))
		n++;
	s = str_head(s, n);
	(void)add_host(f, s);
	if ((at = str_rfind(s, '@')) >= 0)
		(void)add_host(f, str_skip(s, (size_t)at + 1));
}

/* The octets of "http://" at the start of S, in whatever form; 0: there is none. */
static size_t
scheme(struct str s)
{
	size_t n = 4, slashes;

	if (!str_istarts(s, STR("http")))
		return 0;
	if (n < s.n && char_lower(s.p[n]) == 's')
		n++;
	if (n == s.n || s.p[n++] != ':')
		return 0;
	for (slashes = n; n < s.n && (s.p[n] == '/' || s.p[n] == '\\'); n++)
		;
	return n > slashes ? n : 0;
}

/*
 * No authority holds a slash, so that none of them reaches beyond the next URL, and
 * each octet is looked at a few times at most.
 */
static void
scan(struct find *f, struct str text)
{
	char before = ' ';

	while (text.n > 0 && f->u->n < URLS_MAX) {
		char c = char_lower(text.p[0]);
		size_t n = c == 'h' ? scheme(text) : 0;

		if (n > 0) {
			add_authority(f, str_skip(text, n));
			c = '/';
		} else if (c == 'w' && !is_host_char(before) && before != '@' &&
		    str_istarts(text, STR("www."))) {
			n = add_host(f, text);
		}
		text = str_skip(text, n > 0 ? n : 1);
		before = c;
	}
}

/* ---- HTML --------------------------------------------------------------------------- */

static void
add_utf8(struct buf *b, uint32_t c)
{
	if (c >= 0x10000) {
		buf_addc(b, (char)(0xf0 | c >> 18));
		buf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
	} else if (c >= 0x800) {
		buf_addc(b, (char)(0xe0 | c >> 12));
	} else if (c >= 0x80) {
		buf_addc(b, (char)(0xc0 | c >> 6));
	} else {
		buf_addc(b, (char)c);
		return;
	}
	if (c >= 0x800)
		buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
	buf_addc(b, (char)(0x80 | (c & 0x3f)));
}

/* "#46;" or "#x2e": the octets of it, 0: it is none. */
static size_t
numbered(struct buf *b, struct str s)
{
	size_t n = 1, first;
	int base = 10;
	uint32_t c = 0;

	if (n < s.n && char_lower(s.p[n]) == 'x') {
		base = 16;
		n++;
	}
	for (first = n; n < s.n && digit_of(s.p[n]) < base; n++)
		if (c <= 0x10ffff)
			c = c * (unsigned)base + (unsigned)digit_of(s.p[n]);
	if (n == first)
		return 0;
	add_utf8(b, c == 0 || c > 0x10ffff ? '?' : c);
	return n < s.n && s.p[n] == ';' ? n + 1 : n;
}

/* Those that can be part of a URL, or end one. */
static size_t
named(struct buf *b, struct str s)
{
	static const struct {
		struct str name;
		char c;
	} names[] = {
		{ { "amp;", 4 }, '&' }, { { "period;", 7 }, '.' }, { { "sol;", 4 }, '/' },
		{ { "colon;", 6 }, ':' }, { { "commat;", 7 }, '@' }, { { "lt;", 3 }, '<' },
		{ { "gt;", 3 }, '>' }, { { "quot;", 5 }, '"' }, { { "nbsp;", 5 }, ' ' },
		{ { "bsol;", 5 }, '\\' }, { { "lowbar;", 7 }, '_' }, { { "percnt;", 7 }, '%' },
		{ { "num;", 4 }, '#' }, { { "quest;", 6 }, '?' },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_starts(s, names[i].name)) {
			buf_addc(b, names[i].c);
			return names[i].name.n;
		}
	return 0;
}

/* HTML without its entities, which is no longer than it was. */
static void
decode(struct buf *b, struct str html)
{
	struct str before;
	bool more = true;

	while (more) {
		size_t n;

		more = str_cut(html, '&', &before, &html);
		buf_add(b, before);
		if (!more)
			break;
		n = html.n > 0 && html.p[0] == '#' ? numbered(b, html) : named(b, html);
		if (n == 0)
			buf_addc(b, '&');
		html = str_skip(html, n);
	}
}

/* ---- the message -------------------------------------------------------------------- */

static bool
on_part(void *arg, const struct part *p)
{
	struct find *f = arg;

	if (str_eq(p->type, STR("text/html"))) {
		buf_reset(&f->plain);
		decode(&f->plain, p->body);
		scan(f, buf_str(&f->plain));
	} else if (str_eq(p->type, STR("text/plain"))) {
		scan(f, p->body);
	}
	return f->u->n < URLS_MAX;
}

void
urls_find(struct urls *u, struct str message, struct arena *a)
{
	struct find f = { .u = u, .a = a };

	message = str_head(message, URLS_TEXT_MAX);
	buf_init(&f.plain, message.n + 16);
	parts_each(message, on_part, &f);
	buf_free(&f.plain);
}
