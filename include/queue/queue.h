/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

/*
 * queue -- the spool: the only code that touches it.
 *
 * src/queue/README has the legal states of a message and the order of the
 * calls with the reason for each; tests/fault proves them.  In short: a
 * message is written in tmp/, becomes new/ID and durable at queue_commit(),
 * is the runner's from then on, and stands in cur/XX/ID once an attempt
 * failed for the time being.
 */

#include <sys/types.h>

#include "conf/conf.h"
#include "queue/envelope.h"
#include "queue/part.h"

struct queue;

enum queue_place { QUEUE_NEW, QUEUE_CUR, QUEUE_HOLD, QUEUE_DEAD, QUEUE_DROP, QUEUE_BAD };

enum {
	QUEUE_CREATE = 1,	/* make the directories that are missing */
	QUEUE_DROP_ONLY = 2	/* for sendmail: only drop/ is opened */
};

/* Seconds that a .eml in drop/ must have been left alone. */
#define QUEUE_EML_AGE 2

/*
 * Opens the spool at DIR; its directories are held open, so that the result
 * works in a child that was chrooted to DIR, and between threads.  OWNER and
 * DROP_GROUP (of drop/) are set on what is created, by root.  What is there
 * must be real directories of OWNER (without root: of ours) that nobody else
 * can write.  NULL with the reason in ERROR, and errno: ENOENT if a directory
 * is not there, EPERM if it is not such a one.
 */
struct queue *queue_open(const char *dir, unsigned flags, uid_t owner, gid_t drop_group,
    struct buf *error) MUST_USE;
void queue_close(struct queue *q);
/* Takes the spool's lock for the life of this process (not of its children): -1 if it is held. */
int queue_lock(struct queue *q) MUST_USE;
/*
 * The same for runner NUMBER: what is its own (the messages of its hash, and
 * drop/ for the first) is nobody else's.  WAIT until it is free, which is
 * soon: a runner whose master was killed ends what is under way.
 */
int queue_lock_runner(struct queue *q, size_t number, bool wait) MUST_USE;
/*
 * 0 if NEED more octets fit and the reserve stays (the larger of 16 MiB and
 * 1 % of the file system, or what $QUEUE_RESERVE says in octets), and inodes
 * are left; else -1, ENOSPC.
 */
int queue_space(struct queue *q, uint64_t need) MUST_USE;

/* ---- writing -------------------------------------------------------- */

struct queue_msg;

/* A fresh id: never used before on this host, sorts by time. */
void queue_id_new(char id[QUEUE_ID_SIZE]);
/*
 * Begins a message; E's id was set by queue_id_new() before.  Nothing is on
 * disk yet, and E is not needed again.  TO_DROP: into drop/.  NULL, EINVAL:
 * E cannot be written (envelope_format() says why).
 */
struct queue_msg *queue_begin(struct queue *q, const struct envelope *e, bool to_drop) MUST_USE;
/*
 * Adds text of the message (CRLF lines).  Up to 64 KiB stay in memory, so
 * that a small message costs one write.  -1: errno; only queue_abort() helps.
 */
int queue_write(struct queue_msg *m, struct str text) MUST_USE;
uint64_t queue_size(const struct queue_msg *m);
/*
 * Makes the message durable and visible to the runner: the only place that
 * knows how.  0: it survives a crash.  -1: nothing is visible, errno says
 * why; answer 451, never 250.  Consumes M either way.
 */
int queue_commit(struct queue_msg *m) MUST_USE;
/* Leaves nothing behind, and errno as it is.  NULL is fine. */
void queue_abort(struct queue_msg *m);
/* All three for a message whose text is there; as queue_commit(). */
int queue_put(struct queue *q, const struct envelope *e, bool to_drop, struct str text) MUST_USE;

/* ---- reading and changing ------------------------------------------- */

