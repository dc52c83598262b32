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
#include <unistd.h>

#include "config.h"
#include "lib/clock.h"
#include "lib/confine.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/name.h"
#include "mail/limits.h"
#include "policy/guess.h"
#include "smtpd/exchange.h"

#define TLS_TIMEOUT_MS (30 * 1000)
#define FAILURES_MAX 5
#define DAY_MS (24 * 3600 * (int64_t)1000)

/* That the client has shown, or NULL. */
static const struct tls_client *
certificate_of(const struct pop3_session *s)
{
	return s->has_certificate ? &s->certificate : NULL;
}

bool
pop3_may(const struct pop3_session *s, const char *mechanism)
{
	struct login_facts f = exchange_facts(s->env, s->tls != NULL, certificate_of(s));

	return s->env->auth >= 0 && login_is_safe(s->env->conf, &f, str_c(mechanism));
}

/* USER and PASS are POP3's own, and no worse than PLAIN. */
static bool
may_login(const struct pop3_session *s)
{
	return pop3_may(s, "PLAIN");
}

/* The mechanisms of SASL, as bits. */
static unsigned
offered(const struct pop3_session *s)
{
	struct login_facts f = exchange_facts(s->env, s->tls != NULL, certificate_of(s));

	return s->env->auth >= 0 ? login_offers(s->env->conf, &f) : 0;
}

static bool
may_stls(const struct pop3_session *s)
{
	return s->env->tls && !s->tls && s->env->listen->tls != LISTEN_TLS_OFF &&
	    s->state == POP3_AUTHORIZATION;
}

/* RFC 2449 6.5 and 6.7: what the client has to expect of its mail, and of us. */
static void
promises(struct pop3_session *s)
{
	const struct conf_pop3 *c = &s->env->conf->pop3;
	struct buf b;

	buf_init(&b, 200);
	if (c->expire > 0)
		buf_addf(&b, "EXPIRE %lld\r\n", (long long)(c->expire / DAY_MS));
	else
		buf_adds(&b, "EXPIRE NEVER\r\n");
	if (c->login_delay > 0)
		buf_addf(&b, "LOGIN-DELAY %lld\r\n", (long long)(c->login_delay / 1000));
	pop3_put(s, buf_str(&b));
	buf_free(&b);
}

/* RFC 5034 3. */
static void
put_mechanisms(struct pop3_session *s)
{
	struct buf b;

	buf_init(&b, 500);
	login_list(s->env->conf, offered(s), &b);
	if (b.n > 0) {
		pop3_put(s, STR("SASL"));
		pop3_put(s, buf_str(&b));
		pop3_put(s, STR("\r\n"));
	}
	buf_free(&b);
}

static void
capa_body(struct pop3_session *s)
{
	pop3_put(s, STR("TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
	    "UTF8\r\nLANG\r\n"));
	if (may_login(s))
		pop3_put(s, STR("USER\r\n"));
	put_mechanisms(s);
	if (may_stls(s))
		pop3_put(s, STR("STLS\r\n"));
	promises(s);
	pop3_put(s, STR("IMPLEMENTATION barid-" BARID_VERSION "\r\n.\r\n"));
}

struct pop3_response
pop3_capa(struct pop3_session *s, const struct command *c UNUSED)
{
	struct pop3_response r = pop3_ok(s, "what this server can do");

	r.body = capa_body;
	return r;
}

struct pop3_response
pop3_stls(struct pop3_session *s, const struct command *c UNUSED)
{
	if (s->tls)
		return pop3_err(s, "TLS is there already");
	if (!may_stls(s))
		return pop3_err(s, "there is no TLS here");
	/* RFC 6856 2.1. */
	if (s->utf8)
		return pop3_err(s, "STLS comes before UTF8");
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
		s->has_certificate = tls_client(s->tls, &s->certificate);
		buf_reset(&s->name);
		/* Who reads along may have had a hand in it. */
		s->stamp = NULL;
	}
	buf_free(&error);
	return s->tls != NULL;
}

/*
 * Waits, so that guessing is slow.  Not for a client that is gone, nor when we are
 * to stop; but for one that only says no more, and would get the answer.
 */
static void
pause_for_failure(const struct pop3_session *s, int64_t ms)
{
	struct pollfd p = { .fd = s->fd };

	if (s->fd >= 0)
		(void)poll(&p, 1, (int)ms);
}

static struct pop3_response
guessed_enough(struct pop3_session *s)
{
	struct pop3_response r = pop3_err(s, "[AUTH] too many wrong passwords, come back later");

	r.then = POP3_CLOSE;
	return r;
}

