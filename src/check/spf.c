/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * spf -- whether a domain lets a client send its mail (RFC 7208 4 to 6).
 *
 * Each call evaluates from the start, by what is known.  What is not makes the
 * evaluation lack something, which ends it early but not before the other
 * things are named that can be asked for at the same time: the addresses of
 * all hosts of an MX.  So nothing is kept between the calls but the answers,
 * and the code reads as the RFC does.
 *
 * What ends it in any case is the limit on terms that ask (4.6.4): each
 * include and each redirect is one.
 */

#include "check/spf.h"

#include <arpa/inet.h>

#include "mail/path.h"

#include "spf_facts.h"
#include "spf_macro.h"

/* 4.6.4. */
#define TERMS_MAX 10
#define VOIDS_MAX 2
#define HOSTS_MAX 10
#define DOMAIN_MAX 253
/* What macros of a domain-spec, and of an explanation, may come to. */
#define EXPANDED_MAX ((size_t)1 << 20)

struct eval {
	const struct spf_client *c;
	struct addr address;	/* the client's, no IPv6 that is an IPv4 */
	struct spf_facts *f;
	struct arena *arena;
	unsigned terms, voids;
	bool lacking;		/* an answer: the result means nothing */
	struct str problem;
	struct spf_answer nothing;	/* about what nobody can be asked for */
};

/* How a record came to its result. */
struct hit {
	struct str mechanism;
	struct str exp;		/* the domain-spec, of the record of DOMAIN */
	struct str domain;
};

enum match { NO, YES, TEMPORARY, PERMANENT };

static enum spf_code check_host(struct eval *e, struct str domain, struct hit *hit);

/* The first problem is the one that counts. */
static void PRINTF(2, 3)
complain(struct eval *e, const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	if (e->problem.n > 0)
		return;
	buf_init(&b, 2048);
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	e->problem = arena_str(e->arena, buf_str(&b));
	buf_free(&b);
}

/* ---- names and answers ------------------------------------------------------------ */

/* True if DNS can be asked for S: labels of 1 to 63 octets, at most 253 in all. */
static bool
can_be_asked(struct str s)
{
	size_t label = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\0' || (s.p[i] == '.' && label == 0))
			return false;
		label = s.p[i] == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label > 0 && s.n <= DOMAIN_MAX;
}

/*
 * The answer about NAME, which does not exist if it cannot be asked for (4.8).
 * NULL: it is lacking.
 */
static struct spf_answer *
look(struct eval *e, enum spf_type type, struct str name)
{
	struct spf_answer *a;

	if (!can_be_asked(name))
		return &e->nothing;
	a = spf_facts_get(e->f, type, name);
	if (a->there)
		return a;
	e->lacking = true;
	return NULL;
}

/* Addresses of the client's family. */
static struct spf_answer *
look_addresses(struct eval *e, struct str name)
{
	return look(e, addr_family(&e->address) == AF_INET ? SPF_A : SPF_AAAA, name);
}

/* 4.6.4: a term's question; TEMPORARY and PERMANENT end the evaluation. */
static enum match
judge_answer(struct eval *e, const struct spf_answer *a, struct str name)
{
	if (a->status == DNS_TEMPORARY) {
		complain(e, "DNS does not answer for " STR_FMT, STR_ARG(name));
		return TEMPORARY;
	}
	if (a->n == 0 && a != &e->nothing && ++e->voids > VOIDS_MAX) {
		complain(e, "more than %d names that do not exist", VOIDS_MAX);
		return PERMANENT;
	}
	return NO;
}

static bool
same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0;
}

/* True if one of A's addresses shares the client's first bits, as D has them. */
static bool
has_client(const struct eval *e, const struct spf_answer *a, unsigned bits4, unsigned bits6)
{
	bool four = addr_family(&e->address) == AF_INET;

	for (size_t i = 0; i < a->n; i++)
		if (same_bits(a->octets + i * (four ? 4 : 16), addr_octets(&e->address),
			four ? bits4 : bits6))
			return true;
	return false;
}

/* ---- the name of the client (5.5) -------------------------------------------------- */

struct names {
	struct str v[HOSTS_MAX];
	size_t n;
};

