/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * spf_macro -- macro-strings (RFC 7208 7).
 *
 * One walk over the pieces serves both to look whether a string is well formed
 * and to carry it out, so that the two cannot disagree.  What macros stand for
 * may be any octets, since a client chose them; whoever puts the result
 * anywhere looks at it.
 */

#include "spf_macro.h"

#include <arpa/inet.h>

#define DELIMITERS ".-+,/_="
/* More parts than this no name has: beyond it a number is just large. */
#define KEEP_MAX 1000
/* Octets: a local part, "@" and a domain. */
#define VALUE_MAX 512

/* ---- the grammar ---------------------------------------------------------------- */

/* Behind "%{": letter, transformers, delimiters, "}". */
static bool
take_expand(struct str *s, struct spf_macro *m)
{
	size_t i = 1, start;
	bool digits = false;

	if (s->n == 0 || strchr("slodipvhcrt", char_lower(s->p[0])) == NULL || s->p[0] == '\0')
		return false;
	m->letter = char_lower(s->p[0]);
	m->escaped = s->p[0] != m->letter;
	for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
		digits = true;
		if (m->keep < KEEP_MAX)
			m->keep = 10 * m->keep + (size_t)(s->p[i] - '0');
	}
	/* 7.1: the number is not 0. */
	if (digits && m->keep == 0)
		return false;
	if (i < s->n && char_lower(s->p[i]) == 'r') {
		m->reversed = true;
		i++;
	}
	start = i;
	while (i < s->n && s->p[i] != '\0' && strchr(DELIMITERS, s->p[i]) != NULL)
		i++;
	m->delimiters = i > start ? str_n(s->p + start, i - start) : STR(".");
	if (i == s->n || s->p[i] != '}')
		return false;
	*s = str_skip(*s, i + 1);
	return true;
}

int
spf_macro_next(struct str *s, struct spf_macro *m)
{
	ptrdiff_t percent = str_find(*s, '%');

	*m = (struct spf_macro){ .text = STR("") };
	if (s->n == 0)
		return 0;
	if (percent != 0) {
		m->text = str_head(*s, percent < 0 ? s->n : (size_t)percent);
		*s = str_skip(*s, m->text.n);
		return 1;
	}
	*s = str_skip(*s, 1);
	if (s->n == 0)
		return -1;
	switch (s->p[0]) {
	case '{':
		*s = str_skip(*s, 1);
		return take_expand(s, m) ? 1 : -1;
	case '%':
		m->text = STR("%");
		break;
	case '_':
		m->text = STR(" ");
		break;
	case '-':
		m->text = STR("%20");
		break;
	default:
		return -1;
	}
	*s = str_skip(*s, 1);
	return 1;
}

bool
spf_macros_valid(struct str s, bool explanation)
{
	struct spf_macro m;
	int r;

	while ((r = spf_macro_next(&s, &m)) == 1)
		if (m.letter != '\0' && strchr("crt", m.letter) != NULL && !explanation)
			return false;
	return r == 0;
}

bool
spf_explanation_valid(struct str s)
{
	return !str_has_ctl(s) && !str_has_8bit(s) && spf_macros_valid(s, true);
}

bool
spf_macros_use(struct str s, char letter)
{
	struct spf_macro m;

	while (spf_macro_next(&s, &m) == 1)
		if (m.letter == letter)
			return true;
	return false;
}

/* ---- values ---------------------------------------------------------------------- */

/* "192.0.2.1", or 32 nibbles (7.3). */
static void
add_dotted(struct buf *b, const struct addr *a)
{
	static const char digits[] = "0123456789ABCDEF";
	const unsigned char *p = addr_octets(a);

	if (addr_family(a) == AF_INET) {
		addr_add(b, a);
		return;
	}
	for (size_t i = 0; i < 16; i++)
		buf_addf(b, "%s%c.%c", i > 0 ? "." : "", digits[p[i] >> 4], digits[p[i] & 15]);
}

/* 4.3: without a local part it is the postmaster. */
static struct str
local_part(const struct spf_client *c)
{
	return c->local.n > 0 ? c->local : STR("postmaster");
}

static void
add_value(struct buf *b, char letter, const struct spf_scope *scope)
{
	const struct spf_client *c = scope->client;

	switch (letter) {
	case 's':
		buf_add(b, local_part(c));
		buf_addc(b, '@');
		buf_add(b, c->domain);
		break;
	case 'l':
		buf_add(b, local_part(c));
		break;
	case 'o':
		buf_add(b, c->domain);
		break;
	case 'd':
		buf_add(b, scope->domain);
		break;
	case 'i':
		add_dotted(b, scope->address);
		break;
	case 'p':
		buf_add(b, scope->validated);
		break;
	case 'v':
		buf_adds(b, addr_family(scope->address) == AF_INET ? "in-addr" : "ip6");
		break;
	case 'h':
		buf_add(b, c->helo);
		break;
	case 'c':
		addr_add(b, scope->address);
		break;
	case 'r':
		buf_add(b, c->receiver);
		break;
	default:
		buf_addf(b, "%lld", (long long)c->now);
	}
}

/* ---- transformers ---------------------------------------------------------------- */

/* RFC 3986 2.3: everything but "unreserved" becomes %XX. */
static void
add_char(struct buf *b, char c, bool escaped)
{
	bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~", c) != NULL);

	if (escaped && !plain)
		buf_addf(b, "%%%02X", (unsigned)(unsigned char)c);
	else
		buf_addc(b, c);
}

/* Splits S; how many PARTS there are. */
static size_t
split(struct str s, const struct spf_macro *m, struct str parts[VALUE_MAX + 1])
{
	size_t n = 0, start = 0;

	for (size_t i = 0; i < s.n && n < VALUE_MAX; i++)
		if (str_find(m->delimiters, s.p[i]) >= 0) {
			parts[n++] = str_n(s.p + start, i - start);
			start = i + 1;
		}
	parts[n++] = str_skip(s, start);
	return n;
}

static void
add_transformed(struct buf *b, struct str s, const struct spf_macro *m)
{
	struct str parts[VALUE_MAX + 1];
	size_t n = split(s, m, parts), first = m->keep > 0 && m->keep < n ? n - m->keep : 0;

	for (size_t i = first; i < n; i++) {
		struct str p = parts[m->reversed ? n - 1 - i : i];

		if (i > first)
			buf_addc(b, '.');
		for (size_t k = 0; k < p.n; k++)
			add_char(b, p.p[k], m->escaped);
	}
}

void
spf_macros_add(struct buf *b, struct str s, const struct spf_scope *scope)
{
	struct spf_macro m;
	struct buf value;

	buf_init(&value, VALUE_MAX);
	while (spf_macro_next(&s, &m) == 1) {
		if (m.letter == '\0') {
			buf_add(b, m.text);
			continue;
		}
		buf_reset(&value);
		add_value(&value, m.letter, scope);
		add_transformed(b, buf_str(&value), &m);
	}
	buf_free(&value);
}
