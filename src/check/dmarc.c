/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dmarc -- whether a message is its author's domain's, and what that asks for
 * if it is not.
 *
 * The tree walk wants all names of a domain at once, so that it takes one
 * round of questions; a second one is needed only where a proof comes from
 * another domain of the same organization, or for "np".
 */

#include "check/dmarc.h"

#include "mail/path.h"

static const char *const results[] = { "none", "pass", "fail", "temperror" };

const char *
dmarc_result_name(enum dmarc_result r)
{
	return results[r];
}

static void
want(struct dmarc_wants *w, struct str domain, bool existence)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].existence == existence && str_eq(w->v[i].domain, domain))
			return;
	if (w->n == DMARC_WANTS_MAX)
		return;
	w->v[w->n].domain = domain;
	w->v[w->n++].existence = existence;
}

/* ---- whose record ------------------------------------------------------------------ */

bool
dmarc_is_within(struct str domain, struct str of)
{
	return str_ieq(domain, of) || domain_is_below(domain, of);
}

/* The part of DOMAIN that is one label longer than ABOVE, which it is below. */
static struct str
one_below(struct str domain, struct str above)
{
	struct str head, rest = domain;

	while (rest.n > above.n) {
		domain = rest;
		str_cut(rest, '.', &head, &rest);
	}
	return domain;
}

/* Asks for what is missing of the walk; true if all is there. */
static bool
is_known(struct str domain, dmarc_look look, void *arg, struct dmarc_wants *w)
{
	struct dmarc d;
	bool all = true;
	unsigned n = 0;

	for (struct str at = domain; at.n > 0; at = dmarc_next(at, n))
		if (n++, look(arg, at, &d) == DMARC_UNASKED) {
			want(w, at, false);
			all = false;
		}
	return all;
}

/* Takes the record D of AT, which is DOMAIN or above it.  False: the walk ends there. */
static bool
take_record(struct dmarc_found *f, struct str domain, struct str at, const struct dmarc *d)
{
	bool suffix = d->psd == 'y' && at.n != domain.n;

	f->organization = suffix ? one_below(domain, at) : at;
	/* Its own record is its policy; else the organization's, else the suffix's. */
	if (f->holder.n == 0 || (!str_eq(f->holder, domain) &&
	    !(suffix && str_eq(f->holder, f->organization)))) {
		f->holder = at;
		f->record = *d;
	}
	/* RFC 9989 4.10, steps 2 and 6: also where the walk begins. */
	return d->psd != 'n' && d->psd != 'y';
}

enum dmarc_known
dmarc_discover(struct str domain, dmarc_look look, void *arg, struct dmarc_wants *w,
    struct dmarc_found *found)
{
	unsigned n = 0;

	*found = (struct dmarc_found){ .organization = domain, .holder = STR("") };
	if (!is_known(domain, look, arg, w))
		return DMARC_UNASKED;
	for (struct str at = domain; at.n > 0; at = dmarc_next(at, n)) {
		struct dmarc d;
		enum dmarc_known k = look(arg, at, &d);

		n++;
		if (k == DMARC_UNKNOWN)
			return k;
		if (k == DMARC_PRESENT && !take_record(found, domain, at, &d))
			break;
	}
	return found->holder.n > 0 ? DMARC_PRESENT : DMARC_ABSENT;
}

/* ---- the verdict ----------------------------------------------------------------------- */

/* PRESENT: the proof P is of the author's domain, as the record has it. */
static enum dmarc_known
is_aligned(const struct dmarc_facts *f, const struct dmarc_proof *p,
    const struct dmarc_found *found, dmarc_look look, void *arg, struct dmarc_wants *w)
{
	bool strict = p->by_dkim ? found->record.strict_dkim : found->record.strict_spf;
	struct dmarc_found its;
	enum dmarc_known k;

	if (str_eq(p->domain, f->from))
		return DMARC_PRESENT;
	if (strict || !dmarc_is_within(p->domain, found->organization))
		return DMARC_ABSENT;
	if (str_eq(p->domain, found->organization))
		return DMARC_PRESENT;
	k = dmarc_discover(p->domain, look, arg, w, &its);
	if (k == DMARC_UNASKED || k == DMARC_UNKNOWN)
		return k;
	return str_eq(its.organization, found->organization) ? DMARC_PRESENT :
	    DMARC_ABSENT;
}

