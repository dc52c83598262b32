/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * path -- parsing and writing the addresses of an envelope.
 *
 * One pass over the text, no recursion; the local part is decoded into a
 * fixed array, since it may have 64 octets only.  Lengths are those of the
 * form that path_add() writes, so that what was accepted can be sent on and
 * parsed again with the same result.
 *
 * A path says nothing about whether its mailbox exists, nor is it fit to be
 * a file name: RFC 5321 allows "/" and a leading "-" in a local part.
 */

#include "mail/path.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "grammar.h"
#include "lib/idn.h"
#include "mail/limits.h"

/* A domain in UTF-8 may become longer; one that is this long is none. */
#define DOMAIN_FORM_MAX 1024

#define LABEL_MAX 63

static const char no_local[] = "the local part is empty";
static const char bad_local[] = "the local part is not well formed";
static const char bad_domain[] = "the domain is not well formed";
static const char long_local[] = "the local part is too long";
static const char long_path[] = "the address is too long";
static const char trailing[] = "there is text behind the address";

struct scan {
	struct str in;		/* what is left */
	unsigned flags;
	char local[MAIL_LOCAL_MAX];
	size_t local_n;
	struct str domain;
};

/* The next character of the input, or NUL at its end. */
static char
peek(const struct scan *s)
{
	return s->in.n > 0 ? s->in.p[0] : '\0';
}

static bool
take(struct scan *s, char c)
{
	if (s->in.n == 0 || s->in.p[0] != c)
		return false;
	s->in = str_skip(s->in, 1);
	return true;
}

/* What may stand in a path at all: printable, and 8-bit if allowed. */
static bool
is_printable(const struct scan *s, char c)
{
	if (is_8bit(c))
		return (s->flags & PATH_UTF8) != 0;
	return c >= ' ' && c < 0x7f;
}

/* Moves the next character to the local part. */
static const char *
keep_char(struct scan *s)
{
	if (s->in.n == 0 || !is_printable(s, s->in.p[0]))
		return bad_local;
	if (s->local_n == sizeof(s->local))
		return long_local;
	s->local[s->local_n++] = s->in.p[0];
	s->in = str_skip(s->in, 1);
	return NULL;
}

/* RFC 5321 4.1.2 Quoted-string. */
static const char *
scan_quoted(struct scan *s)
{
	const char *why = NULL;

	take(s, '"');
	while (why == NULL && !take(s, '"')) {
		/* A quoted pair is of ASCII, also in RFC 6531. */
		if (take(s, '\\') && is_8bit(peek(s)))
			return bad_local;
		why = keep_char(s);
	}
	return why;
}

/* RFC 5321 4.1.2 Dot-string. */
static const char *
scan_dots(struct scan *s)
{
	do {
		if (!is_atext(peek(s)))
			return bad_local;
		do {
			const char *why = keep_char(s);

			if (why != NULL)
				return why;
		} while (is_atext(peek(s)));
		if (peek(s) != '.')
			return NULL;
	} while (keep_char(s) == NULL);
	return long_local;
}

/* PATH_LOOSE: anything printable up to the "@". */
static const char *
scan_anything(struct scan *s)
{
	while (s->in.n > 0 && strchr("@<> ", s->in.p[0]) == NULL) {
		const char *why = keep_char(s);

		if (why != NULL)
			return why;
	}
	return NULL;
}

/* True if a local part cannot go on here. */
static bool
at_local_end(const struct scan *s)
{
	return s->in.n == 0 || strchr("@> ", peek(s)) != NULL;
}

static const char *
scan_local(struct scan *s)
{
	struct str start = s->in;
	const char *why;

	why = peek(s) == '"' ? scan_quoted(s) : scan_dots(s);
	if (why == NULL && !at_local_end(s))
		why = bad_local;
	if (why == bad_local && (s->flags & PATH_LOOSE) != 0) {
		s->in = start;
		s->local_n = 0;
		why = scan_anything(s);
	}
	if (why == NULL && s->local_n == 0)
		return no_local;
	return why;
}

