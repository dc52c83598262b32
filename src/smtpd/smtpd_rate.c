/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_rate -- limits of what somebody may hand in in a time.
 *
 * They are asked for what would be accepted; what is above one is refused for
 * now, and the client may come again with it.
 */

#include "smtpd.h"

#include "lib/log.h"
#include "policy/rate.h"

/* Whose limit R is, where that is not the client's whom the line names anyway. */
static void
add_whose(struct buf *b, const struct session *s, const struct conf_rate *r,
    const struct path *to)
{
	switch ((enum conf_rate_kind)r->kind) {
	case RATE_USER:
		buf_addf(b, " of %s", s->user);
		break;
	case RATE_SENDER:
	case RATE_RECIPIENT:
		buf_adds(b, " of <");
		path_add(b, r->kind == RATE_SENDER ? &s->txn.env.from : to);
		buf_addc(b, '>');
		break;
	case RATE_CLIENT:
	case RATE_ALL:
	case RATE_KINDS:
		break;
	}
}

static void
log_limit(const struct session *s, const struct conf_rate *r, const struct path *to)
{
	struct buf whose;

	buf_init(&whose, 1024);
	add_whose(&whose, s, r, to);
	log_warn(NULL, "rate limit exceeded from %s: limits.rate.%s%s, %s:%d", s->client,
	    r->name, buf_cstr(&whose), r->place.file, r->place.line);
	buf_free(&whose);
}

struct answer
smtpd_rate(struct session *s, const struct path *to)
{
	const struct rate_facts f = { .peer = &s->env->peer,
		.user = str_c(s->user), .from = &s->txn.env.from };
	const struct conf_rate *r;

	if (s->local || s->conf->limits.rate_n == 0)
		return (struct answer){ .code = 0 };
	r = to != NULL ? rate_recipient(s->conf, s->env->score, &f, to) :
			 rate_message(s->conf, s->env->score, &f);
	if (r == NULL)
		return (struct answer){ .code = 0 };
	session_count(s, COUNT_RATE_LIMITED);
	log_limit(s, r, to);
	return to != NULL ? ANSWER(450, "4.7.1", "Too many recipients, come "
						 "again later") :
			    ANSWER(450, "4.7.1", "Too much mail, come again "
						 "later");
}
