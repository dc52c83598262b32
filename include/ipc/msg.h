/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_MSG_H
#define IPC_MSG_H

/*
 * msg -- every message between barid's processes, with its two directions
 * side by side.  A *_get is true only if the whole frame was as expected;
 * the strings are views into it.
 */

#include "ipc/frame.h"
#include "ipc/spawn.h"

enum msg_type {
	MSG_HINT = 1,		/* session -> runner: there is a new message */
	MSG_AUTH,		/* session -> auth: may this user log in? */
	MSG_AUTH_RESULT,
	MSG_CONTROL,		/* baridctl -> master, control session -> runner */
	MSG_CONTROL_RESULT,
	MSG_STS,		/* runner -> http: what is a domain's MTA-STS policy? */
	MSG_STS_RESULT,
	MSG_TOKEN,		/* runner -> http: an access token for a server */
	MSG_TOKEN_RESULT,
	MSG_ETRN,		/* session -> runner: try what waits for a domain */
	MSG_SIGN,		/* session -> sign: a signature for a TLS handshake */
	MSG_SIGN_RESULT,
	MSG_SPAWN,		/* runner -> spawn: run a program of the configuration */
	MSG_SPAWN_RESULT,
	MSG_FORWARD,		/* runner -> spawn: what is in an account's .forward */
	MSG_FORWARD_RESULT,
	MSG_VERIFY,		/* session -> verify: is there such a recipient? */
	MSG_VERIFY_RESULT,
	MSG_LISTS,		/* session -> check: what do lists have of a client, of domains? */
	MSG_LISTS_RESULT,
	MSG_TXT,		/* session -> check: what does DNS have under names of keys? */
	MSG_TXT_RESULT,
	MSG_SPF,		/* session -> check: do domains let a client send mail? */
	MSG_SPF_RESULT,
	MSG_IPREV,		/* session -> check: what is the name of a client? */
	MSG_IPREV_RESULT,
	MSG_EXISTS,		/* session -> check: is there somebody behind a name? */
	MSG_EXISTS_RESULT,
	MSG_GREY,		/* session -> check: has a sender come before? */
	MSG_GREY_RESULT,
	MSG_BOX,		/* POP3 session -> who has its mailbox open, as the account */
	MSG_BOX_RESULT,
	MSG_SCAN,		/* session -> check: what does a server make of a message? */
	MSG_SCAN_TEXT,		/* and its text */
	MSG_SCAN_RESULT,
	MSG_FEEDBACK,		/* runner -> check: what does a report say? */
	MSG_FEEDBACK_RESULT,
	MSG_DMARC		/* session -> check: what a policy made of a message; no answer */
};

struct msg_hint {
	struct str id;
	uint64_t tray;	/* where it stands, and 1; 0: in new/ */
};
void msg_hint_put(struct buf *b, const struct msg_hint *m);
bool msg_hint_get(struct str packet, struct msg_hint *m) MUST_USE;

/* Answered by MSG_CONTROL_RESULT. */
struct msg_etrn {
	struct str domain;
};
void msg_etrn_put(struct buf *b, const struct msg_etrn *m);
bool msg_etrn_get(struct str packet, struct msg_etrn *m) MUST_USE;

/*
 * Each question stands alone: a client that stops half way through an exchange
 * keeps nobody waiting but its own session.  SCRAM asks two: without a proof
 * for the parameters of USER, whoever that is; then with one.
 */
struct msg_auth {
	/*
	 * "smtp", "submission", "pop3"; AUTH_SERVICE_ADMIN: for the pages;
	 * AUTH_SERVICE_TEST: for baridctl, all are asked.
	 */
	struct str service;
	struct str mechanism;	/* "USER", "APOP", or a name of SASL without -PLUS */
	struct str user;
	/*
	 * Or what proves it: a digest in hexadecimal (APOP, CRAM-MD5), a
	 * ClientProof in base64 (SCRAM), an access token (XOAUTH2, OAUTHBEARER).
	 */
	struct str password;
	struct str challenge;	/* what is proved: a stamp, a challenge, an AuthMessage */
	struct str client;	/* the client's address */
	struct str listener;	/* the name of its listen section */
	struct str tls;		/* "TLSv1.3"; empty: there is none */
};
void msg_auth_put(struct buf *b, const struct msg_auth *m);
bool msg_auth_get(struct str packet, struct msg_auth *m) MUST_USE;

#define AUTH_SERVICE_TEST "test"
#define AUTH_SERVICE_ADMIN "admin"

/* AUTH_MORE: neither yes nor no; SAID is for the client, who goes on. */
enum auth_verdict { AUTH_YES, AUTH_NO, AUTH_TEMPORARY, AUTH_MORE };
struct msg_auth_result {
	enum auth_verdict verdict;
	struct str user;	/* the name to go by: of the mailbox */
	struct str app;		/* the name of the app password that it was, or empty */
	struct str said;	/* SCRAM: "s=...,i=..." (AUTH_MORE), then the ServerSignature */
	struct str why;		/* why nobody can say; of a test: what each backend said */
};
void msg_auth_result_put(struct buf *b, const struct msg_auth_result *m);
bool msg_auth_result_get(struct str packet, struct msg_auth_result *m) MUST_USE;

/* Not answered at all: there is no signature. */
struct msg_sign {
	struct str key;		/* by which a key is called (net/tls_key.h) */
	uint64_t scheme;
	struct str content;	/* that is to be signed, whole */
};
void msg_sign_put(struct buf *b, const struct msg_sign *m);
bool msg_sign_get(struct str packet, struct msg_sign *m) MUST_USE;

struct msg_sign_result {
	struct str signature;
};
void msg_sign_result_put(struct buf *b, const struct msg_sign_result *m);
bool msg_sign_result_get(struct str packet, struct msg_sign_result *m) MUST_USE;