static struct pop3_response
failed(struct pop3_session *s, struct str user)
{
	s->auth_failures++;
	score_add(s->env->score, COUNT_AUTH_FAILED, 1);
	log_info(NULL, "LOGIN FAILED, user=" STR_FMT ", ip=%s", STR_ARG(str_head(user, 128)),
	    s->client);
	struct guess g = guess_wrong(s->env->conf, s->env->score, &s->env->peer, user,
	    s->auth_failures);
	pause_for_failure(s, g.delay_ms);
	if (g.blocked)
		return guessed_enough(s);
	struct pop3_response r = pop3_err(s, "[AUTH] user or password is wrong");
	if (s->auth_failures >= FAILURES_MAX)
		r.then = POP3_CLOSE;
	return r;
}

/* An -ERR for which the client can do nothing. */
static struct pop3_response
not_now(struct pop3_session *s, const char *text)
{
	struct pop3_response r = pop3_err(s, "%s", text);

	r.ours = true;
	return r;
}

/* RFC 2449 8.1.1: who logs in too often is told when he may again. */
static int64_t
wait_left(const struct pop3_session *s, const char *mailbox)
{
	int64_t delay = s->env->conf->pop3.login_delay;
	int64_t since = delay > 0
	    ? score_since_login(s->env->score, str_c(mailbox), clock_ms()) : -1;

	return since >= 0 && since < delay ? delay - since : 0;
}

static struct pop3_response
too_soon(struct pop3_session *s, const char *mailbox, int64_t left)
{
	struct pop3_response r = pop3_err(s,
	    "[LOGIN-DELAY] you were here, come again in %lld seconds",
	    (long long)(left + 999) / 1000);

	log_info(NULL, "LOGIN too soon, user=%s, ip=%s", mailbox, s->client);
	r.ours = true;
	return r;
}

/* From here on this process sees no mailbox but the one that is open; none, if another has that. */
static void
shut_others_out(const struct pop3_session *s)
{
	const struct confine_dir own = { s->box.dir, CONFINE_READ | CONFINE_FILL };
	int rules = s->env->confined ? confine_rules(&own, own.fd >= 0) : -1;

	confine_files(rules);
	if (rules >= 0)
		close(rules);
}

/* What the mailbox of USER is called; false: nobody has such a one. */
static bool
find_mailbox(const struct pop3_session *s, struct str user, char mailbox[65])
{
	if (userset_has(s->env->users, user, mailbox))
		return true;
	/* PAM may know people that no list of names has. */
	if (!name_is_plain(user))
		return false;
	memcpy(mailbox, user.p, user.n);
	mailbox[user.n] = '\0';
	return true;
}

/* ERROR says why, or is 0 where that was said before. */
static struct pop3_response
not_opened(struct pop3_session *s, const char *mailbox, int error)
{
	if (error != 0)
		log_warn(NULL, "mailbox %s: %s", mailbox, maildir_why(error));
	if (error == EBUSY)
		return pop3_err(s, "[IN-USE] the mailbox is open in another session");
	return not_now(s, "[SYS/TEMP] the mailbox cannot be opened now");
}

/* ROOT: its directory, which is taken; -1: it is to be found below those of all. */
static struct pop3_response
open_box(struct pop3_session *s, struct str user, int root)
{
	char mailbox[65] = "";
	bool found = find_mailbox(s, user, mailbox);
	int64_t left = found ? wait_left(s, mailbox) : 0;

	if ((!found || left > 0) && root >= 0)
		close(root);
	if (!found)
		return failed(s, user);
	if (left > 0)
		return too_soon(s, mailbox, left);
	/* Where barid-auth could not open it, it said why. */
	errno = 0;
	if (root < 0 && s->env->mailboxes >= 0 && !conf_has_home_maildirs(s->env->conf))
		root = maildir_root(s->env->mailboxes, mailbox);
	if (maildir_open_at(&s->box, root) < 0)
		return not_opened(s, mailbox, errno);
	if (s->env->conf->pop3.login_delay > 0)
		score_logged_in(s->env->score, str_c(mailbox), clock_ms());
	shut_others_out(s);
	s->box_open = true;
	s->state = POP3_TRANSACTION;
	memcpy(s->user, mailbox, sizeof(s->user));
	if (s->env->slot) {
		struct str shown = str_head(str_c(mailbox), sizeof(s->env->slot->user) - 1);
		memcpy(s->env->slot->user, shown.p, shown.n);
		atomic_store(&s->env->slot->state, SCORE_TRANSACTION);
	}
	score_add(s->env->score, COUNT_AUTH_OK, 1);
	/* RFC 8314 4.3: by what a password came. */
	log_info(NULL, "LOGIN, user=%s, ip=%s, method=%s%s%s, messages=%zu%s%s%s%s", s->user,
	    s->client, s->mechanism, s->app[0] ? ", app=" : "", s->app, s->box.n,
	    s->tls ? ", tls=" : "", s->tls ? tls_version(s->tls) : "",
	    s->tls ? ", cipher=" : "", s->tls ? tls_cipher(s->tls) : "");
	return pop3_ok(s, "%zu messages", s->box.n);
}