/* The names that the client's address has, and that have its address.  False: lacking. */
static bool
find_names(struct eval *e, struct names *to)
{
	const struct spf_scope scope = { .client = e->c, .address = &e->address };
	struct spf_answer *ptr, *a;
	struct buf b;

	to->n = 0;
	buf_init(&b, 512);
	spf_macros_add(&b, STR("%{ir}.%{v}.arpa"), &scope);
	ptr = look(e, SPF_PTR, buf_str(&b));
	buf_free(&b);
	if (ptr == NULL)
		return false;
	for (size_t i = 0; i < ptr->n && i < HOSTS_MAX; i++) {
		a = look_addresses(e, ptr->text[i]);
		if (a != NULL && has_client(e, a, 32, 128))
			to->v[to->n++] = ptr->text[i];
	}
	return !e->lacking;
}

/* 7.3: the domain itself, else one below it, else any.  False: lacking. */
static bool
find_name(struct eval *e, struct str domain, struct str *name)
{
	struct names all;

	*name = STR("unknown");
	if (!find_names(e, &all))
		return false;
	if (all.n > 0)
		*name = all.v[0];
	for (size_t i = all.n; i > 0; i--)
		if (domain_is_below(all.v[i - 1], domain))
			*name = all.v[i - 1];
	for (size_t i = 0; i < all.n; i++)
		if (str_ieq(all.v[i], domain))
			*name = all.v[i];
	return true;
}

/* ---- macros ------------------------------------------------------------------------- */

/* Adds S carried out for DOMAIN.  False: something for it is lacking. */
static bool
expand(struct eval *e, struct str domain, struct str s, struct buf *b)
{
	struct spf_scope scope = { .client = e->c, .address = &e->address, .domain = domain,
		.validated = STR("") };

	if (spf_macros_use(s, 'p') && !find_name(e, domain, &scope.validated))
		return false;
	spf_macros_add(b, s, &scope);
	return true;
}

/* 7.3: of a name that is too long as much as fits, from the right. */
static struct str
shortened(struct str s)
{
	struct str label;

	if (str_ends(s, STR(".")))
		s.n--;
	while (s.n > DOMAIN_MAX && str_cut(s, '.', &label, &s))
		;
	return s;
}

/* The target-name of SPEC, or DOMAIN without one (4.8).  False: lacking. */
static bool
target(struct eval *e, struct str domain, struct str spec, struct str *name)
{
	struct buf b;
	bool ok;

	*name = domain;
	if (spec.n == 0)
		return true;
	buf_init(&b, EXPANDED_MAX);
	ok = expand(e, domain, spec, &b);
	*name = arena_str(e->arena, shortened(buf_str(&b)));
	buf_free(&b);
	return ok;
}

/* ---- mechanisms (5) ------------------------------------------------------------------ */

static enum match
match_include(struct eval *e, struct str name)
{
	struct hit ignored;

	switch (check_host(e, name, &ignored)) {
	case SPF_PASS:
		return YES;
	case SPF_TEMPERROR:
		return TEMPORARY;
	case SPF_PERMERROR:
		return PERMANENT;
	case SPF_NONE:
		complain(e, "include:" STR_FMT " has no record", STR_ARG(name));
		return PERMANENT;
	default:
		return NO;
	}
}

static enum match
match_a(struct eval *e, struct str name, const struct spf_directive *d)
{
	const struct spf_answer *a = look_addresses(e, name);
	enum match m;

	if (a == NULL)
		return NO;
	m = judge_answer(e, a, name);
	return m == NO && has_client(e, a, d->bits4, d->bits6) ? YES : m;
}

static enum match
match_mx(struct eval *e, struct str name, const struct spf_directive *d)
{
	const struct spf_answer *mx = look(e, SPF_MX, name), *a;
	enum match m = NO;

	if (mx == NULL || (m = judge_answer(e, mx, name)) != NO)
		return m;
	if (mx->n > HOSTS_MAX) {
		complain(e, "mx: " STR_FMT " has more than %d hosts", STR_ARG(name), HOSTS_MAX);
		return PERMANENT;
	}
	for (size_t i = 0; i < mx->n; i++) {
		a = look_addresses(e, mx->text[i]);
		if (a == NULL || m != NO)
			continue;
		if (has_client(e, a, d->bits4, d->bits6)) {
			m = YES;
		} else if (a->status == DNS_TEMPORARY) {
			complain(e, "DNS does not answer for " STR_FMT, STR_ARG(mx->text[i]));
			m = TEMPORARY;
		}
	}
	return m;
}

