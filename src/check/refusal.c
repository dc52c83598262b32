/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * refusal -- what a check's finding does to mail.
 *
 * Nobody is asked here and nothing is remembered: whoever has the facts hears the
 * same, a session or `baridctl explain`.  What DNS did not say refuses nobody for
 * good unless the configuration wants that.
 */

#include "check/refusal.h"

#define NOTHING ((struct refusal){ .code = 0 })

/* By ACTION: nothing, or 550 and 5.ENHANCED, or LATER and 4.ENHANCED. */
static struct refusal
by(int action, int later, const char *permanent, const char *temporary, const char *text)
{
	if (action == CHECK_NOTE)
		return NOTHING;
	if (action == CHECK_REJECT)
		return (struct refusal){ 550, permanent, text };
	return (struct refusal){ later, temporary, text };
}

/* ---- who the client is -------------------------------------------------------- */

struct refusal
refusal_iprev(const struct conf_check_iprev *k, enum iprev result, const char *address,
    struct arena *a)
{
	static const char *const why[IPREV_N] = {
		[IPREV_PERMERROR] = "cannot find your reverse hostname",
		[IPREV_FAIL] = "cannot find your hostname",
		[IPREV_TEMPERROR] = "your hostname cannot be looked up now",
	};
	const int action[IPREV_N] = { [IPREV_PASS] = CHECK_NOTE, [IPREV_FAIL] = k->on_fail,
		[IPREV_TEMPERROR] = k->on_temperror, [IPREV_PERMERROR] = k->on_none };

	if (action[result] == CHECK_NOTE)
		return NOTHING;
	/* RFC 7372 3.3 */
	return by(action[result], 450, "5.7.25", "4.7.25",
	    arena_printf(a, "Client host rejected: %s, [%s]", why[result], address));
}

bool
helo_is_asked(const struct conf_check_helo *k, struct str helo)
{
	return k->enabled && k->on_unknown != CHECK_NOTE && helo.n > 0 && helo.p[0] != '[';
}

struct refusal
refusal_helo(const struct conf_check_helo *k, struct str helo, bool ours, enum exists exists)
{
	bool is_name = helo.n > 0 && helo.p[0] != '[';

	if (ours)
		return by(k->on_ours, 450, "5.7.1", "4.7.1",
		    "Helo command rejected: that is us");
	if (is_name && str_find(helo, '.') < 0 && k->on_short != CHECK_NOTE)
		return by(k->on_short, 450, "5.5.2", "4.5.2",
		    "Helo command rejected: need fully-qualified hostname");
	if (exists == EXISTS_NO)
		return by(k->on_unknown, 450, "5.7.1", "4.7.1",
		    "Helo command rejected: Host not found");
	return NOTHING;
}

bool
sender_is_asked(const struct conf_check_sender *k, struct str domain)
{
	return k->enabled && k->on_unknown != CHECK_NOTE && domain.n > 0 && domain.p[0] != '[';
}

struct refusal
refusal_sender(const struct conf_check_sender *k, bool ours, const struct msg_exists_result *r)
{
	if (ours)
		return by(k->on_ours, 450, "5.7.1", "4.7.1",
		    "Sender address rejected: it is of this server, and you have not logged in");
	if (r->result == EXISTS_UNKNOWN)
		return NOTHING;
	/* RFC 7505 4.2 */
	if (r->null_mx)
		return by(k->on_unknown, 450, "5.7.27", "4.7.27",
		    "Sender address rejected: its domain takes no mail (null MX)");
	return r->result == EXISTS_NO ? by(k->on_unknown, 450, "5.1.8", "4.1.8",
	    "Sender address rejected: Domain not found") : NOTHING;
}

/* ---- SPF (RFC 7372 3.2) -------------------------------------------------------- */

