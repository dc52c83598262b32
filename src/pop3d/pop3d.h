/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POP3D_POP3D_H
#define POP3D_POP3D_H

/*
 * pop3d -- the private interface of the room: a POP3 session (RFC 1939,
 * 2449, 2595, 3206, 5034, 6856).
 *
 * Handlers return a response; only the loop writes it.  What follows a
 * positive response (a listing, a message) is written by the handler's
 * BODY function, after the response and before the terminating dot.
 */

#include "lib/stream.h"
#include "mailbox/maildir.h"
#include "mail/command.h"
#include "master/session.h"

/* "<random.time@hostname>" */
#define POP3_STAMP_MAX 320

enum pop3_state { POP3_AUTHORIZATION = 1, POP3_TRANSACTION = 2 };

enum pop3_then { POP3_NEXT, POP3_CLOSE, POP3_START_TLS };

struct pop3_session;

struct pop3_response {
	bool ok;
	const char *text;	/* behind +OK or -ERR; of the session's line arena */
	void (*body)(struct pop3_session *s);	/* NULL: a single line */
	enum pop3_then then;
	bool ours;		/* an -ERR that is no mistake of the client */
};

struct pop3_session {
	const struct session_env *env;
	struct stream stream;
	struct stream_fd plain;
	struct tls *tls;	/* NULL in clear */
	bool has_certificate;	/* which the client has shown */
	struct tls_client certificate;
	int fd;			/* -1 where there is no socket (tests) */
	enum pop3_state state;
	struct arena line;	/* of the command under way */
	char client[80];	/* "[ip]" for logs */
	char address[80];	/* the same without brackets */
	char user[65];		/* the mailbox, once logged in */
	const char *mechanism, *app;	/* while somebody is let in: how, for the log */
	const char *stamp;	/* APOP's, of the banner; NULL: there is none */
	char stamp_text[POP3_STAMP_MAX];
	struct buf name;	/* what USER said; empty: nothing */
	int64_t started_ms;
	int64_t response_ms;	/* when the last one began, */
	uint64_t octets_before;	/* and what had been written then */
	unsigned errors, auth_failures;
	bool utf8;		/* the client takes headers in UTF-8 */
	bool lost;		/* the connection broke while writing */
	struct maildir box;
	bool box_open;
	int message;		/* for a body function: the open message, which it closes */
	uint64_t octets;	/* of it that were announced, by RETR */
	struct surrogate_view *view;	/* it goes as this makes it, or (NULL) as it is */
	struct buf seen;	/* the next octets of that */
	off_t at;		/* from where on the file is read */
	uint64_t top_lines;	/* for TOP: lines of the body; UINT64_MAX: all */
	uint64_t retrieved, removed;
};

/* pop3d_session.c */
struct pop3_response pop3_ok(struct pop3_session *s, const char *fmt, ...) PRINTF(2, 3);
struct pop3_response pop3_err(struct pop3_session *s, const char *fmt, ...) PRINTF(2, 3);
/* Runs a session over what S->stream is connected to: for tests and fuzzers too. */
void pop3d_run(struct pop3_session *s);
void pop3d_init(struct pop3_session *s, const struct session_env *env);
void pop3d_end(struct pop3_session *s);
int64_t pop3_deadline(const struct pop3_session *s);
/* What is put from now on is another response, for which the client has its own time. */
void pop3_begin(struct pop3_session *s);
void pop3_put(struct pop3_session *s, struct str bytes);
void pop3_flush(struct pop3_session *s);
/* GOT, and no line: the log is told of who said nothing for too long. */
void pop3_note_end(const struct pop3_session *s, enum stream_result got);

/* pop3d_auth.c */
/* How long a user name may be, to be asked about at all. */
#define POP3_NAME_MAX 255
struct pop3_response pop3_user(struct pop3_session *s, const struct command *c);
struct pop3_response pop3_pass(struct pop3_session *s, const struct command *c);
struct pop3_response pop3_auth(struct pop3_session *s, const struct command *c);
struct pop3_response pop3_stls(struct pop3_session *s, const struct command *c);
struct pop3_response pop3_capa(struct pop3_session *s, const struct command *c);
bool pop3_tls_begin(struct pop3_session *s);

/* May names and passwords of this mechanism be said now? */
bool pop3_may(const struct pop3_session *s, const char *mechanism);
/* CHALLENGE is empty but for APOP. */
struct pop3_response pop3_login(struct pop3_session *s, const char *mechanism, struct str user,
    struct str password, struct str challenge);

/* pop3d_apop.c */
/* Makes the time stamp of the banner, if APOP is on offer. */
void pop3_stamp(struct pop3_session *s);
struct pop3_response pop3_apop(struct pop3_session *s, const struct command *c);

/* pop3d_lang.c */
struct pop3_response pop3_lang(struct pop3_session *s, const struct command *c);
struct pop3_response pop3_utf8(struct pop3_session *s, const struct command *c);

/* pop3d_text.c */
struct pop3_response pop3_retr(struct pop3_session *s, const struct command *c);
struct pop3_response pop3_top(struct pop3_session *s, const struct command *c);

/* pop3d_box.c */
/* The number of a message that is there, from 1: its index; -1 with R set if not. */
ptrdiff_t pop3_number(struct pop3_session *s, struct str arg, struct pop3_response *r);
struct pop3_response pop3_stat(struct pop3_session *s, const struct command *c);
struct pop3_response pop3_list(struct pop3_session *s, const struct command *c);
struct pop3_response pop3_uidl(struct pop3_session *s, const struct command *c);
struct pop3_response pop3_dele(struct pop3_session *s, const struct command *c);
struct pop3_response pop3_rset(struct pop3_session *s, const struct command *c);
struct pop3_response pop3_noop(struct pop3_session *s, const struct command *c);
struct pop3_response pop3_quit(struct pop3_session *s, const struct command *c);

#endif
