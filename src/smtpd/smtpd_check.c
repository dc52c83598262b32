/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_check -- clients, and domains that they name, that lists in DNS have.
 *
 * A session has no way out, so it asks barid-check: about its client when it meets
 * him, about HELO and the sender at MAIL, so that the answers are there by the time
 * that they are wanted.  They say which list has what; what that comes to is decided
 * here, of all that is known.  Who may relay or logs in is not refused, and the
 * postmaster always hears of a mistake (RFC 5782 3).  Who does not answer in time
 * has nothing against the client.
 */

#include "smtpd.h"

#include <errno.h>
#include <string.h>

#include "check/dnsbl.h"
#include "ipc/msg_lists.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "mail/limits.h"

#define OF_CLIENT (1u << DNSBL_CLIENT)
#define OF_NAMES (1u << DNSBL_HELO | 1u << DNSBL_SENDER)

/* An entry for each of 64 lists, and what it views; and what is said of them. */
#define LISTS_ARENA (256u << 10)

#define NOTHING ((struct answer){ .code = 0 })

/* ---- questions ------------------------------------------------------------------- */

/* True if the client is a stranger, and some list is OF that, a set of bits. */
static bool
is_asked_about(const struct session *s, unsigned of)
{
	struct client_facts f;

	if ((s->conf->dnsbl.of & of) == 0 || s->env->check < 0 || s->local || s->submission)
		return false;
	f = session_facts(s);
	return !access_may_relay(s->conf, &f) &&
	    score_lists_suspended(s->env->score) <= clock_ms();
}

static void
ask(struct session *s, struct asked *asked, const struct msg_lists *m)
{
	struct buf packet;

	buf_init(&packet, FRAME_MAX);
	msg_lists_put(&packet, m);
	if (asked_send(asked, s->env->check, buf_str(&packet), s->conf->dnsbl.timeout) < 0)
		log_error(NULL, "barid-check cannot be asked about %s: %s", s->client,
		    strerror(errno));
	buf_free(&packet);
}

void
check_forget(struct session *s)
{
	asked_forget(&s->lists.asked);
	s->lists.client = (struct listed){ .found = NULL };
	arena_free(&s->lists.arena);
	arena_init(&s->lists.arena, LISTS_ARENA);
	check_forget_mail(s);
}

void
check_forget_mail(struct session *s)
{
	asked_forget(&s->lists.names_asked);
}

void
check_begin(struct session *s)
{
	struct msg_lists m = { .v = { { DNSBL_CLIENT, str_c(s->address) } }, .n = 1 };

	check_forget(s);
	if (dnsbl_is_public(&s->env->peer) && is_asked_about(s, OF_CLIENT))
		ask(s, &s->lists.asked, &m);
}

/* NAME is asked about where some list is OF that, and it is one of a host. */
static void
add_name(struct session *s, struct msg_lists *m, enum conf_dnsbl_of of, struct str name)
{
	struct buf host;

	buf_init(&host, MAIL_DOMAIN_MAX);
	if ((s->conf->dnsbl.of & 1u << of) != 0 && domain_add_host(&host, name)) {
		m->v[m->n].of = of;
		m->v[m->n++].what = arena_str(&s->line_arena, buf_str(&host));
	}
	buf_free(&host);
}

void
check_mail(struct session *s)
{
	struct msg_lists m;

	check_forget_mail(s);
	if (!is_asked_about(s, OF_NAMES))
		return;
	m.n = 0;
	add_name(s, &m, DNSBL_HELO, s->helo);
	/* Whom the client has named, whatever is made of that here. */
	add_name(s, &m, DNSBL_SENDER, s->txn.spf.sender.domain);
	if (m.n > 0)
		ask(s, &s->lists.names_asked, &m);
}

/* ---- answers ---------------------------------------------------------------------- */

