/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dmarc -- the records by which domains say what is to become of mail that
 * they did not send.
 *
 * A tag that is unknown or broken counts for nothing, as RFC 9989 4.7 has it;
 * a record without a policy asks for none.
 */

#include "mail/dmarc.h"

#include "grammar.h"

static const char *const names[] = { "none", "quarantine", "reject" };

const char *
dmarc_policy_name(enum dmarc_policy p)
{
	return names[p];
}

/* A record that is being read. */
struct reading {
	struct dmarc *d;
	bool said[DMARC_WHO_N];
	bool broken;		/* a policy is none that there is */
	bool said_testing;
};

static void
take_policy(struct reading *r, enum dmarc_who who, struct str value)
{
	size_t i = 0;

	while (i < ARRAY_LEN(names) && !str_ieq(value, str_c(names[i])))
		i++;
	r->said[who] = true;
	if (i < ARRAY_LEN(names))
		r->d->policy[who] = (enum dmarc_policy)i;
	else
		r->broken = true;
}

static void
take_tag(struct reading *r, struct str name, struct str value)
{
	struct dmarc *d = r->d;

	if (str_ieq(name, STR("p"))) {
		take_policy(r, DMARC_ITSELF, value);
	} else if (str_ieq(name, STR("sp"))) {
		take_policy(r, DMARC_BELOW, value);
	} else if (str_ieq(name, STR("np"))) {
		take_policy(r, DMARC_MISSING, value);
	} else if (str_ieq(name, STR("adkim"))) {
		d->strict_dkim = str_ieq(value, STR("s"));
	} else if (str_ieq(name, STR("aspf"))) {
		d->strict_spf = str_ieq(value, STR("s"));
	} else if (str_ieq(name, STR("t"))) {
		d->testing = str_ieq(value, STR("y"));
		r->said_testing = true;
	} else if (str_ieq(name, STR("pct")) && !r->said_testing) {
		/* RFC 7489 had this for it; of other shares nothing is left. */
		d->testing = str_eq(value, STR("0"));
	} else if (str_ieq(name, STR("psd")) && value.n == 1) {
		d->psd = char_lower(value.p[0]);
	} else if (str_ieq(name, STR("rua"))) {
		d->rua = value;
	}
}

static bool
is_scheme(char c)
{
	return is_alnum(c) || c == '+' || c == '-' || c == '.';
}

/* A URI (RFC 3986 3): something behind a scheme. */
static bool
is_uri(struct str s)
{
	struct str scheme, rest;

	if (!str_cut(str_trim(s), ':', &scheme, &rest) || rest.n == 0)
		return false;
	return scheme.n > 0 && is_alpha(scheme.p[0]) && span_of(scheme, is_scheme) == scheme.n;
}

static bool
has_uri(struct str list)
{
	struct str item;

	while (list.n > 0) {
		str_cut(list, ',', &item, &list);
		if (is_uri(item))
			return true;
	}
	return false;
}

/* What is not said is as what is next to it. */
static void
settle(struct reading *r)
{
	enum dmarc_policy *p = r->d->policy;

	if (!r->said[DMARC_BELOW])
		p[DMARC_BELOW] = p[DMARC_ITSELF];
	if (!r->said[DMARC_MISSING])
		p[DMARC_MISSING] = p[DMARC_BELOW];
	if (!r->broken && r->said[DMARC_ITSELF])
		return;
	p[DMARC_ITSELF] = p[DMARC_BELOW] = p[DMARC_MISSING] = DMARC_NONE;
	r->d->says_nothing = !has_uri(r->d->rua);
}

bool
dmarc_parse(struct str text, struct dmarc *d)
{
	struct reading r = { .d = d };
	struct str tag, name, value;
	bool first = true;

	*d = (struct dmarc){ .psd = 'u', .rua = STR("") };
	while (text.n > 0) {
		str_cut(text, ';', &tag, &text);
		str_cut(tag, '=', &name, &value);
		name = str_trim(name);
		value = str_trim(value);
		/* RFC 9989 4.7: it comes first, and knows case. */
		if (first && (!str_eq(name, STR("v")) ||
		    !str_eq(value, STR("DMARC1"))))
			return false;
		if (!first)
			take_tag(&r, name, value);
		first = false;
	}
	settle(&r);
	return !first;
}

bool
dmarc_parse_only(const struct str *texts, size_t n, struct dmarc *d)
{
	struct dmarc one;
	size_t records = 0;

	for (size_t i = 0; i < n; i++)
		if (dmarc_parse(texts[i], &one)) {
			*d = one;
			records++;
		}
	return records == 1;
}

enum dmarc_policy
dmarc_asks(const struct dmarc *d, enum dmarc_who who)
{
	enum dmarc_policy p = d->policy[who];

	return d->testing && p > DMARC_NONE ? (enum dmarc_policy)(p - 1) : p;
}

struct str
dmarc_next(struct str domain, unsigned looked)
{
	size_t labels = 1;
	struct str head;

	for (size_t i = 0; i < domain.n; i++)
		labels += domain.p[i] == '.';
	if (labels < 2 || looked >= DMARC_WALK_MAX)
		return STR("");
	/* Of a long name all but the last seven labels go at once. */
	do
		str_cut(domain, '.', &head, &domain);
	while (--labels > DMARC_WALK_MAX - 1);
	return domain;
}