enum control_op {
	CONTROL_STATUS = 1,	/* answer: lines "key value" */
	CONTROL_RELOAD,
	CONTROL_STOP,
	CONTROL_FLUSH,		/* attempt now: the ids, or all that match DOMAIN, or all */
	CONTROL_HOLD,
	CONTROL_RELEASE,
	CONTROL_DELETE,
	CONTROL_BOUNCE,
	CONTROL_LIST,		/* answer: packets of text, the last without MORE */
	CONTROL_CHANGE,		/* ROUTE and AT are what is written into the envelope */
	CONTROL_ACTIVE,		/* answer: the ids that are attempted now, a line each */
	/*
	 * Of all destinations, or those called DOMAIN.  The answers of master and
	 * runners, fields separated by tabs:
	 * rate KIND MESSAGES RECIPIENTS SECONDS USED: of a limit, which 0 is none
	 *     of, and how many per cent of it are used by whoever has used most
	 * runner NUMBER QUEUED ACTIVE CONNECTIONS
	 * dest KEY KIND NAME WAITING PARKED CONNECTIONS READY WINDOW LIMIT
	 *     SENT DEFERRED BOUNCED DEAD WHY: WINDOW is what this runner would
	 *     open, LIMIT what all may have together (0: there is none); the
	 *     outcomes of a minute, and for how many ms it is dead; KIND is
	 *     local, mx, upstream or pipe
	 * more DESTINATIONS that have no line
	 */
	CONTROL_DESTS,
	/* Has DOMAIN, a local part, a mailbox?  The answer: count 1 and its name, or 0. */
	CONTROL_USER,
	/*
	 * DOMAIN is a network.  Blocks it until AT (seconds since 1970; 0: for
	 * ever), REASON says why; and takes the block away again.
	 */
	CONTROL_BLOCK,
	CONTROL_UNBLOCK,
	/* Answer: lines "NETWORK SECONDS-LEFT manual|automatic WHY"; -1 is for ever. */
	CONTROL_BLOCKS,
	/*
	 * May the user DOMAIN log in with the password REASON?  Answer: a line
	 * "yes", "no" or "later", then lines "BACKEND\tANSWER".
	 */
	CONTROL_AUTH,
	/*
	 * DOMAIN is "smtp", "submission" or "pop3": STATES 1 turns new clients
	 * away, 0 takes them.  "dnsbl": 1 has no list in DNS asked for AT seconds
	 * (0: until it is told to), 0 has them asked again.
	 */
	CONTROL_SERVICE,
	/*
	 * Look into the mailbox of section collect DOMAIN now, or into all of them.
	 * Answer, when it is over: COUNT messages were fetched, and of each section a
	 * line "NAME\tFETCHED\tOCTETS\tDELETED\tLEFT\tREFUSED\tWHY", whose last is
	 * empty where all is well.
	 */
	CONTROL_COLLECT
};
#define CONTROL_LAST CONTROL_COLLECT
#define CONTROL_IDS_MAX 512
struct msg_control {
	enum control_op op;
	struct str domain;	/* empty: any */
	/* CONTROL_LIST: the members of struct listing_filter and _facts. */
	struct str sender;
	struct str recipient;
	struct str reason;
	struct str route;	/* and of CONTROL_CHANGE; empty: as it is */
	uint64_t form, states, before_us, after_us, limit, sort;
	bool reverse, by_sender;
	uint64_t at;		/* CONTROL_CHANGE: seconds; 0: as it is */
	struct str ids[CONTROL_IDS_MAX];	/* none: all */
	size_t id_n;
};
void msg_control_put(struct buf *b, const struct msg_control *m);
bool msg_control_get(struct str packet, struct msg_control *m) MUST_USE;

#define CONTROL_TEXT_MAX (FRAME_MAX - 256)	/* of an answer: a frame has room for it */
struct msg_control_result {
	bool ok;
	uint64_t count;		/* messages concerned */
	struct str text;	/* for people, or the lines of a status */
	bool more;		/* another packet follows */
};
void msg_control_result_put(struct buf *b, const struct msg_control_result *m);
bool msg_control_result_get(struct str packet, struct msg_control_result *m) MUST_USE;
/* The last packet of an answer; FD stays the caller's.  Who asked may be gone. */
void msg_control_answer(int fd, bool ok, uint64_t count, struct str text);

struct msg_sts {
	struct str domain;
	struct str id;		/* of its TXT record; empty: to be looked up */
};
void msg_sts_put(struct buf *b, const struct msg_sts *m);
bool msg_sts_get(struct str packet, struct msg_sts *m) MUST_USE;

struct msg_sts_result {
	bool ok;
	struct str id;		/* of the record that it belongs to, or empty */
	struct str text;	/* the policy, as sts_policy_add() writes it; or why none */
};
void msg_sts_result_put(struct buf *b, const struct msg_sts_result *m);
bool msg_sts_result_get(struct str packet, struct msg_sts_result *m) MUST_USE;

/* Servers are said by their place in the configuration: both read the same. */
struct msg_token {
	struct str upstream;
	uint64_t server;
	struct str refused;	/* a token that the server did not take, or empty */
};
void msg_token_put(struct buf *b, const struct msg_token *m);
bool msg_token_get(struct str packet, struct msg_token *m) MUST_USE;

struct msg_token_result {
	bool ok;
	uint64_t seconds;	/* that it is good for */
	struct str text;	/* the token; or why there is none */
};
void msg_token_result_put(struct buf *b, const struct msg_token_result *m);
bool msg_token_result_get(struct str packet, struct msg_token_result *m) MUST_USE;

#endif
