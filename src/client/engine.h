/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CLIENT_ENGINE_H
#define CLIENT_ENGINE_H

/*
 * engine -- what the files of the room client share, and nobody else.
 *
 * client.c	input, output, the list of expectations, the end of a session
 * hello.c	greeting, EHLO, STARTTLS
 * auth.c	AUTH: which mechanism, and the exchange
 * mech.c	what is said in each; cram.c and scram.c have the digests
 * message.c	the envelope: MAIL, RCPT, DATA, and the recipients' outcomes
 * text.c	the text and the replies to it
 */

#include "client/client.h"
#include "lib/hmac_state.h"
#include "mail/dot.h"
#include "mail/limits.h"

/*
 * State of a session.
 *
 * SETUP	greeting, EHLO, STARTTLS, AUTH: until on_ready()
 * SECURING	the caller does a TLS handshake: bytes are an attack
 * READY	client_send() is welcome
 * SENDING	a message is under way; see enum phase
 * QUITTING	QUIT was said
 * CLOSED	on_close() was called, nothing happens any more
 */
enum client_state { SETUP, SECURING, READY, SENDING, QUITTING, CLOSED };

/*
 * What the sender does next for the message.  From GO_START to GO_DATA it
 * writes commands, in one go with PIPELINING; after that it waits for
 * replies (GO_CHUNK for all before BDAT, GO_WAIT for that to DATA, GO_DRAIN
 * for the last ones), or writes text.  The message ends when GO_DRAIN has nothing more to expect.
 */
enum phase {
	GO_START, GO_MAIL, GO_RCPT, GO_DATA, GO_CHUNK, GO_WAIT, GO_TEXT,
	GO_DRAIN
};

enum verb {
	V_GREETING, V_EHLO, V_HELO, V_STARTTLS, V_AUTH, V_RSET, V_MAIL, V_RCPT,
	V_DATA, V_TEXT, V_QUIT
};

/* A reply that the server owes. */
struct expect {
	enum verb verb;
	size_t rcpt;		/* V_RCPT, and V_TEXT in LMTP */
	uint64_t end;		/* octet of our output that ends the command */
};

/* V_TEXT for every recipient; or for none, behind a lone dot. */
#define RCPT_ALL SIZE_MAX
#define RCPT_NONE (SIZE_MAX - 1)

enum rcpt_state { RCPT_OPEN, RCPT_TAKEN, RCPT_DONE };

struct client {
	struct client_options o;	/* its strings are the copies below */
	char *ehlo_name;
	char *user;
	char *password;
	char *token;
	char *prepared;
	struct hmac_state cram[HMAC_HASHES];
	const struct client_events *ev;
	void *arg;
	enum client_state state;
	bool pumping;		/* an event is under way, or may be */
	bool announced;		/* on_ready() was called for this READY */
	bool quit;		/* client_quit() was called */
	bool lost;		/* client_eof() was called */

	/* The server's. */
	bool tls;
	unsigned ext;
	unsigned mechs;
	uint64_t size_max;	/* 0: no limit that we know of */
	struct client_limits limits;

	/* Output: OUT from octet OUT_AT on is to be sent. */
	struct buf out;
	size_t out_at;
	uint64_t gone;		/* octets sent so far */
	bool secret;		/* OUT holds a password */

	/* Input. */
	struct str in;		/* what client_input() gave and is not read */
	struct buf line;	/* the beginning of a line */
	size_t reply_n;		/* octets of the reply that is being read */
	struct reply_reader reader;

	/* Expectations: N of them from HEAD on; STEP is the last one's. */
	struct expect *list;
	size_t list_size;
	size_t head;
	size_t list_n;
	enum client_step step;

	/* AUTH under way. */
	const struct mech *mech;
	unsigned tried;		/* mechanisms, as bits */
	unsigned auth_turn;
	struct scram *scram;
	struct buf binding;	/* tls-exporter, or empty */
	struct buf auth_error;	/* what a server said of a token */

	/* The message. */
	const struct client_message *m;
	enum phase phase;
	unsigned char *rcpts;	/* enum rcpt_state of each */
	size_t rcpts_size;
	size_t next;		/* the next recipient for RCPT */
	size_t open;		/* recipients without an outcome */
	size_t taken;		/* of them, those that the server accepted */
	bool utf8;		/* SMTPUTF8 was said */
	bool answered;		/* MAIL was */
	bool dirty;		/* the server may hold a transaction: RSET */
	bool bdat;		/* the text goes by BDAT */
	uint64_t bdat_end;	/* octet of our output that ends it; 0: not yet known */
	bool text_taken;	/* a text was accepted in this session */
	struct dot_encoder dots;
	uint64_t text_at;

	struct buf words;	/* of our own replies */
};

