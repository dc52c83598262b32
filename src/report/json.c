/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json -- what --json prints, and an answer that is read: the only user of
 * jansson.
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

void
json_unreadable(const char *id, const char *place, uint64_t size, const char *reason, FILE *out)
{
	json_t *j = json_object();

	json_object_set_new(j, "queue_name", json_string(place));
	json_object_set_new(j, "queue_id", json_string(id));
	json_object_set_new(j, "file_size", json_integer((json_int_t)size));
	json_object_set_new(j, "unreadable", json_string(reason ? reason : "broken"));
	json_object_set_new(j, "recipients", json_array());
	print(j, JSON_COMPACT, out);
}

/* ---- sums --------------------------------------------------------------------- */

void
json_summary(const struct summary_row *rows, size_t n, bool by_sender, FILE *out)
{
	json_t *j = json_object(), *ends = json_array(), *list = json_array();
	int minutes = SUMMARY_FIRST_MINUTES;

	for (size_t i = 0; i + 1 < SUMMARY_AGES; i++, minutes *= 2)
		json_array_append_new(ends, json_integer(minutes));
	for (size_t i = 0; i < n; i++) {
		json_t *row = json_object(), *ages = json_array();

		for (size_t k = 0; k < SUMMARY_AGES; k++)
			json_array_append_new(ages, json_integer((json_int_t)rows[i].ages[k]));
		json_object_set_new(row, "domain", safe(rows[i].domain));
		json_object_set_new(row, "count", json_integer((json_int_t)rows[i].n));
		json_object_set_new(row, "ages", ages);
		json_array_append_new(list, row);
	}
	json_object_set_new(j, "by", json_string(by_sender ? "sender" : "recipient"));
	json_object_set_new(j, "minutes", ends);
	json_object_set_new(j, "domains", list);
	print(j, JSON_COMPACT, out);
}

struct json_list {
	json_t *v;
};

struct json_list *
json_list_new(void)
{
	struct json_list *l = mem_alloc(sizeof(*l));

	l->v = json_array();
	return l;
}

void
json_list_free(struct json_list *l)
{
	if (!l)
		return;
	json_decref(l->v);
	mem_free(l);
}

static json_t *
seconds(int64_t us)
{
	return json_real((double)us / 1e6);
}

void
json_finding(struct json_list *l, const struct audit_finding *f)
{
	json_t *j = json_object();

	json_object_set_new(j, "kind", json_string(audit_kind_name(f->kind)));
	json_object_set_new(j, "wrong", json_boolean(audit_is_wrong(f->kind)));
	if (f->id[0])
		json_object_set_new(j, "queue_id", json_string(f->id));
	if (f->kind == AUDIT_NO_OUTCOME || f->kind == AUDIT_TWICE)
		json_object_set_new(j, "recipient", json_integer((json_int_t)f->rcpt));
	if (f->kind == AUDIT_GAP) {
		json_object_set_new(j, "runner", json_integer((json_int_t)f->runner));
		json_object_set_new(j, "lines", json_integer((json_int_t)f->lost));
		json_object_set_new(j, "from", seconds(f->since_us));
		json_object_set_new(j, "to", seconds(f->time_us));
	}
	if (f->file) {
		json_object_set_new(j, "file", safe(str_c(f->file)));
		json_object_set_new(j, "line", json_integer((json_int_t)f->number));
	}
	json_array_append_new(l->v, j);
}

void
json_audit(const struct audit_sum *s, struct json_list *l, FILE *out)
{
	json_t *j = json_object(), *ends = json_object();

	for (int e = 0; e < AUDIT_END_N; e++)
		json_object_set_new(ends, audit_end_name((enum audit_end)e),
		    json_integer((json_int_t)s->ends[e]));
	json_object_set_new(j, "closes", json_boolean(s->wrong == 0));
	json_object_set_new(j, "messages", json_integer((json_int_t)s->messages));
	json_object_set_new(j, "received", json_integer((json_int_t)s->received));
	json_object_set_new(j, "ends", ends);
	json_object_set_new(j, "older", json_integer((json_int_t)s->older));
	json_object_set_new(j, "lines", json_integer((json_int_t)s->lines));
	json_object_set_new(j, "wrong", json_integer((json_int_t)s->wrong));
	json_object_set_new(j, "notes", json_integer((json_int_t)s->notes));
	json_object_set_new(j, "findings", json_incref(l->v));
	json_list_free(l);
	print(j, JSON_INDENT(2), out);
}

