/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * login -- who it is that asks for a page.
 *
 * A person types a password into a page and gets a cookie with a random token
 * (sessions.h); a program sends its password with each request (RFC 7617).
 * Both passwords go to barid-auth, whose list of backends decides as it does
 * for mail, and who says a wrong one is counted with those who do so there.  The
 * account has to be an administrator's besides.
 *
 * What changes something comes by POST, from a form of ours: that has a token
 * which no other site can know, and a browser says where it comes from.
 */

#include "admin.h"

#include <errno.h>
#include <poll.h>

#include "answer.h"
#include "html.h"
#include "ipc/channel.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/random.h"
#include "mail/text.h"
#include "policy/blocklist.h"
#include "policy/guess.h"
#include "policy/recipient.h"

#define CALL_MS 70000
#define TOKEN_OCTETS 16
/* A page of the login is good for so long. */
#define FORM_MS (3600 * INT64_C(1000))
#define RETRY_SECONDS "30"
#define CHALLENGE "Basic realm=\"barid\", charset=\"UTF-8\""

/* ---- tokens -------------------------------------------------------------------------- */

/* Adds what only this process makes of KIND and TEXT. */
static void
add_mac(const struct visit *v, struct buf *b, const char *kind, struct str text)
{
	unsigned char out[SHA256_SIZE];
	struct buf in;

	buf_init(&in, 4096);
	buf_addf(&in, "%s\n" STR_FMT, kind, STR_ARG(text));
	if (buf_ok(&in) &&
	    hmac_sha256(str_n((const char *)v->a->key, KEY_SIZE), buf_str(&in), out) == 0)
		hex_add(b, str_n((const char *)out, TOKEN_OCTETS));
	else
		b->err = true;
	buf_free(&in);
}

/* Of the page of the login, made at WHEN for this client. */
static void
add_login_token(const struct visit *v, struct buf *b, uint64_t when)
{
	struct buf text;

	buf_init(&text, 256);
	buf_addu(&text, when);
	buf_add(b, buf_str(&text));
	buf_addc(b, '-');
	buf_addf(&text, " %s", v->client);
	add_mac(v, b, "login", buf_str(&text));
	buf_free(&text);
}

static void
add_token(const struct visit *v, struct buf *b, uint64_t when)
{
	if (v->by_cookie)
		add_mac(v, b, "form", v->token);
	else
		add_login_token(v, b, when);
}

void
login_add_token(const struct visit *v, struct buf *b)
{
	buf_adds(b, "<input type=\"hidden\" name=\"token\" value=\"");
	add_token(v, b, (uint64_t)clock_ms());
	buf_adds(b, "\">");
}

static bool
has_token(const struct visit *v)
{
	struct str token = request_param(&v->request.form, "token"), when, rest;
	uint64_t made = 0, now = (uint64_t)clock_ms();
	struct buf want;

	if (!v->by_cookie) {
		str_cut(token, '-', &when, &rest);
		if (str_u64(when, now, &made) < 0 || now - made > FORM_MS)
			return false;
	}
	buf_init(&want, 256);
	add_token(v, &want, made);
	bool ok = buf_ok(&want) && token.n == want.n && mem_same(token.p, want.p, want.n);
	buf_free(&want);
	return ok;
}

/* Whether the browser, if it is one, says that a page of ours sent it. */
static bool
is_from_us(const struct request *r)
{
	struct str origin = r->origin, rest;

	if (r->fetch_site.p != NULL && !str_eq(r->fetch_site, STR("same-origin")) &&
	    !str_eq(r->fetch_site, STR("none")))
		return false;
	if (origin.p == NULL)
		return true;
	if (str_istarts(origin, STR("https://")))
		rest = str_skip(origin, 8);
	else if (str_istarts(origin, STR("http://")))
		rest = str_skip(origin, 7);
	else
		return false;
	return str_ieq(rest, r->host);
}

/* A browser sends a password by itself that it was told once, whoever makes it ask. */
static bool
is_browser(const struct request *r)
{
	return r->origin.p != NULL || r->fetch_site.p != NULL || r->referer.p != NULL;
}