/* How the login by MECHANISM that X was about ended. */
static struct pop3_response
answer_to(struct pop3_session *s, struct exchange *x, enum exchange_then then,
    const char *mechanism, struct str user)
{
	struct pop3_response r;

	if (then == EXCHANGE_NO)
		return failed(s, user);
	if (then != EXCHANGE_YES) {
		log_warn(NULL, "authentication is not possible now, ip=%s", s->client);
		return not_now(s, "[SYS/TEMP] logging in is not possible now");
	}
	int root = x->box;
	x->box = -1;
	s->mechanism = mechanism;
	s->app = arena_cstr(&s->line, x->result.app);
	r = open_box(s, x->result.user, root);
	s->app = "";
	return r;
}

static struct exchange
exchange_new(const struct pop3_session *s)
{
	struct exchange x;

	exchange_init(&x, s->env, s->tls, "pop3", s->address);
	x.certificate = certificate_of(s);
	return x;
}

struct pop3_response
pop3_login(struct pop3_session *s, const char *mechanism, struct str user, struct str password,
    struct str challenge)
{
	struct exchange x = exchange_new(s);
	struct pop3_response r;

	if (guess_is_blocked(s->env->conf, s->env->score, &s->env->peer))
		return guessed_enough(s);
	if (user.n == 0 || user.n > POP3_NAME_MAX)
		r = failed(s, user);
	else
		r = answer_to(s, &x, exchange_ask(&x, mechanism, user, password, challenge),
		    mechanism, user);
	exchange_end(&x);
	return r;
}

/* Whoever got this far in the clear has shown the name, and the password not yet. */
static struct pop3_response
tls_first(struct pop3_session *s)
{
	if (s->env->auth < 0)
		return pop3_err(s, "[SYS/PERM] nobody can log in here");
	return pop3_err(s, "[AUTH] begin TLS first (STLS)");
}

/* The stream's buffer still holds the line with the secret, and it is ours. */
static void
forget(struct str secret)
{
	mem_wipe((char *)(uintptr_t)secret.p, secret.n);
}

struct pop3_response
pop3_user(struct pop3_session *s, const struct command *c)
{
	if (!may_login(s))
		return tls_first(s);
	buf_reset(&s->name);
	buf_add(&s->name, c->arg);
	if (!buf_ok(&s->name) || str_has_ctl(c->arg)) {
		buf_reset(&s->name);
		return pop3_err(s, "this is no user name");
	}
	return pop3_ok(s, "and the password?");
}

struct pop3_response
pop3_pass(struct pop3_session *s, const struct command *c)
{
	struct pop3_response r;

	if (!may_login(s))
		r = tls_first(s);
	else if (s->name.n == 0)
		r = pop3_err(s, "USER comes first");
	else
		r = pop3_login(s, "USER", buf_str(&s->name), c->arg, STR(""));
	/* RFC 1939 7: after PASS, whatever it said, comes USER again. */
	buf_reset(&s->name);
	forget(c->arg);
	return r;
}

static void
mechanisms_body(struct pop3_session *s)
{
	struct str list, name;
	struct buf b;

	buf_init(&b, 500);
	login_list(s->env->conf, offered(s), &b);
	for (list = buf_str(&b); (name = str_word(&list)).n > 0;) {
		pop3_put(s, name);
		pop3_put(s, STR("\r\n"));
	}
	pop3_put(s, STR(".\r\n"));
	buf_free(&b);
}

/* ---- AUTH (RFC 5034) --------------------------------------------------------- */

static struct pop3_response
no_message(struct pop3_session *s, unsigned mechanism)
{
	return pop3_err(s, "this is no %s message", sasl_name(mechanism));
}

