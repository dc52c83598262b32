/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_session -- the SMTP session: the table of verbs and the loop.
 *
 * States and what moves between them:
 *
 *   START --HELO,EHLO--> GREETED --MAIL--> MAIL --RCPT--> RCPT --DATA-->
 *   GREETED, or RCPT --BDAT--> BDAT --BDAT LAST--> GREETED.  EHLO, HELO and
 *   RSET lead back to GREETED, STARTTLS to START.
 *
 * The loop reads a line, finds the verb, checks that the state allows it
 * ("503"), that TLS is there where it must be, counts errors and commands
 * that lead nowhere, calls the handler and writes its answer.  A handler may
 * ask for a line or a text behind its answer, and gives another answer then.
 *
 * A request to stop is obeyed between two commands only: a text that is
 * being received, and a message being stored, come to their end.
 */

#include "smtpd.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "mail/limits.h"
#include "net/proxied.h"
#include "policy/recipient.h"
#include "smtpd_lines.h"

enum {
	V_NEEDS_TLS = 1,	/* refused in the clear where TLS is required */
	V_JUNK = 2,		/* leads nowhere: counted */
	V_LAST = 4		/* its answer is waited for (RFC 2920 3.1) */
};

/* Commands that lead nowhere, between two messages. */
#define JUNK_MAX 100

/* A session holds little; a transaction its recipients. */
#define SESSION_ARENA 65536
#define CLIENT_ARENA 65536
#define LINE_ARENA 65536
/* Lines of tables are up to 64 KiB long, and are read each time that they are asked. */
#define ROW_ARENA (16u << 20)
#define TXN_ARENA_BASE (2u << 20)
#define TXN_ARENA_RCPT 4096
#define REPLY_BUF 16384
/* A header as it is gathered, and a full stream buffer behind it. */
#define TEXT_BUF (MAIL_HEADER_MAX + 2 * 65536)

struct verb {
	const char *name;
	const char *count_name;	/* in the line at the end */
	unsigned states;
	unsigned flags;
	struct answer (*run)(struct session *s, const struct command *c);
};

/* clang-format off */
static const struct verb verbs[] = {
	/* verb       counted as  valid in states             flags        handler */
	{ "HELO",     "helo",     S_ANY,                      V_JUNK | V_LAST, smtpd_helo },
	{ "EHLO",     "ehlo",     S_ANY,                      V_JUNK | V_LAST, smtpd_ehlo },
	{ "STARTTLS", "starttls", S_ANY & ~S_START,           0,           smtpd_starttls },
	{ "AUTH",     "auth",     S_GREETED,                  V_NEEDS_TLS | V_LAST, smtpd_auth },
	{ "MAIL",     "mail",     S_GREETED,                  V_NEEDS_TLS, smtpd_mail },
	{ "RCPT",     "rcpt",     S_MAIL | S_RCPT,            V_NEEDS_TLS, smtpd_rcpt },
	{ "DATA",     "data",     S_RCPT,                     V_NEEDS_TLS | V_LAST, smtpd_data },
	{ "BDAT",     "bdat",     S_ANY,                      0,           smtpd_bdat },
	{ "RSET",     "rset",     S_ANY,                      V_JUNK,      smtpd_rset },
	{ "NOOP",     "noop",     S_ANY,                      V_JUNK,      smtpd_noop },
	{ "VRFY",     "vrfy",     S_ANY,                      V_JUNK | V_NEEDS_TLS, smtpd_vrfy },
	{ "EXPN",     "expn",     S_ANY,                      V_JUNK | V_NEEDS_TLS, smtpd_expn },
	{ "ETRN",     "etrn",     S_ANY & ~S_TXN,             V_JUNK | V_NEEDS_TLS, smtpd_etrn },
	{ "XCLIENT",  "xclient",  S_ANY & ~S_TXN,             0,           smtpd_xclient },
	{ "XFORWARD", "xforward", S_ANY & ~S_TXN,             V_JUNK,      smtpd_xforward },
	{ "TURN",     "turn",     S_ANY,                      0,           smtpd_unimplemented },
	{ "SEND",     "send",     S_ANY,                      0,           smtpd_unimplemented },
	{ "SOML",     "soml",     S_ANY,                      0,           smtpd_unimplemented },
	{ "SAML",     "saml",     S_ANY,                      0,           smtpd_unimplemented },
	{ "HELP",     "help",     S_ANY,                      V_JUNK,      smtpd_help },
	{ "QUIT",     "quit",     S_ANY,                      0,           smtpd_quit },
};
/* clang-format on */
#define VERB_N ARRAY_LEN(verbs)
_Static_assert(VERB_N < VERBS_MAX, "a place for what is no verb");