static int
spf_action(const struct conf_check_spf *k, enum spf_code code)
{
	switch (code) {
	case SPF_FAIL:
		return k->on_fail;
	case SPF_SOFTFAIL:
		return k->on_softfail;
	case SPF_NONE:
		return k->on_none;
	case SPF_TEMPERROR:
		return k->on_temperror;
	case SPF_PERMERROR:
		return k->on_permerror;
	default:
		return CHECK_NOTE;
	}
}

static const char *
spf_text(const struct spf_verdict *v, struct arena *a)
{
	switch (v->code) {
	case SPF_FAIL:
		if (v->explanation.n > 0)
			return arena_printf(a, "Blocked - see: " STR_FMT, STR_ARG(v->explanation));
		return "Blocked by SPF";
	case SPF_SOFTFAIL:
		return "Blocked by SPF, softly";
	case SPF_NONE:
		return arena_printf(a, "Blocked: " STR_FMT " has no SPF record",
		    STR_ARG(v->domain));
	case SPF_PERMERROR:
		return arena_printf(a, "The SPF record of " STR_FMT " is broken: " STR_FMT,
		    STR_ARG(v->domain), STR_ARG(v->problem));
	default:
		return arena_printf(a, "The SPF record of " STR_FMT " cannot be found now",
		    STR_ARG(v->domain));
	}
}

static struct refusal
spf_one(const struct spf_verdict *v, int action, struct arena *a)
{
	if (action == CHECK_NOTE)
		return NOTHING;
	if (v->code == SPF_TEMPERROR || v->code == SPF_PERMERROR)
		return by(action, 451, "5.7.24", "4.7.24", spf_text(v, a));
	if (v->code == SPF_NONE)
		return by(action, 451, "5.7.1", "4.7.1", spf_text(v, a));
	return by(action, 451, "5.7.23", "4.7.23", spf_text(v, a));
}

struct refusal
refusal_spf(const struct conf_check_spf *k, const struct spf_result *r, bool has_sender,
    struct arena *a)
{
	struct refusal x = NOTHING;

	if (has_sender && r->helo.code == SPF_FAIL)
		x = spf_one(&r->helo, k->on_helo_fail, a);
	return x.code != 0 ? x : spf_one(&r->from, spf_action(k, r->from.code), a);
}

/* ---- signatures -------------------------------------------------------------------- */

struct refusal
refusal_dkim(const struct conf_check_dkim *k, const struct dkim_check *c)
{
	bool bad = false;

	if (!k->enabled || k->on_fail == CHECK_NOTE)
		return NOTHING;
	for (size_t i = 0; i < dkim_check_count(c); i++) {
		struct dkim_verdict v = dkim_check_verdict(c, i);

		if (v.result == DKIM_PASS || v.result == DKIM_TEMPERROR)
			return NOTHING;
		/* RFC 6376 3.6.1 */
		bad = bad || (v.result == DKIM_FAIL && !v.testing);
	}
	/* RFC 7372 3.1 */
	return !bad ? NOTHING : by(k->on_fail, 451, "5.7.20", "4.7.20",
	    "No DKIM signature of the message is good");
}

enum vouch
arc_vouches(const struct conf_check_arc *k, const struct arc_verdict *v)
{
	enum vouch vouch = v->result == ARC_PASS ? VOUCH_GOOD :
	    v->result == ARC_FAIL && v->temporary ? VOUCH_LATER : VOUCH_NONE;

	for (size_t i = 0; i < k->trusted.n; i++)
		if (dmarc_is_within(v->domain, str_c(k->trusted.v[i])))
			return vouch;
	return VOUCH_NONE;
}

size_t
proofs_of(const struct spf_result *spf, const struct dkim_check *c, struct arena *a,
    struct dmarc_proof p[DMARC_PROOFS_MAX])
{
	size_t n = 0;

