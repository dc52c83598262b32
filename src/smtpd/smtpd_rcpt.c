/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_rcpt -- RCPT: one recipient, answered for itself.
 *
 * Whether it is taken is policy's to say.  What is refused leaves nothing
 * behind, so that a client that tries a million names costs no memory; the
 * same address twice is one recipient.
 */

#include "smtpd.h"

#include "mail/limits.h"
#include "policy/recipient.h"

#define FIRST_RCPTS 8

/* RFC 3461 4.2: addr-type ";" xtext. */
static bool
orcpt_valid(struct str value)
{
	struct str type, address;

	if (value.n > DSN_ORCPT_MAX ||
	    !str_cut(value, ';', &type, &address) || type.n == 0 ||
	    address.n == 0)
		return false;
	for (size_t i = 0; i < type.n; i++) {
		char c = type.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return xtext_printable(address);
}

static struct answer
take_param(const struct param *p, struct envelope_rcpt *rcpt)
{
	if (str_ieq(p->key, STR("NOTIFY"))) {
		if (rcpt->notify != 0)
			return ANSWER(501, "5.5.4", "NOTIFY is doubled");
		rcpt->notify = notify_parse(p->value);
		if (rcpt->notify == 0)
			return ANSWER(501, "5.5.4",
			    "NOTIFY is not well formed");
	} else if (str_ieq(p->key, STR("ORCPT"))) {
		if (rcpt->orcpt.n > 0)
			return ANSWER(501, "5.5.4", "ORCPT is doubled");
		if (!orcpt_valid(p->value))
			return ANSWER(501, "5.5.4",
			    "ORCPT is not well formed");
		rcpt->orcpt = p->value;
	} else {
		return ANSWER(555, "5.5.4", "A parameter is not supported");
	}
	return (struct answer){ .code = 0 };
}

static struct answer
take_params(const struct session *s, struct str rest,
    struct envelope_rcpt *rcpt)
{
	struct param p;
	int r;

	while ((r = param_next(&rest, &p)) == 1) {
		struct answer a = s->esmtp ? take_param(&p, rcpt) :
		    ANSWER(555, "5.5.4", "Parameters need EHLO");

		if (a.code != 0)
			return a;
	}
	if (r < 0)
		return ANSWER(501, "5.5.4", "A parameter is not well formed");
	return (struct answer){ .code = 0 };
}

/* Parses the command into RCPT, which views the line and the line's arena. */
static struct answer
parse(struct session *s, const struct command *c, struct envelope_rcpt *rcpt)
{
	unsigned flags = PATH_POSTMASTER;
	struct str rest;
	const char *why;

	if (!str_istarts(c->arg, STR("TO:")))
		return ANSWER(501, "5.5.4", "RCPT TO:<address>, please");
	if (!str_is_utf8(c->arg))
		return ANSWER(501, "5.5.2", "This is not UTF-8");
	if (str_has_8bit(c->arg))
		return ANSWER(553, "5.6.7", "Addresses in UTF-8 are not taken");
	if (s->conf->addresses == ADDRESSES_LOOSE)
		flags |= PATH_LOOSE;
	rest = str_trim(str_skip(c->arg, 3));
	why = path_parse(rest, flags, &s->line_arena, &rcpt->path, &rest);
	if (why != NULL)
		return (struct answer){ .code = 501, .enhanced = "5.1.3",
			.text = str_c(why) };
	return take_params(s, rest, rcpt);
}

static struct answer
verdict(const struct session *s, const struct path *p)
{
	struct client_facts f = { .peer = s->env->peer,
		.authenticated = s->user[0] != '\0' || s->local,
		.submission = s->submission };
	struct mail_facts m = { .from = s->txn.env.from,
		.user = str_c(s->user),
		.listener = str_c(s->env->listen != NULL ?
				s->env->listen->name : "") };
	struct rcpt_verdict v = rcpt_verdict(s->conf, s->env->users, &f, &m, p);

	return (struct answer){ .code = v.code, .enhanced = v.enhanced,
		.text = str_c(v.text) };
}

static uint64_t
path_hash(const struct path *p)
{
	return str_hash(p->local) ^ (str_ihash(p->domain) * 31);
}

static bool
is_known(const struct txn *t, const struct path *p, uint64_t hash)
{
	for (size_t i = 0; i < t->env.rcpt_n; i++)
		if (t->rcpt_hashes[i] == hash &&
		    path_eq(&t->env.rcpts[i].path, p))
			return true;
	return false;
}

/* Room for one more; what it grows out of stays in the arena until the end. */
static void
make_room(struct session *s)
{
	struct txn *t = &s->txn;
	size_t n = t->env.rcpt_n;
	size_t size = t->rcpt_size > 0 ? 2 * t->rcpt_size : FIRST_RCPTS;
	struct envelope_rcpt *rcpts;
	uint64_t *hashes;

	if (n < t->rcpt_size)
		return;
	rcpts = arena_alloc(&s->txn_arena, size * sizeof(*rcpts));
	hashes = arena_alloc(&s->txn_arena, size * sizeof(*hashes));
	if (n > 0) {
		memcpy(rcpts, t->env.rcpts, n * sizeof(*rcpts));
		memcpy(hashes, t->rcpt_hashes, n * sizeof(*hashes));
	}
	t->env.rcpts = rcpts;
	t->rcpt_hashes = hashes;
	t->rcpt_size = size;
}

static void
add(struct session *s, const struct envelope_rcpt *rcpt)
{
	struct txn *t = &s->txn;
	uint64_t hash = path_hash(&rcpt->path);
	struct envelope_rcpt *kept;

	if (is_known(t, &rcpt->path, hash))
		return;
	make_room(s);
	t->rcpt_hashes[t->env.rcpt_n] = hash;
	kept = &t->env.rcpts[t->env.rcpt_n++];
	*kept = *rcpt;
	kept->state = RCPT_QUEUED;
	kept->path = path_copy(&s->txn_arena, &rcpt->path);
	kept->orcpt = arena_str(&s->txn_arena, rcpt->orcpt);
}

struct answer
smtpd_rcpt(struct session *s, const struct command *c)
{
	struct envelope_rcpt rcpt = { .orcpt = STR("") };
	struct txn *t = &s->txn;
	struct answer a = parse(s, c, &rcpt);
	bool parsed = a.code == 0;

	if (parsed)
		a = verdict(s, &rcpt.path);
	/* RFC 5321 4.5.3.1.10: 452, and those that were taken stay. */
	if (a.code == 250 && t->env.rcpt_n >= s->conf->limits.recipients)
		a = ANSWER(452, "4.5.3", "Too many recipients");
	if (a.code != 250) {
		t->rejected++;
		session_count(s, COUNT_RCPT_REJECTED);
		log_reject(s, "RCPT", &a, &t->env.from,
		    parsed ? &rcpt.path : NULL);
		return a;
	}
	add(s, &rcpt);
	if (s->state != S_RCPT)
		session_enter(s, S_RCPT);
	return a;
}
