/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pop3d_session -- the loop of a POP3 session.
 *
 * The loop reads a command, looks it up, checks that the state allows it,
 * counts mistakes and writes the response; a handler sees legal commands
 * only.  Nothing is removed from a mailbox but by QUIT in the TRANSACTION
 * state: a session that ends in any other way changes nothing.
 */

#include "pop3d.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "mail/limits.h"

#define BAD_COMMANDS_MAX 20
/* RFC 1939 3: at least ten minutes once logged in. */
#define AUTOLOGOUT_MS (600 * 1000)
#define LOGIN_MS (180 * 1000)
/* Octets in a second that a client takes at least of what it asked for. */
#define RATE_MIN 500

enum { V_ARG = 1, V_NO_ARG = 2, V_RAW_ARG = 4 };

struct verb {
	const char *name;
	unsigned states;
	unsigned flags;
	struct pop3_response (*handler)(struct pop3_session *s, const struct command *c);
};

/* clang-format off */
static const struct verb verbs[] = {
	{ "USER", POP3_AUTHORIZATION,                    V_ARG,        pop3_user },
	{ "PASS", POP3_AUTHORIZATION,                    V_RAW_ARG,    pop3_pass },
	{ "AUTH", POP3_AUTHORIZATION,                    0,            pop3_auth },
	{ "APOP", POP3_AUTHORIZATION,                    V_ARG,        pop3_apop },
	{ "STLS", POP3_AUTHORIZATION,                    V_NO_ARG,     pop3_stls },
	{ "UTF8", POP3_AUTHORIZATION,                    V_NO_ARG,     pop3_utf8 },
	{ "LANG", POP3_AUTHORIZATION | POP3_TRANSACTION, 0,            pop3_lang },
	{ "CAPA", POP3_AUTHORIZATION | POP3_TRANSACTION, V_NO_ARG,     pop3_capa },
	{ "STAT", POP3_TRANSACTION,                      V_NO_ARG,     pop3_stat },
	{ "LIST", POP3_TRANSACTION,                      0,            pop3_list },
	{ "UIDL", POP3_TRANSACTION,                      0,            pop3_uidl },
	{ "RETR", POP3_TRANSACTION,                      V_ARG,        pop3_retr },
	{ "TOP",  POP3_TRANSACTION,                      V_ARG,        pop3_top },
	{ "DELE", POP3_TRANSACTION,                      V_ARG,        pop3_dele },
	{ "RSET", POP3_TRANSACTION,                      V_NO_ARG,     pop3_rset },
	{ "NOOP", POP3_TRANSACTION,                      V_NO_ARG,     pop3_noop },
	{ "QUIT", POP3_AUTHORIZATION | POP3_TRANSACTION, V_NO_ARG,     pop3_quit },
};
/* clang-format on */

static struct pop3_response PRINTF(3, 0)
respond(struct pop3_session *s, bool ok, const char *fmt, va_list ap)
{
	struct buf b;

	buf_init(&b, POP3_RESPONSE_MAX - sizeof("-ERR \r\n"));
	buf_vaddf(&b, fmt, ap);
	struct pop3_response r = { .ok = ok, .text = arena_cstr(&s->line, buf_str(&b)) };
	buf_free(&b);
	return r;
}

struct pop3_response
pop3_ok(struct pop3_session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	struct pop3_response r = respond(s, true, fmt, ap);
	va_end(ap);
	return r;
}

struct pop3_response
pop3_err(struct pop3_session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	struct pop3_response r = respond(s, false, fmt, ap);
	va_end(ap);
	return r;
}

/*
 * Until when the client has to say something.  Before the login that is one
 * time for all it says, so that nothing is won by saying little (CONFORMANCE
 * S-45).
 */
int64_t
pop3_deadline(const struct pop3_session *s)
{
	int64_t ms = s->env->conf->limits.timeout;
	int64_t login_ms = s->env->crowded ? HURRIED_MS : LOGIN_MS;

	if (s->state != POP3_TRANSACTION)
		return s->started_ms + (ms < login_ms ? ms : login_ms);
	return clock_ms() + (ms > AUTOLOGOUT_MS ? ms : AUTOLOGOUT_MS);
}

void
pop3_begin(struct pop3_session *s)
{
	s->response_ms = clock_ms();
	s->octets_before = s->stream.bytes_out;
}

/*
 * Until when the client has to take what is written next.  The system takes a
 * few megabytes for it at once, so that its rate alone says nothing for long.
 */
