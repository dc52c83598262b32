/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * arc -- the chain of ARC (RFC 8617 5.2).
 *
 * A chain is good if it is complete, if its last signature fits the message,
 * and if all its seals are good.  The signatures before the last need not be:
 * they tell since when the message is as it is.  Whatever else is wrong with a
 * chain is a failure of all of it.
 */

#include "dkim_private.h"

#include "mail/dkim_form.h"

struct set {
	struct dkim_entry *seal, *message;
	struct dkim_signature seal_says, message_says;	/* while the header is there */
	struct field seal_field, message_field, results_field;
	bool has_results;
};

struct arc {
	struct set sets[ARC_INSTANCE_MAX];
	unsigned n;		/* the highest instance */
	const char *flaw;
};

/* ---- the fields ------------------------------------------------------------------ */

static struct set *
set_of(struct arc *a, unsigned instance)
{
	if (instance > a->n)
		a->n = instance;
	return &a->sets[instance - 1];
}

static const char *
take_results(struct arc *a, const struct field *f)
{
	unsigned instance = arc_results_instance(f->value);
	struct set *s;

	if (instance == 0)
		return "an ARC-Authentication-Results has no instance";
	s = set_of(a, instance);
	if (s->has_results)
		return "an instance has two ARC-Authentication-Results";
	s->has_results = true;
	s->results_field = *f;
	return NULL;
}

static const char *
take_signature(struct dkim_check *c, struct arc *a, const struct field *f, enum dkim_kind kind)
{
	bool seal = kind == DKIM_ARC_SEAL;
	struct dkim_signature says;
	const char *why = dkim_signature_parse(f->value, kind, &says);
	struct dkim_entry **at;
	struct set *s;

	if (says.instance == 0)
		return seal ? "an ARC-Seal is broken" : "an ARC-Message-Signature is broken";
	s = set_of(a, says.instance);
	at = seal ? &s->seal : &s->message;
	if (*at != NULL)
		return seal ? "an instance has two ARC-Seal" :
			      "an instance has two ARC-Message-Signature";
	*at = arena_alloc(&c->arena, sizeof(**at));
	dkim_entry_init(c, *at, &says, why);
	*(seal ? &s->seal_says : &s->message_says) = says;
	*(seal ? &s->seal_field : &s->message_field) = *f;
	return NULL;
}

static const char *
take_fields(struct dkim_check *c, struct arc *a, const struct dkim_header *h)
{
	const char *why = NULL;

	for (size_t i = 0; i < h->n && why == NULL; i++) {
		const struct field *f = &h->v[i];

		if (str_ieq(f->name, STR("ARC-Seal")))
			why = take_signature(c, a, f, DKIM_ARC_SEAL);
		else if (str_ieq(f->name, STR("ARC-Message-Signature")))
			why = take_signature(c, a, f, DKIM_ARC_MESSAGE);
		else if (str_ieq(f->name, STR("ARC-Authentication-Results")))
			why = take_results(a, f);
	}
	return why;
}

/* RFC 8617 5.2 1 to 3. */
static const char *
structure_flaw(const struct arc *a)
{
	const struct set *last = &a->sets[a->n - 1];

	if (last->seal != NULL && str_ieq(last->seal_says.chain, STR("fail")))
		return "the chain had failed before (cv=fail)";
	for (unsigned i = 0; i < a->n; i++) {
		const struct set *s = &a->sets[i];

		if (s->seal == NULL || s->message == NULL || !s->has_results)
			return "an instance is not complete";
		if (!str_ieq(s->seal_says.chain, i == 0 ? STR("none") : STR("pass")))
			return i == 0 ? "the first seal does not say cv=none" :
					"a seal does not say cv=pass";
	}
	return NULL;
}

/* ---- what is signed ---------------------------------------------------------------- */

