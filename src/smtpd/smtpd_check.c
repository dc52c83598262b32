/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_check -- clients, and domains that they name, that lists in DNS have.
 *
 * A session has no way out, so it asks barid-check: about its client when it meets
 * him, about HELO and the sender at MAIL, about the hosts of URLs when it has the
 * text, so that the answers are there by the time that they are wanted.  They say
 * which list has what; what that comes to is decided here, of all that is known.
 * Who may relay or logs in is not refused, and the postmaster always hears of a
 * mistake (RFC 5782 3).  Who does not answer in time has nothing against the client.
 */

#include "smtpd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "check/dnsbl.h"
#include "ipc/msg_lists.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "mail/limits.h"
#include "mail/urls.h"
#include "queue/prefix.h"

#define OF_CLIENT (1u << DNSBL_CLIENT)
#define OF_URLS (1u << DNSBL_URL)
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
	struct msg_lists m;

	check_forget(s);
	if (!is_asked_about(s, OF_CLIENT) || !dnsbl_is_public(&s->env->peer))
		return;
	m.n = 1;
	m.v[0].of = DNSBL_CLIENT;
	m.v[0].what = str_c(s->address);
	ask(s, &s->lists.asked, &m);
}

/* NAME is asked about where some list is OF that, and it is one of a host. */
static void
add_name(struct session *s, struct msg_lists *m, enum conf_dnsbl_of of, struct str name)
{
	struct buf host;

	buf_init(&host, DNS_NAME_MAX);
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

/* ---- the text ---------------------------------------------------------------------- */

/* The hosts in the first octets of the text of M.  -1: errno. */
static int
find_urls(struct session *s, struct queue_msg *m, struct urls *u)
{
	size_t n = queue_size(m) < URLS_TEXT_MAX ? (size_t)queue_size(m) : URLS_TEXT_MAX;
	off_t at;
	int fd = queue_show(m, &at);
	struct buf text;
	bool ok;

	if (fd < 0)
		return -1;
	buf_init(&text, URLS_TEXT_MAX + 65536);
	ok = text_read(fd, at, n, &text);
	close(fd);
	if (ok)
		urls_find(u, buf_str(&text), &s->line_arena);
	buf_free(&text);
	return ok ? 0 : -1;
}

struct answer
check_urls_ask(struct session *s, struct queue_msg *m)
{
	struct urls u;
	struct msg_lists q;

	u.n = 0;
	if (!is_asked_about(s, OF_URLS) || text_is_for_desk(s))
		return NOTHING;
	if (find_urls(s, m, &u) < 0)
		return store_failed(s, "queue_show");
	for (q.n = 0; q.n < u.n; q.n++) {
		q.v[q.n].of = DNSBL_URL;
		q.v[q.n].what = u.host[q.n];
	}
	if (q.n > 0)
		ask(s, &s->lists.names_asked, &q);
	return NOTHING;
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

/* True if FOUND has something that was not there BEFORE. */
static bool
is_more(const struct session *s, const struct dnsbl_entry *found,
    const struct dnsbl_entry *before)
{
	for (size_t i = 0; i < s->conf->dnsbl.list_n; i++)
		if (found[i].answer != 0 && (before == NULL || before[i].answer == 0))
			return true;
	return false;
}

/* Waits for what was asked, once.  True: TO has more than BEFORE. */
static bool
await(struct session *s, struct asked *asked, struct listed *to,
    const struct dnsbl_entry *before, struct arena *a)
{
	struct msg_lists_result r;
	struct dnsbl_entry *found;
	bool more = false;
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
		found = copy_found(s, before, a);
		note(s, &r, found, a);
		more = is_more(s, found, before);
	}
	if (more)
		to->found = found;
	buf_free(&reply);
	return more;
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
	bool of_mail = await(s, &s->lists.names_asked, mail,
	    mail->found != NULL ? mail->found : client->found, &s->txn_arena);

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

struct answer
check_urls(struct session *s)
{
	return is_asked_about(s, OF_URLS) && !text_is_for_desk(s) ? answer(s) : NOTHING;
}

int64_t
check_score(const struct session *s)
{
	return s->txn.listed.found != NULL ? s->txn.listed.score : s->lists.client.score;
}
