/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * spf_field -- the field Received-SPF (RFC 7208 9.1), and the same for a log.
 *
 * What a client and a domain have chosen stands in quotes, or in a comment
 * whose own signs are quoted, so that no value becomes another one's key.
 */

#include "check/spf.h"

/* Of a value, octets. */
#define VALUE_MAX 320
#define SHORT_MAX 120

struct writer {
	struct buf *b;
	const char *between;	/* pairs */
	bool first;
};

/* RFC 5322 3.2.3. */
static bool
is_dot_atom(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = char_lower(s.p[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    strchr("!#$%&'*+-/=?^_`{|}~.", c) == NULL)
			return false;
	}
	return s.n > 0 && s.p[0] != '.' && s.p[s.n - 1] != '.' && s.p[0] != '\0';
}

/* S with SIGNS quoted; octets above ASCII only if it is UTF-8, as in mail that needs it. */
static void
add_quoted(struct buf *b, struct str s, const char *signs)
{
	bool utf8 = str_is_utf8(s);

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c == 0x7f || (c > 0x7f && !utf8))
			c = '?';
		if (strchr(signs, c) != NULL)
			buf_addc(b, '\\');
		buf_addc(b, (char)c);
	}
}

static void
add_value(struct writer *w, const char *key, struct str value)
{
	buf_addf(w->b, "%s%s=", w->first ? "" : w->between, key);
	w->first = false;
	if (is_dot_atom(value)) {
		buf_add(w->b, value);
		return;
	}
	buf_addc(w->b, '"');
	add_quoted(w->b, value, "\"\\");
	buf_addc(w->b, '"');
}

static void
add_pairs(struct writer *w, const struct spf_client *c, struct str sender, bool helo,
    const struct spf_verdict *v)
{
	struct buf address;

	buf_init(&address, 64);
	addr_add(&address, &c->address);
	add_value(w, "identity", helo ? STR("helo") : STR("mailfrom"));
	add_value(w, "client-ip", buf_str(&address));
	add_value(w, "helo", str_head(c->helo, VALUE_MAX));
	add_value(w, "envelope-from", sender.n > 0 ? str_head(sender, VALUE_MAX) : STR("<>"));
	add_value(w, "receiver", str_head(c->receiver, VALUE_MAX));
	if (v->mechanism.n > 0)
		add_value(w, "mechanism", str_head(v->mechanism, SHORT_MAX));
	if (v->problem.n > 0)
		add_value(w, "problem", str_head(v->problem, SHORT_MAX));
	buf_free(&address);
}

/* What a result means, between the domain and the address. */
static const char *
meaning(enum spf_code code)
{
	static const char *const words[SPF_CODES] = {
		[SPF_NONE] = "does not say who sends its mail, as",
		[SPF_NEUTRAL] = "says neither yes nor no to",
		[SPF_PASS] = "lets its mail come from",
		[SPF_FAIL] = "does not let its mail come from",
		[SPF_SOFTFAIL] = "would rather not let its mail come from",
		[SPF_TEMPERROR] = "cannot be asked now about",
		[SPF_PERMERROR] = "has a record without sense, asked about",
	};

	return words[code];
}

void
spf_add_field(struct buf *b, const struct spf_client *c, struct str sender, bool helo,
    const struct spf_verdict *v)
{
	struct writer w = { .b = b, .between = ";\r\n\t", .first = true };

	buf_addf(b, "Received-SPF: %s\r\n\t(", spf_name(v->code));
	add_quoted(b, str_head(v->domain, VALUE_MAX), "()\\");
	buf_addf(b, "\r\n\t%s ", meaning(v->code));
	addr_add(b, &c->address);
	buf_adds(b, ")\r\n\t");
	add_pairs(&w, c, sender, helo, v);
	buf_adds(b, "\r\n");
}

void
spf_add_line(struct buf *b, const struct spf_client *c, struct str sender, bool helo,
    const struct spf_verdict *v)
{
	struct writer w = { .b = b, .between = "; ", .first = true };

	buf_addf(b, "%s ", spf_name(v->code));
	add_pairs(&w, c, sender, helo, v);
}
