/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_CONN_H
#define RUNNER_CONN_H

/*
 * conn -- what the files of a connection share.
 *
 * conn.c	its life: hosts, sessions, closing
 * conn_connect.c	sockets, source addresses, proxies
 * conn_io.c	bytes, TLS, time-outs
 * conn_mail.c	messages and their outcomes
 * conn_text.c	in which form a text goes
 * conn_split.c	how much of a delivery goes
 * conn_auth.c	what it logs in with
 *
 * The events of the client engine only note what happened (ENDED, CLOSED,
 * STARTTLS); conn_settle() acts on it when the engine's call has returned.
 */

#include "conn_split.h"
#include "conn_text.h"
#include "group.h"
#include "hosts.h"
#include "job.h"
#include "lib/loop.h"
#include "net/tls.h"
#include "result.h"
#include "runner.h"

enum conn_state {
	CONN_NEW,	/* a moment later */
	CONN_TOKEN,	/* until barid-http has one */
	CONN_CONNECTING,
	CONN_PROXY,	/* asks one for the server */
	CONN_TLS,	/* a handshake */
	CONN_TALKING,
	CONN_OVER
};

struct conn {
	struct runner *r;
	struct group *group;
	struct way *way;
	struct share_place place;	/* where it is counted */
	struct conn *next, **at;		/* of the group */
	struct conn *all_next, **all_at;	/* of the runner; then graves */
	enum conn_state state;

	struct hosts *hosts;	/* held: the hops point into it */
	struct hop *hops;
	size_t hop_n, hop_at;
	struct conn_race *race;		/* another address, connecting too */
	struct conn_proxy *proxy;	/* being asked */
	int64_t connect_by;
	bool clear;		/* this hop again, without TLS */
	unsigned ignore;	/* this hop again, without these extensions */
	bool helo;		/* this hop again, with HELO */
	bool renewed;		/* this hop again, with another token */

	int fd;
	struct loop_io *io;
	struct loop_timer *timer;
	struct tls *tls;
	bool tls_wants_write;
	bool tls_failed;	/* the handshake did */
	bool blocked;		/* output waits for the socket */
	struct client *client;
	struct buf relay;	/* "host[ip]:port" */
	struct buf source;	/* where it leaves from; empty: as the system has it */

	bool ready;		/* the session got through, once */
	bool quitting;
	bool resting;		/* idle, until CAP_MS */
	bool ended, closed, starttls;	/* events */

	struct conn_text text;
	struct conn_split split;
	bool may_helo;		/* where EHLO makes it break off */
	bool broke;		/* ... as it did */
	bool more;		/* TLS may hold octets that no event tells of */
	bool stale;		/* it did not take the token */
	struct delivery *v;	/* being sent */
	struct arena txn;	/* what that takes, and its outcomes, until the next */
	struct delivery *carry;	/* to be sent first, by the next session */
	bool only;		/* ... and nothing else: other hosts put it off */
	size_t move_to;		/* the hop where it goes at once; 0: none */
	size_t messages;	/* of this session */
	size_t total;
	bool answered;		/* the peer said what it thinks of a message */
	int64_t begun_ms, talk_ms, sent_ms;
	int64_t cap_ms;		/* what it does now is over then */

	struct cause why;	/* the last thing that went wrong */
	bool all_refused;	/* every host so far said 5xx */
};

/* conn.c */
/* The hop failed, as WHY says already: the next one, or the end. */
void conn_next_hop(struct conn *c);
/* The same hop again, with CLEAR or IGNORE as they are now. */
void conn_same_hop(struct conn *c);
void conn_over(struct conn *c);
/* There is another host for V, if C's host puts it off. */
bool conn_may_pass(const struct conn *c, const struct delivery *v);
/* It did: V goes there by a connection of its own. */
void conn_pass(struct conn *c, struct delivery *v);
/* Acts on what the engine said; nothing may be done with C afterwards. */
void conn_settle(struct conn *c);
void conn_fail(struct conn *c, const char *status, const char *fmt, ...)
    PRINTF(3, 4);
const struct hop *conn_hop(const struct conn *c);
/*
 * The sink stands for all hosts: it has no certificate of theirs, and nothing
 * to do with their passwords.
 */
bool conn_is_sunk(const struct conn *c);

/* conn_connect.c */
/* Starts to connect to the hop.  False: it failed at once, as WHY says. */
bool conn_connect(struct conn *c);
/* Something came of it; of the proxy; or nothing in time. */
void conn_connected(struct conn *c);
void conn_proxy(struct conn *c);
void conn_connect_expired(struct conn *c);
void conn_connect_end(struct conn *c);
/* The name for EHLO. */
const char *conn_ehlo(const struct conn *c);

/* conn_io.c */
/* Watches for the connection to come about, for MS. */
void conn_watch_connect(struct conn *c, int64_t ms);
void conn_timer(struct conn *c, int64_t ms);
/* It is there: TLS, or the engine, takes over. */
void conn_begin(struct conn *c);
/* Writes what the engine has; may note ended or closed. */
void conn_flush(struct conn *c);
/* Takes its leave of the server. */
void conn_quit(struct conn *c);
/* Waits for what is to be waited for. */
void conn_watch(struct conn *c);
void conn_tls_begin(struct conn *c);
/* Gives back descriptor, TLS and engine. */
void conn_session_end(struct conn *c);
/* What is demanded of this hop: off, may, required or verified. */
int conn_tls_level(const struct conn *c);	/* enum conf_client_tls */
bool conn_is_implicit(const struct conn *c);

/* conn_auth.c */
/*
 * Puts the login of the hop's server into O, some of it in A, which is to be
 * wiped.  False: see WHY.
 */
bool conn_login(struct conn *c, struct client_options *o, struct arena *a);
/* Ties the login to the TLS session, which has begun. */
void conn_bind(struct conn *c);
/* True if C has to wait for a token, and does; conn_token() ends that. */
bool conn_waits(struct conn *c);
/* The token for S is there, or WHY not. */
void conn_token(struct runner *r, const struct conf_server *s, const char *why);

/* conn_mail.c */
/* NULL: it cannot log in, as WHY says. */
struct client *conn_client_new(struct conn *c);
/* Sends the next message; false if there is none (or no more here). */
bool conn_mail_next(struct conn *c);
/* True if the hop is to be tried again, in the other way that C has noted. */
bool conn_try_again(struct conn *c);
/* The message under way has all its outcomes. */
void conn_mail_over(struct conn *c);

#endif