bool
login_is_own_form(const struct visit *v, struct answer *answer)
{
	const struct request *r = &v->request;
	bool by_form = v->by_cookie || v->user[0] == '\0';

	if (is_from_us(r) && (by_form ? has_token(v) : !is_browser(r)))
		return true;
	log_warn(NULL, "refused a form of another site, or an old one, ip=%s, path=" STR_FMT
	    "%s%s", v->client, STR_ARG(r->path), v->user[0] ? ", user=" : "", v->user);
	answer_be(answer, 403, "this form is not ours, or too old: load the page again");
	return false;
}

/* ---- blocks --------------------------------------------------------------------------- */

static void
add_retry(struct answer *answer, int64_t ms)
{
	struct buf b;

	buf_init(&b, 32);
	buf_addu(&b, ms > 0 ? (uint64_t)(ms + 999) / 1000 : 1);
	answer_field(answer, "Retry-After", buf_str(&b));
	buf_free(&b);
}

static void
too_many(struct answer *answer, int64_t ms)
{
	answer_be(answer, 429, "too many wrong passwords, come back later");
	add_retry(answer, ms);
}

bool
login_is_blocked(const struct visit *v, struct answer *answer)
{
	struct block b;

	if (access_listed(&v->conf.access.relay, &v->peer) ||
	    !blocklist_has(score_blocks(v->a->score), &v->peer, &b))
		return false;
	if (b.by_hand)
		answer_be(answer, 403, "you are blocked here");
	else
		too_many(answer, b.until_ms - clock_ms());
	return true;
}

/* ---- passwords -------------------------------------------------------------------------- */

static enum auth_verdict
ask(struct visit *v, struct str user, struct str password)
{
	const struct msg_auth m = { .service = STR(AUTH_SERVICE_ADMIN), .mechanism = STR("PLAIN"),
		.user = user, .password = password, .challenge = STR(""),
		.client = str_c(v->client), .listener = str_c(v->ear->conf->name),
		.tls = str_c(v->tls ? tls_version(v->tls) : "") };
	struct msg_auth_result r = { .verdict = AUTH_TEMPORARY };
	struct buf packet, reply;

	buf_init(&packet, FRAME_MAX);
	buf_init(&reply, FRAME_MAX);
	msg_auth_put(&packet, &m);
	if (!buf_ok(&packet))
		r.verdict = AUTH_NO;
	else if (channel_call(v->a->auth, buf_str(&packet), clock_ms() + CALL_MS, &reply) < 0)
		log_error(NULL, "cannot ask the authenticator for %s: %s", v->client,
		    strerror(errno));
	else if (!msg_auth_result_get(buf_str(&reply), &r))
		r = (struct msg_auth_result){ .verdict = AUTH_TEMPORARY };
	/* A yes to nobody is none. */
	if (r.verdict == AUTH_YES && (r.user.n == 0 || r.user.n > SESSION_USER_MAX))
		r.verdict = AUTH_NO;
	if (r.verdict == AUTH_YES)
		v->user = arena_cstr(&v->arena, r.user);
	buf_wipe(&packet);
	buf_wipe(&reply);
	buf_free(&packet);
	buf_free(&reply);
	return r.verdict;
}

/* Waits, so that guessing is slow; not for who is gone, but for who only says no more. */
static void
pause_for_failure(const struct visit *v, int64_t ms)
{
	struct pollfd p = { .fd = v->fd };

	(void)poll(&p, 1, (int)ms);
}

static void
put_login(struct visit *v, struct answer *answer, const char *why)
{
	struct buf *b = &answer->body;

	html_begin(v, b, "Log in");
	if (why)
		buf_addf(b, "<p class=\"bad\">%s</p>\n", why);
	buf_adds(b, "<form method=\"post\" action=\"/login\">");
	login_add_token(v, b);
	buf_adds(b, "<label>User <input name=\"user\" autocomplete=\"username\" autofocus "
		    "required></label>\n<label>Password <input name=\"password\" type=\"password\" "
		    "autocomplete=\"current-password\" required></label>\n"
		    "<button>Log in</button></form>\n");
	if (v->conf.admin.users.n == 0)
		buf_adds(b, "<p>Nobody is an administrator here yet: <code>admin { users = "
			    "{\"NAME\"} }</code> in the configuration says who is.</p>\n");
	html_end(b);
}