static enum match
match_ptr(struct eval *e, struct str name)
{
	struct names all;

	if (!find_names(e, &all))
		return NO;
	for (size_t i = 0; i < all.n; i++)
		if (str_ieq(all.v[i], name) || domain_is_below(all.v[i], name))
			return YES;
	return NO;
}

static enum match
match_exists(struct eval *e, struct str name)
{
	const struct spf_answer *a = look(e, SPF_A, name);
	enum match m;

	if (a == NULL)
		return NO;
	m = judge_answer(e, a, name);
	return m == NO && a->n > 0 ? YES : m;
}

static enum match
match_net(const struct eval *e, const struct spf_directive *d)
{
	bool four = d->mechanism == SPF_M_IP4;

	return addr_family(&e->address) == (four ? AF_INET : AF_INET6) &&
	    same_bits(addr_octets(&e->address), d->net, four ? d->bits4 : d->bits6) ? YES : NO;
}

/* 4.6.4: one more term that asks. */
static bool
may_ask(struct eval *e)
{
	if (++e->terms <= TERMS_MAX)
		return true;
	complain(e, "more than %d terms that ask DNS", TERMS_MAX);
	return false;
}

static enum match
match(struct eval *e, struct str domain, const struct spf_directive *d)
{
	struct str name;

	if (d->mechanism == SPF_M_ALL)
		return YES;
	if (d->mechanism == SPF_M_IP4 || d->mechanism == SPF_M_IP6)
		return match_net(e, d);
	if (!may_ask(e))
		return PERMANENT;
	if (!target(e, domain, d->spec, &name))
		return NO;
	switch (d->mechanism) {
	case SPF_M_INCLUDE:
		return match_include(e, name);
	case SPF_M_A:
		return match_a(e, name, d);
	case SPF_M_MX:
		return match_mx(e, name, d);
	case SPF_M_PTR:
		return match_ptr(e, name);
	default:
		return match_exists(e, name);
	}
}

/* ---- records (4.4 to 4.7) ------------------------------------------------------------ */

/* The record of DOMAIN.  NULL: *CODE says why, or it is lacking. */
static const struct spf_record *
find_record(struct eval *e, struct str domain, enum spf_code *code)
{
	struct spf_answer *a = look(e, SPF_TXT, domain);
	struct spf_record *r;

	*code = SPF_NONE;
	if (a == NULL)
		return NULL;
	if (a->status == DNS_TEMPORARY) {
		complain(e, "DNS does not answer for " STR_FMT, STR_ARG(domain));
		*code = SPF_TEMPERROR;
		return NULL;
	}
	if (a->n == 0 || !spf_record_is(a->text[0]))
		return NULL;
	*code = SPF_PERMERROR;
	if (a->n > 1) {
		complain(e, STR_FMT " has more than one record", STR_ARG(domain));
		return NULL;
	}
	if (a->record == NULL && a->wrong == NULL) {
		r = arena_alloc(e->arena, sizeof(*r));
		a->wrong = spf_record_parse(a->text[0], e->arena, r);
		a->record = a->wrong == NULL ? r : NULL;
	}
	if (a->wrong != NULL)
		complain(e, STR_FMT ": %s", STR_ARG(domain), a->wrong);
	return a->record;
}

/* 6.1. */
static enum spf_code
redirect(struct eval *e, struct str domain, const struct spf_record *r, struct hit *hit)
{
	enum spf_code code;
	struct str name;

	if (!may_ask(e))
		return SPF_PERMERROR;
	if (!target(e, domain, r->redirect, &name))
		return SPF_NONE;
	code = check_host(e, name, hit);
	if (code != SPF_NONE)
		return code;
	complain(e, "redirect=" STR_FMT " has no record", STR_ARG(name));
	return SPF_PERMERROR;
}

static enum spf_code
check_host(struct eval *e, struct str domain, struct hit *hit)
{
	enum spf_code code;
	const struct spf_record *r = find_record(e, domain, &code);

	*hit = (struct hit){ .mechanism = STR("default"), .exp = STR(""), .domain = domain };
	if (r == NULL)
		return code;
	hit->exp = r->exp;
	for (size_t i = 0; i < r->n; i++) {
		enum match m = match(e, domain, &r->v[i]);

		if (e->lacking)
			return SPF_NONE;
		if (m == NO)
			continue;
		hit->mechanism = r->v[i].text;
		return m == YES ? r->v[i].code : m == TEMPORARY ? SPF_TEMPERROR : SPF_PERMERROR;
	}
	return r->redirect.n > 0 ? redirect(e, domain, r, hit) : SPF_NEUTRAL;
}