/* Above this much output, nothing is added but what ends a write. */
#define OUT_HIGH (64U << 10)
/* Text is read in pieces of this size; stuffing doubles it at worst. */
#define TEXT_PIECE (32U << 10)
/* A text of this size, or less, may go with its envelope. */
#define CHUNK_ALONG TEXT_PIECE
/* The cap that follows: OUT_HIGH and two pieces. */
#define OUT_MAX (OUT_HIGH + 4 * TEXT_PIECE + SMTP_AUTH_LINE_MAX)

/* client.c */
size_t client_pending(const struct client *c);
/* Whether the next command may be written now. */
bool client_may_write(const struct client *c);
/* A reply to what stands at the end of OUT is owed. */
void client_expect(struct client *c, enum verb v, size_t rcpt);
/* Ends a command in OUT with CRLF and expects its reply. */
void client_command(struct client *c, enum verb v, size_t rcpt);
/* Our own words as a reply with code 0. */
struct reply client_words(struct client *c, const char *enhanced,
    const char *fmt, ...) PRINTF(3, 4);
/*
 * Ends the session: every recipient without an outcome has TEMPFAIL with R,
 * then on_end(), then on_close() with O and R.
 */
void client_give_up(struct client *c, enum outcome o, enum client_step step,
    const struct reply *r);
/* The same after a refusal that left the line in order: says QUIT. */
void client_refused(struct client *c, enum outcome o, enum client_step step,
    const struct reply *r);
/* The server broke the protocol. */
void client_protocol_error(struct client *c, enum client_step step,
    const char *what);

/* hello.c: replies at the start. */
void client_on_greeting(struct client *c, const struct reply *r);
void client_on_ehlo(struct client *c, const struct reply *r);
void client_on_helo(struct client *c, const struct reply *r);
void client_on_starttls(struct client *c, const struct reply *r);
void client_say_ehlo(struct client *c);
void client_become_ready(struct client *c);

/* auth.c */
void client_auth_start(struct client *c);
void client_on_auth(struct client *c, const struct reply *r);

/* mech.c: what is said in an exchange. */
enum mech_answer { MECH_SAY, MECH_STRANGE, MECH_FALSE };
struct mech {
	unsigned bit;
	struct str name;
	bool token;		/* proves a token, not a password */
	bool clear;		/* shows it to who listens */
	bool first;		/* the client speaks first */
	/*
	 * Adds answer number TURN, not yet base64, to CHALLENGE, which is
	 * base64 and empty where the client speaks first.  MECH_STRANGE:
	 * there is none to that.  MECH_FALSE: the server does not know our
	 * password, and is another one.
	 */
	enum mech_answer (*answer)(struct client *c, unsigned turn,
	    struct str challenge, struct buf *out);
};
extern const struct mech client_mechs[];
extern const size_t client_mech_n;

/* scram.c: RFC 5802, RFC 7677. */
struct scram;
struct scram_options {
	const char *user, *password;
	struct str binding;	/* tls-exporter, for PLUS; empty: the other */
};
struct scram *scram_new(const struct scram_options *o) MUST_USE;
void scram_free(struct scram *s);	/* NULL is fine */
/* The next message for CHALLENGE, neither in base64.  As mech's answer. */
enum mech_answer scram_step(struct scram *s, struct str challenge,
    struct buf *out) MUST_USE;
/* True once the server has proved that it knows the password. */
bool scram_proved(const struct scram *s);

/* cram.c: adds RFC 2195's answer to CHALLENGE, not yet base64; -1: no such hash. */
int cram_add(struct buf *b, enum hmac_hash hash, struct str user,
    struct str password, struct str challenge) MUST_USE;
/* The same with the password's state. */
void cram_add_of(struct buf *b, const struct hmac_state *state, struct str user,
    struct str challenge);

/* message.c */
/* Writes what may be written; true: the message ended, look again. */
bool client_write_message(struct client *c) MUST_USE;
void client_on_rset(struct client *c, const struct reply *r);
void client_on_mail(struct client *c, const struct reply *r);
void client_on_rcpt(struct client *c, const struct reply *r, size_t i);
void client_on_data(struct client *c, const struct reply *r);
void client_rcpt_done(struct client *c, size_t i, enum outcome o,
    enum client_step step, const struct reply *r);
/* The outcome of all that have none; of them, all that were taken. */
void client_all_done(struct client *c, enum outcome o, enum client_step step,
    const struct reply *r);
void client_taken_done(struct client *c, enum outcome o, enum client_step step,
    const struct reply *r);

/* text.c */
void client_text_start(struct client *c);
/* The text by BDAT: with what was written before, or after all replies to it. */
void client_chunk_whole(struct client *c);
void client_chunk_start(struct client *c);
/* True if all of the text is with the server, whatever it has said so far. */
bool client_in_doubt(const struct client *c);
void client_write_text(struct client *c);
void client_on_text(struct client *c, const struct reply *r, size_t rcpt);
/* A reply that came while the text was still on its way. */
void client_on_early_text(struct client *c, const struct reply *r);

#endif
