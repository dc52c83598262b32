/* SPDX-License-Identifier: GPL-3.0-or-later */

/* introspection -- what a server says of a token. */

#include "introspection.h"

#include "lib/json.h"

/* RFC 7519 2: NumericDate.  One that is there is never 0, and fits. */
static int64_t
time_of(const struct json *n)
{
	double v = json_double(n);

	if (json_kind(n) != JSON_IS_INTEGER && json_kind(n) != JSON_IS_REAL)
		return 0;
	return v < 1 ? 1 : v > 1e15 ? (int64_t)1e15 : (int64_t)v;
}

static bool
is_text(const struct json *j, const char *text)
{
	return json_kind(j) == JSON_IS_TEXT && str_eq(json_text(j, NULL), str_c(text));
}

/* RFC 7519 4.1.3: a string, or several in an array. */
static bool
has_audience(const struct json *aud, const char *name)
{
	for (size_t i = 0; i < json_items(aud); i++)
		if (is_text(json_item(aud, i), name))
			return true;
	return is_text(aud, name);
}

bool
introspection_read(struct str text, const char *claim, const char *audience, struct arena *a,
    struct introspection *i)
{
	struct json *j = json_open(text);
	enum json_kind active = json_kind(json_member(j, "active"));
	bool ok = active == JSON_IS_TRUE || active == JSON_IS_FALSE;

	*i = (struct introspection){ .user = STR(""), .scope = STR("") };
	if (ok) {
		i->active = active == JSON_IS_TRUE;
		i->user = json_text_in(j, claim, a);
		i->scope = json_text_in(j, "scope", a);
		i->not_before = time_of(json_member(j, "nbf"));
		i->expires = time_of(json_member(j, "exp"));
		i->for_audience = !audience || has_audience(json_member(j, "aud"), audience);
	}
	json_close(j);
	return ok;
}
