/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_JOB_H
#define RUNNER_JOB_H

/* job -- a message that is loaded, its deliveries, and its end. */

#include "client/client.h"
#include "life.h"
#include "queue/queue.h"
#include "result.h"

struct conf_list;
struct dest;
struct job;
struct mail_facts;
struct own_keys;
struct target;
struct runner;

struct job_rcpt {
	bool todo;		/* has no outcome yet */
	bool tried;		/* lately; not again in this pass */
	bool refused;		/* RESULT says why it will not be tried */
	bool now;		/* its outcome is of this attempt */
	bool noted;		/* its outcome is that of an attempt that has its note */
	bool mark;		/* to be marked when the journal has it */
	bool local;
	bool expired;
	bool forwards;		/* others get it: */
	bool spreads;		/* ... several, for whom the envelope needs room */
	bool at_last;		/* PATH is where it was forwarded to */
	struct path path;	/* who gets it: the envelope's, or another in its place */
	const struct target *target;	/* where PATH leads to, once that was asked */
	struct str part;	/* a program or file of the alias PATH, see mail/alias.h */
	int64_t time;		/* of the attempt, seconds */
	struct dest *to;	/* while it has no outcome; NULL: nowhere */
	struct str dest;	/* its name, and by which route: for the journal */
	struct str route;
	struct result result;
};

/* Recipients of one message that go in one transaction. */
#define DELIVERY_RCPT_MAX 100
struct delivery {
	struct delivery *next;	/* in the line of DEST, or beside it */
	struct delivery **left_at;
	bool left;		/* out: it stands beside the line */
	bool parks;		/* its message will stand behind DEST */
	struct delivery *all_next;	/* of the job */
	struct job *job;
	struct dest *dest;
	size_t *rcpts;		/* numbers in the envelope */
	struct path *paths;	/* where the peer is told it goes */
	const struct path *from;	/* ... and from whom, if not as the envelope has it */
	struct str via;		/* a field that says by whose address it was forwarded, or empty */
	struct result *results;
	size_t n, room;
	unsigned put_off;	/* hosts that put it off in this attempt */
	unsigned passed;	/* by others, in the line */
	char mailbox[65];	/* of a local one */
	const char *maildir;	/* in its place, a path; or NULL */
	const struct conf_list *list;	/* of one to a mailing list */
	int64_t begun_ms;	/* a local one */
	struct client_message message;
};

struct job {
	struct runner *r;
	uint32_t slot;
	struct dest *from;	/* where it was parked until now, or NULL */
	bool parks;		/* some of its deliveries were left out at the end */
	char id[QUEUE_ID_SIZE];
	struct arena arena;
	struct queue_file file;
	struct job_text *text;	/* see conn_text.h; NULL: nobody looked */
	struct job_rcpt *rcpts;	/* one for each of the envelope */
	size_t open;		/* deliveries under way, and one while it starts */
	struct delivery *all;	/* they keep their destinations */
	size_t deliveries;
	char (*made)[QUEUE_ID_SIZE];	/* messages that were made of it, not taken up yet */
	size_t made_n, made_size;
	struct own_keys *own;	/* the keys that it brings; NULL: nobody has read them */
	bool again;		/* some who were tried before it was parked may be now */
	bool read;		/* it is a report, and its text was given to be read */
	int64_t begun_ms;	/* clock_ms() */
	int64_t before_ms;	/* from its arrival until then */
	struct job *next;	/* all jobs */
	struct job **at;
	struct job *mark_next;	/* those with something to be marked */
	struct job **mark_at;
};

/* Loads the message.  NULL: errno, and the REASON of EBADMSG. */
struct job *job_load(struct runner *r, uint32_t slot, const char **reason) MUST_USE;
/*
 * Loads the message, which was parked at FROM or nowhere, and sends its
 * recipients on their ways.
 */
void job_start(struct runner *r, uint32_t slot, struct dest *from);
/* The outcome for recipient number RCPT: said in the log, counted, kept. */
void job_result(struct job *j, size_t rcpt, const struct result *res,
    const struct delays *d);
/* A new delivery of J, under way to DEST from now on; it has no recipients yet. */
struct delivery *job_delivery(struct job *j, struct dest *dest);
/* A delivery is over; after the last the job is finished. */
void job_delivered(struct job *j);
/* The same outcome for all of a delivery, which is then over. */
void job_fail(struct delivery *d, const struct result *res);
/* A delivery is left out of this pass: its line has no room for it. */
void job_leave(struct delivery *d);
/* There is room now, and its message is loaded still. */
void job_return(struct delivery *d);
/* The outcome of recipient RCPT is that of an earlier attempt, A. */
void job_recall(struct job *j, size_t rcpt, enum outcome o, const struct queue_attempt *a);
/* The same of all whose outcome is marked, and owed to somebody. */
void job_recall_all(struct job *j);
/* plan.c: sends its recipients on their ways, or it where it waits. */
void job_plan(struct job *j);
/* Its recipients; and who was tried lately, if some were when it was parked. */
void job_rcpts(struct job *j);
/* It waits where deliveries of it PARK, and is freed. */
void job_park(struct job *j);
/*
 * Messages that were made of it, N of them, are taken up when it is known in
 * the spool that they were: a kill between makes none twice.
 */
