/* SPDX-License-Identifier: GPL-3.0-or-later */

/* json -- documents in JSON: the only user of jansson. */

#include "lib/json.h"

#include <jansson.h>

#include "lib/log.h"

/* A struct json is what jansson has, under a name that others may know. */
static json_t *
of(const struct json *j)
{
	return (json_t *)(uintptr_t)j;
}

static struct json *
as(json_t *j)
{
	return (struct json *)j;
}

/* ---- reading ---- */

struct json *
json_open(struct str text)
{
	return as(json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL));
}

void
json_close(struct json *j)
{
	json_decref(of(j));
}

enum json_kind
json_kind(const struct json *j)
{
	if (j == NULL)
		return JSON_IS_NOTHING;
	switch (json_typeof(of(j))) {
	case JSON_OBJECT: return JSON_IS_OBJECT;
	case JSON_ARRAY: return JSON_IS_ARRAY;
	case JSON_STRING: return JSON_IS_TEXT;
	case JSON_INTEGER: return JSON_IS_INTEGER;
	case JSON_REAL: return JSON_IS_REAL;
	case JSON_TRUE: return JSON_IS_TRUE;
	case JSON_FALSE: return JSON_IS_FALSE;
	case JSON_NULL: return JSON_IS_NULL;
	}
	return JSON_IS_NOTHING;
}

const struct json *
json_member(const struct json *j, const char *name)
{
	return as(json_object_get(of(j), name));
}

const struct json *
json_item(const struct json *j, size_t i)
{
	return as(json_array_get(of(j), i));
}

size_t
json_items(const struct json *j)
{
	return json_array_size(of(j));
}

const struct json *
json_walk(const struct json *j, void **at, const char **name)
{
	*at = *at == NULL ? json_object_iter(of(j)) : json_object_iter_next(of(j), *at);
	if (*at == NULL)
		return NULL;
	*name = json_object_iter_key(*at);
	return as(json_object_iter_value(*at));
}

static struct str
string_of(const struct json *j)
{
	return str_n(json_string_value(of(j)), json_string_length(of(j)));
}

struct str
json_text(const struct json *j, struct arena *a)
{
	if (json_is_integer(of(j)))
		return str_c(arena_printf(a, "%" JSON_INTEGER_FORMAT, json_integer_value(of(j))));
	return json_is_string(of(j)) ? string_of(j) : STR("");
}

struct str
json_text_in(const struct json *j, const char *name, struct arena *a)
{
	const struct json *s = json_member(j, name);

	return json_is_string(of(s)) ? arena_str(a, string_of(s)) : STR("");
}

int64_t
json_whole(const struct json *j)
{
	return json_integer_value(of(j));
}

uint64_t
json_number(const struct json *j)
{
	int64_t v = json_whole(j);

	return v > 0 ? (uint64_t)v : 0;
}

double
json_double(const struct json *j)
{
	return json_number_value(of(j));
}

void
json_prepare(void)
{
	json_object_seed(0);
}

/* ---- making ---- */

struct json *
json_new_object(void)
{
	return as(json_object());
}

struct json *
json_new_array(void)
{
	return as(json_array());
}

void
json_set(struct json *o, const char *name, struct json *v)
{
	json_object_set_new(of(o), name, of(v));
}

void
json_add(struct json *a, struct json *v)
{
	json_array_append_new(of(a), of(v));
}

static struct json *
text_of(struct str s)
{
	char line[LOG_LINE_MAX];
	json_t *j = json_stringn(s.p ? s.p : "", s.n);

	return as(j ? j : json_stringn(line, log_escape(line, sizeof(line), s)));
}

static struct json *
number_of(uint64_t v)
{
	return as(json_integer((json_int_t)v));
}

void
json_set_text(struct json *o, const char *name, struct str text)
{
	json_set(o, name, text_of(text));
}

void
json_set_number(struct json *o, const char *name, uint64_t v)
{
	json_set(o, name, number_of(v));
}

void
json_set_integer(struct json *o, const char *name, int64_t v)
{
	json_set(o, name, as(json_integer(v)));
}

void
json_set_double(struct json *o, const char *name, double v)
{
	json_set(o, name, as(json_real(v)));
}

void
json_set_bool(struct json *o, const char *name, bool v)
{
	json_set(o, name, as(json_boolean(v)));
}

void
json_set_null(struct json *o, const char *name)
{
	json_set(o, name, as(json_null()));
}

void
json_add_text(struct json *a, struct str text)
{
	json_add(a, text_of(text));
}

void
json_add_number(struct json *a, uint64_t v)
{
	json_add(a, number_of(v));
}

void
json_print(struct json *j, enum json_form form, FILE *out)
{
	json_dumpf(of(j), out, form == JSON_ONE_LINE ? JSON_COMPACT : JSON_INDENT(2));
	fputc('\n', out);
	json_decref(of(j));
}
