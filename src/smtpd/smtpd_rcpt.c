/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_rcpt -- RCPT: one recipient, answered for itself.
 *
 * Whether it is taken is policy's to say.  What is refused leaves nothing
 * behind, so that a client that tries a million names costs no memory; the
 * same address twice is one recipient.
 */

#include "smtpd_params.h"

#include "mail/limits.h"
#include "policy/guess.h"
#include "policy/recipient.h"

#define FIRST_RCPTS 8

/*
 * RFC 3461 4.2: addr-type ";" xtext.  RFC 6533 3: with SMTPUTF8 a "utf-8"
 * address may stand there in UTF-8; what escapes are in it is not ours to
 * undo.
 */
static bool
orcpt_valid(struct str value, bool utf8)
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
	if (str_ieq(type, STR("utf-8")) && str_has_8bit(address))
		return utf8 && str_is_utf8(address);
	return xtext_printable(address);
}

static struct answer
param_notify(struct session *s, void *of, struct str value)
{
	struct envelope_rcpt *rcpt = of;

	(void)s;
	rcpt->notify = notify_parse(value);
	if (rcpt->notify == 0)
		return ANSWER(501, "5.5.4", "NOTIFY is not well formed");
	return (struct answer){ .code = 0 };
}

static struct answer
param_orcpt(struct session *s, void *of, struct str value)
{
	struct envelope_rcpt *rcpt = of;

	if (!orcpt_valid(value, s->txn.env.smtputf8))
		return ANSWER(501, "5.5.4", "ORCPT is not well formed");
	rcpt->orcpt = value;
	return (struct answer){ .code = 0 };
}

static const struct param_rule rules[] = {
	{ "NOTIFY", false, param_notify },
	{ "ORCPT", false, param_orcpt },
};

static const struct path_form form = { .word = "TO:",
	.usage = "RCPT TO:<address>, please", .enhanced = "5.1.3",
	.flags = PATH_POSTMASTER, .rules = rules,
	.rule_n = ARRAY_LEN(rules) };

/* Parses the command into RCPT, which views the line and the line's arena. */
static struct answer
parse(struct session *s, const struct command *c, struct envelope_rcpt *rcpt)
{
	struct str rest = STR("");
	struct answer a = params_path(s, c, &form, &s->line_arena,
	    &rcpt->path, &rest);

	if (a.code == 0)
		a = params_utf8(s, s->txn.env.smtputf8, &form,
		    &s->line_arena, &rcpt->path);
	return a.code == 0 ? params_take(s, rest, &form, rcpt) : a;
}

struct mail_facts
rcpt_facts(struct session *s, struct path from)
{
	return (struct mail_facts){ .arena = &s->row_arena, .from = from,
		.user = str_c(s->user),
		.listener = str_c(s->env->listen != NULL ?
				s->env->listen->name : "") };
}

struct answer
rcpt_answer(struct session *s, const struct path *p)
{
	struct client_facts f = session_facts(s);
	struct mail_facts m = rcpt_facts(s, s->txn.env.from);
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

/* How long a refusal waits: who tries names does it slowly. */
static int64_t
tarpit(const struct session *s, const struct answer *a)
{
	bool unknown = strcmp(a->enhanced, "5.1.1") == 0;

	return unknown ? guess_recipient(s->conf, s->env->score, &s->env->peer) : 0;
}

uint64_t
smtpd_rcpts_max(const struct session *s)
{
	uint64_t n = s->conf->limits.recipients;

	return n < ENVELOPE_RCPT_MAX ? n : ENVELOPE_RCPT_MAX;
}

struct answer
smtpd_rcpt(struct session *s, const struct command *c)
{
	struct envelope_rcpt rcpt = { .orcpt = STR("") };
	struct txn *t = &s->txn;
	struct answer a = parse(s, c, &rcpt), limited = { .code = 0 };
	bool parsed = a.code == 0;

	if (parsed) {
		remap_envelope(s, REWRITE_ENVELOPE_RECIPIENT, &s->line_arena,
		    &rcpt.path);
		a = check_recipient(s, &rcpt.path);
		if (a.code == 0)
			a = identity_recipient(s, &rcpt.path);
		if (a.code == 0)
			a = spf_recipient(s, &rcpt.path);
		if (a.code == 0)
			a = smtpd_verify(s, rcpt_answer(s, &rcpt.path), &rcpt.path);
	}
	/* RFC 5321 4.5.3.1.10: 452, and those that were taken stay. */
	if (a.code == 250 && t->env.rcpt_n >= smtpd_rcpts_max(s))
		a = ANSWER(452, "4.5.3", "Too many recipients");
	if (a.code == 250 && !is_known(t, &rcpt.path, path_hash(&rcpt.path)))
		limited = smtpd_rate(s, &rcpt.path);
	if (a.code == 250 && limited.code == 0 && !is_known(t, &rcpt.path, path_hash(&rcpt.path)))
		limited = smtpd_quota(s, &rcpt.path);
	if (a.code == 250 && limited.code == 0)
		limited = smtpd_grey(s, &rcpt.path);
	if (a.code == 250 && limited.code == 0)
		limited = smtpd_room(s, &rcpt.path);
	if (limited.code != 0)
		a = limited;
	if (a.code != 250) {
		t->rejected++;
		session_count(s, COUNT_RCPT_REJECTED);
		if (a.code == 550 && s->user[0] == '\0')
			session_delay(s, tarpit(s, &a));
		log_reject(s, "RCPT", &a, &t->env.from,
		    parsed ? &rcpt.path : NULL);
		return a;
	}
	add(s, &rcpt);
	if (s->state != S_RCPT)
		session_enter(s, S_RCPT);
	return a;
}