/* A label of D at its start: its length, or 0 if it is none. */
static size_t
label_length(struct str d, bool utf8)
{
	size_t n = 0;
	bool ascii = true;

	while (n < d.n && d.p[n] != '.') {
		char c = d.p[n++];

		if (is_8bit(c))
			ascii = false;
		else if (!is_alnum(c) && c != '-' && c != '_')
			return 0;
	}
	if (n == 0 || d.p[0] == '-' || d.p[n - 1] == '-')
		return 0;
	return ascii ? (n <= LABEL_MAX ? n : 0) : (utf8 ? n : 0);
}

static bool
labels_valid(struct str d, bool utf8)
{
	if (d.n == 0 || d.n > MAIL_DOMAIN_MAX)
		return false;
	for (;;) {
		size_t n = label_length(d, utf8);

		if (n == 0)
			return false;
		if (n == d.n)
			return true;
		d = str_skip(d, n + 1);
	}
}

bool
domain_valid(struct str d)
{
	return labels_valid(d, false);
}

static bool
is_ip(int family, struct str s)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char addr[sizeof(struct in6_addr)];

	if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n) != NULL)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(family, text, addr) == 1;
}

/*
 * RFC 5321 4.1.3: [IPv4], [IPv6:address], [tag:content].  The content of a
 * general literal may not hold "/", which no use of one needs.
 */
bool
domain_is_literal(struct str d)
{
	struct str tag, content;

	if (d.n < 3 || d.n > MAIL_DOMAIN_MAX || d.p[0] != '[' ||
	    d.p[d.n - 1] != ']')
		return false;
	d = str_n(d.p + 1, d.n - 2);
	if (!str_cut(d, ':', &tag, &content))
		return is_ip(AF_INET, d);
	if (str_ieq(tag, STR("IPv6")))
		return is_ip(AF_INET6, content);
	for (size_t i = 0; i < tag.n; i++)
		if (!is_alnum(tag.p[i]) && tag.p[i] != '-')
			return false;
	for (size_t i = 0; i < content.n; i++)
		if (content.p[i] <= ' ' || content.p[i] >= 0x7f ||
		    strchr("[\\]/", content.p[i]) != NULL)
			return false;
	return tag.n > 0 && tag.p[tag.n - 1] != '-' && content.n > 0;
}

/* A domain or an address literal that ends before one of STOP. */
static const char *
scan_domain(struct scan *s, const char *stop, struct str *domain)
{
	size_t n = 0;

	if (peek(s) == '[') {
		ptrdiff_t close = str_find(s->in, ']');

		if (close < 0)
			return "the address literal is not closed";
		*domain = str_head(s->in, (size_t)close + 1);
		s->in = str_skip(s->in, domain->n);
		if (!domain_is_literal(*domain))
			return "the address literal is not well formed";
		return NULL;
	}
	while (n < s->in.n &&
	    (s->in.p[n] == '\0' || strchr(stop, s->in.p[n]) == NULL))
		n++;
	*domain = str_head(s->in, n);
	s->in = str_skip(s->in, n);
	if (n > MAIL_DOMAIN_MAX)
		return "the domain is too long";
	if (!labels_valid(*domain, (s->flags & PATH_UTF8) != 0))
		return bad_domain;
	return NULL;
}

/* RFC 5321 4.1.2 A-d-l: checked and forgotten (4.1.1.3, appendix C). */
static const char *
skip_route(struct scan *s)
{
	const char *why;
	struct str hop;

	if (peek(s) != '@')
		return NULL;
	do {
		if (!take(s, '@'))
			return "the source route is not well formed";
		if ((why = scan_domain(s, ",:> ", &hop)) != NULL)
			return why;
	} while (take(s, ','));
	return take(s, ':') ? NULL : "the source route is not well formed";
}

/* True if S is UTF-8 without the control characters U+0080 to U+009F. */
static bool
is_clean_utf8(struct str s)
{
	for (size_t i = 0; i + 1 < s.n; i++)
		if ((unsigned char)s.p[i] == 0xc2 &&
		    (unsigned char)s.p[i + 1] < 0xa0)
			return false;
	return str_is_utf8(s);
}