/* RFC 8617 5.1.1: all sets up to this one, relaxed, and at last the seal itself. */
static bool
seal_digest(const struct arc *a, unsigned n, struct buf *text, unsigned char digest[SHA256_SIZE])
{
	buf_reset(text);
	for (unsigned i = 0; i < n; i++) {
		const struct set *s = &a->sets[i];

		dkim_form_add(text, &s->results_field, true);
		dkim_form_add(text, &s->message_field, true);
		if (i + 1 < n)
			dkim_form_add(text, &s->seal_field, true);
		else
			dkim_form_add_own(text, &s->seal_field, s->seal_says.cut, true);
	}
	return buf_ok(text) && sha256(buf_str(text), digest) == 0;
}

static void
want_message(struct dkim_check *c, struct dkim_header *h, const struct set *s)
{
	struct dkim_entry *e = s->message;

	if (!e->settled)
		dkim_entry_want(c, e,
		    dkim_header_digest(h, &s->message_says, &s->message_field, e->digest) == 0);
}

/* The last signature first, then the seals: what a verdict needs stands before what it need not. */
static void
want_all(struct dkim_check *c, struct arc *a, struct dkim_header *h)
{
	want_message(c, h, &a->sets[a->n - 1]);
	for (unsigned n = a->n; n > 0; n--) {
		struct dkim_entry *e = a->sets[n - 1].seal;

		if (!e->settled)
			dkim_entry_want(c, e, seal_digest(a, n, &h->text, e->digest));
	}
	for (unsigned n = a->n - 1; n > 0; n--)
		want_message(c, h, &a->sets[n - 1]);
}

struct arc *
arc_read(struct dkim_check *c, struct dkim_header *h)
{
	struct arc *a = arena_alloc(&c->arena, sizeof(*a));

	a->flaw = take_fields(c, a, h);
	if (a->flaw == NULL && a->n > 0)
		a->flaw = c->flaw != NULL ? c->flaw : structure_flaw(a);
	if (a->flaw == NULL && a->n > 0)
		want_all(c, a, h);
	return a;
}

void
arc_each(struct arc *a, void (*fn)(void *arg, struct dkim_entry *e), void *arg)
{
	for (unsigned i = 0; i < a->n && a->flaw == NULL; i++) {
		fn(arg, a->sets[i].message);
		fn(arg, a->sets[i].seal);
	}
}

/* ---- the verdict ----------------------------------------------------------------------- */

static struct arc_verdict
failed_at(struct dkim_check *c, const struct dkim_entry *e, unsigned instance,
    struct arc_verdict v)
{
	v.result = ARC_FAIL;
	v.temporary = e->result == DKIM_TEMPERROR;
	v.reason = str_c(arena_printf(&c->arena, "%s of instance %u: %s",
	    e->kind == DKIM_ARC_SEAL ? "seal" : "signature", instance, e->reason));
	return v;
}

/* RFC 8617 5.2 5: the lowest instance from which on all signatures fit. */
static unsigned
oldest_pass(const struct arc *a)
{
	for (unsigned n = a->n - 1; n > 0; n--)
		if (a->sets[n - 1].message->result != DKIM_PASS)
			return n + 1;
	return 0;
}

struct arc_verdict
arc_judge(struct dkim_check *c, const struct arc *a)
{
	struct arc_verdict v = { .result = ARC_NONE, .reason = STR(""), .instance = a->n,
		.domain = STR(""), .selector = STR("") };
	const struct dkim_entry *e = a->n > 0 ? a->sets[a->n - 1].seal : NULL;

	if (e != NULL) {
		v.domain = e->domain;
		v.selector = e->selector;
	}
	if (a->flaw != NULL) {
		v.result = ARC_FAIL;
		v.reason = str_c(a->flaw);
		return v;
	}
	if (a->n == 0)
		return v;
	e = a->sets[a->n - 1].message;
	if (e->result != DKIM_PASS)
		return failed_at(c, e, a->n, v);
	for (unsigned n = a->n; n > 0; n--)
		if (a->sets[n - 1].seal->result != DKIM_PASS)
			return failed_at(c, a->sets[n - 1].seal, n, v);
	v.result = ARC_PASS;
	v.oldest_pass = oldest_pass(a);
	return v;
}
