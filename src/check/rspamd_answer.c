/* SPDX-License-Identifier: GPL-3.0-or-later */

/* rspamd_answer -- what Rspamd says of a message. */

#include "check/rspamd_answer.h"

#include "lib/json.h"

static void
take_symbols(const struct json *symbols, struct arena *a, struct rspamd_answer *r)
{
	const struct json *v;
	const char *name;
	void *at = NULL;

	while ((v = json_walk(symbols, &at, &name)) != NULL)
		if (json_kind(v) == JSON_IS_OBJECT && r->symbol_n < ARRAY_LEN(r->symbols))
			r->symbols[r->symbol_n++] = arena_str(a, str_c(name));
}

static void
take_wish(struct rspamd_answer *r, const struct rspamd_wish *w)
{
	if (r->wish_n < ARRAY_LEN(r->wishes))
		r->wishes[r->wish_n++] = *w;
}

/* V is a value, or an object with "value" and perhaps "order". */
static void
take_added(struct rspamd_answer *r, struct arena *a, const char *name, const struct json *v)
{
	const struct json *order = json_member(v, "order");
	const struct json *value = json_kind(v) == JSON_IS_OBJECT ? json_member(v, "value") : v;

	if (json_kind(value) == JSON_IS_TEXT)
		take_wish(r, &(struct rspamd_wish){ .name = arena_str(a, str_c(name)),
			.value = arena_str(a, json_text(value, a)),
			.ordered = json_kind(order) == JSON_IS_INTEGER,
			.which = json_whole(order) });
}

static void
take_removed(struct rspamd_answer *r, struct arena *a, const char *name, const struct json *v)
{
	if (json_kind(v) == JSON_IS_INTEGER)
		take_wish(r, &(struct rspamd_wish){ .remove = true,
			.name = arena_str(a, str_c(name)), .value = STR(""),
			.which = json_whole(v) });
}

/* Each name has one thing or an array of them. */
static void
take_each(const struct json *names, struct arena *a, struct rspamd_answer *r,
    void (*take)(struct rspamd_answer *r, struct arena *a, const char *name,
	const struct json *v))
{
	const struct json *v;
	const char *name;
	void *at = NULL;

	while ((v = json_walk(names, &at, &name)) != NULL) {
		if (json_kind(v) != JSON_IS_ARRAY)
			take(r, a, name, v);
		for (size_t i = 0; i < json_items(v); i++)
			take(r, a, name, json_item(v, i));
	}
}

static void
take_all(const struct json *j, struct arena *a, struct rspamd_answer *r)
{
	const struct json *milter = json_member(j, "milter");

	r->score = json_double(json_member(j, "score"));
	r->required = json_double(json_member(j, "required_score"));
	r->action = json_text_in(j, "action", a);
	r->words = json_text_in(json_member(j, "messages"), "smtp_message", a);
	r->subject = json_text_in(j, "subject", a);
	take_each(json_member(milter, "remove_headers"), a, r, take_removed);
	take_each(json_member(milter, "add_headers"), a, r, take_added);
	take_symbols(json_member(j, "symbols"), a, r);
}

bool
rspamd_answer_read(struct str text, struct arena *a, struct rspamd_answer *r)
{
	struct json *j = json_open(text);
	enum json_kind score = json_kind(json_member(j, "score"));
	bool ok = (score == JSON_IS_INTEGER || score == JSON_IS_REAL) &&
	    json_kind(json_member(j, "action")) == JSON_IS_TEXT;

	*r = (struct rspamd_answer){ .words = STR(""), .subject = STR("") };
	if (ok)
		take_all(j, a, r);
	json_close(j);
	return ok;
}
