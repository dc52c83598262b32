/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

/*
 * client -- the one SMTP and LMTP client engine (RFC 5321, RFC 2033).
 *
 * It takes the bytes that a server sent and gives the bytes to send; it has
 * no descriptor, no clock and no TLS of its own, so runner, proxy, call-out,
 * tests and fuzzers drive it alike:
 *
 *   client_new -> { client_input / client_output } ... client_free
 *
 * Inside is a list of expectations {verb, recipient, time-out}: the sender
 * appends, the reader pops.  Without PIPELINING the list never grows above
 * one.  A reply with nothing expected is a protocol error.
 *
 * Events are called from within client_input(), client_sent(), client_eof(),
 * client_expired(), client_secured(), client_send() and client_quit(), never
 * one within another.  In an event only client_send(), client_quit() and the
 * questions (client_ready, client_output, client_timeout ...) may be called,
 * in on_starttls() also client_secured(); client_free() never: the caller
 * puts it off until its call has returned.
 */

#include <sys/types.h>

#include "lib/buf.h"
#include "lib/hmac_state.h"
#include "mail/dsn.h"
#include "mail/path.h"
#include "mail/reply.h"

struct client;

/* How much TLS is wanted. */
enum client_tls { CLIENT_TLS_OFF, CLIENT_TLS_MAY, CLIENT_TLS_REQUIRED };

struct client_options {
	const char *ehlo_name;
	bool lmtp;
	enum client_tls tls;	/* by STARTTLS */
	bool tls_already;	/* the connection is TLS from its first byte */
	bool helo;		/* HELO at once: EHLO made it close */
	/*
	 * AUTH where USER is set, with what is set of the two and the best
	 * mechanism that is offered (MECH_*).  What shows a secret to who
	 * listens is used only under TLS, or with auth_in_clear.
	 */
	const char *user;
	const char *password;
	const char *token;	/* an access token (RFC 6750) */
	/* Instead of a password: its states, each for the CRAM with its hash; NULL: none. */
	const struct hmac_state *cram[HMAC_HASHES];
	const char *prepared;	/* all that XOAUTH2 says, instead of a token */
	unsigned mechanisms;	/* only these; 0: all */
	bool auth_in_clear;
	/* EXT_*: not used even where offered (a server that lies about them). */
	unsigned ignore;
};

struct client_rcpt {
	struct path path;
	unsigned notify;	/* NOTIFY_*, 0: unsaid */
	struct str orcpt;	/* "type;xtext", or empty */
};

/* A message to be sent; must hold still until on_end(). */
struct client_message {
	struct path from;
	const struct client_rcpt *rcpts;
	size_t rcpt_n;
	/* Octets of the text; one that ends before is cut short and is never sent. */
	uint64_t size;
	bool eight_bit;		/* has octets above 127 */
	bool smtputf8;		/* its header needs it; the addresses are looked at */
	bool binary;		/* BODY=BINARYMIME: only by BDAT, as it is */
	/*
	 * Every line ends with CRLF, and there is no other CR or LF: fit for
	 * BDAT, which saves a round trip for a small message.
	 */
	bool chunk;
	/* Why this server cannot have it, in words: 5.6.3 (5.6.1 if binary). */
	const char *unfit;
	enum dsn_ret ret;
	struct str envid;	/* xtext */
	struct str auth;	/* RFC 4954 5: xtext or "<>", for who knows us; or empty */
	int priority;		/* RFC 6710 */
	char by[16];		/* RFC 2852: "60;RT", or "" */
	/* RFC 2852 4.1.4: relayed to a server with DELIVERBY, and to no other. */
	bool only_deliverby;
	bool requiretls;	/* RFC 8689: said where it can be */
	bool only_requiretls;	/* ... and the message goes nowhere else */
	/*
	 * Reads the text from octet AT: the count, 0 at the end, -1 errno (the
	 * connection is then given up).  ARG is that of client_new().
	 */
	ssize_t (*read)(void *arg, uint64_t at, char *p, size_t n);
};

/* Where a reply came from, for logs and DSNs. */
enum client_step {
	STEP_GREETING, STEP_EHLO, STEP_STARTTLS, STEP_AUTH, STEP_MAIL, STEP_RCPT, STEP_DATA,
	STEP_TEXT, STEP_RSET, STEP_QUIT
};

