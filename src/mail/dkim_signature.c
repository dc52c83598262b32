/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dkim_signature -- what the field of a signature says.
 *
 * A list of tags (RFC 6376 3.2), of which none may stand twice, whatever it is
 * called; unknown ones mean nothing.  Numbers, base64 and what a value may be
 * are looked at here; what a domain is, and whether the numbers make sense
 * now, elsewhere.  One pass, no memory but for the hash of the body.
 */

#include "mail/dkim_signature.h"

#include "grammar.h"
#include "mail/text.h"

enum tag {
	TAG_A, TAG_B, TAG_BH, TAG_C, TAG_CV, TAG_D, TAG_H, TAG_I, TAG_L, TAG_Q, TAG_R, TAG_S,
	TAG_T, TAG_V, TAG_X, TAGS
};

static const char *const tag_names[TAGS] = { "a", "b", "bh", "c", "cv", "d", "h", "i", "l", "q",
	"r", "s", "t", "v", "x" };

/* Tags of a field; nobody has half as many. */
#define TAGS_MAX 64
/* Names in "h="; more than any header has with sense. */
#define NAMES_MAX 1000

struct tags {
	struct str values[TAGS];	/* trimmed */
	bool there[TAGS];
	struct str cut;			/* that of "b=", with its white space */
	struct str names[TAGS_MAX];
	size_t n;
};

/* ---- the list ------------------------------------------------------------------- */

static bool
is_tag_char(char c)
{
	return is_alnum(c) || c == '_';
}

/* RFC 6376 3.2 with RFC 8616 3: no control characters but those of folding. */
static bool
is_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (is_ctl(s.p[i]) && !is_wsp(s.p[i]) && s.p[i] != '\r' && s.p[i] != '\n')
			return false;
	return true;
}

static bool
has_name(const struct tags *t, struct str name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(t->names[i], name))
			return true;
	return false;
}

static const char *
take_tag(struct tags *t, struct str name, struct str value)
{
	if (name.n == 0 || !is_alpha(name.p[0]) || span_of(name, is_tag_char) != name.n ||
	    !is_value(value))
		return "it is no list of tags";
	if (has_name(t, name))
		return "a tag stands in it twice";
	if (t->n == TAGS_MAX)
		return "it has too many tags";
	t->names[t->n++] = name;
	for (size_t i = 0; i < TAGS; i++)
		if (str_eq(name, str_c(tag_names[i]))) {
			t->values[i] = str_trim(value);
			t->there[i] = true;
		}
	if (str_eq(name, STR("b")))
		t->cut = value;
	return NULL;
}

static const char *
take_tags(struct tags *t, struct str text)
{
	struct str item, name, value;
	const char *why = NULL;

	while (why == NULL && text.n > 0) {
		str_cut(text, ';', &item, &text);
		/* A last semicolon ends the list. */
		if (str_trim(item).n == 0 && text.n == 0)
			break;
		if (!str_cut(item, '=', &name, &value))
			return "it is no list of tags";
		why = take_tag(t, str_trim(name), value);
	}
	return why;
}

/* ---- values --------------------------------------------------------------------- */

int
dkim_base64_add(struct buf *b, struct str text)
{
	struct buf bare;
	int rc;

	buf_init(&bare, text.n);
	for (size_t i = 0; i < text.n; i++)
		if (!is_wsp(text.p[i]) && text.p[i] != '\r' && text.p[i] != '\n')
			buf_addc(&bare, text.p[i]);
	rc = base64_decode(buf_str(&bare), b);
	buf_free(&bare);
	return rc == 0 && buf_ok(b) ? 0 : -1;
}

/* Up to MAX digits; what is more than any number of 64 bits is the largest. */
static bool
read_number(struct str s, size_t max, uint64_t *to)
{
	if (s.n == 0 || s.n > max || span_of(s, is_digit) != s.n)
		return false;
	if (str_u64(s, UINT64_MAX, to) < 0)
		*to = UINT64_MAX;
	return true;
}

