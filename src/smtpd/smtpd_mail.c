/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_mail -- MAIL: who sends, and what is said of the message before it.
 *
 * What is kept of ENVID and AUTH is their xtext as it came: it is put out the
 * same.  The address is looked at once more when all parameters are known,
 * since one of them says in which alphabet it may be.
 */

#include "smtpd_params.h"

#include <errno.h>

#include "lib/clock.h"
#include "mail/limits.h"
#include "mail/text.h"
#include "policy/recipient.h"
#include "policy/sender.h"

#define NOTHING ((struct answer){ .code = 0 })

/* The disk is asked at most this often, but for large messages each time. */
#define SPACE_MS 1000
#define SPACE_LARGE (1u << 20)

/* RFC 1870 4: a number too large for us is a message too large for us. */
static struct answer
param_size(struct session *s, void *of, struct str value)
{
	uint64_t limit = s->conf->limits.message_size;
	uint64_t n = UINT64_MAX;

	(void)of;
	errno = 0;
	if (str_u64(value, UINT64_MAX, &n) < 0 && errno != ERANGE)
		return ANSWER(501, "5.5.4", "SIZE is not a number");
	if (limit > 0 && n > limit)
		return ANSWER(552, "5.3.4", "The message is too large");
	s->txn.declared = n;
	return NOTHING;
}

static struct answer
param_body(struct session *s, void *of, struct str value)
{
	(void)of;
	if (str_ieq(value, STR("7BIT")))
		s->txn.env.body = BODY_7BIT;
	else if (str_ieq(value, STR("8BITMIME")))
		s->txn.env.body = BODY_8BITMIME;
	else if (str_ieq(value, STR("BINARYMIME")))
		s->txn.env.body = BODY_BINARYMIME;
	else
		return ANSWER(501, "5.5.4",
		    "BODY is 7BIT, 8BITMIME or BINARYMIME");
	return NOTHING;
}

static struct answer
param_ret(struct session *s, void *of, struct str value)
{
	(void)of;
	if (str_ieq(value, STR("FULL")))
		s->txn.env.ret = RET_FULL;
	else if (str_ieq(value, STR("HDRS")))
		s->txn.env.ret = RET_HDRS;
	else
		return ANSWER(501, "5.5.4", "RET is FULL or HDRS");
	return NOTHING;
}

static struct answer
param_envid(struct session *s, void *of, struct str value)
{
	(void)of;
	if (value.n > DSN_ENVID_MAX || !xtext_printable(value))
		return ANSWER(501, "5.5.4", "ENVID is not well formed");
	s->txn.env.envid = arena_str(&s->txn_arena, value);
	return NOTHING;
}

/* Whom RFC 4954 5 means by a client that is trusted to say who sent it. */
static bool
is_trusted(const struct session *s)
{
	struct client_facts f = session_facts(s);

	return access_may_relay(s->conf, &f);
}

/*
 * RFC 4954 5: a mailbox in xtext, or "<>" for nobody in particular; what is
 * not to be believed counts as that.  Clients give the names of logins, too;
 * and curl has brackets around a mailbox, which are not kept.
 */
static struct answer
param_auth(struct session *s, void *of, struct str value)
{
	struct path who;
	bool none = str_eq(value, STR("<>")), good = none;
	struct buf b;

	(void)of;
	if (!none && str_starts(value, STR("<")) && str_ends(value, STR(">")))
		value = str_n(value.p + 1, value.n - 2);
	buf_init(&b, value.n + 1);
	if (!none && xtext_decode(value, &b) == 0 && buf_ok(&b))
		good = path_parse_addr(buf_str(&b),
			   PATH_BARE | PATH_UTF8, &s->line_arena, &who) == NULL;
	buf_free(&b);
	if (!good)
		return ANSWER(501, "5.5.4", "AUTH is not well formed");
	s->txn.env.auth = none || !is_trusted(s) ? STR("<>") :
	    arena_str(&s->txn_arena, value);
	return NOTHING;
}

static struct answer
param_smtputf8(struct session *s, void *of, struct str value)
{
	(void)of;
	(void)value;
	s->txn.env.smtputf8 = true;
	return NOTHING;
}

static const struct param_rule rules[] = {
	{ "SIZE", false, param_size },
	{ "BODY", false, param_body },
	{ "SMTPUTF8", true, param_smtputf8 },
	{ "RET", false, param_ret },
	{ "ENVID", false, param_envid },
	{ "AUTH", false, param_auth },
	{ "REQUIRETLS", true, extend_requiretls },
	{ "HOLDFOR", false, extend_holdfor },
	{ "HOLDUNTIL", false, extend_holduntil },
	{ "BY", false, extend_by },
	{ "MT-PRIORITY", false, extend_priority },
};
_Static_assert(ARRAY_LEN(rules) <= PARAM_RULES_MAX, "a bit for each");

