/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_grey -- recipients whose sender is to come again (RFC 6647).
 *
 * Only what would be taken is asked about, of strangers alone, and, unless the
 * configuration says otherwise, of those that something speaks against: by now
 * the other checks have found what they find.  A sender whose
 * domain vouches for the client by SPF may come again from another host of
 * theirs; else from the same network.  Reports have no sender, and often nobody
 * who tries again: they come in.
 */

#include "smtpd.h"

#include <errno.h>

#include "check/greylist.h"
#include "ipc/channel.h"
#include "ipc/msg_grey.h"
#include "lib/clock.h"
#include "lib/log.h"

/* Nobody waits for DNS here. */
#define WAIT_MS 2000

static bool
is_asked_about(const struct session *s, const struct path *to)
{
	const struct conf_greylist *g = &s->conf->greylist;
	struct client_facts f = session_facts(s);

	return g->enabled && s->env->check >= 0 && !s->local && !s->submission &&
	    addr_octets(&s->env->peer) != NULL && !path_is_null(&s->txn.env.from) &&
	    !access_may_relay(s->conf, &f) && !session_listed(s, &g->exempt) &&
	    !str_ieq(to->local, STR("postmaster"));
}

static struct greylist_facts
facts_of(struct session *s)
{
	const struct spf_result *spf = spf_result(s);
	const struct identity *i = &s->identity;

	return (struct greylist_facts){ .score = check_score(s),
		.name = i->named && !session_listed(s, &s->conf->check.iprev.exempt) ?
		    i->iprev.result : IPREV_PASS,
		.helo = i->knows_helo ? i->helo.result : EXISTS_YES,
		.sender = i->knows_sender ? i->sender.result : EXISTS_YES,
		.spf = spf->checked ? spf->from.code : SPF_NONE };
}

/* Who is held responsible for the message. */
static struct str
client_of(struct session *s)
{
	const struct spf_result *spf = spf_result(s);
	struct str client;
	struct buf b;

	if (spf->checked && spf->from.code == SPF_PASS)
		return spf->from.domain;
	buf_init(&b, 128);
	greylist_client_add(&b, &s->env->peer);
	client = arena_str(&s->line_arena, buf_str(&b));
	buf_free(&b);
	return client;
}

/* How long, in seconds; who cannot be asked lets it in. */
static uint64_t
ask(struct session *s, const struct path *to)
{
	struct msg_grey m = { client_of(s), path_str(&s->line_arena, &s->txn.env.from),
		path_str(&s->line_arena, to) };
	struct msg_grey_result r = { 0 };
	struct buf packet, reply;

	buf_init(&packet, FRAME_MAX);
	buf_init(&reply, FRAME_MAX);
	msg_grey_put(&packet, &m);
	if (channel_call(s->env->check, buf_str(&packet), clock_ms() + WAIT_MS, &reply) < 0 ||
	    !msg_grey_result_get(buf_str(&reply), &r)) {
		log_error(NULL, "barid-check does not say whether it knows a sender: %s",
		    strerror(errno));
		r.wait = 0;
	}
	buf_free(&reply);
	buf_free(&packet);
	return r.wait;
}

struct answer
smtpd_grey(struct session *s, const struct path *to)
{
	struct greylist_facts f;
	const char *why;
	uint64_t wait;

	if (!is_asked_about(s, to))
		return (struct answer){ .code = 0 };
	f = facts_of(s);
	why = greylist_reason(s->conf, &f);
	wait = why != NULL ? ask(s, to) : 0;
	if (wait == 0)
		return (struct answer){ .code = 0 };
	log_debug(NULL, "%s is to come again: %s", s->client, why);
	return (struct answer){ .code = 451, .enhanced = "4.7.1",
		.text = str_c(arena_printf(&s->line_arena,
		    "Greylisted: come again in %llu seconds", (unsigned long long)wait)) };
}