static enum dkim_algorithm
algorithm_of(struct str name)
{
	if (str_ieq(name, STR("rsa-sha256")))
		return DKIM_RSA_SHA256;
	if (str_ieq(name, STR("ed25519-sha256")))
		return DKIM_ED25519_SHA256;
	return str_ieq(name, STR("rsa-sha1")) ? DKIM_RSA_SHA1 : DKIM_ALGORITHM_UNKNOWN;
}

static const char *
take_body_hash(struct dkim_signature *s, struct str text)
{
	struct buf b;
	bool ok;

	/* The decoder takes room for whole groups. */
	buf_init(&b, sizeof(s->body_hash) + 3);
	ok = dkim_base64_add(&b, text) == 0 && b.n == sizeof(s->body_hash);
	if (ok)
		memcpy(s->body_hash, b.p, sizeof(s->body_hash));
	buf_free(&b);
	/* That of SHA-1 is another: the algorithm is the complaint then. */
	return ok || s->algorithm == DKIM_RSA_SHA1 ? NULL : "its bh= is no SHA-256";
}

/* "relaxed/simple"; without the second word the body is simple (RFC 6376 3.5). */
static void
take_canonical(struct dkim_signature *s, struct str text)
{
	struct str header, body;

	s->canonical = text;
	str_cut(text, '/', &header, &body);
	s->relaxed_header = str_ieq(header, STR("relaxed"));
	s->relaxed_body = str_ieq(body, STR("relaxed"));
}

static const char *
take_numbers(struct dkim_signature *s, const struct tags *t)
{
	/* RFC 6376 3.5: 76 digits, and 12; a zero would be unsaid here. */
	s->has_length = t->there[TAG_L];
	if (s->has_length && !read_number(t->values[TAG_L], 76, &s->length))
		return "its l= is no number";
	if (t->there[TAG_T] && !read_number(t->values[TAG_T], 12, &s->made))
		return "its t= is no number";
	if (t->there[TAG_X] && !read_number(t->values[TAG_X], 12, &s->expires))
		return "its x= is no number";
	return NULL;
}

static const char *
take_instance(struct dkim_signature *s, struct str text)
{
	uint64_t n;

	if (!read_number(text, 12, &n) || n < 1 || n > ARC_INSTANCE_MAX)
		return "its i= is no instance from 1 to 50";
	s->instance = (unsigned)n;
	return NULL;
}

/* What it needs to have, by its kind; NULL, or what is not there. */
static const char *
missing(const struct tags *t, enum dkim_kind kind)
{
	static const struct {
		enum tag tag;
		bool wanted[3];		/* by kind */
		const char *why;
	} tags[] = {
		{ TAG_V, { true, false, false }, "it has no v=" },
		{ TAG_A, { true, true, true }, "it has no a=" },
		{ TAG_D, { true, true, true }, "it has no d=" },
		{ TAG_S, { true, true, true }, "it has no s=" },
		{ TAG_B, { true, true, true }, "it has no b=" },
		{ TAG_BH, { true, true, false }, "it has no bh=" },
		{ TAG_H, { true, true, false }, "it has no h=" },
		{ TAG_I, { false, true, true }, "it has no i=" },
		{ TAG_CV, { false, false, true }, "it has no cv=" },
	};

	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		if (tags[i].wanted[kind] && t->values[tags[i].tag].n == 0)
			return tags[i].why;
	return NULL;
}

static void
take_texts(struct dkim_signature *s, const struct tags *t)
{
	s->version = t->values[TAG_V];
	s->algorithm_name = t->values[TAG_A];
	s->algorithm = algorithm_of(s->algorithm_name);
	s->domain = t->values[TAG_D];
	s->selector = t->values[TAG_S];
	s->names = t->values[TAG_H];
	s->has_names = t->there[TAG_H];
	s->chain = t->values[TAG_CV];
	s->query = t->values[TAG_Q];
	s->proof = t->values[TAG_B];
	s->cut = t->cut;
	s->reports = str_ieq(t->values[TAG_R], STR("y"));
	take_canonical(s, t->values[TAG_C]);
	if (s->kind == DKIM_SIGNATURE)
		s->identity = t->values[TAG_I];
}