/* A copy of FROM, or of none (NULL), in A. */
static struct dnsbl_entry *
copy_found(const struct session *s, const struct dnsbl_entry *from, struct arena *a)
{
	size_t octets = s->conf->dnsbl.list_n * sizeof(*from);
	struct dnsbl_entry *found = arena_alloc(a, octets);

	if (from != NULL)
		memcpy(found, from, octets);
	else
		memset(found, 0, octets);
	return found;
}

/* R goes into FOUND, by this session's configuration; what it views is then in A. */
static void
note(const struct session *s, const struct msg_lists_result *r, struct dnsbl_entry *found,
    struct arena *a)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct msg_lists_entry *e = &r->v[i];
		const struct dnsbl_entry mine = { arena_str(a, e->zone),
			(enum conf_dnsbl_of)e->of, arena_str(a, e->listed),
			(uint32_t)e->answer, arena_str(a, e->text) };

		if (e->of < DNSBL_OF_N)
			dnsbl_note(&s->conf->dnsbl, &mine, found);
	}
}

/* Waits for what was asked, once.  False: there is nothing in it. */
static bool
await(struct session *s, struct asked *asked, struct listed *to,
    const struct dnsbl_entry *before, struct arena *a)
{
	struct msg_lists_result r = { .n = 0 };
	struct buf reply;

	if (asked->fd == 0)
		return false;
	buf_init(&reply, FRAME_MAX);
	if (asked_await(asked, &reply) < 0 || !msg_lists_result_get(buf_str(&reply), &r)) {
		log_error(NULL, "barid-check does not say who has %s: %s", s->client,
		    strerror(errno));
		r.n = 0;
	}
	if (r.n > 0) {
		to->found = copy_found(s, before, a);
		note(s, &r, to->found, a);
	}
	buf_free(&reply);
	return r.n > 0;
}

/* What L comes to; SAID: the log has it by another line. */
static void
decide(struct session *s, struct listed *l, struct arena *a, bool said)
{
	struct dnsbl_verdict v = dnsbl_judge(&s->conf->dnsbl, &s->env->peer, l->found, a);

	if (v.why.n > 0 && !said)
		log_info(NULL, "dnsbl: %s" STR_FMT "%s", s->client, STR_ARG(v.why),
		    v.refused ? "" : "; noted");
	l->score = v.score;
	l->refusal = NOTHING;
	if (v.refused)
		l->refusal = (struct answer){ .code = v.by->refusal.code,
			.enhanced = v.by->refusal.enhanced, .text = v.text };
}

/* All that is known so far. */
static struct answer
answer(struct session *s)
{
	struct listed *client = &s->lists.client, *mail = &s->txn.listed;
	bool of_client = await(s, &s->lists.asked, client, NULL, &s->lists.arena);
	bool of_mail = await(s, &s->lists.names_asked, mail, client->found, &s->txn_arena);

	if (of_client)
		decide(s, client, &s->lists.arena, of_mail);
	if (of_mail)
		decide(s, mail, &s->txn_arena, false);
	return mail->found != NULL ? mail->refusal : client->refusal;
}

/* ---- refusals ---------------------------------------------------------------------- */

struct answer
check_banner(struct session *s)
{
	struct answer a;

	if (s->conf->dnsbl.at != DNSBL_AT_CONNECT)
		return NOTHING;
	a = answer(s);
	if (a.code == 0)
		return a;
	/* RFC 5321 3.1: a greeting is 220, 421 or 554. */
	a.code = a.code < 500 ? 421 : 554;
	a.then = THEN_CLOSE;
	return a;
}

struct answer
check_recipient(struct session *s, const struct path *to)
{
	struct client_facts f = session_facts(s);

	if (access_may_relay(s->conf, &f) || str_ieq(to->local, STR("postmaster")))
		return NOTHING;
	return answer(s);
}

int64_t
check_score(const struct session *s)
{
	return s->txn.listed.found != NULL ? s->txn.listed.score : s->lists.client.score;
}
