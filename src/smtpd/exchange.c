/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * exchange -- a login, between the client's lines and barid-auth.
 *
 * The answer to "may this user with this proof log in?" is barid-auth's; a
 * session never sees a password file.  Passwords pass through buffers that
 * are overwritten after use, and are never given to the log.  Nobody there
 * waits for the client: each question stands alone.
 */

#include "smtpd/exchange.h"

#include <errno.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/random.h"
#include "mail/limits.h"
#include "mail/text.h"
#include "policy/certified.h"

#define CALL_MS 70000
/* In base64 the nonce is 24 octets, and has no padding. */
#define NONCE_OCTETS 18

struct login_facts
exchange_facts(const struct session_env *env, bool tls, const struct tls_client *certificate)
{
	const struct conf_listen *l = env->listen;

	return (struct login_facts){ .tls = tls,
		.tls_demanded = l && l->tls == LISTEN_TLS_REQUIRED,
		.digests = env->users ? userset_digests(env->users) : 0,
		.scram = env->users && userset_scram(env->users),
		.certified = certified_user(env->conf, certificate) != NULL };
}

void
exchange_init(struct exchange *x, const struct session_env *env, const struct tls *tls,
    const char *service, const char *client)
{
	*x = (struct exchange){ .env = env, .tls = tls, .service = service, .client = client,
		.box = -1 };
	buf_init(&x->reply, FRAME_MAX);
	buf_init(&x->bindings, 1024);
}

void
exchange_end(struct exchange *x)
{
	sasl_end(&x->sasl);
	if (x->box >= 0)
		close(x->box);
	x->box = -1;
	x->result = (struct msg_auth_result){ .verdict = AUTH_TEMPORARY };
	buf_wipe(&x->reply);
	buf_free(&x->reply);
	buf_wipe(&x->bindings);
	buf_free(&x->bindings);
}

/* ---- questions ------------------------------------------------------------------ */

/* Asks, and has the answer in X's result; a verdict is all that is trusted. */
static enum auth_verdict
call(struct exchange *x, const char *mechanism, struct str user, struct str proof,
    struct str challenge)
{
	const struct msg_auth m = { .service = str_c(x->service), .mechanism = str_c(mechanism),
		.user = user, .password = proof, .challenge = challenge,
		.client = str_c(x->client),
		.listener = str_c(x->env->listen ? x->env->listen->name : ""),
		.tls = str_c(x->tls ? tls_version(x->tls) : "") };
	struct msg_auth_result *r = &x->result;
	struct buf packet;
	int rc = -1;

	if (x->box >= 0)
		close(x->box);
	x->box = -1;
	*r = (struct msg_auth_result){ .verdict = AUTH_TEMPORARY };
	buf_init(&packet, FRAME_MAX);
	msg_auth_put(&packet, &m);
	errno = EMSGSIZE;
	if (buf_ok(&packet))
		rc = channel_call_for(x->env->auth, buf_str(&packet), clock_ms() + CALL_MS,
		    &x->reply, &x->box);
	if (rc < 0)
		log_error(NULL, "cannot ask the authenticator for %s: %s", x->client,
		    strerror(errno));
	else if (!msg_auth_result_get(buf_str(&x->reply), r))
		log_error(NULL, "the authenticator's answer is broken");
	buf_wipe(&packet);
	buf_free(&packet);
	/* A yes to nobody is none. */
	return r->verdict == AUTH_YES && r->user.n == 0 ? AUTH_NO : r->verdict;
}

enum exchange_then
exchange_ask(struct exchange *x, const char *mechanism, struct str user, struct str proof,
    struct str challenge)
{
	switch (call(x, mechanism, user, proof, challenge)) {
	case AUTH_YES:
		return EXCHANGE_YES;
	case AUTH_TEMPORARY:
		return EXCHANGE_LATER;
	case AUTH_NO:
	case AUTH_MORE:
		break;
	}
	return EXCHANGE_NO;
}

/* What SASL wants to know; false: nobody can say. */
static bool
judge(struct exchange *x, enum sasl_then *then, struct buf *out)
{
	struct sasl *s = &x->sasl;
	enum sasl_verdict v = SASL_NO;

	switch (call(x, s->ask_by, s->user, s->proof, s->challenge)) {
	case AUTH_YES:
		v = SASL_YES;
		break;
	case AUTH_MORE:
		v = SASL_MORE;
		break;
	case AUTH_NO:
		break;
	case AUTH_TEMPORARY:
		return false;
	}
	*then = sasl_judged(s, v, x->result.said, out);
	return true;
}

