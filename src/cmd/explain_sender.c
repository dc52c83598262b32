/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain_sender -- how much mail may be handed in: the limits of a client, a
 * user, a sender, a recipient and of all, and the quota of who has logged in.
 *
 * What is counted of the first is in the memory of the barid that runs, under
 * keys that only it knows; of quotas it is said.
 */

#include "explain.h"

#include "lib/clock.h"
#include "policy/quota.h"

static void
say_rate(struct explain *x, const struct conf_rate *r, uint64_t n, const void *field,
    const char *what)
{
	static const char *const whose[RATE_KINDS] = { [RATE_CLIENT] = "from one client",
		[RATE_USER] = "from who has logged in", [RATE_SENDER] = "from one sender",
		[RATE_RECIPIENT] = "for one recipient", [RATE_ALL] = "from all together" };

	if (n > 0)
		explain_say(x, "rate", conf_where(x->conf, field, r->place),
		    "%llu %s in %lld s at most, %s", (unsigned long long)n, what,
		    (long long)r->per / 1000, whose[r->kind]);
}

static void
say_quota(struct explain *x, const struct conf_account *a)
{
	struct quotas *q = cmd_quotas(x->conf);
	struct quota_use u = { .used = 0 };
	bool known = q != NULL;

	if (known)
		(void)quotas_find(q, x->facts.user, clock_wall(), &u);
	explain_say(x, "quota", a->place, "%llu recipients elsewhere in %lld s at most",
	    (unsigned long long)a->quota, (long long)a->quota_per / 1000);
	if (known && u.used >= a->quota)
		explain_say(x, "quota", a->place, "it is used up: refused for %lld s",
		    (long long)(u.until - clock_wall()));
	else if (known)
		explain_say(x, "quota", a->place, "%llu of them are used",
		    (unsigned long long)u.used);
	quotas_free(q);
}

void
explain_sender(struct explain *x, const struct path *p)
{
	const struct conf_limits *l = &x->conf->limits;
	const struct conf_account *a = quota_of(x->conf, x->facts.user);

	for (size_t i = 0; i < l->rate_n; i++) {
		const struct conf_rate *r = &l->rates[i];

		if (r->kind == RATE_USER && x->facts.user.n == 0)
			continue;
		say_rate(x, r, r->messages, &r->messages, "messages");
		say_rate(x, r, r->recipients, &r->recipients, "recipients");
	}
	if (a != NULL && !conf_is_local(x->conf, p->domain))
		say_quota(x, a);
}
