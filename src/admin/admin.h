/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

/*
 * admin -- what the files of barid-admin share.
 *
 * main.c	start, who is let in
 * notes.c	what those who serve them tell of logins
 * visit.c	a connection: TLS, a request, which page it is for, the answer
 * request.c	what is asked, by the grammar of HTTP
 * answer.c	what is said, by the same
 * login.c	who it is: a cookie, a password
 * sessions.c	who is logged in
 * html.c	what all pages have, and how text gets into one
 * data.c	what the running barid is asked
 * overview.c, queue.c, dests.c, blocks.c, backends.c, metrics.c
 *		pages
 */

#include <sys/types.h>

#include "conf/conf.h"
#include "ipc/score.h"
#include "lib/helper.h"
#include "lib/proc.h"
#include "net/addr.h"
#include "net/tls.h"
#include "request.h"
#include "serve/sign.h"
#include "sessions.h"

/* Connections that are served at once, and of those from one address. */
#define VISITS_MAX 64
#define VISITS_PER_ADDRESS 16
#define KEY_SIZE 32

/* A socket on which clients come. */
struct ear {
	int fd;
	const struct conf_listen *conf;
	struct tls_ctx *tls;	/* NULL: it has none */
};

struct admin {
	struct conf *conf;
	struct proc_user user;
	struct score *score;
	int auth;		/* the channel to barid-auth */
	struct sign_way sign;
	struct ear *ears;
	size_t ear_n;
	struct sessions sessions;
	unsigned char key[KEY_SIZE];	/* of tokens in forms; of this process's life */
	int notes;		/* what who serves tells comes here ... */
	int notes_in;		/* ... and goes in here */
	int rules;		/* of Landlock, for who serves; -1: none */
	struct visitor {
		pid_t pid;	/* 0: a free place */
		uint64_t address;	/* addr_key() */
	} visitors[VISITS_MAX];
	size_t visitor_n;
};

/* ---- visit.c: in a process of its own --------------------------------------------- */

struct answer;

/* A connection, and the one request that it brings. */
struct visit {
	const struct admin *a;
	const struct ear *ear;
	struct conf conf;	/* as it is at that listener */
	struct addr peer;
	char client[64];	/* its address */
	int fd;
	struct tls *tls;	/* NULL: in the clear, on this host */
	struct stream stream;
	struct arena arena;
	struct request request;
	/* Who it is; "": nobody has logged in. */
	const char *user;
	bool by_cookie;
	struct str token;	/* of the cookie */
};

/* Serves the client on FD (taken) to its end. */
void visit_serve(const struct admin *a, const struct ear *e, int fd, const struct addr *peer);

/* ---- notes.c: what who serves tells the one that lets in ----------------------------- */

enum note_what { NOTE_BEGIN = 1, NOTE_TOUCH, NOTE_END };
/* It is known before the client is answered.  False: nobody hears it. */
bool note_send(const struct admin *a, enum note_what what, const unsigned char id[SHA256_SIZE],
    const char *user) MUST_USE;
/* Does what those tell that have come. */
void notes_take(struct admin *a);

/* ---- login.c ------------------------------------------------------------------------- */

/* Finds out who it is by the cookie or a password that came with the request. */
enum login {
	LOGIN_YES,	/* V's USER */
	LOGIN_NOBODY,	/* nothing came that would say who */
	LOGIN_ANSWERED	/* ANSWER says why not */
};
enum login login_look(struct visit *v, struct answer *answer);
/* The pages of the login itself. */
void login_page(struct visit *v, struct answer *answer);
void login_end(struct visit *v, struct answer *answer);
/* Who has to log in first is told how. */
void login_demand(const struct visit *v, struct answer *answer);
/*
 * Whether a POST comes from a page of ours: it has the token of a form, and no
 * browser says that another site sent it.  Else it is answered.
 */
bool login_is_own_form(const struct visit *v, struct answer *answer);
/* Adds the field with that token. */
void login_add_token(const struct visit *v, struct buf *b);
/* True while the client's address is blocked; it is answered then. */
bool login_is_blocked(const struct visit *v, struct answer *answer);

/* ---- pages --------------------------------------------------------------------------- */

void overview_page(struct visit *v, struct answer *answer);
void metrics_page(struct visit *v, struct answer *answer);
void queue_page(struct visit *v, struct answer *answer);
void message_page(struct visit *v, struct answer *answer);
void dests_page(struct visit *v, struct answer *answer);
void blocks_page(struct visit *v, struct answer *answer);
void backends_page(struct visit *v, struct answer *answer);

#endif
