/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * result -- what checks found of a message, for those who come after.
 *
 * Nearly every value here was chosen by a stranger.  So all of them go through
 * one place each on their way into a header and into JSON.
 */

#include "check/result.h"

struct check_result *
results_add(struct results *r, const char *method, const char *value)
{
	/* The last place is for what nobody looks at. */
	struct check_result *one = &r->v[r->n < RESULTS_MAX - 1 ? r->n++ : RESULTS_MAX - 1];

	*one = (struct check_result){ .method = method, .value = value, .reason = STR("") };
	return one;
}

void
result_prop(struct check_result *r, const char *name, struct str value)
{
	if (value.n > 0 && r->prop_n < RESULT_PROPS_MAX)
		r->props[r->prop_n++] = (struct result_prop){ name,
			str_head(value, RESULT_VALUE_MAX) };
}

/* ---- the field --------------------------------------------------------------------- */

/* RFC 2045 5.1, and an "@" as RFC 8601 2.2 has it in a pvalue. */
static bool
is_bare(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' ||
		    memchr("()<>,;:\\\"/[]?=", s.p[i], 15) != NULL)
			return false;
	return s.n > 0;
}

/* RFC 6532 allows octets of UTF-8; all others that are no text become "?". */
static char
clean(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f ? '?' : c;
}

static void
add_value(struct buf *b, struct str s)
{
	if (is_bare(s)) {
		buf_add(b, s);
		return;
	}
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		char c = clean(s.p[i]);

		if (c == '"' || c == '\\')
			buf_addc(b, '\\');
		buf_addc(b, c);
	}
	buf_addc(b, '"');
}

/* RFC 8601 2.3: a source and its part, "header.d". */
static bool
is_registered(const struct result_prop *p)
{
	return strchr(p->name, '.') != NULL;
}

/* For people, what has no property: " (domain=b.example selector=sel)".  False: nothing. */
static bool
add_comment(struct buf *b, const struct check_result *r)
{
	bool any = false;

	for (size_t i = 0; i < r->prop_n; i++) {
		struct str s = r->props[i].value;

		if (is_registered(&r->props[i]))
			continue;
		buf_addf(b, " %s%s=", any ? "" : "(", r->props[i].name);
		for (size_t k = 0; k < s.n; k++) {
			if (strchr("()\\", clean(s.p[k])) != NULL)
				buf_addc(b, '\\');
			buf_addc(b, clean(s.p[k]));
		}
		any = true;
	}
	if (any)
		buf_addc(b, ')');
	return any;
}

/* RFC 8601 2.2: in a quoted string, so that it may say whatever there is to say. */
static void
add_result(struct buf *b, const struct check_result *r)
{
	/* No line of it is longer than two values. */
	const char *before;

	buf_addf(b, ";\r\n\t%s=%s", r->method, r->value);
	before = add_comment(b, r) ? "\r\n\t " : " ";
	if (r->reason.n > 0) {
		buf_addf(b, "%sreason=", before);
		add_value(b, str_head(r->reason, RESULT_VALUE_MAX));
		before = "\r\n\t ";
	}
	for (size_t i = 0; i < r->prop_n; i++) {
		if (!is_registered(&r->props[i]))
			continue;
		buf_addf(b, "%s%s=", before, r->props[i].name);
		add_value(b, r->props[i].value);
		before = "\r\n\t ";
	}
}

bool
results_have_field(const struct results *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->v[i].apart)
			return true;
	return false;
}

void
results_add_field(struct buf *b, const char *authserv, const struct results *r)
{
	buf_addf(b, "Authentication-Results: %s", authserv);
	if (!results_have_field(r))
		buf_adds(b, "; none");
	for (size_t i = 0; i < r->n; i++)
		if (!r->v[i].apart)
			add_result(b, &r->v[i]);
	buf_adds(b, "\r\n");
}

/* ---- JSON ----------------------------------------------------------------------------- */

/* What is no ASCII is taken octet by octet: nobody says that it is UTF-8. */
static void
add_string(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			buf_addf(b, "\\u%04x", c);
		else
			buf_addc(b, (char)c);
	}
	buf_addc(b, '"');
}

static void
add_member(struct buf *b, const char *name, struct str value)
{
	if (b->n > 0 && b->p[b->n - 1] != '{')
		buf_addc(b, ',');
	add_string(b, str_c(name));
	buf_addc(b, ':');
	add_string(b, value);
}

static const char *
json_name(const char *prop)
{
	if (strcmp(prop, "header.d") == 0)
		return "domain";
	return strcmp(prop, "header.s") == 0 ? "selector" : prop;
}