const char *
session_verb_name(size_t i)
{
	if (i > VERB_N)
		return NULL;
	return i < VERB_N ? verbs[i].count_name : "unknown";
}

/* The place of a verb; VERB_N if there is none of that name. */
static size_t
verb_find(struct str name)
{
	size_t i = 0;

	while (i < VERB_N && !str_ieq(name, str_c(verbs[i].name)))
		i++;
	return i;
}

void
session_enter(struct session *s, enum session_state state)
{
	if (state == S_START || state == S_GREETED) {
		text_abort(s);
		spf_forget(s);
		check_forget_mail(s);
		s->txn = (struct txn){ 0 };
		forwarded_forget(s);
		arena_reset(&s->txn_arena);
		session_score(s, SCORE_COMMAND);
	}
	/* RFC 3207 4.2: under TLS nothing of before is known. */
	if (state == S_START) {
		s->helo = STR("");
		s->esmtp = false;
		s->user = s->app = "";
	}
	s->state = state;
}

/* Protocol errors: not refusals of a sender, a recipient or a message. */
static bool
is_protocol_error(int code)
{
	return (code >= 500 && code <= 504) || code == 530 ||
	    (code >= 534 && code <= 538) || code == 555;
}

/* ---- what is no SMTP ---------------------------------------------------- */

/*
 * A browser that was made to speak to a mail port, the middle of a message
 * that is taken for commands, a proxy that is not listed: what follows is not
 * meant for us.
 */
static bool
is_foreign(struct str line)
{
	static const char *const methods[] = { "GET", "POST", "CONNECT",
		"HEAD", "PUT", "OPTIONS", "DELETE", "PATCH", "TRACE", "PROXY" };
	struct str word;

	if (line.n > 0 && !(line.p[0] >= 'A' && line.p[0] <= 'Z') &&
	    !(line.p[0] >= 'a' && line.p[0] <= 'z'))
		return true;
	word = str_word(&line);
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (str_ieq(word, str_c(methods[i])))
			return true;
	return false;
}

static struct answer
refuse_foreign(struct session *s, struct str line)
{
	log_warn(NULL, "non-SMTP command from %s: " STR_FMT, s->client,
	    STR_ARG(str_head(line, 100)));
	return (struct answer){ .code = 421, .enhanced = "4.7.0",
		.text = STR("This port speaks SMTP, and only SMTP"),
		.then = THEN_CLOSE };
}

/* ---- who does not wait ------------------------------------------------------ */

/* Something was said out of turn, after s->last: noted, and an end if that is wished. */
static struct answer
out_of_turn(struct session *s, int code, const char *enhanced)
{
	log_info(NULL, "improper command pipelining after %s from %s", s->last,
	    s->client);
	s->was_early = true;
	if (s->conf->limits.early_talkers == EARLY_NOTE)
		return (struct answer){ .code = 0 };
	return (struct answer){ .code = code, .enhanced = enhanced,
		.text = STR("Commands were sent before their turn"),
		.then = THEN_CLOSE };
}

/*
 * RFC 2920 3.1: what changes the state of both is the last of a group; and
 * who did not see PIPELINING on offer has no groups.
 */
static struct answer
check_turn(struct session *s, const struct verb *v)
{
	bool alone = !s->esmtp || (v->flags & V_LAST) != 0;

	if (s->was_early || s->local || !alone ||
	    stream_pending(s->stream) == 0)
		return (struct answer){ .code = 0 };
	return out_of_turn(s, 503, "5.5.0");
}

/* ---- one command -------------------------------------------------------- */

/* RFC 7504: whoever comes is to go. */
static bool
takes_no_mail(const struct session *s)
{
	return s->env->listen != NULL && s->env->listen->no_mail;
}

bool
smtpd_tls_missing(const struct session *s)
{
	const struct conf_listen *l = s->env->listen;

	return l != NULL && l->tls == LISTEN_TLS_REQUIRED && s->tls == NULL &&
	    !s->local;
}

static struct answer
out_of_order(const struct session *s, size_t verb)
{
	if (s->state == S_START)
		return ANSWER(503, "5.5.1", "EHLO first");
	if (s->state == S_BDAT)
		return ANSWER(503, "5.5.1", "BDAT or RSET, please");
	if ((verbs[verb].states & S_GREETED) != 0)
		return ANSWER(503, "5.5.1", "A transaction is under way");
	if (s->state == S_MAIL && s->txn.rejected > 0)
		return ANSWER(554, "5.5.1", "There is no valid recipient");
	if (s->state == S_MAIL)
		return ANSWER(503, "5.5.1", "RCPT first");
	return ANSWER(503, "5.5.1", "MAIL first");
}

