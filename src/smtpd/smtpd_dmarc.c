/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_dmarc -- what is told of a message to the domain that its author's is of
 * (RFC 9990).
 *
 * A domain whose record names nobody is told nothing, and of mail that has to
 * come again nothing is said until it did.  No report is about reports, nor about
 * what comes to where ours are from: so two hosts that report to each other end
 * with what others have sent, and a report that comes back as undeliverable is the
 * end of it.
 *
 * barid-check keeps count (checkd/dmarc.c).  It is told by one packet, and nobody
 * waits: what gets lost is a number in a statistic.
 */

#include "smtpd.h"

#include <errno.h>

#include "check/dkim.h"
#include "check/dmarc.h"
#include "ipc/channel.h"
#include "ipc/msg_dmarc.h"
#include "lib/log.h"
#include "mail/dmarc_row.h"

/* True if all recipients are the address that reports come from. */
static bool
comes_back(const struct session *s)
{
	const struct envelope *e = &s->txn.env;
	struct str from = str_c(s->conf->check.dmarc.report_from), local, domain;

	(void)str_cut(from, '@', &local, &domain);
	for (size_t i = 0; i < e->rcpt_n; i++)
		if (!str_ieq(e->rcpts[i].path.local, local) ||
		    !str_ieq(e->rcpts[i].path.domain, domain))
			return false;
	return true;
}

static bool
is_told(const struct session *s, const struct dmarc_verdict *v)
{
	return s->env->check >= 0 && v->record.rua.n > 0 &&
	    (v->result == DMARC_PASS || v->result == DMARC_FAIL) &&
	    s->txn.text.header.report != REPORT_DMARC && !comes_back(s);
}

/* True if something would have become of mail that did not pass. */
static bool
asks_something(const struct session *s, const struct dmarc_verdict *v)
{
	return dmarc_asks(&v->record, str_eq(v->domain, s->txn.checks.author) ? DMARC_ITSELF :
	    DMARC_BELOW) != DMARC_NONE;
}

/* What became of it as far as DMARC goes, and why that is not what is published. */
static void
add_disposition(const struct session *s, const struct dmarc_verdict *v, bool refused,
    bool vouched, struct dmarc_row *r)
{
	static const enum dmarc_disposition done[] = { [DMARC_NONE] = DMARC_DONE_NONE,
		[DMARC_QUARANTINE] = DMARC_DONE_QUARANTINE, [DMARC_REJECT] = DMARC_DONE_REJECT };
	const struct conf_check_dmarc *k = &s->conf->check.dmarc;

	if (v->result == DMARC_PASS) {
		r->disposition = asks_something(s, v) ? DMARC_DONE_PASS : DMARC_DONE_NONE;
		return;
	}
	r->disposition = DMARC_DONE_NONE;
	if (v->asks != DMARC_NONE && vouched)
		r->reason = DMARC_TRUSTED_FORWARDER;
	else if ((v->asks == DMARC_REJECT && !refused) ||
	    (v->asks == DMARC_QUARANTINE && k->quarantine[0] == '\0'))
		r->reason = DMARC_LOCAL_POLICY;
	else {
		r->disposition = done[v->asks];
		if (v->asks != v->published)
			r->reason = DMARC_TEST_MODE;
	}
}

static void
add_signatures(const struct session *s, struct dmarc_row *r)
{
	const struct dkim_check *c = s->txn.checks.dkim;

	if (!s->conf->check.dkim.enabled)
		return;
	for (size_t i = 0; i < dkim_check_count(c) && r->signature_n < DMARC_SIGNATURES_MAX;
	     i++) {
		struct dkim_verdict v = dkim_check_verdict(c, i);

		r->signatures[r->signature_n++] = (struct dmarc_signature){ v.domain,
			v.selector, str_c(dkim_result_name(v.result)) };
	}
}

void
dmarc_note(struct session *s, const struct dmarc_verdict *v, const struct answer *a,
    bool vouched)
{
	const struct spf_result *spf = spf_result(s);
	struct dmarc_row r = { .domain = v->domain, .source = str_c(s->address),
		.dkim = v->by_dkim, .spf = v->by_spf, .header_from = s->txn.checks.author,
		.envelope_from = s->txn.spf.sender.domain };
	struct buf b;

	if (!is_told(s, v))
		return;
	add_disposition(s, v, a->code >= 500, vouched, &r);
	if (spf->checked) {
		r.spf_domain = spf->from.domain;
		r.spf_result = str_c(spf_name(spf->from.code));
	}
	add_signatures(s, &r);
	buf_init(&b, DMARC_ROW_MAX);
	dmarc_row_add(&b, &r);
	s->txn.text.row = arena_str(&s->txn_arena, buf_str(&b));
	buf_free(&b);
}

void
dmarc_tell(const struct session *s, const struct answer *a)
{
	const struct msg_dmarc m = { .row = s->txn.text.row };
	struct buf packet;

	if (m.row.n == 0 || (a->code >= 400 && a->code < 500))
		return;
	buf_init(&packet, FRAME_MAX);
	msg_dmarc_put(&packet, &m);
	if (channel_send(s->env->check, buf_str(&packet), -1) < 0)
		log_warn(s->txn.env.id, "it is in no report: barid-check cannot be told: %s",
		    strerror(errno));
	buf_free(&packet);
}
