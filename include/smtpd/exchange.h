/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTPD_EXCHANGE_H
#define SMTPD_EXCHANGE_H

/*
 * exchange -- how somebody logs in, as far as SMTP and POP3 have it in
 * common: SASL's messages in base64 (mail/sasl.h), and the questions to
 * barid-auth.
 */

#include "ipc/msg.h"
#include "mail/sasl.h"
#include "master/session.h"
#include "policy/login.h"

struct exchange {
	const struct session_env *env;
	const struct tls *tls;	/* NULL in clear */
	/* That the client has shown, or NULL, as exchange_init() leaves it; it must stay. */
	const struct tls_client *certificate;
	const char *service;	/* of struct msg_auth */
	const char *client;	/* the address that PAM hears of */
	struct sasl sasl;	/* its USER is who was refused */
	char nonce[32];
	char certificate_prints[2 * FINGERPRINT_SIZE];
	struct buf bindings;
	struct buf reply;	/* what barid-auth said last ... */
	struct msg_auth_result result;	/* ... of which these are views */
	int box;		/* the mailbox of who fetches mail; who takes it sets -1 */
};

enum exchange_then {
	EXCHANGE_SAY,		/* OUT is the next challenge, in base64 */
	EXCHANGE_YES,		/* RESULT has who it is */
	EXCHANGE_NO,
	EXCHANGE_LATER,		/* nobody can say now; the reason is logged */
	EXCHANGE_MALFORMED,	/* the message is none of the mechanism's */
	EXCHANGE_NOT_BASE64
};

/*
 * What policy/login.h has to know of a session, which is in TLS or not, and
 * whose client has shown CERTIFICATE (NULL: none).
 */
struct login_facts exchange_facts(const struct session_env *env, bool tls,
    const struct tls_client *certificate);

/* TLS is NULL in clear.  All of it must stay. */
void exchange_init(struct exchange *x, const struct session_env *env, const struct tls *tls,
    const char *service, const char *client);
/* Wipes all that was said; the same X may be used for another. */
void exchange_end(struct exchange *x);

/* A question outside of SASL (POP3's USER and APOP): YES, NO or LATER. */
enum exchange_then exchange_ask(struct exchange *x, const char *mechanism, struct str user,
    struct str proof, struct str challenge) MUST_USE;

/*
 * Starts an exchange by MECHANISM, one of those OFFERED.  OUT gets what is
 * said before the client's first message.
 */
void exchange_start(struct exchange *x, unsigned mechanism, unsigned offered, struct buf *out);
/* Takes a line of the client. */
enum exchange_then exchange_take(struct exchange *x, struct str line, struct buf *out) MUST_USE;
/*
 * True if the challenge says why a token was refused: whatever the client makes of
 * it, and if it says nothing any more, the login has failed.
 */
bool exchange_is_refused(const struct exchange *x);

#endif
