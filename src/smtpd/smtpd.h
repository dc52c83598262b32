/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTPD_SMTPD_H
#define SMTPD_SMTPD_H

/*
 * smtpd -- the SMTP server: what its files share.
 *
 * smtpd_session.c has the table of verbs and the loop; a handler gets only
 * what is legal in the state, returns an answer, and never writes to the
 * client.  smtpd_io.c is all that reads and writes.
 *
 * Memory has four lifetimes: the session's arena; that of its client, which is
 * another one behind each XCLIENT; the transaction's (one reset at EHLO, RSET
 * and the end of data); and that of a single command.
 */

#include "lib/arena.h"
#include "lib/stream.h"
#include "mail/command.h"
#include "mail/dot.h"
#include "master/session.h"
#include "policy/recipient.h"
#include "smtpd_answer.h"
#include "smtpd_asked.h"
#include "smtpd_check.h"
#include "smtpd_checks.h"
#include "smtpd_identity.h"
#include "smtpd_scan.h"
#include "smtpd_spf.h"
#include "smtpd_store.h"
#include "smtpd_text.h"

/*
 * START: nothing was said, or TLS has just begun.  GREETED: HELO or EHLO.
 * MAIL: a reverse-path stands.  RCPT: and at least one forward-path.  BDAT: and
 * at least one chunk of the text, not the last.
 */
enum session_state { S_START = 1, S_GREETED = 2, S_MAIL = 4, S_RCPT = 8, S_BDAT = 16 };
#define S_ANY (S_START | S_GREETED | S_MAIL | S_RCPT | S_BDAT)
#define S_TXN (S_MAIL | S_RCPT | S_BDAT)

/* A transaction, in its arena; all zero when there is none. */
struct txn {
	struct envelope env;
	size_t rcpt_size;	/* room in env.rcpts */
	uint64_t *rcpt_hashes;	/* of the same number */
	uint64_t declared;	/* SIZE=, 0: unsaid */
	unsigned rejected;	/* recipients refused */
	bool held;		/* HOLDFOR or HOLDUNTIL was said */
	bool adjusted;		/* another priority than was asked for */
	struct spf_txn spf;
	struct listed listed;	/* of the client and what it names */
	struct text text;
	struct checks checks;
	struct str trace;	/* what was put before the text; where it may be edited */
	struct scanned scanned[SCAN_KIND_VIRUS + 1];	/* by kind */
};

struct exchange;
/* Room for the counts of the table of verbs. */
#define VERBS_MAX 24

struct session {
	const struct session_env *env;
	const struct conf *conf;
	struct stream *stream;
	int fd;			/* of the connection, for a handshake; -1: none */
	enum stream_result wrote;	/* how writing goes; an end is for good */
	struct tls *tls;
	const struct tls_client *certificate;	/* that the client has shown, or NULL */
	struct str chain;	/* of it, in base64 */
	const char *tls_facts;	/* "TLSv1.3 TLS_AES_256_GCM_SHA384", or "" */

	struct arena arena;
	struct arena client_arena;
	struct arena txn_arena;
	struct arena line_arena;
	struct arena row_arena;	/* what tables say of who is asked about; of the command, too */
	struct buf out;		/* an answer being written */
	struct buf text;	/* of a message, between stream and spool */

	const char *client;	/* "unknown[192.0.2.1]", for logs */
	const char *named;	/* "unknown", for traces */
	const char *address;	/* "192.0.2.1" */
	char trusted[65];	/* the keyword of one who need not log in, or "" */
	bool local;		/* sendmail -bs */
	bool may_xclient, may_xforward;	/* whoever has connected */
	struct session_env spoken_for;	/* ENV since an XCLIENT */
	struct attrs *xclient;	/* what it said, NULL: nothing */
	unsigned xclients;
	const char *said_helo, *said_proto;	/* by it, or NULL */
	struct attrs *forwarded;	/* XFORWARD, or NULL: of the next transaction */
	bool submission;

	enum session_state state;
	struct txn txn;
	bool esmtp;
	struct str helo;
	char helo_name[256];	/* what it views */
	const char *user;	/* logged in, or "" */
	const char *auth_mechanism;	/* by which */
	const char *app;	/* and which app password, or "" */
	struct exchange *login;	/* of the session's arena, once there was an AUTH */
	bool auth_open;		/* it is under way */

	const char *last;	/* the last verb, for "lost connection after" */
	/* By the places of the table of verbs; the one behind it is for what is no verb. */
	unsigned tried[VERBS_MAX];
	unsigned done[VERBS_MAX];
	bool was_early;		/* spoke before its turn: said once */
	unsigned errors;
	unsigned junk;		/* commands that do nothing, since the last message */
	unsigned auth_failures;
	struct lists lists;
	struct asked spf_asked;
	struct identity identity;
	int64_t space_ms;	/* when the disk was last asked for room */
};

/* ---- smtpd_session.c ----------------------------------------------------- */

void session_init(struct session *s, const struct session_env *env, struct stream *stream, int fd);
/* From the banner to the end. */
void session_run(struct session *s);
void session_free(struct session *s);
/* The only writer of the state; what a state has no use for is forgotten. */
void session_enter(struct session *s, enum session_state state);
bool smtpd_tls_missing(const struct session *s);	/* nothing of interest may be done yet */
/* Another client, called NAME (NULL: unknown), is in S->env. */
void session_meet(struct session *s, const char *name);
/* All that the client before has said and done is forgotten. */
void session_forget(struct session *s);
/* The name of verb I as the log counts it; NULL behind the last. */
const char *session_verb_name(size_t i);