struct client_events {
	/* Do the TLS handshake now, with nothing left of the plain bytes; then client_secured(). */
	void (*on_starttls)(void *arg);
	/* Ready for client_send(): at first, and after each message that left the line usable. */
	void (*on_ready)(void *arg);
	/*
	 * The outcome for recipient I of the message; exactly once each.
	 * RELAYED_DSN: the server has DSN, so that it reports success itself.
	 * REPLY is the server's, or has code 0, an enhanced code and our own
	 * words; it is good until the event returns.  Recipients that the
	 * server refuses are told of at once, before the text is sent.
	 */
	void (*on_rcpt)(void *arg, size_t i, enum outcome o, enum client_step step,
	    const struct reply *r, bool relayed_dsn);
	/*
	 * Every recipient of the message has its outcome, and the engine lets
	 * go of it.  Where the line is usable client_ready() is true here
	 * already, and on_ready() follows unless client_send() was called.
	 */
	void (*on_end)(void *arg);
	/*
	 * The session is over; a message under way had its outcomes before
	 * (TEMPFAIL).  REPLY is what the server said where it said no before
	 * any message (greeting, EHLO, STARTTLS, AUTH), else code 0 and our
	 * own words.  Outcomes: what the server's code says at greeting and
	 * EHLO; TEMPFAIL for all that TLS and AUTH do (a wrong password of
	 * ours bounces nobody's mail) and for a broken line; DELIVERED after
	 * client_quit().  Exactly once.  Output that is left then is a QUIT:
	 * it may be sent, but nothing answers it any more.
	 */
	void (*on_close)(void *arg, enum outcome o, enum client_step step, const struct reply *r);
};

struct client *client_new(const struct client_options *o, const struct client_events *ev,
    void *arg) MUST_USE;
void client_free(struct client *c);

/* Bytes from the server. */
void client_input(struct client *c, struct str bytes);
/* Bytes for the server: a view until the next call; client_sent() says how many went. */
struct str client_output(struct client *c);
void client_sent(struct client *c, size_t n);
/* The server closed, or the connection broke (WHY in words). */
void client_eof(struct client *c, const char *why);
/* The deadline of client_timeout() passed. */
void client_expired(struct client *c);
/* The handshake is done (OK), or failed (then WHY; NULL: it took too long). */
void client_secured(struct client *c, bool ok, const char *why);
/*
 * Milliseconds that the server has for its next reply, or for taking a
 * block of text (RFC 5321 4.5.3.2); 0: nothing is awaited.  The clock starts
 * again whenever bytes went or came, or this number changes.
 */
int64_t client_timeout(const struct client *c);

/* True from on_ready() (or a usable line's on_end()) to client_send(). */
bool client_ready(const struct client *c);
/* Only while client_ready(). */
void client_send(struct client *c, const struct client_message *m);
/* Says QUIT when ready (a message under way is finished first), then on_close(). */
void client_quit(struct client *c);

/* What the server offered, and is not ignored, for logs: bits. */
enum { EXT_PIPELINING = 1, EXT_SIZE = 2, EXT_8BITMIME = 4, EXT_DSN = 8, EXT_STARTTLS = 16,
	EXT_AUTH = 32, EXT_CHUNKING = 64, EXT_SMTPUTF8 = 128, EXT_ENHANCED = 256,
	EXT_BINARYMIME = 512, EXT_LIMITS = 1024, EXT_REQUIRETLS = 2048,
	EXT_MT_PRIORITY = 4096, EXT_DELIVERBY = 8192 };
unsigned client_extensions(const struct client *c);
/* The bit of a keyword; 0: it is none of these. */
unsigned client_extension(struct str keyword);

/* RFC 9422; 0: the server did not say.  The caller keeps to them. */
struct client_limits {
	uint32_t mail_max;	/* messages in a session */
	uint32_t rcpt_max;	/* recipients of a message */
	uint32_t rcpt_domain_max;	/* domains of recipients in a session */
};
const struct client_limits *client_limits(const struct client *c);

/* AUTH mechanisms, as bits: the lowest that can be used is tried first. */
enum { MECH_OAUTHBEARER = 1, MECH_XOAUTH2 = 2, MECH_SCRAM_SHA_256_PLUS = 4,
	MECH_SCRAM_SHA_256 = 8, MECH_CRAM_SHA512 = 16, MECH_CRAM_SHA256 = 32,
	MECH_CRAM_SHA1 = 64, MECH_CRAM_MD5 = 128, MECH_PLAIN = 256, MECH_LOGIN = 512 };
/* The bit of a mechanism's name; 0: it is none of these. */
unsigned client_mechanism(struct str name);

/*
 * What ties AUTH to the TLS session (RFC 9266 tls-exporter); before
 * client_secured(), or before the first bytes of a session that is TLS from
 * its start.  Without it there is no SCRAM-SHA-256-PLUS.
 */
void client_binding(struct client *c, struct str exporter);
/* True if the session ended because client_eof() was called. */
bool client_lost(const struct client *c);

#endif
