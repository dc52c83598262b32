/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SPAWN_SPAWN_H
#define SPAWN_SPAWN_H

/* spawn -- what the files of barid-spawn share. */

#include <pwd.h>

#include "conf/conf.h"
#include "ipc/msg.h"
#include "lib/arena.h"
#include "mail/path.h"

/* ---- told.c: what a program is told of a message; pure ---------------------- */

/* A request that was looked through: what it says may be believed to be an address. */
struct told {
	const struct conf *conf;
	const struct conf_via *way;	/* NULL: of an alias */
	struct str id;
	uint64_t size;
	struct path sender;
	struct path *rcpts;
	size_t rcpt_n;
	struct str client, login;
};

/* False if M has what no runner asks for.  T borrows from M, and is in A. */
bool told_read(const struct conf *c, const struct msg_spawn *m, struct arena *a,
    struct told *t) MUST_USE;
/* The arguments, NULL-terminated, in A; or NULL, and why none, for the sender. */
char **told_args(const struct told *t, struct arena *a, const char **why) MUST_USE;
/* Whose a program is; what getpwnam() says. */
struct account {
	const char *name, *home, *shell;
};
/* The environment, likewise, of a program that is AS's. */
char **told_env(const struct told *t, const struct account *as,
    struct arena *a) MUST_USE;
/* The lines that stand before the message. */
void told_head(const struct told *t, struct buf *b);

/* ---- feed.c: a message with the line ends of Unix; pure but for its file ---- */

struct feed {
	int fd;
	uint64_t at, end;	/* of what was not read yet */
	struct buf out;		/* what is to be written next, from SENT on */
	size_t sent;
	bool cr;		/* the last octet read was a CR */
	bool quote;		/* "From " at the start of a line becomes ">From " */
	bool in_line;		/* not at the start of one */
	size_t from;		/* so many octets of that are held back */
};

/* SIZE octets from AT on in FD; HEAD goes before them. */
void feed_init(struct feed *f, int fd, uint64_t at, uint64_t size, struct str head);
/* Writes to TO what it takes now.  1: all is written; 0: there is more; -1: errno. */
int feed_write(struct feed *f, int to) MUST_USE;
void feed_free(struct feed *f);

/* ---- part.c: what an alias has --------------------------------------------- */

struct part {
	bool is_file;
	unsigned owner;		/* uid of whom the file is where it stands */
	const char *text;	/* a command, or the path of a file */
};

/*
 * Finds what M asks for in the files of aliases, which a child reads as
 * conf.user.  False: WHY, in A.
 */
bool part_find(const struct conf *c, const struct msg_spawn *m, struct arena *a,
    struct part *p, const char **why) MUST_USE;
/*
 * The arguments of the command TEXT, in A: its words, or a shell and the whole
 * of it, if it has what only a shell understands.
 */
char **part_args(const char *text, struct arena *a) MUST_USE;

/* ---- home.c: the .forward of an account ------------------------------------- */

/* part_find() in the .forward of PW, which this process is. */
bool home_find(const struct passwd *pw, struct str part, struct arena *a,
    struct part *p, const char **why) MUST_USE;
/* The Maildir of PW, which is no part of a list. */
void home_maildir(const struct conf *c, const struct passwd *pw, struct arena *a,
    struct part *p);
/* In a child of its own: says on REPLY what is in the file that M asks for. */
void home_tell(const struct conf *c, const struct msg_forward *m, int reply);

/* ---- box.c: files of mailboxes ---------------------------------------------- */

/* How long a lock is waited for, and by whom. */
struct box_wait {
	int64_t until;		/* by clock_ms() */
	int reply;		/* who asked hangs up here when he gives up, */
	const volatile int *stop;	/* or a signal sets this, which is let in */
	int64_t then;		/* how long it may write: end_after() */
};

/*
 * Adds a message to the file at PATH, which it makes if there is none: locked,
 * if that comes to be within W, quoted, and durable; or does not.  F has the
 * message and what goes before it.  NULL, or why not, in A, with an enhanced
 * code before it.
 */
const char *box_append(const char *path, const struct told *t, struct feed *f,
    const struct box_wait *w, struct arena *a) MUST_USE;

/* ---- work.c ----------------------------------------------------------------- */

/*
 * This process ends in MS, also if it waits for a file system that does not answer:
 * else each attempt would leave one behind, until no more may run.
 */
void end_after(int64_t ms);

/*
 * In a child of its own: runs the program of M's route as the account that is
 * due to it, and answers on REPLY, which also brings the message.
 */
void work(const struct conf *c, const struct msg_spawn *m, int reply);

#endif
