/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_quota -- what an account may send elsewhere in a time.
 *
 * It is counted for recipients that would be accepted; mail that stays here
 * is free.  A notice that cannot be written is left out: the log has it.
 */

#include "smtpd.h"

#include <errno.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "mail/date.h"
#include "mail/report.h"
#include "policy/quota.h"

#define NOTICE_MAX 8192

/* Adds the fields of a message from us to TO. */
static void
add_header(const struct session *s, const char *id, struct str to, struct buf *b)
{
	buf_addf(b, "From: Mail Delivery System <MAILER-DAEMON@%s>\r\nTo: <" STR_FMT ">\r\n",
	    s->env->hostname, STR_ARG(to));
	buf_adds(b, "Date: ");
	date_add(b, clock_wall());
	buf_addf(b, "\r\nMessage-ID: <%s@%s>\r\n", id, s->env->hostname);
	/* RFC 3834 5: nobody is to answer. */
	buf_adds(b, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n");
}

/* The envelope of it; false: TO is no address. */
static bool
address(struct session *s, struct str to, struct envelope *e)
{
	struct envelope_rcpt *r = arena_alloc(&s->txn_arena, sizeof(*r));

	if (to.n == 0 || path_parse_addr(to, 0, &s->txn_arena, &r->path) != NULL)
		return false;
	r->orcpt = STR("");
	r->of = STR("");
	r->state = RCPT_QUEUED;
	r->notify = NOTIFY_NEVER;
	e->rcpts = r;
	e->rcpt_n = 1;
	return true;
}

/* Sends TO what TEXT says.  Nobody is told of a failure but the log. */
static void
post(struct session *s, struct str to, struct str text)
{
	struct envelope e = { .arrival_us = clock_wall_us(), .client = STR("barid"),
		.proto = STR("NOTICE"), .body = BODY_8BITMIME };
	struct buf b;
	int stored = -1;

	if (s->env->queue == NULL || !address(s, to, &e))
		return;
	queue_id_new(e.id);
	buf_init(&b, NOTICE_MAX);
	add_header(s, e.id, to, &b);
	buf_add(&b, text);
	errno = EMSGSIZE;
	if (buf_ok(&b))
		stored = queue_put(s->env->queue, &e, s->env->to_drop, buf_str(&b));
	if (stored < 0)
		log_error(NULL, "the notice for " STR_FMT " cannot be stored: %s", STR_ARG(to),
		    strerror(errno));
	else
		store_hint(s, e.id);
	buf_free(&b);
}

static void
notify(struct session *s, const struct conf_account *a, const struct quota_use *u)
{
	struct str user = str_c(s->user);
	struct buf owner, text;

	buf_init(&owner, 512);
	buf_init(&text, NOTICE_MAX);
	quota_add_owner(s->conf, user, &owner);
	quota_notice_add(s->conf, a, u, user, &text);
	post(s, buf_str(&owner), buf_str(&text));
	if (u->bitten && !str_ieq(buf_str(&owner), str_c(s->conf->postmaster)))
		post(s, str_c(s->conf->postmaster), buf_str(&text));
	buf_free(&owner);
	buf_free(&text);
}

struct answer
smtpd_quota(struct session *s, const struct path *to)
{
	const struct conf_account *a = s->env->quotas != NULL && !s->local ?
	    quota_of(s->conf, str_c(s->user)) : NULL;
	enum quota_verdict v;
	struct quota_limit l;
	struct quota_use u;

	/* <postmaster> has no domain, and is ours. */
	if (a == NULL || to->domain.n == 0 || conf_is_local(s->conf, to->domain))
		return (struct answer){ .code = 0 };
	l = quota_limit(a);
	v = quotas_take(s->env->quotas, str_c(s->user), &l, clock_wall(), &u);
	if (v == QUOTA_FREE)
		return (struct answer){ .code = 0 };
	if (v != QUOTA_SPENT) {
		log_warn(NULL, "quota of %s: %llu of %llu recipients are used%s: account.%s, %s:%d",
		    s->user, (unsigned long long)u.used, (unsigned long long)a->quota,
		    u.bitten ? ", more are refused" : "", a->pattern, a->place.file, a->place.line);
		notify(s, a, &u);
	}
	if (v == QUOTA_NEAR)
		return (struct answer){ .code = 0 };
	session_count(s, COUNT_RATE_LIMITED);
	if (a->quota_reject)
		return ANSWER(550, "5.7.1", "Your quota of outgoing mail is used up");
	return ANSWER(450, "4.7.1", "Your quota of outgoing mail is used up, come again later");
}
