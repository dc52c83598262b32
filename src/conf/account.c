/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * account -- the sections about users: which of them one is for, and which
 * addresses it gives them; and the limits of what somebody hands in.
 */

#include "private.h"

/* A pattern that is none fits nobody, and is complained about. */
static struct pattern
read(struct arena *a, const char *text,
    const char *(*as)(struct arena *a, struct str text, struct pattern *p))
{
	struct pattern p;

	if (as(a, str_c(text), &p) != NULL)
		p = (struct pattern){ .kind = PATTERN_NULL };
	return p;
}

/* What the title of a section says, of which there are only these. */
static void
finish_rates(struct conf_limits *l)
{
	static const char *const names[RATE_KINDS] = { "client", "user", "sender",
		"recipient", "all" };

	for (size_t i = 0; i < l->rate_n; i++)
		for (int kind = 0; kind < RATE_KINDS; kind++)
			if (strcmp(l->rates[i].name, names[kind]) == 0)
				l->rates[i].kind = kind;
}

void
conf_account_finish(struct conf *c)
{
	finish_rates(&c->limits);
	for (size_t i = 0; i < c->account_n; i++) {
		struct conf_account *a = &c->accounts[i];
		size_t n = a->senders.n;

		a->user = read(&c->arena, a->pattern, pattern_name);
		a->addresses = (struct conf_patterns){ .n = n,
			.v = arena_alloc(&c->arena, (n + 1) * sizeof(*a->addresses.v)) };
		for (size_t k = 0; k < n; k++)
			a->addresses.v[k] = read(&c->arena, a->senders.v[k], pattern_address);
	}
}

void
conf_account_check(struct conf *c, struct buf *error)
{
	struct pattern p;

	for (size_t i = 0; i < c->limits.rate_n; i++) {
		const struct conf_rate *r = &c->limits.rates[i];

		if (r->kind == RATE_RECIPIENT && r->recipients > 0)
			conf_complain(error, conf_where(c, &r->recipients, r->place),
			    "limits.rate.recipient.recipients: a recipient gets "
			    "messages, expected messages = %llu",
			    (unsigned long long)r->recipients);
		if (conf_place_get(c, &r->messages) == NULL &&
		    conf_place_get(c, &r->recipients) == NULL)
			conf_complain(error, r->place,
			    "limits.rate.%s: it limits nothing, expected messages or recipients",
			    r->name);
	}
	for (size_t i = 0; i < c->account_n; i++) {
		const struct conf_account *a = &c->accounts[i];
		const char *why = pattern_name(&c->arena, str_c(a->pattern), &p);

		if (why != NULL)
			conf_complain(error, a->place, "account: \"%s\" is no pattern, %s",
			    a->pattern, why);
		for (size_t k = 0; k < a->senders.n; k++) {
			why = pattern_address(&c->arena, str_c(a->senders.v[k]), &p);
			if (why != NULL)
				conf_complain(error, conf_where(c, &a->senders.v[k],
				    conf_where(c, &a->senders, a->place)),
				    "account.%s.senders: \"%s\" is no pattern, %s",
				    a->pattern, a->senders.v[k], why);
		}
	}
}