/* Reads a line, after CHALLENGE; true: it is in LINE, else R says why not. */
static bool
ask_client(struct pop3_session *s, unsigned mechanism, struct str challenge, struct str *line,
    struct pop3_response *r)
{
	pop3_begin(s);
	pop3_put(s, STR("+ "));
	pop3_put(s, challenge);
	pop3_put(s, STR("\r\n"));
	pop3_flush(s);
	*r = pop3_err(s, "the exchange broke off");
	if (s->lost)
		return false;
	enum stream_result got =
	    stream_line(&s->stream, SMTP_AUTH_LINE_MAX, pop3_deadline(s), line);
	switch (got) {
	case STREAM_OK:
	case STREAM_BARE:
		return true;
	case STREAM_TOO_LONG:
	case STREAM_NUL:
		*r = no_message(s, mechanism);
		return false;
	case STREAM_FLOOD:
		*r = pop3_err(s, "the line does not end");
		r->then = POP3_CLOSE;
		return false;
	case STREAM_EOF:
	case STREAM_TIMEOUT:
	case STREAM_ERROR:
		break;
	}
	pop3_note_end(s, got);
	s->lost = true;
	return false;
}

/* Says why a token was refused: whatever comes then, or if nothing does, it was a try. */
static struct pop3_response
refuse_token(struct pop3_session *s, struct exchange *x, unsigned mechanism, struct str challenge)
{
	struct pop3_response r, heard;
	struct str line;
	bool any = ask_client(s, mechanism, challenge, &line, &heard);

	r = failed(s, x->sasl.user);
	if (!any && heard.then == POP3_CLOSE)
		r.then = POP3_CLOSE;
	return r;
}

/* Takes MESSAGE, and whatever the mechanism wants to hear after it. */
static struct pop3_response
converse(struct pop3_session *s, struct exchange *x, unsigned mechanism, struct str message)
{
	enum exchange_then then = EXCHANGE_SAY;
	struct pop3_response r;
	struct buf out;

	buf_init(&out, SMTP_AUTH_LINE_MAX);
	for (;;) {
		buf_reset(&out);
		if (str_eq(message, STR("*"))) {
			r = pop3_err(s, "you broke it off");
			break;
		}
		then = exchange_take(x, message, &out);
		forget(message);
		if (then == EXCHANGE_MALFORMED || then == EXCHANGE_NOT_BASE64)
			r = no_message(s, mechanism);
		else if (then != EXCHANGE_SAY)
			r = answer_to(s, x, then, sasl_name(mechanism), x->sasl.user);
		else if (exchange_is_refused(x))
			r = refuse_token(s, x, mechanism, buf_str(&out));
		if (then != EXCHANGE_SAY || exchange_is_refused(x) ||
		    !ask_client(s, mechanism, buf_str(&out), &message, &r))
			break;
	}
	buf_free(&out);
	return r;
}

static struct pop3_response
begin(struct pop3_session *s, unsigned mechanism, bool has_initial, struct str message)
{
	struct exchange x = exchange_new(s);
	struct pop3_response r;
	struct buf out;

	buf_init(&out, SMTP_AUTH_LINE_MAX);
	exchange_start(&x, mechanism, offered(s), &out);
	/* RFC 5034 4: "=" is an initial response that is empty. */
	if (has_initial && str_eq(message, STR("=")))
		message = str_head(message, 0);
	if (has_initial && !sasl_is_client_first(mechanism))
		r = pop3_err(s, "this mechanism has no initial response");
	else if (has_initial || ask_client(s, mechanism, buf_str(&out), &message, &r))
		r = converse(s, &x, mechanism, message);
	buf_free(&out);
	exchange_end(&x);
	return r;
}

struct pop3_response
pop3_auth(struct pop3_session *s, const struct command *c)
{
	unsigned offers = offered(s), mechanism;
	struct str name, message;
	struct pop3_response r;

	if (offers == 0 && !may_login(s))
		return tls_first(s);
	if (c->arg.n == 0) {
		r = pop3_ok(s, "mechanisms");
		r.body = mechanisms_body;
		return r;
	}
	bool has_initial = str_cut(c->arg, ' ', &name, &message);
	mechanism = sasl_mechanism(name);
	if ((mechanism & offers) == 0)
		return pop3_err(s, "this mechanism is not offered");
	if (guess_is_blocked(s->env->conf, s->env->score, &s->env->peer))
		return guessed_enough(s);
	/* From here on C may be gone: the message is another line of the same buffer. */
	return begin(s, mechanism, has_initial, message);
}