static bool
needs_quotes(struct str local)
{
	bool dot = true;

	for (size_t i = 0; i < local.n; i++) {
		if (local.p[i] == '.' ? dot : !is_atext(local.p[i]))
			return true;
		dot = local.p[i] == '.';
	}
	return dot;
}

static bool
is_escaped(char c)
{
	return c == '"' || c == '\\';
}

/* The octets of a local part in its shortest written form. */
static size_t
local_length(struct str local)
{
	size_t n = local.n;

	if (!needs_quotes(local))
		return n;
	for (size_t i = 0; i < local.n; i++)
		n += is_escaped(local.p[i]);
	return n + 2;
}

static const char *
check_lengths(struct str local, struct str domain)
{
	size_t n = local_length(local);

	if (n > MAIL_LOCAL_MAX)
		return long_local;
	/* RFC 5321 4.5.3.1.3 counts the brackets. */
	if (n + (domain.n > 0 ? 1 + domain.n : 0) + 2 > MAIL_PATH_MAX)
		return long_path;
	return NULL;
}

static const char *
check_utf8(struct str local, struct str domain)
{
	if ((str_has_8bit(local) && !is_clean_utf8(local)) ||
	    (str_has_8bit(domain) && !is_clean_utf8(domain)))
		return "the address is not UTF-8";
	return NULL;
}

static const char *
check_mailbox(const struct scan *s)
{
	struct str local = str_n(s->local, s->local_n);
	const char *why = check_utf8(local, s->domain);

	if (why != NULL)
		return why;
	if (s->domain.n == 0 && (s->flags & PATH_BARE) == 0 &&
	    !((s->flags & PATH_POSTMASTER) != 0 &&
	    str_ieq(local, STR("postmaster"))))
		return "the domain is missing";
	return check_lengths(local, s->domain);
}

/* Mailbox, with a source route before it. */
static const char *
scan_mailbox(struct scan *s)
{
	const char *why;

	if ((why = skip_route(s)) != NULL || (why = scan_local(s)) != NULL)
		return why;
	if (take(s, '@') &&
	    (why = scan_domain(s, "> ", &s->domain)) != NULL)
		return why;
	return check_mailbox(s);
}

static void
keep_path(const struct scan *s, struct arena *a, struct path *out)
{
	struct path p = { str_n(s->local, s->local_n), s->domain };

	*out = path_copy(a, &p);
}

const char *
path_parse(struct str text, unsigned flags, struct arena *a, struct path *out,
    struct str *rest)
{
	struct scan s = { .in = text, .flags = flags };
	const char *why;
	bool angle = take(&s, '<');

	if (!angle && (flags & PATH_NO_ANGLE) == 0)
		return "the angle brackets are missing";
	if (angle && take(&s, '>')) {
		if ((flags & PATH_NULL) == 0)
			return "the address is empty";
	} else {
		if ((why = scan_mailbox(&s)) != NULL)
			return why;
		if (angle && !take(&s, '>'))
			return s.in.n > 0 ? trailing :
			    "the closing bracket is missing";
	}
	if (s.in.n > 0 && (rest == NULL || peek(&s) != ' '))
		return trailing;
	if (rest != NULL)
		*rest = s.in;
	keep_path(&s, a, out);
	return NULL;
}

const char *
path_parse_addr(struct str text, unsigned flags, struct arena *a,
    struct path *out)
{
	struct scan s = { .in = text, .flags = flags };
	const char *why;

	if (text.n > 0 || (flags & PATH_NULL) == 0) {
		if ((why = scan_mailbox(&s)) != NULL)
			return why;
		if (s.in.n > 0)
			return trailing;
	}
	keep_path(&s, a, out);
	return NULL;
}

const char *
path_check(const struct path *p)
{
	const char *why;

	if (path_is_null(p))
		return NULL;
	if (p->local.n == 0)
		return no_local;
	if (str_has_ctl(p->local))
		return bad_local;
	if (p->domain.n > 0 && !domain_is_literal(p->domain) &&
	    !labels_valid(p->domain, true))
		return bad_domain;
	why = check_utf8(p->local, p->domain);
	return why != NULL ? why : check_lengths(p->local, p->domain);
}

