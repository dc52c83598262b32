/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_check -- clients that lists in DNS have.
 *
 * A session has no way out, so it asks barid-check: when it meets its client,
 * so that the answer is there by the time that it is wanted.  Who may relay or
 * logs in is not refused, and the postmaster always hears of a mistake (RFC
 * 5782 3).  Who does not answer in time has nothing against the client.
 */

#include "smtpd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "check/dnsbl.h"
#include "ipc/channel.h"
#include "ipc/msg_check.h"
#include "lib/clock.h"
#include "lib/log.h"

static bool
is_asked_about(const struct session *s)
{
	struct client_facts f = session_facts(s);

	return s->conf->dnsbl.list_n > 0 && s->env->check >= 0 && !s->local &&
	    !s->submission && dnsbl_is_public(&s->env->peer) &&
	    !access_may_relay(s->conf, &f) &&
	    score_lists_suspended(s->env->score) <= clock_ms();
}

void
check_forget(struct session *s)
{
	asked_forget(&s->lists.asked);
	s->lists.refusal = (struct answer){ .code = 0 };
}

void
check_begin(struct session *s)
{
	const struct msg_client m = { str_c(s->address) };
	struct buf packet;

	check_forget(s);
	if (!is_asked_about(s))
		return;
	buf_init(&packet, FRAME_MAX);
	msg_client_put(&packet, &m);
	if (asked_send(&s->lists.asked, s->env->check, buf_str(&packet),
		s->conf->dnsbl.timeout) < 0)
		log_error(NULL, "barid-check cannot be asked about %s: %s", s->client,
		    strerror(errno));
	buf_free(&packet);
}

static void
take(struct session *s, const struct msg_client_result *r)
{
	if (r->why.n > 0)
		log_info(NULL, "dnsbl: %s is listed: " STR_FMT "%s", s->client,
		    STR_ARG(r->why), r->refused ? "" : "; noted");
	if (!r->refused)
		return;
	s->lists.refusal = (struct answer){ .code = (int)r->code,
		.enhanced = arena_cstr(&s->arena, r->enhanced),
		.text = arena_str(&s->arena, r->text) };
}

/* Waits for what was asked, once. */
static void
await(struct session *s)
{
	struct msg_client_result r;
	struct buf reply;

	if (s->lists.asked.fd == 0)
		return;
	buf_init(&reply, FRAME_MAX);
	if (asked_await(&s->lists.asked, &reply) == 0 &&
	    msg_client_result_get(buf_str(&reply), &r))
		take(s, &r);
	else
		log_error(NULL, "barid-check does not say who has %s: %s", s->client,
		    strerror(errno));
	buf_free(&reply);
}

struct answer
check_banner(struct session *s)
{
	if (s->conf->dnsbl.at != DNSBL_AT_CONNECT)
		return (struct answer){ .code = 0 };
	await(s);
	if (s->lists.refusal.code == 0)
		return s->lists.refusal;
	/* RFC 5321 3.1: a greeting is 220, 421 or 554. */
	s->lists.refusal.code = s->lists.refusal.code < 500 ? 421 : 554;
	s->lists.refusal.then = THEN_CLOSE;
	return s->lists.refusal;
}

struct answer
check_recipient(struct session *s, const struct path *to)
{
	struct client_facts f = session_facts(s);

	if (access_may_relay(s->conf, &f) || str_ieq(to->local, STR("postmaster")))
		return (struct answer){ .code = 0 };
	await(s);
	return s->lists.refusal;
}
