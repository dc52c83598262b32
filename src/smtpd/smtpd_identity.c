/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_identity -- whether a stranger is who he says that he is: the name of his
 * address, the name that he calls himself, the domain that he sends as.
 *
 * barid-check is asked as soon as each is known, and waited for at the first
 * recipient.  Who may relay or logs in is not looked at, and the postmaster
 * always hears of a mistake.  What DNS cannot say refuses nobody for good.
 */

#include "smtpd.h"

#include <errno.h>
#include <unistd.h>

#include "check/dnsbl.h"
#include "ipc/channel.h"
#include "lib/clock.h"
#include "lib/idn.h"
#include "lib/log.h"

/* As long as barid-check has. */
#define WAIT_MS 5000

#define NOTHING ((struct answer){ .code = 0 })

enum question { ASK_NAME, ASK_HELO, ASK_SENDER, ASK_OTHER };

static bool
is_stranger(const struct session *s)
{
	struct client_facts f = session_facts(s);

	return s->env->check >= 0 && !s->local && !s->submission &&
	    addr_octets(&s->env->peer) != NULL && !access_may_relay(s->conf, &f);
}

/* ---- questions ---------------------------------------------------------------------- */

static void
ask(struct session *s, enum question q, struct str packet)
{
	if (asked_send(&s->identity.asked[q], s->env->check, packet, WAIT_MS) < 0)
		log_error(NULL, "barid-check cannot be asked about %s: %s", s->client,
		    strerror(errno));
}

/* False: there is none in REPLY. */
static bool
await(struct session *s, enum question q, struct buf *reply)
{
	if (s->identity.asked[q].fd == 0)
		return false;
	if (asked_await(&s->identity.asked[q], reply) == 0)
		return true;
	log_error(NULL, "barid-check does not say who %s is: %s", s->client, strerror(errno));
	return false;
}

static void
ask_exists(struct session *s, enum question q, struct str domain, bool at_all)
{
	struct buf packet, name;

	buf_init(&packet, FRAME_MAX);
	buf_init(&name, 1024);
	/* What has no form in ASCII has none in DNS, and was refused elsewhere. */
	if (idn_add(&name, domain) == NULL && buf_ok(&name)) {
		msg_exists_put(&packet, &(struct msg_exists){ buf_str(&name), at_all });
		ask(s, q, buf_str(&packet));
	}
	buf_free(&name);
	buf_free(&packet);
}

static struct msg_exists_result
await_exists(struct session *s, enum question q)
{
	struct msg_exists_result r;
	struct buf reply;

	buf_init(&reply, FRAME_MAX);
	if (!await(s, q, &reply) || !msg_exists_result_get(buf_str(&reply), &r))
		r = (struct msg_exists_result){ .result = EXISTS_UNKNOWN };
	buf_free(&reply);
	return r;
}

/* From now on it has its name wherever it is spoken of. */
static void
await_name(struct session *s)
{
	struct msg_iprev_result *r = &s->identity.iprev;
	struct buf reply;

	if (s->identity.asked[ASK_NAME].fd == 0)
		return;
	buf_init(&reply, FRAME_MAX);
	if (!await(s, ASK_NAME, &reply) || !msg_iprev_result_get(buf_str(&reply), r))
		*r = (struct msg_iprev_result){ IPREV_TEMPERROR, STR("") };
	r->name = arena_str(&s->client_arena, r->name);
	s->identity.named = true;
	if (r->result == IPREV_PASS && strcmp(s->named, "unknown") == 0) {
		s->named = r->name.p;
		s->client = arena_printf(&s->client_arena, "%s[%s]", s->named, s->address);
	}
	buf_free(&reply);
}

/* ---- when what is known -------------------------------------------------------------- */

