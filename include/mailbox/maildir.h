/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILBOX_MAILDIR_H
#define MAILBOX_MAILDIR_H

/*
 * maildir -- mailboxes: delivery into them, and the view that POP3 has.
 *
 * Messages are stored with LF line ends, as every Maildir reader expects;
 * the name carries ",S=octets in the file,W=octets with CRLF", so that sizes
 * need no open().  The part of the name before the first ',' or ':' never
 * changes and is never used again: it is the UIDL.  Where other programs
 * have used one twice, the later file is renamed before a client sees it.
 */

#include <sys/types.h>
#include <time.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "mailbox/usage.h"

/*
 * One delivery.  TEXT is read from FD at AT, SIZE octets with CRLF line
 * ends; PREFIX (Return-Path, Delivered-To; CRLF) goes before it and any
 * Return-Path in the text's header is left out.
 */
struct maildir_delivery {
	int base;		/* descriptor of the directory of mailboxes */
	dev_t journal;		/* maildir_journal(BASE), or 0 */
	const char *mailbox;
	const char *path;	/* or NULL; of a Maildir in place of the two */
	const char *id;		/* queue id */
	size_t rcpt;		/* and recipient: name the file, so that */
				/* a delivery repeated after a crash is seen */
	int64_t arrival;	/* seconds */
	const char *hostname;
	int fd;
	off_t at;
	uint64_t size;
	struct str prefix;
	bool shares;		/* one file with others of that id and text that go together */
	struct usage_limit limit;	/* of the mailbox, which keeps count then */
	/* Get what is in it without this one, and with it, if there is a limit; or NULL. */
	struct usage *was, *now;
};

/* What is no errno: the mailbox has no room for it within its limit. */
#define MAILDIR_FULL (-1)

/*
 * Delivers durably: written in tmp/, renamed into new/, synced.  The
 * mailbox is made if it is missing.  0; or -1 with errno, and nothing of
 * the message is in new/.  A message that is there already is success.
 * A mailbox that is full is EDQUOT.  Follows no link; what is not a directory of ours is EPERM.
 */
int maildir_deliver(const struct maildir_delivery *d) MUST_USE;
/*
 * The same for N at once, which is cheaper: they wait for the disk together, and
 * those in one journal have one sync, which fails for all of them if it does.
 * ERRORS gets 0, MAILDIR_FULL, or the errno of each.
 */
void maildir_deliver_all(const struct maildir_delivery *d, size_t n, int *errors);

/*
 * The device of the file system that BASE is on, if a sync of what was done last
 * there makes durable all that was done before; 0: it does not, or nobody knows.
 */
dev_t maildir_journal(int base);

/* ---- the view of POP3 ------------------------------------------------ */

struct maildir_entry {
	char *name;		/* file name */
	char *uidl;		/* where it is not from the name, else NULL */
	ino_t inode;
	uint64_t size;		/* octets as sent, with CRLF; known if SIZED */
	bool sized;
	bool in_new;		/* stands in new/, else in cur/ */
	bool twin;		/* another message has its base */
	bool deleted;		/* for the caller's use */
	bool gone;		/* was not found when it was last looked for */
	bool other;		/* the name is that of another file, which nobody has read */
	bool missing;		/* while what is deleted is removed */
};

struct known;

struct maildir {
	int dir, new_dir, cur_dir, lock;
	int far;		/* another process has it: the way there; else -1 */
	size_t asked;		/* sizes of messages before it were asked for there */
	struct maildir_entry *v;	/* oldest first; order and numbers never change */
	size_t n;
	struct maildir_entry **by_base;	/* once one was looked for; else NULL */
	struct timespec new_time, cur_time;	/* of the directories then */
	bool seen;		/* a change of these is one of the times */
	uint64_t doubted;	/* octets read for names that were not believed */
	struct known *known;	/* sizes of an earlier session; NULL: nobody looked */
	struct arena arena;
};

/*
 * Opens MAILBOX under BASE for one reader and lists it in one pass without
 * opening a message.  The lock is exclusive and goes with the process.
 * -1: EBUSY (locked), ENOENT is an empty mailbox that is made, else errno.
 */
int maildir_open(struct maildir *m, int base, const char *mailbox) MUST_USE;
/*
 * The same in two: the directory of MAILBOX, made if there is none, and what
 * is in it.  ROOT is taken in any case; it may be a channel to a process that
 * is in maildir_serve(), and then all that follows is asked of that one.
 */
int maildir_root(int base, const char *mailbox) MUST_USE;
int maildir_open_at(struct maildir *m, int root) MUST_USE;
/* The directory at PATH, a Maildir of ours; made if there is none, but not what is above it. */
int maildir_root_at(const char *path) MUST_USE;
/*
 * Has the mailbox in the directory ROOT open for who asks on CHANNEL, as
 * ipc/msg_box.h says, until it is closed or nobody can ask any more; closes both.
 */
void maildir_serve(int root, int channel);
void maildir_close(struct maildir *m);
/* In words for who looks after the host: why a Maildir could not be opened. */
const char *maildir_why(int error);
/*
 * Size of entry I: from the name where that can be believed, else by reading
 * the file; the same for the session, unless maildir_count() finds another.
 * -1: it is gone.
 */
int maildir_size(struct maildir *m, size_t i, uint64_t *size) MUST_USE;
/* Opens entry I, also if another program renamed it meanwhile.  -1: it is gone. */
int maildir_read(struct maildir *m, size_t i) MUST_USE;
/* Counts entry I, open at FD, from its start: its size from now on.  -1: errno. */
int maildir_count(struct maildir *m, size_t i, int fd, uint64_t *size) MUST_USE;
/* Adds the UIDL of entry I, the same for ever: 1-70 octets of 0x21-0x7E. */
void maildir_uidl(const struct maildir *m, size_t i, struct buf *b);
/* When entry I came, in seconds since 1970, as its name says; 0: it does not. */
int64_t maildir_arrival(const struct maildir *m, size_t i);
/* Removes the entries marked deleted, then syncs once.  The number that could not be removed. */
size_t maildir_expunge(struct maildir *m) MUST_USE;

/*
 * Counts the octets that text has on the wire, where lines end with CRLF, a
 * lone CR or LF being a line end too.  Zero-initialised at the start.
 */
struct wire {
	uint64_t octets;
	char last;	/* of the text so far */
};
void wire_count(struct wire *w, struct str text);
/* The size in all: a last line that has no end gets one. */
uint64_t wire_octets(const struct wire *w);

#endif
