/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * spf_record -- what a record says (RFC 7208 4.6, 5, 6, 12).
 *
 * The whole of it is read before any of it counts: a mistake anywhere makes
 * the record none (4.6).  Nothing that is not in the grammar is understood in
 * some way, since another server would understand it in another.
 */

#include "spf_record.h"

#include <arpa/inet.h>

#include "spf_macro.h"

/* A domain-spec; none that is of use is longer than a name. */
#define SPEC_MAX 512
/* What is shown of a term that is wrong. */
#define SHOWN_MAX 80

/* What may stand behind the name of a mechanism (5.1 to 5.7). */
static const struct rule {
	const char *name;
	enum spf_mechanism mechanism;
	bool may_spec, must_spec, has_bits;
} rules[] = {
	{ "all", SPF_M_ALL, false, false, false },
	{ "include", SPF_M_INCLUDE, true, true, false },
	{ "a", SPF_M_A, true, false, true },
	{ "mx", SPF_M_MX, true, false, true },
	{ "ptr", SPF_M_PTR, true, false, false },
	{ "ip4", SPF_M_IP4, true, true, false },
	{ "ip6", SPF_M_IP6, true, true, false },
	{ "exists", SPF_M_EXISTS, true, true, false },
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alpha(char c)
{
	c = char_lower(c);
	return c >= 'a' && c <= 'z';
}

/* ---- domain-spec ------------------------------------------------------------------ */

/* toplabel: letters, digits and hyphens, no hyphen at its ends, not digits alone. */
static bool
is_toplabel(struct str s)
{
	bool other = false;

	for (size_t i = 0; i < s.n; i++) {
		if (!is_alpha(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '-')
			return false;
		other = other || !is_digit(s.p[i]);
	}
	return s.n > 0 && other && s.p[0] != '-' && s.p[s.n - 1] != '-';
}

/* domain-spec = macro-string ( "." toplabel [ "." ] / macro-expand ) */
static bool
is_domain_spec(struct str s)
{
	struct str rest = s, last = STR("");
	struct spf_macro m;
	bool expands = false;
	ptrdiff_t dot;

	if (s.n == 0 || s.n > SPEC_MAX || str_find(s, ' ') >= 0 ||
	    !spf_macros_valid(s, false))
		return false;
	while (rest.n > 0) {
		expands = rest.p[0] == '%';
		if (spf_macro_next(&rest, &m) != 1)
			return false;
		last = m.text;
	}
	if (expands)
		return true;
	if (str_ends(last, STR(".")))
		last.n--;
	dot = str_rfind(last, '.');
	return dot >= 0 && is_toplabel(str_skip(last, (size_t)dot + 1));
}

/* ---- addresses and lengths -------------------------------------------------------- */

/*
 * Takes "/NUMBER" from the end of *S.  1; 0: there is none; -1: the number is
 * no prefix length.  Zeros before a number are not allowed (as in 5.6).
 */
static int
take_bits(struct str *s, unsigned max, unsigned *bits)
{
	size_t n = 0;
	uint64_t v;

	while (n < s->n && is_digit(s->p[s->n - 1 - n]))
		n++;
	if (n == 0 || n == s->n || s->p[s->n - 1 - n] != '/')
		return 0;
	if ((n > 1 && s->p[s->n - n] == '0') ||
	    str_u64(str_skip(*s, s->n - n), max, &v) < 0)
		return -1;
	*bits = (unsigned)v;
	*s = str_head(*s, s->n - 1 - n);
	return 1;
}

/* dual-cidr-length: "/24", "//64", "/24//64". */
static bool
take_dual(struct str *s, struct spf_directive *d)
{
	struct str whole = *s;
	unsigned n = 0;
	int r = take_bits(s, 128, &n);

	if (r == 1 && str_ends(*s, STR("/"))) {
		d->bits6 = n;
		s->n--;
		return take_bits(s, 32, &d->bits4) >= 0;
	}
	*s = whole;
	return r >= 0 && take_bits(s, 32, &d->bits4) >= 0;
}

static bool
read_net(struct str s, struct spf_directive *d)
{
	bool four = d->mechanism == SPF_M_IP4;
	char text[INET6_ADDRSTRLEN + 1];

	if (take_bits(&s, four ? 32 : 128, four ? &d->bits4 : &d->bits6) < 0 ||
	    s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(four ? AF_INET : AF_INET6, text, d->net) == 1;
}

/* ---- terms ------------------------------------------------------------------------ */

/* REST is what stands behind the name, with its ":" or "/". */
static const char *
read_argument(const struct rule *rule, struct str rest, struct spf_directive *d)
{
	bool spec = str_starts(rest, STR(":"));

	if (rule->must_spec && !spec)
		return "lacks what it is about";
	if (spec && !rule->may_spec)
		return "takes nothing";
	if (rule->mechanism == SPF_M_IP4 || rule->mechanism == SPF_M_IP6)
		return read_net(str_skip(rest, 1), d) ? NULL : "has no such address";
	if (rule->has_bits && !take_dual(&rest, d))
		return "has no such prefix length";
	if (!spec)
		return rest.n == 0 ? NULL : "is no mechanism";
	d->spec = str_skip(rest, 1);
	return is_domain_spec(d->spec) ? NULL : "has no domain";
}

static const char *
read_directive(struct spf_record *r, struct str term, size_t name_n)
{
	static const char qualifiers[] = "+-~?";
	static const enum spf_code codes[] = { SPF_PASS, SPF_FAIL, SPF_SOFTFAIL, SPF_NEUTRAL };
	const char *q = memchr(qualifiers, term.p[0], 4);
	struct spf_directive *d = &r->v[r->n];
	struct str name;

	if (q != NULL) {
		term = str_skip(term, 1);
		name_n--;
	}
	name = str_head(term, name_n);
	*d = (struct spf_directive){ .code = q != NULL ? codes[q - qualifiers] : SPF_PASS,
		.text = term, .spec = STR(""), .bits4 = 32, .bits6 = 128 };
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (!str_ieq(name, str_c(rules[i].name)))
			continue;
		d->mechanism = rules[i].mechanism;
		r->n++;
		return read_argument(&rules[i], str_skip(term, name_n), d);
	}
	return "is no mechanism";
}

static bool
is_modifier_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alpha(s.p[i]) &&
		    (i == 0 || (!is_digit(s.p[i]) && strchr("-_.", s.p[i]) == NULL)))
			return false;
	return s.n > 0;
}