/* ---- the exchange --------------------------------------------------------------- */

/* A view of what ADD has added to B, which does not grow. */
static struct str
added(struct buf *b, const struct tls *t, void (*add)(const struct tls *t, struct buf *out))
{
	size_t before = b->n;

	add(t, b);
	return str_skip(buf_str(b), before);
}

static struct sasl_bindings
bindings(struct exchange *x, const struct tls *t)
{
	struct buf *b = &x->bindings;

	buf_reset(b);
	if (!t || !buf_room(b, 512))
		return (struct sasl_bindings){ STR(""), STR(""), STR("") };
	return (struct sasl_bindings){ .exporter = added(b, t, tls_exporter),
		.unique = added(b, t, tls_unique), .end_point = added(b, t, tls_end_point) };
}

static void
make_nonce(struct exchange *x)
{
	unsigned char random[NONCE_OCTETS];
	struct buf b;

	random_bytes(random, sizeof(random));
	buf_init_in(&b, x->nonce, sizeof(x->nonce));
	base64_add(&b, str_n((const char *)random, sizeof(random)));
}

/* Both fingerprints: barid-auth looks for itself whose they are. */
static void
set_certificate(struct exchange *x, struct sasl_setup *o)
{
	const struct tls_client *t = x->certificate;
	const char *user = certified_user(x->env->conf, t);
	struct buf b;

	if (!user)
		panic("exchange: a certificate that is nobody's");
	buf_init_in(&b, x->certificate_prints, sizeof(x->certificate_prints));
	buf_addf(&b, "%s %s", t->fingerprint, t->key);
	o->certified = user;
	o->certificate = x->certificate_prints;
}

void
exchange_start(struct exchange *x, unsigned mechanism, unsigned offered, struct buf *out)
{
	struct sasl_setup o = { .mechanism = mechanism, .offered = offered, .nonce = x->nonce,
		.hostname = x->env->hostname, .scope = "", .certified = "", .certificate = "" };
	struct buf bytes;

	sasl_end(&x->sasl);
	make_nonce(x);
	o.bindings = bindings(x, mechanism == SASL_SCRAM_SHA_256_PLUS ? x->tls : NULL);
	if (mechanism == SASL_EXTERNAL)
		set_certificate(x, &o);
	sasl_begin(&x->sasl, &o);
	buf_init(&bytes, 1024);
	sasl_open(&x->sasl, &bytes);
	base64_add(out, buf_str(&bytes));
	buf_free(&bytes);
}

static enum exchange_then
meaning(enum sasl_then then)
{
	switch (then) {
	case SASL_SAY:
		return EXCHANGE_SAY;
	case SASL_DONE:
		return EXCHANGE_YES;
	case SASL_REFUSED:
		return EXCHANGE_NO;
	case SASL_MALFORMED:
		return EXCHANGE_MALFORMED;
	case SASL_ASK:
		break;
	}
	panic("exchange: a question to nobody");
}

static enum exchange_then
take(struct exchange *x, struct str line, struct buf *in, struct buf *out)
{
	enum sasl_then then;

	if (base64_decode(line, in) < 0 || !buf_ok(in))
		return EXCHANGE_NOT_BASE64;
	then = sasl_take(&x->sasl, buf_str(in), out);
	if (then == SASL_ASK && !judge(x, &then, out))
		return EXCHANGE_LATER;
	return meaning(then);
}

enum exchange_then
exchange_take(struct exchange *x, struct str line, struct buf *out)
{
	enum exchange_then then;
	struct buf in, said;

	buf_init(&in, SMTP_AUTH_LINE_MAX);
	buf_init(&said, SMTP_AUTH_LINE_MAX);
	then = take(x, line, &in, &said);
	if (then == EXCHANGE_SAY)
		base64_add(out, buf_str(&said));
	buf_wipe(&in);
	buf_free(&in);
	buf_free(&said);
	return then;
}

/* Who sent none has only asked where to get one. */
bool
exchange_is_refused(const struct exchange *x)
{
	return x->sasl.refused && x->sasl.proof.n > 0;
}