/* Carries out a line without its CRLF; *VERB becomes its place. */
static struct answer
command(struct session *s, struct str line, size_t *verb)
{
	struct command c = command_parse(line);
	size_t i = verb_find(c.verb);
	struct answer a;
	bool junk;

	*verb = i;
	if (i == VERB_N) {
		if (is_foreign(line))
			return refuse_foreign(s, line);
		s->last = "UNKNOWN";
		return ANSWER(500, "5.5.2", "This is no command");
	}
	s->last = verbs[i].name;
	/* RFC 5321 3.1, as after 554. */
	if (takes_no_mail(s) && verbs[i].run != smtpd_quit)
		return ANSWER(503, "5.5.1", "There is nothing to say here but QUIT");
	a = check_turn(s, &verbs[i]);
	if (a.code != 0)
		return a;
	if (line.n + 2 > SMTP_COMMAND_MAX && verbs[i].run != smtpd_auth &&
	    verbs[i].run != smtpd_bdat)
		return ANSWER(500, "5.5.2", "The line is too long");
	/* A first HELO is none, one more is. */
	junk = (verbs[i].flags & V_JUNK) != 0 &&
	    (s->state != S_START || i > 1);
	if (junk && ++s->junk > JUNK_MAX)
		s->errors++;
	if ((verbs[i].flags & V_NEEDS_TLS) != 0 && smtpd_tls_missing(s))
		return ANSWER(530, "5.7.0",
		    "Must issue a STARTTLS command first");
	if ((verbs[i].states & s->state) == 0)
		return out_of_order(s, i);
	return verbs[i].run(s, &c);
}

/* A line that is not as RFC 5321 2.3.8 wants it is no command at all. */
static struct answer
malformed(struct session *s, enum stream_result r, struct str line)
{
	if (r == STREAM_FLOOD)
		return (struct answer){ .code = 421, .enhanced = "4.7.0",
			.text = STR("The line is far too long"),
			.then = THEN_CLOSE };
	/* What it meant to send behind it would be read as commands. */
	if (str_istarts(line, STR("BDAT"))) {
		s->last = "BDAT";
		return (struct answer){ .code = 500, .enhanced = "5.5.2",
			.text = r == STREAM_TOO_LONG ? STR("The line is too long") :
						       STR("Lines end with CRLF"),
			.then = THEN_CLOSE };
	}
	if (r == STREAM_TOO_LONG)
		return ANSWER(500, "5.5.2", "The line is too long");
	if (is_foreign(line))
		return refuse_foreign(s, line);
	s->last = "UNKNOWN";
	return r == STREAM_NUL ?
	    ANSWER(500, "5.5.2", "There is a NUL in the line") :
	    ANSWER(500, "5.5.2", "Lines end with CRLF, and hold no other "
				 "CR or LF");
}

/* Answers that ask for more are given here; the last one is returned. */
static struct answer
converse(struct session *s, struct answer a)
{
	while (a.then == THEN_LINE || a.then == THEN_TEXT) {
		struct str line;
		enum stream_result r;

		session_answer(s, &a);
		if (a.then == THEN_TEXT) {
			a = smtpd_text(s);
			continue;
		}
		r = session_line(s, SMTP_AUTH_LINE_MAX, &line);
		a = smtpd_auth_line(s, r, line);
	}
	return a;
}

/* Replaces the answer to one error too many. */
static struct answer
count_errors(struct session *s, struct answer a)
{
	/* A user may mistype a password, however full it is here. */
	bool hurried = !s->submission && session_hurried(s);

	if (is_protocol_error(a.code))
		s->errors++;
	if (s->conf->limits.errors == 0 ||
	    s->errors < (hurried ? 1 : s->conf->limits.errors) ||
	    a.then == THEN_CLOSE || a.then == THEN_GONE)
		return a;
	log_info(NULL, "too many errors after %s from %s", s->last,
	    s->client);
	return (struct answer){ .code = 421, .enhanced = "4.7.0",
		.text = STR("Too many errors"), .then = THEN_CLOSE };
}

