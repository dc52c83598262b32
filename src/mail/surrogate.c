/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * surrogate -- a header in UTF-8 for a reader of ASCII.
 *
 * Text becomes encoded words (RFC 2047), parameters of MIME fields their
 * extended form (RFC 2231).  Of an address the domain has an ASCII form; a
 * local part has none, and so its place is taken by an address that nobody
 * can answer to by mistake, with the true one as the name (RFC 6858 2.1).
 * Nothing of it can be undone: what is stored stays as it is, and this is but
 * a view of it.
 */

#include "mail/surrogate.h"

#include "grammar.h"
#include "lib/idn.h"
#include "mail/header.h"

#define INVALID "invalid@internationalized-address.invalid"
/* Of a field: a header has a limit, and base64 in words makes it twice as long. */
#define FIELD_MAX (1u << 20)

static const char *const address_fields[] = { "From", "Sender", "Reply-To",
	"To", "Cc", "Bcc", "Resent-From", "Resent-Sender", "Resent-Reply-To",
	"Resent-To", "Resent-Cc", "Resent-Bcc", "Return-Path", "Delivered-To",
	"Disposition-Notification-To", "Mail-Followup-To", "Errors-To" };
static const char *const parameter_fields[] = { "Content-Type",
	"Content-Disposition" };

bool
surrogate_needed(struct str header)
{
	return str_has_8bit(header) && str_is_utf8(header);
}

/* ---- addresses -------------------------------------------------------------- */

/* Where the element of a list at the start of S ends: at a delimiter, or at its end. */
static size_t
element_length(struct str s, const char *delimiters)
{
	bool quoted = false, angle = false;
	unsigned depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\\' && (quoted || depth > 0))
			i++;
		else if (quoted || (c == '"' && depth == 0))
			quoted = quoted ? c != '"' : true;
		else if (c == '(' || (c == ')' && depth > 0))
			depth += c == '(' ? 1u : -1u;
		else if (depth == 0 && !angle && c != '\0' &&
		    strchr(delimiters, c) != NULL)
			return i;
		else if (depth == 0 && (c == '<' || c == '>'))
			angle = c == '<';
	}
	return s.n;
}

/* The meaning of a phrase: without quotes and what protects in them. */
static struct str
plain(struct arena *a, struct str phrase)
{
	char *to = arena_alloc(a, phrase.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < phrase.n; i++) {
		if (phrase.p[i] == '"')
			continue;
		if (phrase.p[i] == '\\' && i + 1 < phrase.n)
			i++;
		to[n++] = phrase.p[i];
	}
	return str_trim(str_n(to, n));
}

/* ADDRESS in ASCII, if its domain is all that it lacks. */
static bool
ascii_address(struct arena *a, struct str address, struct str *ascii)
{
	ptrdiff_t at = str_rfind(address, '@');
	struct buf b;
	bool ok;

	if (at < 0 || str_has_8bit(str_head(address, (size_t)at)))
		return false;
	buf_init(&b, 1000);
	buf_add(&b, str_head(address, (size_t)at + 1));
	ok = idn_add(&b, str_skip(address, (size_t)at + 1)) == NULL &&
	    buf_ok(&b);
	if (ok)
		*ascii = arena_str(a, buf_str(&b));
	buf_free(&b);
	return ok;
}

static void
mailbox_add(struct buf *b, struct str name, struct str address)
{
	if (name.n > 0) {
		phrase_add(b, name);
		buf_addc(b, ' ');
	}
	buf_addc(b, '<');
	buf_add(b, address);
	buf_addc(b, '>');
}

/* E has UTF-8: "name <address>", an address, or what is a group's name. */
static void
element_add(struct arena *a, struct str e, struct buf *b)
{
	size_t open = element_length(e, "<");
	bool bare = open == e.n && str_find(e, '@') >= 0;
	struct str name = plain(a, bare ? STR("") : str_head(e, open));
	struct str address = bare ? e : str_skip(e, open < e.n ? open + 1 : e.n);
	struct str rest, ascii;

	if (!bare)
		(void)str_cut(address, '>', &address, &rest);
	address = str_trim(address);
	if (address.n == 0)
		phrase_add(b, name);
	else if (!str_has_8bit(address))
		mailbox_add(b, name, address);
	else if (ascii_address(a, address, &ascii))
		mailbox_add(b, name, ascii);
	else
		mailbox_add(b, plain(a, e), STR(INVALID));
}

/*
 * An angle bracket is no delimiter of a list, but the address within it is
 * looked for by the same rules.
 */
static void
addresses_add(struct arena *a, struct str value, struct buf *b)
{
	while (value.n > 0) {
		size_t n = element_length(value, ",:;");
		struct str e = str_trim(str_head(value, n));

		if (str_has_8bit(e))
			element_add(a, e, b);
		else
			buf_add(b, e);
		if (n < value.n) {
			buf_addc(b, value.p[n]);
			buf_addc(b, ' ');
		}
		value = str_skip(value, n + 1);
	}
}

/* ---- parameters ------------------------------------------------------------- */

/* RFC 2231 4: what is no attribute-char is said by its octets. */
static void
extended_add(struct buf *b, struct str value)
{
	static const char digits[] = "0123456789ABCDEF";

	buf_adds(b, "*=utf-8''");
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];
		bool as_it_is = (c >= '0' && c <= '9') ||
		    (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    c == '-' || c == '.' || c == '_';

		if (!as_it_is) {
			buf_addc(b, '%');
			buf_addc(b, digits[c >> 4]);
		}
		buf_addc(b, as_it_is ? (char)c : digits[c & 15]);
	}
}

static void
ascii_add(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_addc(b, (unsigned char)s.p[i] < 128 ? s.p[i] : '?');
}

static void
parameters_add(struct arena *a, struct str value, struct buf *b)
{
	while (value.n > 0) {
		size_t n = element_length(value, ";");
		struct str e = str_trim(str_head(value, n)), key, text;

		if (str_has_8bit(e) && str_cut(e, '=', &key, &text)) {
			ascii_add(b, str_trim(key));
			extended_add(b, plain(a, str_trim(text)));
		} else {
			ascii_add(b, e);
		}
		if (n < value.n)
			buf_adds(b, "; ");
		value = str_skip(value, n + 1);
	}
}

/* ---- fields ----------------------------------------------------------------- */

static bool
is_one_of(const char *const *names, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieq(name, str_c(names[i])))
			return true;
	return false;
}

static void
surrogate_field(struct arena *a, const struct field *f, struct buf *out)
{
	struct str value = field_unfold(a, f);
	struct buf b;

	buf_init(&b, FIELD_MAX);
	if (is_one_of(address_fields, ARRAY_LEN(address_fields), f->name))
		addresses_add(a, value, &b);
	else if (is_one_of(parameter_fields, ARRAY_LEN(parameter_fields),
		     f->name))
		parameters_add(a, value, &b);
	else
		unstructured_add(&b, value);
	if (buf_ok(&b))
		field_add(out, arena_cstr(a, f->name), buf_str(&b));
	else
		buf_add(out, f->raw);
	buf_free(&b);
}

void
surrogate_add(struct arena *a, struct str header, struct buf *out)
{
	struct str rest = header;
	struct field f;
	size_t done = 0;

	while (field_next(&rest, &f) == 1) {
		if (str_has_8bit(f.raw))
			surrogate_field(a, &f, out);
		else
			buf_add(out, f.raw);
		done += f.raw.n;
	}
	/* The blank line; or what is no field, with all that follows. */
	buf_add(out, str_skip(header, done));
}
