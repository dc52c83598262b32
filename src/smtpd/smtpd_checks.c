/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_checks -- what can be found out about a message before it is accepted.
 *
 * The header says which names of DNS matter: keys of its signatures, policies of
 * its author.  They are asked for when it is there, and the answers waited for
 * when the text is, which goes through the checks piece by piece on its way to
 * the spool.  Who may send anywhere is not checked: it is his mail that others
 * check.
 */

#include "smtpd.h"

#include <string.h>
#include <unistd.h>

#include "check/author.h"
#include "check/dkim.h"
#include "check/dmarc.h"
#include "check/result.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "queue/queue.h"

#define NAME_OCTETS 300

static bool
is_checked(const struct session *s)
{
	const struct conf_checks *k = &s->conf->check;
	struct client_facts f = session_facts(s);

	return (k->dkim.enabled || k->dmarc.enabled || k->arc.enabled) &&
	    s->env->check >= 0 && !s->local && !s->submission &&
	    !access_may_relay(s->conf, &f);
}

/* ---- the header -------------------------------------------------------------------- */

/* "_dmarc." and DOMAIN, in SPACE: it is made anew whenever it is looked for. */
static struct str
policy_name(char space[NAME_OCTETS], struct str domain)
{
	struct buf b;

	buf_init_in(&b, space, NAME_OCTETS);
	buf_adds(&b, "_dmarc.");
	buf_add(&b, domain);
	return buf_str(&b);
}

static void
want_keys(struct session *s)
{
	const struct dkim_check *c = s->txn.checks.dkim;

	for (size_t i = 0; c != NULL && i < dkim_check_key_count(c); i++)
		if (!records_want(s, dkim_check_key_name(c, i)))
			return;
}

/* RFC 9989 4.10: the names that the author's domain will need. */
static void
want_policies(struct session *s)
{
	char space[NAME_OCTETS];
	unsigned n = 0;

	for (struct str at = s->txn.checks.author; at.n > 0; at = dmarc_next(at, n)) {
		n++;
		if (!records_want(s, policy_name(space, at)))
			return;
	}
}

void
checks_begin(struct session *s)
{
	const struct conf_checks *k = &s->conf->check;
	struct checks *c = &s->txn.checks;
	struct str header;
	unsigned what = (k->dkim.enabled ? DKIM_CHECK_DKIM : 0u) |
	    (k->arc.enabled ? DKIM_CHECK_ARC : 0u);

	if (!k->any)
		return;
	c->on = is_checked(s);
	if (c->on) {
		header = text_header(s);
		if (what != 0) {
			c->dkim = dkim_check_new(what, clock_wall_us() / 1000000);
			dkim_check_header(c->dkim, header);
			checks_body(s, str_skip(buf_str(&s->text), header.n));
		}
		c->no_author = author_domain(header, &s->txn_arena, &c->author);
		c->sealed_pass = k->arc.trusted.n > 0 && result_sealed_pass(header);
		want_keys(s);
		if (k->dmarc.enabled)
			want_policies(s);
		records_send(s);
	}
	found_strip(s);
}

void
checks_body(struct session *s, struct str piece)
{
	if (s->txn.checks.dkim != NULL)
		dkim_check_body(s->txn.checks.dkim, piece);
}

void
checks_free(struct session *s)
{
	struct checks *c = &s->txn.checks;

	dkim_check_free(c->dkim);
	asked_forget(&c->question);
	*c = (struct checks){ .on = false };
}

/* ---- signatures ----------------------------------------------------------------------- */

static void
verify(struct session *s)
{
	struct checks *c = &s->txn.checks;

	if (c->dkim == NULL)
		return;
	dkim_check_end(c->dkim);
	records_limit(s);
	records_await(s);
	for (size_t i = 0; i < dkim_check_key_count(c->dkim); i++) {
		struct str name = dkim_check_key_name(c->dkim, i);

		/* There may be more than one question holds. */
		if (records_find(s, name) == NULL) {
			want_keys(s);
			records_send(s);
			records_await(s);
		}
		dkim_check_key(c->dkim, i, records_find(s, name));
	}
}

/* ---- the author's domain ----------------------------------------------------------------- */