static json_t *
number(uint64_t v)
{
	return json_integer((json_int_t)v);
}

static json_t *
view_row(const struct view_row *r)
{
	json_t *j = json_object();

	json_object_set_new(j, "kind", safe(r->kind));
	json_object_set_new(j, "name", safe(r->name));
	json_object_set_new(j, "destination", safe(r->key));
	json_object_set_new(j, "waiting", number(r->waiting));
	json_object_set_new(j, "parked", number(r->parked));
	json_object_set_new(j, "connections", number(r->connections));
	json_object_set_new(j, "ready", number(r->ready));
	json_object_set_new(j, "window", number(r->window));
	json_object_set_new(j, "sent", number(r->sent));
	json_object_set_new(j, "deferred", number(r->deferred));
	json_object_set_new(j, "bounced", number(r->bounced));
	if (r->dead_ms > 0) {
		json_object_set_new(j, "dead_ms", number(r->dead_ms));
		json_object_set_new(j, "dead_reason", safe(r->why));
	}
	return j;
}

static json_t *
view_rate(const struct view_rate *r)
{
	json_t *j = json_object();

	json_object_set_new(j, "rate", safe(r->name));
	json_object_set_new(j, "messages", number(r->messages));
	json_object_set_new(j, "recipients", number(r->recipients));
	json_object_set_new(j, "per", number(r->per));
	json_object_set_new(j, "used", number(r->used));
	json_object_set_new(j, "by", r->who.n > 0 ? safe(r->who) : json_null());
	return j;
}

static json_t *
view_froms_of(const struct view *v)
{
	json_t *list = json_array(), *j;

	for (size_t i = 0; i < v->from_n; i++) {
		j = json_object();
		json_object_set_new(j, "address", safe(v->froms[i].address));
		json_object_set_new(j, "connections", number(v->froms[i].connections));
		json_object_set_new(j, "most", number(v->froms[i].most));
		json_array_append_new(list, j);
	}
	return list;
}

void
json_view(const struct view *v, int64_t now, FILE *out)
{
	json_t *j = json_object(), *list = json_array(), *rates = json_array();

	for (size_t i = 0; i < v->rate_n; i++)
		json_array_append_new(rates, view_rate(&v->rates[i]));
	for (size_t i = 0; i < v->n; i++)
		json_array_append_new(list, view_row(&v->rows[i]));
	json_object_set_new(j, "time", json_integer((json_int_t)now));
	json_object_set_new(j, "runners", number(v->runners));
	json_object_set_new(j, "queued", number(v->queued));
	json_object_set_new(j, "active", number(v->active));
	json_object_set_new(j, "connections", number(v->connections));
	json_object_set_new(j, "destinations", list);
	json_object_set_new(j, "more", number(v->more));
	json_object_set_new(j, "rates", rates);
	json_object_set_new(j, "from", view_froms_of(v));
	print(j, JSON_COMPACT, out);
}

void
json_steps(const char *subject, const struct steps *s, FILE *out)
{
	json_t *j = json_object(), *list = json_array();

	for (size_t i = 0; i < s->n; i++) {
		const struct step *step = &s->v[i];
		json_t *o = json_object();

		json_object_set_new(o, "step", json_string(step->name));
		json_object_set_new(o, "depth", json_integer(step->depth));
		json_object_set_new(o, "text", safe(str_c(step->text)));
		if (step->place.file && step->place.file[0]) {
			json_object_set_new(o, "file", safe(str_c(step->place.file)));
			json_object_set_new(o, "line", json_integer(step->place.line));
		}
		json_array_append_new(list, o);
	}
	json_object_set_new(j, "subject", safe(str_c(subject)));
	json_object_set_new(j, "steps", list);
	print(j, JSON_INDENT(2), out);
}

/* ---- lines that become objects ------------------------------------------------- */

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

