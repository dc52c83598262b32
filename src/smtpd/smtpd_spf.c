/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_spf -- whether the sender's domain lets the client send its mail (RFC
 * 7208).
 *
 * A session has no way out, so it asks barid-check: at MAIL, so that the answer
 * is there when the recipients are.  Who may relay or logs in is not asked
 * about, and the postmaster always hears of a mistake.  Without an answer the
 * result is a temporary error, as if DNS had not answered.
 */

#include "smtpd.h"

#include <errno.h>
#include <string.h>

#include "ipc/msg_spf.h"
#include "lib/log.h"

#define LINE_MAX_OCTETS 4096

static bool
is_asked_about(const struct session *s)
{
	const struct conf_check_spf *c = &s->conf->check.spf;
	struct client_facts f = session_facts(s);

	return c->enabled && !s->local && !s->submission &&
	    addr_octets(&s->env->peer) != NULL && !access_may_relay(s->conf, &f) &&
	    !session_listed(s, &c->exempt);
}

static struct spf_client
client_of(const struct session *s)
{
	const struct path *from = &s->txn.spf.sender;

	return (struct spf_client){ .address = s->env->peer, .helo = s->helo,
		.local = from->local, .domain = from->domain,
		.receiver = str_c(s->env->hostname) };
}

void
spf_begin(struct session *s)
{
	struct spf_client c = client_of(s);
	const struct msg_spf m = { .address = str_c(s->address), .helo = c.helo,
		.local = c.local, .domain = c.domain, .receiver = c.receiver };
	struct buf packet;

	spf_forget(s);
	if (!is_asked_about(s))
		return;
	s->txn.spf.result.checked = true;
	buf_init(&packet, FRAME_MAX);
	msg_spf_put(&packet, &m);
	if (asked_send(&s->spf_asked, s->env->check, buf_str(&packet),
		s->conf->check.spf.timeout) < 0)
		log_error(NULL, "barid-check cannot be asked about the sender: %s",
		    strerror(errno));
	buf_free(&packet);
}

void
spf_forget(struct session *s)
{
	asked_forget(&s->spf_asked);
}

/* ---- the answer ------------------------------------------------------------------- */

static struct spf_verdict
verdict(struct session *s, const struct msg_spf_verdict *v, struct str domain)
{
	struct arena *a = &s->txn_arena;

	return (struct spf_verdict){ .code = (enum spf_code)v->code,
		.domain = spf_domain(domain, a), .mechanism = arena_str(a, v->mechanism),
		.problem = arena_str(a, v->problem),
		.explanation = arena_str(a, v->explanation) };
}

static bool
has_sender(const struct session *s)
{
	return s->txn.spf.sender.domain.n > 0;
}

/* As if nobody had answered. */
static const struct msg_spf_verdict unknown = { .code = SPF_TEMPERROR, .mechanism = { "", 0 },
	.problem = { "nobody can be asked", 19 }, .explanation = { "", 0 } };

/* Takes what was asked for, once; waits for it. */
static void
await(struct session *s)
{
	struct msg_spf_result r = { unknown, unknown };
	struct buf reply;

	if (!s->txn.spf.result.checked || s->txn.spf.known)
		return;
	s->txn.spf.known = true;
	buf_init(&reply, FRAME_MAX);
	if (s->spf_asked.fd > 0 && (asked_await(&s->spf_asked, &reply) < 0 ||
		!msg_spf_result_get(buf_str(&reply), &r))) {
		log_error(NULL, "barid-check does not say whether the sender is one: %s",
		    strerror(errno));
		r = (struct msg_spf_result){ unknown, unknown };
	}
	s->txn.spf.result.helo = verdict(s, &r.helo, s->helo);
	s->txn.spf.result.from = verdict(s, &r.from,
	    has_sender(s) ? s->txn.spf.sender.domain : s->helo);
	buf_free(&reply);
}

/* "b@a.test", or empty. */
static struct str
sender(struct session *s)
{
	return has_sender(s) ? path_str(&s->txn_arena, &s->txn.spf.sender) : STR("");
}

static void
log_one(struct session *s, bool helo, const struct spf_verdict *v)
{
	struct spf_client c = client_of(s);
	struct buf b;

	buf_init(&b, LINE_MAX_OCTETS);
	spf_add_line(&b, &c, sender(s), helo, v);
	log_info(NULL, "Received-SPF: %s", buf_cstr(&b));
	buf_free(&b);
}

const struct spf_result *
spf_result(struct session *s)
{
	bool was_known = s->txn.spf.known;

	await(s);
	if (!was_known && s->txn.spf.known) {
		if (has_sender(s) && s->txn.spf.result.helo.code != SPF_NONE)
			log_one(s, true, &s->txn.spf.result.helo);
		log_one(s, !has_sender(s), &s->txn.spf.result.from);
	}
	return &s->txn.spf.result;
}

void
spf_add(struct session *s, struct buf *b)
{
	const struct spf_result *r = spf_result(s);
	struct spf_client c = client_of(s);

	if (!r->checked)
		return;
	spf_add_field(b, &c, sender(s), !has_sender(s), &r->from);
	if (has_sender(s) && r->helo.code != SPF_NONE)
		spf_add_field(b, &c, sender(s), true, &r->helo);
}

/* ---- refusals -------------------------------------------------------------------- */

struct answer
spf_recipient(struct session *s, const struct path *to)
{
	if (!s->txn.spf.result.checked || str_ieq(to->local, STR("postmaster")))
		return (struct answer){ .code = 0 };
	return answer_refusal(refusal_spf(&s->conf->check.spf, spf_result(s), has_sender(s),
	    &s->line_arena));
}