/* Reads and carries out one command. */
static enum then
step(struct session *s)
{
	struct str line;
	enum stream_result r;
	struct answer a;
	size_t verb = VERB_N;

	arena_reset(&s->line_arena);
	arena_reset(&s->row_arena);
	r = session_line(s, SMTP_AUTH_LINE_MAX, &line);
	if (r == STREAM_EOF || r == STREAM_TIMEOUT || r == STREAM_ERROR)
		return session_gone(s, r).then;
	a = r == STREAM_OK ? command(s, line, &verb) : malformed(s, r, line);
	a = count_errors(s, converse(s, a));
	s->tried[verb]++;
	if (a.code < 400 && a.code != 0)
		s->done[verb]++;
	session_answer(s, &a);
	if (a.then != THEN_TLS)
		return a.then;
	session_flush(s);
	return session_secure(s) < 0 ? THEN_GONE : THEN_NEXT;
}

/* ---- the session -------------------------------------------------------- */

/* CONFORMANCE S-27: whoever is not listed says nothing about who he is. */
static enum then
refuse_proxy(const struct session *s)
{
	log_warn(NULL, "a PROXY header from %s, which is not in access.proxies",
	    s->client);
	return THEN_GONE;
}

/* Whom we know is not kept waiting, and who is at this host. */
static int64_t
greet_delay(const struct session *s)
{
	const struct addr *peer = &s->env->peer;

	if (s->submission || addr_octets(peer) == NULL || addr_is_loopback(peer) ||
	    session_listed(s, &s->conf->access.relay))
		return 0;
	return s->conf->limits.greet_delay;
}

/*
 * Speaks first.  A client that does so is no mail server that keeps to
 * RFC 5321 4.3.1; it is noted or refused, and refused if it speaks TLS.
 */
static enum then
greet(struct session *s)
{
	struct answer banner = { .code = 220 };
	struct str early = STR("");
	struct answer refusal;
	enum stream_result r;

	if (s->tls == NULL && s->fd >= 0 && !s->local &&
	    session_early(s, greet_delay(s), &early) == STREAM_OK &&
	    !tls_is_hello(early)) {
		if (proxied_begins(early))
			return refuse_proxy(s);
		refusal = out_of_turn(s, 554, "5.5.1");
		session_answer(s, &refusal);
		if (refusal.code != 0)
			return refusal.then;
	}
	refusal = check_banner(s);
	if (refusal.code != 0) {
		log_reject(s, "CONNECT", &refusal, NULL, NULL);
		session_answer(s, &refusal);
		return refusal.then;
	}
	banner.text = str_c(arena_printf(&s->client_arena, "%s ESMTP barid",
	    s->env->hostname));
	if (takes_no_mail(s)) {
		banner = (struct answer){ .code = 521, .enhanced = "5.3.2",
			.text = str_c(arena_printf(&s->client_arena, "%s takes no mail",
			    s->env->hostname)) };
		log_reject(s, "CONNECT", &banner, NULL, NULL);
	}
	session_answer(s, &banner);
	r = session_peek(s, &early);
	if (r != STREAM_OK)
		return session_gone(s, r).then;
	if (s->tls != NULL || !tls_is_hello(early))
		return THEN_NEXT;
	log_info(NULL,
	    "a TLS handshake in the clear from %s: its mail program is set "
	    "to TLS from the start, which this port does not speak",
	    s->client);
	banner = (struct answer){ .code = 421, .enhanced = "4.7.0",
		.text = STR("This port does not start with TLS") };
	session_answer(s, &banner);
	return THEN_CLOSE;
}

void
session_run(struct session *s)
{
	const struct conf_listen *l = s->env->listen;
	enum then then = THEN_NEXT;

	log_connect(s);
	session_score(s, SCORE_CONNECT);
	if (l != NULL && l->tls == LISTEN_TLS_IMPLICIT && s->fd >= 0 &&
	    session_secure(s) < 0)
		then = THEN_GONE;
	if (then == THEN_NEXT)
		then = greet(s);
	while (then == THEN_NEXT)
		then = step(s);
	if (then == THEN_CLOSE)
		session_flush(s);
	log_disconnect(s);
	/* After QUIT nothing comes any more. */
	if (then == THEN_CLOSE && strcmp(s->last, "QUIT") != 0)
		session_linger(s);
}

static const char *
client_address(struct session *s)
{
	struct buf b;
	const char *p;

	if (s->local || addr_family(&s->env->peer) == AF_UNIX)
		return "local";
	buf_init(&b, 128);
	addr_add(&b, &s->env->peer);
	p = arena_cstr(&s->client_arena, buf_str(&b));
	buf_free(&b);
	return p;
}

