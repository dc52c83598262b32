/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * own_keys -- the keys that a message brings to be signed with.
 *
 * Whoever brings a key could have signed with it himself, so that nothing but its
 * form and what it costs has to be looked at.  What is not known is refused: a
 * member whose name is misspelt would make another signature than was meant.
 */

#include "queue/own_keys.h"

#include "lib/clock.h"
#include "lib/idn.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "mail/path.h"
#include "net/dkim_key.h"
#include "queue/settings.h"

#define REASON_MAX 500
#define DOMAIN_MAX 255

struct reader {
	struct arena *a;
	struct own_keys *keys;
	struct own_key *k;	/* the one that is read */
	int64_t now;
};

static bool
is_text(const struct json *v)
{
	return json_kind(v) == JSON_IS_TEXT;
}

/* The text of V, which lives as long as A. */
static struct str
text_of(const struct reader *r, const struct json *v)
{
	return arena_str(r->a, json_text(v, r->a));
}

static const char *
take_domain(struct reader *r, const struct json *v)
{
	struct str text = is_text(v) ? json_text(v, r->a) : STR("");
	struct buf b;

	buf_init(&b, DOMAIN_MAX);
	if (idn_add(&b, text) == NULL && buf_ok(&b) && domain_valid(buf_str(&b)))
		r->k->domain = arena_str(r->a, buf_str(&b));
	buf_free(&b);
	return r->k->domain.n > 0 ? NULL : "is no domain";
}

static const char *
take_selector(struct reader *r, const struct json *v)
{
	if (!is_text(v) || !conf_dkim_is_selector(json_text(v, r->a)))
		return "is no selector";
	r->k->selector = text_of(r, v);
	return NULL;
}

static const char *
take_key(struct reader *r, const struct json *v)
{
	struct buf reason;
	const char *why;

	if (!is_text(v))
		return "is no text";
	buf_init(&reason, REASON_MAX);
	r->k->key = dkim_key_read(json_text(v, r->a), &reason);
	why = r->k->key == NULL ? arena_cstr(r->a, buf_str(&reason)) : NULL;
	buf_free(&reason);
	return why;
}

static const char *
take_expire(struct reader *r, const struct json *v)
{
	int64_t us = is_text(v) || json_kind(v) == JSON_IS_INTEGER ?
	    settings_time(json_text(v, r->a), r->now * 1000000) : -1;

	r->k->expires = us / 1000000;
	return us > 0 ? NULL : SETTINGS_NO_TIME;
}

static const char *
take_headers(struct reader *r, const struct json *v)
{
	if (json_kind(v) != JSON_IS_ARRAY || json_items(v) > CONF_DKIM_HEADERS_MAX)
		return "is no array of at most 32 names";
	for (size_t i = 0; i < json_items(v); i++) {
		const struct json *name = json_item(v, i);

		if (!is_text(name) || !conf_dkim_is_field(json_text(name, r->a)))
			return "has a name of no field that can be signed";
		r->k->more[r->k->more_n++] = text_of(r, name);
	}
	return NULL;
}

static const char *
take_bool(const struct json *v, bool *to)
{
	*to = json_kind(v) == JSON_IS_TRUE;
	return *to || json_kind(v) == JSON_IS_FALSE ? NULL : "is neither true nor false";
}

static const char *
take_report(struct reader *r, const struct json *v)
{
	return take_bool(v, &r->k->reports);
}

static const char *
take_protocols(struct reader *r, const struct json *v)
{
	r->k->signs = false;
	for (size_t i = 0; i < json_items(v); i++) {
		struct str word = json_text(json_item(v, i), r->a);

		if (str_eq(word, STR("dkim")))
			r->k->signs = true;
		else if (str_eq(word, STR("arc")))
			r->k->seals = true;
		else
			return "has another than \"dkim\" and \"arc\"";
	}
	return r->k->signs || r->k->seals ? NULL : "is no array of \"dkim\" and \"arc\"";
}

