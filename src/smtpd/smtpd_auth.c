/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_auth -- AUTH (RFC 4954).
 *
 * smtpd/exchange.c has what is said in each mechanism, and asks barid-auth.
 * A wrong password is answered late, later each time (policy/guess.h), and with
 * the same words whether the user exists or not.  Some clients send the name along with AUTH
 * LOGIN; they are understood.
 */

#include "smtpd.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mail/limits.h"
#include "policy/guess.h"
#include "smtpd/exchange.h"

/* A challenge in base64: RFC 4954 4 allows replies of this length. */
#define CHALLENGE_MAX SMTP_AUTH_LINE_MAX

static struct answer
not_base64(void)
{
	return ANSWER(501, "5.5.2", "This is not base64");
}

static struct answer
bad_login(void)
{
	return ANSWER(501, "5.5.2", "The login data is not well formed");
}

/* ---- what is offered ---------------------------------------------------- */

static bool
is_possible(const struct session *s)
{
	return s->env->auth >= 0 && !s->local;
}

/* CONFORMANCE S-05: none in the clear unless it is asked for. */
static unsigned
offered(const struct session *s)
{
	struct login_facts f = exchange_facts(s->env, s->tls != NULL,
	    s->certificate);

	return is_possible(s) ? login_offers(s->conf, &f) : 0;
}

/* What would be offered in TLS. */
static unsigned
known(const struct session *s)
{
	struct login_facts f = exchange_facts(s->env, s->tls != NULL,
	    s->certificate);

	return is_possible(s) ? login_offers_in_tls(s->conf, &f) : 0;
}

bool
auth_offered(const struct session *s)
{
	return offered(s) != 0;
}

void
auth_mechanisms(const struct session *s, struct buf *b)
{
	login_list(s->conf, offered(s), b);
}

/* ---- how it ends -------------------------------------------------------- */

static struct answer
guessed_enough(void)
{
	return (struct answer){ .code = 421, .enhanced = "4.7.0",
		.text = STR("Too many wrong passwords, come back later"),
		.then = THEN_CLOSE };
}

static struct answer
refused(struct session *s, struct str user)
{
	struct guess g;

	s->auth_failures++;
	session_count(s, COUNT_AUTH_FAILED);
	log_warn(NULL,
	    "%s: SASL %s authentication failed: authentication failure, "
	    "sasl_username=" STR_FMT, s->client, s->auth_mechanism,
	    STR_ARG(str_head(user, 255)));
	g = guess_wrong(s->conf, s->env->score, &s->env->peer, user,
	    s->auth_failures);
	session_delay(s, g.delay_ms);
	if (g.blocked)
		return guessed_enough();
	return ANSWER(535, "5.7.8", "Authentication failed");
}

static struct answer
welcome(struct session *s)
{
	const struct msg_auth_result *r = &s->login->result;
	struct score_slot *slot = s->env->slot;

	s->user = arena_cstr(&s->client_arena, r->user);
	s->app = arena_cstr(&s->client_arena, r->app);
	session_count(s, COUNT_AUTH_OK);
	log_info(NULL, "%s: SASL %s authentication succeeded, sasl_username=%s%s%s",
	    s->client, s->auth_mechanism, s->user,
	    s->app[0] != '\0' ? ", sasl_app=" : "", s->app);
	if (slot != NULL) {
		size_t n = r->user.n < sizeof(slot->user) - 1 ?
		    r->user.n : sizeof(slot->user) - 1;

		memcpy(slot->user, r->user.p, n);
		slot->user[n] = '\0';
	}
	return ANSWER(235, "2.7.0", "Authentication successful");
}

/* ---- the exchange ------------------------------------------------------- */

/* Reads another line, after CHALLENGE. */
static struct answer
ask_client(struct session *s, struct str challenge)
{
	s->auth_open = true;
	return (struct answer){ .code = 334,
		.text = arena_str(&s->line_arena, challenge),
		.then = THEN_LINE };
}

static struct answer
answer_to(struct session *s, enum exchange_then then, struct str challenge)
{
	switch (then) {
	case EXCHANGE_SAY:
		return ask_client(s, challenge);
	case EXCHANGE_YES:
		return welcome(s);
	case EXCHANGE_NO:
		return refused(s, s->login->sasl.user);
	case EXCHANGE_LATER:
		return ANSWER(454, "4.7.0", "Temporary authentication failure");
	case EXCHANGE_MALFORMED:
		return bad_login();
	case EXCHANGE_NOT_BASE64:
		break;
	}
	return not_base64();
}

