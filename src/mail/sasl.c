/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * sasl -- what is said in the exchange of each SASL mechanism, on the
 * server's side.
 *
 * Nobody may act for somebody else here, so an authorization identity is
 * accepted only where it repeats the user.  A name with control characters is
 * somebody's trick, and no message.  Who is refused by a mechanism that has
 * words for it (RFC 7628 3.2.2) hears them, answers, and is refused then.
 */

#include "mail/sasl.h"

#include <errno.h>

#include "lib/log.h"
#include "mail/cram.h"
#include "mail/limits.h"
#include "mail/text.h"

#define ARENA_MAX ((size_t)8 * SMTP_AUTH_LINE_MAX)
#define USER_MAX 255

struct mechanism {
	unsigned bit;
	const char *name;
	bool client_first;
	/* Takes message number TURN, from 0 on. */
	enum sasl_then (*take)(struct sasl *s, struct str response, struct buf *out);
};

/* ---- one message that says all --------------------------------------------- */

/* Whether USER may be asked about, with this PROOF of what CHALLENGE says. */
static enum sasl_then
ask(struct sasl *s, struct str user, struct str proof, struct str challenge)
{
	bool token = (s->setup.mechanism & SASL_TOKEN) != 0;

	s->user = user;
	s->proof = proof;
	s->challenge = challenge;
	if (str_has_ctl(user) || str_find(proof, '\0') >= 0)
		return SASL_MALFORMED;
	if (user.n > USER_MAX || !str_is_utf8(user))
		return SASL_REFUSED;
	/* A token may say itself whose it is. */
	return user.n == 0 && !token ? SASL_REFUSED : SASL_ASK;
}

/* RFC 4616 2: [authzid] NUL authcid NUL passwd. */
static enum sasl_then
plain(struct sasl *s, struct str response, struct buf *out UNUSED)
{
	struct str authzid, user, password;
	enum sasl_then then;

	if (!str_cut(response, '\0', &authzid, &response) ||
	    !str_cut(response, '\0', &user, &password))
		return SASL_MALFORMED;
	then = ask(s, user, password, STR(""));
	if (then != SASL_MALFORMED && authzid.n > 0 && !str_eq(authzid, user))
		return SASL_REFUSED;
	return then;
}

static enum sasl_then
login(struct sasl *s, struct str response, struct buf *out)
{
	if (s->turn > 0)
		return ask(s, s->user, response, STR(""));
	s->user = response;
	buf_adds(out, "Password:");
	return SASL_SAY;
}

/* RFC 2195 2: the user, and behind the last space the HMAC in hexadecimal. */
static enum sasl_then
cram(struct sasl *s, struct str response, struct buf *out UNUSED)
{
	size_t digits = 2 * hmac_size(sasl_hash(s->setup.mechanism));
	ptrdiff_t space = str_rfind(response, ' ');

	if (space < 0 || response.n - (size_t)space - 1 != digits)
		return SASL_MALFORMED;
	return ask(s, str_head(response, (size_t)space),
	    str_skip(response, (size_t)space + 1), s->challenge);
}

/* ---- SCRAM ------------------------------------------------------------------- */

static void
scram_begin(struct sasl *s)
{
	const struct sasl_setup *o = &s->setup;

	s->scram = (struct scram_server){ .arena = &s->arena,
		.bindings = o->bindings, .nonce = o->nonce,
		.plus = o->mechanism == SASL_SCRAM_SHA_256_PLUS,
		.plus_offered = (o->offered & SASL_SCRAM_SHA_256_PLUS) != 0 };
}

static enum sasl_then
scram_first(struct sasl *s, struct str response)
{
	struct scram_server *m = &s->scram;
	enum sasl_then then;

	scram_begin(s);
	if (scram_server_first(m, response) < 0) {
		s->user = errno == EPERM ? m->user : STR("");
		return errno == EPERM ? SASL_REFUSED : SASL_MALFORMED;
	}
	then = ask(s, m->user, STR(""), STR(""));
	if (then == SASL_ASK && m->authzid.n > 0 &&
	    !str_eq(m->authzid, m->user))
		return SASL_REFUSED;
	return then;
}