static bool
is_login(const struct visit *v)
{
	return str_eq(v->request.path, STR("/login"));
}

/* The same for a wrong user and a wrong password. */
static void
wrong(struct visit *v, struct answer *answer)
{
	if (!is_login(v)) {
		answer_be(answer, 401, "user or password is wrong");
		answer_field(answer, "WWW-Authenticate", STR(CHALLENGE));
		return;
	}
	answer->status = 401;
	/* There must be a challenge (RFC 9110 11.6.1), and a browser is to ask by the page. */
	answer_field(answer, "WWW-Authenticate", STR("Cookie realm=\"barid\""));
	put_login(v, answer, "User or password is wrong.");
}

static void
failed(struct visit *v, struct str user, struct answer *answer)
{
	struct guess g;

	score_add(v->a->score, COUNT_AUTH_FAILED, 1);
	log_info(NULL, "LOGIN FAILED, user=" STR_FMT ", ip=[%s]", STR_ARG(str_head(user, 128)),
	    v->client);
	g = guess_wrong(&v->conf, v->a->score, &v->peer, user, 1);
	pause_for_failure(v, g.delay_ms);
	if (g.blocked)
		too_many(answer, v->conf.auth.block_time);
	else
		wrong(v, answer);
}

static void
not_now(const struct visit *v, struct answer *answer)
{
	log_warn(NULL, "authentication is not possible now, ip=[%s]", v->client);
	answer_be(answer, 503, "logging in is not possible now, come back later");
	answer_field(answer, "Retry-After", STR(RETRY_SECONDS));
}

static void
not_admin(struct visit *v, struct answer *answer)
{
	log_warn(NULL, "LOGIN refused, user=%s, ip=[%s]: %s", v->user, v->client,
	    v->conf.admin.users.n > 0 ? "admin.users has no such account" :
					"admin.users is empty: nobody is an administrator");
	v->user = "";
	answer_be(answer, 403, v->conf.admin.users.n > 0 ?
	    "this account is no administrator: admin.users of the configuration says who is" :
	    "nobody is an administrator here yet: admin.users of the configuration says who is");
}

/* Whether PASSWORD is USER's, and he may be here: then it is he.  Else it is answered. */
static bool
prove(struct visit *v, struct str user, struct str password, struct answer *answer)
{
	enum auth_verdict verdict = AUTH_NO;

	if (user.n > 0 && user.n <= SESSION_USER_MAX && !str_has_ctl(user) && password.n > 0)
		verdict = ask(v, user, password);
	if (verdict == AUTH_TEMPORARY) {
		not_now(v, answer);
	} else if (verdict != AUTH_YES) {
		failed(v, user, answer);
	} else if (!conf_is_admin(&v->conf.admin, str_c(v->user))) {
		not_admin(v, answer);
	} else {
		score_add(v->a->score, COUNT_AUTH_OK, 1);
		return true;
	}
	return false;
}

/* RFC 7617 2. */
static enum login
by_password(struct visit *v, struct answer *answer)
{
	struct str rest = v->request.authorization, scheme = str_word(&rest), user, password;
	struct buf b;
	bool ok = false;

	buf_init(&b, 4096);
	if (!str_ieq(scheme, STR("Basic")) || base64_decode(str_trim(rest), &b) < 0 ||
	    !buf_ok(&b) || !str_cut(buf_str(&b), ':', &user, &password))
		answer_be(answer, 400, "this is no Basic authorization");
	else
		ok = prove(v, user, password, answer);
	if (ok)
		log_debug(NULL, "LOGIN, user=%s, ip=[%s], method=Basic", v->user, v->client);
	buf_wipe(&b);
	buf_free(&b);
	return ok ? LOGIN_YES : LOGIN_ANSWERED;
}

