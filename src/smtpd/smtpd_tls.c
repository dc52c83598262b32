/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_tls -- STARTTLS (RFC 3207), and TLS from the first byte.
 *
 * Nothing that came in the clear has a meaning under TLS: whoever pipelines
 * behind STARTTLS is answered once and cut off, and session and transaction
 * begin again (CONFORMANCE S-01, S-03).
 */

#include "smtpd.h"

#include "lib/clock.h"
#include "lib/log.h"

#define HANDSHAKE_MS 30000

bool
starttls_offered(const struct session *s)
{
	const struct conf_listen *l = s->env->listen;

	return s->env->tls != NULL && s->tls == NULL && s->fd >= 0 &&
	    !s->local && l != NULL && l->tls != LISTEN_TLS_OFF &&
	    l->tls != LISTEN_TLS_IMPLICIT;
}

struct answer
smtpd_starttls(struct session *s, const struct command *c)
{
	struct answer a = { .code = 220, .enhanced = "2.0.0",
		.text = STR("Ready to start TLS"), .then = THEN_TLS };

	if (s->tls != NULL)
		return ANSWER(503, "5.5.1", "TLS is active already");
	if (!starttls_offered(s))
		return ANSWER(502, "5.5.1", "TLS is not available here");
	if (c->has_arg)
		return ANSWER(501, "5.5.4", "STARTTLS takes no argument");
	if (stream_pending(s->stream) == 0)
		return a;
	log_info(NULL, "improper command pipelining after STARTTLS from %s",
	    s->client);
	return (struct answer){ .code = 554, .enhanced = "5.5.0",
		.text = STR("Nothing may be sent behind STARTTLS"),
		.then = THEN_CLOSE };
}

/* In Postfix's words. */
static const char *
trust(const struct session *s)
{
	return s->certificate == NULL ? "Anonymous" :
	    s->certificate->verified  ? "Trusted" :
					"Untrusted";
}

static void
note_certificate(struct session *s)
{
	struct tls_client *c = arena_alloc(&s->arena, sizeof(*c));
	struct buf b;

	if (!tls_client(s->tls, c))
		return;
	s->certificate = c;
	buf_init(&b, TLS_CHAIN_MAX + 1);
	tls_client_chain(s->tls, &b);
	s->chain = arena_str(&s->arena, buf_str(&b));
	buf_free(&b);
	log_info(NULL, "%s: client certificate subject_CN=%s, issuer_CN=%s, "
	    "fingerprint=sha256:%s, pkey_fingerprint=sha256:%s", s->client,
	    c->subject, c->issuer, c->fingerprint, c->key);
}

int
session_secure(struct session *s)
{
	struct buf error;

	buf_init(&error, 1024);
	session_score(s, SCORE_TLS);
	if (s->env->tls != NULL)
		s->tls = tls_accept(s->env->tls, s->fd,
		    clock_ms() + HANDSHAKE_MS, &error);
	else
		buf_adds(&error, "there is no certificate");
	if (s->tls == NULL) {
		log_info(NULL, "TLS handshake failed from %s: %s", s->client,
		    buf_cstr(&error));
		buf_free(&error);
		return -1;
	}
	buf_free(&error);
	stream_switch(s->stream, &tls_stream_ops, s->tls);
	s->tls_facts = arena_printf(&s->arena, "%s %s", tls_version(s->tls),
	    tls_cipher(s->tls));
	note_certificate(s);
	log_info(NULL,
	    "%s TLS connection established from %s: %s with cipher %s "
	    "(%d/%d bits)", trust(s), s->client, tls_version(s->tls),
	    tls_cipher(s->tls), tls_bits(s->tls), tls_bits(s->tls));
	session_enter(s, S_START);
	return 0;
}