/* dmarc_look, by what was asked for. */
static enum dmarc_known
look(void *arg, struct str domain, struct dmarc *d)
{
	static const enum dmarc_known known[EXISTS_N] = { [EXISTS_YES] = DMARC_PRESENT,
		[EXISTS_NO] = DMARC_ABSENT, [EXISTS_UNKNOWN] = DMARC_UNKNOWN };
	struct session *s = arg;
	const struct txt_answer *a;
	char space[NAME_OCTETS];

	if (d == NULL)
		return known[identity_exists(s, domain)];
	a = records_find(s, policy_name(space, domain));
	if (a == NULL)
		return DMARC_UNASKED;
	/* In what is too large there may be a policy: that it has none is not known. */
	if (a->status == TXT_TEMPORARY || a->status == TXT_LARGE)
		return DMARC_UNKNOWN;
	return a->status == TXT_OK && dmarc_parse_only(a->texts, a->text_n, d) ?
	    DMARC_PRESENT : DMARC_ABSENT;
}

static void
ask(struct session *s, const struct dmarc_wants *w)
{
	char space[NAME_OCTETS];

	for (size_t i = 0; i < w->n; i++)
		if (!records_want(s, policy_name(space, w->v[i].domain)))
			break;
	records_send(s);
	records_await(s);
}

static void
judge_author(struct session *s, struct dmarc_verdict *v)
{
	struct dmarc_proof proofs[DMARC_PROOFS_MAX];
	struct dmarc_facts f = { .from = s->txn.checks.author, .proofs = proofs,
		.proof_n = proofs_of(spf_result(s), s->txn.checks.dkim, &s->txn_arena, proofs) };
	struct dmarc_wants w;

	records_limit(s);
	while (!dmarc_judge(&f, look, s, &w, v))
		ask(s, &w);
}

/* Of a seal that says that it had passed. */
static enum vouch
vouch_of(struct session *s)
{
	const struct conf_check_arc *k = &s->conf->check.arc;
	struct arc_verdict v;

	if (!k->enabled || !s->txn.checks.sealed_pass)
		return VOUCH_NONE;
	v = dkim_check_arc(s->txn.checks.dkim);
	return arc_vouches(k, &v);
}

static bool
is_vouched(struct session *s)
{
	return vouch_of(s) == VOUCH_GOOD;
}

static bool
for_postmaster_alone(const struct session *s)
{
	const struct envelope *e = &s->txn.env;

	for (size_t i = 0; i < e->rcpt_n; i++)
		if (!str_ieq(e->rcpts[i].path.local, STR("postmaster")))
			return false;
	return true;
}

/* What signatures and the author's domain make of it; the postmaster hears of everything. */
static struct answer
enforce(struct session *s, const struct dmarc_verdict *v)
{
	const struct conf_checks *k = &s->conf->check;
	struct answer a = { .code = 0 };

	if (for_postmaster_alone(s))
		return a;
	a = answer_refusal(refusal_dkim(&k->dkim, s->txn.checks.dkim));
	if (a.code == 0 && !session_listed(s, &k->dmarc.exempt))
		a = answer_refusal(refusal_dmarc(&k->dmarc, s->txn.checks.no_author, v,
		    vouch_of(s), &s->line_arena));
	return a;
}

/* ---- the end ------------------------------------------------------------------------------ */

struct answer
checks_end(struct session *s, struct queue_msg **m)
{
	struct dmarc_verdict dmarc = { .domain = STR("") };
	struct results r = { .n = 0 };
	/* DNS is asked while the rest goes on. */
	struct answer a = check_urls_ask(s, *m);

	if (s->txn.checks.on) {
		verify(s);
		records_await(s);
		if (s->conf->check.dmarc.enabled && s->txn.checks.author.n > 0)
			judge_author(s, &dmarc);
		if (a.code == 0)
			a = enforce(s, &dmarc);
	}
	if (a.code == 0)
		a = check_urls(s);
	if (a.code == 0)
		a = scan_text(s, m);
	if (s->conf->check.dmarc.reports && dmarc.domain.n > 0)
		dmarc_note(s, &dmarc, &a, dmarc.result == DMARC_FAIL && is_vouched(s));
	found_collect(s, &r, &dmarc);
	if (a.code == 0 && found_write(s, *m, &r, dmarc.result == DMARC_FAIL &&
	    dmarc.asks == DMARC_QUARANTINE && !is_vouched(s)) < 0)
		a = store_failed(s, "queue_prefix");
	checks_free(s);
	return a;
}