/* FEATURES A2: who need not log in goes by the word that stands for them. */
static void
find_trust(struct session *s)
{
	const struct addr *peer = &s->env->peer;

	s->trusted[0] = '\0';
	if (s->local || s->env->users == NULL || addr_octets(peer) == NULL ||
	    !userset_trusts(s->env->users, addr_family(peer), addr_octets(peer), s->trusted))
		return;
	log_info(NULL, "%s needs no login, trusted=%s", s->client, s->trusted);
}

void
session_meet(struct session *s, const char *name)
{
	s->address = client_address(s);
	if (name == NULL)
		name = strcmp(s->address, "local") == 0 ? "localhost" :
							  "unknown";
	s->named = strcmp(name, "unknown") != 0 ?
	    arena_cstr(&s->client_arena, str_c(name)) : "unknown";
	s->client = arena_printf(&s->client_arena, "%s[%s]", s->named, s->address);
	find_trust(s);
	check_begin(s);
	identity_begin(s);
}

void
session_forget(struct session *s)
{
	session_enter(s, S_START);
	arena_reset(&s->client_arena);
	memset(s->tried, 0, sizeof(s->tried));
	memset(s->done, 0, sizeof(s->done));
	s->errors = s->junk = s->auth_failures = 0;
	/* It was the peer's who speaks for somebody else now. */
	s->certificate = NULL;
}

struct client_facts
session_facts(const struct session *s)
{
	return (struct client_facts){ .peer = s->env->peer,
		.authenticated = s->user[0] != '\0' || s->local || s->trusted[0] != '\0',
		.submission = s->submission, .certificate = s->certificate };
}

bool
session_listed(const struct session *s, const struct conf_nets *nets)
{
	return access_listed(nets, &s->env->peer);
}

void
session_init(struct session *s, const struct session_env *env,
    struct stream *stream, int fd)
{
	const struct conf *c = env->conf;
	size_t rcpts = c->limits.recipients < SIZE_MAX / 2 / TXN_ARENA_RCPT ?
	    (size_t)c->limits.recipients : SIZE_MAX / 2 / TXN_ARENA_RCPT;

	*s = (struct session){ .env = env, .conf = c, .stream = stream,
		.fd = fd, .tls_facts = "", .user = "", .app = "",
		.helo = STR(""), .last = "CONNECT",
		.state = S_START };
	arena_init(&s->arena, SESSION_ARENA);
	arena_init(&s->client_arena, CLIENT_ARENA);
	arena_init(&s->line_arena, LINE_ARENA);
	arena_init(&s->row_arena, ROW_ARENA);
	arena_init(&s->txn_arena, TXN_ARENA_BASE + rcpts * TXN_ARENA_RCPT);
	buf_init(&s->out, REPLY_BUF);
	buf_init(&s->text, TEXT_BUF);
	s->local = env->to_drop || env->local_user != NULL;
	s->submission = env->listen != NULL &&
	    env->listen->service == SERVICE_SUBMISSION;
	s->may_xclient = !s->local &&
	    session_listed(s, &c->access.xclient);
	s->may_xforward = !s->local &&
	    session_listed(s, &c->access.xforward);
	session_meet(s, NULL);
}

void
session_free(struct session *s)
{
	text_abort(s);
	spf_forget(s);
	check_forget(s);
	identity_free(s);
	tls_free(s->tls);
	auth_end(s);
	buf_free(&s->text);
	buf_free(&s->out);
	arena_free(&s->row_arena);
	arena_free(&s->line_arena);
	arena_free(&s->txn_arena);
	arena_free(&s->client_arena);
	arena_free(&s->arena);
}

static void
serve(const struct session_env *env, struct stream *stream, int fd)
{
	struct session s;

	session_init(&s, env, stream, fd);
	session_run(&s);
	/* A session that has a process to itself leaves its memory to it. */
	if (env->slot != NULL) {
		tls_goodbye(s.tls);
		return;
	}
	session_free(&s);
	stream_free(stream);
}

/* Apart: a session of a network has no use for its buffer. */
static NOINLINE void
serve_program(const struct session_env *env, struct stream_fd *fd)
{
	struct smtpd_lines lines;
	struct stream stream;

	smtpd_lines_init(&lines, &stream_fd_ops, fd);
	stream_init(&stream, &smtpd_lines_ops, &lines);
	serve(env, &stream, -1);
}

void
smtpd_serve(const struct session_env *env, int rfd, int wfd)
{
	struct stream_fd fd;
	struct stream stream;

	stream_fd_init(&fd, rfd, wfd);
	if (env->to_drop) {
		serve_program(env, &fd);
		return;
	}
	stream_init(&stream, &stream_fd_ops, &fd);
	serve(env, &stream, rfd == wfd ? rfd : -1);
}