static const struct path_form form = { .word = "FROM:",
	.usage = "MAIL FROM:<address>, please", .enhanced = "5.1.7",
	.flags = PATH_NULL, .rules = rules, .rule_n = ARRAY_LEN(rules) };

/* 452 before the message is sent, rather than after (RFC 1870 6.1). */
static bool
has_space(struct session *s)
{
	uint64_t need = s->txn.declared;
	int64_t now = clock_ms();

	if (need < SPACE_LARGE && s->space_ms != 0 &&
	    now - s->space_ms < SPACE_MS)
		return true;
	if (queue_space(s->env->queue, need) < 0)
		return false;
	s->space_ms = now;
	return true;
}

/* What runners know of; new mail is known to them a moment later. */
static bool
is_full(const struct session *s)
{
	uint64_t most = s->conf->limits.queued;

	return most > 0 &&
	    score_get(s->env->score, COUNT_RUNNER_QUEUED) >= most;
}

/* The sender and all that is said of it; *KNOWN: there is one. */
static struct answer
take_sender(struct session *s, const struct command *c, bool *known)
{
	struct envelope *e = &s->txn.env;
	struct str rest = STR("");
	struct answer a = params_path(s, c, &form, &s->txn_arena, &e->from,
	    &rest);

	*known = a.code == 0;
	if (a.code == 0)
		a = params_take(s, rest, &form, NULL);
	if (a.code == 0)
		a = params_utf8(s, e->smtputf8, &form, &s->txn_arena, &e->from);
	return a.code == 0 ? extend_check(s) : a;
}

/* RFC 6409 4.3; whoever submits is known, wherever the line comes from. */
static struct answer
may_send(const struct session *s)
{
	struct client_facts f = session_facts(s);

	/* FEATURES L16: what is under way is finished, nothing else is begun. */
	if (!s->local && s->env->score != NULL && s->env->listen != NULL &&
	    score_is_off(s->env->score, s->env->listen->service))
		return ANSWER(451, "4.3.2", "The service is not available now");
	if (s->submission && !access_may_relay(s->conf, &f))
		return ANSWER(530, "5.7.0", "Authentication required");
	return NOTHING;
}

/* CONFORMANCE S-40; without a login it is the recipient that counts. */
static struct answer
check_sender(const struct session *s)
{
	struct conf_place where;

	if (s->user[0] == '\0' || s->conf->access.sender_login == SENDER_ANY ||
	    sender_is_own(s->conf, s->env->users, str_c(s->user),
		&s->txn.env.from, &where))
		return NOTHING;
	return ANSWER(553, "5.7.1", "Sender address rejected: not of the user "
				    "who is logged in");
}

struct answer
smtpd_mail(struct session *s, const struct command *c)
{
	struct answer a = may_send(s);
	bool known = false;
	int priority;

	if (a.code == 0)
		a = take_sender(s, c, &known);
	if (a.code == 0)
		a = check_sender(s);
	s->txn.spf.sender = s->txn.env.from;
	if (a.code == 0)
		identity_mail(s);
	if (a.code == 0)
		remap_envelope(s, REWRITE_ENVELOPE_SENDER, &s->txn_arena,
		    &s->txn.env.from);
	if (a.code == 0)
		a = smtpd_rate(s, NULL);
	if (a.code == 0 && is_full(s))
		a = ANSWER(452, "4.3.1", "There is too much mail here now");
	if (a.code == 0 && !has_space(s))
		a = ANSWER(452, "4.3.1", "There is no room for mail now");
	if (a.code != 0) {
		log_reject(s, "MAIL", &a, known ? &s->txn.env.from : NULL,
		    NULL);
		session_enter(s, S_GREETED);
		return a;
	}
	spf_begin(s);
	check_mail(s);
	session_enter(s, S_MAIL);
	session_score(s, SCORE_TRANSACTION);
	/* RFC 6710 4.2: who is given another priority is told. */
	priority = s->txn.env.priority;
	if (s->txn.adjusted)
		return (struct answer){ .code = 250, .enhanced = "2.3.6",
			.text = str_c(arena_printf(&s->line_arena,
			    "%d is the priority", priority)) };
	return ANSWER(250, "2.1.0", "Ok");
}
