/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_RUNNER_H
#define RUNNER_RUNNER_H

/*
 * runner -- what the files of barid-runner share.
 *
 * The way of a message through them:
 *
 *   index   what is known to be in the spool, small, and when it is due
 *   job     a message that is loaded: each recipient gets its outcome
 *   dest    where mail goes (a domain, an upstream, the local mailboxes):
 *           its deliveries in a line, and what is parked behind it
 *   group   hosts that take the mail of destinations, as hosts found out:
 *           how many connections (window), whether they live (dead), who
 *           may open one of those that there are (slots), and how much is
 *           sent (spare)
 *   conn    a connection; local is the Maildir
 *   finish  all outcomes are there: marks, notes, report, remove or defer
 *
 * Everything runs in the thread of the loop, but for what is said to run in
 * a pool.  No function here calls back into the one that called it: what
 * would is put off by runner_wake().
 */

#include "conf/conf.h"
#include "ipc/journal.h"
#include "ipc/score.h"
#include "ipc/share.h"
#include "ipc/userset.h"
#include "lib/loop.h"
#include "lib/map.h"
#include "net/dns.h"
#include "net/tls.h"
#include "queue/queue.h"
#include "group.h"
#include "index.h"
#include "life.h"

struct ask;
struct token;
struct conn;
struct control;
struct dkim_key;
struct dest;
struct drop;
struct finish;
struct identity;
struct job;
struct homes;
struct lists;
struct published;
struct published_wait;
struct record_list;
struct removal;
struct scan;
struct self;

#define RUNNERS_MAX 64

struct runner {
	struct conf *conf;		/* read only */
	struct loop *loop;
	struct loop_pool *disk;		/* defer, commit, remove, scan */
	struct loop_pool *local_pool;	/* mailboxes, which may be elsewhere */
	struct dns *dns;
	struct addr sink;		/* for all hosts; no length: none */
	struct tls_ctx *tls;
	struct identity *identities;	/* certificates of our own */
	size_t identity_n;
	struct dkim_key **dkim_keys;	/* of conf->dkim; NULL: it cannot be used */
	struct published *published;	/* what DNS says of each; see published.h */
	bool published_any;		/* one signs only if it is there */
	struct published_wait *published_waits;	/* messages that wait for that */
	int answered;			/* where it stands whom mailboxes answered; -1: none */
	int policies;			/* of MTA-STS, on the disk; -1: none */
	int http, spawn, check;		/* to barid-http, -spawn, -check; -1: none */
	size_t piped;			/* deliveries that it has */
	struct readings *readings;	/* reports that barid-check reads */
	struct ask *asks;		/* of it, open */
	struct token *tokens;		/* that it gave us */
	struct queue *queue;
	struct score *score;
	struct share *share;		/* what all runners have in common */
	struct userset *users;
	struct self *self;
	int mailboxes;
	dev_t mailboxes_journal;	/* as maildir_journal() has it */
	int channel;			/* hints; -1: none */
	int orders;			/* what no session can write to; -1: none */
	int send[RUNNERS_MAX];		/* to the runners; -1: none */
	size_t number, count;		/* which of how many runners */
	bool once, once_begun;		/* it ends when all was tried ... */
	bool once_done;			/* ... which it was */
	size_t left;			/* at the end, in the queue */
	pid_t parent;

	struct index *index;
	struct loop_timer *wake, *tick;
	bool awake;
	bool stopping;
	int64_t stop_by;
	unsigned ticks;
	int64_t last_ms, last_wall;	/* at the last tick */
	struct wall wall;		/* how it jumped */

	struct job *jobs;
	size_t job_n, job_max;
	bool turn;			/* of parked mail */

	struct dests dests;
	struct groups groups;
	struct conn *conns;		/* all */
	struct conn *graves;		/* to be freed by conn_reap() */
	size_t conn_n, conn_max;
	struct map *bad;		/* addresses that failed lately */
	struct family_memory families;

	struct removal *removals;	/* to be done */
	size_t removal_n;		/* ... and not tried yet */
	bool removing;
	bool removed;			/* since the last flush */

	struct journal *journal;	/* NULL: none */
	struct buf said_from, said_to;	/* addresses for a line of it */
	struct record_list *list;	/* what there is, being told */
	int64_t complained_ms;
	uint64_t lost_counted;
	struct job *marking;		/* these wait for the journal */
	struct finish *finishes;
	bool looking;			/* there is more that patience.c looks at */
	size_t looks;			/* those it writes of now */
	bool closing;			/* nothing wakes the loop any more */