void
json_collects(struct str text, FILE *out)
{
	static const char *const names[] = { "fetched", "octets", "deleted", "left",
		"refused" };
	json_t *list = json_array();
	struct str line, name, word;
	uint64_t n;

	while (text.n > 0) {
		json_t *o = json_object();

		(void)str_cut(text, '\n', &line, &text);
		(void)str_cut(line, '\t', &name, &line);
		json_object_set_new(o, "name", safe(name));
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			(void)str_cut(line, '\t', &word, &line);
			if (str_u64(word, INT64_MAX, &n) < 0)
				n = 0;
			json_object_set_new(o, names[i], json_integer((json_int_t)n));
		}
		json_object_set_new(o, "error", line.n > 0 ? safe(line) : json_null());
		json_array_append_new(list, o);
	}
	print(list, JSON_INDENT(2), out);
}

void
json_blocks(struct str text, FILE *out)
{
	json_t *list = json_array();
	struct str line, left;
	uint64_t seconds;

	while (text.n > 0) {
		json_t *o = json_object();

		(void)str_cut(text, '\n', &line, &text);
		json_object_set_new(o, "network", safe(str_word(&line)));
		left = str_word(&line);
		json_object_set_new(o, "seconds", str_u64(left, INT64_MAX, &seconds) == 0 ?
		    json_integer((json_int_t)seconds) : json_null());
		json_object_set_new(o, "kind", safe(str_word(&line)));
		json_object_set_new(o, "why", safe(str_trim(line)));
		json_array_append_new(list, o);
	}
	print(list, JSON_INDENT(2), out);
}

void
json_records(const char *domain, const struct json_record *v, size_t n, FILE *out)
{
	json_t *o = json_object(), *list = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "name", safe(str_c(v[i].name)));
		json_object_set_new(one, "type", safe(str_c(v[i].type)));
		json_object_set_new(one, "value", safe(str_c(v[i].value)));
		json_object_set_new(one, "state", safe(str_c(v[i].state)));
		json_object_set_new(one, "found", safe(str_c(v[i].found)));
		json_array_append_new(list, one);
	}
	json_object_set_new(o, "domain", safe(str_c(domain)));
	json_object_set_new(o, "records", list);
	print(o, JSON_INDENT(2), out);
}

