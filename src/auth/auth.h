/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

/*
 * auth -- the private interface of the room.
 *
 * Three kinds of process.  The keeper is root if barid is: it forks the others
 * and opens password files, and reads nothing that a client sent.  The broker
 * is the mail user and takes the questions of the sessions.  A worker belongs
 * to one place, and a place is a backend, or what needs several of them.
 *
 * main.c	start; the keeper
 * broker.c	questions: which places they go to; verdict.c: how they end
 * pool.c	the workers: how many, how busy, for how long
 * cache.c	logins that succeeded a moment ago
 * worker.c	a worker: what it may do, and what it does
 * secret.c	what proves a password, and is not it
 * backend.c	which backend can judge what; the rest is a backend each
 */

#include <sys/types.h>

#include "conf/backend.h"
#include "conf/conf.h"
#include "ipc/logins.h"
#include "ipc/msg.h"
#include "ipc/userset.h"
#include "lib/confine.h"
#include "lib/hmac_state.h"
#include "lib/proc.h"
#include "mail/scram_key.h"

/* 16 of auth.backends, and as many of admin.auth. */
#define BACKENDS_MAX 32

/* Places behind those of the backends, which have their numbers. */
enum {
	PLACE_SECRETS = BACKENDS_MAX,	/* all for mail that have passwords as they are, and keys */
	PLACE_MAILBOX,			/* opens the mailbox of who has logged in, if it is here */
	PLACE_HOME,			/* has it open at home, as the account */
	PLACES
};

#define AUTH_NOBODY_SIZE LOGINS_SECRET_SIZE

/* How a question is to be answered. */
enum auth_proof {
	AUTH_BY_PASSWORD,	/* the password itself */
	AUTH_BY_APOP,		/* MD5 of a stamp and it (RFC 1939 7) */
	AUTH_BY_CRAM,		/* an HMAC of a challenge (RFC 2195, mail/cram.h) */
	AUTH_BY_SCRAM,		/* a ClientProof (RFC 5802), or the wish for parameters */
	AUTH_BY_TOKEN,		/* an access token (RFC 6750) */
	AUTH_BY_CERTIFICATE	/* fingerprints of a certificate and its key, that TLS has seen */
};

/* What a backend has to say besides its verdict; the question has it. */
struct auth_note {
	char app[65];		/* the app password that was right, or "" */
	/* SCRAM: "s=...,i=..." with AUTH_MORE, the ServerSignature with AUTH_YES. */
	struct buf said;
	/* SCRAM: the iterations that who is nobody here should be said to have. */
	uint64_t iterations;
	char user[256];		/* a token's: whose it is */
	char why[200];		/* with AUTH_TEMPORARY, for the log: what is wrong */
};

struct auth_question {
	const char *user;	/* checked: no control characters, at most 255 octets */
	const char *password;	/* or the proof, or the token; no NUL; empty: see AUTH_BY_SCRAM */
	const char *client;	/* address, for PAM_RHOST */
	const char *challenge;	/* what the proof is about, or "" */
	enum auth_proof proof;
	enum hmac_hash hash;	/* AUTH_BY_CRAM */
	struct auth_note *note;
	const char *service;	/* of struct msg_auth, as the next two */
	const char *listener;
	const char *tls;
	const unsigned char *nobody;	/* AUTH_NOBODY_SIZE octets: see secret.c */
};

struct auth_backend {
	struct conf_backend c;
	int fd;			/* of a file, opened for this question; or -1 */
	int64_t timeout_ms;	/* that an answer may take */
	const struct conf *conf;
};

/* ---- backends ----------------------------------------------------------------- */

/* Users "name:hash" in a file, hashes of crypt(3); or "name:{PLAIN}password". */
enum auth_verdict auth_file(const struct auth_backend *b, const struct auth_question *q);
/* A PAM service: authentication and account. */
enum auth_verdict auth_pam(const struct auth_backend *b, const struct auth_question *q);
/* Accounts of this host; needs root for their hashes. */
enum auth_verdict auth_users(const struct auth_backend *b, const struct auth_question *q);
/* Pairs that stand in the configuration. */
enum auth_verdict auth_hardcoded(const struct auth_backend *b, const struct auth_question *q);
/* A program: the name and the password on its standard input, facts around it. */
enum auth_verdict auth_exec(const struct auth_backend *b, const struct auth_question *q);

/* A server of LDAP, RADIUS or HTTP; one that knows access tokens (RFC 7662). */
enum auth_verdict auth_ldap(const struct auth_backend *b, const struct auth_question *q);
enum auth_verdict auth_radius(const struct auth_backend *b, const struct auth_question *q);
enum auth_verdict auth_http(const struct auth_backend *b, const struct auth_question *q);
enum auth_verdict auth_oauth(const struct auth_backend *b, const struct auth_question *q);

/* Adds S as a value within a DN or a filter of LDAP. */
void auth_ldap_escape(struct buf *b, struct str s);
/* Adds FILTER with each "%u" replaced by USER. */
void auth_ldap_filter(struct buf *b, const char *filter, struct str user);
/*
 * False if a server, which compares as RFC 4518 says, would take USER for another
 * name: one with blanks around it or several in a row, or in another form of Unicode.
 */
bool auth_ldap_is_own_name(struct str user);

/* In the note of Q, if it has one: why nobody can say.  AUTH_TEMPORARY. */
enum auth_verdict auth_cannot(const struct auth_question *q, const char *fmt, ...) PRINTF(2, 3);

