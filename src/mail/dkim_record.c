/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dkim_record -- the record of a key in DNS.
 *
 * A list of tags (RFC 6376 3.2): names with case, each at most once, unknown
 * ones without meaning, white space around and within values.  One pass; what
 * is foreign is never kept but in the octets of the key, which have a cap.
 */

#include "mail/dkim_record.h"

#include "grammar.h"
#include "mail/text.h"

enum tag { TAG_V, TAG_K, TAG_P, TAG_H, TAG_S, TAG_T, TAGS };

static const char *const names[TAGS] = { "v", "k", "p", "h", "s", "t" };

static enum tag
tag_of(struct str name)
{
	enum tag t = TAG_V;

	while (t < TAGS && !str_eq(name, str_c(names[t])))
		t++;
	return t;
}

/* Takes the tags apart; NULL, or why it is no list of them. */
static const char *
take_tags(struct str text, struct str values[TAGS], bool seen[TAGS], bool *late)
{
	struct str item, name, value;
	bool first = true;

	for (; text.n > 0; first = false) {
		str_cut(text, ';', &item, &text);
		item = str_trim(item);
		/* A last semicolon ends the list. */
		if (item.n == 0 && text.n == 0)
			break;
		if (!str_cut(item, '=', &name, &value))
			return "it is no list of tags";
		enum tag t = tag_of(str_trim(name));
		if (t == TAGS)
			continue;
		if (seen[t])
			return "a tag stands in it twice";
		if (t == TAG_V && !str_eq(str_trim(value), STR("DKIM1")))
			return "its version is not DKIM1";
		*late = *late || (t == TAG_V && !first);
		seen[t] = true;
		values[t] = str_trim(value);
	}
	return NULL;
}

/* Whether the list with colons, LIST, has WORD or OTHER. */
static bool
has_word(struct str list, struct str word, struct str other)
{
	struct str item;

	while (list.n > 0) {
		str_cut(list, ':', &item, &list);
		item = str_trim(item);
		if (str_eq(item, word) || str_eq(item, other))
			return true;
	}
	return false;
}

/* The octets of "p=", which may be folded anywhere. */
static bool
take_key(struct str value, struct buf *key)
{
	struct buf b;
	bool ok;

	buf_init(&b, DKIM_RECORD_MAX);
	for (size_t i = 0; i < value.n; i++)
		if (!is_wsp(value.p[i]) && value.p[i] != '\r' && value.p[i] != '\n')
			buf_addc(&b, value.p[i]);
	ok = buf_ok(&b) && base64_decode(buf_str(&b), key) == 0 && buf_ok(key);
	buf_free(&b);
	return ok;
}

const char *
dkim_record_parse(struct str text, struct dkim_record *r)
{
	struct str values[TAGS] = { 0 };
	bool seen[TAGS] = { false };
	const char *why;

	*r = (struct dkim_record){ .type = STR("rsa") };
	buf_init(&r->key, DKIM_RECORD_MAX);
	if (text.n > DKIM_RECORD_MAX)
		return "it is too long";
	why = take_tags(text, values, seen, &r->late_version);
	if (why != NULL)
		return why;
	if (seen[TAG_K])
		r->type = values[TAG_K];
	r->testing = seen[TAG_T] && has_word(values[TAG_T], STR("y"), STR("y"));
	r->strict = seen[TAG_T] && has_word(values[TAG_T], STR("s"), STR("s"));
	if (!seen[TAG_P])
		return "it has no key (p=)";
	if (values[TAG_P].n == 0)
		return "the key is revoked (p= is empty)";
	if (seen[TAG_H] && !has_word(values[TAG_H], STR("sha256"), STR("sha256")))
		return "it does not allow sha256 (h=)";
	if (seen[TAG_S] && !has_word(values[TAG_S], STR("*"), STR("email")))
		return "it is not for mail (s=)";
	return take_key(values[TAG_P], &r->key) ? NULL : "its key is no base64";
}

void
dkim_record_free(struct dkim_record *r)
{
	buf_free(&r->key);
}

void
dkim_record_add(struct buf *b, const char *type, struct str key)
{
	buf_adds(b, "v=DKIM1; k=");
	buf_adds(b, type);
	buf_adds(b, "; p=");
	base64_add(b, key);
}
