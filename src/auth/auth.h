/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

/*
 * auth -- the private interface of the room: a backend is an URL, opened
 * while the process may, and asked later.
 */

#include "conf/conf.h"
#include "ipc/msg.h"

/* How a question is to be answered. */
enum auth_proof {
	AUTH_BY_PASSWORD,	/* the password itself */
	AUTH_BY_APOP,		/* MD5 of a stamp and it (RFC 1939 7) */
	AUTH_BY_CRAM_MD5,	/* HMAC-MD5 of a challenge (RFC 2195) */
	AUTH_BY_SCRAM,		/* a ClientProof (RFC 5802), or the wish for parameters */
	AUTH_BY_TOKEN		/* an access token (RFC 6750) */
};

/* What a backend has to say besides its verdict; the question has it. */
struct auth_note {
	char app[65];		/* the app password that was right, or "" */
	/* SCRAM: "s=...,i=..." with AUTH_MORE, the ServerSignature with AUTH_YES. */
	struct buf said;
	/* SCRAM: the iterations that who is nobody here should be said to have. */
	uint64_t iterations;
	char user[256];		/* a token's: whose it is */
};

struct auth_question {
	const char *user;	/* checked: no control characters, at most 255 octets */
	const char *password;	/* or the proof, or the token; no NUL; empty: see AUTH_BY_SCRAM */
	const char *client;	/* address, for PAM_RHOST */
	const char *challenge;	/* what the proof is about, or "" */
	enum auth_proof proof;
	struct auth_note *note;
};

enum auth_kind { AUTH_FILE, AUTH_PAM };

struct auth_backend {
	enum auth_kind kind;
	const char *url;
	const char *path;	/* AUTH_FILE */
	int fd;			/* AUTH_FILE: opened before privileges are dropped, or -1 */
	char service[64];	/* AUTH_PAM */
	const char *confdir;	/* AUTH_PAM: NULL for /etc/pam.d */
};

/* Reads URL; false if it is of a kind that is not known. */
bool auth_backend_init(struct auth_backend *b, const char *url);

/* Users "name:hash" in a file, hashes of crypt(3); or "name:{PLAIN}password". */
enum auth_verdict auth_file(const struct auth_backend *b, const struct auth_question *q);
/* A PAM service: authentication and account. */
enum auth_verdict auth_pam(const struct auth_backend *b, const struct auth_question *q);

/* The proof that SASL's MECHANISM, or POP3's, gives; false: it is unknown. */
bool auth_proof_of(struct str mechanism, enum auth_proof *proof) MUST_USE;

/*
 * Asks every backend that can judge such a proof until one says yes, or more.
 * Not sure (AUTH_TEMPORARY) only if none did and one could not say.
 */
enum auth_verdict auth_ask(const struct auth_backend *b, size_t n, const struct auth_question *q);

#endif