static int64_t
write_deadline(const struct pop3_session *s)
{
	int64_t timeout = s->env->conf->limits.timeout, next = clock_ms() + timeout;
	int64_t taken = (int64_t)(s->stream.bytes_out - s->octets_before);
	int64_t whole = s->response_ms + timeout + taken * 1000 / RATE_MIN;

	return next < whole ? next : whole;
}

/* R ended the connection, or did not. */
static void
wrote(struct pop3_session *s, enum stream_result r)
{
	if (r == STREAM_TIMEOUT)
		log_info(NULL, "timeout while sending, user=%s, ip=%s", s->user, s->client);
	s->lost = r != STREAM_OK;
}

void
pop3_put(struct pop3_session *s, struct str bytes)
{
	if (!s->lost)
		wrote(s, stream_put(&s->stream, bytes, write_deadline(s)));
}

void
pop3_flush(struct pop3_session *s)
{
	if (!s->lost)
		wrote(s, stream_flush(&s->stream, write_deadline(s)));
}

void
pop3_note_end(const struct pop3_session *s, enum stream_result got)
{
	if (got == STREAM_TIMEOUT)
		log_info(NULL, "timeout, user=%s, ip=%s", s->user, s->client);
}

/* CONFORMANCE S-27: whoever is not listed says nothing about who he is. */
static struct pop3_response
refuse_proxy(struct pop3_session *s)
{
	struct pop3_response r = pop3_err(s, "[SYS/PERM] this port wants no PROXY header");

	log_warn(NULL, "a PROXY header from %s, which is not in access.proxies", s->client);
	r.then = POP3_CLOSE;
	return r;
}

static struct pop3_response
check(struct pop3_session *s, const struct verb *v, const struct command *c)
{
	if (!v && str_ieq(c->verb, STR("PROXY")))
		return refuse_proxy(s);
	if (!v)
		return pop3_err(s, "no such command");
	if (!(v->states & (unsigned)s->state))
		return pop3_err(s, s->state == POP3_AUTHORIZATION
		    ? "log in first" : "this is for the time before the login");
	if ((v->flags & V_ARG) && c->arg.n == 0)
		return pop3_err(s, "an argument is missing");
	if ((v->flags & V_NO_ARG) && c->arg.n > 0)
		return pop3_err(s, "this command has no argument");
	return (struct pop3_response){ 0 };
}

static const struct verb *
find_verb(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (str_ieq(name, str_c(verbs[i].name)))
			return &verbs[i];
	return NULL;
}

static void
write_response(struct pop3_session *s, const struct pop3_response *r)
{
	pop3_begin(s);
	pop3_put(s, r->ok ? STR("+OK") : STR("-ERR"));
	if (r->text[0]) {
		pop3_put(s, STR(" "));
		pop3_put(s, str_c(r->text));
	}
	pop3_put(s, STR("\r\n"));
	if (r->body)
		r->body(s);
}

static struct pop3_response
execute(struct pop3_session *s, struct str line)
{
	struct command c = command_parse(line);
	const struct verb *v = find_verb(c.verb);

	/* RFC 1939 7: spaces may be part of a password, at its end too. */
	if (v && (v->flags & V_RAW_ARG) && line.n > c.verb.n)
		c.arg = str_skip(line, c.verb.n + 1);
	struct pop3_response r = check(s, v, &c);

	if (!r.text)
		r = v->handler(s, &c);
	return r;
}

/* CONFORMANCE S-29: who makes nothing but mistakes is sent away. */
static void
count_mistakes(struct pop3_session *s, struct pop3_response *r)
{
	/* Who is logged in and does sensible work is no guesser of commands. */
	if (r->ok && s->state == POP3_TRANSACTION)
		s->errors = 0;
	if (r->ok || r->ours || r->then == POP3_CLOSE || ++s->errors <= BAD_COMMANDS_MAX)
		return;
	*r = pop3_err(s, "too many errors");
	r->then = POP3_CLOSE;
}

static void
idle(struct pop3_session *s, bool on)
{
	if (s->env->idle_fd)
		*s->env->idle_fd = on ? s->fd : -1;
}

/* The next command's response; false at the end of the connection. */
static bool
step(struct pop3_session *s, struct pop3_response *r)
{
	struct str line;
	enum stream_result got = STREAM_EOF;

	idle(s, true);
	if (!s->env->stop || !*s->env->stop)
		got = stream_line(&s->stream, SMTP_COMMAND_MAX, pop3_deadline(s), &line);
	idle(s, false);

	if (got == STREAM_OK || got == STREAM_BARE) {
		*r = execute(s, line);
	} else if (got == STREAM_TOO_LONG || got == STREAM_NUL) {
		*r = pop3_err(s, got == STREAM_NUL ? "a NUL in a command" : "the line is too long");
	} else if (got == STREAM_FLOOD) {
		*r = pop3_err(s, "the line does not end");
		r->then = POP3_CLOSE;
	} else {
		pop3_note_end(s, got);
		return false;
	}
	count_mistakes(s, r);
	return true;
}