	if (spf->checked && (spf->from.code == SPF_PASS || spf->from.code == SPF_TEMPERROR))
		p[n++] = (struct dmarc_proof){ .domain = arena_lower(a, spf->from.domain),
			.undecided = spf->from.code != SPF_PASS };
	for (size_t i = 0; c != NULL && i < dkim_check_count(c) && n < DMARC_PROOFS_MAX; i++) {
		struct dkim_verdict v = dkim_check_verdict(c, i);

		if (v.result == DKIM_PASS || v.result == DKIM_TEMPERROR)
			p[n++] = (struct dmarc_proof){ .domain = v.domain, .by_dkim = true,
				.undecided = v.result != DKIM_PASS };
	}
	return n;
}

struct refusal
refusal_dmarc(const struct conf_check_dmarc *k, const char *no_author,
    const struct dmarc_verdict *v, enum vouch vouch, struct arena *a)
{
	if (!k->enabled || !k->enforce)
		return NOTHING;
	if (no_author != NULL)
		return (struct refusal){ 550, "5.7.1", arena_printf(a,
		    "The message cannot be said to be anybody's (DMARC): %s", no_author) };
	if (v->result == DMARC_TEMPERROR && v->asks != DMARC_REJECT)
		return !k->defer ? NOTHING : (struct refusal){ 451, "4.7.1",
			"The policy of the author's domain (DMARC) cannot be had now" };
	if (v->asks != DMARC_REJECT || vouch == VOUCH_GOOD)
		return NOTHING;
	if (v->result == DMARC_TEMPERROR || vouch == VOUCH_LATER)
		return (struct refusal){ 451, "4.7.1", arena_printf(a,
		    "DNS does not say now whether this is mail of " STR_FMT " (DMARC)",
		    STR_ARG(v->domain)) };
	return (struct refusal){ 550, "5.7.1", arena_printf(a,
	    "Refused by the policy of " STR_FMT " (DMARC): neither SPF nor DKIM shows that it "
	    "is its mail", STR_ARG(v->domain)) };
}

/* ---- servers of spam and viruses ------------------------------------------------------ */

static bool
is_spam(const struct conf_check_scan *k, const struct msg_scan_result *r)
{
	if (k->reject_score > 0 && r->scored)
		return r->score >= (int64_t)k->reject_score * 1000;
	return r->result == SCAN_SPAM_REJECT ||
	    (r->result == SCAN_SPAM && k->kind == SCAN_SPAMD);
}

/* WHAT, with the points and what the server says of it. */
static const char *
spam_text(const char *what, bool points, const struct msg_scan_result *r, struct arena *a)
{
	const char *text;
	struct buf b;

	buf_init(&b, 512);
	buf_adds(&b, what);
	if (points && r->scored) {
		buf_adds(&b, " (");
		scan_number_add(&b, r->score);
		buf_adds(&b, " points)");
	}
	if (r->what.n > 0)
		buf_addf(&b, ": " STR_FMT, STR_ARG(r->what));
	text = arena_cstr(a, buf_str(&b));
	buf_free(&b);
	return text;
}

struct refusal
refusal_scan(const struct conf_check_scan *k, const struct msg_scan_result *r, bool for_desk,
    struct arena *a)
{
	if (r->result == SCAN_FAILED)
		return k->on_error != SCAN_DEFER ? NOTHING :
		    (struct refusal){ 451, "4.7.1", "The message cannot be checked now" };
	if (r->result == SCAN_VIRUS)
		return k->action != SCAN_REJECT ? NOTHING :
		    (struct refusal){ 554, "5.7.1", arena_printf(a,
			"The message has a virus: " STR_FMT, STR_ARG(r->what)) };
	/* What Rspamd wants is all of it; spamd has no other wish than its text. */
	if (k->action == SCAN_NOTE || (k->action == SCAN_EDIT && k->kind == SCAN_SPAMD) || for_desk)
		return NOTHING;
	if (is_spam(k, r))
		return (struct refusal){ 550, "5.7.1",
			spam_text("The message looks like spam", true, r, a) };
	if (r->result == SCAN_LATER)
		return (struct refusal){ 451, "4.7.1",
			spam_text("The message is to come again", false, r, a) };
	return NOTHING;
}