/* The exchange is over: nothing that was said is kept. */
static struct answer
over(struct session *s, struct answer a)
{
	if (a.then != THEN_LINE) {
		exchange_end(s->login);
		s->auth_open = false;
	}
	return a;
}

/* Takes a response, and leaves no trace of it. */
static struct answer
respond(struct session *s, struct str line)
{
	enum exchange_then then;
	struct answer a;
	struct buf out;

	buf_init(&out, CHALLENGE_MAX);
	session_score(s, SCORE_AUTH);
	then = exchange_take(s->login, line, &out);
	session_score(s, SCORE_COMMAND);
	a = over(s, answer_to(s, then, buf_str(&out)));
	buf_free(&out);
	/* The stream's buffer still holds the line, and it is ours. */
	mem_wipe((char *)(uintptr_t)line.p, line.n);
	return a;
}

struct answer
smtpd_auth_line(struct session *s, enum stream_result r, struct str line)
{
	/* Who breaks off at the refusal of a token, or is gone, has tried one all the same. */
	if (exchange_is_refused(s->login)) {
		struct answer a = refused(s, s->login->sasl.user);

		if (r == STREAM_OK || r == STREAM_TOO_LONG || r == STREAM_BARE || r == STREAM_NUL)
			return over(s, a);
	}
	switch (r) {
	case STREAM_OK:
		break;
	case STREAM_TOO_LONG:
		return over(s, ANSWER(500, "5.5.6", "The line is too long"));
	case STREAM_FLOOD:
		return over(s, (struct answer){ .code = 421,
			.enhanced = "4.7.0",
			.text = STR("The line is far too long"),
			.then = THEN_CLOSE });
	case STREAM_BARE:
	case STREAM_NUL:
		return over(s, not_base64());
	case STREAM_EOF:
	case STREAM_TIMEOUT:
	case STREAM_ERROR:
		return over(s, session_gone(s, r));
	}
	if (str_eq(line, STR("*")))
		return over(s, ANSWER(501, "5.7.0",
		    "Authentication cancelled"));
	return respond(s, line);
}

/* A mechanism that is offered, and perhaps an initial response. */
static struct answer
begin(struct session *s, unsigned mechanism, struct str initial)
{
	struct answer a;
	struct buf out;

	if (s->login == NULL)
		s->login = arena_alloc(&s->arena, sizeof(*s->login));
	exchange_init(s->login, s->env, s->tls,
	    s->submission ? "submission" : "smtp", s->address);
	s->login->certificate = s->certificate;
	s->auth_open = true;
	s->auth_mechanism = sasl_name(mechanism);
	buf_init(&out, CHALLENGE_MAX);
	exchange_start(s->login, mechanism, offered(s), &out);
	/* RFC 4954 4: "=" is an initial response that is empty. */
	if (str_eq(initial, STR("=")))
		a = respond(s, str_head(initial, 0));
	else if (initial.n > 0 && sasl_is_client_first(mechanism))
		a = respond(s, initial);
	else if (initial.n > 0)
		a = over(s, ANSWER(501, "5.7.0",
		    "This mechanism has no initial response"));
	else
		a = ask_client(s, buf_str(&out));
	buf_free(&out);
	return a;
}

struct answer
smtpd_auth(struct session *s, const struct command *c)
{
	struct str rest = c->arg, name = str_word(&rest);
	unsigned mechanism = sasl_mechanism(name);

	if (!auth_offered(s) && starttls_offered(s))
		return ANSWER(538, "5.7.11", "TLS first");
	if (!auth_offered(s))
		return ANSWER(502, "5.5.1", "There is no login here");
	if (s->user[0] != '\0')
		return ANSWER(503, "5.5.1", "You are logged in already");
	if (name.n == 0)
		return ANSWER(501, "5.5.4", "Which mechanism?");
	if ((known(s) & mechanism) == 0)
		return ANSWER(504, "5.5.4", "There is no such mechanism");
	if ((offered(s) & mechanism) == 0)
		return ANSWER(538, "5.7.11", "TLS first");
	if (guess_is_blocked(s->conf, s->env->score, &s->env->peer))
		return guessed_enough();
	return begin(s, mechanism, str_trim(rest));
}

void
auth_end(struct session *s)
{
	if (s->auth_open)
		exchange_end(s->login);
	s->auth_open = false;
}
