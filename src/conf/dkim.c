/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dkim -- the sections about the keys that mail is signed with: whose they
 * are, and when.
 *
 * Several may be for one address and sign side by side: a key of each kind, and
 * the old and the new one while they change, or that of a user beside that of his
 * domain.  The files are not looked at here.
 */

#include "conf/dkim.h"

#include <time.h>

#include "lib/idn.h"

#include "private.h"
#include "recipients.h"

/* Of a field's, so that a line of "h=" can have it. */
#define FIELD_NAME_MAX 70

static bool
take_number(struct str *s, size_t digits, uint64_t max, int *to)
{
	uint64_t v;

	if (s->n < digits || str_u64(str_head(*s, digits), max, &v) < 0)
		return false;
	*s = str_skip(*s, digits);
	*to = (int)v;
	return true;
}

static bool
take_mark(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_skip(*s, 1);
	return true;
}

/* "2026-12-01", or "2026-12-01 08:00", in UTC: seconds since 1970. */
static bool
read_moment(const char *text, int64_t *t)
{
	struct str s = str_c(text);
	struct tm tm = { 0 }, again;

	if (!take_number(&s, 4, 9999, &tm.tm_year) || !take_mark(&s, '-') ||
	    !take_number(&s, 2, 12, &tm.tm_mon) || !take_mark(&s, '-') ||
	    !take_number(&s, 2, 31, &tm.tm_mday))
		return false;
	if (s.n > 0 && (!take_mark(&s, ' ') ||
	    !take_number(&s, 2, 23, &tm.tm_hour) || !take_mark(&s, ':') ||
	    !take_number(&s, 2, 59, &tm.tm_min) || s.n > 0))
		return false;
	if (tm.tm_year < 1970 || tm.tm_mon == 0 || tm.tm_mday == 0)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	again = tm;
	*t = (int64_t)timegm(&again);
	/* 31 February became another day. */
	return again.tm_mday == tm.tm_mday;
}

void
conf_dkim_finish(struct conf *c)
{
	struct buf b;

	buf_init(&b, CONF_VALUE_MAX);
	for (size_t i = 0; i < c->dkim_n; i++) {
		struct conf_dkim *d = &c->dkim[i];

		buf_reset(&b);
		if (idn_add(&b, str_c(d->domain)) == NULL && buf_ok(&b))
			d->domain = arena_cstr(&c->arena, buf_str(&b));
		if (!read_moment(d->not_before, &d->from))
			d->from = INT64_MIN;
		if (!read_moment(d->not_after, &d->to))
			d->to = INT64_MAX;
		d->more = arena_alloc(&c->arena, (d->headers.n + 1) * sizeof(*d->more));
		for (size_t k = 0; k < d->headers.n; k++)
			d->more[k] = str_c(d->headers.v[k]);
		d->patterns = conf_patterns_read(&c->arena, &d->authors, pattern_address);
	}
	buf_free(&b);
}

static void
check_moment(const struct conf *c, const struct conf_dkim *d, const char *const *field,
    const char *name, struct buf *error)
{
	int64_t t;

	if (**field != '\0' && !read_moment(*field, &t))
		conf_complain(error, conf_where(c, field, d->place),
		    "dkim-sign.%s.%s: \"%s\" is no time, expected one in UTC such as "
		    "\"2026-12-01\" or \"2026-12-01 08:00\"", d->domain, name, *field);
}

bool
conf_dkim_is_selector(struct str s)
{
	struct str label;

	if (!conf_name_is_word(s) || s.n > 63 || str_ends(s, STR(".")))
		return false;
	while (s.n > 0) {
		str_cut(s, '.', &label, &s);
		if (label.n == 0)
			return false;
	}
	return true;
}

/* RFC 5322 2.2; and none of those that say themselves what they are of. */
bool
conf_dkim_is_field(struct str s)
{
	static const char *const none[] = { "DKIM-Signature", "ARC-Seal",
		"ARC-Message-Signature", "ARC-Authentication-Results", "Return-Path" };

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == ':' || s.p[i] == ';')
			return false;
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		if (str_ieq(s, str_c(none[i])))
			return false;
	return s.n > 0 && s.n <= FIELD_NAME_MAX;
}

static void
check_headers(const struct conf *c, const struct conf_dkim *d, struct buf *error)
{
	for (size_t i = 0; i < d->headers.n; i++)
		if (!conf_dkim_is_field(str_c(d->headers.v[i])))
			conf_complain(error, conf_where(c, &d->headers.v[i],
			    conf_where(c, &d->headers, d->place)),
			    "dkim-sign.%s.headers: \"%s\" is no field that can be signed, "
			    "expected a name such as \"Feedback-ID\"", d->domain,
			    d->headers.v[i]);
}