/* A message of the spool, opened. */
struct queue_file {
	int fd;
	enum queue_place place;
	struct envelope env;
	off_t text_at;		/* where the message starts */
	uint64_t size;		/* its octets */
	uint32_t crc;
	int64_t next;		/* when the next attempt is due (mtime), seconds */
	bool changed;		/* a state byte was written since the last sync */
	off_t end;		/* where the next note goes */
	bool torn;		/* the last note is cut short */
	struct queue *of;	/* whose tray it stands in, */
	unsigned tray;		/* which, and 1; 0: it is a file */
};

/*
 * Opens message ID and reads its envelope into A.  VERIFY: also reads the
 * text and compares the checksum (after a crash).  0; -1 with errno: ENOENT
 * no such message (with a REASON: its writer took it back, since it could not be
 * made durable, and who may is to remove it), EBADMSG unreadable (REASON says
 * why, static text; a message in new/ or drop/ that is cut short was never
 * acknowledged).
 */
int queue_load(struct queue *q, enum queue_place place, const char *id, bool verify,
    struct arena *a, struct queue_file *f, const char **reason) MUST_USE;
void queue_unload(struct queue_file *f);
/* Adds the text to B, or its first MOST octets.  -1: errno; that B is full is not seen here. */
int queue_read(const struct queue_file *f, size_t most, struct buf *b) MUST_USE;

/* Overwrites the state of recipient I in place; durable at the next defer or sync. */
int queue_mark(struct queue_file *f, size_t i, enum rcpt_state state) MUST_USE;

/* One attempt for one recipient, appended behind the text. */
struct queue_attempt {
	int64_t time;
	size_t rcpt;
	char status[12];	/* enhanced code */
	struct str relay;	/* "host[ip]:port", or empty */
	struct str source;	/* the address it left from, if one was chosen */
	struct str reply;	/* what was said, at most 512 octets are kept */
};
int queue_note(struct queue_file *f, const struct queue_attempt *a) MUST_USE;
/* The last attempt of each recipient (time 0: none), in A; one for each rcpt. */
int queue_notes(const struct queue_file *f, struct arena *a, struct queue_attempt **last) MUST_USE;

/* What was tried for a recipient, as far as it was noted. */
struct queue_history {
	size_t attempts;
	int64_t first;		/* seconds; of the first attempt */
	struct queue_attempt *hosts;	/* the last attempt at each, oldest first; */
					/* of those without a host, with each reply */
	size_t host_n;
};
#define QUEUE_HISTORY_HOSTS 8	/* that were tried last */
#define QUEUE_HISTORY_RCPTS 50	/* whose hosts are looked up */
/* The history of each of the N recipients in RCPTS, in A, into H. */
int queue_history(const struct queue_file *f, const size_t *rcpts, size_t n,
    struct arena *a, struct queue_history *h) MUST_USE;
/* Says that delay report number N (up to ENVELOPE_DELAYS_MAX) was sent; as durable as a mark. */
int queue_note_delay(struct queue_file *f, unsigned n) MUST_USE;

/*
 * Puts the message into cur/ until NEXT (seconds since 1970) and makes all
 * marks durable, and the notes with them.  Blocks on the disk; but not if
 * nothing was marked: a crash can then only make the next attempt come too
 * early.  -1: what was not made durable may be attempted again after a crash.
 */
int queue_defer(struct queue *q, struct queue_file *f, int64_t next) MUST_USE;
/*
 * Writes the message anew where it stands, with the envelope that F->env has
 * now (its id and arrival unchanged, and so are its recipients, behind whom
 * there may be others) and NEXT as the time of the
 * next attempt.  F is unloaded.  0: durable.  -1: errno; the old message
 * stands there, or the new one, whole.  Nobody else may have it open.
 */
int queue_rewrite(struct queue *q, struct queue_file *f, int64_t next) MUST_USE;
/*
 * The same for N messages, whose flushes are shared: each ERROR is 0 or an
 * errno.  As many files as that are open at once.
 */