/* ---- explanations (6.2) ---------------------------------------------------------------- */

/* What the domain of HIT says.  Empty: nothing of use, or it is lacking. */
static struct str
explanation_of(struct eval *e, const struct hit *hit)
{
	const struct spf_answer *a;
	struct str name;

	if (hit->exp.n == 0 || !target(e, hit->domain, hit->exp, &name))
		return STR("");
	a = look(e, SPF_TXT, name);
	if (a == NULL || a->status != DNS_OK || a->total != 1 ||
	    a->text[0].n > SPF_RECORD_MAX || !spf_explanation_valid(a->text[0]))
		return STR("");
	return a->text[0];
}

/* ---- the whole --------------------------------------------------------------------------- */

/* In A, and clean. */
static struct str
clean(struct arena *a, struct str s)
{
	size_t n = s.n < SPF_TEXT_MAX ? s.n : SPF_TEXT_MAX;
	char *to = arena_cstr(a, str_head(s, n));

	for (size_t i = 0; i < n; i++)
		if (to[i] < ' ' || to[i] > '~')
			to[i] = '?';
	return str_n(to, n);
}

static void
explain(struct eval *e, const struct hit *hit, struct spf_verdict *v)
{
	struct str text = explanation_of(e, hit), domain = hit->domain;
	struct buf b;

	if (text.n == 0) {
		text = e->c->explanation;
		domain = e->c->domain;
	}
	buf_init(&b, EXPANDED_MAX);
	if (!e->lacking && expand(e, domain, text, &b))
		v->explanation = clean(e->arena, str_trim(buf_str(&b)));
	buf_free(&b);
}

/* 4.3: a name of several labels, as one of a host is. */
static bool
is_domain(struct str s)
{
	ptrdiff_t dot;
	bool digits = true;

	if (str_ends(s, STR(".")))
		s.n--;
	dot = str_rfind(s, '.');
	for (size_t i = 0; i < s.n; i++) {
		char c = char_lower(s.p[i]);
		bool digit = c >= '0' && c <= '9';

		if (!digit && !(c >= 'a' && c <= 'z') && c != '-' && c != '_' && c != '.')
			return false;
		if ((ptrdiff_t)i > dot && !digit)
			digits = false;
	}
	return dot > 0 && !digits && can_be_asked(s);
}

/* 5: an IPv4 address in IPv6 clothes is one of IPv4. */
static struct addr
undressed(const struct addr *a)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	const unsigned char *p = addr_octets(a);

	if (p != NULL && addr_family(a) == AF_INET6 && memcmp(p, mapped, 12) == 0)
		return addr_from(AF_INET, p + 12, 0);
	return *a;
}

bool
spf_check(const struct spf_client *c, struct spf_facts *f, struct spf_verdict *v)
{
	struct eval e = { .c = c, .address = undressed(&c->address), .f = f,
		.arena = spf_facts_arena(f), .problem = STR(""),
		.nothing = { .there = true, .status = DNS_NO_NAME } };
	struct hit hit = { .mechanism = STR(""), .exp = STR("") };

	*v = (struct spf_verdict){ .code = SPF_NONE, .domain = clean(e.arena, c->domain),
		.mechanism = STR(""), .problem = STR(""), .explanation = STR("") };
	if (!is_domain(c->domain) || addr_octets(&e.address) == NULL)
		return true;
	v->code = check_host(&e, shortened(c->domain), &hit);
	if (v->code == SPF_FAIL && !e.lacking)
		explain(&e, &hit, v);
	if (v->code != SPF_NONE)
		v->mechanism = clean(e.arena, hit.mechanism);
	if (v->code == SPF_TEMPERROR || v->code == SPF_PERMERROR)
		v->problem = clean(e.arena, e.problem);
	return !e.lacking;
}

const char *
spf_name(enum spf_code code)
{
	static const char *const names[SPF_CODES] = { "none", "neutral", "pass", "fail",
		"softfail", "temperror", "permerror" };

	return names[code];
}
