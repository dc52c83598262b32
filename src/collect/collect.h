/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COLLECT_COLLECT_H
#define COLLECT_COLLECT_H

/* collect -- what the files of barid-collect share. */

#include "conf/conf.h"
#include "ipc/userset.h"
#include "net/tls.h"
#include "pop.h"
#include "queue/queue.h"
#include "seen.h"

#define RUNNERS_MAX 64

/* A mailbox whose mail is being fetched, in a process of its own. */
struct collector {
	const struct conf *conf;
	const struct conf_collect *of;
	struct queue *queue;
	struct tls_ctx *tls;
	const struct userset *users;
	struct score *score;
	int runners[RUNNERS_MAX];	/* channels */
	size_t runner_n;
	int dir;			/* its directory in the spool */
	struct seen *seen;
	struct path to;			/* who gets what is for nobody else */
	struct buf client;		/* "host[ip]:port" */
	struct buf from;		/* the same for Received */
	struct buf facts;		/* of TLS; empty: there is none */
};

/* What came of a run. */
struct findings {
	uint64_t fetched, octets;
	uint64_t deleted;
	uint64_t left;		/* what is still there */
	uint64_t refused;	/* what of that is no message for us */
	struct buf why;		/* empty: all is well */
};
#define WHY_MAX 1000

/* ---- run.c ---- */

/* A run, from the greeting to QUIT, on S, which may become TLS by SECURE(). */
struct way {
	struct stream *stream;
	bool safe;		/* it is TLS */
	bool (*secure)(void *arg, int64_t deadline, struct buf *why);
	void *arg;
};
void run(struct collector *k, const struct way *w, struct findings *o);

/* ---- message.c ---- */

enum message_end {
	MESSAGE_TAKEN,
	MESSAGE_KNOWN,		/* its text was fetched before */
	MESSAGE_REFUSED,	/* message_why() */
	MESSAGE_ERROR		/* errno: none can be taken now */
};
struct message;

/* A message whose mark is MARK; empty: that of its text. */
struct message *message_begin(struct collector *k, const char *mark);
/* A struct message's next piece of text; false: it cannot be stored. */
bool message_add(void *arg, struct str piece);
/* Accepts it: durable, remembered, and the runner's.  Consumes M. */
enum message_end message_end(struct message *m, uint64_t *octets, struct buf *why);
/* Forgets it. */
void message_abort(struct message *m);

/* ---- staged.c ---- */

/* Where the mailboxes' directories are, in the spool. */
#define COLLECT_DIR "collect"
#define STAGED_NAME_SIZE (QUEUE_ID_SIZE + 1 + SEEN_MARK_LEN)
/* The name that message ID with MARK has until it is accepted. */
void staged_name(const char *id, const char *mark, char name[STAGED_NAME_SIZE]);
/*
 * What a crash has left in DIR: accepted if it was remembered, else removed, to
 * be fetched again.  FN is called with each id that was accepted.  -1: errno.
 */
int staged_recover(struct queue *q, int dir, void (*fn)(void *arg, const char *id), void *arg);
/*
 * Before a run: does the same in the directory of K, and opens K->seen.  False:
 * errno, and there must be none.
 */
bool staged_settle(struct collector *k) MUST_USE;

/* ---- hint.c ---- */

/* Tells the runner of ID; if that fails, a scan finds it.  SCORE may be NULL (tests). */
void hint(const int *runners, size_t n, struct score *score, const char *id);

#endif