void
json_answers(struct str user, struct str text, FILE *out)
{
	json_t *o = json_object(), *list = json_array();
	struct str line, backend, answer;

	(void)str_cut(text, '\n', &line, &text);
	json_object_set_new(o, "user", safe(user));
	json_object_set_new(o, "verdict", safe(line));
	while (text.n > 0) {
		json_t *one = json_object();

		(void)str_cut(text, '\n', &line, &text);
		(void)str_cut(line, '\t', &backend, &answer);
		json_object_set_new(one, "backend", safe(backend));
		json_object_set_new(one, "answer", safe(answer));
		json_array_append_new(list, one);
	}
	json_object_set_new(o, "backends", list);
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

/* ---- what is read ---- */

static struct str
string_of(json_t *j, const char *name, struct arena *a)
{
	json_t *s = json_object_get(j, name);

	if (!json_is_string(s))
		return STR("");
	return arena_str(a, str_n(json_string_value(s), json_string_length(s)));
}

/* Some servers write it as a string. */
static int64_t
seconds_of(json_t *j)
{
	json_t *n = json_object_get(j, "expires_in");
	uint64_t v;

	if (json_is_integer(n))
		return json_integer_value(n);
	if (json_is_string(n) &&
	    str_u64(str_c(json_string_value(n)), INT64_MAX, &v) == 0)
		return (int64_t)v;
	return 0;
}

bool
json_token(struct str text, struct arena *a, struct json_token *t)
{
	json_t *j = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
	bool ok = json_is_object(j);

	*t = (struct json_token){ .seconds = 0 };
	if (ok) {
		t->token = string_of(j, "access_token", a);
		t->seconds = seconds_of(j);
		t->refresh = string_of(j, "refresh_token", a);
		t->error = string_of(j, "error", a);
		t->words = string_of(j, "error_description", a);
	}
	json_decref(j);
	return ok;
}

/* RFC 7519 2: NumericDate.  One that is there is never 0, and fits. */
static int64_t
time_of(json_t *j, const char *name)
{
	json_t *n = json_object_get(j, name);
	double v = json_number_value(n);

	if (!json_is_number(n))
		return 0;
	return v < 1 ? 1 : v > 1e15 ? (int64_t)1e15 : (int64_t)v;
}

/* RFC 7519 4.1.3: a string, or several in an array. */
static bool
has_audience(json_t *aud, const char *name)
{
	if (json_is_string(aud))
		return strcmp(json_string_value(aud), name) == 0;
	for (size_t i = 0; i < json_array_size(aud); i++)
		if (json_is_string(json_array_get(aud, i)) &&
		    strcmp(json_string_value(json_array_get(aud, i)), name) == 0)
			return true;
	return false;
}

bool
json_introspection(struct str text, const char *claim, const char *audience, struct arena *a,
    struct json_introspection *i)
{
	json_t *j = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
	bool ok = json_is_object(j) && json_is_boolean(json_object_get(j, "active"));

	*i = (struct json_introspection){ .user = STR(""), .scope = STR("") };
	if (ok) {
		i->active = json_is_true(json_object_get(j, "active"));
		i->user = string_of(j, claim, a);
		i->scope = string_of(j, "scope", a);
		i->not_before = time_of(j, "nbf");
		i->expires = time_of(j, "exp");
		i->for_audience = !audience ||
		    has_audience(json_object_get(j, "aud"), audience);
	}
	json_decref(j);
	return ok;
}

static void
take_symbols(json_t *symbols, struct arena *a, struct json_rspamd *r)
{
	const char *name;
	json_t *v;

	json_object_foreach(symbols, name, v)
		if (json_is_object(v) && r->symbol_n < ARRAY_LEN(r->symbols))
			r->symbols[r->symbol_n++] = arena_str(a, str_c(name));
}

static void
take_field(struct json_rspamd *r, const struct json_rspamd_field *f)
{
	if (r->field_n < ARRAY_LEN(r->fields))
		r->fields[r->field_n++] = *f;
}

/* V is a value, or an object with "value" and perhaps "order". */
static void
take_added(struct json_rspamd *r, struct arena *a, const char *name, json_t *v)
{
	json_t *order = json_object_get(v, "order");
	json_t *value = json_is_object(v) ? json_object_get(v, "value") : v;

	if (json_is_string(value))
		take_field(r, &(struct json_rspamd_field){ .name = arena_str(a, str_c(name)),
			.value = arena_str(a, str_n(json_string_value(value),
			    json_string_length(value))),
			.ordered = json_is_integer(order), .which = json_integer_value(order) });
}

/* Each name has one thing or an array of them. */
static void
take_milter(json_t *milter, struct arena *a, struct json_rspamd *r)
{
	const char *name;
	json_t *v, *one;
	size_t i;

	json_object_foreach(json_object_get(milter, "remove_headers"), name, v)
		for (i = 0; i == 0 || i < json_array_size(v); i++) {
			one = json_is_array(v) ? json_array_get(v, i) : v;
			if (json_is_integer(one))
				take_field(r, &(struct json_rspamd_field){ .remove = true,
					.name = arena_str(a, str_c(name)), .value = STR(""),
					.which = json_integer_value(one) });
		}
	json_object_foreach(json_object_get(milter, "add_headers"), name, v)
		for (i = 0; i == 0 || i < json_array_size(v); i++)
			take_added(r, a, name, json_is_array(v) ? json_array_get(v, i) : v);
}

bool
json_rspamd(struct str text, struct arena *a, struct json_rspamd *r)
{
	json_t *j = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
	json_t *score = json_object_get(j, "score");
	json_t *required = json_object_get(j, "required_score");
	bool ok = json_is_number(score) && json_is_string(json_object_get(j, "action"));

	*r = (struct json_rspamd){ .words = STR(""), .subject = STR("") };
	if (ok) {
		r->score = json_number_value(score);
		r->required = json_number_value(required);
		r->action = string_of(j, "action", a);
		r->words = string_of(json_object_get(j, "messages"), "smtp_message", a);
		r->subject = string_of(j, "subject", a);
		take_milter(json_object_get(j, "milter"), a, r);
		take_symbols(json_object_get(j, "symbols"), a, r);
	}
	json_decref(j);
	return ok;
}

/* ---- any other document ---- */

/* A struct json is what jansson has, under a name that others may know. */
static json_t *
of(const struct json *j)
{
	return (json_t *)(uintptr_t)j;
}

struct json *
json_open(struct str text)
{
	return (struct json *)json_loadb(text.p ? text.p : "", text.n,
	    JSON_REJECT_DUPLICATES, NULL);
}

void
json_close(struct json *j)
{
	json_decref(of(j));
}

const struct json *
json_member(const struct json *j, const char *name)
{
	return (const struct json *)json_object_get(of(j), name);
}

const struct json *
json_item(const struct json *j, size_t i)
{
	return (const struct json *)json_array_get(of(j), i);
}

size_t
json_items(const struct json *j)
{
	return json_array_size(of(j));
}

struct str
json_text(const struct json *j, struct arena *a)
{
	if (json_is_integer(of(j)))
		return str_c(arena_printf(a, "%" JSON_INTEGER_FORMAT, json_integer_value(of(j))));
	if (!json_is_string(of(j)))
		return STR("");
	return str_n(json_string_value(of(j)), json_string_length(of(j)));
}

uint64_t
json_number(const struct json *j)
{
	json_int_t v = json_integer_value(of(j));

	return v > 0 ? (uint64_t)v : 0;
}

void
json_prepare(void)
{
	json_object_seed(0);
}

static void
add_facts(json_t *j, const struct feedback_row *row)
{
	for (size_t i = 0; i < row->n; i++) {
		const struct feedback_fact *f = &row->facts[i];
		uint64_t v;

		if (feedback_is_number(f->name) && str_u64(f->value, INT64_MAX, &v) == 0)
			json_object_set_new(j, feedback_name(f->name),
			    json_integer((json_int_t)v));
		else
			json_object_set_new(j, feedback_name(f->name), safe(f->value));
	}
}

void
json_feedback(const char *file, const struct feedback *f, FILE *out)
{
	json_t *j = json_object(), *rows = json_array();

	json_object_set_new(j, "file", safe(str_c(file)));
	if (f->kind[0] != '\0')
		json_object_set_new(j, "kind", safe(str_c(f->kind)));
	if (f->why != NULL)
		json_object_set_new(j, "why", safe(str_c(f->why)));
	add_facts(j, &f->head);
	for (size_t i = 0; i < f->row_n; i++) {
		json_t *row = json_object();

		add_facts(row, &f->rows[i]);
		json_array_append_new(rows, row);
	}
	json_object_set_new(j, "row-count", json_integer((json_int_t)f->row_total));
	json_object_set_new(j, "rows", rows);
	print(j, JSON_INDENT(2), out);
}

/* ---- a message, read again ------------------------------------------------------- */

static int64_t
integer_of(json_t *j, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(j, name));

	return n > 0 ? (int64_t)n : 0;
}

