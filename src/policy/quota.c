/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * quota -- how much mail an account may send elsewhere in a time.
 *
 * A stolen password is what this is for, and so who owns the account is told
 * before it bites and when it does; the postmaster is told when it does.
 */

#include "policy/quota.h"

#include "mail/date.h"

const struct conf_account *
quota_of(const struct conf *c, struct str user)
{
	for (size_t i = 0; user.n > 0 && i < c->account_n; i++)
		if (c->accounts[i].quota > 0 && pattern_fits(&c->accounts[i].user, user, STR("")))
			return &c->accounts[i];
	return NULL;
}

bool
quota_is_used(const struct conf *c)
{
	for (size_t i = 0; i < c->account_n; i++)
		if (c->accounts[i].quota > 0)
			return true;
	return false;
}

struct quota_limit
quota_limit(const struct conf_account *a)
{
	struct quota_limit l = { .most = a->quota, .per = a->quota_per / 1000 };

	/* What is warned of is reached before it is spent. */
	l.warning = (a->quota * a->quota_warning + 99) / 100;
	return l;
}

void
quota_add_owner(const struct conf *c, struct str user, struct buf *b)
{
	struct path p = { .local = user };

	if (str_find(user, '@') >= 0) {
		buf_add(b, user);
		return;
	}
	p.domain = str_c(c->domains.n > 0 ? c->domains.v[0] : c->hostname);
	path_add(b, &p);
}

static void
add_span(struct buf *b, int64_t seconds)
{
	if (seconds % 86400 == 0)
		buf_addf(b, "%lld d", (long long)seconds / 86400);
	else if (seconds % 3600 == 0)
		buf_addf(b, "%lld h", (long long)seconds / 3600);
	else
		buf_addf(b, "%lld min", (long long)(seconds + 59) / 60);
}

void
quota_notice_add(const struct conf *c, const struct conf_account *a,
    const struct quota_use *u, struct str user, struct buf *b)
{
	buf_addf(b, "Subject: %s\r\n\r\n", u->bitten ?
	    "Your quota of outgoing mail is used up" :
	    "Your quota of outgoing mail is nearly used up");
	buf_addf(b, "This is the mail system at %s.\r\n\r\n", c->hostname);
	buf_addf(b, "The account " STR_FMT " has sent mail to %llu recipients elsewhere, "
	    "of %llu\r\nthat it may send to in ", STR_ARG(user),
	    (unsigned long long)u->used, (unsigned long long)a->quota);
	add_span(b, a->quota_per / 1000);
	buf_adds(b, ".\r\n\r\n");
	buf_adds(b, u->bitten ? "More is refused until " :
	    "What is above that will be refused until ");
	date_add(b, u->until);
	buf_adds(b, ".\r\n\r\n"
	    "If it was not you who sent that, somebody else knows your password:\r\n"
	    "change it, and tell the postmaster.\r\n");
}