const char *
dkim_signature_parse(struct str value, enum dkim_kind kind, struct dkim_signature *s)
{
	struct tags t = { .cut = STR("") };
	const char *why;

	for (size_t i = 0; i < TAGS; i++)
		t.values[i] = STR("");
	why = take_tags(&t, value);
	*s = (struct dkim_signature){ .kind = kind, .identity = STR("") };
	take_texts(s, &t);
	if (why == NULL)
		why = missing(&t, kind);
	if (why == NULL)
		why = take_numbers(s, &t);
	if (why == NULL && kind != DKIM_SIGNATURE)
		why = take_instance(s, t.values[TAG_I]);
	if (why == NULL && kind != DKIM_ARC_SEAL)
		why = take_body_hash(s, t.values[TAG_BH]);
	return why;
}

/* ---- what cannot be verified ---------------------------------------------------------- */

bool
dkim_signature_name(struct str *rest, struct str *name)
{
	if (rest->n == 0)
		return false;
	str_cut(*rest, ':', name, rest);
	*name = str_trim(*name);
	return true;
}

static const char *
names_flaw(const struct dkim_signature *s)
{
	struct str rest = s->names, name;
	bool from = false;
	size_t n = 0;

	while (dkim_signature_name(&rest, &name)) {
		if (++n > NAMES_MAX)
			return "its h= has too many names";
		from = from || str_ieq(name, STR("From"));
		/* RFC 8617 4.1.2. */
		if (s->kind == DKIM_ARC_MESSAGE && str_ieq(name, STR("ARC-Seal")))
			return "it signs an ARC-Seal";
	}
	return from ? NULL : "it does not sign From";
}

static bool
is_canonical(struct str text)
{
	struct str header, body;
	bool two = str_cut(text, '/', &header, &body);

	if (text.n == 0)
		return true;
	return (str_ieq(header, STR("relaxed")) || str_ieq(header, STR("simple"))) &&
	    (!two || str_ieq(body, STR("relaxed")) || str_ieq(body, STR("simple")));
}

static bool
has_query(struct str list)
{
	struct str item;

	if (list.n == 0)
		return true;
	while (list.n > 0) {
		str_cut(list, ':', &item, &list);
		if (str_ieq(str_trim(item), STR("dns/txt")))
			return true;
	}
	return false;
}

const char *
dkim_signature_flaw(const struct dkim_signature *s)
{
	if (s->kind == DKIM_SIGNATURE && !str_eq(s->version, STR("1")))
		return "its version is not 1";
	/* RFC 8301 3.1. */
	if (s->algorithm == DKIM_RSA_SHA1)
		return "rsa-sha1 is not to be trusted";
	if (s->algorithm == DKIM_ALGORITHM_UNKNOWN)
		return "its algorithm is unknown";
	if (s->kind == DKIM_ARC_SEAL)
		return s->has_names ? "it is a seal with h=" : NULL;
	if (!is_canonical(s->canonical))
		return "its canonicalization is unknown";
	if (!has_query(s->query))
		return "its key is not asked of DNS";
	if (s->made > 0 && s->expires > 0 && s->expires <= s->made)
		return "it expires before it was made";
	return names_flaw(s);
}

unsigned
arc_results_instance(struct str value)
{
	struct str tag, name;
	uint64_t n;

	if (!skip_cfws(&value) || !str_cut(value, ';', &tag, &value) ||
	    !str_cut(tag, '=', &name, &tag) || !str_eq(str_trim(name), STR("i")) ||
	    !skip_cfws(&tag) || !read_number(str_trim(tag), 12, &n) || n > ARC_INSTANCE_MAX)
		return 0;
	return (unsigned)n;
}