void
identity_begin(struct session *s)
{
	const struct msg_iprev m = { str_c(s->address) };
	struct buf packet;

	identity_free(s);
	if (!s->conf->check.iprev.enabled || !is_stranger(s) || !dnsbl_is_public(&s->env->peer))
		return;
	buf_init(&packet, FRAME_MAX);
	msg_iprev_put(&packet, &m);
	ask(s, ASK_NAME, buf_str(&packet));
	buf_free(&packet);
}

void
identity_greeted(struct session *s)
{
	const struct conf_check_helo *k = &s->conf->check.helo;

	s->identity.knows_helo = false;
	asked_forget(&s->identity.asked[ASK_HELO]);
	if (helo_is_asked(k, s->helo) && is_stranger(s))
		ask_exists(s, ASK_HELO, s->helo, false);
}

void
identity_mail(struct session *s)
{
	const struct conf_check_sender *k = &s->conf->check.sender;
	struct str domain = s->txn.env.from.domain;

	s->identity.knows_sender = false;
	s->identity.is_ours = domain.n > 0 && conf_is_local(s->conf, domain);
	asked_forget(&s->identity.asked[ASK_SENDER]);
	if (sender_is_asked(k, domain) && !s->identity.is_ours && is_stranger(s))
		ask_exists(s, ASK_SENDER, domain, false);
}

void
identity_free(struct session *s)
{
	for (enum question q = ASK_NAME; q <= ASK_OTHER; q++)
		asked_forget(&s->identity.asked[q]);
	s->identity = (struct identity){ .named = false };
}

/* ---- refusals -------------------------------------------------------------------------- */

static struct answer
judge_name(struct session *s)
{
	const struct conf_check_iprev *k = &s->conf->check.iprev;

	if (!k->enabled || session_listed(s, &k->exempt) || !s->identity.named)
		return NOTHING;
	return answer_refusal(refusal_iprev(k, s->identity.iprev.result, s->address,
	    &s->line_arena));
}

static bool
helo_is_ours(const struct session *s)
{
	struct addr said;

	if (s->helo.n > 0 && s->helo.p[0] != '[')
		return str_ieq(s->helo, str_c(s->env->hostname)) ||
		    conf_is_local(s->conf, s->helo);
	return addr_from_literal(s->helo, 0, &said) == 0 && addr_same_host(&said, &s->env->local);
}

static struct answer
judge_helo(struct session *s)
{
	const struct conf_check_helo *k = &s->conf->check.helo;
	struct identity *i = &s->identity;

	if (!k->enabled || session_listed(s, &k->exempt))
		return NOTHING;
	if (i->asked[ASK_HELO].fd > 0) {
		i->helo = await_exists(s, ASK_HELO);
		i->knows_helo = true;
	}
	return answer_refusal(refusal_helo(k, s->helo, helo_is_ours(s),
	    i->knows_helo ? i->helo.result : EXISTS_UNKNOWN));
}

static struct answer
judge_sender(struct session *s)
{
	static const struct msg_exists_result unknown = { EXISTS_UNKNOWN, false };
	const struct conf_check_sender *k = &s->conf->check.sender;
	struct identity *i = &s->identity;

	if (!k->enabled || session_listed(s, &k->exempt))
		return NOTHING;
	if (i->asked[ASK_SENDER].fd > 0) {
		i->sender = await_exists(s, ASK_SENDER);
		i->knows_sender = true;
	}
	return answer_refusal(refusal_sender(k, i->is_ours,
	    i->knows_sender ? &i->sender : &unknown));
}

enum exists
identity_exists(struct session *s, struct str domain)
{
	ask_exists(s, ASK_OTHER, domain, true);
	return await_exists(s, ASK_OTHER).result;
}

struct answer
identity_recipient(struct session *s, const struct path *to)
{
	struct answer a;

	await_name(s);
	if (!s->conf->check.any || !is_stranger(s) || str_ieq(to->local, STR("postmaster")))
		return NOTHING;
	a = judge_name(s);
	if (a.code == 0)
		a = judge_helo(s);
	return a.code == 0 ? judge_sender(s) : a;
}
