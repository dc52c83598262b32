/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain_text -- what checks make of a message: its signatures, and what its
 * author's domain asks for.
 */

#include "explain_checks.h"

#include <errno.h>
#include <sysexits.h>

#include "check/author.h"
#include "mail/urls.h"
#include "policy/recipient.h"

/* A message; DKIM is NULL where no signature is looked at. */
struct message {
	struct str text, header;
	struct dkim_check *dkim;
};

/* ---- signatures ---------------------------------------------------------------- */

static const char *
with_reason(struct looked *k, const char *result, struct str whose, struct str reason)
{
	return arena_printf(k->a, "%s%s" STR_FMT "%s%s" STR_FMT, result, whose.n > 0 ? " (" : "",
	    STR_ARG(whose), whose.n > 0 ? ")" : "", reason.n > 0 ? ": " : "", STR_ARG(reason));
}

static void
say_signatures(struct looked *k, const struct message *m)
{
	const struct conf_check_dkim *c = &k->c->check.dkim;
	struct refusal r = refusal_dkim(c, m->dkim);
	size_t n = dkim_check_count(m->dkim);

	if (n == 0)
		explain_say(k->x, "dkim", c->place, "none: nobody signed it");
	for (size_t i = 0; i < n; i++) {
		struct dkim_verdict v = dkim_check_verdict(m->dkim, i);
		const char *what = with_reason(k, dkim_result_name(v.result), v.domain, v.reason);

		if (v.testing)
			what = arena_printf(k->a, "%s; the key is under test", what);
		if (i + 1 < n)
			explain_say(k->x, "dkim", c->place, "%s", what);
		else
			looked_say(k, "dkim", c->place, what, r, false);
	}
}

/* What a trusted seal that says that it had passed comes to. */
static enum vouch
say_chain(struct looked *k, const struct message *m)
{
	const struct conf_check_arc *c = &k->c->check.arc;
	struct arc_verdict v = dkim_check_arc(m->dkim);
	enum vouch vouch = arc_vouches(c, &v);
	bool trusted = vouch == VOUCH_GOOD, passed = result_sealed_pass(m->header);

	explain_say(k->x, "arc", c->place, "%s%s",
	    with_reason(k, arc_result_name(v.result), v.domain, v.reason),
	    trusted && passed ? "; the sealer is trusted, and says that it had passed DMARC" :
	    trusted ? "; the sealer is trusted, but does not say that it had passed DMARC" : "");
	return passed ? vouch : VOUCH_NONE;
}

/* ---- the author's domain --------------------------------------------------------- */

/* dmarc_look: every name is asked for at once, and never unasked. */
static enum dmarc_known
look(void *arg, struct str domain, struct dmarc *d)
{
	struct looked *k = arg;
	struct found_records f;

	/* RFC 8020: any record makes a name exist, and one below it, too. */
	if (d == NULL) {
		lookup_txt(k->x->dns, arena_cstr(k->a, domain), &f);
		return f.status == DNS_TEMPORARY ? DMARC_UNKNOWN :
		    f.status == DNS_NO_NAME ? DMARC_ABSENT : DMARC_PRESENT;
	}
	lookup_txt(k->x->dns, arena_printf(k->a, "_dmarc." STR_FMT, STR_ARG(domain)), &f);
	if (f.n == 0)
		return f.status == DNS_TEMPORARY ? DMARC_UNKNOWN : DMARC_ABSENT;
	return dmarc_parse_only(f.text, f.n, d) ? DMARC_PRESENT : DMARC_ABSENT;
}

static const char *
dmarc_words(struct looked *k, const struct dmarc_verdict *v, struct str author)
{
	const char *name = dmarc_result_name(v->result);

	if (v->result == DMARC_PASS)
		return arena_printf(k->a, "%s: " STR_FMT " by %s, as " STR_FMT " has it", name,
		    STR_ARG(author), v->by_spf && v->by_dkim ? "SPF and DKIM" :
		    v->by_spf ? "SPF" : "DKIM", STR_ARG(v->domain));
	if (v->result == DMARC_FAIL)
		return arena_printf(k->a, "%s: " STR_FMT " by neither SPF nor DKIM; " STR_FMT
		    " asks for %s", name, STR_ARG(author), STR_ARG(v->domain),
		    dmarc_policy_name(v->asks));
	return arena_printf(k->a, "%s: " STR_FMT " %s", name, STR_ARG(author),
	    v->result != DMARC_TEMPERROR ? "has no policy" : v->asks == DMARC_REJECT ?
	    "asks for reject, and DNS does not say now whether it is by SPF or DKIM" :
	    "cannot be asked now");
}

