/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COLLECT_POP_H
#define COLLECT_POP_H

/*
 * pop -- the client's side of POP3 (RFC 1939, 2449, 2595, 5034), for a process
 * that can wait, over a stream.
 *
 * Nothing that the server says is believed: lines and lists have limits, a
 * number is one that was asked for, and an answer that is none ends it.  After
 * POP_LOST the line is of no use, and WHY says why.
 */

#include "conf/types.h"
#include "lib/arena.h"
#include "lib/stream.h"

enum pop_answer {
	POP_OK,
	POP_NO,		/* -ERR: TEXT is what it said */
	POP_LOST
};

/* What it can do, as bits. */
enum {
	POP_STLS = 1,
	POP_UIDL = 2,
	POP_USER = 4,
	POP_PLAIN = 8,
	POP_CRAM = 16,
	POP_CAPA = 32	/* it has said so, and not that it knows no CAPA */
};

struct pop {
	struct stream *stream;
	int64_t timeout;	/* ms, of an answer */
	int64_t until;		/* clock_ms: of all */
	unsigned can;
	struct buf text;	/* of the last status line, without its word */
	struct buf why;		/* empty: the line is good */
};

void pop_init(struct pop *p, struct stream *s, int64_t timeout, int64_t until);
void pop_free(struct pop *p);
/* Notes why the line is of no use, if nothing was noted yet: POP_LOST. */
enum pop_answer pop_lose(struct pop *p, const char *fmt, ...) PRINTF(2, 3);
/* The deadline of what is waited for now. */
int64_t pop_deadline(const struct pop *p);

/* The first line of all. */
enum pop_answer pop_greeting(struct pop *p);
/* Says COMMAND, a line without its end, and hears the answer. */
enum pop_answer pop_command(struct pop *p, const char *fmt, ...) PRINTF(2, 3);
/* The answer alone. */
enum pop_answer pop_hear(struct pop *p);
/* Sets CAN; who knows no CAPA may have all that RFC 1939 has. */
enum pop_answer pop_capa(struct pop *p);

/* login.c */
#define POP_LOGINS (POP_PLAIN | POP_CRAM | POP_USER)
/* The bit of a mechanism's name; 0: it is none. */
unsigned pop_mechanism(const char *name);
/*
 * Logs in by the best of MECHANISMS that is offered; with SAFE the line is TLS.
 * POP_NO: it says no, or offers none of them (TEXT says which).
 */
enum pop_answer pop_login(struct pop *p, const char *user, const char *password,
    unsigned mechanisms, bool safe);

/* list.c: what is in the mailbox. */

/* A mailbox of more is refused. */
#define POP_MESSAGES_MAX 200000
struct pop_message {
	uint32_t number;
	uint64_t size;		/* as the server says */
	struct str uidl;	/* empty: it has none of its own */
};
struct pop_list {
	struct pop_message *v;	/* in the order of their numbers */
	size_t n;
	size_t nameless;	/* how many have no UIDL of their own */
};
/*
 * LIST and, if the server has it, UIDL, in A.  Who says that it has a message
 * twice, or one UIDL twice, has no UIDL for it.
 */
enum pop_answer pop_list(struct pop *p, struct arena *a, struct pop_list *l);

/* text.c: a message. */

enum pop_text {
	TEXT_WHOLE,
	TEXT_REFUSED,		/* -ERR: TEXT */
	TEXT_TOO_LARGE,		/* more than MAX: the line is of no use */
	TEXT_UNWANTED,		/* FN said so: the line is of no use */
	TEXT_LOST
};
/*
 * RETR: calls FN with the text of message NUMBER piece by piece, each line with
 * CRLF: what bare CR and LF stand there become one, what NUL is left out.
 */
enum pop_text pop_retrieve(struct pop *p, uint32_t number, uint64_t max,
    bool (*fn)(void *arg, struct str piece), void *arg);

/* What pop_retrieve() does with text, from a state that is all zero. */
struct repair {
	bool cr;	/* the last octet was a CR */
	bool done;	/* something was repaired */
};
void repair_text(struct repair *r, struct str text, struct buf *out);

#endif