/* The proof that SASL's MECHANISM, or POP3's, gives; false: it is unknown. */
bool auth_proof_of(struct str mechanism, enum auth_proof *proof) MUST_USE;

/*
 * Asks every backend that can judge such a proof until one says yes, or more.
 * Not sure (AUTH_TEMPORARY) only if none did and one could not say.
 */
enum auth_verdict auth_ask(const struct auth_backend *b, size_t n, const struct auth_question *q);

/* Whether B can judge a PROOF at all. */
bool auth_can_judge(const struct auth_backend *b, enum auth_proof proof);

/* ---- secret.c ------------------------------------------------------------------ */

/* Whether the proof of Q is one of PASSWORD, or of STATE. */
bool secret_proves(const struct auth_question *q, struct str password);
bool secret_state_proves(const struct auth_question *q, const struct hmac_state *state);
/* Whether a state of this hash can prove anything of Q. */
bool secret_state_fits(const struct auth_question *q, const struct hmac_state *state);
/* Whether it is a ClientProof of who has the key K; the note gets the ServerSignature. */
bool secret_key_proves(const struct auth_question *q, const struct scram_key *k);
/* True if Q has no proof yet, and asks for parameters of SCRAM. */
bool secret_wants_params(const struct auth_question *q);
/* Says those of K. */
void secret_params(const struct auth_question *q, const struct scram_key *k);
/* Says those of who has no key: AUTH_MORE. */
enum auth_verdict secret_nobodys_params(const struct auth_question *q);

/* ---- processes ------------------------------------------------------------------ */

/* What all of them know. */
struct auth {
	struct conf *conf;
	struct arena arena;	/* of the backends */
	struct auth_backend backends[BACKENDS_MAX];
	size_t backend_n;
	size_t mail_n;		/* of auth.backends; those behind are of admin.auth */
	struct confine *session;	/* the calls that a session may make */
	struct confine *helper;		/* those that a helper may make */
	struct proc_user user;
	bool root;		/* the keeper has it */
	int mailboxes;		/* their directory, or -1 */
	struct userset *users;
	struct logins *logins;	/* NULL: nobody keeps who used which password */
	unsigned char nobody[AUTH_NOBODY_SIZE];
};

/* Reads the URLs of A's configuration; false: ERROR. */
bool auth_backends_load(struct auth *a, struct buf *error) MUST_USE;
/* Which backends are asked for SERVICE: from *FROM on, before *END. */
void auth_backends_for(const struct auth *a, struct str service, size_t *from, size_t *end);
/* Forgets all passwords of the configuration but those that PLACE needs; PLACES needs none. */
void auth_backends_keep(struct auth *a, unsigned place);

/* Asks the keeper behind KEEPER for a worker of PLACE, called SERIAL: a socket, or -1. */
int keeper_worker(int keeper, unsigned place, uint32_t serial) MUST_USE;
/* The file of the backend PLACE, opened anew; -1: errno. */
int keeper_file(int keeper, unsigned place) MUST_USE;
/* Ends the worker SERIAL, whatever it does. */
void keeper_kill(int keeper, uint32_t serial);

/* Takes questions from CHANNEL until SIGTERM, and answers them. */
void broker_run(struct auth *a, int channel, int keeper);
/* Is a worker of PLACE until nobody wants it any more; its questions come from FD. */
void worker_run(struct auth *a, unsigned place, int fd) NORETURN;
/* The file that follows is the backend INDEX's; then comes the question, a MSG_AUTH. */
#define WORKER_FILE 'F'
/* True if a worker of PLACE lives for one question only. */
bool worker_is_for_one(const struct auth *a, unsigned place);

/* ---- pool.c ---------------------------------------------------------------------- */

struct pool;
struct pollfd;
/* What came of a question. */
struct pool_event {
	uint64_t ticket;	/* as it was given with it */
	unsigned place;
	bool lost;		/* there is no answer: WHY */
	const char *why;
	struct buf answer;	/* a MSG_AUTH_RESULT */
	int pass;		/* that came with it, or -1 */
};

struct pool *pool_new(const struct auth *a, int keeper) MUST_USE;
void pool_free(struct pool *p);
/* True if a worker of PLACE is free, or can be had. */
bool pool_has_room(struct pool *p, unsigned place) MUST_USE;
/*
 * Hands PACKET, and those of the BACKENDS_MAX descriptors in FILES that are
 * none of -1, to a worker of PLACE; the descriptors are closed.  False: there
 * is none, and WHY says so.
 */
bool pool_give(struct pool *p, unsigned place, uint64_t ticket, struct str packet,
    int *files, const char **why) MUST_USE;
/* True if PLACE takes longer than it should just now, or did when it was last asked. */
bool pool_is_slow(const struct pool *p, unsigned place, int64_t now);
/* Sets FDS up for those that are busy: how many, at most MAX. */
size_t pool_poll(const struct pool *p, struct pollfd *fds, size_t max);
/*
 * The next event, of those in the first N of FDS that are ready or of a worker
 * that took too long; E's buffer is the caller's.  False: there is none.
 */
bool pool_next(struct pool *p, struct pollfd *fds, size_t n, int64_t now, struct pool_event *e);
/* When something is due; INT64_MAX: never. */
int64_t pool_due(const struct pool *p);
/* Workers that are idle are let go now, the others when they are done. */
void pool_renew(struct pool *p);

#endif
