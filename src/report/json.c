/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json -- what --json prints: the only user of jansson.
 *
 * Mail holds any bytes and JSON only UTF-8, so what is none is escaped as
 * the log escapes it.
 */

#include "report/json.h"

#include <jansson.h>

#include "lib/log.h"
#include "lib/mem.h"

static json_t *
safe(struct str s)
{
	char line[LOG_LINE_MAX];
	json_t *j = json_stringn(s.p ? s.p : "", s.n);

	return j ? j : json_stringn(line, log_escape(line, sizeof(line), s));
}

static json_t *
address(const struct path *p)
{
	struct buf b;

	buf_init(&b, 2048);
	path_add(&b, p);
	json_t *j = safe(buf_str(&b));
	buf_free(&b);
	return j;
}

static void
print(json_t *j, size_t flags, FILE *out)
{
	json_dumpf(j, out, flags);
	fputc('\n', out);
	json_decref(j);
}

static const char *
state_name(enum rcpt_state s)
{
	switch (s) {
	case RCPT_QUEUED: return "queued";
	case RCPT_DONE:
	case RCPT_SENT: return "delivered";
	case RCPT_FAILED:
	case RCPT_BOUNCED: return "failed";
	}
	return "unknown";
}

static json_t *
recipient(const struct envelope_rcpt *r, const struct queue_attempt *last)
{
	json_t *j = json_object();

	json_object_set_new(j, "address", address(&r->path));
	json_object_set_new(j, "state", json_string(state_name(r->state)));
	if (last->time != 0) {
		json_object_set_new(j, "last_attempt", json_integer(last->time));
		json_object_set_new(j, "status", safe(str_c(last->status)));
		json_object_set_new(j, "relay", safe(last->relay));
		json_object_set_new(j, "delay_reason", safe(last->reply));
	}
	return j;
}

void
json_message(const struct queue_file *f, const char *place, const struct queue_attempt *last,
    FILE *out)
{
	json_t *j = json_object(), *rcpts = json_array();

	json_object_set_new(j, "queue_name", json_string(place));
	json_object_set_new(j, "queue_id", json_string(f->env.id));
	json_object_set_new(j, "arrival_time", json_integer(f->env.arrival_us / 1000000));
	json_object_set_new(j, "message_size", json_integer((json_int_t)f->size));
	json_object_set_new(j, "next_attempt", json_integer(f->next));
	json_object_set_new(j, "sender", address(&f->env.from));
	json_object_set_new(j, "client", safe(f->env.client));
	if (f->env.user.n > 0)
		json_object_set_new(j, "user", safe(f->env.user));
	for (size_t i = 0; i < f->env.rcpt_n; i++)
		json_array_append_new(rcpts, recipient(&f->env.rcpts[i], &last[i]));
	json_object_set_new(j, "recipients", rcpts);
	print(j, JSON_COMPACT, out);
}

static bool
is_list(struct str key)
{
	return str_eq(key, STR("session")) || str_eq(key, STR("helper")) ||
	    str_eq(key, STR("mark"));
}

/* "key value" lines; keys that may repeat become lists. */
void
json_status(struct str text, FILE *out)
{
	json_t *o = json_object();
	struct str line, key, value;
	uint64_t number;

	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		if (!str_cut(line, ' ', &key, &value))
			continue;
		char *name = mem_dup(key);
		bool list = is_list(key);
		json_t *v = str_u64(value, INT64_MAX, &number) == 0
		    ? json_integer((json_int_t)number) : safe(value);
		json_t *array = json_object_get(o, name);
		if (list && !array) {
			array = json_array();
			json_object_set_new(o, name, array);
		}
		if (list)
			json_array_append_new(array, v);
		else
			json_object_set_new(o, name, v);
		mem_free(name);
	}
	print(o, JSON_INDENT(2), out);
}

static void
option(void *arg, const char *name, const char *value, struct conf_place place)
{
	json_t *j = json_object();

	json_object_set_new(j, "name", safe(str_c(name)));
	json_object_set_new(j, "value", safe(str_c(value)));
	json_object_set_new(j, "file", safe(str_c(place.file)));
	json_object_set_new(j, "line", json_integer(place.line));
	json_array_append_new(arg, j);
}

void
json_config(const struct conf *c, FILE *out)
{
	json_t *list = json_array();

	conf_each(c, option, list);
	print(list, JSON_INDENT(2), out);
}