/* ---- smtpd_io.c ------------------------------------------------------------- */

/* A line of at most MAX octets; replies go out first unless another line is here. */
enum stream_result session_line(struct session *s, size_t max, struct str *line);
/* What the client sends next, until DEADLINE. */
enum stream_result session_fill(struct session *s, int64_t deadline, struct str *bytes);
/* Waits until something comes, or a request to stop, and takes nothing. */
enum stream_result session_peek(struct session *s, struct str *bytes);
/* Puts an answer into the stream; session_flush() sends it. */
void session_answer(struct session *s, const struct answer *a);
void session_flush(struct session *s);
/* Lets the client read the last answer; the session is over. */
void session_linger(struct session *s);
/* Lets the client wait for the next answer, but not for those before it. */
void session_delay(struct session *s, int64_t ms);
/* What the client says within MS, before it was spoken to; STREAM_TIMEOUT: nothing. */
enum stream_result session_early(struct session *s, int64_t ms, struct str *bytes);
bool session_stopping(const struct session *s);
/* Few places are left, and the client has not shown that it may relay. */
bool session_hurried(const struct session *s);
/* How long the client may be silent, and until when that is from now. */
int64_t session_timeout(const struct session *s);
int64_t session_deadline(const struct session *s);
/* The connection ended with R: says so in the log, and 421 to a client that was slow. */
struct answer session_gone(struct session *s, enum stream_result r);
void session_score(struct session *s, enum score_state state);
void session_count(struct session *s, enum score_counter c);

/* ---- smtpd_log.c ------------------------------------------------------------ */

void log_connect(const struct session *s);
void log_disconnect(const struct session *s);
/* A refusal: "NOQUEUE: reject: STEP from ...".  FROM and TO may be NULL. */
void log_reject(const struct session *s, const char *step, const struct answer *a,
    const struct path *from, const struct path *to);
/* The lines for a message that was stored. */
void log_accepted(const struct session *s, struct str message_id);
const char *session_proto(const struct session *s);

/* ---- the verbs ---------------------------------------------------------------- */

struct answer smtpd_helo(struct session *s, const struct command *c);
struct answer smtpd_ehlo(struct session *s, const struct command *c);

/* What may stand behind HELO and EHLO. */
bool helo_valid(struct str name);

struct answer smtpd_xclient(struct session *s, const struct command *c);
struct answer smtpd_xforward(struct session *s, const struct command *c);
/* The end of a transaction. */
void forwarded_forget(struct session *s);
/* Adds "name[address]" of the client that XFORWARD spoke of; false if there is none. */
bool forwarded_add(const struct session *s, struct buf *b);

struct answer smtpd_starttls(struct session *s, const struct command *c);
bool starttls_offered(const struct session *s);
int session_secure(struct session *s);	/* the handshake: 0, or -1 with the reason logged */

struct answer smtpd_auth(struct session *s, const struct command *c);
/* A line of the exchange; R is what session_line() said. */
struct answer smtpd_auth_line(struct session *s, enum stream_result r, struct str line);
bool auth_offered(const struct session *s);
void auth_end(struct session *s);	/* forgets an exchange that is under way */
/* Adds " PLAIN LOGIN": the mechanisms that may be used now. */
void auth_mechanisms(const struct session *s, struct buf *b);

struct answer smtpd_mail(struct session *s, const struct command *c);
/*
 * What recipients.verify says of P, a recipient that would be answered by A;
 * P is whom it names instead, in the command's arena.  A, or another answer.
 */
struct answer smtpd_verify(struct session *s, struct answer a, struct path *p);
struct answer smtpd_room(struct session *s, const struct path *p);	/* 0, or it is full */
/* What decides where mail from FROM goes; what tables say of it lasts for the command. */
struct mail_facts rcpt_facts(struct session *s, struct path from);
struct answer rcpt_answer(struct session *s, const struct path *p);	/* as policy has it */
struct answer smtpd_rcpt(struct session *s, const struct command *c);
uint64_t smtpd_rcpts_max(const struct session *s);	/* that a transaction may have */

/* Counts a message (TO: NULL) or a recipient; code 0, or that it is too much for now. */
struct answer smtpd_rate(struct session *s, const struct path *to);
/* A sender that is to come again: code 0, or 451. */
struct answer smtpd_grey(struct session *s, const struct path *to);
struct answer smtpd_quota(struct session *s, const struct path *to);	/* of account.quota */

struct answer smtpd_data(struct session *s, const struct command *c);
/* Reads the text to its end, stores it, and says what became of it. */
struct answer smtpd_text(struct session *s);

struct answer smtpd_rset(struct session *s, const struct command *c);
struct answer smtpd_noop(struct session *s, const struct command *c);
struct answer smtpd_vrfy(struct session *s, const struct command *c);
struct answer smtpd_expn(struct session *s, const struct command *c);
struct answer smtpd_etrn(struct session *s, const struct command *c);
/* What decides whether the client may relay. */
struct client_facts session_facts(const struct session *s);
/* True if the client is in NETS, those of an option of access. */
bool session_listed(const struct session *s, const struct conf_nets *nets);
struct answer smtpd_help(struct session *s, const struct command *c);
struct answer smtpd_quit(struct session *s, const struct command *c);
struct answer smtpd_unimplemented(struct session *s, const struct command *c);
struct answer smtpd_bdat(struct session *s, const struct command *c);

#endif
