/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * sts -- MTA-STS records and policies (RFC 8461).
 *
 * A record or policy is taken whole or not at all: half a policy would be
 * another one.  Fields that are not known are passed over, and of those that
 * may stand once the first counts, as RFC 8461 3.1 and 3.2 want it.  A host
 * that matches by accident of spelling would be trusted, so patterns are
 * host names and nothing else.
 */

#include "mail/sts.h"

static const char *const mode_names[] = { "none", "testing", "enforce" };

const char *
sts_mode_name(enum sts_mode mode)
{
	return mode_names[mode];
}

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

/* Without the blanks that stand around it. */
static struct str
unpad(struct str s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = str_skip(s, 1);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* ---- the record ------------------------------------------------------------------ */

static bool
is_id(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]))
			return false;
	return s.n > 0 && s.n <= STS_ID_MAX;
}

/* True if S begins as a record does, whatever follows. */
static bool
is_record(struct str s, struct str *fields)
{
	static const struct str version = { "v=STSv1", 7 };

	if (!str_starts(s, version))
		return false;
	*fields = unpad(str_skip(s, version.n));
	if (fields->n == 0 || fields->p[0] != ';')
		return false;
	*fields = str_skip(*fields, 1);
	return true;
}

/* sts-ext-name "=" sts-ext-value */
static bool
is_extension(struct str name, struct str value)
{
	for (size_t i = 0; i < name.n; i++)
		if (!is_alnum(name.p[i]) &&
		    (i == 0 || strchr("_-.", name.p[i]) == NULL))
			return false;
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] <= 0x20 || value.p[i] == 0x7f ||
		    value.p[i] == '=')
			return false;
	return name.n > 0 && name.n <= 32 && value.n > 0;
}

static struct str
id_of(struct str fields)
{
	struct str field, name, value, id = STR("");
	bool more = true;

	while (more) {
		more = str_cut(fields, ';', &field, &fields);
		field = unpad(field);
		/* The last one may end with a semicolon. */
		if (field.n == 0 && !more)
			break;
		if (!str_cut(field, '=', &name, &value) ||
		    !is_extension(name, value))
			return STR("");
		if (!str_eq(name, STR("id")) || id.n > 0)
			continue;
		if (!is_id(value))
			return STR("");
		id = value;
	}
	return id;
}

struct str
sts_record_id(const struct str *txt, size_t n)
{
	struct str fields, only = STR("");
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		if (is_record(txt[i], &fields)) {
			only = fields;
			found++;
		}
	return found == 1 ? id_of(only) : STR("");
}

/* ---- the policy ------------------------------------------------------------------- */

/* A host name, perhaps behind "*.". */
static bool
is_pattern(struct str s)
{
	size_t label = 0, labels = 0;

	if (str_starts(s, STR("*.")))
		s = str_skip(s, 2);
	if (s.n == 0 || s.n > 253)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else {
			if (!is_alnum(c) && c != '-' && c != '_')
				return false;
			labels += label == 0;
			if (++label > 63)
				return false;
		}
	}
	return label > 0 && labels > 0;
}

/* What was read of a policy so far. */
struct reading {
	struct sts_policy *p;
	struct str *mx;
	bool version, mode, max_age;
};

static const char *
read_mode(struct reading *r, struct str value)
{
	for (size_t i = 0; i < ARRAY_LEN(mode_names); i++)
		if (str_eq(value, str_c(mode_names[i]))) {
			r->p->mode = (enum sts_mode)i;
			r->mode = true;
			return NULL;
		}
	return "its mode is unknown";
}

static const char *
read_age(struct reading *r, struct str value)
{
	uint64_t age;

	if (value.n > 10 || str_u64(value, UINT64_MAX, &age) < 0)
		return "its max_age is no number";
	r->p->max_age = age < STS_AGE_MAX ? (int64_t)age : STS_AGE_MAX;
	r->max_age = true;
	return NULL;
}

static const char *
read_mx(struct reading *r, struct str value)
{
	if (!is_pattern(value))
		return "an mx of it is no host name";
	if (r->p->mx_n == STS_MX_MAX)
		return "it has too many mx";
	r->mx[r->p->mx_n++] = value;
	return NULL;
}

static const char *
read_field(struct reading *r, struct str name, struct str value)
{
	if (str_eq(name, STR("version")) && !r->version) {
		r->version = true;
		return str_eq(value, STR("STSv1")) ? NULL :
						     "its version is unknown";
	}
	if (str_eq(name, STR("mode")) && !r->mode)
		return read_mode(r, value);
	if (str_eq(name, STR("max_age")) && !r->max_age)
		return read_age(r, value);
	if (str_eq(name, STR("mx")))
		return read_mx(r, value);
	return NULL;
}

static const char *
read_lines(struct reading *r, struct str text)
{
	struct str line, name, value;
	bool more = true;
	const char *why = NULL;

	while (more && !why) {
		more = str_cut(text, '\n', &line, &text);
		line = str_trim(line);
		if (line.n == 0)
			continue;
		if (!str_cut(line, ':', &name, &value))
			return "a line of it has no colon";
		why = read_field(r, unpad(name), unpad(value));
	}
	return why;
}

const char *
sts_policy_parse(struct str text, struct arena *a, struct sts_policy *p)
{
	struct reading r = { .p = p };
	const char *why;

	*p = (struct sts_policy){ .mode = STS_NONE };
	if (text.n > STS_POLICY_MAX)
		return "it is too large";
	r.mx = arena_alloc(a, STS_MX_MAX * sizeof(*r.mx));
	why = read_lines(&r, text);
	if (why)
		return why;
	if (!r.version || !r.mode || !r.max_age)
		return "it lacks a version, mode or max_age";
	if (p->mode == STS_NONE)
		p->mx_n = 0;
	else if (p->mx_n == 0)
		return "it lacks an mx";
	for (size_t i = 0; i < p->mx_n; i++)
		r.mx[i] = arena_str(a, r.mx[i]);
	p->mx = r.mx;
	return NULL;
}

void
sts_policy_add(struct buf *b, const struct sts_policy *p)
{
	buf_addf(b, "version: STSv1\nmode: %s\nmax_age: ",
	    mode_names[p->mode]);
	buf_addu(b, (uint64_t)p->max_age);
	buf_addc(b, '\n');
	for (size_t i = 0; i < p->mx_n; i++) {
		buf_adds(b, "mx: ");
		buf_add(b, p->mx[i]);
		buf_addc(b, '\n');
	}
}

bool
sts_policy_has(const struct sts_policy *p, struct str host)
{
	ptrdiff_t dot;
	struct str rest;

	if (str_ends(host, STR(".")))
		host.n--;
	dot = str_find(host, '.');
	/* "*" is a label, and a label is not empty. */
	rest = dot > 0 ? str_skip(host, (size_t)dot) : STR("");
	for (size_t i = 0; i < p->mx_n; i++) {
		struct str mx = p->mx[i];

		if (mx.p[0] != '*' ? str_ieq(mx, host) :
				     str_ieq(str_skip(mx, 1), rest))
			return true;
	}
	return false;
}
