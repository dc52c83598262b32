/* SPDX-License-Identifier: GPL-3.0-or-later */

/* forms -- what barid answers in lines, and the configuration, as baridctl --json prints them. */

#include "forms.h"

#include "lib/json.h"
#include "lib/mem.h"

static void
set_value(struct json *o, struct str key, struct str value)
{
	char *name = mem_dup(key);
	uint64_t number;

	if (str_u64(value, INT64_MAX, &number) == 0)
		json_set_number(o, name, number);
	else
		json_set_text(o, name, value);
	mem_free(name);
}

/* Keys of which there may be several lines: each has an array. */
static const char *const repeated[] = { "session", "helper", "mark" };

static bool
add_repeated(struct json *o, struct json **arrays, struct str key, struct str value)
{
	for (size_t i = 0; i < ARRAY_LEN(repeated); i++) {
		if (!str_eq(key, str_c(repeated[i])))
			continue;
		if (arrays[i] == NULL)
			json_set(o, repeated[i], arrays[i] = json_new_array());
		json_add_text(arrays[i], value);
		return true;
	}
	return false;
}

void
forms_status(struct str text, FILE *out)
{
	struct json *arrays[ARRAY_LEN(repeated)] = { NULL };
	struct json *o = json_new_object();
	struct str line, key, value;

	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		if (str_cut(line, ' ', &key, &value) && !add_repeated(o, arrays, key, value))
			set_value(o, key, value);
	}
	json_print(o, JSON_FOR_EYES, out);
}

void
forms_collects(struct str text, FILE *out)
{
	static const char *const names[] = { "fetched", "octets", "deleted", "left",
		"refused" };
	struct json *list = json_new_array();
	struct str line, name, word;
	uint64_t n;

	while (text.n > 0) {
		struct json *o = json_new_object();

		(void)str_cut(text, '\n', &line, &text);
		(void)str_cut(line, '\t', &name, &line);
		json_set_text(o, "name", name);
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			(void)str_cut(line, '\t', &word, &line);
			json_set_number(o, names[i], str_u64(word, INT64_MAX, &n) < 0 ? 0 : n);
		}
		if (line.n > 0)
			json_set_text(o, "error", line);
		else
			json_set_null(o, "error");
		json_add(list, o);
	}
	json_print(list, JSON_FOR_EYES, out);
}

void
forms_blocks(struct str text, FILE *out)
{
	struct json *list = json_new_array();
	uint64_t seconds;
	struct str line;

	while (text.n > 0) {
		struct json *o = json_new_object();

		(void)str_cut(text, '\n', &line, &text);
		json_set_text(o, "network", str_word(&line));
		if (str_u64(str_word(&line), INT64_MAX, &seconds) == 0)
			json_set_number(o, "seconds", seconds);
		else
			json_set_null(o, "seconds");
		json_set_text(o, "kind", str_word(&line));
		json_set_text(o, "why", str_trim(line));
		json_add(list, o);
	}
	json_print(list, JSON_FOR_EYES, out);
}

void
forms_answers(struct str user, struct str text, FILE *out)
{
	struct json *o = json_new_object(), *list = json_new_array();
	struct str line, backend, answer;

	(void)str_cut(text, '\n', &line, &text);
	json_set_text(o, "user", user);
	json_set_text(o, "verdict", line);
	while (text.n > 0) {
		struct json *one = json_new_object();

		(void)str_cut(text, '\n', &line, &text);
		(void)str_cut(line, '\t', &backend, &answer);
		json_set_text(one, "backend", backend);
		json_set_text(one, "answer", answer);
		json_add(list, one);
	}
	json_set(o, "backends", list);
	json_print(o, JSON_FOR_EYES, out);
}

static void
add_option(void *list, const char *name, const char *value, struct conf_place place)
{
	struct json *o = json_new_object();

	json_set_text(o, "name", str_c(name));
	json_set_text(o, "value", str_c(value));
	json_set_text(o, "file", str_c(place.file));
	json_set_integer(o, "line", place.line);
	json_add(list, o);
}

void
forms_config(const struct conf *c, FILE *out)
{
	struct json *list = json_new_array();

	conf_each(c, add_option, list);
	json_print(list, JSON_FOR_EYES, out);
}