/*
 * A mail program that is set to TLS from the start waits for an answer to its
 * handshake, and we would wait for a line: neither says what is wrong.
 */
static bool
begins_with_tls(struct pop3_session *s)
{
	struct str first = STR("");
	enum stream_result got = STREAM_EOF;

	pop3_flush(s);
	idle(s, true);
	if (!s->lost && (!s->env->stop || !*s->env->stop))
		got = stream_fill(&s->stream, pop3_deadline(s), &first);
	idle(s, false);
	if (got != STREAM_OK || !tls_is_hello(first))
		return false;
	log_info(NULL, "a TLS handshake in the clear, ip=%s: its mail program is set to "
	    "TLS from the start, which this port does not speak", s->client);
	pop3_begin(s);
	pop3_put(s, STR("-ERR [SYS/PERM] this port does not start with TLS\r\n"));
	return true;
}

static bool
stopping(struct pop3_session *s)
{
	if (!s->env->stop || !*s->env->stop)
		return false;
	pop3_begin(s);
	pop3_put(s, STR("-ERR [SYS/TEMP] the server is going down\r\n"));
	return true;
}

void
pop3d_run(struct pop3_session *s)
{
	struct pop3_response r = { 0 };

	pop3_begin(s);
	pop3_put(s, STR("+OK "));
	pop3_put(s, str_c(s->env->hostname));
	pop3_put(s, STR(" POP3 ready"));
	pop3_stamp(s);
	if (s->stamp) {
		pop3_put(s, STR(" "));
		pop3_put(s, str_c(s->stamp));
	}
	pop3_put(s, STR("\r\n"));
	if (!s->tls && begins_with_tls(s))
		r.then = POP3_CLOSE;
	while (!s->lost && r.then != POP3_CLOSE) {
		/* Answers to commands that came together leave together. */
		if (stream_pending(&s->stream) == 0)
			pop3_flush(s);
		if (s->lost || !step(s, &r)) {
			(void)stopping(s);
			break;
		}
		write_response(s, &r);
		arena_reset(&s->line);
		if (r.then == POP3_START_TLS) {
			pop3_flush(s);
			if (s->lost || !pop3_tls_begin(s))
				break;
		}
	}
	pop3_flush(s);
}

void
pop3d_init(struct pop3_session *s, const struct session_env *env)
{
	struct buf b;

	*s = (struct pop3_session){ .env = env, .fd = -1, .state = POP3_AUTHORIZATION,
		.started_ms = clock_ms() };
	buf_init(&s->name, POP3_NAME_MAX);
	arena_init(&s->line, 1 << 20);
	buf_init(&b, sizeof(s->client) - 1);
	buf_addc(&b, '[');
	addr_add(&b, &env->peer);
	buf_addc(&b, ']');
	memcpy(s->client, buf_cstr(&b), b.n + 1);
	buf_reset(&b);
	addr_add(&b, &env->peer);
	memcpy(s->address, buf_cstr(&b), b.n + 1);
	buf_free(&b);
	s->mechanism = s->app = "";
}

void
pop3d_end(struct pop3_session *s)
{
	/* Whose mailbox is still open has not said QUIT, and what he marked stays. */
	if (s->user[0])
		log_info(NULL, "%s, user=%s, ip=%s, retr=%llu, deleted=%llu",
		    s->box_open ? "DISCONNECTED" : "LOGOUT", s->user, s->client,
		    (unsigned long long)s->retrieved, (unsigned long long)s->removed);
	if (s->box_open)
		maildir_close(&s->box);
	stream_free(&s->stream);
	tls_free(s->tls);
	buf_free(&s->name);
	arena_free(&s->line);
}

void
pop3d_serve(const struct session_env *env, int rfd, int wfd)
{
	struct pop3_session s;

	pop3d_init(&s, env);
	s.fd = rfd;
	stream_fd_init(&s.plain, rfd, wfd);
	stream_init(&s.stream, &stream_fd_ops, &s.plain);
	log_debug(NULL, "connect from %s", s.client);
	if (env->listen->tls != LISTEN_TLS_IMPLICIT || pop3_tls_begin(&s))
		pop3d_run(&s);
	log_debug(NULL, "disconnect from %s", s.client);
	pop3d_end(&s);
}