static enum sasl_then
scram(struct sasl *s, struct str response, struct buf *out UNUSED)
{
	struct scram_server *m = &s->scram;

	if (s->turn == 0)
		return scram_first(s, response);
	/* The client has seen our proof, and has nothing to add. */
	if (s->turn == 2)
		return response.n == 0 ? SASL_DONE : SASL_MALFORMED;
	if (scram_server_final(m, response) < 0)
		return errno == EPERM ? SASL_REFUSED : SASL_MALFORMED;
	return ask(s, m->user, m->proof, m->text);
}

/* ---- tokens -------------------------------------------------------------------- */

/* RFC 6750 2.1: the token of "Bearer TOKEN"; empty: it is none. */
static struct str
bearer(struct str value)
{
	struct str scheme = str_word(&value), token = str_trim(value);

	if (!str_ieq(scheme, STR("Bearer")) || str_has_ctl(token) ||
	    str_has_8bit(token) || str_find(token, ' ') >= 0)
		return STR("");
	return token;
}

/* "KEY=VALUE" and control-A, as often as there are some; then one more. */
static bool
token_fields(struct str text, struct str *user, struct str *auth)
{
	struct str field;

	while (str_cut(text, '\001', &field, &text)) {
		if (field.n == 0)
			return text.n == 0;
		if (str_starts(field, STR("user=")) && user != NULL)
			*user = str_skip(field, 5);
		else if (str_starts(field, STR("auth=")))
			*auth = str_skip(field, 5);
	}
	return false;
}

static enum sasl_then token_refused(struct sasl *s, struct buf *out);

/* Without a token the client only wants to hear where to get one. */
static enum sasl_then
ask_token(struct sasl *s, struct str user, struct str auth, struct buf *out)
{
	struct str token = bearer(auth);
	enum sasl_then then = ask(s, user, token, STR(""));

	return then == SASL_ASK && token.n == 0 ? token_refused(s, out) : then;
}

static enum sasl_then
xoauth2(struct sasl *s, struct str response, struct buf *out)
{
	struct str user = STR(""), auth = STR("");

	if (s->refused)
		return SASL_REFUSED;
	if (!token_fields(response, &user, &auth))
		return SASL_MALFORMED;
	return ask_token(s, user, auth, out);
}

/* RFC 7628 3.1: a gs2-header without a binding, then fields. */
static enum sasl_then
oauthbearer(struct sasl *s, struct str response, struct buf *out)
{
	struct str flag, name, rest, auth = STR("");
	struct arena *a = &s->arena;

	if (s->refused)
		return SASL_REFUSED;
	if (!str_cut(response, ',', &flag, &rest) ||
	    !str_cut(rest, ',', &name, &rest) ||
	    !(str_eq(flag, STR("n")) || str_eq(flag, STR("y"))) ||
	    !(name.n == 0 || str_starts(name, STR("a="))) ||
	    !str_starts(rest, STR("\001")))
		return SASL_MALFORMED;
	if (!scram_name_decode(a, str_skip(name, 2), &name) ||
	    !token_fields(str_skip(rest, 1), NULL, &auth))
		return SASL_MALFORMED;
	return ask_token(s, name, auth, out);
}

/* RFC 7628 3.2.2; Google's form of it has the status of HTTP. */
static enum sasl_then
token_refused(struct sasl *s, struct buf *out)
{
	bool google = s->setup.mechanism == SASL_XOAUTH2;

	s->refused = true;
	buf_addf(out, "{\"status\":\"%s\",\"schemes\":\"bearer\"",
	    google ? "401" : "invalid_token");
	if (s->setup.scope[0] != '\0')
		buf_addf(out, ",\"scope\":\"%s\"", s->setup.scope);
	buf_adds(out, "}");
	return SASL_SAY;
}

/* ---- EXTERNAL -------------------------------------------------------------------- */

/* RFC 4422 A.1: the identity that is wanted, or nothing. */
static enum sasl_then
external(struct sasl *s, struct str response, struct buf *out UNUSED)
{
	struct str user = str_c(s->setup.certified);

	if (str_has_ctl(response))
		return SASL_MALFORMED;
	if (response.n > 0 && !str_eq(response, user)) {
		s->user = response;
		return SASL_REFUSED;
	}
	return ask(s, user, str_c(s->setup.certificate), STR(""));
}