void
results_add_json(struct buf *b, const struct results *r)
{
	buf_addc(b, '[');
	for (size_t i = 0; i < r->n; i++) {
		const struct check_result *one = &r->v[i];

		buf_adds(b, i == 0 ? "{" : ",{");
		add_member(b, one->method, str_c(one->value));
		if (one->reason.n > 0)
			add_member(b, "reason", one->reason);
		for (size_t k = 0; k < one->prop_n; k++)
			add_member(b, json_name(one->props[k].name),
			    one->props[k].value);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

/* ---- fields of others -------------------------------------------------------------------- */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What is behind white space and comments; false: a comment has no end. */
static bool
skip_cfws(struct str *s)
{
	size_t depth = 0;

	for (; s->n > 0; *s = str_skip(*s, 1)) {
		if (s->p[0] == '\\' && depth > 0)
			*s = str_skip(*s, 1);
		else if (s->p[0] == '(')
			depth++;
		else if (s->p[0] == ')' && depth > 0)
			depth--;
		else if (depth == 0 && !is_space(s->p[0]))
			return true;
	}
	return depth == 0;
}

/* Of a name of a host. */
static bool
is_name_char(char c)
{
	c = char_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* True if S begins with NAME, whose signs may be quoted, and with no longer one. */
static bool
begins_name(struct str s, struct str name)
{
	size_t n = 0;

	for (; s.n > 0 && (n < name.n || s.p[0] == '\\'); s = str_skip(s, 1)) {
		if (s.p[0] == '\\')
			continue;
		if (char_lower(s.p[0]) != char_lower(name.p[n++]))
			return false;
	}
	/* With the dot of the root, too. */
	if (str_starts(s, STR(".")))
		s = str_skip(s, 1);
	return n == name.n && (s.n == 0 || !is_name_char(s.p[0]));
}

/*
 * RFC 8601 5: who reads it may be more lenient than its grammar.  So what stands
 * around the first name does not matter, whatever it is.
 */
bool
result_is_claimed(const struct field *f, struct str authserv)
{
	struct str s = f->value;

	if (!str_ieq(f->name, STR("Authentication-Results")))
		return false;
	if (!skip_cfws(&s) || (str_starts(s, STR("\"")) && str_find(str_skip(s, 1), '"') < 0))
		return true;
	while (s.n > 0 && !is_name_char(s.p[0]) && s.p[0] != ';') {
		s = str_skip(s, 1);
		if (!skip_cfws(&s))
			return true;
	}
	return s.n == 0 || s.p[0] == ';' || begins_name(s, authserv);
}

bool
result_is_ours(const struct field *f, const struct conf_checks *k)
{
	struct str name, rest;

	if (!k->any)
		return false;
	return result_is_claimed(f, str_c(k->authserv)) || (k->dmarc.enabled &&
	    str_cut(str_c(k->dmarc.quarantine), ':', &name, &rest) && str_ieq(f->name, name));
}

/* The number of an instance, of "i=12"; 0: it is none. */
static unsigned
instance_of(struct str s)
{
	unsigned i = 0;

	if (!str_istarts(s, STR("i")))
		return 0;
	s = str_trim(str_skip(s, 1));
	if (!str_starts(s, STR("=")))
		return 0;
	s = str_trim(str_skip(s, 1));
	for (size_t k = 0; k < s.n; k++) {
		if (s.p[k] < '0' || s.p[k] > '9' || i > 50)
			return 0;
		i = i * 10 + (unsigned)(s.p[k] - '0');
	}
	return i;
}

/* The next part of S that ";" ends; quotes and comments may hold one.  *OPEN: they do not end. */
static struct str
take_part(struct str *s, bool *open)
{
	struct str all = *s;
	bool quoted = false;
	size_t depth = 0, n = 0;

	for (; n < all.n; n++) {
		char c = all.p[n];

		if (c == '\\' && (quoted || depth > 0))
			n++;
		else if (c == '"' && depth == 0)
			quoted = !quoted;
		else if (c == '(' && !quoted)
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (c == ';' && !quoted && depth == 0)
			break;
	}
	n = n < all.n ? n : all.n;
	*s = str_skip(all, n + 1);
	*open = quoted || depth > 0;
	return str_head(all, n);
}

/*
 * True if a part of VALUE begins "dmarc=pass", and none says otherwise: not every
 * sealer quotes what strangers chose as it should.  *I is the instance that it says.
 */
static bool
says_pass(struct str value, unsigned *i)
{
	bool pass = false, open;
	struct str part = str_trim(take_part(&value, &open)), word = STR("dmarc=pass");

	*i = instance_of(part);
	while (value.n > 0) {
		part = str_trim(take_part(&value, &open));
		/* What is swallowed by that might say otherwise. */
		if (open)
			return false;
		if (!str_istarts(part, STR("dmarc=")))
			continue;
		pass = str_istarts(part, word) && (part.n == word.n ||
		    is_space(part.p[word.n]) || part.p[word.n] == '(');
		if (!pass)
			break;
	}
	return pass;
}

bool
result_sealed_pass(struct str header)
{
	unsigned highest = 0, i;
	bool pass = false;
	struct field f;

	while (field_next(&header, &f) == 1) {
		bool says;

		if (!str_ieq(f.name, STR("ARC-Authentication-Results")))
			continue;
		says = says_pass(f.value, &i);
		if (i > highest) {
			highest = i;
			pass = says;
		}
	}
	return pass;
}