static void
check_authors(struct conf *c, const struct conf_dkim *d, struct buf *error)
{
	struct buf b;

	buf_init(&b, CONF_VALUE_MAX);
	buf_addf(&b, "dkim-sign.%s.from", d->domain);
	conf_patterns_check(c, buf_cstr(&b), conf_where(c, &d->authors, d->place), &d->authors,
	    pattern_address, error);
	buf_free(&b);
	if (d->authors.n > 0 && d->subdomains)
		conf_complain(error, conf_where(c, &d->subdomains, d->place),
		    "dkim-sign.%s.subdomains: \"from\" says whom it signs for, expected one "
		    "of both", d->domain);
}

static void
check_again(const struct conf *c, size_t n, struct buf *error)
{
	const struct conf_dkim *d = &c->dkim[n];

	for (size_t i = 0; i < n; i++)
		if (str_ieq(str_c(c->dkim[i].domain), str_c(d->domain)) &&
		    str_ieq(str_c(c->dkim[i].selector), str_c(d->selector))) {
			conf_complain(error, d->place,
			    "dkim-sign.%s: selector \"%s\" stands at %s:%d already, "
			    "expected another one for another key", d->domain,
			    d->selector, c->dkim[i].place.file, c->dkim[i].place.line);
			return;
		}
}

void
conf_dkim_check(struct conf *c, struct buf *error)
{
	for (size_t i = 0; i < c->dkim_n; i++) {
		const struct conf_dkim *d = &c->dkim[i];

		if (!conf_name_is_host(str_c(d->domain)))
			conf_complain(error, d->place,
			    "dkim-sign: \"%s\" is no domain, expected one such as "
			    "\"example.org\"", d->domain);
		if (!conf_dkim_is_selector(str_c(d->selector)))
			conf_complain(error, conf_where(c, &d->selector, d->place),
			    "dkim-sign.%s.selector: \"%s\" is no selector, expected a "
			    "name such as \"a\" or \"2026-11\"", d->domain, d->selector);
		if (!conf_name_is_path(str_c(d->key)))
			conf_complain(error, conf_where(c, &d->key, d->place),
			    "dkim-sign.%s.key: \"%s\" names no file, expected a path such "
			    "as \"/etc/barid/dkim/a.pem\"", d->domain, d->key);
		check_moment(c, d, &d->not_before, "not-before", error);
		check_moment(c, d, &d->not_after, "not-after", error);
		if (d->from >= d->to)
			conf_complain(error, conf_where(c, &d->not_after, d->place),
			    "dkim-sign.%s.not-after: \"%s\" is not after \"%s\", expected a "
			    "time at which the key signs", d->domain, d->not_after,
			    d->not_before);
		check_authors(c, d, error);
		check_headers(c, d, error);
		check_again(c, i, error);
	}
}

/*
 * The domain whose keys sign what is from DOMAIN: itself, or the nearest above it
 * that has a key for subdomains.  NULL: there is none.
 */
static const char *
holder(const struct conf *c, struct str domain)
{
	struct str label, at = domain;

	do {
		for (size_t i = 0; i < c->dkim_n; i++)
			if (str_ieq(str_c(c->dkim[i].domain), at) && c->dkim[i].authors.n == 0 &&
			    (at.n == domain.n || c->dkim[i].subdomains))
				return c->dkim[i].domain;
	} while (str_cut(at, '.', &label, &at));
	return NULL;
}

static bool
is_for(const struct conf_dkim *d, const char *by, struct str local, struct str domain)
{
	if (d->authors.n == 0)
		return by != NULL && str_ieq(str_c(d->domain), str_c(by));
	for (size_t i = 0; i < d->authors.n; i++)
		if (pattern_fits(&d->patterns[i], local, domain))
			return true;
	return false;
}

void
conf_dkim_choose(const struct conf *c, struct str local, struct str domain, int64_t now,
    struct conf_dkim_keys *keys)
{
	const char *by = holder(c, domain);

	*keys = (struct conf_dkim_keys){ .n = 0 };
	for (size_t i = 0; i < c->dkim_n; i++) {
		const struct conf_dkim *d = &c->dkim[i];

		if (!is_for(d, by, local, domain))
			continue;
		if (!conf_dkim_is_on(d, now))
			keys->off = d;
		else if (keys->n < CONF_DKIM_KEYS_MAX)
			keys->v[keys->n++] = i;
		else
			keys->more++;
	}
}

bool
conf_dkim_is_on(const struct conf_dkim *d, int64_t now)
{
	return d->from <= now && now < d->to;
}

bool
conf_dkim_any_simple(const struct conf *c)
{
	for (size_t i = 0; i < c->dkim_n; i++)
		if ((c->dkim[i].forms & CONF_DKIM_SIMPLE_BODY) != 0)
			return true;
	return false;
}