/* ---- the table ------------------------------------------------------------------- */

static const struct mechanism mechanisms[] = {
	{ SASL_PLAIN, "PLAIN", true, plain },
	/* The user's name comes along with some clients. */
	{ SASL_LOGIN, "LOGIN", true, login },
	{ SASL_CRAM_MD5, "CRAM-MD5", false, cram },
	{ SASL_CRAM_SHA1, "CRAM-SHA1", false, cram },
	{ SASL_CRAM_SHA256, "CRAM-SHA256", false, cram },
	{ SASL_CRAM_SHA512, "CRAM-SHA512", false, cram },
	{ SASL_SCRAM_SHA_256, "SCRAM-SHA-256", true, scram },
	{ SASL_SCRAM_SHA_256_PLUS, "SCRAM-SHA-256-PLUS", true, scram },
	{ SASL_XOAUTH2, "XOAUTH2", true, xoauth2 },
	{ SASL_OAUTHBEARER, "OAUTHBEARER", true, oauthbearer },
	{ SASL_EXTERNAL, "EXTERNAL", true, external },
};

unsigned
sasl_mechanism(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
		if (str_ieq(name, str_c(mechanisms[i].name)))
			return mechanisms[i].bit;
	return 0;
}

static const struct mechanism *
mechanism_of(unsigned bit)
{
	for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
		if (mechanisms[i].bit == bit)
			return &mechanisms[i];
	panic("sasl: there is no mechanism %u", bit);
}

const char *
sasl_name(unsigned mechanism)
{
	return mechanism_of(mechanism)->name;
}

enum hmac_hash
sasl_hash(unsigned mechanism)
{
	enum hmac_hash hash;

	if (!cram_hash(str_c(sasl_name(mechanism)), &hash))
		panic("sasl: the mechanism %u has no hash", mechanism);
	return hash;
}

bool
sasl_is_client_first(unsigned mechanism)
{
	return mechanism_of(mechanism)->client_first;
}

void
sasl_begin(struct sasl *s, const struct sasl_setup *o)
{
	*s = (struct sasl){ .setup = *o };
	s->user = s->proof = s->challenge = STR("");
	s->ask_by = sasl_name(o->mechanism & SASL_SCRAM ?
	    SASL_SCRAM_SHA_256 : o->mechanism);
	arena_init(&s->arena, ARENA_MAX);
}

void
sasl_end(struct sasl *s)
{
	if (s->setup.mechanism != 0)
		arena_wipe(&s->arena);
	*s = (struct sasl){ 0 };
}

void
sasl_open(struct sasl *s, struct buf *out)
{
	if (s->setup.mechanism == SASL_LOGIN) {
		/* In base64 the only words that some old clients know. */
		buf_adds(out, "Username:");
	} else if (s->setup.mechanism & SASL_CRAM) {
		s->challenge = str_c(arena_printf(&s->arena, "<%s@%s>",
		    s->setup.nonce, s->setup.hostname));
		buf_add(out, s->challenge);
	}
}

enum sasl_then
sasl_take(struct sasl *s, struct str response, struct buf *out)
{
	enum sasl_then then;

	if (response.n > SMTP_AUTH_LINE_MAX)
		return SASL_MALFORMED;
	response = arena_str(&s->arena, response);
	then = mechanism_of(s->setup.mechanism)->take(s, response, out);
	s->turn++;
	return then;
}

enum sasl_then
sasl_judged(struct sasl *s, enum sasl_verdict v, struct str said, struct buf *out)
{
	bool is_scram = (s->setup.mechanism & SASL_SCRAM) != 0;

	/* Parameters come first, and only then a yes. */
	if (v == SASL_MORE && is_scram && s->turn == 1) {
		scram_server_ask(&s->scram, said, out);
		return SASL_SAY;
	}
	if (v == SASL_NO && s->setup.mechanism & SASL_TOKEN)
		return token_refused(s, out);
	if (v != SASL_YES || (is_scram && (s->turn != 2 || said.n == 0)))
		return SASL_REFUSED;
	if (!is_scram)
		return SASL_DONE;
	buf_adds(out, "v=");
	buf_add(out, said);
	return SASL_SAY;
}