struct queue_rewrite {
	struct queue_file *file;
	int64_t next;
	int error;
};
void queue_rewrite_all(struct queue *q, struct queue_rewrite *v, size_t n);
/* Only makes marks (and notes) durable, where it stands. */
int queue_sync(struct queue_file *f) MUST_USE;
/* The message is dealt with: takes it off the spool. */
int queue_remove(struct queue *q, enum queue_place place, const char *id) MUST_USE;
/* Makes removals so far durable: one flush for many. */
int queue_sync_removals(struct queue *q) MUST_USE;
/* Moves a message: hold, release, dead, bad.  Durable when it returns. */
int queue_move(struct queue *q, enum queue_place from, const char *id,
    enum queue_place to) MUST_USE;
/* Of many: durable, with the marks that were set, at queue_sync_moves(). */
int queue_move_early(struct queue *q, enum queue_place from, const char *id,
    enum queue_place to) MUST_USE;
int queue_sync_moves(struct queue *q) MUST_USE;
/* Sets when the next attempt is due, without opening it. */
int queue_set_next(struct queue *q, enum queue_place place, const char *id, int64_t next) MUST_USE;

/*
 * What is to become of a message that is being attempted, and that nobody may
 * touch therefore: it stands beside it in the spool.
 */
enum queue_order { ORDER_NONE, ORDER_HOLD, ORDER_DELETE, ORDER_BOUNCE };

/* Order NOW stands in place of WAS; durable at queue_sync_orders(). */
int queue_order(struct queue *q, const char *id, enum queue_order was,
    enum queue_order now) MUST_USE;
/* No order stands for ID: it was carried out, behind which this belongs, or taken back. */
int queue_order_void(struct queue *q, const char *id) MUST_USE;
int queue_sync_orders(struct queue *q) MUST_USE;
/* Calls FN with each that stands; a crash may have left two of one message. */
int queue_orders(struct queue *q,
    void (*fn)(void *arg, const char *id, enum queue_order o), void *arg) MUST_USE;

/*
 * Calls FN for each message of PLACE, in no order, until it returns false:
 * id, due time (mtime), octets of the file.  What is no message (another
 * name, no plain file) is left alone: one call with a NULL id says so.
 */
int queue_scan(struct queue *q, enum queue_place place,
    bool (*fn)(void *arg, const char *id, int64_t mtime, uint64_t size), void *arg) MUST_USE;
/* The same of those in PART. */
int queue_scan_part(struct queue *q, enum queue_place place,
    const struct queue_part *part,
    bool (*fn)(void *arg, const char *id, int64_t mtime, uint64_t size), void *arg) MUST_USE;
/* Removes what nobody wrote to for AGE seconds from tmp/ and drop/tmp.*; the count, or -1. */
int queue_clean(struct queue *q, int64_t age) MUST_USE;

/*
 * Takes what `sendmail` (an envelope block) or anybody (NAME.eml, plain
 * RFC 5322: recipients from its header, Bcc removed) left in drop/ into
 * new/: checks that it is a plain file with one name, copies it, commits,
 * removes it.  FN is called with each new id.  What cannot be read goes to
 * bad/.  Blocks on the disk.  The number taken, or -1 (the disk is full ...:
 * what is left is taken another time).
 *
 * By one process at a time, and at its start before it scans new/: then
 * nothing is taken twice, also after a crash (queue/dropped.h).  A .eml that was written to
 * in the last QUEUE_EML_AGE seconds is left for the next call: its writer
 * may not be done.
 */
int queue_import(struct queue *q, void (*fn)(void *arg, const char *id), void *arg) MUST_USE;
/*
 * From now on an import believes the settings in drop/: those of an envelope,
 * and the header fields of a .eml (queue/settings.h), which go by C.
 */
void queue_believe_settings(struct queue *q, const struct conf *c);
/*
 * Makes addresses others as C's sections rewrite say, and adds who gets a copy by its archive;
 * completes headers of .eml files by HOST, and addresses there by DOMAIN, the caller's both. */
void queue_remap_by(struct queue *q, const struct conf *c);
void queue_complete_by(struct queue *q, const char *host);
void queue_qualify_by(struct queue *q, const char *domain);
const char *queue_drop_path(const struct queue *q);	/* to be watched for changes */

#endif
