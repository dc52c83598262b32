/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_found -- what was found of a message, for those who come after.
 *
 * It goes into the log, as JSON into the envelope, and as a field
 * Authentication-Results before the text (RFC 8601).  What others wrote in our
 * name is taken out of the header before that.
 */

#include "smtpd.h"

#include <errno.h>
#include <string.h>

#include "check/dkim.h"
#include "check/dmarc.h"
#include "check/result.h"
#include "lib/log.h"
#include "queue/prefix.h"

/* Of the log, octets. */
#define LINE_MAX_OCTETS 700

/* ---- results ---------------------------------------------------------------------- */

/* True if the message goes to one of WHOM (CONF_RESULTS_*). */
static bool
is_for(const struct session *s, unsigned whom)
{
	const struct envelope *e = &s->txn.env;

	for (size_t i = 0; i < e->rcpt_n; i++) {
		bool local = e->rcpts[i].path.domain.n == 0 ||
		    conf_is_local(s->conf, e->rcpts[i].path.domain);

		if (whom & (local ? CONF_RESULTS_LOCAL : CONF_RESULTS_NONLOCAL))
			return true;
	}
	return false;
}

/* RFC 8601 2.7.4; but who has which name here is nobody's business elsewhere. */
static void
add_login(const struct session *s, struct results *r)
{
	struct check_result *one;

	if (s->user[0] == '\0' || is_for(s, CONF_RESULTS_NONLOCAL))
		return;
	one = results_add(r, "auth", "pass");
	result_prop(one, "smtp.auth", str_c(s->user));
}

static void
add_name(const struct session *s, struct results *r)
{
	static const char *const words[IPREV_N] = { [IPREV_PASS] = "pass",
		[IPREV_FAIL] = "fail", [IPREV_TEMPERROR] = "temperror",
		[IPREV_PERMERROR] = "permerror" };

	if (s->identity.named)
		result_prop(results_add(r, "iprev", words[s->identity.iprev.result]),
		    "policy.iprev", str_c(s->address));
}

static struct check_result *
add_one_spf(struct results *r, const struct spf_verdict *v)
{
	struct check_result *one = results_add(r, "spf", spf_name(v->code));

	one->reason = v->problem;
	return one;
}

static void
add_spf(struct session *s, struct results *r)
{
	const struct spf_result *spf = spf_result(s);
	const struct path *from = &s->txn.spf.sender;

	if (!spf->checked)
		return;
	if (from->domain.n > 0)
		result_prop(add_one_spf(r, &spf->from), "smtp.mailfrom",
		    path_str(&s->txn_arena, from));
	result_prop(add_one_spf(r, &spf->helo), "smtp.helo", s->helo);
}

static void
add_dmarc(const struct session *s, struct results *r, const struct dmarc_verdict *v)
{
	const struct checks *c = &s->txn.checks;
	struct check_result *one;

	if (!s->conf->check.dmarc.enabled || !c->on)
		return;
	one = results_add(r, "dmarc", c->no_author != NULL ? "permerror" :
	    dmarc_result_name(v->result));
	if (c->no_author != NULL)
		one->reason = str_c(c->no_author);
	result_prop(one, "header.from", c->author);
	/* What was asked for, of mail that fails (RFC 7489 11.2). */
	if (v->result == DMARC_FAIL)
		result_prop(one, "policy.dmarc", str_c(dmarc_policy_name(v->asks)));
}

void
found_collect(struct session *s, struct results *r, const struct dmarc_verdict *dmarc)
{
	add_login(s, r);
	add_name(s, r);
	add_spf(s, r);
	add_dmarc(s, r, dmarc);
	if (s->txn.checks.dkim != NULL)
		dkim_check_results(s->txn.checks.dkim, str_c(s->address), r);
	scan_collect(s, r);
}

bool
found_is_due(const struct session *s)
{
	return s->txn.checks.on || s->identity.named || s->txn.spf.result.checked ||
	    scan_is_wanted(s) ||
	    (s->conf->check.any && s->user[0] != '\0' && !s->local);
}

/* ---- where they go ------------------------------------------------------------------- */

/* A line: "spf=pass (b.example), dkim=fail (b.example: why)". */
static void
log_results(const struct session *s, const struct results *r)
{
	struct buf b;

	buf_init(&b, 65536);
	for (size_t i = 0; i < r->n; i++) {
		const struct check_result *one = &r->v[i];
		struct str of = one->prop_n > 0 ? one->props[0].value : STR("");

		/* What those have found has a line already. */
		if (one->apart)
			continue;
		buf_addf(&b, "%s%s=%s", b.n == 0 ? "" : ", ", one->method, one->value);
		if (of.n > 0 || one->reason.n > 0)
			buf_addf(&b, " (" STR_FMT "%s" STR_FMT ")", STR_ARG(of),
			    of.n > 0 && one->reason.n > 0 ? ": " : "",
			    STR_ARG(one->reason));
	}
	if (b.n > 0)
		log_info(s->txn.env.id, "checks: " STR_FMT,
		    STR_ARG(str_head(buf_str(&b), LINE_MAX_OCTETS)));
	buf_free(&b);
}

/* In as many octets as the spool has room for: the last are left out first. */
static void
format(const struct session *s, struct results *r, bool quarantined, struct buf *field,
    struct buf *json)
{
	const char *line = s->conf->check.dmarc.quarantine;

	for (;; r->n--) {
		buf_reset(field);
		buf_reset(json);
		if (results_have_field(r) && is_for(s, s->conf->check.results_for))
			results_add_field(field, s->conf->check.authserv, r);
		scan_add_fields(s, field);
		if (quarantined && line[0] != '\0')
			buf_addf(field, "%s\r\n", line);
		results_add_json(json, r);
		if (r->n == 0 || field->n + json->n < QUEUE_LATE_MAX - 100)
			return;
	}
}

int
found_write(struct session *s, struct queue_msg *m, struct results *r, bool quarantined)
{
	struct buf field, json;
	int result;

	if (!found_is_due(s))
		return 0;
	buf_init(&field, 1 << 20);
	buf_init(&json, 1 << 20);
	format(s, r, quarantined, &field, &json);
	if (r->n > 0) {
		log_results(s, r);
		s->txn.env.checks = buf_str(&json);
	}
	result = queue_prefix(m, &s->txn.env, buf_str(&field));
	s->txn.env.checks = STR("");
	buf_free(&json);
	buf_free(&field);
	return result;
}

/* ---- what others wrote ------------------------------------------------------------------ */

/* header_strip(): of a session. */
static bool
is_ours(void *arg, const struct field *f)
{
	const struct session *s = arg;

	return result_is_ours(f, &s->conf->check);
}

void
found_strip(struct session *s)
{
	text_strip(s, is_ours);
}
