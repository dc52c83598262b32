/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_SASL_H
#define MAIL_SASL_H

/*
 * sasl -- the server's side of SASL exchanges (RFC 4422): what a client's
 * message means, and what comes next.
 *
 * Bytes in, bytes out, neither in base64: SMTP (RFC 4954) and POP3 (RFC 5034)
 * carry them, and ask whoever knows users and passwords:
 *
 *	sasl_begin -> { sasl_open / sasl_take / sasl_judged } ... sasl_end
 */

#include "lib/digest.h"
#include "mail/scram_server.h"

/* Mechanisms, as bits. */
enum {
	SASL_PLAIN = 1,		/* RFC 4616 */
	SASL_LOGIN = 2,		/* a draft that everybody knows */
	SASL_CRAM_MD5 = 4,	/* RFC 2195 */
	SASL_SCRAM_SHA_256 = 8,	/* RFC 7677 */
	SASL_SCRAM_SHA_256_PLUS = 16,
	SASL_XOAUTH2 = 32,	/* Google's and Microsoft's */
	SASL_OAUTHBEARER = 64,	/* RFC 7628 */
	SASL_EXTERNAL = 128,	/* RFC 4422 A: by the certificate that TLS has seen */
	SASL_CRAM_SHA1 = 256,	/* mail/cram.h */
	SASL_CRAM_SHA256 = 512,
	SASL_CRAM_SHA512 = 1024
};
#define SASL_CRAM (SASL_CRAM_MD5 | SASL_CRAM_SHA1 | SASL_CRAM_SHA256 | SASL_CRAM_SHA512)
#define SASL_SCRAM (SASL_SCRAM_SHA_256 | SASL_SCRAM_SHA_256_PLUS)
#define SASL_TOKEN (SASL_XOAUTH2 | SASL_OAUTHBEARER)

/* The bit of a mechanism's name; 0: it is none of these.  And back. */
unsigned sasl_mechanism(struct str name);
const char *sasl_name(unsigned mechanism);
/* The hash of one of SASL_CRAM. */
enum hmac_hash sasl_hash(unsigned mechanism);
/* True if the client's first message may come with the command. */
bool sasl_is_client_first(unsigned mechanism);

struct sasl_setup {
	unsigned mechanism;
	unsigned offered;	/* all that the client could have chosen */
	const char *nonce;	/* fresh and not to be guessed; base64's letters */
	const char *hostname;	/* ours */
	const char *scope;	/* that a token must have, or "" */
	const char *certified;	/* EXTERNAL: whose the certificate is, ... */
	const char *certificate;	/* ... and what proves it */
	struct sasl_bindings bindings;
};

enum sasl_then {
	SASL_SAY,		/* OUT is the next challenge */
	SASL_ASK,		/* whether USER may, with PROOF of CHALLENGE; then sasl_judged() */
	SASL_DONE,		/* logged in, by the last verdict */
	SASL_REFUSED,		/* not logged in */
	SASL_MALFORMED		/* the client's message is none */
};

enum sasl_verdict { SASL_YES, SASL_NO, SASL_MORE };

struct sasl {
	struct sasl_setup setup;
	struct arena arena;	/* secrets too: wiped */
	unsigned turn;
	bool refused;		/* and the client is to hear why */
	struct scram_server scram;
	/* The question, and for the log of who was refused. */
	const char *ask_by;	/* the mechanism's name without -PLUS */
	struct str user;
	struct str proof;
	struct str challenge;
};

/* What O points to must stay until sasl_end(). */
void sasl_begin(struct sasl *s, const struct sasl_setup *o);
/* Wipes and frees; what is all zero is fine. */
void sasl_end(struct sasl *s);
/* Adds the challenge that comes before anything of the client. */
void sasl_open(struct sasl *s, struct buf *out);
/* Takes a message of the client; RESPONSE is copied. */
enum sasl_then sasl_take(struct sasl *s, struct str response, struct buf *out) MUST_USE;
/* What was said to SASL_ASK; SAID is of the kind that the mechanism has. */
enum sasl_then sasl_judged(struct sasl *s, enum sasl_verdict v, struct str said,
    struct buf *out) MUST_USE;

#endif