static const char *
take_form(struct reader *r, const struct json *v)
{
	static const char *const words[] = { "relaxed/relaxed", "relaxed/simple", "simple/relaxed",
		"simple/simple" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (is_text(v) && str_eq(json_text(v, r->a), str_c(words[i]))) {
			r->k->forms = (int)i;
			return NULL;
		}
	return "is none of \"relaxed/relaxed\", \"relaxed/simple\", \"simple/relaxed\" and "
	       "\"simple/simple\"";
}

/* Any of them says it for all. */
static const char *
take_alone(struct reader *r, const struct json *v)
{
	bool alone;
	const char *why = take_bool(v, &alone);

	r->keys->alone = r->keys->alone || alone;
	return why;
}

/* clang-format off */
static const struct member {
	const char *name;
	const char *(*take)(struct reader *r, const struct json *v);
	bool needed;
} members[] = {
	{ "domain",           take_domain,    true },
	{ "selector",         take_selector,  true },
	{ "key",              take_key,       true },
	{ "expire",           take_expire,    false },
	{ "headers",          take_headers,   false },
	{ "report",           take_report,    false },
	{ "protocols",        take_protocols, false },
	{ "canonicalization", take_form,      false },
	{ "alone",            take_alone,     false },
};
/* clang-format on */

static size_t
members_of(const struct json *j)
{
	void *at = NULL;
	const char *name;
	size_t n = 0;

	while (json_walk(j, &at, &name) != NULL)
		n++;
	return n;
}

static const char *
read_one(struct reader *r, const struct json *j)
{
	size_t known = 0;

	*r->k = (struct own_key){ .signs = true, .forms = CONF_DKIM_SIMPLE_BODY,
		.domain = STR(""), .selector = STR("") };
	if (json_kind(j) != JSON_IS_OBJECT)
		return "its dkim is neither an object nor an array of objects";
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct json *v = json_member(j, members[i].name);
		const char *why;

		if (v == NULL && members[i].needed)
			return arena_printf(r->a, "its dkim has no \"%s\"", members[i].name);
		if (v == NULL)
			continue;
		known++;
		why = members[i].take(r, v);
		if (why != NULL)
			return arena_printf(r->a, "the \"%s\" of its dkim %s", members[i].name,
			    why);
	}
	return known == members_of(j) ? NULL : "its dkim has a member that nobody knows";
}

static const char *
read_all(struct reader *r, const struct json *j)
{
	bool many = json_kind(j) == JSON_IS_ARRAY;
	size_t n = many ? json_items(j) : 1;

	if (n == 0 || n > OWN_KEYS_MAX)
		return "its dkim has no key, or more than 8";
	for (size_t i = 0; i < n; i++) {
		const char *why;

		/* Counted before it is read: it may have a key that is to be freed. */
		r->k = &r->keys->v[r->keys->n++];
		why = read_one(r, many ? json_item(j, i) : j);
		if (why != NULL)
			return why;
	}
	return NULL;
}

const char *
own_keys_read(struct str text, int64_t now, struct arena *a, struct own_keys *k)
{
	struct reader r = { .a = a, .keys = k, .now = now };
	struct json *j = text.n <= OWN_KEYS_TEXT_MAX ? json_open(text) : NULL;
	const char *why;

	k->n = 0;
	k->alone = false;
	if (text.n > OWN_KEYS_TEXT_MAX)
		return "its dkim is too long";
	why = j == NULL ? "its dkim is no JSON" : read_all(&r, j);
	json_close(j);
	if (why != NULL)
		own_keys_free(k);
	return why;
}

void
own_keys_free(struct own_keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		dkim_key_free(k->v[i].key);
	k->n = 0;
}

const char *
own_keys_why_not(struct str text, struct arena *a)
{
	struct own_keys *k = mem_alloc(sizeof(*k));
	const char *why = own_keys_read(text, clock_wall(), a, k);

	own_keys_free(k);
	mem_free(k);
	return why;
}