/* 6: "redirect" and "exp" once each; others mean nothing but are well formed. */
static const char *
read_modifier(struct spf_record *r, struct str name, struct str value)
{
	bool redirect = str_ieq(name, STR("redirect"));
	struct str *to = redirect ? &r->redirect : &r->exp;

	if (!is_modifier_name(name))
		return "is no modifier";
	if (!redirect && !str_ieq(name, STR("exp")))
		return spf_macros_valid(value, true) ? NULL : "has a macro that is none";
	if (to->n > 0)
		return "stands twice";
	*to = value;
	return is_domain_spec(value) ? NULL : "has no domain";
}

static const char *
read_term(struct spf_record *r, struct str term)
{
	size_t n = 0;

	while (n < term.n && strchr(":/=", term.p[n]) == NULL)
		n++;
	if (n < term.n && term.p[n] == '=')
		return read_modifier(r, str_head(term, n), str_skip(term, n + 1));
	return read_directive(r, term, n);
}

/* ---- the record ------------------------------------------------------------------- */

#define VERSION STR("v=spf1")

bool
spf_record_is(struct str text)
{
	return str_istarts(text, VERSION) &&
	    (text.n == VERSION.n || text.p[VERSION.n] == ' ');
}

static size_t
count_terms(struct str rest)
{
	struct str term;
	size_t n = 0;

	while (rest.n > 0) {
		str_cut(rest, ' ', &term, &rest);
		n += term.n > 0;
	}
	return n;
}

const char *
spf_record_parse(struct str text, struct arena *a, struct spf_record *r)
{
	struct str term, rest = str_skip(text, VERSION.n);
	const char *why;
	size_t n;

	*r = (struct spf_record){ .redirect = STR(""), .exp = STR("") };
	if (text.n > SPF_RECORD_MAX)
		return "the record is too long";
	if (str_has_ctl(text) || str_has_8bit(text))
		return "the record is not ASCII";
	n = count_terms(rest);
	if (n > SPF_TERMS_MAX)
		return "the record has too many terms";
	r->v = arena_alloc(a, (n + 1) * sizeof(*r->v));
	while (rest.n > 0) {
		str_cut(rest, ' ', &term, &rest);
		why = term.n > 0 ? read_term(r, term) : NULL;
		if (why != NULL)
			return arena_printf(a, "\"" STR_FMT "\" %s",
			    STR_ARG(str_head(term, SHOWN_MAX)), why);
	}
	return NULL;
}