bool
path_is_null(const struct path *p)
{
	return p->local.n == 0 && p->domain.n == 0;
}

bool
path_eq(const struct path *a, const struct path *b)
{
	return str_eq(a->local, b->local) && str_ieq(a->domain, b->domain);
}

static size_t
path_length(const struct path *p)
{
	if (path_is_null(p))
		return 0;
	return local_length(p->local) +
	    (p->domain.n > 0 ? 1 + p->domain.n : 0);
}

/* Writes path_length() octets. */
static void
write_path(char *to, const struct path *p)
{
	bool quotes = needs_quotes(p->local);

	if (path_is_null(p))
		return;
	if (quotes)
		*to++ = '"';
	for (size_t i = 0; i < p->local.n; i++) {
		if (quotes && is_escaped(p->local.p[i]))
			*to++ = '\\';
		*to++ = p->local.p[i];
	}
	if (quotes)
		*to++ = '"';
	if (p->domain.n == 0)
		return;
	*to++ = '@';
	memcpy(to, p->domain.p, p->domain.n);
}

void
path_add(struct buf *b, const struct path *p)
{
	size_t n = path_length(p);
	char *to = buf_room(b, n);

	if (to == NULL)
		return;
	write_path(to, p);
	buf_grew(b, n);
}

struct str
path_str(struct arena *a, const struct path *p)
{
	size_t n = path_length(p);
	char *to = arena_alloc(a, n + 1);

	write_path(to, p);
	to[n] = '\0';
	return str_n(to, n);
}

struct path
path_copy(struct arena *a, const struct path *p)
{
	struct path copy = { STR(""), STR("") };

	if (p->local.n > 0)
		copy.local = arena_str(a, p->local);
	if (p->domain.n > 0)
		copy.domain = arena_str(a, p->domain);
	return copy;
}

bool
domain_is_below(struct str d, struct str above)
{
	return d.n > above.n + 1 && str_iends(d, above) && d.p[d.n - above.n - 1] == '.';
}

/* Adds D in ASCII and lower case if IS is true of that. */
static bool
add_ascii(struct buf *b, struct str d, bool (*is)(struct str ascii))
{
	struct buf ascii;
	bool ok;

	buf_init(&ascii, DOMAIN_FORM_MAX);
	ok = idn_add(&ascii, d) == NULL && buf_ok(&ascii) && is(buf_str(&ascii));
	if (ok)
		buf_add_lower(b, buf_str(&ascii));
	buf_free(&ascii);
	return ok;
}

/* Where ADDR has its "@", behind a local part; -1: it has none, or two that are not quoted. */
static ptrdiff_t
at_of(struct str addr)
{
	ptrdiff_t at = -1;
	bool quoted = false;

	for (size_t i = 0; i < addr.n; i++) {
		if (addr.p[i] == '"')
			quoted = !quoted;
		else if (addr.p[i] == '\\' && quoted)
			i++;
		else if (addr.p[i] == '@' && !quoted && at >= 0)
			return -1;
		else if (addr.p[i] == '@' && !quoted)
			at = (ptrdiff_t)i;
	}
	return at > 0 ? at : -1;
}

bool
address_domain(struct buf *b, struct str addr)
{
	ptrdiff_t at = at_of(addr);

	return at >= 0 && add_ascii(b, str_skip(addr, (size_t)at + 1), domain_valid);
}

/* RFC 1123 2.1: a last label that begins with a digit is part of an address. */
static bool
is_host(struct str d)
{
	ptrdiff_t dot = str_rfind(d, '.');

	return dot > 0 && d.n <= DNS_NAME_MAX && domain_valid(d) && is_alpha(d.p[dot + 1]);
}

bool
domain_add_host(struct buf *b, struct str d)
{
	if (d.n > 0 && d.p[d.n - 1] == '.')
		d.n--;
	return add_ascii(b, d, is_host);
}
