/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_auth -- AUTH PLAIN and LOGIN (RFC 4954, RFC 4616).
 *
 * The answer to "may this user with this proof log in?" is barid-auth's; a
 * session never sees a password file.  Passwords pass through buffers that
 * are overwritten after use and are never given to the log.  A wrong one is
 * answered late, later each time (policy/guess.h), and with the same words
 * whether the user exists or not.
 */

#include "smtpd.h"

#include <errno.h>
#include <string.h>

#include "ipc/channel.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mail/limits.h"
#include "mail/sasl.h"
#include "mail/text.h"
#include "policy/guess.h"

#define AUTH_CALL_MS 60000

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
has_name(const struct conf_strs *names, struct str name)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_ieq(str_c(names->v[i]), name))
			return true;
	return false;
}

/* True if barid speaks MECHANISM and the configuration wants it. */
static bool
configured(const struct session *s, struct str mechanism)
{
	return (str_ieq(mechanism, STR("PLAIN")) ||
		   str_ieq(mechanism, STR("LOGIN"))) &&
	    s->env->auth >= 0 && !s->local && s->conf->auth.backends.n > 0 &&
	    has_name(&s->conf->auth.mechanisms, mechanism);
}

/*
 * CONFORMANCE S-05: no password in the clear unless it is asked for, and
 * never where the listener wants TLS first.
 */
static bool
offered(const struct session *s, struct str mechanism)
{
	const struct conf_listen *l = s->env->listen;

	if (!configured(s, mechanism))
		return false;
	return s->tls != NULL ||
	    ((l == NULL || l->tls != LISTEN_TLS_REQUIRED) &&
		has_name(&s->conf->auth.without_tls, mechanism));
}

bool
auth_offered(const struct session *s)
{
	return offered(s, STR("PLAIN")) || offered(s, STR("LOGIN"));
}

void
auth_mechanisms(const struct session *s, struct buf *b)
{
	if (offered(s, STR("PLAIN")))
		buf_adds(b, " PLAIN");
	if (offered(s, STR("LOGIN")))
		buf_adds(b, " LOGIN");
}

/* ---- the question ------------------------------------------------------- */

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
welcome(struct session *s, struct str user)
{
	struct score_slot *slot = s->env->slot;

	s->user = arena_cstr(&s->arena, user);
	session_count(s, COUNT_AUTH_OK);
	if (slot != NULL) {
		size_t n = user.n < sizeof(slot->user) - 1 ?
		    user.n : sizeof(slot->user) - 1;

		memcpy(slot->user, user.p, n);
		slot->user[n] = '\0';
	}
	return ANSWER(235, "2.7.0", "Authentication successful");
}

/* Asks barid-auth; R keeps views into ANSWER. */
static bool
ask(struct session *s, struct str user, struct str password,
    struct buf *answer, struct msg_auth_result *r)
{
	struct msg_auth m = { .service = s->submission ? STR("submission") :
							 STR("smtp"),
		.mechanism = str_c(s->auth_mechanism), .user = user,
		.password = password, .client = str_c(s->address),
		.listener = str_c(s->env->listen ? s->env->listen->name : ""),
		.tls = str_c(s->tls ? tls_version(s->tls) : "") };
	struct buf packet;
	int result;

	buf_init(&packet, FRAME_MAX);
	msg_auth_put(&packet, &m);
	session_score(s, SCORE_AUTH);
	result = !buf_ok(&packet) ? -1 :
	    channel_call(s->env->auth, buf_str(&packet),
		clock_ms() + AUTH_CALL_MS, answer);
	session_score(s, SCORE_COMMAND);
	if (result < 0)
		log_error(NULL, "cannot ask the authenticator for %s: %s",
		    s->client, strerror(errno));
	buf_wipe(&packet);
	buf_free(&packet);
	return result >= 0 && msg_auth_result_get(buf_str(answer), r);
}

static struct answer
login(struct session *s, struct str user, struct str password)
{
	struct msg_auth_result r = { .verdict = AUTH_TEMPORARY };
	struct answer a;
	struct buf reply;

	/* Names with control characters are somebody's trick (S-33). */
	if (str_has_ctl(user) || str_find(password, '\0') >= 0)
		return bad_login();
	if (user.n == 0 || user.n > 255 || !str_is_utf8(user))
		return refused(s, user);
	if (guess_is_blocked(s->conf, s->env->score, &s->env->peer))
		return guessed_enough();
	buf_init(&reply, FRAME_MAX);
	if (!ask(s, user, password, &reply, &r))
		r.verdict = AUTH_TEMPORARY;
	if (r.verdict == AUTH_YES && r.user.n > 0)
		a = welcome(s, r.user);
	else if (r.verdict == AUTH_TEMPORARY)
		a = ANSWER(454, "4.7.0", "Temporary authentication failure");
	else
		a = refused(s, user);
	buf_free(&reply);
	return a;
}