/* Looks at all proofs; what is known of them together.  *MAYBE: one undecided may count. */
static enum dmarc_known
align(const struct dmarc_facts *f, const struct dmarc_found *found, dmarc_look look,
    void *arg, struct dmarc_wants *w, struct dmarc_verdict *v, bool *maybe)
{
	enum dmarc_known all = DMARC_ABSENT;

	*maybe = false;
	for (size_t i = 0; i < f->proof_n && i < DMARC_PROOFS_MAX; i++) {
		const struct dmarc_proof *p = &f->proofs[i];
		enum dmarc_known k = is_aligned(f, p, found, look, arg, w);

		if (p->undecided && k != DMARC_UNASKED)
			*maybe = *maybe || k != DMARC_ABSENT;
		else if (k == DMARC_PRESENT)
			*(p->by_dkim ? &v->by_dkim : &v->by_spf) = true;
		else if (k == DMARC_UNASKED || all != DMARC_UNASKED)
			all = k == DMARC_ABSENT ? all : k;
	}
	/* One is enough, whatever is not known of the others. */
	return v->by_spf || v->by_dkim ? DMARC_PRESENT : all;
}

/*
 * What is asked for of mail that is not the domain's.  MAYBE it is: that is known later
 * (RFC 7489 6.6.2), and until then nobody refuses it for good; nor is it let in, since
 * the names that DNS is asked for are its sender's choice.
 */
static bool
refuse(const struct dmarc_facts *f, const struct dmarc_found *found, bool maybe,
    dmarc_look look, void *arg, struct dmarc_wants *w, struct dmarc_verdict *v)
{
	const struct dmarc *d = &found->record;
	enum dmarc_who who = str_eq(found->holder, f->from) ? DMARC_ITSELF : DMARC_BELOW;

	if (who == DMARC_BELOW && d->policy[DMARC_MISSING] != d->policy[DMARC_BELOW]) {
		enum dmarc_known k = look(arg, f->from, NULL);

		if (k == DMARC_UNASKED) {
			want(w, f->from, true);
			return false;
		}
		/* Of two, the milder one while nobody knows. */
		if (k == DMARC_ABSENT || (k == DMARC_UNKNOWN &&
		    d->policy[DMARC_MISSING] < d->policy[DMARC_BELOW]))
			who = DMARC_MISSING;
	}
	v->published = d->policy[who];
	v->asks = dmarc_asks(d, who);
	v->result = maybe && v->asks == DMARC_REJECT ? DMARC_TEMPERROR : DMARC_FAIL;
	return true;
}

bool
dmarc_judge(const struct dmarc_facts *f, dmarc_look look, void *arg, struct dmarc_wants *w,
    struct dmarc_verdict *v)
{
	struct dmarc_found found;
	enum dmarc_known k = DMARC_ABSENT;
	bool maybe;

	*w = (struct dmarc_wants){ .n = 0 };
	*v = (struct dmarc_verdict){ .domain = STR("") };
	if (f->from.n > 0)
		k = dmarc_discover(f->from, look, arg, w, &found);
	/* RFC 9989 4.10.1 */
	if (k == DMARC_PRESENT && found.record.says_nothing)
		k = DMARC_ABSENT;
	if (k == DMARC_PRESENT) {
		v->domain = found.holder;
		v->record = found.record;
		v->published = found.record.policy[
		    str_eq(found.holder, f->from) ? DMARC_ITSELF : DMARC_BELOW];
		k = align(f, &found, look, arg, w, v, &maybe);
		if (k == DMARC_ABSENT)
			return refuse(f, &found, maybe, look, arg, w, v);
	}
	v->result = k == DMARC_PRESENT ? DMARC_PASS :
	    k == DMARC_UNKNOWN ? DMARC_TEMPERROR : DMARC_RESULT_NONE;
	return k != DMARC_UNASKED;
}