static void
say_author(struct looked *k, const struct message *m, enum vouch vouch)
{
	const struct conf_check_dmarc *c = &k->c->check.dmarc;
	struct dmarc_proof proofs[DMARC_PROOFS_MAX];
	struct dmarc_facts f = { .proofs = proofs,
		.proof_n = proofs_of(&k->spf, m->dkim, k->a, proofs) };
	struct dmarc_verdict v = { .domain = STR("") };
	const char *no_author = author_domain(m->header, k->a, &f.from);
	struct dmarc_wants w;
	const char *what;

	if (f.from.n > 0)
		while (!dmarc_judge(&f, look, k, &w, &v))
			continue;
	what = no_author != NULL ? arena_printf(k->a, "permerror: %s", no_author) :
	    dmarc_words(k, &v, f.from);
	if (v.result == DMARC_FAIL && v.asks == DMARC_QUARANTINE && vouch != VOUCH_GOOD &&
	    c->quarantine[0] != '\0')
		what = arena_printf(k->a, "%s; it gets \"%s\"", what, c->quarantine);
	looked_say(k, "dmarc", c->place, what, refusal_dmarc(c, no_author, &v, vouch, k->a),
	    access_listed(&c->exempt, &k->client));
}

static void
say_checks(struct looked *k, const struct message *m)
{
	const struct conf_checks *c = &k->c->check;
	enum vouch vouch = VOUCH_NONE;

	if (c->dkim.enabled)
		say_signatures(k, m);
	else
		looked_skip(k, "dkim", CONF_NOWHERE, "there is no check \"dkim\"");
	if (c->arc.enabled)
		vouch = say_chain(k, m);
	else
		looked_skip(k, "arc", CONF_NOWHERE, "there is no check \"arc\"");
	if (c->dmarc.enabled)
		say_author(k, m, vouch);
	else
		looked_skip(k, "dmarc", CONF_NOWHERE, "there is no check \"dmarc\"");
}

/* ---- whom it leads to ------------------------------------------------------------------- */

static void
say_urls(struct looked *k, const struct message *m)
{
	struct dnsbl_terms t = { .n = 0 };
	struct urls u = { .n = 0 };

	if ((k->c->dnsbl.of & 1u << DNSBL_URL) == 0)
		return;
	urls_find(&u, m->text, k->a);
	for (size_t i = 0; i < u.n; i++)
		(void)!dnsbl_terms_add(&t, DNSBL_URL, u.host[i], k->a);
	explain_say(k->x, "urls", CONF_NOWHERE, "%zu hosts", u.n);
	if (t.n > 0)
		explain_listed(k, "lists", &t);
}

/* ---- all of it ------------------------------------------------------------------------- */

static void
say_unread(struct looked *k)
{
	const struct conf_checks *c = &k->c->check;
	static const char why[] = "the message was not given (--message)";

	if (c->dkim.enabled)
		looked_skip(k, "dkim", c->dkim.place, why);
	if (c->arc.enabled)
		looked_skip(k, "arc", c->arc.place, why);
	if (c->dmarc.enabled)
		looked_skip(k, "dmarc", c->dmarc.place, why);
	if ((k->c->dnsbl.of & 1u << DNSBL_URL) != 0)
		looked_skip(k, "urls", CONF_NOWHERE, why);
}

int
explain_text(struct looked *k, const char *path)
{
	const struct conf_checks *c = &k->c->check;
	unsigned what = (c->dkim.enabled ? DKIM_CHECK_DKIM : 0u) |
	    (c->arc.enabled ? DKIM_CHECK_ARC : 0u);
	struct message m = { .dkim = NULL };
	struct buf text;

	if (path != NULL && !message_read(path, &text)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return EX_NOINPUT;
	}
	if (path != NULL) {
		m.text = buf_str(&text);
		m.header = header_whole(m.text);
	}
	if (path == NULL && !k->relays)
		say_unread(k);
	if (path != NULL && !k->relays) {
		if (what != 0) {
			m.dkim = message_check(m.text, what);
			lookup_keys(k->x->dns, m.dkim);
		}
		say_checks(k, &m);
		say_urls(k, &m);
	}
	explain_scan(k, path != NULL ? &m.text : NULL);
	dkim_check_free(m.dkim);
	if (path != NULL)
		buf_free(&text);
	return EX_OK;
}
