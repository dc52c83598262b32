/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pop3d_auth -- the AUTHORIZATION state: capabilities, TLS, who it is.
 *
 * A password is never logged and never kept: it goes to barid-auth and the
 * buffer is wiped.  A wrong user and a wrong password get the same answer,
 * after a pause that grows with each failure.
 */

#include "pop3d.h"

#include <errno.h>
#include <poll.h>

#include "config.h"
#include "ipc/channel.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "mail/limits.h"
#include "mail/sasl.h"

#define AUTH_TIMEOUT_MS (70 * 1000)
#define TLS_TIMEOUT_MS (30 * 1000)
#define FAILURE_PAUSE_MS 1000
#define FAILURES_MAX 5

static bool
may_stls(const struct pop3_session *s)
{
	return s->env->tls && !s->tls && s->env->listen->tls != LISTEN_TLS_OFF &&
	    s->state == POP3_AUTHORIZATION;
}

static void
capa_body(struct pop3_session *s)
{
	pop3_put(s, STR("TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUTF8\r\n"));
	if (pop3_may_login(s))
		pop3_put(s, STR("USER\r\nSASL PLAIN\r\n"));
	if (may_stls(s))
		pop3_put(s, STR("STLS\r\n"));
	pop3_put(s, STR("EXPIRE NEVER\r\nIMPLEMENTATION barid-" BARID_VERSION "\r\n.\r\n"));
}

struct pop3_response
pop3_capa(struct pop3_session *s, const struct command *c UNUSED)
{
	struct pop3_response r = pop3_ok(s, "what this server can do");

	r.body = capa_body;
	return r;
}

struct pop3_response
pop3_utf8(struct pop3_session *s, const struct command *c UNUSED)
{
	/* RFC 6856 2.1: messages go out as they are, which is what it asks for. */
	s->utf8 = true;
	return pop3_ok(s, "UTF-8 it is");
}

struct pop3_response
pop3_stls(struct pop3_session *s, const struct command *c UNUSED)
{
	if (s->tls)
		return pop3_err(s, "TLS is there already");
	if (!may_stls(s))
		return pop3_err(s, "there is no TLS here");
	struct pop3_response r = pop3_ok(s, "begin TLS");
	r.then = POP3_START_TLS;
	/* What was sent in clear behind STLS would be read as sent in TLS. */
	if (stream_pending(&s->stream) > 0) {
		r = pop3_err(s, "commands behind STLS");
		r.then = POP3_CLOSE;
	}
	return r;
}

/* Handshakes, and forgets what was said before (RFC 2595 4). */
bool
pop3_tls_begin(struct pop3_session *s)
{
	struct buf error;

	if (!s->env->tls || s->fd < 0)
		return false;
	buf_init(&error, 512);
	s->tls = tls_accept(s->env->tls, s->fd, clock_ms() + TLS_TIMEOUT_MS, &error);
	if (!s->tls) {
		log_info(NULL, "TLS handshake failed, ip=%s: %s", s->client, buf_cstr(&error));
		s->lost = true;
	} else {
		stream_switch(&s->stream, &tls_stream_ops, s->tls);
		s->name = STR("");
		s->utf8 = false;
	}
	buf_free(&error);
	return s->tls != NULL;
}

/* Waits, so that guessing is slow; the client may hang up meanwhile. */
static void
pause_for_failure(const struct pop3_session *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLRDHUP };

	if (s->fd >= 0)
		(void)poll(&p, 1, FAILURE_PAUSE_MS * (int)s->auth_failures);
}

static struct pop3_response
failed(struct pop3_session *s, struct str user)
{
	s->auth_failures++;
	score_add(s->env->score, COUNT_AUTH_FAILED, 1);
	log_info(NULL, "LOGIN FAILED, user=" STR_FMT ", ip=%s", STR_ARG(str_head(user, 128)),
	    s->client);
	pause_for_failure(s);
	struct pop3_response r = pop3_err(s, "[AUTH] user or password is wrong");
	if (s->auth_failures >= FAILURES_MAX)
		r.then = POP3_CLOSE;
	return r;
}

static struct pop3_response
open_box(struct pop3_session *s, struct str user)
{
	char mailbox[65] = "";

	if (!userset_has(s->env->users, user, mailbox)) {
		/* PAM may know people that no list of names has. */
		if (!mailbox_name_valid(user))
			return failed(s, user);
		memcpy(mailbox, user.p, user.n);
		mailbox[user.n] = '\0';
	}
	if (maildir_open(&s->box, s->env->mailboxes, mailbox) < 0) {
		int err = errno;
		log_warn(NULL, "mailbox %s: %s", mailbox, strerror(err));
		if (err == EBUSY)
			return pop3_err(s, "[IN-USE] the mailbox is open in another session");
		return pop3_err(s, "[SYS/TEMP] the mailbox cannot be opened now");
	}
	s->box_open = true;
	s->state = POP3_TRANSACTION;
	memcpy(s->user, mailbox, sizeof(s->user));
	if (s->env->slot) {
		struct str shown = str_head(str_c(mailbox), sizeof(s->env->slot->user) - 1);
		memcpy(s->env->slot->user, shown.p, shown.n);
		atomic_store(&s->env->slot->state, SCORE_TRANSACTION);
	}
	score_add(s->env->score, COUNT_AUTH_OK, 1);
	log_info(NULL, "LOGIN, user=%s, ip=%s, messages=%zu%s", s->user, s->client, s->box.n,
	    s->tls ? ", tls=yes" : "");
	return pop3_ok(s, "%zu messages", s->box.n);
}