static void
take_rcpts(json_t *list, struct arena *a, struct json_row *r)
{
	size_t n = json_array_size(list);

	n = n < JSON_ROW_RCPTS ? n : JSON_ROW_RCPTS;
	r->rcpts = arena_alloc(a, (n + 1) * sizeof(*r->rcpts));
	for (r->rcpt_n = 0; r->rcpt_n < n; r->rcpt_n++) {
		json_t *j = json_array_get(list, r->rcpt_n);

		r->rcpts[r->rcpt_n] = (struct json_row_rcpt){
			.address = string_of(j, "address", a), .state = string_of(j, "state", a),
			.status = string_of(j, "status", a), .relay = string_of(j, "relay", a),
			.reply = string_of(j, "delay_reason", a),
			.last = integer_of(j, "last_attempt") };
	}
}

bool
json_row(struct str text, struct arena *a, struct json_row *r)
{
	json_t *j = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
	bool ok = json_is_string(json_object_get(j, "queue_id"));

	*r = (struct json_row){ .size = 0 };
	if (ok) {
		r->place = string_of(j, "queue_name", a);
		r->id = string_of(j, "queue_id", a);
		r->sender = string_of(j, "sender", a);
		r->client = string_of(j, "client", a);
		r->user = string_of(j, "user", a);
		r->unreadable = string_of(j, "unreadable", a);
		r->size = (uint64_t)(r->unreadable.n > 0 ? integer_of(j, "file_size")
							  : integer_of(j, "message_size"));
		r->arrival = integer_of(j, "arrival_time");
		r->next = integer_of(j, "next_attempt");
		take_rcpts(json_object_get(j, "recipients"), a, r);
	}
	json_decref(j);
	return ok;
}