void job_made(struct job *j, char (*ids)[QUEUE_ID_SIZE], size_t n);
/* Frees it; the slot is the caller's to deal with. */
void job_free(struct job *j);
/* Marks early what the journal has by now. */
void job_mark_all(struct runner *r);
/* For the log line of a delivery that begins now. */
struct delays job_delays(const struct job *j, int64_t begun_ms,
    int64_t sent_ms);

/*
 * again.c: of SOURCE the address that recipient RCPT's last attempt left from,
 * if that matters; *LAST: the last attempts, once they were read.
 */
struct str again_source(struct job *j, size_t rcpt, struct str source,
    struct queue_attempt **last);

/*
 * expand.c: recipients that others stand for.  One address takes the place of
 * another for this pass; where there are several, the envelope is written anew
 * with them, and the message begins again: true, and J is gone.
 */
bool expand_job(struct job *j, const struct mail_facts *f);
/* Where the mail of recipient RCPT goes, or who else gets it: asked once. */
const struct target *job_target(struct job *j, size_t rcpt,
    const struct mail_facts *f);

/* Puts the deliveries of J that begin with FIRST into their lines. */
void job_go(struct job *j, struct delivery *first);
/* What is to be known of its keys is known: the same, by way of ahead.c. */
void job_signed(struct job *j, struct delivery *first);
/* True if some of those that begin with FIRST go to other hosts. */
bool job_leaves(const struct delivery *first);
/* ahead.c: true if J's text is hashed in the pool before; job_go() follows then. */
bool ahead_begin(struct job *j, struct delivery *first);

/* patience.c: when it is to be looked at though it is parked, in seconds. */
int64_t patience_until(const struct job *j);
/* The result of recipient I, who is not tried in this pass, says why. */
void patience_say(struct job *j, size_t i);

/* finish.c: all outcomes are there. */
void finish_job(struct job *j);
/* Nothing was tried, and is not to be before UNTIL (milliseconds). */
void finish_wait(struct job *j, int64_t until);
/* expire.c */
struct life expire_life(const struct job *j);
/* Until when it must be left alone, in milliseconds; 0: it need not be. */
int64_t expire_waits(const struct job *j);
/* True if there is no time left for an attempt. */
bool expire_is_over(const struct job *j);
/*
 * True if recipient RCPT, whom this attempt fails for, is tried again for certain,
 * and what it waits for is worth so many milliseconds since its arrival.
 */
bool expire_may_wait(struct job *j, size_t rcpt, int64_t patience);
/* What waits for another attempt is given up, if there is to be none. */
void expire_job(struct job *j, const struct life *l);
/* `baridctl queue bounce` came while it was being sent: the same. */
void expire_by_order(struct job *j);
/* The journal has their lines: they go on. */
void finish_all(struct runner *r);
/* remove.c: takes delivered messages off the spool, many at a time. */
void remove_job(struct job *j);
/* The journal has their lines: they go. */
void remove_all(struct runner *r);
bool remove_waits(const struct runner *r);
void remove_tick(struct runner *r);
bool remove_idle(const struct runner *r);

/* bounce.c: what is to be reported, as text of a new message; in a pool. */
struct bounce {
	const struct job *job;
	char id[QUEUE_ID_SIZE];	/* of the report */
	struct dsn_rcpt *rcpts;
	size_t *numbers;	/* of these in the envelope */
	size_t n;
	bool failed, delayed;
};
/* True if recipient I's outcome is to be reported to the sender. */
bool bounce_wanted(const struct job *j, size_t i, enum dsn_action action);
void bounce_add(struct bounce *b, struct job *j, size_t i,
    enum dsn_action action, int64_t until);
/* record.c: lines of the journal about a message that is loaded. */
void record_received(const struct job *j);
void record_result(const struct job *j, size_t rcpt, const struct result *res,
    const struct delays *d);
/* It expired, or was returned, after its last attempt. */
void record_given_up(const struct job *j, size_t rcpt);
void record_dsn(const struct job *j, const struct bounce *b);

/* Writes and commits it.  0: it is durable.  -1: errno. */
int bounce_commit(const struct bounce *b) MUST_USE;

#endif
