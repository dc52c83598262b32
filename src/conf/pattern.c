/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pattern -- what stands in the configuration for many addresses or names.
 *
 * Compiled when the configuration is read, so that a mistake is known then
 * and a match costs little.  Domains are compared in the form that DNS
 * knows, whichever was written and whichever came.
 */

#include "conf/pattern.h"

#include "lib/idn.h"
#include "lib/regex.h"

#include "private.h"

/* RFC 5321 4.5.3.1, with room for what a loose configuration takes. */
#define SUBJECT_MAX 1024
#define DOMAIN_MAX 1024

/* Only the last "*" needs to be tried again: no pattern takes long. */
static bool
glob_fits(struct str glob, struct str s)
{
	size_t g = 0, i = 0, star = SIZE_MAX, from = 0;

	while (i < s.n) {
		if (g < glob.n && glob.p[g] == '*') {
			star = g++;
			from = i;
		} else if (g < glob.n && char_lower(glob.p[g]) ==
			char_lower(s.p[i])) {
			g++;
			i++;
		} else if (star != SIZE_MAX) {
			g = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	while (g < glob.n && glob.p[g] == '*')
		g++;
	return g == glob.n;
}

/* ---- reading ---- */

static const char *
read_regex(struct arena *a, struct str text, struct pattern *p)
{
	struct buf error;
	const char *why = NULL;

	if (text.n < 3 || text.p[text.n - 1] != '/')
		return "expected /regular expression/";
	buf_init(&error, 1000);
	p->kind = PATTERN_REGEX;
	p->regex = regex_new(
	    a, str_n(text.p + 1, text.n - 2), &error);
	if (!p->regex)
		why = arena_printf(a, "expected a regular expression of PCRE2: %s",
		    buf_cstr(&error));
	buf_free(&error);
	return why;
}

/* True if a label has both a letter of another script and a "*". */
static bool
mixes(struct str domain)
{
	struct str label;
	bool more = true;

	while (more) {
		more = str_cut(domain, '.', &label, &domain);
		if (str_has_8bit(label) && str_find(label, '*') >= 0)
			return true;
	}
	return false;
}

/* DOMAIN in the form of DNS; empty if it has none. */
static struct str
to_ascii(struct arena *a, struct str domain)
{
	struct str ascii = STR("");
	struct buf b;

	buf_init(&b, DOMAIN_MAX);
	if (!mixes(domain) && !idn_add(&b, domain) && buf_ok(&b))
		ascii = arena_str(a, buf_str(&b));
	buf_free(&b);
	return ascii;
}

/* LOCAL as it is compared, in A. */
static struct str
to_nfc(struct arena *a, struct str local)
{
	struct buf b;

	buf_init(&b, SUBJECT_MAX);
	idn_add_nfc(&b, local);
	if (buf_ok(&b))
		local = buf_str(&b);
	local = arena_str(a, local);
	buf_free(&b);
	return local;
}

/* True if DOMAIN, with "x" for each "*", is one. */
static bool
is_domain_glob(struct str domain)
{
	char text[DOMAIN_MAX];
	size_t i;

	if (domain.n == 0 || domain.n > sizeof(text))
		return false;
	for (i = 0; i < domain.n; i++)
		text[i] = domain.p[i] == '*' ? 'x' : domain.p[i];
	return conf_name_is_domain(str_n(text, domain.n));
}

const char *
pattern_address(struct arena *a, struct str text, struct pattern *p)
{
	static const char expected[] = "expected a domain, \"*.domain\", \"*\", "
	    "an address with \"*\", or \"/regular expression/\"";
	ptrdiff_t at = str_rfind(text, '@');
	struct str domain = str_skip(text, (size_t)(at + 1));

	*p = (struct pattern){ .kind = at < 0 ? PATTERN_DOMAIN : PATTERN_ADDRESS };
	if (str_starts(text, STR("/")))
		return read_regex(a, text, p);
	if (str_eq(text, STR("<>"))) {
		p->kind = PATTERN_NULL;
		return NULL;
	}
	if (at >= 0)
		p->local = to_nfc(a, str_head(text, (size_t)at));
	if (at == 0 || str_has_ctl(p->local))
		return expected;
	/* ".example.org" is "*.example.org". */
	if (at < 0 && str_starts(domain, STR(".")))
		domain = str_c(arena_printf(a, "*" STR_FMT, STR_ARG(domain)));
	p->domain = to_ascii(a, domain);
	return is_domain_glob(p->domain) ? NULL : expected;
}

const char *
pattern_name(struct arena *a, struct str text, struct pattern *p)
{
	*p = (struct pattern){ .kind = PATTERN_NAME };
	if (str_starts(text, STR("/")))
		return read_regex(a, text, p);
	if (text.n == 0 || str_has_ctl(text))
		return "expected a name, which may hold \"*\", or "
		       "\"/regular expression/\"";
	p->local = arena_str(a, text);
	return NULL;
}

/* ---- fitting ---- */

static bool
regex_fits_address(const struct pattern *p, struct str local, struct str domain)
{
	char text[SUBJECT_MAX];
	size_t n = local.n;

	if (domain.n == 0)
		return regex_fits(p->regex, local);
	if (local.n + 1 + domain.n > sizeof(text))
		return false;
	memcpy(text, local.p, n);
	text[n++] = '@';
	memcpy(text + n, domain.p, domain.n);
	return regex_fits(p->regex, str_n(text, n + domain.n));
}

static bool
domain_fits(const struct pattern *p, struct str domain)
{
	struct buf b;
	bool fits;

	/* Below a domain is a label at least. */
	if (str_starts(p->domain, STR("*.")) && str_starts(domain, STR(".")))
		return false;
	if (!str_has_8bit(domain))
		return glob_fits(p->domain, domain);
	buf_init(&b, DOMAIN_MAX);
	fits = !idn_add(&b, domain) && glob_fits(p->domain, buf_str(&b));
	buf_free(&b);
	return fits;
}

static bool
fits_as_it_is(const struct pattern *p, struct str local, struct str domain)
{
	switch (p->kind) {
	case PATTERN_NULL:
		return local.n == 0 && domain.n == 0;
	case PATTERN_REGEX:
		return regex_fits_address(p, local, domain);
	case PATTERN_NAME:
		return glob_fits(p->local, local);
	case PATTERN_DOMAIN:
		return domain_fits(p, domain);
	case PATTERN_ADDRESS:
		break;
	}
	/* The null reverse-path has neither. */
	return domain.n > 0 && glob_fits(p->local, local) &&
	    domain_fits(p, domain);
}

bool
pattern_fits(const struct pattern *p, struct str local, struct str domain)
{
	struct buf nfc;
	bool fits;

	if (!str_has_8bit(local))
		return fits_as_it_is(p, local, domain);
	buf_init(&nfc, SUBJECT_MAX);
	idn_add_nfc(&nfc, local);
	fits = fits_as_it_is(p, buf_ok(&nfc) ? buf_str(&nfc) : local, domain);
	buf_free(&nfc);
	return fits;
}