/* ---- cookies -------------------------------------------------------------------------- */

/* Its prefix is a promise of browsers: over TLS, of this host and no other. */
static const char *
cookie_name(const struct visit *v)
{
	return v->tls ? "__Host-barid" : "barid";
}

static bool
by_cookie(struct visit *v)
{
	struct str token = request_cookie(&v->request, cookie_name(v));
	unsigned char id[SHA256_SIZE];
	const struct session *s;
	int64_t now = clock_ms();

	if (token.n != 2 * TOKEN_OCTETS || session_id(token, id) < 0 ||
	    (s = sessions_find(&v->a->sessions, id, now)) == NULL ||
	    !conf_is_admin(&v->conf.admin, str_c(s->user)))
		return false;
	v->user = s->user;
	v->by_cookie = true;
	v->token = token;
	if (!note_send(v->a, NOTE_TOUCH, id, ""))
		log_debug(NULL, "a session cannot be kept alive");
	return true;
}

/* The cookie, or with an empty TOKEN none any more. */
static void
set_cookie(const struct visit *v, struct answer *answer, struct str token)
{
	struct buf b;

	buf_init(&b, 512);
	buf_addf(&b, "%s=" STR_FMT "; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s",
	    cookie_name(v), STR_ARG(token),
	    token.n > 0 ? (long long)SESSION_LIFE_MS / 1000 : 0LL, v->tls ? "; Secure" : "");
	answer_field(answer, "Set-Cookie", buf_str(&b));
	buf_free(&b);
}

static void
begin(struct visit *v, struct answer *answer)
{
	unsigned char random[TOKEN_OCTETS], id[SHA256_SIZE];
	struct buf token;

	random_bytes(random, sizeof(random));
	buf_init(&token, 64);
	hex_add(&token, str_n((const char *)random, sizeof(random)));
	if (session_id(buf_str(&token), id) < 0 || !note_send(v->a, NOTE_BEGIN, id, v->user)) {
		not_now(v, answer);
	} else {
		log_info(NULL, "LOGIN, user=%s, ip=[%s], method=page%s%s", v->user, v->client,
		    v->tls ? ", tls=" : "", v->tls ? tls_version(v->tls) : "");
		answer_see(answer, "/");
		set_cookie(v, answer, buf_str(&token));
	}
	buf_wipe(&token);
	buf_free(&token);
}

void
login_page(struct visit *v, struct answer *answer)
{
	const struct request_params *f = &v->request.form;

	if (v->request.method != REQUEST_POST)
		put_login(v, answer, NULL);
	else if (login_is_own_form(v, answer) &&
	    prove(v, request_param(f, "user"), request_param(f, "password"), answer))
		begin(v, answer);
}

void
login_end(struct visit *v, struct answer *answer)
{
	unsigned char id[SHA256_SIZE];

	if (!v->by_cookie) {
		answer_see(answer, "/login");
		return;
	}
	if (session_id(v->token, id) < 0 || !note_send(v->a, NOTE_END, id, "")) {
		not_now(v, answer);
		return;
	}
	log_info(NULL, "LOGOUT, user=%s, ip=[%s]", v->user, v->client);
	answer_see(answer, "/login");
	set_cookie(v, answer, STR(""));
}

/* ---- either ------------------------------------------------------------------------------ */

enum login
login_look(struct visit *v, struct answer *answer)
{
	if (by_cookie(v))
		return LOGIN_YES;
	return v->request.authorization.p != NULL ? by_password(v, answer) : LOGIN_NOBODY;
}

static bool
takes_html(struct str accept)
{
	return accept.n >= 9 && memmem(accept.p, accept.n, "text/html", 9) != NULL;
}

void
login_demand(const struct visit *v, struct answer *answer)
{
	if (v->request.method == REQUEST_GET && takes_html(v->request.accept)) {
		answer_see(answer, "/login");
		return;
	}
	answer_be(answer, 401, "log in first");
	answer_field(answer, "WWW-Authenticate", STR(CHALLENGE));
}
