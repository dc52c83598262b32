/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dkim -- a message's way through a check of its signatures.
 *
 * Its header is read as a whole and forgotten: what each signature signs of it
 * is a digest from then on.  Of the body there are hashes.  So a message costs
 * the memory of its signatures, of which there is a limited number, and a
 * limited time, whatever a stranger puts into them.
 */

#include "check/dkim.h"

#include "dkim_private.h"
#include "lib/mem.h"
#include "mail/limits.h"

/* More than all copies of a header's signatures. */
#define ARENA_MAX_OCTETS ((size_t)2 << 20)

const char *
dkim_result_name(enum dkim_result r)
{
	static const char *const words[] = { [DKIM_PASS] = "pass", [DKIM_FAIL] = "fail",
		[DKIM_NEUTRAL] = "neutral", [DKIM_POLICY] = "policy",
		[DKIM_TEMPERROR] = "temperror", [DKIM_PERMERROR] = "permerror" };

	return words[r];
}

const char *
arc_result_name(enum arc_result r)
{
	static const char *const words[] = { [ARC_NONE] = "none", [ARC_PASS] = "pass",
		[ARC_FAIL] = "fail" };

	return words[r];
}

struct dkim_check *
dkim_check_new(unsigned what, int64_t now)
{
	struct dkim_check *c = mem_alloc(sizeof(*c));

	c->what = what;
	c->now = now;
	c->bodies = dkim_bodies_new();
	arena_init(&c->arena, ARENA_MAX_OCTETS);
	return c;
}

void
dkim_check_free(struct dkim_check *c)
{
	if (c == NULL)
		return;
	dkim_bodies_free(c->bodies);
	arena_free(&c->arena);
	mem_free(c);
}

/* ---- reading ------------------------------------------------------------------------ */

static void
read_signature(struct dkim_check *c, struct dkim_header *h, const struct field *f)
{
	struct dkim_entry *e = &c->v[c->n++];
	struct dkim_signature s;
	const char *why = dkim_signature_parse(f->value, DKIM_SIGNATURE, &s);

	dkim_entry_init(c, e, &s, why);
	if (!e->settled)
		dkim_entry_want(c, e, dkim_header_digest(h, &s, f, e->digest) == 0);
}

static void
read_signatures(struct dkim_check *c, struct dkim_header *h)
{
	for (size_t i = 0; i < h->n; i++) {
		if (!str_ieq(h->v[i].name, STR("DKIM-Signature")))
			continue;
		if (c->n == DKIM_CHECK_MAX)
			c->ignored++;
		else
			read_signature(c, h, &h->v[i]);
	}
}

void
dkim_check_header(struct dkim_check *c, struct str header)
{
	struct dkim_header h;

	c->flaw = dkim_header_flaw(header);
	dkim_header_init(&h, str_head(header, MAIL_HEADER_MAX));
	if ((c->what & DKIM_CHECK_DKIM) != 0)
		read_signatures(c, &h);
	if ((c->what & DKIM_CHECK_ARC) != 0)
		c->arc = arc_read(c, &h);
	dkim_header_free(&h);
}

void
dkim_check_body(struct dkim_check *c, struct str piece)
{
	dkim_bodies_add(c->bodies, piece);
}

static void
end_entry(void *arg, struct dkim_entry *e)
{
	dkim_entry_end(arg, e);
}

void
dkim_check_end(struct dkim_check *c)
{
	dkim_bodies_end(c->bodies);
	for (size_t i = 0; i < c->n; i++)
		dkim_entry_end(c, &c->v[i]);
	if (c->arc != NULL)
		arc_each(c->arc, end_entry, c);
}

/* ---- keys --------------------------------------------------------------------------- */

size_t
dkim_check_key_count(const struct dkim_check *c)
{
	return c->key_n;
}

struct str
dkim_check_key_name(const struct dkim_check *c, size_t i)
{
	return c->keys[i];
}

/* The answer for one name, on its way to whom it matters. */
struct told {
	size_t key;
	const struct txt_answer *answer;
};

static void
tell_entry(void *arg, struct dkim_entry *e)
{
	const struct told *t = arg;

	if (e->key == t->key)
		dkim_entry_key(e, t->answer);
}

void
dkim_check_key(struct dkim_check *c, size_t i, const struct txt_answer *a)
{
	struct told t = { .key = i, .answer = a };

	for (size_t k = 0; k < c->n; k++)
		tell_entry(&t, &c->v[k]);
	if (c->arc != NULL)
		arc_each(c->arc, tell_entry, &t);
}

/* ---- verdicts --------------------------------------------------------------------------- */

size_t
dkim_check_count(const struct dkim_check *c)
{
	return c->n;
}

size_t
dkim_check_ignored(const struct dkim_check *c)
{
	return c->ignored;
}

/* RFC 6008 4: eight characters, and more until no other signature begins so. */
static struct str
short_b(const struct dkim_check *c, size_t which)
{
	struct str b = c->v[which].b;
	size_t n = 8;

	for (size_t i = 0; i < c->n; i++)
		while (i != which && n < b.n && str_starts(c->v[i].b, str_head(b, n)))
			n++;
	return str_head(b, n);
}

struct dkim_verdict
dkim_check_verdict(const struct dkim_check *c, size_t i)
{
	const struct dkim_entry *e = &c->v[i];

	return (struct dkim_verdict){ .result = e->result, .reason = str_c(e->reason),
		.domain = e->domain, .selector = e->selector,
		.identity = e->domain.n > 0 ? e->identity : STR(""),
		.algorithm = e->algorithm_name, .b = short_b(c, i), .testing = e->testing,
		.reports = e->reports };
}

struct arc_verdict
dkim_check_arc(struct dkim_check *c)
{
	if (c->arc == NULL)
		return (struct arc_verdict){ .result = ARC_NONE, .reason = STR(""),
			.domain = STR(""), .selector = STR("") };
	return arc_judge(c, c->arc);
}

static void
add_verdict(const struct dkim_verdict *v, struct results *r)
{
	struct check_result *one = results_add(r, "dkim", dkim_result_name(v->result));

	one->reason = v->reason;
	result_prop(one, "header.d", v->domain);
	result_prop(one, "header.s", v->selector);
	result_prop(one, "header.a", v->algorithm);
	result_prop(one, "header.i", v->identity);
	result_prop(one, "header.b", v->b);
}

/* RFC 8617 10.2 registers two properties; who sealed it last is none of them. */
static void
add_chain(struct dkim_check *c, struct str client, struct results *r)
{
	struct arc_verdict v = dkim_check_arc(c);
	struct check_result *one = results_add(r, "arc", arc_result_name(v.result));

	one->reason = v.reason;
	result_prop(one, "domain", v.domain);
	result_prop(one, "selector", v.selector);
	if (v.result == ARC_PASS)
		result_prop(one, "header.oldest-pass",
		    str_c(arena_printf(&c->arena, "%u", v.oldest_pass)));
	if (v.result != ARC_NONE)
		result_prop(one, "smtp.remote-ip", client);
}

void
dkim_check_results(struct dkim_check *c, struct str client, struct results *r)
{
	if (c->arc != NULL)
		add_chain(c, client, r);
	if ((c->what & DKIM_CHECK_DKIM) != 0 && c->n == 0)
		(void)results_add(r, "dkim", "none");
	for (size_t i = 0; i < c->n; i++) {
		struct dkim_verdict v = dkim_check_verdict(c, i);

		add_verdict(&v, r);
	}
}
