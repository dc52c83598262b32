/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_mail -- MAIL: who sends, and what is said of the message before it.
 *
 * Every parameter is checked whole before anything is kept; one that is not
 * known, doubled or broken refuses the command (RFC 5321 4.1.1.11).  What
 * is kept of ENVID is its xtext as it came: it is put out the same.
 */

#include "smtpd.h"

#include <errno.h>

#include "lib/clock.h"
#include "mail/limits.h"
#include "mail/text.h"

#define OK_NOTHING ((struct answer){ .code = 0 })

/* The disk is asked at most this often, but for large messages each time. */
#define SPACE_MS 1000
#define SPACE_LARGE (1u << 20)

enum mail_param { P_SIZE = 1, P_BODY = 2, P_RET = 4, P_ENVID = 8, P_AUTH = 16 };

bool
xtext_printable(struct str s)
{
	struct buf b;
	bool good;

	buf_init(&b, s.n + 1);
	good = xtext_decode(s, &b) == 0 && buf_ok(&b) &&
	    !str_has_ctl(buf_str(&b)) && !str_has_8bit(buf_str(&b));
	buf_free(&b);
	return good;
}

/* RFC 1870 4: a number too large for us is a message too large for us. */
static struct answer
param_size(struct session *s, struct str value)
{
	uint64_t limit = s->conf->limits.message_size;
	uint64_t n = UINT64_MAX;

	errno = 0;
	if (str_u64(value, UINT64_MAX, &n) < 0 && errno != ERANGE)
		return ANSWER(501, "5.5.4", "SIZE is not a number");
	if (limit > 0 && n > limit)
		return ANSWER(552, "5.3.4", "The message is too large");
	s->txn.declared = n;
	return OK_NOTHING;
}

static struct answer
param_body(struct session *s, struct str value)
{
	if (str_ieq(value, STR("7BIT")))
		s->txn.env.body = BODY_7BIT;
	else if (str_ieq(value, STR("8BITMIME")))
		s->txn.env.body = BODY_8BITMIME;
	else if (str_ieq(value, STR("BINARYMIME")))
		s->txn.env.body = BODY_BINARYMIME;
	else
		return ANSWER(501, "5.5.4",
		    "BODY is 7BIT, 8BITMIME or BINARYMIME");
	return OK_NOTHING;
}

static struct answer
param_ret(struct session *s, struct str value)
{
	if (str_ieq(value, STR("FULL")))
		s->txn.env.ret = RET_FULL;
	else if (str_ieq(value, STR("HDRS")))
		s->txn.env.ret = RET_HDRS;
	else
		return ANSWER(501, "5.5.4", "RET is FULL or HDRS");
	return OK_NOTHING;
}

static struct answer
param_envid(struct session *s, struct str value)
{
	if (value.n > DSN_ENVID_MAX || !xtext_printable(value))
		return ANSWER(501, "5.5.4", "ENVID is not well formed");
	s->txn.env.envid = arena_str(&s->txn_arena, value);
	return OK_NOTHING;
}

/* RFC 4954 5: of use only from hosts that are trusted to say it. */
static struct answer
param_auth(struct session *s, struct str value)
{
	(void)s;
	if (!str_eq(value, STR("<>")) && !xtext_printable(value))
		return ANSWER(501, "5.5.4", "AUTH is not well formed");
	return OK_NOTHING;
}

static const struct {
	const char *name;
	enum mail_param bit;
	struct answer (*take)(struct session *s, struct str value);
} params[] = {
	{ "SIZE", P_SIZE, param_size },
	{ "BODY", P_BODY, param_body },
	{ "RET", P_RET, param_ret },
	{ "ENVID", P_ENVID, param_envid },
	{ "AUTH", P_AUTH, param_auth },
};

/* One parameter; *SEEN has those that came before. */
static struct answer
take_param(struct session *s, const struct param *p, unsigned *seen)
{
	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		if (!str_ieq(p->key, str_c(params[i].name)))
			continue;
		if ((*seen & params[i].bit) != 0)
			return ANSWER(501, "5.5.4", "A parameter is doubled");
		*seen |= params[i].bit;
		if (!p->has_value)
			return ANSWER(501, "5.5.4",
			    "A parameter lacks its value");
		return params[i].take(s, p->value);
	}
	return ANSWER(555, "5.5.4", "A parameter is not supported");
}

static struct answer
take_params(struct session *s, struct str rest)
{
	unsigned seen = 0;
	struct param p;
	int r;

	while ((r = param_next(&rest, &p)) == 1) {
		struct answer a = s->esmtp ? take_param(s, &p, &seen) :
		    ANSWER(555, "5.5.4", "Parameters need EHLO");

		if (a.code != 0)
			return a;
	}
	if (r < 0)
		return ANSWER(501, "5.5.4", "A parameter is not well formed");
	return OK_NOTHING;
}

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

static struct answer
take_sender(struct session *s, const struct command *c, struct str *rest)
{
	unsigned flags = PATH_NULL;
	const char *why;

	if (!str_istarts(c->arg, STR("FROM:")))
		return ANSWER(501, "5.5.4", "MAIL FROM:<address>, please");
	if (!str_is_utf8(c->arg))
		return ANSWER(501, "5.5.2", "This is not UTF-8");
	if (str_has_8bit(c->arg))
		return ANSWER(553, "5.6.7", "Addresses in UTF-8 are not taken");
	if (s->conf->addresses == ADDRESSES_LOOSE)
		flags |= PATH_LOOSE;
	*rest = str_trim(str_skip(c->arg, 5));
	why = path_parse(*rest, flags, &s->txn_arena, &s->txn.env.from, rest);
	if (why != NULL)
		return (struct answer){ .code = 501, .enhanced = "5.1.7",
			.text = str_c(why) };
	return OK_NOTHING;
}

/* RFC 6409 4.3; whoever submits is known, wherever the line comes from. */
static struct answer
may_send(const struct session *s)
{
	if (s->submission && s->user[0] == '\0' && !s->local)
		return ANSWER(530, "5.7.0", "Authentication required");
	return OK_NOTHING;
}

struct answer
smtpd_mail(struct session *s, const struct command *c)
{
	struct str rest = STR("");
	struct answer a = may_send(s);
	const struct path *from = NULL;

	if (a.code == 0)
		a = take_sender(s, c, &rest);
	if (a.code == 0) {
		from = &s->txn.env.from;
		a = take_params(s, rest);
	}
	if (a.code == 0 && !has_space(s))
		a = ANSWER(452, "4.3.1", "There is no room for mail now");
	if (a.code != 0) {
		log_reject(s, "MAIL", &a, from, NULL);
		session_enter(s, S_GREETED);
		return a;
	}
	session_enter(s, S_MAIL);
	session_score(s, SCORE_TRANSACTION);
	return ANSWER(250, "2.1.0", "Ok");
}
