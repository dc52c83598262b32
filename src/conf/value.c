/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * value -- the types of options: from the file's spelling and back.
 *
 * Ranges and lists of words come from the option table.  What conf_value_show()
 * writes, conf_value_set() reads as the same value.
 */

#include <sys/socket.h>

#include "conf/backend.h"
#include "private.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* The smallest first; the first that fits from the end is what is shown. */
static const struct unit size_units[] = { { "", 1 },
	{ "KB", (uint64_t)1 << 10 }, { "MB", (uint64_t)1 << 20 },
	{ "GB", (uint64_t)1 << 30 }, { NULL, 0 } };
static const struct unit time_units[] = { { "ms", 1 }, { "s", 1000 },
	{ "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }, { NULL, 0 } };
static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };

/* A hundred years: sums of times never overflow. */
#define TIME_MAX ((uint64_t)36525 * 86400000)

/* Where a value goes, and what is said if it does not. */
struct setter {
	const struct option *o;
	const char *name;
	struct arena *arena;
	struct buf *error;
};

/* ---- scaled numbers ---- */

static uint64_t
unit_factor(const struct unit *units, struct str name)
{
	for (; units->name; units++)
		if (str_ieq(str_c(units->name), name))
			return units->factor;
	return 0;
}

/* Takes digits and a unit from *S; false if there are none, or too many. */
static bool
take_scaled(struct str *s, const struct unit *units, uint64_t *out)
{
	size_t n = 0, m;
	uint64_t number, factor;

	while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	m = n;
	while (m < s->n && (s->p[m] < '0' || s->p[m] > '9'))
		m++;
	factor = unit_factor(units, str_n(s->p + n, m - n));
	if (factor == 0 ||
	    str_u64(str_head(*s, n), UINT64_MAX / factor, &number) < 0)
		return false;
	*out = number * factor;
	*s = str_skip(*s, m);
	return true;
}

/* "1h30m": the sum.  A zero needs no unit. */
static bool
parse_scaled(struct str s, const struct unit *units, uint64_t *out)
{
	uint64_t sum = 0, part;

	if (str_eq(s, STR("0"))) {
		*out = 0;
		return true;
	}
	if (s.n == 0)
		return false;
	while (s.n > 0) {
		if (!take_scaled(&s, units, &part) || part > UINT64_MAX - sum)
			return false;
		sum += part;
	}
	*out = sum;
	return true;
}

static void
show_scaled(struct buf *b, const struct unit *units, uint64_t v)
{
	const struct unit *u = units, *best = units;

	if (v == 0 && units == time_units)
		best = &time_units[1];
	for (; v > 0 && u->name; u++)
		if (v % u->factor == 0)
			best = u;
	buf_addu(b, v / best->factor);
	buf_adds(b, best->name);
}

static const struct unit *
units_of(enum option_type type)
{
	return type == OPTION_SIZE			? size_units :
	    type == OPTION_TIME || type == OPTION_TIMES ? time_units :
							  no_units;
}

/* ---- complaints ---- */

static void
unfit(const struct setter *t, const struct value *v, const char *expected)
{
	conf_complain(t->error, v->place,
	    "%s: \"%s\" does not fit, expected %s", t->name,
	    t->o->secret ? "********" : v->text, expected);
}

static void
unfit_range(
    const struct setter *t, const struct value *v, uint64_t min, uint64_t max)
{
	const struct unit *units = units_of(t->o->type);
	struct buf b;

	buf_init(&b, 200);
	buf_adds(&b,
	    units == size_units	    ? "a size such as 50MB" :
		units == time_units ? "a time such as 30s, 5m, 2h or 1d" :
				      "a number");
	buf_adds(&b, ", from ");
	show_scaled(&b, units, min);
	buf_adds(&b, " to ");
	show_scaled(&b, units, max);
	unfit(t, v, buf_cstr(&b));
	buf_free(&b);
}

static void
unfit_word(const struct setter *t, const struct value *v)
{
	struct buf b;

	buf_init(&b, 500);
	conf_words_expected(&b, t->o->choices, str_c(v->text));
	unfit(t, v, buf_cstr(&b));
	buf_free(&b);
}

/* ---- one value ---- */

static bool
to_number(const struct setter *t, const struct value *v, uint64_t *out)
{
	uint64_t max = t->o->max, n;

	if (max == 0)
		max = t->o->type == OPTION_TIME ? TIME_MAX : UINT64_MAX;
	if (!parse_scaled(str_c(v->text), units_of(t->o->type), &n) ||
	    n < t->o->min || n > max) {
		unfit_range(t, v, t->o->min, max);
		return false;
	}
	*out = n;
	return true;
}

static bool
to_signed(const struct setter *t, const struct value *v, int64_t *out)
{
	struct str s = str_c(v->text);
	bool minus = s.n > 1 && s.p[0] == '-';
	struct buf b;
	uint64_t n;

	if (str_u64(minus ? str_skip(s, 1) : s, t->o->max, &n) == 0) {
		*out = minus ? -(int64_t)n : (int64_t)n;
		return true;
	}
	buf_init(&b, 200);
	buf_addf(&b, "a number from -%llu to %llu", (unsigned long long)t->o->max,
	    (unsigned long long)t->o->max);
	unfit(t, v, buf_cstr(&b));
	buf_free(&b);
	return false;
}

static bool
to_bool(const struct setter *t, const struct value *v, bool *out)
{
	static const char *const words[] = { "false", "true", "no", "yes",
		"off", "on" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++) {
		if (str_ieq(str_c(v->text), str_c(words[i]))) {
			*out = i % 2;
			return true;
		}
	}
	unfit(t, v, "true or false");
	return false;
}

static bool
to_choice(const struct setter *t, const struct value *v, int *out)
{
	int i;

	for (i = 0; t->o->choices[i]; i++) {
		if (t->o->choices[i][0] &&
		    strcmp(v->text, t->o->choices[i]) == 0) {
			*out = i;
			return true;
		}
	}
	unfit_word(t, v);
	return false;
}

static bool
to_string(const struct setter *t, const struct value *v, const char **out)
{
	int i;

	if (t->o->choices && !to_choice(t, v, &i))
		return false;
	*out = arena_cstr(t->arena, str_c(v->text));
	return true;
}

static bool
to_range(struct str s, struct conf_port_range *r)
{
	struct str from, to;
	uint64_t first, last;

	if (!str_cut(s, '-', &from, &to))
		to = from;
	if (str_u64(str_trim(from), 65535, &first) < 0 ||
	    str_u64(str_trim(to), 65535, &last) < 0)
		return false;
	r->first = (uint16_t)first;
	r->last = (uint16_t)last;
	return first >= 1 && first <= last;
}

static bool
to_ports(const struct setter *t, const struct value *v, struct conf_ports *out)
{
	struct str part, rest = str_c(v->text);
	size_t n = 1, i;
	bool more = true;

	for (i = 0; i < rest.n; i++)
		n += rest.p[i] == ',';
	out->n = 0;
	out->v = arena_alloc(t->arena, n * sizeof(*out->v));
	if (rest.n == 0)
		return true;
	while (more) {
		more = str_cut(rest, ',', &part, &rest);
		if (!to_range(str_trim(part), &out->v[out->n++])) {
			unfit(t, v,
			    "ports from 1 to 65535 as in "
			    "\"25,2525,1024-1026\"");
			return false;
		}
	}
	return true;
}

/* ---- lists ---- */

static bool
to_strings(
    const struct setter *t, const struct values *l, struct conf_strs *out)
{
	size_t i;

	out->n = l->n;
	out->v = arena_alloc(t->arena, (l->n + 1) * sizeof(*out->v));
	for (i = 0; i < l->n; i++) {
		if (l->v[i].text[0] == '\0') {
			unfit(t, &l->v[i], "something between the quotes");
			return false;
		}
		out->v[i] = arena_cstr(t->arena, str_c(l->v[i].text));
	}
	return true;
}

static bool
to_times(const struct setter *t, const struct values *l, struct conf_times *out)
{
	uint64_t ms;
	size_t i;

	out->n = l->n;
	out->v = arena_alloc(t->arena, (l->n + 1) * sizeof(*out->v));
	for (i = 0; i < l->n; i++) {
		if (!parse_scaled(str_c(l->v[i].text), time_units, &ms) ||
		    ms == 0 || ms > TIME_MAX) {
			unfit_range(t, &l->v[i], 1, TIME_MAX);
			return false;
		}
		out->v[i] = (int64_t)ms;
	}
	return true;
}

/* "unix" is clients at a socket of this host, where that may stand. */
static const char *
to_net(const struct setter *t, struct str text, struct ip_range *net)
{
	if (!t->o->choices || !str_eq(text, STR("unix")))
		return ip_range_parse(text, net);
	*net = (struct ip_range){ .family = AF_UNIX };
	return NULL;
}

/* FEATURES L12: one value may have several, with semicolons between. */
static size_t
count_parts(const struct values *l)
{
	size_t n = l->n;

	for (size_t i = 0; i < l->n; i++)
		for (const char *p = l->v[i].text; *p != '\0'; p++)
			n += *p == ';';
	return n;
}

static bool
to_nets(const struct setter *t, const struct values *l, struct conf_nets *out)
{
	const char *why = NULL;
	size_t n = 0;

	out->v = arena_alloc(t->arena, (count_parts(l) + 1) * sizeof(*out->v));
	for (size_t i = 0; i < l->n; i++) {
		struct str part, rest = str_c(l->v[i].text);
		bool more = true;

		for (; more && !why; n++) {
			more = str_cut(rest, ';', &part, &rest);
			why = to_net(t, str_trim(part), &out->v[n]);
		}
		if (why) {
			conf_complain(t->error, l->v[i].place, "%s: \"%s\" %s",
			    t->name, l->v[i].text, why);
			return false;
		}
	}
	out->n = n;
	return true;
}

static bool
count_fits(const struct setter *t, const struct values *l)
{
	uint64_t max = t->o->max ? t->o->max : CONF_LIST_MAX;

	if (l->n >= t->o->min && l->n <= max)
		return true;
	if (l->n == 0)
		conf_complain(t->error, l->place,
		    "%s: the list is empty, expected at least one "
		    "element",
		    t->name);
	else
		conf_complain(t->error, l->place,
		    "%s: %zu elements, expected %llu to %llu", t->name, l->n,
		    (unsigned long long)t->o->min, (unsigned long long)max);
	return false;
}

/* ---- the types ---- */

bool
conf_value_is_list(enum option_type type)
{
	return type == OPTION_STRINGS || type == OPTION_TIMES ||
	    type == OPTION_NETS;
}

static bool
set_list(const struct setter *t, void *field, const struct values *l)
{
	if (!count_fits(t, l))
		return false;
	if (t->o->type == OPTION_STRINGS)
		return to_strings(t, l, field);
	if (t->o->type == OPTION_TIMES)
		return to_times(t, l, field);
	return to_nets(t, l, field);
}

bool
conf_value_set(const struct option *o, const char *name, void *field,
    const struct values *l, struct arena *a, struct buf *error)
{
	struct setter t = { o, name, a, error };
	struct value nothing = { "", l->place };
	const struct value *v = l->n ? &l->v[0] : &nothing;
	uint64_t ms;

	if (conf_value_is_list(o->type))
		return set_list(&t, field, l);
	switch (o->type) {
	case OPTION_BOOL:
		return to_bool(&t, v, field);
	case OPTION_NUMBER:
	case OPTION_SIZE:
		return to_number(&t, v, field);
	case OPTION_SIGNED:
		return to_signed(&t, v, field);
	case OPTION_TIME:
		if (!to_number(&t, v, &ms))
			return false;
		*(int64_t *)field = (int64_t)ms;
		return true;
	case OPTION_CHOICE:
		return to_choice(&t, v, field);
	case OPTION_PORTS:
		return to_ports(&t, v, field);
	default:
		return to_string(&t, v, field);
	}
}

/* ---- and back ---- */

void
conf_value_quote(struct buf *b, const char *s)
{
	buf_addc(b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\' || (*s == '$' && s[1] == '{'))
			buf_addc(b, '\\');
		buf_addc(b, *s);
	}
	buf_addc(b, '"');
}

static void
show_ports(struct buf *b, const struct conf_ports *p)
{
	size_t i;

	buf_addc(b, '"');
	for (i = 0; i < p->n; i++) {
		buf_addf(b, "%s%u", i ? "," : "", p->v[i].first);
		if (p->v[i].last != p->v[i].first)
			buf_addf(b, "-%u", p->v[i].last);
	}
	buf_addc(b, '"');
}

static size_t
list_count(const struct option *o, const void *field)
{
	if (o->type == OPTION_STRINGS)
		return ((const struct conf_strs *)field)->n;
	if (o->type == OPTION_TIMES)
		return ((const struct conf_times *)field)->n;
	return ((const struct conf_nets *)field)->n;
}

/* Of a list that is secret the elements are URLs of backends. */
static void
show_url(struct buf *b, const char *url)
{
	struct buf show;

	buf_init(&show, 2 * CONF_VALUE_MAX);
	conf_backend_show(&show, str_c(url));
	conf_value_quote(b, buf_cstr(&show));
	buf_free(&show);
}

static void
show_list(const struct option *o, const void *field, struct buf *b)
{
	size_t i, n = list_count(o, field);

	buf_addc(b, '{');
	for (i = 0; i < n; i++) {
		if (i)
			buf_adds(b, ", ");
		if (o->type == OPTION_STRINGS && o->secret) {
			show_url(b, ((const struct conf_strs *)field)->v[i]);
		} else if (o->type == OPTION_STRINGS) {
			conf_value_quote(
			    b, ((const struct conf_strs *)field)->v[i]);
		} else if (o->type == OPTION_TIMES) {
			show_scaled(b, time_units,
			    (uint64_t)((const struct conf_times *)field)->v[i]);
		} else {
			buf_addc(b, '"');
			ip_range_add(b,
			    &((const struct conf_nets *)field)->v[i]);
			buf_addc(b, '"');
		}
	}
	buf_addc(b, '}');
}

void
conf_value_show(const struct option *o, const void *field, struct buf *b)
{
	if (conf_value_is_list(o->type)) {
		show_list(o, field, b);
		return;
	}
	switch (o->type) {
	case OPTION_BOOL:
		buf_adds(b, *(const bool *)field ? "true" : "false");
		return;
	case OPTION_NUMBER:
	case OPTION_SIZE:
		show_scaled(b, units_of(o->type), *(const uint64_t *)field);
		return;
	case OPTION_SIGNED:
		buf_addf(b, "%lld", (long long)*(const int64_t *)field);
		return;
	case OPTION_TIME:
		show_scaled(b, time_units, (uint64_t) * (const int64_t *)field);
		return;
	case OPTION_CHOICE:
		conf_value_quote(b, o->choices[*(const int *)field]);
		return;
	case OPTION_PORTS:
		show_ports(b, field);
		return;
	default:
		if (o->secret && (*(const char *const *)field)[0] != '\0')
			buf_adds(b, "\"********\"");
		else
			conf_value_quote(b, *(const char *const *)field);
	}
}