static struct answer
plain(struct session *s, struct str message, struct buf *bytes)
{
	struct sasl_plain p;

	if (sasl_plain_parse(message, bytes, &p) == 0)
		return login(s, p.user, p.password);
	/* Nobody acts for others here: a login that fails, not a bad message. */
	return errno == EPERM ? refused(s, p.user) : bad_login();
}

/* ---- the exchange ------------------------------------------------------- */

static struct answer
prompt(struct session *s, enum auth_step step, struct str challenge)
{
	s->auth_step = step;
	return (struct answer){ .code = 334, .text = challenge,
		.then = THEN_LINE };
}

/* Takes a response, decoding it into BYTES. */
static struct answer
take(struct session *s, enum auth_step step, struct str line, struct buf *bytes)
{
	struct answer a;

	if (step == AUTH_WANT_PLAIN)
		return plain(s, line, bytes);
	if (base64_decode(line, bytes) < 0 || !buf_ok(bytes))
		return not_base64();
	switch (step) {
	case AUTH_WANT_USER:
		buf_reset(&s->auth_user);
		buf_add(&s->auth_user, buf_str(bytes));
		if (!buf_ok(&s->auth_user))
			return bad_login();
		return prompt(s, AUTH_WANT_PASSWORD, STR("UGFzc3dvcmQ6"));
	case AUTH_WANT_PASSWORD:
		a = login(s, buf_str(&s->auth_user), buf_str(bytes));
		buf_wipe(&s->auth_user);
		return a;
	case AUTH_WANT_PLAIN:
	case AUTH_NONE:
		break;
	}
	panic("smtpd: a response to no challenge");
}

/* Takes a response, and leaves no trace of it. */
static struct answer
respond(struct session *s, enum auth_step step, struct str line)
{
	struct answer a;
	struct buf b;

	s->auth_step = AUTH_NONE;
	buf_init(&b, SMTP_AUTH_LINE_MAX);
	a = take(s, step, line, &b);
	buf_wipe(&b);
	buf_free(&b);
	/* The stream's buffer still holds the line, and it is ours. */
	mem_wipe((char *)(uintptr_t)line.p, line.n);
	return a;
}

struct answer
smtpd_auth_line(struct session *s, enum stream_result r, struct str line)
{
	enum auth_step step = s->auth_step;

	s->auth_step = AUTH_NONE;
	switch (r) {
	case STREAM_OK:
		break;
	case STREAM_TOO_LONG:
		return ANSWER(500, "5.5.6", "The line is too long");
	case STREAM_FLOOD:
		return (struct answer){ .code = 421, .enhanced = "4.7.0",
			.text = STR("The line is far too long"),
			.then = THEN_CLOSE };
	case STREAM_BARE:
	case STREAM_NUL:
		return not_base64();
	case STREAM_EOF:
	case STREAM_TIMEOUT:
	case STREAM_ERROR:
		return session_gone(s, r);
	}
	if (str_eq(line, STR("*")))
		return ANSWER(501, "5.7.0", "Authentication cancelled");
	return respond(s, step, line);
}

struct answer
smtpd_auth(struct session *s, const struct command *c)
{
	struct str rest = c->arg, mechanism = str_word(&rest);
	bool is_plain = str_ieq(mechanism, STR("PLAIN"));
	enum auth_step step = is_plain ? AUTH_WANT_PLAIN : AUTH_WANT_USER;

	if (!auth_offered(s) && starttls_offered(s))
		return ANSWER(538, "5.7.11", "TLS first");
	if (!auth_offered(s))
		return ANSWER(502, "5.5.1", "There is no login here");
	if (s->user[0] != '\0')
		return ANSWER(503, "5.5.1", "You are logged in already");
	if (mechanism.n == 0)
		return ANSWER(501, "5.5.4", "Which mechanism?");
	if (!configured(s, mechanism))
		return ANSWER(504, "5.5.4", "There is no such mechanism");
	if (!offered(s, mechanism))
		return ANSWER(538, "5.7.11", "TLS first");
	s->auth_mechanism = is_plain ? "PLAIN" : "LOGIN";
	rest = str_trim(rest);
	/* RFC 4954 4: "=" is an initial response that is empty. */
	if (str_eq(rest, STR("=")))
		return respond(s, step, str_head(rest, 0));
	if (rest.n > 0)
		return respond(s, step, rest);
	return prompt(s, step,
	    is_plain ? STR("") : STR("VXNlcm5hbWU6"));
}