	struct lists *lists;		/* of aliases; NULL: there are none */
	struct homes *homes;		/* .forward of accounts; NULL: not read */
	struct scan *scan;
	struct drop *drop;
	struct texts *texts;	/* NULL: none go out of date */
	int64_t etrn_since_ms;	/* so many ETRN were taken since then */
	unsigned etrns;
	struct control *controls;	/* the first is under way */
	struct map *standing;		/* orders from before, by id; NULL: none left */
	size_t finishing;		/* finish works in the pool */
	uint64_t flushes;		/* that were ordered of mail under way */
	struct loop_io *channel_io;
	struct loop_io *orders_io;
	struct buf packet;
	char *bytes;			/* what a connection reads into */
};

#define BYTES_MAX 32768

void runner_begin(struct runner *r);
/* Ends when what is under way is done, or ten seconds later. */
void runner_stop(void *r);
/* Takes up what is due, after what runs now has returned. */
void runner_wake(struct runner *r);
/* What it is among those that share. */
struct share_user runner_share(const struct runner *r);
/* The same at once: never from within a job, a connection or a destination. */
void runner_take_up(struct runner *r);
/*
 * The wall clock as it was when it was last seen whether it jumped, and on from
 * there: all that is decided by it goes along with a jump in one moment.  For
 * the loop's thread; milliseconds and seconds.
 */
int64_t runner_now_ms(const struct runner *r);
int64_t runner_now(const struct runner *r);
/* No retry is farther away than this (seconds): the clock may have jumped. */
int64_t runner_latest_due(const struct runner *r);
/* The messages of the spool that are ours; NAMES: by their names alone. */
struct queue_part runner_part(const struct runner *r, bool names);
/* Message ID is in the spool: takes it up if it is ours, else says so to whom it is. */
void runner_announce(struct runner *r, const char *id);
/*
 * At the end: what is new and was not dealt with is said again, to the runner
 * that comes after; its first scan would take what is young for not ready.
 */
void runner_hand_over(struct runner *r);
/* Learns of ID in PLACE. */
void runner_learn(struct runner *r, const char *id, enum queue_place place,
    int64_t due, bool verify);
/* Forgets a message that is off the spool. */
void runner_forget(struct runner *r, uint32_t slot);

/* record.c: the journal, and what waits for it */
void record_open(struct runner *r, uid_t owner);	/* before the sandbox */
/* When it is known what is in the spool. */
void record_start(struct runner *r);
void record_tick(struct runner *r);
void record_stop(struct runner *r);
bool record_idle(const struct runner *r);
/* Writes what waits; then lets go what waited for it. */
void record_settle(struct runner *r);
void record_flush(struct runner *r);
/* Goes on to tell what is in the queue. */
void record_list(struct runner *r);
/* A line about a message; RCPTS 0, REASON NULL: unsaid. */
void record_message(struct runner *r, enum journal_event event, const char *id,
    size_t rcpts, const char *reason);
/* The received line of F, which borrows from it and SCRATCH; from any thread. */
void record_received_line(struct journal_line *l, const struct queue_file *f,
    struct buf *scratch);

/* patience.c: looks at what is parked, by time. */
void patience_tick(struct runner *r);

/* control.c */
void control_start(struct runner *r);
/* From now on, since it is known what is in the spool. */
void control_take_orders(struct runner *r);
void control_leave_hints(struct runner *r);	/* to the runner that comes after */
void control_stop(struct runner *r);
bool control_idle(const struct runner *r);

/* standing.c: orders that stand in the spool beside their messages */
enum queue_order standing_order(unsigned op);
/* Before anything is known: what stood there when the last process ended. */
void standing_load(struct runner *r);
/* What it says of ID, which is in new/ or cur/: an enum control_op, or 0. */
unsigned standing_take(struct runner *r, const char *id);
/* When it is known what is in new/ and cur/: the others. */
void standing_rest(struct runner *r);
/* None stands for ID any more. */
void standing_void(struct runner *r, const char *id);
void standing_free(struct runner *r);

/* scan.c */
void scan_start(struct runner *r);
void scan_tick(struct runner *r);
void scan_stop(struct runner *r);
bool scan_idle(const struct runner *r);

/* drop.c */
void drop_open(struct runner *r);	/* before the sandbox */
void drop_start(struct runner *r);
void drop_tick(struct runner *r);
void drop_stop(struct runner *r);
/* Nothing is there that is only too young. */
bool drop_settled(const struct runner *r);

/* once.c: what is known to be in the spool is due, */
void once_begin(struct runner *r);
/* ... at this time, which is all the time there is; else that is now; */
int64_t once_now(const struct runner *r);
/* ... and all of it was tried. */
bool once_over(const struct runner *r);

#endif