static struct pop3_response
login(struct pop3_session *s, const char *mechanism, struct str user, struct str password)
{
	struct msg_auth m = { .service = STR("pop3"), .mechanism = str_c(mechanism), .user = user,
		.password = password };
	struct msg_auth_result result;
	struct buf packet, reply, client;
	struct pop3_response r;

	buf_init(&packet, FRAME_MAX);
	buf_init(&reply, FRAME_MAX);
	buf_init(&client, 128);
	addr_add(&client, &s->env->peer);
	m.client = buf_str(&client);
	msg_auth_put(&packet, &m);
	if (!buf_ok(&packet) || user.n > 255) {
		r = failed(s, user);
	} else if (channel_call(s->env->auth, buf_str(&packet), clock_ms() + AUTH_TIMEOUT_MS,
	    &reply) < 0 || !msg_auth_result_get(buf_str(&reply), &result) ||
	    result.verdict == AUTH_TEMPORARY) {
		log_warn(NULL, "authentication is not possible now, ip=%s", s->client);
		r = pop3_err(s, "[SYS/TEMP] logging in is not possible now");
	} else {
		r = result.verdict == AUTH_YES ? open_box(s, result.user) : failed(s, user);
	}
	buf_wipe(&packet);
	buf_free(&packet);
	buf_free(&reply);
	buf_free(&client);
	return r;
}

struct pop3_response
pop3_user(struct pop3_session *s, const struct command *c)
{
	if (!pop3_may_login(s))
		return pop3_err(s, "[AUTH] begin TLS first (STLS)");
	if (c->arg.n > 255 || str_has_ctl(c->arg))
		return pop3_err(s, "this is no user name");
	/* Asking again costs no memory: the arena is as large as 20 mistakes allow. */
	s->name = arena_str(&s->arena, c->arg);
	return pop3_ok(s, "and the password?");
}

struct pop3_response
pop3_pass(struct pop3_session *s, const struct command *c)
{
	if (!pop3_may_login(s))
		return pop3_err(s, "[AUTH] begin TLS first (STLS)");
	if (s->name.n == 0)
		return pop3_err(s, "USER comes first");
	struct str name = s->name;
	s->name = STR("");
	return login(s, "USER", name, c->arg);
}

static void
mechanisms_body(struct pop3_session *s)
{
	pop3_put(s, STR("PLAIN\r\n.\r\n"));
}

/* Reads the client's message of an AUTH exchange; false: it broke off. */
static bool
challenge(struct pop3_session *s, struct str *line)
{
	pop3_put(s, STR("+ \r\n"));
	if (s->lost || stream_flush(&s->stream, pop3_deadline(s)) != STREAM_OK) {
		s->lost = true;
		return false;
	}
	enum stream_result r = stream_line(&s->stream, SMTP_AUTH_LINE_MAX, pop3_deadline(s), line);
	if (r == STREAM_OK)
		return true;
	s->lost = s->lost || r != STREAM_TOO_LONG;
	return false;
}

struct pop3_response
pop3_auth(struct pop3_session *s, const struct command *c)
{
	struct str mechanism, initial;
	struct sasl_plain plain;
	struct pop3_response r;
	struct buf bytes;

	if (!pop3_may_login(s))
		return pop3_err(s, "[AUTH] begin TLS first (STLS)");
	if (c->arg.n == 0) {
		r = pop3_ok(s, "mechanisms");
		r.body = mechanisms_body;
		return r;
	}
	bool has_initial = str_cut(c->arg, ' ', &mechanism, &initial);
	if (!str_ieq(mechanism, STR("PLAIN")))
		return pop3_err(s, "this mechanism is not offered");
	if (!has_initial && !challenge(s, &initial))
		return pop3_err(s, "the exchange broke off");
	if (str_eq(initial, STR("*")))
		return pop3_err(s, "you broke it off");
	buf_init(&bytes, SMTP_AUTH_LINE_MAX);
	if (sasl_plain_parse(initial, &bytes, &plain) < 0)
		r = pop3_err(s, "this is no PLAIN message");
	else
		r = login(s, "PLAIN", plain.user, plain.password);
	buf_wipe(&bytes);
	buf_free(&bytes);
	return r;
}
